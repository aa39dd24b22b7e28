// Free blocks, fragmentation and what stands in the way of waiting jobs, against the definitions taken literally.
import assert from "node:assert/strict";
import test from "node:test";

import { fittingGpus, fragmentedGpus, nodeFacts, popularityOf, reasonOf } from "../../../assets/player/worker/blocks.mjs";
import { makeFrame, makeRandom } from "./make_frame.mjs";

const bandsOf = (...bands) => makeFrame({ bands, columns: 10 }).grid.bands;
const sum = (values) => values.reduce((a, b) => a + b, 0);
const ONE = new Map([[1, 1]]);

/** Facts of a round in which the file names every job. */
function factsOf(ids, bands, { sharing = [], popularity = ONE, isKnown = true, gpusUsed } = {}) {
  const used = bands.map(({ first_gpu: first, count }) => ids.subarray(first, first + count).filter((id) => id !== 0).length);
  return nodeFacts({ ids, sharing, bands, isKnown, gpusUsed: gpusUsed ?? used, popularity });
}

/** Free GPUs of each node of a band, by hand. */
function nodesOf(ids, { first_gpu: first, count, gpus_per_node: size }) {
  const own = Array.from(ids.subarray(first, first + count));
  return Array.from({ length: Math.ceil(count / size) }, (_, n) => own.slice(n * size, (n + 1) * size).filter((id) => id === 0).length);
}

test("free GPUs, blocks, fragmentation and reasons of random rounds", () => {
  const random = makeRandom(1);
  const seen = new Set();
  for (let k = 0; k < 300; k += 1) {
    const sizes = [random.pick([null, 1, 4]), random.pick([null, 3, 8]), random.pick([1, 2])];
    const bands = bandsOf(["k80", random.below(30), sizes[0]], ["p100", random.below(20), sizes[1]], ["v100", random.below(5), sizes[2]]);
    const ids = Uint32Array.from({ length: sum(bands.map(({ count }) => count)) }, () => (random() < 0.2 ? 0 : 1 + random.below(9)));
    const factors = Array.from({ length: 1 + random.below(30) }, () => random.pick([0, 1, 2, 4, 8, 16]));
    const facts = factsOf(ids, bands, { popularity: popularityOf(factors) });

    const constrained = bands.filter(({ gpus_per_node: size }) => size > 1);
    const nodes = constrained.flatMap((band) => nodesOf(ids, band));
    const known = factors.filter((factor) => factor > 0);
    const fragmented = sum(known.map((factor) => sum(nodes.filter((free) => factor > free)))) / known.length;
    assert.deepEqual([facts.free, facts.gpus], [sum(nodes), sum(constrained.map(({ count }) => count))]);
    if (known.length === 0 || constrained.length === 0) assert.equal(facts.fragmented, null);
    else assert.ok(Math.abs(facts.fragmented - fragmented) < 1e-9, `${facts.fragmented} fragmented, by hand ${fragmented}`);

    for (const factor of [1, 2, 3, 4, 5, 8, 9]) {
      const free = bands.map((band) => sum(nodesOf(ids, { ...band, gpus_per_node: 1 })));
      const held = bands.some((band, t) => {
        const { gpus_per_node: size } = band;
        return size > 1 && factor <= size ? nodesOf(ids, band).some((n) => n >= factor) : free[t] >= factor;
      });
      const reason = held ? "could start" : Math.max(...free) >= factor ? "scattered" : "no GPUs";
      assert.equal(reasonOf(factor, facts), reason);
      seen.add(reason);
      // What is marked holds such a job, and nothing is marked where it is blocked.
      const fitting = fittingGpus(factor, { ids, sharing: [], bands });
      assert.ok(fitting.every((gpu) => ids[gpu] === 0));
      assert.equal(fitting.length >= factor, held);
      if (!held) assert.deepEqual(fitting, []);
    }
  }
  assert.equal(seen.size, 3);
});

