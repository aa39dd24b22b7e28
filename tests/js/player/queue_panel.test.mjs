// Rows of the queue, their order and their sizes.
import assert from "node:assert/strict";
import test from "node:test";

import { NOT_KNOWN, jobHref, pendingWords, queueRows, queueSizes, sortRows, splitCell } from "../../../assets/player/panels/queue_panel.mjs";
import { makeRun } from "./make_run.mjs";

const JOBS = [[0, 0, 2, 1], [70_000, 0, 0, 3], [7, 5, 1, 11]];
const RUN = makeRun({ rounds: Array.from({ length: 12 }, (_, i) => [i]), jobs: JOBS, jobTypes: [[0, { name: "LM", category: "" }]] });
const FACTS = { isKnown: true, gpus: 0, types: [{ free: 1, size: null, largestBlock: null }] };

test("rows keep the stored order; what is not known is null", () => {
  assert.deepEqual(queueRows(Float64Array.of(70_000, 0, 99), RUN, 11, FACTS), [
    { key: "70000", href: null, job_id: 70_000, job_type: "LM", scale_factor: null, time_in_system_h: (3600 - 720) / 3600, why: NOT_KNOWN },
    { key: "0", href: null, job_id: 0, job_type: "LM", scale_factor: 2, time_in_system_h: 1, why: "no GPUs" },
    { key: "99", href: null, job_id: 99, job_type: null, scale_factor: null, time_in_system_h: null, why: NOT_KNOWN },
  ]);
  const loading = Object.assign(makeRun({ rounds: [[0], [1]], jobs: [[0]] }), { clock: null });
  assert.equal(queueRows([0], loading, 1, FACTS)[0].time_in_system_h, null);
});

test("jobs of the sweep have pages, those of a local file have none", () => {
  assert.equal(jobHref({ base: null, name: "a" }, 3, 5), null);
  const query = new URLSearchParams(jobHref({ base: "/api/runs/x", name: "a&b c" }, 3, 5).slice("/job?".length));
  assert.deepEqual([...query], [["run", "a&b c"], ["job", "3"], ["round", "5"]]);
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

test("reasons are sorted from nothing in the way to everything, the unknown last", () => {
  const rows = ["no GPUs", NOT_KNOWN, "could start", "scattered"].map((why) => ({ why }));
  const sorted = (sort) => sortRows(rows, [{ colId: "why", sort }]).map(({ why }) => why);
  assert.deepEqual(sorted("asc"), ["could start", "scattered", "no GPUs", NOT_KNOWN]);
  assert.deepEqual(sorted("desc"), ["no GPUs", "scattered", "could start", NOT_KNOWN]);
});

test("who waits, by the GPUs they ask for and by reason", () => {
  const rows = [[8, "scattered"], [1, "could start"], [null, NOT_KNOWN], [1, "could start"], [8, "no GPUs"], [8, NOT_KNOWN]];
  const sizes = queueSizes(rows.map(([scale_factor, why]) => ({ scale_factor, why })));
  assert.deepEqual(sizes, [
    { scaleFactor: 1, queued: 2, counts: [2, 0, 0], notKnown: 0 },
    { scaleFactor: 8, queued: 3, counts: [0, 1, 1], notKnown: 1 },
    { scaleFactor: null, queued: 1, counts: [0, 0, 0], notKnown: 1 },
  ]);
  assert.equal(pendingWords(sizes), "6 wait for at least 26 GPUs");
  assert.equal(pendingWords(sizes.slice(0, 1)), "2 wait for 2 GPUs");
  assert.equal(pendingWords([{ scaleFactor: 1, queued: 1 }]), "1 waits for 1 GPU");
  assert.deepEqual(queueSizes([]), []);
});

test("the split says nothing where nothing is known", () => {
  const cells = (size, facts) => [0, 1, 2].map((k) => splitCell(size, k, facts));
  const size = { scaleFactor: 4, queued: 5, counts: [2, 0, 3], notKnown: 0 };
  assert.deepEqual(cells(size, { gpus: 8 }), ["2", "0", "3"]);
  assert.deepEqual(cells(size, { gpus: 0 }), ["2", "–", "3"]);
  assert.deepEqual(cells({ ...size, scaleFactor: null }, { gpus: 8 }), ["–", "–", "–"]);
  assert.deepEqual(cells({ ...size, counts: [0, 0, 0], notKnown: 5 }, { gpus: 8 }), ["–", "–", "–"]);
});
