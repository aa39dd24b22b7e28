// The browser's decoder on files made here byte by byte. Files of the Python writer: ../test_player.py.
import assert from "node:assert/strict";
import test from "node:test";

import {
  VizFormatError,
  copyStoredIds,
  readConfig,
  readHead,
  readHeader,
  readJobs,
  readSharing,
  rowOfJob,
  sectionEnd,
} from "../../../assets/player/decoder/decoder.mjs";
import { makeSmall, makeViz } from "./make_viz.mjs";

function open(bytes) {
  const header = readHeader(bytes.subarray(0, 256), bytes.length);
  const { config: configAt, jobs: jobsAt } = header.offsets;
  const config = readConfig(bytes.subarray(configAt, sectionEnd(header, configAt)), header);
  const jobs = readJobs(bytes.subarray(jobsAt, jobsAt + header.nJobs * header.jobBytes), header, config);
  return { header, config, jobs };
}

const rowsOf = (jobs) => Array.from(jobs.jobId, (_, row) => Object.values(jobs).slice(0, 7).map((column) => column[row]));

test("header, config and rounds are decoded", () => {
  const { bytes, at, roundBytes } = makeSmall();
  const { header, config } = open(bytes);

  assert.deepEqual([header.version, header.nRounds, header.nJobs, header.nTypes, header.nGpus], [2, 2, 2, 1, 3]);
  assert.deepEqual([header.roundBytes, header.jobBytes], [48, 24]);
  assert.deepEqual(header.offsets, at);
  assert.equal(config.policy, "fifo é");
  assert.equal(config.jobIdOffset, 1);
  assert.deepEqual(config.gpuTypes, [{ name: "k80", count: 3, gpusPerNode: null }]);
  assert.deepEqual([config.window, config.jobTypes.size], [null, 0]);
  assert.deepEqual(readHead(bytes, at.rounds + roundBytes, header, [0]), {
    round: 10,
    simTimeS: 360,
    effectiveUtilization: 0.25,
    jobsRunning: 1,
    jobsQueued: 2,
    jobsCompleted: 3,
    avgJctS: 100,
    completionRateJph: 0.5,
    gpusUsed: [2],
  });
});

test("GPUs in use come in the order of the blocks", () => {
  const { bytes, at } = makeViz({ types: [["v100", 1], ["p100", 2], ["k80", 1]], rounds: [{ used: [7, 8, 9], ids: [0, 0, 0, 0] }] });

  assert.deepEqual(readHead(bytes, at.rounds, open(bytes).header, [2, 0, 1]).gpusUsed, [9, 7, 8]);
});

test("unaligned allocations are read, and bytes that start anywhere", () => {
  const { bytes, at } = makeSmall();
  const { header } = open(bytes);
  const shifted = new Uint8Array(bytes.length + 3).subarray(3);
  shifted.set(bytes);
  const out = new Uint32Array(5);
  copyStoredIds(shifted, at.rounds, header, out.subarray(1), 1);

  assert.deepEqual([...out], [0, 0, 1, 4294967295, 0]);
  assert.equal(readHead(shifted, at.rounds, header, [0]).jobsCompleted, 3);
});

test("quarters of a shared GPU are decoded", () => {
  const { bytes, at } = makeSmall();
  const { header } = open(bytes);

  assert.deepEqual(readSharing(bytes, at.sharing, header), { entries: [] });
  assert.deepEqual(readSharing(bytes, at.sharing + 2, header), { entries: [{ gpu: 2, storedIds: [1, 1, 0, 70001] }] });
  const part = bytes.subarray(at.sharing);
  assert.deepEqual(readSharing(part, 2, header, at.sharing), { entries: [{ gpu: 2, storedIds: [1, 1, 0, 70001] }] });
});

test("job records of all three generations are told apart", () => {
  const long = [4294967294, 7, 2, 5, 9, 1440.5, 1];

  assert.deepEqual(rowsOf(open(makeSmall({ version: 2 }).bytes).jobs)[1], long);
  assert.deepEqual(rowsOf(open(makeSmall({ version: 1 }).bytes).jobs)[1], long);
  const short = open(makeSmall({ version: 1, jobBytes: 16 }).bytes);
  assert.deepEqual(rowsOf(short.jobs)[1], [4294967294, 7, 2, 5, 0, 0, 0]);
  assert.equal(short.header.offsets.sharing, 0);
  assert.throws(() => open(makeSmall({ version: 2, jobBytes: 16 }).bytes), VizFormatError);
});

test("jobs are found by id, the first of equals, in any order of records", () => {
  const jobs = [5, 4294967294, 2, 5, 0].map((id, row) => [id, row, 1, 0, 0, 0]);
  const table = open(makeViz({ types: [["k80", 1]], rounds: [], jobs }).bytes).jobs;

  assert.deepEqual([0, 2, 5, 4294967294, 1, 4294967295, -1].map((id) => rowOfJob(table, id)), [4, 2, 0, 1, -1, -1, -1]);
});

