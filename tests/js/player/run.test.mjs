// What the page says about a run, against plain loops over its jobs and rounds.
import assert from "node:assert/strict";
import test from "node:test";

import { makeRandom } from "./make_frame.mjs";
import { makeRun } from "./make_run.mjs";

const HOUR_S = 3600;

/** Some records, not of every round; jobs that arrive, complete or stay. */
function makeRandomRun(random, { window = null } = {}) {
  let [number, timeS] = [0, 0];
  const rounds = Array.from({ length: 200 }, (_, i) => {
    number += i === 0 ? 0 : random.pick([1, 1, 1, 3]);
    timeS += i < 2 ? 0 : random.pick([360, 5000]);
    return [number, timeS];
  });
  const jobs = Array.from({ length: 60 }, (_, id) => {
    const arrival = random.below(number);
    const completion = random() < 0.7 ? arrival + 1 + random.below(number - arrival) : 0;
    return [id, 0, 1, arrival, completion, completion && random() < 0.9 ? 1000 + random.below(90_000) : 0];
  });
  return { rounds, jobs, run: makeRun({ rounds, jobs, window }) };
}

test("a job has completed in the rounds after its completion round; means and counts follow from that", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const window = { startJob: 10, endJob: 30 };
    const { run, rounds, jobs } = makeRandomRun(makeRandom(seed), { window });
    for (const [number] of rounds) {
      for (const ofWindow of [false, true]) {
        const gone = jobs.filter(([id, , , , completion]) => completion > 0 && completion < number && (!ofWindow || (id >= 10 && id < 30)));
        const known = gone.map(([, , , , , durationS]) => durationS).filter((seconds) => seconds > 0);
        const { n, meanH, missing } = run.meanJct(number, ofWindow);
        assert.deepEqual([n, missing], [gone.length, gone.length - known.length], `round ${number}`);
        if (known.length === 0) assert.equal(meanH, null);
        else assert.ok(Math.abs(meanH - known.reduce((a, b) => a + b, 0) / known.length / HOUR_S) < 1e-9);
      }
    }
  }
});

test("throughput is what completed between two records, per hour between the same two", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const { run, rounds, jobs } = makeRandomRun(makeRandom(50 + seed));
    rounds.forEach(([number, timeS], index) => {
      // The last record that is 100 h ago or longer, the first where there is none.
      const since = Math.max(0, rounds.findLastIndex(([, earlierS]) => earlierS <= timeS - 100 * HOUR_S));
      const hours = (timeS - rounds[since][1]) / HOUR_S;
      const n = jobs.filter(([, , , , completion]) => completion > 0 && completion >= rounds[since][0] && completion < number).length;
      const found = run.throughput(index);
      if (hours === 0) assert.equal(found, null);
      else assert.deepEqual(found, { jph: n / hours, hours }, `record ${index}`);
    });
  }
  const rounds = [[0, 0], [1, 0], [2, 360], [3, 720]];
  assert.equal(makeRun({ rounds, jobs: [[0]] }).throughput(3), null); // nothing tells when jobs completed
  assert.deepEqual(makeRun({ rounds, jobs: [[0, 0, 1, 0, 2, 360]] }).throughput(3), { jph: 5, hours: 0.2 });
});

test("jobs that have arrived by a record are those with an earlier arrival round", () => {
  const { run, rounds, jobs } = makeRandomRun(makeRandom(3));
  assert.deepEqual([...run.arrivals], rounds.map(([number]) => jobs.filter(([, , , arrival]) => arrival < number).length));
});

test("round numbers lead to records and times, where rounds are sampled too", () => {
  const run = makeRun({ rounds: [[0, 0], [1, 0], [10, 3240], [20, 6840]] });
  assert.deepEqual([0, 1, 2, 10, 11, 99].map((round) => run.recordOf(round)), [0, 1, 2, 2, 3, 3]);
  assert.deepEqual([0, 1, 9, 10, 19, 99].map((round) => run.timeOfRoundS(round)), [0, 0, 0, 3240, 3240, 6840]);
});

test("waits and completions that colours follow: from round numbers and first records, unknown where never", () => {
  const jobs = [[0, 0, 1, 2, 4, 720], [1, 0, 1, 2, 0, 0], [2, 0, 1, 0, 5, 0]];
  const run = makeRun({ rounds: [0, 1, 2, 3, 4, 5].map((number) => [number]), jobs, firstStart: [4, -1, 0] });
  const { waitedH, completionS, simTimeS } = run.jobTimes();
  assert.deepEqual([...waitedH], [Math.fround(720 / HOUR_S), NaN, 0]);
  assert.deepEqual([...completionS], [1080, NaN, 1440]);
  assert.equal(simTimeS, run.clock.simTimeS);
});

