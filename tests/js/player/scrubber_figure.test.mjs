// The scrubber's figure, texts and ranges, without Plotly.
import assert from "node:assert/strict";
import test from "node:test";

import {
  fillScrubber,
  hoverLines,
  panRange,
  pixelOf,
  positionAt,
  rugPositions,
  zoomRange,
} from "../../../assets/player/renderer/scrubber.mjs";

/** `n` records in stretches of `each`: occupancy 0.5, 20 jobs; at record `odd` a dip to 0.1 and a peak of 90 jobs. */
function makeLane({ n = 100, each = 10, odd = 42, badge = "A", shift = 0 } = {}) {
  const starts = Array.from({ length: n / each }, (_, k) => k * each);
  const has = (start) => odd >= start && odd < start + each;
  const series = {
    startIndex: Float64Array.from(starts),
    timeH: Float64Array.from(starts, (i) => i / 10),
    occupancyMin: Float64Array.from(starts, (i) => (has(i) ? 0.1 : 0.5)),
    occupancyMax: Float64Array.from(starts, () => 0.5),
    occupancyMean: Float64Array.from(starts, (i) => (has(i) ? 0.46 : 0.5)),
    jobsMin: Float64Array.from(starts, () => 20),
    jobsMax: Float64Array.from(starts, (i) => (has(i) ? 90 : 20)),
    jobsMean: Float64Array.from(starts, (i) => (has(i) ? 27 : 20)),
  };
  const x = Float64Array.from([...starts, n], (at) => at + shift);
  return { badge, series, x, endIndex: n, roundOf: (index) => index + 1000, completions: [3, 50, 51] };
}

/** What build_scrubber makes, as far as filling looks at it. */
function makeFrame(nRuns = 1) {
  const parts = ["occupancy-range", "jobs-range", "occupancy", "jobs", "completions"];
  const names = [..."ABCD"].slice(0, nRuns).flatMap((badge) => parts.map((part) => `${part}-${badge}`));
  const data = names.map((name) => ({ name, x: [], y: [] }));
  if (nRuns > 1) data.push({ name: "badges", x: [], y: [], text: [] });
  const shapes = [{ name: "warm-up", x0: -0.5, x1: 29.5 }, { name: "measurement", x0: 29.5, x1: 99.5 }];
  const annotations = [{ name: "warm-up", x: -0.5 }, { name: "measurement", x: 29.5 }, { text: "a note", x: 0 }];
  return { data, layout: { xaxis: { fixedrange: true }, yaxis2: {}, shapes, annotations } };
}

const clock = (position) => position / 10;
const fill = (lane, range, width) => fillScrubber(makeFrame(), [lane], range, clock, width).layout;
const trace = (figure, name) => figure.data.find((one) => one.name === name);

test("a peak and a dip of one record stay visible, and the frame stays empty", () => {
  const frame = makeFrame();
  const figure = fillScrubber(frame, [makeLane()], [0, 100], clock);
  assert.equal(Math.max(...trace(figure, "jobs-range-A").y), 90);
  assert.equal(Math.min(...trace(figure, "occupancy-range-A").y), 0.1);
  assert.ok(figure.layout.yaxis2.range[1] >= 90);
  assert.deepEqual(frame, makeFrame());
});

test("a stretch is as wide as its records, in the line and in its range", () => {
  const figure = fillScrubber(makeFrame(), [makeLane({ n: 20 })], [0, 20], clock);
  assert.deepEqual([...trace(figure, "jobs-A").x], [-0.5, 9.5, 19.5]);
  assert.deepEqual([...trace(figure, "jobs-A").y], [20, 20, 20]);
  assert.deepEqual([...trace(figure, "jobs-range-A").x], [-0.5, 9.5, 9.5, 19.5, 19.5, 9.5, 9.5, -0.5]);
  const range = trace(fillScrubber(makeFrame(), [makeLane({ n: 20, odd: 15 })], [0, 20], clock), "occupancy-range-A");
  assert.deepEqual([...range.y], [0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 0.5, 0.5]);
});

