// What the worker does: load rounds, colour them, post them as pixels. No DOM; `post(message, transfers)` is given.
//
// Requests for frames are served one at a time; of those that wait only the newest counts. A new `generation` (a jump,
// another run) aborts the loading for the one before.

import { changesOf } from "./round_facts.mjs";
import { JobIndex, hoursCoder, remainingCoder, staticCoder, tableOf } from "./coloring.mjs";
import { nodeFacts, popularityOf } from "./blocks.mjs";
import { hiddenGpus } from "../decoder/clean_queue.mjs";
import { FileSource, RangeSource, ServerSource } from "../source/data_source.mjs";
import { Painter } from "./painter.mjs";
import { RunReader } from "../source/run_reader.mjs";
import { scanRun } from "../source/scan.mjs";
import { SinceTracker } from "./since.mjs";

/** How many chunks are loaded backwards at rest to learn since when jobs hold their GPUs. */
const MOST_CHUNKS_BACK = 8;

/** The byte source a message describes. */
async function openSource(source, signal) {
  if (source.kind === "server") return new ServerSource(source);
  if (source.kind === "url") return RangeSource.open(source.url, signal);
  return new FileSource(source.file);
}

export class Engine {
  constructor(post, open = openSource) {
    this.post = post;
    this.openSource = open;
    this.slots = new Map();
    this.pending = null;
    this.serving = null;
    this.pool = new Map();
  }

  handle(message) {
    return this[message.type](message);
  }

  /** Open a run under a key; answers `opened` or `failed`. */
  async open({ key, source, order }) {
    const abort = new AbortController();
    this.slots.set(key, { abort });
    try {
      const bytes = await this.openSource(source, abort.signal);
      const reader = await RunReader.open(bytes, { order, signal: abort.signal });
      if (this.slots.get(key)?.abort !== abort) return reader.close();
      const { header, config, jobs } = reader;
      if (header.nRounds === 0) throw new Error("it has no rounds: nothing was recorded");
      const jobIndex = new JobIndex(jobs, config.jobIdOffset);
      const times = { waitedH: null, completionS: null, simTimeS: null };
      this.slots.set(key, {
        abort, reader, times, coders: {}, tracker: new SinceTracker(header.nGpus), popularity: popularityOf(jobs.scaleFactor),
        run: {
          jobs, jobTypes: config.jobTypes, jobIndex, jobIdOffset: config.jobIdOffset,
          waitedHours: (row) => times.waitedH?.[row] ?? NaN,
          completionS: (row) => times.completionS?.[row] ?? NaN,
        },
      });
      this.post({
        type: "opened", key, jobs, nBytes: bytes.size,
        jobTypes: [...config.jobTypes],
        meta: {
          nRounds: header.nRounds, nGpus: header.nGpus, nJobs: header.nJobs, gpuTypes: reader.gpuTypes,
          policy: config.policy, window: config.window, jobIdOffset: config.jobIdOffset,
          hasSharing: Boolean(header.offsets.sharing), chunkRounds: reader.chunkRounds, experiment: config.raw.experiment ?? null,
        },
      });
    } catch (error) {
      if (error.name !== "AbortError") this.post({ type: "failed", key, message: error.message });
    }
    return null;
  }

  close({ key }) {
    const slot = this.slots.get(key);
    this.slots.delete(key);
    slot?.abort.abort();
    slot?.reader?.close();
  }

  /** Times that are not in a round: waitedH and completionS by job record (NaN where not known), simTimeS by round. */
  times({ key, waitedH, completionS, simTimeS }) {
    const slot = this.slots.get(key);
    if (!slot?.reader) return;
    Object.assign(slot.times, { waitedH, completionS, simTimeS });
    slot.coders = {};
  }

  /** The frame to paint into; `serial` comes back with what is painted into it. */
  frame({ key, frame, background, serial }) {
    const slot = this.slots.get(key);
    if (!slot?.reader) return;
    slot.serial = serial;
    slot.painter = new Painter(frame, background);
    slot.coders = {};
  }

  /** Scan a whole run that no server describes; answers `scanning` with the fraction done, then `scanned`. */
  async scan({ key }) {
    const slot = this.slots.get(key);
    if (!slot?.reader) return;
    try {
      const onProgress = (fraction) => this.post({ type: "scanning", key, fraction });
      const columns = await scanRun(slot.reader, { signal: slot.abort.signal, onProgress });
      this.post({ type: "scanned", key, columns });
    } catch (error) {
      if (error.name !== "AbortError") this.post({ type: "failed", key, message: error.message });
    }
  }

