// What is on screen as JSON and CSV.
import assert from "node:assert/strict";
import test from "node:test";

import { stateAsCsv, stateAsJson } from "../../../assets/player/export/state_export.mjs";

/** Two types of two GPUs; GPU 3 is shared by jobs 4 and 0, with an idle quarter. */
function makeSlot(changes) {
  return {
    badge: "A",
    run: "fig10_0.4jph_s0",
    index: 7,
    roundNumber: 9,
    simTimeS: 2520,
    gpuTypes: [
      { name: "k80", firstGpu: 0, count: 2, gpusPerNode: 1 },
      { name: "v100", firstGpu: 2, count: 2, gpusPerNode: null },
    ],
    allocation: [0, null, 70_000, 4],
    sharing: { 3: [4, 4, 0, null] },
    hasAllocation: true,
    queue: [11, 12],
    jobs: new Map([
      [0, { jobType: "ResNet-18 (batch size 16)", category: "ResNet", scaleFactor: 1, arrivalRound: 0 }],
      [4, { jobType: "LM", category: "language model", scaleFactor: 2, arrivalRound: 1 }],
    ]),
    tiles: { "jobs-running": 3, "mean-jct-h": 16.25, "completion-rate-jph": null },
    ...changes,
  };
}

const HEADER =
  "run,round_index,round,sim_time_h,gpu,gpu_type,gpu_of_type,node,job_id,quarter,job_type,category,scale_factor\n";

const dataRows = (slots) => {
  const text = stateAsCsv(slots);
  assert.ok(text.startsWith(HEADER));
  return text.slice(HEADER.length);
};

test("JSON of one run has the command line's keys, and run, round_index and tiles", () => {
  assert.deepEqual(JSON.parse(stateAsJson([makeSlot()])), {
    run: "fig10_0.4jph_s0",
    round_index: 7,
    round: 9,
    sim_time_s: 2520,
    gpu_types: [
      { name: "k80", first_gpu: 0, count: 2 },
      { name: "v100", first_gpu: 2, count: 2 },
    ],
    allocation: [0, null, 70_000, 4],
    queue: [11, 12],
    has_allocation: true,
    sharing: { 3: [4, 4, 0, null] },
    tiles: { "jobs-running": 3, "mean-jct-h": 16.25, "completion-rate-jph": null },
  });
});

test("JSON names sharing only where there is some, and a queue that is not loaded is null, not empty", () => {
  const document = JSON.parse(stateAsJson([makeSlot({ sharing: {}, queue: null })]));

  assert.ok(!("sharing" in document));
  assert.equal(document.queue, null);
  assert.deepEqual(JSON.parse(stateAsJson([makeSlot({ queue: [] })])).queue, []);
});

test("JSON of several runs is a list in their order", () => {
  const other = makeSlot({ badge: "B", run: "other", hasAllocation: false });

  const { runs, ...rest } = JSON.parse(stateAsJson([makeSlot(), other]));

  assert.deepEqual(rest, {});
  assert.deepEqual(runs[0], JSON.parse(stateAsJson([makeSlot()])));
  assert.deepEqual(runs.map((run) => [run.run, run.has_allocation]), [["fig10_0.4jph_s0", true], ["other", false]]);
});

test("CSV has a row per GPU, four for a shared one, and a node where its size is known", () => {
  assert.equal(
    dataRows([makeSlot()]),
    [
      "fig10_0.4jph_s0,7,9,0.7,0,k80,0,0,0,,ResNet-18 (batch size 16),ResNet,1",
      "fig10_0.4jph_s0,7,9,0.7,1,k80,1,1,,,,,",
      "fig10_0.4jph_s0,7,9,0.7,2,v100,0,,70000,,,,",
      "fig10_0.4jph_s0,7,9,0.7,3,v100,1,,4,0,LM,language model,2",
      "fig10_0.4jph_s0,7,9,0.7,3,v100,1,,4,1,LM,language model,2",
      "fig10_0.4jph_s0,7,9,0.7,3,v100,1,,0,2,ResNet-18 (batch size 16),ResNet,1",
      "fig10_0.4jph_s0,7,9,0.7,3,v100,1,,,3,,,",
      "",
    ].join("\n"),
  );
});

test("nodes are counted within their type", () => {
  const gpuTypes = [
    { name: "k80", firstGpu: 0, count: 3, gpusPerNode: null },
    { name: "v100", firstGpu: 3, count: 9, gpusPerNode: 4 },
  ];
  const slot = makeSlot({ gpuTypes, allocation: Array(12).fill(null), sharing: {} });

  const cells = dataRows([slot]).trimEnd().split("\n").map((row) => row.split(",").slice(4, 8).join(" "));

  assert.deepEqual(cells.slice(2, 9), [
    "2 k80 2 ",
    "3 v100 0 0",
    "4 v100 1 0",
    "5 v100 2 0",
    "6 v100 3 0",
    "7 v100 4 1",
    "8 v100 5 1",
  ]);
  assert.equal(cells[11], "11 v100 8 2");
});

test("several runs follow each other under one header", () => {
  const text = dataRows([makeSlot(), makeSlot({ run: "other", index: 8 })]);

  assert.equal(text, dataRows([makeSlot()]) + dataRows([makeSlot({ run: "other", index: 8 })]));
  assert.equal(text.split("\n").length, 15);
});

test("GPUs nobody knows the job of are not called idle", () => {
  const text = dataRows([makeSlot({ hasAllocation: false, allocation: Array(4).fill(null), sharing: {} })]);

  assert.equal(text.split("\n")[1], "fig10_0.4jph_s0,7,9,0.7,1,k80,1,1,unknown,,,,");
  assert.equal(text.match(/unknown/g).length, 4);
});

test("a time that is not a number is empty", () => {
  assert.match(dataRows([makeSlot({ simTimeS: NaN })]), /^fig10_0.4jph_s0,7,9,,0,/);
});

test("numbers are written to the last digit", () => {
  assert.match(dataRows([makeSlot({ simTimeS: 123456.703125 })]), /^fig10_0.4jph_s0,7,9,34.293528645833334,0,/);
});

const oneGpu = (run, jobType) =>
  dataRows([
    makeSlot({
      run,
      gpuTypes: [{ name: "k80", firstGpu: 0, count: 1, gpusPerNode: null }],
      allocation: [5],
      sharing: {},
      jobs: new Map([[5, { jobType, category: null, scaleFactor: -2 }]]),
    }),
  ]);

test("text is quoted where it must be", () => {
  assert.equal(oneGpu('a,"b"', "x\ny"), '"a,""b""",7,9,0.7,0,k80,0,,5,,"x\ny",,-2\n');
});

for (const [cell, expected] of [
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\tx", "'\tx"],
  ["\rx", "\"'\nx\""],
  ["a\r\nb\rc", '"a\nb\nc"'],
  ["=1,2", "\"'=1,2\""],
  ["a=1", "a=1"],
  [" =1", " =1"],
  ["", ""],
]) {
  test(`the text ${JSON.stringify(cell)} reads ${JSON.stringify(expected)}, numbers stay`, () => {
    assert.equal(oneGpu(cell, cell), `${expected},7,9,0.7,0,k80,0,,5,,${expected},,-2\n`);
  });
}
