// Values of the tiles, their words, and differences to run A.
import assert from "node:assert/strict";
import test from "node:test";

import { TILES, tileValues, typeValues, writeDifference, writeTile } from "../../../assets/player/panels/tiles.mjs";
import { makeRun } from "./make_run.mjs";

const JOBS = [[0, 0, 1, 0, 5, 3600], [1, 0, 4, 0, 8, 7200], [2, 0, 1, 0, 9, 0], [3, 0, 1, 2, 0, 0]];
const TYPES = [["k80", 4], ["v100", 2], ["none", 0]];

const BLOCKS = {
  isKnown: true, knowsNodes: true, gpus: 6, free: 2, fragmented: 0.5,
  types: [{ size: 2, largestBlock: 1 }, { size: 2, largestBlock: 0 }],
};

function makeTiledRun(options = {}) {
  const rounds = Array.from({ length: 21 }, (_, i) => [i, undefined, [3, 1, 0]]);
  return makeRun({ rounds, jobs: JOBS, types: TYPES, window: { startJob: 1, endJob: 4 }, ...options });
}

function makePainted(more = {}, head = {}) {
  return {
    index: 10, visible: 4, hasAllocation: true, blocks: BLOCKS,
    head: { round: 10, jobsRunning: 2, jobsQueued: 1500, jobsCompleted: 3, completionRateJph: 0, effectiveUtilization: 0.875, gpusUsed: [3, 1, 0], ...head },
    ...more,
  };
}

/** What stands in a tile: value and detail. */
function wordsOf(run, painted) {
  const values = tileValues(run, painted);
  return Object.fromEntries(TILES.map((tile) => [tile.key, [writeTile(tile, values[tile.key]), values[tile.key].detail]]));
}

test("a round in numbers and words", () => {
  assert.deepEqual(wordsOf(makeTiledRun(), makePainted()), {
    occupancy: ["66.7%", "4 of 6 GPUs"],
    free_gpus: ["2", "largest free block 1"],
    jobs_running: ["2", "jobs on GPUs"],
    jobs_queued: ["1,500", "1,502 in the system"],
    jobs_completed: ["3", "jobs since the start"],
    throughput_jph: ["3.33 jph", "over 1 h"], // three in the nine rounds of 360 s before it
    mean_jct_h: ["1.5 h", "2 jobs"], // nobody knows how long job 2 took
    window_jct_h: ["≥ 2.0 h", "1 of 3 jobs"], // the two that are missing took longer
    effective_utilization: ["87.5%", "since the start"],
    fragmentation_rate: ["25.0%", "8.3% of all GPUs"],
  });
});

test("every tile has a value of every round, null or a number", () => {
  const runs = [makeTiledRun(), makeTiledRun({ jobs: [], window: null }), makeRun({ rounds: [[0]], types: [] })];
  for (const run of runs) {
    for (const painted of [makePainted(), makePainted({ blocks: { ...BLOCKS, isKnown: false, fragmented: null }, hasAllocation: false }), makePainted({ index: 0 }, { round: 0, gpusUsed: [] })]) {
      const values = tileValues(run, { ...painted, index: Math.min(painted.index, run.nRounds - 1) });
      assert.deepEqual(Object.keys(values).sort(), TILES.map(({ key }) => key).sort());
      for (const { key } of TILES) assert.ok(values[key].value === null || Number.isFinite(values[key].value), key);
    }
  }
});

test("what is not known is said, and why", () => {
  const words = (run, painted = makePainted()) => wordsOf(run, painted);
  const none = words(makeTiledRun({ jobs: [], window: null }));
  assert.deepEqual([none.throughput_jph, none.mean_jct_h, none.window_jct_h], [["–", "no completions known"], ["–", "no jobs in the file"], ["–", "no window known"]]);
  const first = words(makeTiledRun(), makePainted({ index: 0 }, { round: 0, jobsCompleted: 0 }));
  assert.deepEqual([first.throughput_jph, first.mean_jct_h, first.window_jct_h], [["–", "no time has passed"], ["–", "none completed yet"], ["–", "0 of 3 jobs"]]);
  // The first generation of files does not say who completed when.
  assert.deepEqual(words(makeTiledRun({ jobs: [[0], [1]] })).mean_jct_h, ["–", "no JCTs in the file"]);
  assert.deepEqual(words(Object.assign(makeTiledRun(), { clock: null })).throughput_jph, ["–", "its times are still loading"]);
  assert.deepEqual(words(makeTiledRun(), makePainted({}, { completionRateJph: 2.5 })).throughput_jph, ["3.33 jph", "simulator: 2.50 jph"]);
});

