// One run, read in chunks of rounds from any byte source: cached by bytes, one request per chunk, abortable.

import { readChunk } from "./chunk.mjs";
import { cleanQueue, hiddenGpus } from "../decoder/clean_queue.mjs";
import {
  HEADER_BYTES,
  checkListStart,
  copyStoredIds,
  listEnd,
  readConfig,
  readHead,
  readHeader,
  readIndex,
  readJobs,
  sectionEnd,
} from "../decoder/decoder.mjs";
import { decideTypeOrder, evenlySpaced } from "../decoder/type_order.mjs";

const MIB = 2 ** 20;
const MOST_CHUNK_BYTES = MIB / 2;
const MOST_AHEAD_IN_FLIGHT = 3;
const SAMPLE_ROUNDS = 64;
const SAMPLE_BYTES = 8 * MIB;
const MOST_QUEUE_BYTES = 2 + 4 * 65_535;

/** A run behind a byte source. Chunk k holds the round records k * chunkRounds and following; i is a record index. */
export class RunReader {
  #capacityBytes;
  #heldBytes = 0;
  #hits = 0;
  #misses = 0;
  #aborted = 0;
  #chunks = new Map(); // k -> Chunk, the least recently used first
  #loading = new Map(); // k -> { promise, controller }
  #current = null;
  #ahead = [];
  #closing = new AbortController();

  /** Read header, config and job table; where no `order` of the GPU types is known, decide it from a sample of rounds. */
  static async open(source, { order = null, signal, capacityBytes = 40 * MIB } = {}) {
    const header = readHeader(await source.read(0, Math.min(HEADER_BYTES, source.size), signal), source.size);
    const { config: configAt, jobs: jobsAt } = header.offsets;
    const config = readConfig(await source.read(configAt, sectionEnd(header, configAt), signal), header);
    const jobBytes = await source.read(jobsAt, jobsAt + header.nJobs * header.jobBytes, signal);
    const jobs = readJobs(jobBytes, header, config);
    const typeOrder = order ? null : await sampleTypeOrder(source, header, config, signal);
    return new RunReader(source, { header, config, jobs, order: order ?? typeOrder.order, typeOrder, capacityBytes });
  }

  constructor(source, { header, config, jobs, order, typeOrder, capacityBytes }) {
    this.source = source;
    this.header = header;
    this.config = config;
    this.jobs = jobs;
    this.order = order;
    /** What decideTypeOrder said where it was asked, else null. */
    this.typeOrder = typeOrder;
    this.gpuTypes = order.map((t) => config.gpuTypes[t]);
    this.chunkRounds = 1;
    while (2 * this.chunkRounds * header.roundBytes <= MOST_CHUNK_BYTES) this.chunkRounds *= 2;
    this.nChunks = Math.ceil(header.nRounds / this.chunkRounds);
    this.#capacityBytes = capacityBytes;
  }

  /** The chunk that holds round record `i`. */
  chunkOf(i) {
    const { nRounds } = this.header;
    if (!(Number.isInteger(i) && i >= 0 && i < nRounds)) throw new RangeError(`no round record ${i}, there are ${nRounds}`);
    return Math.floor(i / this.chunkRounds);
  }

  /** Chunk `k` if it is here, else null; a hit or a miss in the statistics only where asked for. */
  cached(k, { count = false } = {}) {
    const chunk = this.#chunks.get(k) ?? null;
    if (chunk) {
      this.#chunks.delete(k);
      this.#chunks.set(k, chunk);
    }
    if (count && chunk) this.#hits += 1;
    if (count && !chunk) this.#misses += 1;
    return chunk;
  }

