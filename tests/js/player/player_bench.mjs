// A player in the hands of a test: its worker, its clock, its animation frames and a screen.
import assert from "node:assert/strict";

import { Player } from "../../../assets/player/controller/player.mjs";

export const ROWS = 6;
/** What a run's picture has in a row, changing faster the higher the row. */
const contentOf = (index, row) => 1000 * row + Math.floor(index / (row + 1));

/** A run of `nRounds` records, as much of it as the player asks for. */
export function makeRun(key, nRounds, { chunkRounds = 50 } = {}) {
  return { key, nRounds, meta: { nRounds, chunkRounds }, clock: { simTimeS: Float32Array.from({ length: nRounds }, (_, i) => 360 * Math.max(0, i - 1)) } };
}

/** A player, a worker that answers when told, and a screen that takes over only the rows that are said to have changed. */
export class Bench {
  nowMs = 0;
  frames = new Map();
  asked = []; // show requests the worker has not answered
  posted = [];
  drawn = [];
  problems = [];
  serial = 1;
  last = new Map(); // what the worker painted last, by run
  screen = new Map();
  #ids = 0;

  constructor(runs) {
    this.player = new Player({
      post: (message, transfers = []) => {
        // As a real worker: what is handed over is gone, and cannot be handed over twice.
        const copy = structuredClone(message, { transfer: transfers });
        this.posted.push(copy);
        if (copy.type === "show") this.asked.push(copy);
      },
      onDraw: (shown) => this.#draw(shown),
      onProblem: (problem) => this.problems.push(problem),
      now: () => this.nowMs,
      requestFrame: (callback) => { this.frames.set(++this.#ids, callback); return this.#ids; },
      cancelFrame: (id) => this.frames.delete(id),
    });
    this.model = this.player.model;
    this.player.setRuns(runs);
  }

  /** The worker paints what was asked for; `request` is the newest by default, and those before it are forgotten. */
  paint(request = this.asked.at(-1)) {
    this.asked = this.asked.filter((other) => other.sequence > request.sequence);
    const painted = request.wants.map(({ key, index }) => {
      const now = Array.from({ length: ROWS }, (_, row) => contentOf(index, row));
      const before = this.last.get(key) ?? [];
      const changed = now.flatMap((value, row) => (value === before[row] ? [] : [row]));
      this.last.set(key, now);
      const rows = changed.length ? [changed[0], changed.at(-1) + 1] : null;
      return { key, index, serial: this.serial, head: { round: index }, rows, pixels: Uint32Array.from(now), ids: Uint32Array.of(index) };
    });
    const { generation, sequence, playing } = request;
    return { type: "shown", generation, sequence, playing, stats: { requests: sequence }, painted };
  }

  answer(request) {
    this.player.receive(this.paint(request));
  }

  /** Let time pass up to the next animation frame. */
  frame(ms) {
    this.nowMs += ms;
    const due = [...this.frames.values()];
    this.frames.clear();
    due.forEach((callback) => callback());
  }

  /** Answer and draw until nothing is due. */
  settle() {
    for (let k = 0; k < 10 && (this.asked.length > 0 || this.frames.size > 0); k += 1) {
      if (this.asked.length > 0) this.answer();
      this.frame(0);
    }
  }

  #draw(shown) {
    this.drawn.push(shown);
    for (const { key, rows, pixels, index } of shown.painted) {
      const screen = this.screen.get(key) ?? [];
      for (let row = rows?.[0] ?? 0; row < (rows?.[1] ?? 0); row += 1) screen[row] = pixels[row];
      this.screen.set(key, screen);
      assert.deepEqual(screen, Array.from({ length: ROWS }, (_, row) => contentOf(index, row)), `the screen shows record ${index}`);
    }
  }

  get shownIndex() {
    return this.drawn.at(-1)?.painted[0].index ?? null;
  }

  get position() {
    return this.model.get("position");
  }
}
