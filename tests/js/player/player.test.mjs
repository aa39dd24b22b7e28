// The controller with a worker, a clock and animation frames that the tests hold in their hands.
import assert from "node:assert/strict";
import test from "node:test";

import { SPEEDS } from "../../../assets/player/controller/clock.mjs";
import { makeRandom } from "./make_frame.mjs";
import { Bench, ROWS, makeRun } from "./player_bench.mjs";

const floorOf = (elapsedMs, speed) => Math.floor((elapsedMs * 5 * speed) / 1000);

test("at every speed the position is floor(t * 5 * speed), with irregular frames and slow answers; the screen follows", () => {
  for (const speed of SPEEDS) {
    const random = makeRandom(speed);
    const bench = new Bench([makeRun("a", 1e5), makeRun("b", 1e5)]);
    bench.settle();
    bench.model.set({ speed });
    bench.player.play();
    const start = bench.nowMs;
    for (let k = 0; k < 400; k += 1) {
      bench.frame(random.pick([1, 7, 16, 17, 33, 250]));
      assert.equal(bench.position, floorOf(bench.nowMs - start, speed), `${bench.nowMs - start} ms at ${speed}x`);
      if (random() < 0.4 && bench.asked.length > 0) bench.answer(random.pick(bench.asked)); // often not the newest
    }
    const { round, drawn, dropped, playing } = bench.player.stats();
    assert.ok(playing && drawn > 10 && (speed < 5 || dropped > 10));
    assert.equal(round, bench.shownIndex);
  }
});

test("a change of speed counts from the position on screen", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.player.play();
  bench.frame(1000);
  assert.equal(bench.position, 5);
  bench.player.faster(1);
  assert.equal(bench.model.get("speed"), 2);
  bench.frame(1000);
  assert.equal(bench.position, 15);
  bench.player.faster(99);
  assert.equal(bench.model.get("speed"), 100);
  bench.player.faster(-99);
  assert.equal(bench.model.get("speed"), 0.25);
});

test("a seek while playing goes on from there", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.player.play();
  bench.frame(1000);
  bench.nowMs += 150;
  bench.player.seek(300);
  assert.equal(bench.position, 300);
  bench.frame(199);
  assert.equal(bench.position, 300);
  bench.frame(1);
  assert.equal(bench.position, 301);
  bench.player.step(-10);
  bench.frame(400);
  assert.equal(bench.position, 293);
});

test("loops wrap; from before a loop play runs into it; behind it the end comes", () => {
  const bench = new Bench([makeRun("a", 100)]);
  bench.player.seek(8);
  bench.model.set({ loop: [10, 14] });
  bench.player.play();
  const seen = Array.from({ length: 14 }, () => { bench.frame(200); return bench.position; });
  assert.deepEqual(seen, [9, 10, 11, 12, 13, 14, 10, 11, 12, 13, 14, 10, 11, 12]);
  bench.player.seek(97);
  bench.frame(10_000);
  assert.deepEqual([bench.position, bench.model.get("playing")], [99, false]);
  // Play at the end begins anew, also where a loop lies before it.
  bench.player.play();
  bench.frame(200);
  assert.deepEqual([bench.position, bench.model.get("playing")], [1, true]);
});

test("both ends of a loop can be set from the position, in either order", () => {
  const bench = new Bench([makeRun("a", 100)]);
  const at = (position, what) => { bench.player.seek(position); bench.player[what](); return bench.model.get("loop"); };
  assert.deepEqual(at(20, "loopFrom"), [20, 99]);
  assert.deepEqual(at(30, "loopTo"), [20, 30]);
  assert.deepEqual(at(25, "loopFrom"), [25, 30]);
  assert.deepEqual(at(40, "loopFrom"), [40, 99]);
  assert.deepEqual(at(10, "loopTo"), [0, 10]);
});

test("pause keeps the position, and the screen comes to it", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.settle();
  bench.player.play();
  for (let k = 0; k < 5; k += 1) bench.frame(200);
  bench.answer(bench.asked[0]); // a frame that is long over
  bench.player.pause();
  assert.equal(bench.position, 5);
  const { playing, wants } = bench.asked.at(-1);
  assert.deepEqual([playing, wants[0].index, wants[0].ahead], [false, 5, []]);
  bench.settle();
  bench.nowMs += 60_000;
  bench.settle();
  assert.deepEqual([bench.position, bench.shownIndex, bench.asked.length], [5, 5, 0]);
});