test("the right axis follows what is in view", () => {
  const { range, tickvals } = fill(makeLane(), [50, 100]).yaxis2;
  assert.deepEqual(range, [0, 21]);
  assert.deepEqual(tickvals, [10, 20]);
  assert.ok(fill(makeLane(), [49, 100]).yaxis2.range[1] > 90); // the stretch of 42 is partly in view
});

test("ticks stand at the first record of round hours, about eight", () => {
  const { xaxis } = fill(makeLane(), [0, 100]);
  assert.deepEqual(xaxis.range, [-0.5, 99.5]);
  assert.deepEqual(xaxis.tickvals, [0, 20, 40, 60, 80]);
  assert.deepEqual(xaxis.ticktext, ["0 h", "2 h", "4 h", "6 h", "8 h"]);
  const close = fill(makeLane(), [12, 22]).xaxis;
  assert.deepEqual(close.ticktext, ["1.2 h", "1.4 h", "1.6 h", "1.8 h", "2 h"]);
  assert.deepEqual(close.tickvals, [12, 14, 16, 18, 20]);
  const long = fillScrubber(makeFrame(), [makeLane()], [0, 100], (position) => position * 99.7).layout.xaxis;
  assert.deepEqual(long.ticktext.slice(0, 3), ["0 h", "2,000 h", "4,000 h"]);
  assert.deepEqual(long.tickvals.slice(0, 3), [0, 21, 41]);
});

test("records that share a time have one tick, no time has none", () => {
  assert.deepEqual(fillScrubber(makeFrame(), [makeLane()], [5, 15], () => 7).layout.xaxis.ticktext, ["7.0 h"]);
  assert.deepEqual(fillScrubber(makeFrame(), [makeLane()], [5, 15], () => NaN).layout.xaxis.ticktext, []);
});

test("a phase's label moves into view and goes where there is no room; a note stays", () => {
  const labels = (range, width) => fill(makeLane(), range, width).annotations;
  assert.deepEqual(labels([0, 100], 1000).map(({ visible }) => visible), [true, true, undefined]);
  assert.deepEqual(labels([0, 100], 200).map(({ visible }) => visible), [false, true, undefined]);
  const [warmUp, measurement] = labels([40, 60], 1000);
  assert.deepEqual([warmUp.visible, measurement.visible, measurement.x], [false, true, 39.5]);
});

test("completions are ticks with gaps, in the row of their run", () => {
  const lanes = [makeLane(), makeLane({ badge: "B" })];
  const rug = trace(fillScrubber(makeFrame(2), lanes, [10, 100], clock), "completions-B");
  assert.deepEqual([...rug.x], [50, 50, NaN, 51, 51, NaN]);
  assert.deepEqual([...rug.y], [0.65, 1.35, NaN, 0.65, 1.35, NaN]);
});

test("the rug is thinned to one tick per pixel", () => {
  const completions = Float64Array.from({ length: 100_000 }, (_, k) => k);
  const thin = rugPositions(completions, [0, 100_000], 500);
  assert.equal(thin.length, 500);
  assert.deepEqual(rugPositions([1, 5, 5, 9, 10], [5, 10], 500), [5, 9]);
});

test("badges stand on the lines of their runs, and a run that is out of view has none", () => {
  const lanes = [makeLane({ n: 200 }), makeLane({ badge: "B" })];
  const all = trace(fillScrubber(makeFrame(2), lanes, [0, 200], clock), "badges");
  assert.deepEqual(all.text, ["A", "B"]);
  assert.ok(all.x[0] > 60 && all.x[0] < 70);
  assert.equal(all.x[1], 99.5); // it ended there
  assert.deepEqual(trace(fillScrubber(makeFrame(2), lanes, [120, 200], clock), "badges").text, ["A"]);
});