  async queue({ key, index, request }) {
    const slot = this.slots.get(key);
    if (!slot?.reader) return;
    try {
      this.post({ type: "queue", key, index, request, ids: await slot.reader.queue(index) });
    } catch (error) {
      const isAborted = error.name === "AbortError";
      this.post({ type: "queue", key, index, request, ids: null, isAborted, problem: isAborted ? "it was left meanwhile" : error.message });
    }
  }

  /** Since which record a job has held all of these GPUs, as far back as rounds are loaded. */
  held({ key, index, request, gpus, storedId }) {
    const reader = this.slots.get(key)?.reader;
    if (!reader) return;
    const holds = (i) => {
      const ids = reader.cached(reader.chunkOf(i))?.storedIds(i);
      return ids ? gpus.every((gpu) => ids[gpu] === storedId) : null;
    };
    // A second tenant of a shared GPU is not in the allocation array: nothing tells since when.
    let since = holds(index) ? { index, isBound: false } : null;
    while (since !== null && since.index > 0) {
      const before = holds(since.index - 1);
      if (before === null) since.isBound = true;
      if (!before) break;
      since = { index: since.index - 1, isBound: false };
    }
    this.post({ type: "held", key, request, since });
  }

  /** Buffers that are no longer on screen, to be painted again. */
  recycle({ buffers }) {
    for (const buffer of buffers) {
      const spare = this.pool.get(buffer.byteLength) ?? [];
      if (spare.length < 8) spare.push(buffer);
      this.pool.set(buffer.byteLength, spare);
    }
  }

