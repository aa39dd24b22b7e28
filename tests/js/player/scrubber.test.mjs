// The scrubber's track on a stand-in for the DOM, with animation frames by hand.
import assert from "node:assert/strict";
import test from "node:test";

import { Scrubber } from "../../../assets/player/renderer/scrubber.mjs";

class FakeElement extends EventTarget {
  style = {};
  hidden = false;
  children = [];
  clientWidth = 500;
  captured = new Set();
  ownerDocument = { createElement: () => new FakeElement() };
  append(...children) {
    this.children.push(...children);
    for (const child of children) child.parent = this;
  }
  replaceChildren(...children) {
    this.children = children;
  }
  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
  }
  setPointerCapture(id) {
    this.captured.add(id);
  }
  getBoundingClientRect() {
    return { left: 100 };
  }
}

/** A scrubber over 1,000 positions on a track of 500 pixels (two a pixel), with what it called, and frames by hand. */
function makeScrubber() {
  const frames = [];
  globalThis.requestAnimationFrame = (callback) => frames.push(callback);
  globalThis.cancelAnimationFrame = () => frames.splice(0);
  globalThis.ResizeObserver = class {
    observe() {}
    disconnect() {}
  };
  const track = new FakeElement();
  const calls = [];
  const note = (name) => (value) => calls.push(value === undefined ? name : [name, value]);
  const scrubber = new Scrubber({
    element: new FakeElement(), track, nPositions: 1000,
    onSeek: note("seek"), onScrubStart: note("start"), onScrubEnd: note("end"), onRange: note("range"),
  });
  const send = (type, px, more = {}) => {
    const event = Object.assign(new Event(type, { cancelable: true }), {
      clientX: 100 + px, pointerId: 1, pointerType: "mouse", button: 0, shiftKey: false, deltaMode: 0, ...more,
    });
    track.dispatchEvent(event);
    return event;
  };
  const frame = () => frames.splice(0).forEach((callback) => callback());
  const mark = (name) => track.children.find((child) => child.className === `cluster-${name}`);
  return { scrubber, track, calls, send, frame, mark, frames };
}

test("a drag seeks once per animation frame, and the last place before the end", () => {
  const { calls, send, frame, track } = makeScrubber();
  send("pointerdown", 50);
  assert.ok(track.captured.has(1));
  for (const px of [60, 70, 80]) send("pointermove", px);
  frame();
  assert.deepEqual(calls, ["start", ["seek", 160]]);
  send("pointermove", 80);
  frame();
  assert.equal(calls.length, 2); // the same place again
  send("pointermove", 9000);
  send("lostpointercapture", 9000);
  assert.deepEqual(calls.slice(2), [["seek", 999], "end"]);
  send("pointermove", 10);
  frame();
  assert.equal(calls.length, 4); // nothing is down
});

test("only the main button of a mouse scrubs", () => {
  const { calls, send, frame } = makeScrubber();
  send("pointerdown", 50, { button: 2 });
  frame();
  assert.deepEqual(calls, []);
});

test("the wheel zooms about the cursor and does not scroll the page", () => {
  const { calls, send, frame } = makeScrubber();
  const event = send("wheel", 250, { deltaY: -100 });
  send("wheel", 250, { deltaY: -100 });
  frame();
  assert.ok(event.defaultPrevented);
  assert.equal(calls.length, 1);
  const [from, to] = calls[0][1];
  assert.ok(to - from < 760 && to - from > 720);
  assert.ok(Math.abs((from + to) / 2 - 500) <= 1);
  send("dblclick", 250);
  frame();
  assert.deepEqual(calls[1], ["range", [0, 1000]]);
  send("wheel", 250, { deltaY: 100 });
  frame();
  assert.equal(calls.length, 2); // the whole run is in view already
});

test("shift and drag pans, and does not seek", () => {
  const { scrubber, calls, send, frame } = makeScrubber();
  scrubber.setRange([400, 500]);
  send("pointerdown", 100, { shiftKey: true });
  send("pointermove", 200);
  frame();
  assert.deepEqual(calls, [["range", [380, 480]]]);
});

test("two fingers zoom, and the first of them does not seek", () => {
  const { scrubber, calls, send, frame } = makeScrubber();
  const finger = (id) => ({ pointerId: id, pointerType: "touch" });
  scrubber.setPosition(77.5);
  send("pointerdown", 200, finger(1));
  frame();
  send("pointerdown", 300, finger(2));
  assert.deepEqual(calls, ["start", ["seek", 400], ["seek", 77], "end"]);
  send("pointermove", 150, finger(1));
  send("pointermove", 350, finger(2));
  frame();
  assert.deepEqual(calls[4], ["range", [250, 750]]);
  send("lostpointercapture", 350, finger(2));
  send("pointermove", 10, finger(1));
  frame();
  assert.equal(calls.length, 5);
});

test("the playhead, between positions too, and the loop follow the range", () => {
  const { scrubber, mark } = makeScrubber();
  scrubber.setPosition(99.5);
  assert.equal(mark("playhead").style.transform, "translateX(50px)");
  assert.equal(mark("loop").hidden, true);
  scrubber.setLoop(149, 100);
  scrubber.setRange([0, 200]);
  assert.equal(mark("playhead").style.transform, "translateX(250px)");
  assert.deepEqual([mark("loop").style.transform, mark("loop").style.width], ["translateX(250px)", "125px"]);
  scrubber.setLoop(null);
  assert.equal(mark("loop").hidden, true);
});

test("hovering shows the texts on the side with room, and leaving hides them", () => {
  const { scrubber, send, frame, mark } = makeScrubber();
  scrubber.setHover((position) => [`at ${position}`, "<b>"]);
  send("pointermove", 400);
  frame();
  assert.deepEqual(mark("tip").children.map((row) => row.textContent), ["at 800", "<b>"]);
  assert.match(mark("tip").style.transform, /-100%|- 100%/);
  assert.equal(mark("cursor").hidden, false);
  send("pointermove", 30);
  frame();
  assert.doesNotMatch(mark("tip").style.transform, /100%/);
  send("pointerleave", 30);
  frame();
  assert.deepEqual([mark("tip").hidden, mark("cursor").hidden], [true, true]);
});

test("destroy leaves nothing, twice too; a second scrubber takes a track over", () => {
  const { scrubber, track, calls, send, frame, frames } = makeScrubber();
  send("pointerdown", 10);
  scrubber.destroy();
  scrubber.destroy();
  assert.deepEqual([track.children.length, frames.length], [0, 0]);
  send("pointermove", 90);
  assert.equal(send("wheel", 90, { deltaY: -100 }).defaultPrevented, false); // the page scrolls again
  frame();
  assert.deepEqual(calls, ["start"]);
  const options = { element: new FakeElement(), track, nPositions: 10 };
  new Scrubber(options);
  new Scrubber(options);
  assert.equal(track.children.length, 4);
});

test("no positions, or no range, is said", () => {
  assert.throws(() => new Scrubber({ track: new FakeElement(), nPositions: 0 }), /number of positions, found 0/);
  assert.throws(() => makeScrubber().scrubber.setRange([NaN, 5]), /expected a range/);
});