  /** Chunk `k`, from the cache or loaded once however many ask. A load that failed may be asked for again. */
  async load(k) {
    this.#closing.signal.throwIfAborted();
    return this.cached(k) ?? (this.#loading.get(k) ?? this.#start(k)).promise;
  }

  /** Say what is needed now and, in order, next: loads that are neither are aborted. The promise is that of chunk `k`. */
  want(k, ahead = []) {
    this.#current = k;
    for (const j of [...this.#loading.keys()]) if (j !== k && !ahead.includes(j)) this.#abort(j);
    this.#ahead = this.#closing.signal.aborted ? [] : [...ahead];
    const loading = this.load(k);
    loading.catch(() => {}); // who plays looks into the cache and need not wait for this promise
    this.#loadAhead();
    return loading;
  }

  /** Chunk `k` past the cache, for one pass over the run. */
  async fetchChunk(k, signal) {
    if (!(Number.isInteger(k) && k >= 0 && k < this.nChunks)) throw new RangeError(`no chunk ${k}, there are ${this.nChunks}`);
    const { source, header, order, chunkRounds } = this;
    const first = k * chunkRounds;
    return readChunk({ source, header, order, first, count: Math.min(chunkRounds, header.nRounds - first), signal });
  }

  /** Plain ids of the jobs waiting in round record `i`, cleaned. Loads what it needs; AbortError where that was aborted. */
  async queue(i) {
    const [chunk, stored] = await Promise.all([this.load(this.chunkOf(i)), this.#storedQueue(i)]);
    const { jobs } = this;
    const { jobIdOffset } = this.config;
    const round = { storedIds: chunk.storedIds(i), sharing: chunk.sharing(i), head: chunk.head(i), jobs, jobIdOffset };
    return cleanQueue({ ...round, stored, hiddenGpus: hiddenGpus(round) });
  }

  /** Counters since the reader was opened, and what it holds now. */
  stats() {
    return {
      bytesFetched: this.source.bytesFetched,
      requests: this.source.requests,
      hits: this.#hits,
      misses: this.#misses,
      heldBytes: this.#heldBytes,
      chunks: this.#chunks.size,
      aborted: this.#aborted,
    };
  }

  /** Abort every load and let go of what is held; asking for more is an AbortError. */
  close() {
    this.#closing.abort();
    this.#ahead = [];
    for (const k of [...this.#loading.keys()]) this.#abort(k);
    this.#chunks.clear();
    this.#heldBytes = 0;
  }

  #start(k) {
    const controller = new AbortController();
    const loading = { controller, promise: this.#finish(k, controller.signal) };
    this.#loading.set(k, loading);
    return loading;
  }

  async #finish(k, signal) {
    try {
      const chunk = await this.fetchChunk(k, signal);
      signal.throwIfAborted(); // a source may answer all the same
      this.#keep(k, chunk);
      return chunk;
    } finally {
      // After an abort the entry may already be that of a newer load.
      if (!signal.aborted) this.#loading.delete(k);
      this.#loadAhead();
    }
  }

  #abort(k) {
    const { controller } = this.#loading.get(k);
    this.#loading.delete(k);
    this.#aborted += 1;
    controller.abort();
  }

  #loadAhead() {
    const inFlight = () => [...this.#loading.keys()].filter((j) => j !== this.#current).length;
    while (this.#ahead.length > 0 && inFlight() < MOST_AHEAD_IN_FLIGHT) {
      const k = this.#ahead.shift();
      // A failure is met again, and told, when the chunk is needed.
      if (!this.#chunks.has(k) && !this.#loading.has(k)) this.#start(k).promise.catch(() => {});
    }
  }

  #keep(k, chunk) {
    this.#chunks.set(k, chunk);
    this.#heldBytes += chunk.bytesHeld;
    for (const [j, { bytesHeld }] of this.#chunks) {
      if (this.#heldBytes <= this.#capacityBytes) break;
      if (j === this.#current) continue;
      this.#chunks.delete(j);
      this.#heldBytes -= bytesHeld;
    }
  }

  /** The ids in the queue of round record `i` as stored. */
  async #storedQueue(i) {
    const { source, header } = this;
    const { queue, queueIndex } = header.offsets;
    const { signal } = this.#closing;
    const end = sectionEnd(header, queue);
    const indexAt = queueIndex + 8 * i;
    const index = await source.read(indexAt, indexAt + 8 * Math.min(2, header.nRounds - i), signal);
    const [start, next = end] = readIndex(index, queue);
    checkListStart(start, end, "queue data");
    // The next queue usually starts where this one ends. Where it does not, the length says what to read.
    const guess = next > start ? Math.min(next, end, start + MOST_QUEUE_BYTES) : start;
    let bytes = await source.read(start, Math.max(guess, start + 2), signal);
    const stop = listEnd(bytes, 0, 4, start, end, "queue data");
    if (stop > start + bytes.length) bytes = await source.read(start, stop, signal);
    return new Uint32Array(bytes.slice(2, stop - start).buffer);
  }
}

/** decideTypeOrder on rounds spread over the run, each read on its own. */
async function sampleTypeOrder(source, header, config, signal) {
  const { gpuTypes } = config;
  const most = Math.min(SAMPLE_ROUNDS, Math.max(1, Math.floor(SAMPLE_BYTES / header.roundBytes)));
  const records = await Promise.all(
    evenlySpaced(gpuTypes.length > 1 ? header.nRounds : 0, most).map((i) => {
      const at = header.offsets.rounds + i * header.roundBytes;
      return source.read(at, at + header.roundBytes, signal);
    }),
  );
  const configOrder = gpuTypes.map((_, t) => t);
  const usedRows = records.map((record) => readHead(record, 0, header, configOrder).gpusUsed);
  const busyRows = records.map((record) => {
    const storedIds = new Uint32Array(header.nGpus);
    copyStoredIds(record, 0, header, storedIds, 0);
    return storedIds;
  });
  return decideTypeOrder(gpuTypes, usedRows, busyRows);
}