  #words(n) {
    const buffer = this.pool.get(4 * n)?.pop();
    return buffer ? new Uint32Array(buffer) : new Uint32Array(n);
  }

  /** Paint a round of each run. wants: [{ key, index, ahead }]; view: what colours depend on. */
  async show(request) {
    this.pending = request;
    if (this.serving !== null) {
      if (request.generation !== this.serving.generation) this.#want(request);
      return;
    }
    while (this.pending !== null) {
      this.serving = this.pending;
      this.pending = null;
      try {
        await this.#serve(this.serving);
      } catch (error) {
        if (error.name !== "AbortError") {
          this.post({ type: "problem", generation: this.serving.generation, message: error.message, key: error.key ?? null });
        }
      }
    }
    this.serving = null;
  }

  #want(request) {
    for (const { key, index, ahead } of request.wants) {
      const reader = this.slots.get(key)?.reader;
      reader?.want(reader.chunkOf(index), ahead);
    }
  }

  async #serve(request) {
    const ready = request.wants.filter(({ key }) => this.slots.get(key)?.painter);
    this.#want({ wants: ready });
    const { flash } = request.view;
    await Promise.all(ready.map((want) => this.#load(want, flash ? want.index - 1 : want.index)));
    this.#post(request, ready);
    if (!request.playing && request.view.needsSince) await this.#lookBack(request, ready);
  }

  async #load({ key, index }, from) {
    const { reader } = this.slots.get(key);
    const chunk = reader.chunkOf(index);
    try {
      if (!reader.cached(chunk, { count: true })) await reader.load(chunk);
      if (from >= 0 && reader.chunkOf(from) !== chunk && !reader.cached(reader.chunkOf(from))) {
        await reader.load(reader.chunkOf(from));
      }
    } catch (error) {
      error.key = key;
      throw error;
    }
  }

  #post(request, wants) {
    // All are read before one is painted: what is damaged must not leave a painter ahead of the screen.
    const rounds = wants.map((want) => this.#read(want)).filter((round) => round !== null);
    const a = rounds.find(({ key }) => key === request.wants[0].key)?.slot ?? null;
    const painted = rounds.map((round) => this.#paint(round, request.view, a, request.playing));
    const transfers = painted.flatMap(({ pixels, ids }) => [pixels.buffer, ids.buffer]);
    this.post({ type: "shown", generation: request.generation, sequence: request.sequence, playing: request.playing, stats: this.stats(), painted }, transfers);
  }

  /** A round that is here; null where its run was closed meanwhile. */
  #read({ key, index }) {
    const slot = this.slots.get(key);
    const chunk = slot?.painter && slot.reader.cached(slot.reader.chunkOf(index));
    if (!chunk) return null;
    try {
      return { key, slot, index, head: chunk.head(index), stored: chunk.storedIds(index), sharing: chunk.sharing(index) };
    } catch (error) {
      error.key = key;
      throw error;
    }
  }

  /** `a`: the slot of run A, which is painted first. */
  #paint({ key, slot, index, head, stored, sharing }, view, a, playing) {
    const { painter, reader, run, tracker } = slot;
    const visible = stored.reduce((n, id) => n + (id === 0 ? 0 : 1), 0);
    const inUse = head.jobsRunning > 0 && head.gpusUsed.some((used) => used > 0);
    const hasAllocation = visible > 0 || !inUse;
    const idsOf = (i) => reader.cached(reader.chunkOf(i))?.storedIds(i) ?? null;
    if (view.needsSince) tracker.go(index, idsOf);
    const isCompared = view.difference && a !== null && a !== slot && a.painter.isComparable(painter);
    const look = isCompared ? "difference" : view.nodes ? "share" : "jobs";
    const how = {
      look,
      ...(look === "jobs" ? this.#coder(slot, head, stored) : { coder: null, table: null }),
      plainOf: (id) => (id === 0 ? -1 : id - run.jobIdOffset),
      other: isCompared ? a.painter.plainUnits(a.run.jobIdOffset) : null,
      // Job 0 stored as 0 cannot be told from idle: then no GPU is lit.
      selected: view.selectedJob === null ? -1 : view.selectedJob + run.jobIdOffset || Infinity,
      hidden: look === "jobs" && view.hidden.length > 0 ? flags(view.hidden) : null,
    };
    const { pixels, rows } = painter.paint({ ids: hasAllocation ? stored : null, sharing }, how, this.#words(painter.last.length));
    const ids = this.#words(stored.length);
    ids.set(stored);
    return {
      key, serial: slot.serial, index, head, hasAllocation, visible, pixels, rows, ids, sharing, look,
      blocks: nodeFacts({
        ids: stored, sharing, bands: painter.bands, gpusUsed: head.gpusUsed, popularity: slot.popularity,
        isKnown: hasAllocation && hiddenGpus({ storedIds: stored, sharing, head, jobs: run.jobs, jobIdOffset: run.jobIdOffset }) === 0,
      }),
      changes: view.flash && index > 0 ? changesOf(stored, idsOf(index - 1)) : null,
      since: view.needsSince ? { records: tracker.since.slice(), isBound: tracker.isBound.slice() } : null,
      codes: playing ? null : painter.rowsOfCodes(),
    };
  }

  #coder(slot, head, stored) {
    const { rule } = slot.painter.looks.jobs;
    const { run, coders, tracker } = slot;
    if (rule.kind === "remaining") return { coder: remainingCoder(rule, run, head.simTimeS), table: null };
    if (rule.kind === "on_gpu") {
      const perGpu = slot.painter.parts * slot.painter.parts;
      const { simTimeS } = slot.times;
      const hoursOf = (unit, id) => {
        const gpu = Math.floor(unit / perGpu);
        // A second tenant is not in the allocation array: nothing tells since when.
        return stored[gpu] === id ? (head.simTimeS - (simTimeS?.[tracker.since[gpu]] ?? NaN)) / 3600 : NaN;
      };
      return { coder: hoursCoder(rule, hoursOf), table: null };
    }
    if (!coders.coder) {
      const coder = staticCoder(rule, run);
      const largest = run.jobs.jobId.reduce((a, b) => Math.max(a, b), 0) + run.jobIdOffset;
      Object.assign(coders, { coder, table: tableOf(coder, largest) });
    }
    return coders;
  }

  async #lookBack(request, wants) {
    for (const { key, index } of wants) {
      const { reader, tracker } = this.slots.get(key) ?? {};
      if (!reader) continue;
      const last = reader.chunkOf(index);
      for (let k = last - 1; k >= Math.max(0, last - MOST_CHUNKS_BACK) && tracker.isBound.includes(1); k -= 1) {
        if (this.pending !== null) return;
        await reader.load(k);
        tracker.go(index, (i) => reader.cached(reader.chunkOf(i))?.storedIds(i) ?? null);
      }
    }
    this.#post(request, wants);
  }

  stats() {
    const sum = { bytesFetched: 0, requests: 0, hits: 0, misses: 0, heldBytes: 0, chunks: 0, aborted: 0 };
    for (const { reader } of this.slots.values()) {
      if (reader) Object.entries(reader.stats()).forEach(([name, value]) => { sum[name] += value; });
    }
    return sum;
  }
}

function flags(codes) {
  const table = new Uint8Array(256);
  for (const code of codes) table[code] = 1;
  return table;
}
