// Changes of hands.
import assert from "node:assert/strict";
import test from "node:test";

import { changesOf } from "../../../assets/player/worker/round_facts.mjs";

test("GPUs that changed hands: by a job that held others before, or by one that starts", () => {
  const before = Uint32Array.of(1, 1, 2, 3, 0, 4);
  assert.deepEqual(changesOf(Uint32Array.of(1, 2, 1, 0, 5, 5), before), { started: [4, 5], migrated: [1, 2] });
  assert.deepEqual(changesOf(before, before), { started: [], migrated: [] });
  assert.equal(changesOf(before, null), null);
});
