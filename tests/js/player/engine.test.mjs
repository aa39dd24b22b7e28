// The engine as a server of requests: what is loaded, in which order, and what happens when something goes wrong.
import assert from "node:assert/strict";
import test from "node:test";

import { EngineBench, N_GPUS, makeLarge, settle } from "./engine_bench.mjs";
import { makeSmall, makeViz } from "./make_viz.mjs";

const LARGE = makeLarge();
const SMALL = makeViz({ types: [["k80", 2]], rounds: [0, 1, 2].map((i) => ({ used: [2], ids: [i + 1, 9] })) }).bytes;

test("opening says what the file holds", async () => {
  const bench = new EngineBench({ a: makeSmall().bytes });
  await bench.open("a");
  const [{ type, key, meta, jobs, nBytes }] = bench.posted;
  assert.deepEqual([type, key, nBytes, [...jobs.jobId]], ["opened", "a", bench.sources.a.size, [0, 4294967294]]);
  assert.deepEqual(
    [meta.nRounds, meta.nGpus, meta.nJobs, meta.policy, meta.jobIdOffset, meta.hasSharing, meta.gpuTypes.map(({ name }) => name)],
    [2, 3, 2, "fifo é", 1, true, ["k80"]],
  );
});

test("a file that cannot be opened is one clear message", async () => {
  const bench = new EngineBench({ cut: SMALL.slice(0, 300), empty: makeViz({ types: [["k80", 1]], rounds: [] }).bytes, down: SMALL });
  bench.sources.down.broken = true;
  for (const key of ["cut", "empty", "down"]) await bench.open(key);
  assert.deepEqual(bench.posted.map(({ type, key }) => [type, key]), [["failed", "cut"], ["failed", "empty"], ["failed", "down"]]);
  assert.match(bench.posted[0].message, /^at byte/);
  assert.match(bench.posted[1].message, /no rounds/);
  assert.match(bench.posted[2].message, /the line is down/);
  await bench.show({ cut: 0, down: 0 });
  assert.deepEqual(bench.painted(), undefined);
});

test("a run that is closed while it opens says nothing more, and can be opened again", async () => {
  const bench = new EngineBench({ a: SMALL });
  bench.sources.a.held = true;
  const opening = bench.open("a");
  await settle();
  bench.engine.handle({ type: "close", key: "a" });
  await opening;
  assert.deepEqual(bench.posted, []);
  bench.sources.a.release();
  // A file of the user's may answer all the same.
  const { read } = bench.sources.a;
  bench.sources.a.read = (start, stop) => read.call(bench.sources.a, start, stop);
  const late = bench.open("a");
  bench.engine.handle({ type: "close", key: "a" });
  await late;
  assert.deepEqual([bench.posted, bench.engine.slots.size], [[], 0]);
  await bench.open("a");
  assert.equal(bench.posted[0].type, "opened");
});

test("requests are served one at a time; of those that wait the newest counts", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  bench.sources.a.held = true;
  const done = bench.show({ a: 0 });
  bench.show({ a: 2 });
  bench.show({ a: 4 });
  bench.show({ a: 6 });
  await settle();
  assert.equal(bench.ofType("shown").length, 0);
  bench.sources.a.release();
  await done;

  assert.deepEqual(bench.ofType("shown").map(({ sequence, painted }) => [sequence, painted[0].index]), [[1, 0], [4, 6]]);
  assert.deepEqual(bench.painted().ids.slice(0, 3), Uint32Array.of(106, 7, 0));
});

test("a new generation aborts what the one before loads, and is served alone", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  bench.sources.a.held = true;
  const done = bench.show({ a: 0 }, { ahead: [1, 2], playing: true });
  bench.show({ a: 8 }, { generation: 2 });
  await settle();
  assert.equal(bench.engine.stats().aborted, 3);
  bench.sources.a.release();
  await done;

  assert.deepEqual(bench.ofType("shown").map(({ generation, painted }) => [generation, painted[0].index]), [[2, 8]]);
  assert.deepEqual(bench.ofType("problem"), []);
});

