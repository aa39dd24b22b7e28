// Rows of the queue, their order and their sizes.
import assert from "node:assert/strict";
import test from "node:test";

import { queueRows, queueSizes, sortRows } from "../../../assets/player/panels/queue_panel.mjs";
import { makeRun } from "./make_run.mjs";

const JOBS = [[0, 0, 2, 1], [70_000, 0, 0, 3], [7, 5, 1, 11]];
const RUN = makeRun({ rounds: Array.from({ length: 12 }, (_, i) => [i]), jobs: JOBS, jobTypes: [[0, { name: "LM", category: "" }]] });

test("rows keep the stored order; what is not known is null", () => {
  assert.deepEqual(queueRows(Float64Array.of(70_000, 0, 99), RUN, 11), [
    { key: "70000", job_id: 70_000, job_type: "LM", scale_factor: null, time_in_system_h: (3600 - 720) / 3600 },
    { key: "0", job_id: 0, job_type: "LM", scale_factor: 2, time_in_system_h: 1 },
    { key: "99", job_id: 99, job_type: null, scale_factor: null, time_in_system_h: null },
  ]);
  const loading = Object.assign(makeRun({ rounds: [[0], [1]], jobs: [[0]] }), { clock: null });
  assert.equal(queueRows([0], loading, 1)[0].time_in_system_h, null);
});

test("rows are sorted by several columns, both ways, the unknown last", () => {
  const rows = [[1, 4, "b"], [2, null, "a"], [3, 1, "b"], [4, 4, "a"]].map(([job_id, scale_factor, job_type]) => ({ job_id, scale_factor, job_type }));
  const ids = (...model) => sortRows(rows, model.map(([colId, sort]) => ({ colId, sort }))).map(({ job_id }) => job_id);
  assert.deepEqual(ids(), [1, 2, 3, 4]);
  assert.deepEqual(ids(["scale_factor", "asc"]), [3, 1, 4, 2]);
  assert.deepEqual(ids(["scale_factor", "desc"]), [1, 4, 3, 2]);
  assert.deepEqual(ids(["job_type", "desc"], ["job_id", "desc"]), [3, 1, 4, 2]);
  assert.deepEqual(rows.map(({ job_id }) => job_id), [1, 2, 3, 4]); // not sorted in place
});

test("who waits, by the GPUs they ask for", () => {
  const rows = [8, 1, null, 1, 8, 8].map((scale_factor) => ({ scale_factor }));
  assert.deepEqual(queueSizes(rows), [["× 1 GPU", 2], ["× 8 GPUs", 3], ["of unknown size", 1]]);
  assert.deepEqual(queueSizes([]), []);
});