test("a run without rounds, and lanes that do not fit the frame", () => {
  const empty = { ...makeLane({ n: 0 }), completions: [] };
  const figure = fillScrubber(makeFrame(), [empty], [0, 10], clock);
  assert.equal(trace(figure, "jobs-A").x.length, 0);
  assert.deepEqual(figure.layout.yaxis2.range, [0, 1]);
  assert.throws(() => fillScrubber(makeFrame(2), [makeLane()], [0, 100], clock), /not for 1 runs/);
  const lane = makeLane();
  assert.throws(() => fill({ ...lane, x: lane.x.slice(1) }, [0, 100]), /expected 11 bounds, found 10/);
});

test("the tooltip says which rounds, means and their range", () => {
  assert.deepEqual(hoverLines([makeLane()], 42), [
    "Rounds 1,040–1,049, mean · from 4.0 h", "occupancy 46.0% (10–50%)", "27 jobs in the system (20–90)",
  ]);
  assert.deepEqual(hoverLines([makeLane({ each: 1 })], 99), [
    "Round 1,099 · 9.9 h", "occupancy 50.0%", "20 jobs in the system",
  ]);
  assert.equal(hoverLines([makeLane()], 99)[0], "Rounds 1,090–1,099, mean · from 9.0 h");
});

test("several runs have a line each, and none invents rounds", () => {
  const [b, c] = [makeLane({ badge: "B", n: 50, shift: 0.4, each: 1 }), makeLane({ badge: "C", n: 50 })];
  const lines = hoverLines([makeLane(), b, c], 50);
  assert.equal(lines[1], "A · rounds 1,050–1,059 from 5.0 h · 50.0% · 20 jobs");
  assert.equal(lines[2], "B · round 1,049 at 4.9 h · 50.0% · 20 jobs"); // its last record begins at position 49.4
  assert.equal(lines[3], "C · no rounds loaded here");
  assert.equal(hoverLines([makeLane({ badge: "B", n: 50 })], 50)[0], "no rounds loaded here");
  assert.equal(hoverLines([makeLane({ shift: 20 })], 19)[0], "no rounds loaded here");
});

test("pixels and positions agree", () => {
  for (const range of [[0, 1_000_000], [17, 27], [0, 1]]) {
    for (const position of [range[0], range[1] - 1]) {
      assert.equal(positionAt(pixelOf(position, 733, range), 733, range), position);
    }
  }
  assert.equal(positionAt(-50, 700, [10, 20]), 10);
  assert.equal(positionAt(9999, 700, [10, 20]), 19);
  assert.equal(positionAt(5, 0, [10, 20]), 10);
});

test("zooming keeps the anchor in place and stays within the timeline", () => {
  const range = zoomRange([0, 1000], 1000, 249, 0.5);
  assert.deepEqual(range, [125, 625]);
  assert.ok(Math.abs(pixelOf(249, 800, range) - pixelOf(249, 800, [0, 1000])) <= 1);
  assert.deepEqual(zoomRange([0, 1000], 1000, 0, 0.001), [0, 10]);
  assert.deepEqual(zoomRange([990, 1000], 1000, 995, 0.5), [990, 1000]);
  assert.deepEqual(zoomRange([400, 500], 1000, 450, 1e9), [0, 1000]);
  assert.deepEqual(zoomRange([0, 4], 4, 1, 0.1), [0, 4]); // a run shorter than the least width
  assert.deepEqual(zoomRange([500, 510], 1000, 505, 1.004), [499, 510]); // the least step still opens it
});

test("panning stops at the ends", () => {
  assert.deepEqual(panRange([10, 30], 100, 15.4), [25, 45]);
  assert.deepEqual(panRange([10, 30], 100, -99), [0, 20]);
  assert.deepEqual(panRange([10, 30], 100, 99), [80, 100]);
});