test("a jump within the chunk that loads waits for it instead of loading it anew", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  bench.sources.a.held = true;
  const { requests } = bench.sources.a;
  const done = bench.show({ a: 0 });
  bench.show({ a: 1 }, { generation: 2 });
  bench.sources.a.release();
  await done;
  assert.deepEqual([bench.painted().index, bench.sources.a.requests - requests, bench.engine.stats().aborted], [1, 1, 0]);
});

test("a failed load is told once, with its run, and can be tried again", async () => {
  const bench = await EngineBench.opened({ a: LARGE, b: LARGE });
  bench.sources.b.broken = true;
  await bench.show({ a: 0, b: 0 }, { generation: 5, view: { flash: true } });
  assert.deepEqual(bench.posted.slice(2), [{ type: "problem", generation: 5, message: "the line is down", key: "b" }]);
  bench.sources.b.broken = false;
  await bench.show({ a: 0, b: 0 }, { generation: 5 });
  assert.deepEqual(bench.ofType("shown").at(-1).painted.map(({ key, index }) => [key, index]), [["a", 0], ["b", 0]]);
});

test("two runs are painted in one message, in order, each into the frame it was given", async () => {
  const bench = await EngineBench.opened({ a: LARGE, b: SMALL });
  bench.frame("b", { serial: 7 });
  await bench.show({ b: 2, a: 3 }, { playing: true });
  assert.equal(bench.ofType("shown").length, 1);
  const { painted, playing } = bench.ofType("shown")[0];
  assert.deepEqual(painted.map(({ key, index, serial, ids }) => [key, index, serial, ids[0]]), [["b", 2, 7, 3], ["a", 3, 1, 103]]);
  assert.deepEqual([playing, painted[0].codes, painted[0].pixels.length], [true, null, 400]);
});

test("a run without a frame yet is left out; the others are painted", async () => {
  const bench = new EngineBench({ a: SMALL, b: SMALL });
  await bench.open("a");
  await bench.open("b");
  bench.frame("b");
  await bench.show({ a: 0, b: 1 });
  assert.deepEqual(bench.ofType("shown")[0].painted.map(({ key }) => key), ["b"]);
});

test("closing a run while it loads, and asking for closed ones, breaks nothing", async () => {
  const bench = await EngineBench.opened({ a: LARGE, b: SMALL });
  bench.sources.a.held = true;
  const done = bench.show({ a: 0, b: 0 });
  await settle();
  bench.engine.handle({ type: "close", key: "a" });
  await done;
  assert.deepEqual(bench.ofType("problem"), []);
  for (const type of ["close", "scan", "queue", "held", "times", "frame"]) await bench.engine.handle({ type, key: "a", index: 0, request: 1, gpus: [0], storedId: 1 });
  assert.equal(bench.posted.length, 2); // opened twice
  await bench.show({ a: 0, b: 1 });
  assert.deepEqual(bench.ofType("shown").at(-1).painted.map(({ key, index }) => [key, index]), [["b", 1]]);
  // Closed, and opened anew, between loading and painting.
  const late = bench.show({ b: 2 });
  bench.engine.handle({ type: "close", key: "b" });
  const opening = bench.open("b");
  await Promise.all([late, opening]);
  assert.deepEqual([bench.ofType("shown").at(-1).painted, bench.ofType("problem")], [[], []]);
});

test("a damaged round of one run leaves the screens of both as they are", async () => {
  const sharing = [[0, [1, 2, 0, 0]]];
  const { bytes, view, at } = makeViz({ types: [["k80", 2]], rounds: [0, 1, 2].map((i) => ({ used: [2], ids: [i + 1, 9], sharing })) });
  view.setBigUint64(at.sharingIndex + 8, 2n ** 60n, true);
  const bench = await EngineBench.opened({ a: SMALL, b: bytes }, { rule: { kind: "job", colors: 5 } });
  await bench.show({ a: 0, b: 0 });
  await bench.show({ a: 1, b: 1 });
  const [{ key, message }] = bench.ofType("problem");
  assert.equal(key, "b");
  assert.match(message, /sharing data/);
  // What changed since the round that is on screen, not since one that nobody saw.
  await bench.show({ a: 1, b: 2 });
  assert.deepEqual(bench.painted("a").rows, [0, 1]);
});

