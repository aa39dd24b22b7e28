// Which queue entries wait, case by case; on real files against Python: ../test_player.py.
import assert from "node:assert/strict";
import test from "node:test";

import { cleanQueue, hiddenGpus } from "../../../assets/player/decoder/clean_queue.mjs";
import { readConfig, readHead, readHeader, readJobs, sectionEnd } from "../../../assets/player/decoder/decoder.mjs";
import { makeViz } from "./make_viz.mjs";

/** What is known of a file's only round, of three GPUs. */
function knownOf({ offset = 0, jobs = [], ...round }) {
  const { bytes, at } = makeViz({ types: [["k80", 3]], rounds: [round], jobs, config: { job_id_offset: offset } });
  const header = readHeader(bytes.subarray(0, 256), bytes.length);
  const config = readConfig(bytes.subarray(256, sectionEnd(header, 256)), header);
  const table = readJobs(bytes.subarray(at.jobs, at.rounds), header, config);
  const head = readHead(bytes, at.rounds, header, [0]);
  const sharing = (round.sharing ?? []).map(([gpu, storedIds]) => ({ gpu, storedIds }));
  return { storedIds: Uint32Array.from(round.ids), sharing, head, jobs: table, jobIdOffset: offset };
}

/** The cleaned queue of that round. */
function waiting(file) {
  const known = knownOf(file);
  return [...cleanQueue({ ...known, stored: Uint32Array.from(file.queue), hiddenGpus: hiddenGpus(known) })];
}

const job = (id, { scale = 1, arrival = 0, completion = 0 } = {}) => [id, 0, scale, arrival, completion, 0];

test("a clean queue stays, in stored order and without the offset", () => {
  assert.deepEqual(waiting({ offset: 1, used: [1], ids: [5, 0, 0], queue: [9, 4294967295, 1] }), [8, 4294967294, 0]);
});

test("jobs on a GPU, in a quarter of one, or completed do not wait", () => {
  const sharing = [[0, [5, 6, 0, 0]]];
  const jobs = [job(7, { completion: 3 }), job(8, { completion: 4 })];
  assert.deepEqual(waiting({ number: 4, used: [1], ids: [5, 0, 0], queue: [5, 6, 7, 8, 9], queued: 2, sharing, jobs }), [8, 9]);
});

test("jobs not yet in the system are dropped only from a queue that is too long", () => {
  const round = { number: 4, used: [0], ids: [0, 0, 0], queue: [7, 8], jobs: [job(7, { arrival: 3 }), job(8, { arrival: 4 })] };
  assert.deepEqual(waiting({ ...round, queued: 1 }), [7]);
  assert.deepEqual(waiting({ ...round, queued: 2 }), [7, 8]);
  assert.deepEqual(waiting({ ...round, queued: 0, jobs: [] }), [7, 8]);
});

test("job 0 is dropped only where it runs unseen", () => {
  const round = { number: 4, used: [3], ids: [0, 0, 5], running: 2, queue: [0, 7], queued: 1, jobs: [job(0, { scale: 2 })] };
  assert.deepEqual(waiting(round), [7]);
  for (const seen of [{ running: 1 }, { used: [2] }, { jobs: [] }, { jobs: [job(0, { scale: 3 })] }]) {
    assert.deepEqual(waiting({ ...round, ...seen }), [0, 7]);
  }
  assert.deepEqual(waiting({ ...round, offset: 1, jobs: [job(1)] }), [-1, 6]);
});

test("job 0 can be hidden from its arrival round to its last", () => {
  const hiddenIn = (number) => {
    const jobs = [job(0, { scale: 2, arrival: 4, completion: 6 })];
    return hiddenGpus(knownOf({ number, used: [3], ids: [0, 0, 5], running: 2, jobs }));
  };

  assert.deepEqual([3, 4, 6, 7].map(hiddenIn), [0, 2, 2, 0]);
});
