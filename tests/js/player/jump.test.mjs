// "Go to": what a text asks for, and where that is.
import assert from "node:assert/strict";
import test from "node:test";

import { findJump, parseJump } from "../../../assets/player/controller/jump.mjs";
import { makeRun } from "./make_run.mjs";

test("texts people type", () => {
  assert.deepEqual(parseJump(" 1,200 "), { kind: "round", round: 1200 });
  assert.deepEqual(parseJump("Round 7"), { kind: "round", round: 7 });
  assert.deepEqual(["250h", "250 h", "8.25 Hours", "1 hour"].map((text) => parseJump(text).hour), [250, 250, 8.25, 1]);
  assert.deepEqual(parseJump("job 38"), { kind: "job", jobId: 38, event: "arrival" });
  assert.deepEqual(["job38 start", "JOB 38 end", "job 38 completion"].map((text) => parseJump(text).event), ["start", "end", "end"]);
  for (const text of ["", "-3", "1.5", "job", "job x", "38 job", "h", "1e3", "job 1 middle", "8 h 3"]) {
    assert.match(parseJump(text).problem, /^".*" is no place to go to\./, text);
  }
});

const ROUNDS = Array.from({ length: 100 }, (_, i) => [i]); // round 1 on: 360 s each, rounds 0 and 1 share time 0
const JOBS = [[0, 0, 1, 0, 20, 7200], [38, 0, 1, 10, 30, 7200], [39, 0, 1, 99, 0, 0], [40, 0, 1, 4, 0, 0]];
const RUN = makeRun({ rounds: ROUNDS, jobs: JOBS, firstStart: [1, 12, -1, -1] });
const go = (text, run = RUN) => findJump(parseJump(text), run);

test("rounds: the record that shows it, the next one where rounds are sampled", () => {
  assert.deepEqual([go("0"), go("99")], [{ index: 0 }, { index: 99 }]);
  assert.deepEqual(go("100"), { problem: "The last round is 99." });
  const sampled = makeRun({ rounds: [[0], [10], [2000]] });
  assert.deepEqual([go("10", sampled), go("11", sampled), go("2001", sampled)], [{ index: 1 }, { index: 2 }, { problem: "The last round is 2,000." }]);
});

test("hours: every hour on screen leads to the record that shows it", () => {
  for (let i = 1; i < 100; i += 1) {
    assert.deepEqual(go(`${((i - 1) / 10).toFixed(1)} h`), { index: i });
  }
  assert.deepEqual([go("8.25 h"), go("9.9 h")], [{ index: 83 }, { problem: "The run ends at 9.8 h." }]);
});

test("jobs: the first record that shows it, its first start, the last in which it runs", () => {
  assert.deepEqual(["", " start", " end"].map((event) => go(`job 38${event}`)), [11, 12, 30].map((index) => ({ index, jobId: 38 })));
  assert.deepEqual(go("job 0"), { index: 0, jobId: 0 }); // there from the first record on
  assert.deepEqual(go("job 39"), { index: 99, jobId: 39 });
  assert.deepEqual(go("job 40 start"), { problem: "Job 40 never ran in this run." });
  assert.deepEqual(go("job 40 end"), { problem: "Job 40 never completed in this run." });
  assert.deepEqual(go("job 41"), { problem: "This run has no record of job 41." });
  assert.deepEqual(go("job 99999999999999"), { problem: "This run has no record of job 99999999999999." });
});

test("before the run's times have come only records can be found", () => {
  const run = Object.assign(makeRun({ rounds: ROUNDS, jobs: JOBS }), { clock: null, firstStart: null });
  assert.deepEqual([go("7", run), go("100", run)], [{ index: 7 }, { problem: "The last round is 99." }]);
  for (const text of ["3 h", "job 38", "job 38 start", "job 38 end"]) assert.match(go(text, run).problem, /still loading/);
});

test("what cannot be read is the problem itself", () => {
  assert.match(go("nowhere").problem, /^"nowhere" is no place/);
});
