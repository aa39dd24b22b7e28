// Runs in step by time, round or arrivals, against plain searches.
import assert from "node:assert/strict";
import test from "node:test";

import { Timeline, lowerBound, upperBound } from "../../../assets/player/model/timeline.mjs";
import { makeRandom } from "./make_frame.mjs";

/** A run whose clock never runs backwards and whose first two records share time 0. */
function makeRun(random, nRounds) {
  let [time, arrived] = [0, 0];
  const simTimeS = Float32Array.from({ length: nRounds }, (_, i) => (time += i < 2 ? 0 : random.pick([0, 60, 360, 360, 720])));
  const arrivals = Uint32Array.from({ length: nRounds }, () => (arrived += random.pick([0, 0, 1, 3])));
  return { nRounds, simTimeS, arrivals };
}

test("bounds are those of a plain search", () => {
  const random = makeRandom(1);
  for (let k = 0; k < 200; k += 1) {
    const values = Float64Array.from({ length: random.below(12) }, () => random.below(6)).sort();
    for (let value = -1; value < 8; value += 0.5) {
      assert.equal(lowerBound(values, value), values.filter((other) => other < value).length);
      assert.equal(upperBound(values, value), values.filter((other) => other <= value).length);
    }
  }
});

test("by time each run shows its last record that has begun; of records that share a time, the one of the same rank", () => {
  const random = makeRandom(2);
  for (let k = 0; k < 100; k += 1) {
    const runs = Array.from({ length: 1 + random.below(4) }, () => makeRun(random, 1 + random.below(60)));
    const timeline = new Timeline(runs, "time");
    const lead = runs[timeline.lead];
    const longest = Math.max(...runs.map(({ simTimeS }) => simTimeS.at(-1)));
    assert.equal(lead.simTimeS.at(-1), longest);
    assert.equal(timeline.nPositions, lead.nRounds);
    for (let position = 0; position < lead.nRounds; position += 1) {
      const now = lead.simTimeS[position];
      const rank = lead.simTimeS.subarray(0, position).filter((time) => time === now).length;
      runs.forEach((run, r) => {
        const begun = run.simTimeS.filter((time) => time <= now).length;
        const same = run.simTimeS.filter((time) => time === now).length;
        const expected = run === lead ? position : same > 0 ? begun - same + Math.min(rank, same - 1) : begun - 1;
        assert.equal(timeline.indexOf(r, position), expected);
      });
    }
  }
});

test("the first two records, which share time 0, are each in step with their like", () => {
  const [short, long] = [[0, 0, 360], [0, 0, 360, 720]].map((times) => ({ nRounds: times.length, simTimeS: Float32Array.from(times) }));
  const timeline = new Timeline([short, long], "time");
  assert.deepEqual([timeline.lead, timeline.nPositions], [1, 4]);
  assert.deepEqual([0, 1, 2, 3].map((position) => timeline.indexOf(0, position)), [0, 1, 2, 2]);
  assert.deepEqual([0, 1, 2].map((index) => timeline.positionOf(0, index)), [0, 1, 2]);
});

test("positions grow with records and lead back to them, under every alignment", () => {
  const random = makeRandom(3);
  for (let k = 0; k < 60; k += 1) {
    // Records as simulators write them, one each 360 s; runs differ in length.
    const runs = [0, 1, 2].map(() => {
      const run = makeRun(random, 2 + random.below(80));
      return { ...run, simTimeS: run.simTimeS.map((_, i) => 360 * Math.max(0, i - 1)) };
    });
    for (const align of ["time", "round"]) {
      const timeline = new Timeline(runs, align);
      runs.forEach((run, r) => {
        for (let index = 0; index < run.nRounds; index += 1) assert.equal(timeline.indexOf(r, timeline.positionOf(r, index)), index);
        const all = Array.from({ length: timeline.nPositions }, (_, position) => timeline.indexOf(r, position));
        assert.ok(all.every((index, i) => index >= 0 && index < run.nRounds && (i === 0 || index >= all[i - 1])));
        assert.equal(all.at(-1), run.nRounds - 1); // who has ended stays at the end
      });
    }
  }
});

test("by arrivals each run shows its first record with as many jobs", () => {
  const random = makeRandom(4);
  for (let k = 0; k < 60; k += 1) {
    const runs = [0, 1, 2].map(() => makeRun(random, 1 + random.below(40)));
    const timeline = new Timeline(runs, "arrivals");
    const lead = runs[timeline.lead];
    assert.equal(lead.arrivals.at(-1), Math.max(...runs.map(({ arrivals }) => arrivals.at(-1))));
    for (let position = 0; position < lead.nRounds; position += 1) {
      runs.forEach((run, r) => {
        const enough = run.arrivals.findIndex((jobs) => jobs >= lead.arrivals[position]);
        assert.equal(timeline.indexOf(r, position), run === lead ? position : enough < 0 ? run.nRounds - 1 : enough);
      });
    }
  }
});

test("while clocks are still loading runs are in step by record", () => {
  const [a, b] = [{ nRounds: 5, simTimeS: null, arrivals: null }, { nRounds: 8, simTimeS: null, arrivals: null }];
  for (const align of ["time", "round", "arrivals"]) {
    const timeline = new Timeline([a, b], align);
    assert.deepEqual([timeline.lead, timeline.indexOf(0, 7), timeline.indexOf(1, 7), timeline.positionOf(0, 3)], [1, 4, 7, 3]);
  }
});

test("the lead is whoever is longest under the alignment", () => {
  const run = (times, arrivals) => ({ nRounds: times.length, simTimeS: Float32Array.from(times), arrivals: Uint32Array.from(arrivals) });
  const runs = [run([0, 0, 10, 20], [0, 0, 1, 2]), run([0, 0, 900], [0, 1, 1]), run([0, 0, 360], [5, 6, 9])];
  assert.deepEqual(["round", "time", "arrivals"].map((align) => new Timeline(runs, align).lead), [0, 1, 2]);
});

test("positions outside are those at the ends; no runs are no positions", () => {
  const timeline = new Timeline([{ nRounds: 4, simTimeS: Float32Array.of(0, 0, 1, 2) }], "time");
  assert.deepEqual([-5, 99].map((position) => timeline.indexOf(0, position)), [0, 3]);
  assert.equal(new Timeline([], "time").nPositions, 0);
});

test("a run has ended where its timeline goes on without it", () => {
  const run = (times) => ({ nRounds: times.length, simTimeS: Float32Array.from(times), arrivals: Uint32Array.from(times.keys()) });
  const runs = [run([0, 360, 720]), run([0, 360, 720, 1080, 1440])];
  for (const align of ["time", "round", "arrivals"]) {
    const timeline = new Timeline(runs, align);
    assert.deepEqual([0, 2, 3, 4].map((position) => timeline.hasEnded(0, position)), [false, false, true, true], align);
    assert.equal(timeline.hasEnded(1, 4), false);
  }
});

test("a record is found again where the lead has one during it, however their clocks lie", () => {
  const clocked = (n, startS) => ({ nRounds: n, simTimeS: Float32Array.from({ length: n }, (_, i) => startS + 360 * i), arrivals: null });
  for (const startS of [0, 100, 359]) {
    const timeline = new Timeline([clocked(50, startS), clocked(90, 0)], "time");
    for (let i = 0; i < 49; i += 1) assert.equal(timeline.indexOf(0, timeline.positionOf(0, i)), i, `${startS} s, record ${i}`);
  }
});
