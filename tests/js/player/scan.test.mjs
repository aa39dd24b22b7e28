// Columns of a whole run and series of them.
import assert from "node:assert/strict";
import test from "node:test";

import { RunReader } from "../../../assets/player/source/run_reader.mjs";
import { scanRun, summarizeSeries } from "../../../assets/player/source/scan.mjs";
import { MemorySource, makeViz } from "./make_viz.mjs";

const job = (id) => [id, 0, 1, 0, 0, 0];

async function scanOf(file, options) {
  return scanRun(await RunReader.open(new MemorySource(makeViz(file).bytes)), options);
}

test("a scan gives the counts of every record, types in block order", async () => {
  const rounds = [
    { used: [2, 1], ids: [9, 0, 9, 9], queue: [1, 2], running: 1, number: 3, simTimeS: 360, completed: 0 },
    { used: [1, 0], ids: [0, 0, 9, 0], queue: [], running: 4, number: 7, simTimeS: 720, completed: 70_000 },
  ];
  const { round, simTimeS, jobsRunning, jobsQueued, jobsCompleted, gpusUsed } = await scanOf({ types: [["v100", 2], ["k80", 2]], rounds });

  assert.deepEqual([[...round], [...simTimeS], [...jobsRunning]], [[3, 7], [360, 720], [1, 4]]);
  assert.deepEqual([[...jobsQueued], [...jobsCompleted], [...gpusUsed]], [[2, 0], [0, 70_000], [1, 2, 0, 1]]);
});

test("a job's first start is the first record that shows it, in a quarter or on a GPU", async () => {
  const sharing = [[0, [5, 8, 0, 0]]];
  const rounds = [
    { used: [0], ids: [0, 0, 0], sharing: [] },
    { used: [2], ids: [5, 0, 7], sharing },
    { used: [2], ids: [5, 7, 9], sharing },
    { used: [2], ids: [6, 8, 5], sharing: [] },
  ];
  const { firstStart } = await scanOf({ types: [["k80", 3]], rounds, jobs: [5, 6, 7, 8, 10, 9, 5].map(job) });

  assert.deepEqual([...firstStart], [1, 3, 1, 1, -1, 2, -1]);
});

test("ids lose their offset, and job 0 of a file without one is never seen", async () => {
  const rounds = [{ used: [1], ids: [0, 1] }, { used: [2], ids: [4294967295, 1] }];
  const file = { types: [["k80", 2]], rounds, jobs: [4294967295, 1].map(job) };

  assert.deepEqual([...(await scanOf({ ...file, config: { job_id_offset: 1 } })).firstStart], [1, 0]);
  assert.deepEqual([...(await scanOf({ ...file, jobs: [0, 1].map(job) })).firstStart], [-1, 0]);
});

test("a scan goes over all chunks, says how far it is, and leaves the cache alone", async () => {
  const rounds = Array.from({ length: 9 }, (_, i) => ({ used: [1], ids: new Uint32Array(40_000).fill(i >> 1, 7, 9) }));
  const reader = await RunReader.open(new MemorySource(makeViz({ types: [["k80", 40_000]], rounds, jobs: [1, 2, 3, 4, 5].map(job) }).bytes));
  const fractions = [];
  const { firstStart } = await scanRun(reader, { onProgress: (fraction) => fractions.push(fraction) });

  assert.deepEqual(fractions, [0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual([[...firstStart], reader.stats().chunks], [[2, 4, 6, 8, -1], 0]);
});

test("a scan can be aborted, and a failing one rejects", async () => {
  const rounds = Array.from({ length: 9 }, () => ({ used: [1], ids: new Uint32Array(40_000) }));
  const source = new MemorySource(makeViz({ types: [["k80", 40_000]], rounds }).bytes);
  const reader = await RunReader.open(source);
  const abort = new AbortController();
  source.held = true;
  const scanning = scanRun(reader, { signal: abort.signal });
  abort.abort();
  await assert.rejects(scanning, { name: "AbortError" });
  source.release();
  source.broken = true;
  await assert.rejects(scanRun(reader), /the line is down/);
});

test("a scan that stops leaves no failure of the chunk it had asked for behind", async () => {
  const rounds = Array.from({ length: 9 }, () => ({ used: [1], ids: new Uint32Array(40_000) }));
  const source = new MemorySource(makeViz({ types: [["k80", 40_000]], rounds }).bytes);
  const reader = await RunReader.open(source);
  const before = source.requests;
  const { read } = source;
  source.read = (...span) => (source.requests > before ? Promise.reject(new Error("the line is down")) : read.apply(source, span));
  const onProgress = () => {
    throw new Error("stopped");
  };

  await assert.rejects(scanRun(reader, { onProgress }), /stopped/);
  await new Promise((resolve) => setImmediate(resolve)); // where an unhandled rejection would show
});

test("a run without records gives empty columns", async () => {
  const columns = await scanOf({ types: [["k80", 2]], rounds: [] });

  assert.equal(columns.round.length, 0);
  assert.deepEqual(summarizeSeries(columns, 2, 0, 0, 10).n, 0);
});

const COLUMNS = {
  round: Uint32Array.of(0, 1, 2, 3, 4),
  simTimeS: Float32Array.of(0, 0, 3600, 7200, 10_800),
  jobsRunning: Uint16Array.of(0, 65_535, 2, 3, 1),
  jobsQueued: Uint16Array.of(0, 65_535, 0, 1, 1),
  jobsCompleted: Uint32Array.of(0, 1, 1, 2, 5),
  gpusUsed: Uint16Array.of(0, 0, 1, 2, 3, 0, 0, 4, 1, 1),
};
const asArrays = (series) => Object.fromEntries(Object.entries(series).map(([name, value]) => [name, value.length === undefined ? value : [...value]]));

test("a series has the least, greatest and mean of each stretch", () => {
  assert.deepEqual(asArrays(summarizeSeries(COLUMNS, 8, 1, 5, 2)), {
    n: 2,
    startIndex: [1, 3],
    timeH: [0, 2],
    occupancyMin: [3 / 8, 2 / 8],
    occupancyMax: [3 / 8, 4 / 8],
    occupancyMean: [3 / 8, 3 / 8],
    jobsMin: [2, 2],
    jobsMax: [131_070, 4],
    jobsMean: [65_536, 3],
    completed: [1, 5],
    usedCumulative: [0, 4, 0, 2],
  });
});

test("stretches are as equal as whole records allow, and never more than records", () => {
  assert.deepEqual([...summarizeSeries(COLUMNS, 8, 0, 5, 3).startIndex], [0, 1, 3]);
  assert.deepEqual([...summarizeSeries(COLUMNS, 8, 2, 5, 100).startIndex], [2, 3, 4]);
  assert.deepEqual([...summarizeSeries(COLUMNS, 8, 2, 5, 100).completed], [1, 2, 5]);
  assert.deepEqual([...summarizeSeries(COLUMNS, 8, 0, 5, 1).usedCumulative], [0, 0]);
  assert.throws(() => summarizeSeries(COLUMNS, 8, 2, 6, 1), RangeError);
});
