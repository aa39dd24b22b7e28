// The page's state in its address.
import assert from "node:assert/strict";
import test from "node:test";

import { readAddress, writeAddress } from "../../../assets/player/model/address.mjs";

const DEFAULTS = {
  speed: 1, align: "time", detail: "auto", selectedJob: null, difference: false, flash: false, hidden: [], loop: null, range: null,
  zoom: null, nodeSizes: new Map(), files: [],
};

/** As the shell writes it: nothing for null, lists as several values. */
function searchOf(state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(writeAddress(state))) {
    if (value !== null) [].concat(value).forEach((one) => query.append(name, one));
  }
  return `?${query}`;
}

test("an empty address is the default", () => {
  assert.deepEqual(readAddress(""), DEFAULTS);
});

test("a state that was written is read again", () => {
  const states = [
    DEFAULTS,
    { ...DEFAULTS, speed: 0.25, align: "arrivals", detail: "nodes", selectedJob: 0, difference: true, flash: true },
    { ...DEFAULTS, hidden: [3, 0], loop: [5, 5], range: [0, 7000], zoom: [0.25, 36, 1.5, 2], files: ["a b.viz.bin", "https://x/y?z=1&w"], nodeSizes: new Map([["a:b", 65_535], ["k80", 4]]) },
  ];
  for (const state of states) {
    assert.deepEqual(readAddress(searchOf({ ...state, runs: ["A"], index: 3, color: "category" })), state);
  }
});

test("defaults are not written; run and round always are", () => {
  const written = writeAddress({ ...DEFAULTS, runs: ["A", "B"], index: 12, color: "category" });
  const named = Object.entries(written).filter(([, value]) => value !== null && value.length !== 0);
  assert.deepEqual(named, [["run", ["A", "B"]], ["round", 12]]);
  assert.equal(writeAddress({ ...DEFAULTS, runs: [], index: 0, color: "job" }).color, "job");
});

test("what makes no sense is the default", () => {
  const bad = {
    speed: ["3", "-1", "", "x"], align: ["sideways"], detail: ["atoms"], job: ["-1", "x", "1.5", ""], hide: ["1,", "a", "-1"],
    loop: ["5,3", "1", "1,2,3", "a,b", "1.5,3", "-1,4", "1,Infinity"], range: ["3,3", "9,2", "x"], zoom: ["1,2,3", "2,1,0,1", "0,1,NaN,3"],
    nodes: ["k80", "k80:", "k80:0", ":4", "k80:-4", "k80:65536", "k80:1.5", ","],
    difference: ["yes"], flash: ["true"],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) assert.deepEqual(readAddress(`?${name}=${encodeURIComponent(value)}`), DEFAULTS, `${name}=${value}`);
  }
});