test("a stored id of 0 in the job table of a file with an offset is an error", () => {
  const { bytes, at, view } = makeSmall();
  view.setUint32(at.jobs + 24, 0, true);

  assert.throws(() => open(bytes), (error) => error instanceof VizFormatError && error.offset === at.jobs + 24);
});

test("every cut of a file is one clear error", () => {
  const { bytes } = makeSmall();
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => open(bytes.slice(0, length)), VizFormatError, `${length} bytes`);
  }
});

test("damage is an error with an offset", () => {
  const damage = [
    [(view) => view.setUint8(0, 0), 0],
    [(view) => view.setUint32(8, 3, true), 8],
    [(view) => view.setBigUint64(32, 2n ** 63n, true), 32],
    [(view) => view.setBigUint64(32, 2n ** 53n + 8n, true), 32],
    [(view) => view.setBigUint64(48, 8n, true), 48],
    [(view) => view.setBigUint64(40, 260n, true), 40],
    [(view) => view.setUint8(256, 0xff), 256],
  ];
  for (const [hurt, offset] of damage) {
    const { bytes, view } = makeSmall();
    hurt(view);
    assert.throws(() => open(bytes), (error) => error instanceof VizFormatError && error.offset === offset);
  }
});

test("a config of another shape is an error that says what is wrong", () => {
  const types = [{ name: "k80", count: 3 }];
  const wrong = [
    [{ gpu_types: null }, /no "gpu_types"/],
    [{ gpu_types: {} }, /"gpu_types" is a object, not of kind list/],
    [{ gpu_types: [7] }, /7 where an object with "name" belongs/],
    [{ gpu_types: [{ name: "k80", count: true }] }, /"count" is a boolean/],
    [{ gpu_types: [{ name: "k80", count: 2 }] }, /1 types with \[2\] GPUs/],
    [{ gpu_types: [{ name: "k80", count: 3 }, { name: "b", count: 0 }] }, /2 types with \[3,0\] GPUs/],
    [{ policy: 1 }, /"policy" is a number/],
    [{ measurement_window: { start_job: 1 } }, /no "end_job"/],
    [{ job_types: [{ id: "x", name: "y" }] }, /"id" is a string/],
    [{ job_id_offset: 2 }, /job_id_offset 0 or 1/],
  ];
  for (const [config, message] of wrong) {
    const { bytes } = makeViz({ types: [["k80", 3]], rounds: [], config: { gpu_types: types, ...config } });
    assert.throws(() => open(bytes), (error) => error instanceof VizFormatError && message.test(error.message));
  }
});

test("a type of fewer than no GPUs is an error", () => {
  const config = { gpu_types: [{ name: "a", count: 4 }, { name: "b", count: -1 }] };

  assert.throws(() => open(makeViz({ types: [["a", 2], ["b", 1]], rounds: [], config }).bytes), /2 types with \[4,-1\] GPUs/);
});

test("a config that is not UTF-8, or starts with a byte order mark, is an error", () => {
  const { bytes } = makeSmall();
  const inPolicy = bytes.indexOf(0xc3, 256);
  assert.throws(() => open(bytes.with(inPolicy, 0xff)), /expected config JSON in UTF-8/);
  const config = new TextEncoder().encode("\ufeff{}");
  const marked = bytes.slice();
  marked.fill(0, 256, readHeader(bytes, bytes.length).offsets.jobs).set(config, 256);
  assert.throws(() => open(marked), /expected config JSON, found/);
});

test("the parts of a config are read, unknown keys kept", () => {
  const config = {
    gpu_types: [{ name: "k80", count: 3, gpus_per_node: 4 }],
    measurement_window: { start_job: 4, end_job: 9 },
    job_types: [{ id: 3, name: "A3C", category: "rl" }, { id: 4, name: "LM" }],
    more: [1],
  };
  const read = open(makeViz({ types: [["k80", 3]], rounds: [], config }).bytes).config;

  assert.deepEqual(read, {
    raw: config,
    policy: null,
    gpuTypes: [{ name: "k80", count: 3, gpusPerNode: 4 }],
    window: { startJob: 4, endJob: 9 },
    jobTypes: new Map([[3, { name: "A3C", category: "rl" }], [4, { name: "LM", category: "" }]]),
    jobIdOffset: 0,
  });
});

test("a sharing list outside its section or with a GPU that is not there is an error", () => {
  const { bytes, view, at } = makeSmall();
  const { header } = open(bytes);
  assert.throws(() => readSharing(bytes, at.sharing + 24, header), VizFormatError);
  view.setUint16(at.sharing, 60000, true);
  assert.throws(() => readSharing(bytes, at.sharing, header), VizFormatError);
  view.setUint16(at.sharing + 4, 3, true);
  assert.throws(() => readSharing(bytes, at.sharing + 2, header), /GPU indices below 3, found 3/);
});