test("the end stops and is drawn at rest; play begins anew", () => {
  const bench = new Bench([makeRun("a", 20)]);
  bench.player.toggle();
  bench.frame(60_000);
  assert.deepEqual([bench.position, bench.model.get("playing"), bench.asked.at(-1).playing], [19, false, false]);
  bench.settle();
  assert.equal(bench.shownIndex, 19);
  bench.player.toggle();
  assert.deepEqual([bench.position, bench.model.get("playing")], [0, true]);
});

test("what was asked for before a jump is never drawn after it", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.settle();
  bench.player.seek(10);
  const old = bench.paint();
  bench.player.seek(500);
  bench.player.receive(old);
  bench.frame(16);
  assert.equal(bench.shownIndex, 0);
  // Also where it had come but was not yet drawn.
  bench.answer();
  bench.player.seek(20);
  bench.frame(16);
  assert.equal(bench.shownIndex, 0);
  bench.settle();
  assert.equal(bench.shownIndex, 20);
  // Nor does one that comes late take the place of the newer one.
  bench.player.seek(30);
  const late = bench.paint();
  bench.player.seek(40);
  bench.answer();
  bench.player.receive(late);
  bench.frame(16);
  assert.equal(bench.shownIndex, 40);
});

test("rows that changed in frames nobody saw reach the screen, across jumps too", () => {
  const random = makeRandom(4);
  const bench = new Bench([makeRun("a", 3000), makeRun("b", 2000)]);
  const painted = [];
  for (let k = 0; k < 3000; k += 1) {
    const act = random();
    if (act < 0.02) bench.player.seek(random.below(3000));
    else if (act < 0.1) bench.player.step(random.pick([-1, 1]));
    else if (act < 0.12) bench.player.toggle();
    else if (act < 0.4 && bench.asked.length > 0) painted.push(bench.paint(random.pick(bench.asked)));
    else if (act < 0.75 && painted.length > 0) bench.player.receive(painted.shift());
    else bench.frame(50);
  }
  painted.forEach((message) => bench.player.receive(message));
  bench.player.pause();
  bench.player.ask();
  bench.settle();
  assert.ok(bench.drawn.length > 100);
  assert.equal(bench.shownIndex, bench.position);
});

test("rows of a frame that was replaced do not count in the new one", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  const old = bench.paint();
  bench.serial = 2;
  bench.last.clear();
  old.painted[0].rows = [0, 500]; // of a taller picture
  bench.player.receive(old);
  bench.player.ask();
  bench.answer();
  bench.frame(16);
  assert.deepEqual(bench.drawn.map(({ painted }) => painted[0].rows), [[0, ROWS]]);
});

test("buffers go back to the worker once they are off the screen, and only then", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.settle();
  const onScreen = () => bench.model.get("shown").painted[0].pixels.byteLength > 0;
  for (let k = 1; k < 6; k += 1) {
    bench.player.step(1);
    assert.ok(onScreen());
    bench.settle();
    assert.ok(onScreen());
  }
  assert.equal(bench.posted.filter(({ type }) => type === "recycle").length, 5);
});

test("show resolves when its own record is on screen", async () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.settle();
  const shown = bench.player.show(77);
  bench.player.ask(); // a highlight or a filter asks anew
  bench.answer(bench.asked[0]);
  bench.frame(16);
  const message = await shown;
  assert.deepEqual([message.painted[0].index, bench.shownIndex], [77, 77]);
});

test("a round that cannot be loaded stops play, is told once, and can be tried again", async () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.settle();
  bench.player.play();
  bench.frame(1000);
  const problem = { type: "problem", generation: bench.player.generation, message: "the line is down", key: "a" };
  bench.player.receive(problem);
  assert.deepEqual([bench.model.get("playing"), bench.problems.length], [false, 1]);
  bench.frame(1000);
  assert.equal(bench.position, 5);
  const shown = bench.player.show(6); // who waits for it is not left waiting
  bench.player.receive({ ...problem, generation: bench.player.generation });
  await assert.rejects(shown, /the line is down/);
  bench.player.step(1);
  bench.player.receive(problem); // of the generation before
  assert.equal(bench.problems.length, 2);
  bench.settle();
  assert.equal(bench.shownIndex, 7);
});

