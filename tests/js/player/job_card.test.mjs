// Words about a job: ranges of GPUs, facts of its card, what it does in a round.
import assert from "node:assert/strict";
import test from "node:test";

import { categoryLabel, formatRanges, gpuName, jobFacts, jobLines } from "../../../assets/player/panels/job_card.mjs";
import { statusOf } from "../../../assets/player/panels/job_view.mjs";
import { makeRun } from "./make_run.mjs";

const RUN = makeRun({
  rounds: Array.from({ length: 2001 }, (_, i) => [i]),
  jobs: [[38, 0, 8, 11, 1500, 536_040], [39, 0, 1, 0, 0, 0], [40, 9, 0, 1999, 0, 0]], firstStart: [31, -1, -1],
  jobTypes: [[0, { name: "LM (batch 80)", category: "language_model" }]], window: { startJob: 38, endJob: 39 },
});

test("GPUs are written as ranges, many are cut short and counted", () => {
  assert.deepEqual([[], [5], [0, 1, 2, 7], [998, 1000, 1001]].map(formatRanges), ["", "5", "0–2, 7", "998, 1,000–1,001"]);
  assert.equal(formatRanges([0, 2, 4, 6, 8, 10]), "0, 2, 4, 6, 8, 10");
  assert.equal(formatRanges([0, 2, 4, 6, 8, 10, 12, 13]), "0, 2, 4, 6, 8, 10 and more (8 in all)");
});

test("names of categories and GPUs", () => {
  assert.deepEqual(["resnet", "CycleGAN", "a3c", "language_model", ""].map(categoryLabel), ["ResNet", "CycleGAN", "A3C", "Language model", "Other"]);
  assert.equal(gpuName({ gpu: 1041, band: { name: "p100" }, i: 5 }), "GPU 1,041 (P100 5)");
});

test("lines under the pointer say what is known, and a bound as one", () => {
  assert.deepEqual(jobLines(RUN.job(38, 1200), [3, 4, 9], { round: 1100, isBound: true }), [
    "Job 38", "LM (batch 80) · Language model", "Scale factor: 8", "On GPUs 3–4, 9", "On these since round 1,100 or earlier", "Arrived: round 11, 1.0 h",
  ]);
  assert.equal(jobLines(RUN.job(38, 1200), null, { round: 1100, isBound: false })[3], "On these since round 1,100");
  assert.deepEqual(jobLines(RUN.job(40, 0), []), ["Job 40", "type 9 · Other", "Arrived: round 1,999, 199.8 h"]);
  assert.deepEqual(jobLines(RUN.job(41, 0), null), ["Job 41", "the file has no record of this job"]);
});

test("facts of the card", () => {
  assert.deepEqual(Object.fromEntries(jobFacts(RUN.job(38, 0))), {
    Type: "LM (batch 80) · Language model", "Scale factor": "8 GPUs", Arrived: "round 11, 1.0 h", "Waited before first start": "2.0 h",
    Completed: "round 1,500, 149.9 h", JCT: "148.9 h", Measured: "yes, in the window",
  });
  const never = Object.fromEntries(jobFacts(RUN.job(40, 0)));
  assert.deepEqual(
    [never["Scale factor"], never["Waited before first start"], never.Completed, never.JCT, never.Measured],
    ["unknown", "never ran", "not in this run", "–", "no"],
  );
  assert.deepEqual(jobFacts(RUN.job(41, 0)), [["Record", "the file has none of this job"]]);
  const loading = Object.assign(makeRun({ rounds: [[0]], jobs: [[1, 0, 1]] }), { clock: null, firstStart: null });
  assert.deepEqual(jobFacts(loading.job(1, 0)).slice(1, 4), [["Scale factor", "1 GPU"], ["Arrived", "round 0"], ["Waited before first start", "…"]]);
});

test("a job is in the system after its arrival round, up to its completion round", () => {
  const at = (jobId, round, gpus = [], hasAllocation = true) => statusOf(RUN.job(jobId, 0), gpus, { head: { round }, hasAllocation }, RUN);
  assert.deepEqual([10, 11, 12, 1500, 1501].map((round) => at(38, round)), ["Not arrived yet", "Not arrived yet", "Waiting", "Waiting", "Completed"]);
  assert.deepEqual([0, 1, 2000].map((round) => at(39, round)), ["Waiting", "Waiting", "Waiting"]); // there from the first record on
  assert.equal(at(38, 12, [3]), "Running");
  assert.equal(at(38, 12, [], false), "In the system");
  assert.equal(at(41, 12), "Not seen in this round");
});
