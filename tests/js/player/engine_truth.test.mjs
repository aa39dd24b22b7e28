// What the engine paints and says of a round, from the bytes of a file.
import assert from "node:assert/strict";
import test from "node:test";

import { EngineBench, makeLarge } from "./engine_bench.mjs";
import { HOURS_RULE } from "./make_frame.mjs";
import { makeViz } from "./make_viz.mjs";

const JOB_RULE = { kind: "job", colors: 5 };
const TYPES = { job_types: [{ id: 0, name: "R", category: "resnet" }, { id: 1, name: "L", category: "language_model" }] };

/** A file of one type of GPUs; rounds as lists of stored ids, or as makeViz has them. */
function fileOf(rounds, { jobs = [], config = {}, types } = {}) {
  const full = rounds.map((round) => (Array.isArray(round) ? { ids: round } : round));
  const nGpus = full[0].ids.length;
  return makeViz({
    types: types ?? [["k80", nGpus]], jobs, config: { ...TYPES, ...config },
    rounds: full.map((round) => ({ used: [round.ids.filter((id) => id > 0).length], ...round })),
  }).bytes;
}

test("colours follow the job table, ids above 65,535 and an offset of 1", async () => {
  const jobs = [[1, 0, 1, 0, 0, 0], [70_001, 1, 1, 0, 0, 0], [4294967295, 0, 1, 0, 0, 0]];
  const bench = await EngineBench.opened({ a: fileOf([[1, 70_001, 4294967295, 9, 0]], { jobs, config: { job_id_offset: 1 } }) });
  await bench.show({ a: 0 });
  assert.equal(bench.codes("a", 5), "1 3 1 5 0");
  await bench.show({ a: 0 }, { view: { selectedJob: 70_000 } });
  assert.equal(bench.codes("a", 5), "(1) 3 (1) (5) (0)");
  await bench.show({ a: 0 }, { view: { hidden: [3, 0] } });
  assert.equal(bench.codes("a", 5), "1 (3) 1 5 (0)");
  const { codes, ids, head } = bench.painted();
  assert.deepEqual([...codes[0].slice(0, 5)], [1, 3, 1, 5, 0]); // Plotly's copy does not know of dimming
  assert.deepEqual([[...ids], head.round, head.gpusUsed], [[1, 70_001, 4294967295, 9, 0], 0, [4]]);
});

test("job 0 of a file without offset is not lit on every idle GPU", async () => {
  const jobs = [[0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 0, 0]];
  const bench = await EngineBench.opened({ a: fileOf([[1, 0, 0]], { jobs }) });
  await bench.show({ a: 0 }, { view: { selectedJob: 0 } });
  assert.equal(bench.codes("a", 3), "(1) (0) (0)");
});

test("GPUs in use by nobody named are no idle cluster", async () => {
  const nobody = { ids: [0, 0], used: [2] };
  const rounds = [nobody, { ids: [0, 0], used: [0], running: 0 }, { ids: [5, 0], used: [2] }];
  const bench = await EngineBench.opened({ a: fileOf(rounds), b: fileOf([[5, 6]]) });
  const seen = [];
  for (const index of [0, 1, 2]) {
    await bench.show({ a: index });
    const { hasAllocation, visible, pixels } = bench.painted();
    seen.push([hasAllocation, visible, pixels.some((pixel) => pixel !== 0)]);
  }
  assert.deepEqual(seen, [[false, 0, false], [true, 0, true], [true, 1, true]]);
});

test("nodes instead of GPUs", async () => {
  const config = { gpu_types: [{ name: "k80", count: 4, gpus_per_node: 2 }] };
  const bench = await EngineBench.opened({ a: fileOf([[5, 5, 0, 6]], { config, jobs: [[5, 0, 2, 0, 0, 0], [6, 0, 1, 0, 0, 0]] }) });
  await bench.show({ a: 0 }, { view: { nodes: true, selectedJob: 6, hidden: [5] } });
  assert.deepEqual([bench.codes("a", 4), bench.painted().look], ["(5) (5) 2 2", "share"]);
  const { isKnown, gpus, free, fragmented, types: [{ largestBlock, occupiedNodes, nodesByFree }] } = bench.painted().blocks;
  assert.deepEqual([isKnown, gpus, free, fragmented, largestBlock, occupiedNodes, nodesByFree], [true, 4, 1, 0.5, 1, 2, [[0, 1], [1, 1]]]);
});

test("differences to run A go by the jobs' own ids, whatever the offsets", async () => {
  const a = fileOf([[0, 5, 5, 7, 0]]);
  const b = fileOf([[0, 6, 5, 0, 3]], { config: { job_id_offset: 1 } });
  const bench = await EngineBench.opened({ a, b }, { rule: JOB_RULE });
  await bench.show({ a: 0, b: 0 }, { view: { difference: true, nodes: true, hidden: [1, 2] } });
  assert.deepEqual([bench.painted("a").look, bench.painted("b").look, bench.codes("b", 5)], ["share", "difference", "0 1 2 4 3"]);
  await bench.show({ b: 0, a: 0 }, { view: { difference: true } });
  assert.deepEqual([bench.painted("a").look, bench.codes("a", 5)], ["difference", "0 1 2 3 4"]);
});