test("two GPUs free on each of two nodes are fragmented by jobs of four alone", () => {
  const facts = factsOf(Uint32Array.of(1, 0, 0, 2, 0, 3, 3, 0, 4, 4, 4, 4), bandsOf(["k80", 12, 4]));
  assert.deepEqual(facts.types, [{ count: 12, size: 4, nNodes: 3, free: 4, largestBlock: 2, occupiedNodes: 3, nodesByFree: [[0, 1], [2, 2]] }]);
  assert.equal(fragmentedGpus([[0, 1], [2, 2]], new Map([[1, 0.5], [2, 0.25], [4, 0.25]])), 1);
  assert.deepEqual([1, 2, 3, 4, 5, 8].map((factor) => reasonOf(factor, facts)), ["could start", "could start", "scattered", "scattered", "no GPUs", "no GPUs"]);
});

test("a job larger than a node spans nodes: then the type's free GPUs count alone", () => {
  const bands = bandsOf(["k80", 4, 2]);
  const ids = Uint32Array.of(1, 0, 0, 0);
  assert.deepEqual([2, 3, 4].map((factor) => reasonOf(factor, factsOf(ids, bands))), ["could start", "could start", "no GPUs"]);
  assert.deepEqual(fittingGpus(2, { ids, sharing: [], bands }), [2, 3]);
  assert.deepEqual(fittingGpus(3, { ids, sharing: [], bands }), [1, 2, 3]);
});

test("a GPU in quarters is free only where all four are, whatever the round itself says of it", () => {
  const sharing = [{ gpu: 0, storedIds: [0, 0, 0, 0] }, { gpu: 1, storedIds: [0, 0, 0, 7] }];
  const facts = factsOf(Uint32Array.of(5, 0, 0, 5), bandsOf(["k80", 4, 2]), { sharing });
  assert.deepEqual([facts.free, facts.types[0].nodesByFree], [2, [[1, 2]]]);
  assert.deepEqual(fittingGpus(1, { ids: Uint32Array.of(5, 0, 0, 5), sharing, bands: bandsOf(["k80", 4, 2]) }), [0, 2]);
});

test("without nodes of several GPUs nothing is scattered, and nothing fragments", () => {
  for (const size of [null, 1]) {
    const facts = factsOf(Uint32Array.of(0, 1, 0, 1), bandsOf(["k80", 4, size]));
    assert.deepEqual([facts.gpus, facts.fragmented, facts.knowsNodes], [0, null, size === 1]);
    assert.deepEqual([1, 2, 3].map((factor) => reasonOf(factor, facts)), ["could start", "could start", "no GPUs"]);
  }
});

test("where the file does not say which GPUs are busy only the counts tell", () => {
  const more = { isKnown: false, gpusUsed: [2, 1], popularity: ONE };
  const facts = factsOf(new Uint32Array(6), bandsOf(["k80", 4, 2], ["v100", 2, 2]), more);
  assert.deepEqual(facts.types.map(({ free, largestBlock, nodesByFree }) => [free, largestBlock, nodesByFree]), [[2, null, null], [1, null, null]]);
  assert.equal(facts.fragmented, null);
  assert.deepEqual([1, 2, 3, null, 0].map((factor) => reasonOf(factor, facts)), [null, null, "no GPUs", null, null]);
  // Nothing constrains a V100 here, nor a job that spans nodes.
  assert.equal(reasonOf(1, factsOf(new Uint32Array(6), bandsOf(["k80", 4, 2], ["v100", 2]), more)), "could start");
  assert.equal(reasonOf(3, factsOf(new Uint32Array(6), bandsOf(["k80", 4, 2], ["v100", 2]), { ...more, gpusUsed: [1, 1] })), "could start");
});

test("popularity leaves out jobs of unknown size", () => {
  assert.deepEqual([...popularityOf([1, 2, 0, 1, 4])], [[1, 0.5], [2, 0.25], [4, 0.25]]);
  assert.equal(popularityOf([0, 0]).size, 0);
  assert.equal(factsOf(new Uint32Array(4), bandsOf(["k80", 4, 2]), { popularity: new Map() }).fragmented, null);
});