test("what a card says of a job", () => {
  const jobs = [[70_000, 3, 8, 2, 5, 1080], [5, 9, 0, 3, 0, 0]];
  const run = makeRun({
    rounds: [0, 1, 2, 3, 4, 5, 6].map((number) => [number]), jobs, firstStart: [4, -1], window: { startJob: 70_000, endJob: 70_001 },
    jobTypes: [[3, { name: "LM", category: "language_model" }]],
  });
  const job = run.job(70_000, 4);
  assert.deepEqual(
    [job.jobType, job.category, job.scaleFactor, job.arrivalRound, job.firstStart, job.completed, job.completionRound, job.inWindow],
    ["LM", "language_model", 8, 2, 4, true, 5, true],
  );
  assert.deepEqual([job.arrivalH, job.startH, job.jctH, job.endH, job.ageH].map((h) => Math.round(h * HOUR_S)), [360, 1080, 1080, 1440, 720]);
  assert.equal(job.progress.toFixed(3), "0.667");
  const open = run.job(5, 6);
  assert.deepEqual([open.jobType, open.scaleFactor, open.firstStart, open.progress, open.inWindow, open.completionRound], ["type 9", null, -1, null, false, null]);
  assert.ok([open.startH, open.endH, open.jctH].every(Number.isNaN));
  assert.deepEqual(run.job(6, 0), { jobId: 6, known: false });
});

test("before the clock has come times are unknown, not zero", () => {
  const run = makeRun({ rounds: [[0], [1]], jobs: [[0, 0, 1, 0, 1, 360]] });
  Object.assign(run, { clock: null, firstStart: null, overview: null });
  const { arrivalH, startH, ageH, progress, firstStart } = run.job(0, 1);
  assert.deepEqual([arrivalH, startH, ageH, progress, firstStart], [NaN, NaN, NaN, null, null]);
  assert.deepEqual([run.throughput(1), run.arrivals, run.meanOccupancy(0, 1, 2), run.timeOfRoundS(1)], [null, null, null, NaN]);
});

test("mean occupancy of a type is exact at the overview's records, and said to be about right between", () => {
  const random = makeRandom(9);
  const types = [["k80", 4], ["v100", 2]];
  const rounds = Array.from({ length: 2500 }, (_, i) => [i, 360 * i, [random.below(5), random.below(3)]]);
  const run = makeRun({ rounds, types });
  const starts = new Set(run.overview.startIndex);
  assert.equal(starts.size, 1000);
  types.forEach(([, count], type) => {
    assert.equal(run.meanOccupancy(type, 0, 0), null);
    let sum = 0;
    for (let index = 1; index < rounds.length; index += 1) {
      sum += rounds[index - 1][2][type];
      const { share, exact } = run.meanOccupancy(type, index, rounds[index][2][type]);
      assert.equal(exact, starts.has(index));
      assert.ok(Math.abs(share - sum / index / count) <= (exact ? 1e-12 : 3 / index), `record ${index}`);
    }
  });
});

test("GPU types get their first GPU in order", () => {
  const { gpuTypes } = makeRun({ rounds: [[0]], types: [["k80", 4], ["none", 0], ["v100", 2]] });
  assert.deepEqual(gpuTypes.map(({ firstGpu }) => firstGpu), [0, 4, 4]);
});

test("phases of a server's run are the server's", () => {
  const run = makeRun({ rounds: [[0], [1], [2], [3]], info: { phases: [1, 3], base: null } });
  assert.deepEqual([0, 1, 2, 3].map((index) => run.phaseOf(index)), ["warm-up", "measurement", "measurement", "cool-down"]);
  assert.equal(makeRun({ rounds: [[0]] }).phaseOf(0), "");
});

test("node sizes of the user are for types of which the file does not say", () => {
  const run = makeRun({ rounds: [[0]], types: [["k80", 4], ["v100", 2]] });
  run.meta.gpuTypes[0].gpusPerNode = 2;
  run.setNodeSizes(new Map([["k80", 4], ["v100", 8], ["p100", 3]]));
  assert.deepEqual(run.gpuTypes.map(({ gpusPerNode, firstGpu }) => [gpusPerNode, firstGpu]), [[2, 0], [8, 4]]);
  run.setNodeSizes(new Map());
  assert.deepEqual(run.gpuTypes.map(({ gpusPerNode }) => gpusPerNode), [2, null]);
});
