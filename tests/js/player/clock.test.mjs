// Which position is due, and what has to be read for it.
import assert from "node:assert/strict";
import test from "node:test";

import { SPEEDS, chunksAhead, duePosition } from "../../../assets/player/controller/clock.mjs";

const due = (values) => duePosition({ from: 0, elapsedMs: 0, speed: 1, last: 99, loop: null, ...values });

test("after every millisecond at every speed exactly floor(t * 5 * speed) rounds are due", () => {
  assert.deepEqual(SPEEDS, [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100]);
  for (const speed of SPEEDS) {
    for (let elapsedMs = 0; elapsedMs <= 20_000; elapsedMs += 1) {
      // In whole numbers: speed is a multiple of a quarter.
      const expected = 7 + Number((BigInt(elapsedMs) * 5n * BigInt(4 * speed)) / 4000n);
      const { position } = due({ from: 7, elapsedMs, speed, last: 1e9 });
      if (position !== expected) assert.equal(position, expected, `${elapsedMs} ms at ${speed}x`);
    }
  }
});

test("the end stops, no sooner and no later", () => {
  assert.deepEqual(due({ from: 97, elapsedMs: 399 }), { position: 98, ended: false });
  assert.deepEqual(due({ from: 97, elapsedMs: 400 }), { position: 99, ended: true });
  assert.deepEqual(due({ from: 97, elapsedMs: 1e9 }), { position: 99, ended: true });
});

test("a loop wraps from its end to its beginning, however long no frame came", () => {
  const loop = [10, 14];
  const at = (rounds, from = 10) => due({ from, elapsedMs: 200 * rounds, loop });
  assert.deepEqual([0, 4, 5, 9, 10, 5003].map((rounds) => at(rounds).position), [10, 14, 10, 14, 10, 13]);
  assert.deepEqual([0, 9, 14, 15].map((rounds) => at(rounds, 0).position), [0, 9, 14, 10]); // from before it
  assert.equal(at(1e6).ended, false);
  assert.deepEqual(due({ from: 3, elapsedMs: 1e6, loop: [3, 3] }), { position: 3, ended: false });
});

test("behind the loop play goes on to the end", () => {
  assert.deepEqual(due({ from: 15, elapsedMs: 1000, loop: [10, 14] }), { position: 20, ended: false });
  assert.deepEqual(due({ from: 15, elapsedMs: 1e6, loop: [10, 14] }), { position: 99, ended: true });
});

test("two seconds of play are read ahead, one chunk at least, never past the end or the bound", () => {
  const ahead = (values) => chunksAhead({ k: 0, chunkRounds: 100, nChunks: 1000, speed: 1, ...values });
  assert.deepEqual(ahead({}), [1]);
  assert.deepEqual(ahead({ speed: 50, k: 7 }), [8, 9, 10, 11, 12]);
  assert.equal(ahead({ speed: 100, chunkRounds: 1 }).length, 24);
  assert.deepEqual(ahead({ speed: 100, k: 997 }), [998, 999]);
  assert.deepEqual(ahead({ k: 999 }), []);
});

test("in a loop its beginning is read ahead of its end, each chunk once", () => {
  const ahead = (k, loopChunks) => chunksAhead({ k, chunkRounds: 10, nChunks: 9, speed: 10, loopChunks });
  assert.deepEqual(ahead(4, [2, 5]), [5, 2, 3]);
  assert.deepEqual(ahead(0, [2, 3]), [1, 2, 3]);
  assert.deepEqual(ahead(3, [3, 3]), []);
  assert.deepEqual(ahead(6, [2, 5]), [7, 8]); // behind it
});
