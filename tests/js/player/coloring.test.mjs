// Which palette code a job, a node or a difference gets.
import assert from "node:assert/strict";
import test from "node:test";

import {
  DIMMED, JobIndex, classOfHours, codeOfDifference, codeOfShare, hoursCoder, pixelTable, remainingCoder, staticCoder, tableOf,
} from "../../../assets/player/worker/coloring.mjs";
import { CATEGORY_RULE, HOURS_RULE } from "./make_frame.mjs";
import { makeJobs } from "./make_run.mjs";

const SCALE_RULE = { kind: "scale_factor", steps: [[1, 1], [2, 2], [4, 3], [255, 4]], unknown: 5 };
const JOB_TYPES = new Map([
  [0, { name: "ResNet-50", category: "resnet" }],
  [1, { name: "LM", category: "Language_Model" }],
  [2, { name: "other", category: "robots" }],
]);

function makeRun(rows, jobIdOffset = 1, hours = {}) {
  const jobs = makeJobs(rows);
  return {
    jobs, jobTypes: JOB_TYPES, jobIdOffset, jobIndex: new JobIndex(jobs, jobIdOffset),
    waitedHours: (row) => hours.waited?.[row] ?? NaN, completionS: (row) => hours.completionS?.[row] ?? NaN,
  };
}

test("rows are found by stored id, in a table and by search, the first of equals", () => {
  for (const large of [70_000, 4_294_967_294]) {
    for (const offset of [0, 1]) {
      const jobs = makeJobs([[9], [0], [large], [9]]);
      const index = new JobIndex(jobs, offset);
      assert.equal(index.table === undefined, large > 2 ** 22);
      assert.deepEqual([9, 0, large, 1, large - 1].map((id) => index.rowOf(id + offset)), [0, 1, 2, -1, -1]);
      assert.equal(index.rowOf(5_000_000), -1);
    }
  }
  assert.equal(new JobIndex(makeJobs([]), 1).rowOf(1), -1);
});

test("category and scale factor of a job decide its code; idle is 0, no record is other or unknown", () => {
  const run = makeRun([[0, 0, 1], [70_000, 1, 2], [3, 2, 3], [4, 9, 0], [5, 0, 255]]);
  const stored = [0, 1, 70_001, 4, 5, 6, 999];
  assert.deepEqual(stored.map(staticCoder(CATEGORY_RULE, run)), [0, 1, 3, 5, 5, 1, 5]);
  assert.deepEqual(stored.map(staticCoder(SCALE_RULE, run)), [0, 1, 2, 3, 5, 4, 5]);
});

test("job 0 without an offset cannot be told from idle: it has no colour", () => {
  const run = makeRun([[0, 0, 1], [1, 0, 1]], 0);
  assert.deepEqual([0, 1].map(staticCoder(CATEGORY_RULE, run)), [0, 1]);
});

test("colours by job go round the palette by plain id", () => {
  const coder = staticCoder({ kind: "job", colors: 24 }, makeRun([]));
  assert.deepEqual([0, 1, 24, 25, 4_294_967_295].map(coder), [0, 1, 24, 1, 1 + (4_294_967_294 % 24)]);
});

test("hours fall into the class whose lower edge they have reached", () => {
  assert.deepEqual([0, 0.99, 1, 4.99, 5, 20, 1e9].map((hours) => classOfHours(hours, HOURS_RULE.edges_h)), [1, 1, 2, 2, 3, 4, 4]);
});

test("waited, remaining and held hours: unknown where nothing tells", () => {
  const run = makeRun([[0], [1], [2]], 1, { waited: [0.5, 6, NaN], completionS: [7200, NaN, 100] });
  assert.deepEqual([0, 1, 2, 3, 99].map(staticCoder({ kind: "waited", ...HOURS_RULE }, run)), [0, 1, 3, 5, 5]);
  // Job 0 completes in an hour, job 1 never, job 2 a moment ago: its last round is still on screen.
  assert.deepEqual([0, 1, 2, 3, 99].map(remainingCoder(HOURS_RULE, run, 3600)), [0, 2, 5, 1, 5]);
  const held = hoursCoder(HOURS_RULE, (unit, id) => (id === 7 ? [0.5, 6][unit] : NaN));
  assert.deepEqual([held(0, 0), held(7, 0), held(7, 1), held(8, 1)], [0, 1, 3, 5]);
});

test("a table says the same as its coder, and is left out for large ids", () => {
  const coder = staticCoder(CATEGORY_RULE, makeRun([[0, 0], [70_000, 1], [65_536, 2]]));
  const table = tableOf(coder, 70_001);
  assert.equal(table.length, 70_002);
  for (const id of [0, 1, 2, 65_535, 65_537, 70_000, 70_001]) assert.equal(table[id], coder(id), `stored id ${id}`);
  assert.equal(tableOf(coder, 2 ** 22), null);
});

test("busy shares of a node: none, up to each edge, above the last, all", () => {
  const rule = { edges: [0.25, 0.5, 0.75] };
  assert.deepEqual([0, 1, 2, 3, 4, 6, 7, 8].map((busy) => codeOfShare(rule, busy, 8)), [0, 1, 1, 2, 2, 3, 4, 5]);
  assert.equal(codeOfShare(rule, 1, 1), 5);
});

test("differences: idle in both, the same, another, only here, only in A", () => {
  assert.deepEqual([[-1, -1], [0, 0], [5, 5], [5, 6], [0, -1], [-1, 0]].map((pair) => codeOfDifference(...pair)), [0, 1, 1, 2, 3, 4]);
});

test("pixels are red, green, blue, opaque; dimmed ones lie near the background", () => {
  const table = pixelTable(["#0072b2", "#ffffff"], "#12151b");
  const bytes = new Uint8Array(table.buffer);
  assert.deepEqual([...bytes.subarray(0, 8)], [0, 0x72, 0xb2, 255, 255, 255, 255, 255]);
  const dimmed = [0x12, 0x15, 0x1b].map((back, k) => Math.round(back + 0.16 * ([0, 0x72, 0xb2][k] - back)));
  assert.deepEqual([...bytes.subarray(4 * DIMMED, 4 * DIMMED + 4)], [...dimmed, 255]);
});
