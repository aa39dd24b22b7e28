// Free blocks, fragmentation and changes of hands, against the definitions taken literally.
import assert from "node:assert/strict";
import test from "node:test";

import { fragmentedGpus, freeBlocks, popularityOf } from "../../../assets/player/worker/blocks.mjs";
import { blockFacts, changesOf } from "../../../assets/player/worker/round_facts.mjs";
import { makeFrame, makeRandom } from "./make_frame.mjs";

const bandsOf = (...bands) => makeFrame({ bands, columns: 10 }).grid.bands;

test("free GPUs, largest block and fragmentation of random rounds", () => {
  const random = makeRandom(1);
  for (let k = 0; k < 200; k += 1) {
    const bands = bandsOf(["k80", random.below(30), 4], ["p100", random.below(20), 8], ["v100", random.below(5), 1]);
    const nGpus = bands.reduce((n, { count }) => n + count, 0);
    const ids = Uint32Array.from({ length: nGpus }, () => (random() < 0.5 ? 0 : 1 + random.below(9)));
    const factors = Array.from({ length: 1 + random.below(30) }, () => random.pick([0, 1, 2, 4, 8, 16]));

    // By hand: each node, each job of the run as a task class of its own.
    const nodes = bands.flatMap(({ first_gpu: first, count, gpus_per_node: size }) => {
      const own = Array.from(ids.subarray(first, first + count));
      return Array.from({ length: Math.ceil(count / size) }, (_, n) => own.slice(n * size, (n + 1) * size).filter((id) => id === 0).length);
    });
    const known = factors.filter((factor) => factor > 0);
    const fragmented = known.reduce((sum, factor) => sum + nodes.filter((free) => factor > free).reduce((a, b) => a + b, 0), 0) / known.length;

    const { free, largestBlock, fragmented: found } = blockFacts(ids, bands, true, popularityOf(factors));
    assert.deepEqual([free, largestBlock], [nodes.reduce((a, b) => a + b, 0), Math.max(0, ...nodes)]);
    if (known.length === 0) assert.equal(found, null);
    else assert.ok(Math.abs(found - fragmented) < 1e-9, `${found} fragmented, by hand ${fragmented}`);
  }
});

test("two GPUs free on each of two nodes are fragmented by jobs of four alone", () => {
  const blocks = freeBlocks(Uint32Array.of(1, 0, 0, 2, 0, 3, 3, 0), bandsOf(["k80", 8, 4]));
  assert.deepEqual(blocks, { free: 4, largestBlock: 2, freeOfNodes: [2, 2] });
  assert.equal(fragmentedGpus(blocks.freeOfNodes, new Map([[1, 0.5], [2, 0.25], [4, 0.25]])), 1);
  assert.equal(fragmentedGpus([0, 0], new Map([[4, 1]])), 0);
});

test("popularity leaves out jobs of unknown size", () => {
  assert.deepEqual([...popularityOf([1, 2, 0, 1, 4])], [[1, 0.5], [2, 0.25], [4, 0.25]]);
  assert.equal(popularityOf([0, 0]).size, 0);
});

test("nothing is said where nodes or holders are not known", () => {
  const ids = new Uint32Array(4);
  const all = new Map([[1, 1]]);
  assert.equal(blockFacts(ids, bandsOf(["k80", 2, 2], ["v100", 2]), true, all), null);
  assert.equal(blockFacts(ids, bandsOf(["k80", 4, 1]), true, all), null); // no placement constraint is known
  assert.equal(blockFacts(ids, bandsOf(["k80", 4, 2]), false, all), null);
  assert.equal(blockFacts(ids, bandsOf(["k80", 4, 2]), true, new Map()).fragmented, null);
});

test("GPUs that changed hands: by a job that held others before, or by one that starts", () => {
  const before = Uint32Array.of(1, 1, 2, 3, 0, 4);
  assert.deepEqual(changesOf(Uint32Array.of(1, 2, 1, 0, 5, 5), before), { started: [4, 5], migrated: [1, 2] });
  assert.deepEqual(changesOf(before, before), { started: [], migrated: [] });
  assert.equal(changesOf(before, null), null);
});