test("free blocks and fragmentation say where they cannot be known, or follow the cells alone", () => {
  const words = (blocks, more = {}) => {
    const { free_gpus: [, largest], fragmentation_rate: fragmentation } = wordsOf(makeTiledRun(), makePainted({ blocks: { ...BLOCKS, ...blocks }, ...more }));
    return [largest, ...fragmentation];
  };
  const none = { gpus: 0, free: 0, fragmented: null };
  assert.deepEqual(words({ ...none, knowsNodes: false }), ["node size not known", "–", "node size not known"]);
  assert.deepEqual(words(none), ["one GPU per node", "–", "one GPU per node"]);
  assert.deepEqual(words({ isKnown: false, fragmented: null }, { hasAllocation: false }), ["no allocation data", "–", "no allocation data"]);
  assert.deepEqual(words({ isKnown: false, fragmented: null }), ["a running job is not shown", "–", "a running job is not shown"]);
  assert.deepEqual(words({ fragmented: null }).slice(1), ["–", "no job sizes known"]);
  assert.deepEqual(words({ free: 0, fragmented: 0 }).slice(1), ["–", "no GPU is free"]);
  assert.deepEqual(words({}, { visible: 3 }).slice(1), ["25.0%", "of GPUs that name a job"]);
  const mixed = { gpus: 4, types: [{ size: 2, largestBlock: 1 }, { size: null, largestBlock: null }] };
  assert.deepEqual(words(mixed), ["largest free block 1", "25.0%", "12.5% of GPUs on known nodes"]);
});

test("more GPUs in use than there are leave none free", () => {
  const { occupancy, free_gpus } = tileValues(makeTiledRun(), makePainted({}, { gpusUsed: [4, 4, 0] }));
  assert.deepEqual([occupancy.value, free_gpus.value], [8 / 6, 0]);
});

test("shares per type, now and on average; ≈ where it is between two known records", () => {
  const run = makeTiledRun();
  assert.deepEqual(typeValues(run, makePainted()).map(({ name, now, mean }) => [name, now, mean]), [
    ["K80", "75.0%", "75.0%"], ["V100", "50.0%", "50.0%"], ["NONE", "–", "–"],
  ]);
  const long = makeTiledRun({ rounds: Array.from({ length: 3000 }, (_, i) => [i, 360 * i, [3, 1, 0]]) });
  assert.deepEqual([3, 4].map((index) => typeValues(long, makePainted({ index }))[0].mean), ["75.0%", "≈ 75.0%"]);
  assert.equal(typeValues(run, makePainted({ index: 0 }))[0].mean, "–");
});

test("differences to run A have a sign and A's unit", () => {
  const written = (key, value, base) => writeDifference(TILES.find((tile) => tile.key === key), { value }, { value: base });
  assert.deepEqual([written("occupancy", 0.5, 0.625), written("jobs_queued", 1500, 3), written("mean_jct_h", 2.5, 2.5)], ["−12.5 pp", "+1,497", "±0.0 h"]);
  assert.deepEqual([written("throughput_jph", 2, 2.25), written("throughput_jph", null, 1), written("throughput_jph", 0, null)], ["−0.25 jph", "–", "–"]);
});

test("means over different windows are not compared", () => {
  const windowTile = TILES.find(({ key }) => key === "window_jct_h");
  const [a, same, other] = [[1, 4], [1, 4], [0, 4]].map(
    ([startJob, endJob]) => tileValues(makeTiledRun({ window: { startJob, endJob } }), makePainted()).window_jct_h,
  );
  const none = tileValues(makeTiledRun({ window: null }), makePainted()).window_jct_h;
  assert.deepEqual([same, other, none].map((tile) => writeDifference(windowTile, tile, a)), ["±0.0 h", "other window", "other window"]);
});