test("buffers that come back are painted again, without a trace of what was in them", async () => {
  const bench = await EngineBench.opened({ a: SMALL });
  await bench.show({ a: 0 });
  const { pixels, ids } = bench.painted();
  pixels.fill(0xffffffff);
  ids.fill(5);
  bench.engine.handle({ type: "recycle", buffers: [pixels.buffer, ids.buffer] });
  await bench.show({ a: 1 });
  assert.deepEqual([...bench.painted().ids], [2, 9]);
  assert.ok(bench.painted().pixels.subarray(2).every((pixel) => pixel === 0));
  assert.ok([...bench.engine.pool.values()].every((spare) => spare.length === 0));
});

test("scanning says how far it is and then everything", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  await bench.engine.handle({ type: "scan", key: "a" });
  assert.deepEqual(bench.ofType("scanning").map(({ fraction }) => fraction), [0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual([...bench.ofType("scanned")[0].columns.gpusUsed], Array(9).fill(2));
  bench.sources.a.broken = true;
  await bench.engine.handle({ type: "scan", key: "a" });
  assert.deepEqual(bench.posted.at(-1), { type: "failed", key: "a", message: "the line is down" });
});

test("queues are answered by request, a broken one with its problem", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  await bench.engine.handle({ type: "queue", key: "a", index: 3, request: 11 });
  assert.deepEqual(bench.posted.at(-1), { type: "queue", key: "a", index: 3, request: 11, ids: Float64Array.of(3) });
  bench.sources.a.broken = true;
  await bench.engine.handle({ type: "queue", key: "a", index: 5, request: 12 });
  assert.deepEqual(bench.posted.at(-1), { type: "queue", key: "a", index: 5, request: 12, ids: null, isAborted: false, problem: "the line is down" });
});

test("a queue that is left before it came is answered too", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  bench.sources.a.held = true;
  const asked = bench.engine.handle({ type: "queue", key: "a", index: 5, request: 13 });
  bench.engine.handle({ type: "close", key: "a" });
  await asked;
  const { ids, isAborted, request } = bench.posted.at(-1);
  assert.deepEqual({ ids, isAborted, request }, { ids: null, isAborted: true, request: 13 });
});

test("since when a job holds its GPUs, as far as rounds are loaded", async () => {
  const bench = await EngineBench.opened({ a: LARGE });
  const held = (index, gpus, storedId) => {
    bench.engine.handle({ type: "held", key: "a", index, request: 1, gpus, storedId });
    return bench.posted.at(-1).since;
  };
  await bench.show({ a: 5 });
  assert.deepEqual(held(5, [1], 7), { index: 4, isBound: true });
  assert.deepEqual(held(5, [0], 105), { index: 5, isBound: false });
  assert.equal(held(5, [0, 1], 7), null); // a second tenant of GPU 0
  assert.equal(held(0, [1], 7), null); // not loaded
  for (const index of [0, 2]) await bench.show({ a: index });
  assert.deepEqual(held(5, [1], 7), { index: 0, isBound: false });
});

test("what was fetched, asked for and found is summed over the runs", async () => {
  const bench = await EngineBench.opened({ a: LARGE, b: LARGE });
  await bench.show({ a: 0, b: 0 });
  await bench.show({ a: 1, b: 0 });
  const { hits, misses, chunks, heldBytes } = bench.ofType("shown").at(-1).stats;
  assert.deepEqual([hits, misses, chunks, heldBytes], [2, 2, 2, 4 * (30 + 4 * N_GPUS)]);
});
