// An engine in the hands of a test: files in memory, and what it posts.
import assert from "node:assert/strict";

import { Engine } from "../../../assets/player/worker/engine.mjs";
import { makeFrame } from "./make_frame.mjs";
import { MemorySource, makeViz } from "./make_viz.mjs";

const BACKGROUND = "#ffffff";
export const PLAIN_VIEW = { nodes: false, flash: false, difference: false, selectedJob: null, hidden: [], needsSince: false };

/** Let everything that waits for nothing but its turn run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** files: { key: bytes }. */
export class EngineBench {
  posted = [];
  sources = {};
  #sequence = 0;

  constructor(files = {}) {
    for (const [key, bytes] of Object.entries(files)) this.sources[key] = new MemorySource(bytes);
    // As a real worker: what is handed over is gone, and cannot be handed over twice.
    const post = (message, transfers = []) => this.posted.push(structuredClone(message, { transfer: transfers }));
    this.engine = new Engine(post, async ({ name }) => this.sources[name]);
  }

  /** Open files and give each a frame of its own bands. */
  static async opened(files, frameOptions = {}) {
    const bench = new EngineBench(files);
    for (const key of Object.keys(files)) {
      await bench.open(key);
      assert.equal(bench.posted.at(-1).type, "opened", bench.posted.at(-1).message);
      bench.frame(key, frameOptions);
    }
    return bench;
  }

  open(key, order = null) {
    return this.engine.handle({ type: "open", key, source: { name: key }, order });
  }

  frame(key, { columns = 400, parts, rule, serial = 1 } = {}) {
    const { reader } = this.engine.slots.get(key);
    const bands = reader.gpuTypes.map(({ name, count, gpusPerNode }) => [name, count, gpusPerNode]);
    const frame = makeFrame({ bands, columns, parts: parts ?? (reader.header.offsets.sharing > 0 ? 2 : 1), rule });
    this.engine.handle({ type: "frame", key, frame, background: BACKGROUND, serial });
  }

  /** Ask for records: { key: index }. Resolves when the engine rests, or at once where it is busy. */
  show(indexes, { view = {}, generation = 1, playing = false, ahead = [] } = {}) {
    this.#sequence += 1;
    const wants = Object.entries(indexes).map(([key, index]) => ({ key, index, ahead }));
    return this.engine.handle({ type: "show", generation, sequence: this.#sequence, playing, wants, view: { ...PLAIN_VIEW, ...view } });
  }

  ofType(type) {
    return this.posted.filter((message) => message.type === type);
  }

  /** What was painted last, the first run of it or that of a key. */
  painted(key) {
    const { painted } = this.ofType("shown").at(-1);
    return key === undefined ? painted[0] : painted.find((one) => one.key === key);
  }

  /** Codes of parts of GPUs in what was painted last, by their pixels; a dimmed one is "(code)". All in one row. */
  codes(key, n) {
    const slot = this.engine.slots.get(key);
    const { look, pixels } = this.painted(key);
    const { places, luts } = slot.painter;
    const lut = luts[look];
    return Array.from(places.subarray(0, n)).map((place) => {
      const code = lut.indexOf(pixels[place]);
      return code < 128 ? String(code) : `(${code - 128})`;
    }).join(" ");
  }
}

export const N_GPUS = 40_000; // 160,032 bytes a round: two rounds a chunk

/** Nine rounds of a large cluster in five chunks: GPU 0 holds job 100 + i in round i, GPU 1 job 7 always, as stored. */
export function makeLarge() {
  const ids = (i) => new Uint32Array(N_GPUS).fill(100 + i, 0, 1).fill(7, 1, 2);
  return makeViz({ types: [["k80", N_GPUS]], rounds: Array.from({ length: 9 }, (_, i) => ({ used: [2], ids: ids(i), queue: [i] })) }).bytes;
}
