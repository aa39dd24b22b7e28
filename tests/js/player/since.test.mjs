// Since when GPUs have had their jobs, against a search back from every round.
import assert from "node:assert/strict";
import test from "node:test";

import { SinceTracker } from "../../../assets/player/worker/since.mjs";
import { makeRandom } from "./make_frame.mjs";

const N_GPUS = 9;

/** Rounds in which jobs stay for a while; some come back to where they were. */
function makeRounds(random, n) {
  let ids = Uint32Array.from({ length: N_GPUS }, () => random.below(3));
  return Array.from({ length: n }, () => {
    ids = ids.map((id) => (random() < 0.06 ? random.below(3) : id));
    return ids;
  });
}

/** The first record of the present stretch of each GPU, and whether the search met a round that is not at hand. */
function searchBack(rounds, index, isHere) {
  return Array.from({ length: N_GPUS }, (_, gpu) => {
    let i = index;
    while (i > 0 && isHere(i - 1) && rounds[i - 1][gpu] === rounds[index][gpu]) i -= 1;
    return [i, i > 0 && !isHere(i - 1)];
  });
}

const seen = (tracker) => Array.from(tracker.since, (since, gpu) => [since, tracker.isBound[gpu] === 1]);

test("steps, jumps, both ways: the same as searching back", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const random = makeRandom(seed);
    const rounds = makeRounds(random, 700);
    const tracker = new SinceTracker(N_GPUS);
    let index = random.below(700);
    for (let k = 0; k < 60; k += 1) {
      tracker.go(index, (i) => rounds[i]);
      assert.deepEqual(seen(tracker), searchBack(rounds, index, () => true), `seed ${seed}, record ${index}`);
      const by = random.pick([0, 1, 1, 2, 40, 256, 257, 500, -1, -30, -400]);
      index = Math.max(0, Math.min(699, index + by));
    }
  }
});

test("where earlier rounds are not at hand a bound is said; what is not marked is true", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const random = makeRandom(100 + seed);
    const rounds = makeRounds(random, 200);
    const tracker = new SinceTracker(N_GPUS);
    const here = new Set();
    let [index, bounds] = [100, 0];
    for (let k = 0; k < 60; k += 1) {
      index = Math.max(0, Math.min(199, index + random.pick([0, 1, 3, 3, 10, -20])));
      if (random() < 0.2) here.clear();
      for (let i = Math.max(0, index - random.below(20)); i <= index; i += 1) here.add(i);
      const idsOf = (i) => (here.has(i) ? rounds[i] : null);
      const truth = searchBack(rounds, index, () => true);
      tracker.go(index, idsOf);
      seen(tracker).forEach(([since, isBound], gpu) => {
        if (isBound) assert.ok(since >= truth[gpu][0], "a bound is not before the truth");
        else assert.equal(since, truth[gpu][0], "what is not marked is true");
        bounds += isBound ? 1 : 0;
      });
      const fresh = new SinceTracker(N_GPUS).go(index, idsOf);
      assert.deepEqual(seen(fresh), searchBack(rounds, index, (i) => here.has(i)), "after a jump");
    }
    assert.ok(bounds > 10);
  }
});

test("a bound is looked at again as soon as earlier rounds are here", () => {
  const rounds = Array.from({ length: 10 }, (_, i) => Uint32Array.of(i < 3 ? 1 : 2, 5));
  const from = (first) => (i) => (i >= first ? rounds[i] : null);
  const tracker = new SinceTracker(2);
  assert.deepEqual(seen(tracker.go(9, from(6))), [[6, true], [6, true]]);
  assert.deepEqual(seen(tracker.go(9, from(2))), [[3, false], [2, true]]);
  assert.deepEqual(seen(tracker.go(9, from(0))), [[3, false], [0, false]]);
});
