// The browser's decoder on files made here byte by byte. Files of the Python writer: test_js.py.
import assert from "node:assert/strict";
import test from "node:test";

import { VizBin, VizFormatError } from "../../assets/vizbin.mjs";

const align8 = (n) => Math.ceil(n / 8) * 8;

/** One type of 3 GPUs, two rounds, two jobs: ids are stored plus one, round 1 has a GPU in quarters. */
function makeFile({ jobBytes = 24, version = 2 } = {}) {
  const config = new TextEncoder().encode('{"policy": "fifo é", "gpu_types": [{"name": "k80", "count": 3}], "job_id_offset": 1}');
  const jobsAt = 256 + align8(config.length);
  const roundsAt = jobsAt + 2 * jobBytes;
  const roundBytes = align8(28 + 2 + 12);
  const queueAt = roundsAt + 2 * roundBytes;
  const indexAt = queueAt + 16;
  const sharingAt = indexAt + 16;
  const sharingIndexAt = sharingAt + 24;
  const buffer = new ArrayBuffer(sharingIndexAt + 16);
  const view = new DataView(buffer);
  const u16 = (at, ...values) => values.forEach((value, k) => view.setUint16(at + 2 * k, value, true));
  const u32 = (at, ...values) => values.forEach((value, k) => view.setUint32(at + 4 * k, value, true));
  const u64 = (at, ...values) => values.forEach((value, k) => view.setBigUint64(at + 8 * k, BigInt(value), true));
  new Uint8Array(buffer).set(new TextEncoder().encode("GPUVIZ01"));
  new Uint8Array(buffer).set(config, 256);
  u32(8, version, 2, 2);
  view.setUint8(20, 1);
  u16(21, 3);
  u64(24, jobsAt, roundsAt, queueAt, indexAt, 256, version === 2 ? sharingAt : 0, version === 2 ? sharingIndexAt : 0);
  [1, 4294967295].forEach((id, row) => {
    const at = jobsAt + row * jobBytes;
    u32(at, id);
    u16(at + 4, 7);
    view.setUint8(at + 6, 2);
    u32(at + 8, 5);
    if (jobBytes === 24) {
      u32(at + 12, 9);
      view.setFloat32(at + 16, 1440.5, true);
    }
  });
  [0, 1].forEach((i) => {
    const at = roundsAt + i * roundBytes;
    u32(at, 10 * i);
    view.setFloat32(at + 4, 360 * i, true);
    view.setFloat32(at + 8, 0.25, true);
    u16(at + 12, 1, 2);
    u32(at + 16, 3);
    view.setFloat32(at + 20, 100, true);
    view.setFloat32(at + 24, 0.5, true);
    u16(at + 28, 2);
    u32(at + 30, 1, 4294967295, 0);
  });
  u16(queueAt, 1);
  u32(queueAt + 2, 70001);
  u64(indexAt, 0, 6);
  u16(sharingAt + 2, 1, 2);
  u32(sharingAt + 6, 1, 1, 0, 70001);
  u64(sharingIndexAt, 0, 2);
  return { buffer, view, at: { jobsAt, roundsAt, queueAt, indexAt, sharingAt } };
}

test("header, config and rounds are decoded", () => {
  const viz = new VizBin(makeFile().buffer);

  assert.deepEqual([viz.version, viz.nRounds, viz.nJobs, viz.nTypes, viz.nGpus], [2, 2, 2, 1, 3]);
  assert.equal(viz.config.policy, "fifo é");
  assert.equal(viz.jobIdOffset, 1);
  assert.deepEqual(viz.round(1), {
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

test("ids lose the offset, idle is -1, and unaligned allocations are read", () => {
  const viz = new VizBin(makeFile().buffer);

  assert.deepEqual([...viz.allocation(0)], [0, 4294967294, -1]);
  assert.deepEqual([...viz.queue(0)], [70000]);
  assert.deepEqual([...viz.queue(1)], []);
});

test("quarters of a shared GPU are decoded", () => {
  const viz = new VizBin(makeFile().buffer);

  assert.deepEqual(viz.sharing(0), []);
  assert.deepEqual(viz.sharing(1), [{ gpu: 2, jobIds: [0, 0, -1, 70000] }]);
});

test("job records of all three generations are told apart", () => {
  const long = { jobId: 4294967294, typeId: 7, scaleFactor: 2, arrivalRound: 5, completionRound: 9, durationS: 1440.5 };

  assert.deepEqual(new VizBin(makeFile({ version: 2 }).buffer).job(1), long);
  assert.deepEqual(new VizBin(makeFile({ version: 1 }).buffer).job(1), long);
  const short = new VizBin(makeFile({ version: 1, jobBytes: 16 }).buffer).job(1);
  assert.deepEqual(short, { ...long, completionRound: 0, durationS: 0 });
  assert.deepEqual(new VizBin(makeFile({ version: 1 }).buffer).sharing(1), []);
});

test("every cut of a file is one clear error", () => {
  const { buffer } = makeFile();
  for (let length = 0; length < buffer.byteLength; length += 1) {
    assert.throws(() => new VizBin(buffer.slice(0, length)), VizFormatError, `${length} bytes`);
  }
});

test("damage is an error with an offset", () => {
  const damage = [
    [(view) => view.setUint8(0, 0), 0],
    [(view) => view.setUint32(8, 3, true), 8],
    [(view) => view.setBigUint64(32, 2n ** 63n, true), 32],
    [(view) => view.setBigUint64(48, 8n, true), 48],
    [(view) => view.setUint8(256, 0xff), 256],
  ];
  for (const [hurt, offset] of damage) {
    const { buffer, view } = makeFile();
    hurt(view);
    assert.throws(() => new VizBin(buffer), (error) => error instanceof VizFormatError && error.offset === offset);
  }
});

test("an index outside its section and a list beyond it are errors", () => {
  const { buffer, view, at } = makeFile();
  const viz = new VizBin(buffer);
  view.setBigUint64(at.indexAt, 2n ** 60n, true);
  view.setUint16(at.queueAt + 6, 60000, true);

  assert.throws(() => viz.queue(0), VizFormatError);
  assert.throws(() => viz.queue(1), VizFormatError);
  assert.throws(() => viz.round(2), RangeError);
  assert.throws(() => viz.allocation(-1), RangeError);
  assert.throws(() => viz.job(0.5), RangeError);
});
