// The controller: which round is due, what the worker is asked for, what is handed to the renderers. No DOM; the page
// gives it a worker, a clock and animation frames.

import { Model } from "../model/model.mjs";
import { SPEEDS, chunksAhead, duePosition } from "./clock.mjs";
import { Timeline } from "../model/timeline.mjs";

const WINDOW_MS = 1000;

export class Player {
  #frame = 0;
  #from = 0;
  #since = 0;
  #drawnAt = [];
  #counts = { drawn: 0, dropped: 0 };
  #stats = {};
  #isAsked = false; // whether a round was asked for since play began
  #seekAt = null;
  #lastJumpMs = null;
  #arrived = null;
  #undrawn = new Map(); // key -> { serial, rows } that changed in frames that were not drawn
  #waiting = [];

  /** post(message, transfers) reaches the worker; onDraw(shown) paints; the rest is injectable time. */
  constructor({ post, onDraw, onProblem, now = () => performance.now(), requestFrame = requestAnimationFrame.bind(globalThis), cancelFrame = cancelAnimationFrame.bind(globalThis) }) {
    Object.assign(this, { post, onDraw, onProblem, now, requestFrame, cancelFrame });
    this.generation = 0;
    this.sequence = 0;
    this.model = new Model({
      runs: [], position: 0, playing: false, speed: 1, align: "time", nodes: false, flash: false, difference: false,
      selectedJob: null, hidden: [], loop: null, colorBy: "category", shown: null,
    });
    this.timeline = new Timeline([], "time");
    this.model.on(["nodes", "flash", "difference", "selectedJob", "hidden", "colorBy"], () => this.ask());
    this.model.on(["speed", "loop"], () => this.#rebase());
  }

  /** Run objects in order, A first; keeps A's record where it is. */
  setRuns(runs, index = null) {
    const before = this.index;
    const isSame = runs[0] === this.model.get("runs")[0];
    this.model.set({ runs });
    this.timeline = this.#newTimeline();
    this.seek(runs.length ? this.timeline.positionOf(0, index ?? (isSame ? before : 0)) : 0);
  }

  /** Build the timeline anew (another alignment, clocks that came): run A stays at its record, the others follow. */
  realign() {
    const { runs, position } = this.model.all();
    const before = runs.map((_, k) => this.timeline.indexOf(k, position));
    this.timeline = this.#newTimeline();
    const now = runs.length ? this.timeline.positionOf(0, before[0]) : 0;
    const moves = now !== position || runs.some((_, k) => this.timeline.indexOf(k, now) !== before[k]);
    if (moves) this.seek(now);
    else this.ask(); // clocks that came may change colours where they move nothing
  }

  #newTimeline() {
    const { runs, align } = this.model.all();
    return new Timeline(
      runs.map((run) => ({ nRounds: run.nRounds, simTimeS: run.clock?.simTimeS ?? null, arrivals: align === "arrivals" ? run.arrivals : null })),
      align,
    );
  }

  /** Run A's record. */
  get index() {
    return this.model.get("runs").length ? this.timeline.indexOf(0, this.model.get("position")) : 0;
  }

  get last() {
    return Math.max(0, this.timeline.nPositions - 1);
  }

  /** Go to a position; a playing clock goes on from there. */
  seek(position) {
    const target = Math.max(0, Math.min(this.last, Math.round(position)));
    this.#seekAt = this.now();
    this.generation += 1;
    this.model.set({ position: target });
    this.#rebase();
    this.ask();
  }

  /** Go to a record of run A. */
  seekIndex(index) {
    this.seek(this.timeline.positionOf(0, index));
  }

  step(by) {
    this.seek(this.model.get("position") + by);
  }

  toggle() {
    if (this.model.get("playing")) this.pause();
    else this.play();
  }