test("a run that shares GPUs in the same way as A does not differ from it", async () => {
  const file = () => fileOf([{ ids: [5, 7, 0], sharing: [[0, [5, 6, 0, 0]]] }]);
  const bench = await EngineBench.opened({ a: file(), b: file() });
  await bench.show({ a: 0, b: 0 }, { view: { difference: true } });
  assert.equal(bench.codes("b", 12), "1 1 0 0 1 1 1 1 0 0 0 0");
});

test("nothing is compared with anyone but A, nor with an A that is not shown or does not name its jobs", async () => {
  const files = { a: fileOf([[5, 6], { ids: [0, 0], used: [2] }]), b: fileOf([[5, 0]]), c: fileOf([[6, 0]]), wide: fileOf([[5, 6, 7]]) };
  const bench = await EngineBench.opened(files, { rule: JOB_RULE });
  const looks = async (indexes) => {
    await bench.show(indexes, { view: { difference: true } });
    return bench.ofType("shown").at(-1).painted.map(({ key, look }) => `${key} ${look}`).join(", ");
  };
  assert.equal(await looks({ a: 0, b: 0, wide: 0 }), "a jobs, b difference, wide jobs");
  assert.equal(await looks({ a: 1, b: 0 }), "a jobs, b jobs");
  bench.engine.handle({ type: "close", key: "a" });
  assert.equal(await looks({ a: 0, b: 0, c: 0 }), "b jobs, c jobs");
});

test("who starts and who moves is known from the round before, loaded where it is not here", async () => {
  const bench = await EngineBench.opened({ a: makeLarge() });
  await bench.show({ a: 4 }, { view: { flash: true }, playing: true });
  assert.deepEqual(bench.painted().changes, { started: [0], migrated: [] });
  await bench.show({ a: 0 }, { view: { flash: true } });
  assert.equal(bench.painted().changes, null);
  await bench.show({ a: 4 });
  assert.equal(bench.painted().changes, null);
});

const ON_GPU = { kind: "on_gpu", ...HOURS_RULE };
const timesOf = (key, simTimeS) => ({ type: "times", key, waitedH: null, completionS: null, simTimeS });

test("time on the GPU looks back over chunks at rest, and says where it could not while playing", async () => {
  const bench = await EngineBench.opened({ a: makeLarge() }, { rule: ON_GPU });
  const since = () => {
    const { records, isBound } = bench.painted().since;
    return [0, 1].map((gpu) => [records[gpu], isBound[gpu]]);
  };
  await bench.show({ a: 7 }, { view: { needsSince: true }, playing: true });
  assert.equal(bench.ofType("shown").length, 1);
  assert.deepEqual(since(), [[7, 0], [6, 1]]);

  await bench.show({ a: 7 }, { view: { needsSince: true } });
  const [, first, second] = bench.ofType("shown");
  assert.equal(first.sequence, second.sequence);
  assert.deepEqual(since(), [[7, 0], [0, 0]]);
  assert.equal(bench.engine.stats().chunks, 4);
});

test("the search back stops for a request that waits, and is not needed for other colours", async () => {
  const bench = await EngineBench.opened({ a: makeLarge() }, { rule: ON_GPU });
  await bench.show({ a: 8 });
  assert.deepEqual([bench.ofType("shown").length, bench.painted().since, bench.engine.stats().chunks], [1, null, 1]);
  const done = bench.show({ a: 8 }, { view: { needsSince: true } });
  bench.show({ a: 6 }, { view: { needsSince: true }, playing: true });
  await done;
  assert.deepEqual(bench.ofType("shown").map(({ painted }) => painted[0].index), [8, 8, 6]);
  assert.ok(bench.engine.stats().chunks < 5);
});

test("hours on a GPU are classed by the clock, unknown before it comes and for second tenants", async () => {
  const simTimeS = Float32Array.of(0, 0, 3600, 18_000);
  const shared = [5, 5, 5, 5].map((id, i) => ({ ids: [id, i + 1, 0], simTimeS: simTimeS[i], sharing: [[0, [5, 6, 0, 5]]] }));
  const bench = await EngineBench.opened({ a: fileOf(shared) }, { rule: ON_GPU });
  await bench.show({ a: 3 }, { view: { needsSince: true } });
  assert.equal(bench.codes("a", 12), "5 5 0 5 5 5 5 5 0 0 0 0");
  bench.engine.handle(timesOf("a", simTimeS));
  await bench.show({ a: 3 }, { view: { needsSince: true } });
  assert.equal(bench.codes("a", 12), "3 5 0 3 1 1 1 1 0 0 0 0");
});

test("waits and remaining hours follow the times once they have come", async () => {
  const file = () => fileOf([{ ids: [1, 2, 0], simTimeS: 3600 }], { jobs: [[1, 0, 1, 0, 0, 0], [2, 0, 1, 0, 0, 0]] });
  const rule = (kind) => ({ kind, ...HOURS_RULE });
  const bench = await EngineBench.opened({ a: file() }, { rule: rule("waited") });
  await bench.show({ a: 0 });
  assert.equal(bench.codes("a", 3), "5 5 0");
  const times = { type: "times", key: "a", waitedH: Float32Array.of(6, NaN), completionS: Float64Array.of(NaN, 3600 * 7), simTimeS: Float32Array.of(3600) };
  bench.engine.handle(times);
  await bench.show({ a: 0 });
  assert.equal(bench.codes("a", 3), "3 5 0");
  bench.frame("a", { rule: rule("remaining") });
  await bench.show({ a: 0 });
  assert.equal(bench.codes("a", 3), "5 3 0");
});