test("while playing the chunks to come are asked for, in a loop its beginning", () => {
  const bench = new Bench([makeRun("a", 1000), makeRun("b", 500)]);
  bench.model.set({ speed: 20 });
  bench.player.seek(480);
  assert.deepEqual(bench.asked.at(-1).wants, [{ key: "a", index: 480, ahead: [] }, { key: "b", index: 480, ahead: [] }]);
  bench.player.play();
  bench.frame(10);
  assert.deepEqual(bench.asked.at(-1).wants.map(({ ahead }) => ahead), [[10, 11, 12, 13], []]);
  bench.model.set({ loop: [400, 520] });
  bench.player.ask();
  assert.deepEqual(bench.asked.at(-1).wants.map(({ ahead }) => ahead), [[10, 8], [8]]);
});

test("run A stays at its record when others come and go, and when clocks come", () => {
  const [a, b] = [makeRun("a", 300), makeRun("b", 900)];
  const bench = new Bench([a]);
  bench.player.seekIndex(200);
  bench.player.setRuns([a, b]);
  assert.deepEqual([bench.player.index, bench.player.last], [200, 899]);
  bench.player.seek(800);
  assert.deepEqual(bench.asked.at(-1).wants.map(({ index }) => index), [299, 800]);
  bench.player.setRuns([a]);
  assert.deepEqual([bench.player.index, bench.position], [299, 299]);
  bench.player.setRuns([b], 40);
  assert.equal(bench.player.index, 40);
  b.clock = { simTimeS: b.clock.simTimeS.map((time) => 2 * time) };
  bench.player.setRuns([b, a]);
  assert.deepEqual([bench.player.index, bench.asked.at(-1).wants.map(({ index }) => index)], [40, [40, 79]]);
  bench.player.setRuns([makeRun("c", 10)]);
  assert.equal(bench.player.index, 0);
});

test("what colours depend on is asked for anew; nothing is asked where nothing changes", () => {
  const bench = new Bench([makeRun("a", 100)]);
  bench.settle();
  bench.model.set({ colorBy: "on_gpu", selectedJob: 7 });
  assert.equal(bench.asked.length, 1);
  assert.deepEqual(bench.asked[0].view, { nodes: false, flash: false, difference: false, selectedJob: 7, hidden: [], needsSince: true });
  bench.model.set({ selectedJob: 7 });
  assert.equal(bench.asked.length, 1);
});

test("clocks that come and move nothing are still asked for anew: colours by time depend on them", () => {
  const run = makeRun("a", 100);
  const { clock } = run;
  run.clock = null;
  const bench = new Bench([run]);
  bench.settle();
  const { generation } = bench.player;
  run.clock = clock;
  bench.player.realign();
  assert.deepEqual([bench.asked.length, bench.player.generation], [1, generation]);
});

test("without runs, and with a run of one record, nothing breaks", () => {
  const none = new Bench([]);
  none.player.play();
  none.player.step(3);
  assert.deepEqual([none.model.get("playing"), none.position, none.asked.length, none.player.index], [false, 0, 0, 0]);
  const one = new Bench([makeRun("a", 1)]);
  one.player.play();
  one.frame(16);
  one.settle();
  assert.deepEqual([one.model.get("playing"), one.shownIndex], [false, 0]);
});

test("figures: drawings in the last second, dropped frames, and how long the last jump took", () => {
  const bench = new Bench([makeRun("a", 1000)]);
  bench.settle();
  bench.nowMs = 5000;
  bench.player.seek(50);
  bench.nowMs += 120;
  bench.answer();
  bench.frame(30);
  const rest = bench.player.stats();
  assert.deepEqual([rest.lastJumpMs, rest.fps, rest.drawn, rest.dropped, rest.index, rest.requests], [150, 1, 2, 0, 50, 2]);
  bench.player.play();
  for (let k = 0; k < 10; k += 1) {
    bench.frame(200);
    if (k % 2) bench.answer();
  }
  const { fps, dropped, drawn, round } = bench.player.stats();
  assert.deepEqual([fps, dropped, drawn, round], [2, 5, 6, 58]);
});