  play() {
    if (this.model.get("runs").length === 0 || this.model.get("playing")) return;
    const { position, loop } = this.model.all();
    if (position >= this.last && !(loop && position <= loop[1])) this.seek(0);
    this.model.set({ playing: true });
    this.#rebase();
    this.#drawnAt = [];
    this.#isAsked = false;
    this.cancelFrame(this.#frame);
    this.#frame = this.requestFrame(() => this.#tick());
  }

  pause() {
    if (!this.model.get("playing")) return;
    this.model.set({ playing: false });
    // What is due counts, not what was drawn last: the round on screen and the clock agree at rest.
    this.ask();
  }

  faster(by) {
    const at = SPEEDS.indexOf(this.model.get("speed"));
    this.model.set({ speed: SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))] });
  }

  /** Begin or end of the loop at the position on screen; a loop needs both, in order. */
  loopFrom() {
    const { position, loop } = this.model.all();
    this.model.set({ loop: [position, loop && loop[1] > position ? loop[1] : this.last] });
  }

  loopTo() {
    const { position, loop } = this.model.all();
    this.model.set({ loop: [loop && loop[0] < position ? loop[0] : 0, position] });
  }

  #rebase() {
    this.#from = this.model.get("position");
    this.#since = this.now();
  }

  #tick() {
    const { playing, speed, loop, position } = this.model.all();
    if (!playing) return;
    const due = duePosition({ from: this.#from, elapsedMs: this.now() - this.#since, speed, last: this.last, loop });
    const drew = this.#draw();
    if (due.position !== position) {
      if (!drew && this.#isAsked) this.#counts.dropped += 1;
      this.model.set({ position: due.position });
      this.ask();
    }
    if (due.ended) this.pause();
    else this.#frame = this.requestFrame(() => this.#tick());
  }

  /** Ask the worker for the rounds at the position. */
  ask() {
    const { runs, position, playing, speed, loop, nodes, flash, difference, selectedJob, hidden, colorBy } = this.model.all();
    if (runs.length === 0) return;
    this.sequence += 1;
    const loopChunksOf = (run, k) => (loop === null ? null : loop.map((at) => Math.floor(this.timeline.indexOf(k, at) / run.meta.chunkRounds)));
    const wants = runs.map((run, k) => {
      const index = this.timeline.indexOf(k, position);
      const { chunkRounds, nRounds } = run.meta;
      const chunk = Math.floor(index / chunkRounds);
      const nChunks = Math.ceil(nRounds / chunkRounds);
      const ahead = playing ? chunksAhead({ k: chunk, chunkRounds, nChunks, speed, loopChunks: loopChunksOf(run, k) }) : [];
      return { key: run.key, index, ahead };
    });
    this.#isAsked = true;
    const view = { nodes, flash, difference, selectedJob, hidden, needsSince: colorBy === "on_gpu" };
    this.post({ type: "show", generation: this.generation, sequence: this.sequence, position, playing, wants, view });
  }

  /** A message of the worker about frames. */
  receive(message) {
    if (message.type === "problem") {
      if (message.generation !== this.generation) return;
      // Playing on would ask for what fails again with every frame.
      this.model.set({ playing: false });
      this.#waiting.splice(0).forEach(({ reject }) => reject(new Error(message.message)));
      this.onProblem(message);
      return;
    }
    this.#stats = message.stats;
    // What was asked before a jump must never be painted after it.
    if (message.generation !== this.generation) {
      this.#skip(message);
      return;
    }
    if (this.#arrived) this.#skip(this.#arrived);
    this.#arrived = message;
    if (!this.model.get("playing")) {
      this.cancelFrame(this.#frame);
      this.#frame = this.requestFrame(() => this.#draw());
    }
  }

  /** A frame that is not drawn: what changed there still has to be handed on. */
  #skip({ painted }) {
    for (const { key, serial, rows } of painted) {
      const before = this.#undrawn.get(key);
      if (rows) this.#undrawn.set(key, { serial, rows: before?.serial === serial ? union(before.rows, rows) : rows });
    }
    this.#recycle(painted);
  }

  #addUndrawn({ painted }) {
    for (const one of painted) {
      const before = this.#undrawn.get(one.key);
      if (before?.serial === one.serial) one.rows = one.rows ? union(before.rows, one.rows) : before.rows;
      this.#undrawn.delete(one.key);
    }
  }

  #draw() {
    const message = this.#arrived;
    if (message === null) return false;
    this.#arrived = null;
    if (message.generation !== this.generation) {
      this.#skip(message);
      return false;
    }
    this.#addUndrawn(message);
    const before = this.model.get("shown");
    this.onDraw(message);
    this.model.set({ shown: message });
    if (before) this.#recycle(before.painted);
    const now = this.now();
    this.#counts.drawn += 1;
    this.#drawnAt.push(now);
    while (this.#drawnAt[0] < now - WINDOW_MS) this.#drawnAt.shift();
    if (this.#seekAt !== null) {
      this.#lastJumpMs = now - this.#seekAt;
      this.#seekAt = null;
    }
    this.#waiting.splice(0).forEach(({ resolve }) => resolve(message));
    return true;
  }

  /** Go to a position and resolve when it is on screen, or where another jump has led meanwhile; reject where it cannot
   * be loaded. For films. */
  show(position) {
    this.seek(position); // nothing that was asked for before is drawn any more
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #recycle(painted) {
    const buffers = painted.flatMap(({ pixels, ids }) => [pixels.buffer, ids.buffer]).filter((buffer) => buffer.byteLength > 0);
    this.post({ type: "recycle", buffers }, buffers);
  }

  /** Figures for tests and benchmarks, read from the real page. */
  stats() {
    const now = this.now();
    const { shown, playing } = this.model.all();
    return {
      round: shown?.painted[0]?.head.round ?? null,
      index: shown?.painted[0]?.index ?? null,
      playing,
      fps: this.#drawnAt.filter((at) => at > now - WINDOW_MS).length,
      ...this.#counts,
      lastJumpMs: this.#lastJumpMs,
      bytesFetched: this.#stats.bytesFetched ?? 0, requests: this.#stats.requests ?? 0,
      cacheHits: this.#stats.hits ?? 0, cacheMisses: this.#stats.misses ?? 0,
      heldBytes: this.#stats.heldBytes ?? 0, chunks: this.#stats.chunks ?? 0, aborted: this.#stats.aborted ?? 0,
    };
  }
}

const union = ([a, b], [c, d]) => [Math.min(a, c), Math.max(b, d)];
