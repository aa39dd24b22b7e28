// The page's state and who is told of it.
import assert from "node:assert/strict";
import test from "node:test";

import { Model } from "../../../assets/player/model/model.mjs";

test("listeners hear once of what really changed among their names", () => {
  const model = new Model({ a: 1, b: 2, c: NaN });
  const heard = [];
  model.on(["a", "b"], (changed) => heard.push([...changed, model.get("a"), model.get("b")]));
  model.set({ a: 1, c: NaN });
  model.set({ a: 3, b: 4, c: 5 });
  model.set({ c: 6 });
  assert.deepEqual(heard, [["a", "b", "c", 3, 4]]);
});

test("a listener may set again and may stop, also while others are told", () => {
  const model = new Model({ a: 0, b: 0 });
  const heard = [];
  const stop = model.on(["a"], () => { heard.push("first"); stop(); model.set({ b: 1 }); });
  model.on(["a"], () => heard.push("second"));
  model.on(["b"], () => heard.push("b"));
  model.set({ a: 1 });
  model.set({ a: 2 });
  assert.deepEqual(heard, ["first", "b", "second", "second"]);
});

test("what is read cannot change the state", () => {
  const values = { a: 1 };
  const model = new Model(values);
  values.a = 2;
  model.all().a = 3;
  assert.equal(model.get("a"), 1);
});
