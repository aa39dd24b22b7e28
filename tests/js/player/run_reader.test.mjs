// Chunks of a run: what they hold, and when they are loaded, kept, aborted and let go.
import assert from "node:assert/strict";
import test from "node:test";

import { VizFormatError } from "../../../assets/player/decoder/decoder.mjs";
import { RunReader } from "../../../assets/player/source/run_reader.mjs";
import { MemorySource, makeSmall, makeViz } from "./make_viz.mjs";

const N_GPUS = 40_000; // 160,032 bytes a round: two rounds a chunk

/** Nine rounds of a large cluster in five chunks; GPU 0 holds job 100 + i in round i. Opened, and its source. */
async function openLarge(options) {
  const ids = (i) => new Uint32Array(N_GPUS).fill(100 + i, 0, 1);
  const rounds = Array.from({ length: 9 }, (_, i) => ({ used: [1], ids: ids(i), queue: [i] }));
  const source = new MemorySource(makeViz({ types: [["k80", N_GPUS]], rounds }).bytes);
  return { source, reader: await RunReader.open(source, { order: [0], ...options }) };
}

const firstIds = (chunk) => Array.from({ length: chunk.count }, (_, row) => chunk.storedIds(chunk.first + row)[0]);

/** Let everything that waits for nothing but its turn run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a run is read in chunks of at most 512 KiB", async () => {
  const { reader } = await openLarge();

  assert.deepEqual([reader.chunkRounds, reader.nChunks], [2, 5]);
  assert.deepEqual([0, 1, 2, 8].map((i) => reader.chunkOf(i)), [0, 0, 1, 4]);
  assert.throws(() => reader.chunkOf(9), RangeError);
  assert.throws(() => reader.chunkOf(0.5), RangeError);
  const last = await reader.load(4);
  assert.deepEqual([last.first, last.count, firstIds(last)], [8, 1, [108]]);
  assert.equal(last.head(8).jobsQueued, 1);
  assert.throws(() => last.storedIds(7), RangeError);
  assert.throws(() => last.head(9), RangeError);
  await assert.rejects(reader.load(5), RangeError);
});

test("chunks of a small cluster hold a power of two of rounds", async () => {
  const { bytes, roundBytes } = makeSmall();
  const reader = await RunReader.open(new MemorySource(bytes));

  assert.deepEqual([roundBytes, reader.chunkRounds, reader.nChunks], [48, 8192, 1]);
});

test("ids are views of one packed array, and sharing lists come along", async () => {
  const reader = await RunReader.open(new MemorySource(makeSmall().bytes));
  const chunk = await reader.load(0);

  assert.deepEqual([[...chunk.storedIds(0)], [...chunk.storedIds(1)]], [[1, 4294967295, 0], [1, 4294967295, 0]]);
  assert.equal(chunk.storedIds(0).buffer, chunk.storedIds(1).buffer);
  assert.deepEqual([chunk.sharing(0), chunk.sharing(1)], [[], [{ gpu: 2, storedIds: [1, 1, 0, 70001] }]]);
  assert.equal(chunk.head(1).round, 10);
  assert.deepEqual([reader.order, reader.gpuTypes[0].name, reader.typeOrder.decided], [[0], "k80", true]);
});

test("a damaged sharing list is an error of its round alone", async () => {
  const { bytes, view, at } = makeSmall();
  view.setBigUint64(at.sharingIndex, 2n ** 60n, true);
  const chunk = await (await RunReader.open(new MemorySource(bytes))).load(0);

  assert.throws(() => chunk.sharing(0), VizFormatError);
  assert.equal(chunk.sharing(1).length, 1);
});

test("a sharing index that points far apart does not fetch what lies between", async () => {
  const sharing = [[0, [1, 2, 0, 0]]];
  const rounds = Array.from({ length: 9000 }, () => ({ used: [1], ids: [1, 0], sharing }));
  const { bytes, view, at } = makeViz({ types: [["k80", 2]], rounds });
  const source = new MemorySource(bytes);
  const reader = await RunReader.open(source);
  assert.equal(reader.nChunks, 2);
  view.setBigUint64(at.sharingIndex, 20n * 8990n, true);
  source.reads = [];
  const chunk = await reader.load(0);

  const sharingReads = source.reads.filter(([start]) => start >= at.sharing && start < at.sharingIndex);
  assert.deepEqual(sharingReads, [[at.sharing + 20, at.sharing + 20 * 8192], [at.sharing + 20 * 8990, at.sharing + 20 * 8990 + 38]]);
  assert.deepEqual([chunk.sharing(0).length, chunk.sharing(8191).length], [1, 1]);
});

test("the order of the types is decided where none is given, and taken where one is", async () => {
  const types = [["v100", 2], ["k80", 2]];
  const rounds = Array.from({ length: 100 }, () => ({ used: [1, 0], ids: [0, 0, 7, 0] }));
  const source = new MemorySource(makeViz({ types, rounds }).bytes);
  const reader = await RunReader.open(source);

  assert.deepEqual([reader.order, reader.gpuTypes.map(({ name }) => name)], [[1, 0], ["k80", "v100"]]);
  assert.equal(reader.typeOrder.roundsTested, 64);
  assert.deepEqual((await reader.load(0)).head(99).gpusUsed, [0, 1]);
  const given = await RunReader.open(source, { order: [0, 1] });
  assert.deepEqual([given.typeOrder, (await given.load(0)).head(99).gpusUsed], [null, [1, 0]]);
});

test("the sample of rounds that decides the order stays within 8 MiB", async () => {
  const rounds = Array.from({ length: 60 }, () => ({ used: [0, 0], ids: [] }));
  const source = new MemorySource(makeViz({ types: [["a", 65_000], ["b", 500]], rounds }).bytes);
  await RunReader.open(source);

  assert.ok(source.bytesFetched < 8 * 2 ** 20 + 1000);
  assert.ok(source.requests > 20);
});

test("however many ask, a chunk is requested once", async () => {
  const { source, reader } = await openLarge();
  const before = source.requests;
  source.held = true;
  const asking = [reader.load(1), reader.want(1), reader.load(1)];
  source.release();
  const chunks = await Promise.all(asking);

  assert.equal(source.requests - before, 1);
  assert.equal(new Set(chunks).size, 1);
  assert.equal(await reader.load(1), chunks[0]);
  assert.equal(source.requests - before, 1);
});

test("a load that failed is not kept and may be tried again", async () => {
  const { source, reader } = await openLarge();
  source.broken = true;
  await assert.rejects(reader.load(0), /the line is down/);
  await assert.rejects(reader.want(0, [1]), /the line is down/);
  reader.want(0); // who does not wait for it is not troubled
  await settle();
  assert.equal(reader.cached(0), null);
  source.broken = false;

  assert.deepEqual(firstIds(await reader.load(0)), [100, 101]);
});

test("read-ahead comes in order, three at a time, without asking twice", async () => {
  const { source, reader } = await openLarge();
  source.held = true;
  source.reads = [];
  const firstOf = (reads) => reads.map(([start]) => (start - reader.header.offsets.rounds) / (2 * reader.header.roundBytes));
  const wanted = reader.want(0, [1, 2, 3, 4]);
  reader.want(0, [1, 2, 3, 4]);
  assert.deepEqual(firstOf(source.reads), [0, 1, 2, 3]);
  source.release();
  await wanted;
  await settle();

  assert.deepEqual(firstOf(source.reads), [0, 1, 2, 3, 4]);
  assert.deepEqual([0, 1, 2, 3, 4].map((k) => reader.cached(k)?.first), [0, 2, 4, 6, 8]);
});

test("loads that are no longer wanted are aborted and can be asked for again", async () => {
  const { source, reader } = await openLarge();
  source.held = true;
  const [old, kept] = [reader.want(0, [1, 2]), reader.load(2)];
  const rejected = assert.rejects(old, { name: "AbortError" });
  reader.want(3, [2]);
  await rejected;
  assert.equal(reader.stats().aborted, 2);
  const again = reader.load(0);
  source.release();

  assert.deepEqual(firstIds(await again), [100, 101]);
  assert.deepEqual(firstIds(await kept), [104, 105]);
  assert.equal(reader.cached(1), null);
  assert.equal(reader.stats().aborted, 2);
});

test("a chunk asked for again right after its abort is requested once more, and once only", async () => {
  const { source, reader } = await openLarge();
  source.held = true;
  const rejected = assert.rejects(reader.want(0), { name: "AbortError" });
  reader.want(1);
  const again = reader.load(0);
  await rejected;
  await settle();
  const { requests } = source;
  const third = reader.load(0);
  source.release();

  assert.equal(await third, await again);
  assert.equal(source.requests, requests);
});

test("a source that answers after an abort changes nothing", async () => {
  const { source, reader } = await openLarge();
  const { read } = MemorySource.prototype;
  source.read = (start, stop) => read.call(source, start, stop); // deaf to the signal
  source.held = true;
  const rejected = assert.rejects(reader.want(0), { name: "AbortError" });
  reader.want(1);
  source.release();

  await rejected;
  assert.equal(reader.cached(0), null);
});

test("the least recently used chunks go when the bytes do not suffice, never the one on screen", async () => {
  const chunkBytes = 2 * (30 + 4 * N_GPUS);
  const { reader } = await openLarge({ capacityBytes: 2 * chunkBytes });
  const here = () => [0, 1, 2, 3, 4].filter((k) => reader.cached(k) !== null);
  await reader.want(0);
  await reader.load(1);
  assert.deepEqual([here(), reader.stats().heldBytes], [[0, 1], 2 * chunkBytes]);
  reader.cached(0);
  await reader.load(2);
  assert.deepEqual(here(), [0, 2]);
  await reader.load(3);
  await reader.load(1);
  assert.deepEqual([here(), reader.stats().heldBytes], [[0, 1], 2 * chunkBytes]);
  reader.cached(0);
  await reader.want(2);
  assert.deepEqual([here(), reader.stats().chunks], [[0, 2], 2]);
});

test("a chunk larger than the cache can be shown, and nothing else is held", async () => {
  const { reader } = await openLarge({ capacityBytes: 1000 });
  const chunk = await reader.want(3, [4]);
  await settle();

  assert.equal(reader.cached(3), chunk);
  assert.deepEqual([reader.stats().chunks, reader.stats().heldBytes], [1, chunk.bytesHeld]);
});

test("hits and misses are counted where asked for", async () => {
  const { source, reader } = await openLarge();
  reader.cached(0, { count: true });
  await reader.load(0);
  reader.cached(0, { count: true });
  reader.cached(0);

  const { bytesFetched, requests } = source;
  const heldBytes = 2 * (30 + 4 * N_GPUS);
  assert.deepEqual(reader.stats(), { bytesFetched, requests, hits: 1, misses: 1, heldBytes, chunks: 1, aborted: 0 });
});

test("queues are read one by one, cleaned, in any order of the lists", async () => {
  const { reader } = await openLarge();
  assert.deepEqual(await Promise.all([0, 5, 8].map(async (i) => [...(await reader.queue(i))])), [[0], [5], [8]]);
  await assert.rejects(reader.queue(9), RangeError);

  const rounds = [[7, 8, 9], [5], [6, 4]].map((queue) => ({ used: [1], ids: [5], queue }));
  const { bytes, view, at } = makeViz({ types: [["k80", 1]], rounds });
  [20, 14, 0].forEach((position, i) => view.setBigUint64(at.queueIndex + 8 * i, BigInt(position), true));
  const scattered = await RunReader.open(new MemorySource(bytes));
  assert.deepEqual(await Promise.all([0, 1, 2].map(async (i) => [...(await scattered.queue(i))])), [[6, 4], [], [7, 8, 9]]);
});

test("a damaged queue is an error of its round alone", async () => {
  const { bytes, view, at } = makeSmall();
  view.setUint16(at.queue + 6, 60000, true);
  const reader = await RunReader.open(new MemorySource(bytes));
  assert.deepEqual([...(await reader.queue(0))], [70000]);
  await assert.rejects(reader.queue(1), VizFormatError);
  view.setBigUint64(at.queueIndex, 2n ** 60n, true);
  await assert.rejects(reader.queue(0), VizFormatError);
});

test("closing aborts everything, and nothing more is loaded", async () => {
  const { source, reader } = await openLarge();
  await reader.load(4);
  source.held = true;
  const waiting = [reader.want(0, [1]), reader.load(1), reader.queue(0)].map((promise) =>
    assert.rejects(promise, { name: "AbortError" }),
  );
  const { requests } = source;
  reader.close();
  await Promise.all(waiting);

  await assert.rejects(reader.want(2, [3]), { name: "AbortError" });
  assert.deepEqual([source.requests, reader.stats().heldBytes, reader.cached(4)], [requests, 0, null]);
});

test("opening can be aborted", async () => {
  const source = new MemorySource(makeSmall().bytes);
  source.held = true;
  const abort = new AbortController();
  const rejected = assert.rejects(RunReader.open(source, { signal: abort.signal }), { name: "AbortError" });
  abort.abort();
  await rejected;
});

test("every cut of a file is one clear error on opening", async () => {
  const { bytes } = makeSmall();
  for (let length = 0; length < bytes.length; length += 7) {
    await assert.rejects(RunReader.open(new MemorySource(bytes.slice(0, length))), VizFormatError, `${length} bytes`);
  }
});

test("a run without rounds, jobs or GPUs can be opened", async () => {
  const reader = await RunReader.open(new MemorySource(makeViz({ types: [], rounds: [] }).bytes));

  assert.deepEqual([reader.nChunks, reader.order, reader.jobs.jobId.length], [0, [], 0]);
});
