// Links to other pages about what is on screen.
import assert from "node:assert/strict";
import test from "node:test";

import { hrefElsewhere } from "../../../assets/player/panels/elsewhere.mjs";

const shown = (name, base, index) => ({ run: { name, base }, painted: { index } });

test("runs of the sweep are handed on with the record of the first; files of the user are not", () => {
  const all = [shown("mine", null, 3), shown("a&b", "/api/runs/a", 7), shown("c", "/api/runs/c", 9)];
  const href = hrefElsewhere("jobs", all);
  assert.ok(href.startsWith("/jobs?"));
  assert.deepEqual([...new URLSearchParams(href.slice("/jobs?".length))], [["run", "a&b"], ["run", "c"], ["round", "7"]]);
  assert.equal(hrefElsewhere("jobs", all.slice(0, 1)), null);
});
