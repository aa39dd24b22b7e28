// Which command a key means, and when it is left alone.
import assert from "node:assert/strict";
import test from "node:test";

import { commandOf, isTakenBy } from "../../../assets/player/controller/keys.mjs";

const press = (key, more) => commandOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

test("keys and their commands", () => {
  const commands = {
    " ": ["toggle"], ArrowLeft: ["step", -1], ArrowRight: ["step", 1], Home: ["first"], End: ["last"], ",": ["faster", -1], ".": ["faster", 1],
    "[": ["loopFrom"], "]": ["loopTo"], "\\": ["noLoop"], d: ["flip", "difference"], f: ["flip", "flash"], j: ["jump"],
    0: ["wholeCluster"], Escape: ["letGo"], 1: ["color", "category"], 2: ["color", "scale_factor"], 3: ["color", "job"],
    4: ["color", "waited"], 5: ["color", "on_gpu"], 6: ["color", "remaining"],
  };
  for (const [key, command] of Object.entries(commands)) assert.deepEqual(press(key), command, key);
  assert.deepEqual([press("ArrowLeft", { shiftKey: true }), press("ArrowRight", { shiftKey: true })], [["step", -10], ["step", 10]]);
});

test("other keys, and keys of the browser, mean nothing", () => {
  for (const key of ["7", "8", "9", "a", "D", "Enter", "Tab", "F1", "F5", "ArrowUp", "-", "", "/", "?"]) assert.equal(press(key), null, key);
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) assert.equal(press("f", { [modifier]: true }), null);
});

test("keys belong to what is typed into, to menus, tables and dialogs; space to what a key has reached", () => {
  globalThis.Element = class { closest(selectors) { return selectors.split(", ").some((one) => this.own?.includes(one)) ? this : null; } };
  const target = (...own) => Object.assign(new Element(), { own });
  const taken = (key, element, focusedByPointer = false) => isTakenBy(element, { key }, focusedByPointer);
  for (const own of ["textarea", "input:not([type=checkbox])", ".ag-root", "[role=dialog]", ".dash-dropdown-content"]) {
    assert.deepEqual([taken("1", target(own)), taken(" ", target(own), true)], [true, true], own);
  }
  const button = target("button");
  assert.deepEqual([taken(" ", button), taken(" ", button, true), taken("ArrowLeft", button)], [true, false, false]);
  assert.equal(taken("ArrowLeft", Object.assign(target("input:not([type=checkbox])"), { id: "cluster-slider" })), false);
  assert.deepEqual([taken(" ", target()), taken(" ", null)], [false, false]);
});
