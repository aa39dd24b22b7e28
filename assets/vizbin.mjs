// The .viz.bin format in the browser; the layout is described in gavel_dash/formats/vizbin_layout.py.
// Plain decoding, no DOM: what the file says. Type order and queues are judged on the server.

const MAGIC = "GPUVIZ01";
const HEADER_BYTES = 256;
const ROUND_HEAD_BYTES = 28;
const SHARING_ENTRY_BYTES = 18;
const OFFSETS = { jobs: 24, rounds: 32, queue: 40, queueIndex: 48, config: 56, sharing: 64, sharingIndex: 72 };

const align8 = (n) => Math.ceil(n / 8) * 8;

export class VizFormatError extends Error {
  constructor(offset, expected, found) {
    super(`at byte ${offset}: expected ${expected}, found ${found}`);
    this.name = "VizFormatError";
    this.offset = offset;
  }
}

/** One .viz.bin file in an ArrayBuffer. Ids are plain: the offset is subtracted, -1 is idle. */
export class VizBin {
  constructor(buffer) {
    this.view = new DataView(buffer);
    const size = buffer.byteLength;
    if (size < HEADER_BYTES) throw new VizFormatError(0, `${HEADER_BYTES} bytes of header`, `${size} bytes`);
    const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 8));
    if (magic !== MAGIC) throw new VizFormatError(0, MAGIC, JSON.stringify(magic));
    this.version = this.#u32(8);
    if (this.version !== 1 && this.version !== 2) throw new VizFormatError(8, "version 1 or 2", this.version);
    this.nRounds = this.#u32(12);
    this.nJobs = this.#u32(16);
    this.nTypes = this.view.getUint8(20);
    this.nGpus = this.view.getUint16(21, true);
    this.roundBytes = align8(ROUND_HEAD_BYTES + 2 * this.nTypes + 4 * this.nGpus);
    this.offsets = this.#readOffsets(size);
    this.config = this.#readConfig();
    this.jobIdOffset = this.config.job_id_offset ?? 0;
    // Version 1 files hold 16-byte or 24-byte job records; only the space up to the next section tells.
    const room = this.#end(this.offsets.jobs) - this.offsets.jobs;
    this.jobBytes = this.version === 1 && this.nJobs > 0 && room < 24 * this.nJobs ? 16 : 24;
    this.#need(this.offsets.jobs, this.nJobs * this.jobBytes, "job records");
    this.#need(this.offsets.rounds, this.nRounds * this.roundBytes, "round records");
    this.#need(this.offsets.queueIndex, this.nRounds * 8, "queue index");
    if (this.hasSharing) this.#need(this.offsets.sharingIndex, this.nRounds * 8, "sharing index");
  }

  get hasSharing() {
    return this.offsets.sharing > 0;
  }

  /** Job record `i`. completionRound and durationS are 0 where not completed or not recorded. */
  job(i) {
    this.#within(i, this.nJobs, "job");
    const at = this.offsets.jobs + i * this.jobBytes;
    const long = this.jobBytes === 24;
    return {
      jobId: this.#u32(at) - this.jobIdOffset,
      typeId: this.view.getUint16(at + 4, true),
      scaleFactor: this.view.getUint8(at + 6),
      arrivalRound: this.#u32(at + 8),
      completionRound: long ? this.#u32(at + 12) : 0,
      durationS: long ? this.view.getFloat32(at + 16, true) : 0,
    };
  }

  /** The counts of round record `i`; gpusUsed in the config's type order. */
  round(i) {
    const at = this.#roundAt(i);
    const { view } = this;
    return {
      round: this.#u32(at),
      simTimeS: view.getFloat32(at + 4, true),
      effectiveUtilization: view.getFloat32(at + 8, true),
      jobsRunning: view.getUint16(at + 12, true),
      jobsQueued: view.getUint16(at + 14, true),
      jobsCompleted: this.#u32(at + 16),
      avgJctS: view.getFloat32(at + 20, true),
      completionRateJph: view.getFloat32(at + 24, true),
      gpusUsed: Array.from({ length: this.nTypes }, (_, t) => view.getUint16(at + ROUND_HEAD_BYTES + 2 * t, true)),
    };
  }

  /** Job on each GPU in round record `i`. Ids go up to 2^32 - 2, too many for an Int32Array. */
  allocation(i) {
    // Read one by one: with an odd number of types the ids are not aligned to 4 bytes.
    const at = this.#roundAt(i) + ROUND_HEAD_BYTES + 2 * this.nTypes;
    const ids = new Float64Array(this.nGpus);
    for (let gpu = 0; gpu < this.nGpus; gpu += 1) ids[gpu] = this.#id(at + 4 * gpu);
    return ids;
  }

  /** Ids in the queue of round record `i`, as stored. */
  queue(i) {
    const [at, length] = this.#list(this.offsets.queue, this.offsets.queueIndex, i, 4, "queue data");
    return Float64Array.from({ length }, (_, k) => this.#u32(at + 4 * k) - this.jobIdOffset);
  }

  /** GPUs in quarters in round record `i`: [{ gpu, jobIds: four ids }]. */
  sharing(i) {
    if (!this.hasSharing) return [];
    const { sharing, sharingIndex } = this.offsets;
    const [at, length] = this.#list(sharing, sharingIndex, i, SHARING_ENTRY_BYTES, "sharing data");
    return Array.from({ length }, (_, k) => {
      const entry = at + SHARING_ENTRY_BYTES * k;
      return {
        gpu: this.view.getUint16(entry, true),
        jobIds: [0, 1, 2, 3].map((quarter) => this.#id(entry + 2 + 4 * quarter)),
      };
    });
  }

  #readOffsets(size) {
    const offsets = {};
    for (const [section, at] of Object.entries(OFFSETS)) {
      const optional = section.startsWith("sharing");
      const offset = optional && this.version === 1 ? 0n : this.view.getBigUint64(at, true);
      const absent = optional && offset === 0n;
      if (!absent && (offset < BigInt(HEADER_BYTES) || offset > BigInt(size))) {
        throw new VizFormatError(at, `an offset of the ${section} inside the file's ${size} bytes`, offset);
      }
      offsets[section] = Number(offset);
    }
    return offsets;
  }

  #readConfig() {
    const start = this.offsets.config;
    const bytes = new Uint8Array(this.view.buffer, start, this.#end(start) - start);
    const padding = bytes.indexOf(0);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(padding < 0 ? bytes : bytes.subarray(0, padding));
      return JSON.parse(text);
    } catch (error) {
      throw new VizFormatError(start, "config JSON in UTF-8", error.message);
    }
  }

  /** Where the section at `start` ends: at the next one, or with the file. */
  #end(start) {
    const later = Object.values(this.offsets).filter((offset) => offset > start);
    return Math.min(this.view.byteLength, ...later);
  }

  #need(start, bytes, what) {
    const end = this.#end(start);
    if (start + bytes > end) throw new VizFormatError(start, `${bytes} bytes of ${what}`, `${end - start}`);
  }

  #within(i, count, what) {
    if (!(Number.isInteger(i) && i >= 0 && i < count)) throw new RangeError(`no ${what} ${i}, there are ${count}`);
  }

  #roundAt(i) {
    this.#within(i, this.nRounds, "round record");
    return this.offsets.rounds + i * this.roundBytes;
  }

  /** Position of the first item and number of items of round `i` in a section of u16 lengths and items. */
  #list(section, index, i, itemBytes, what) {
    this.#within(i, this.nRounds, "round record");
    const end = this.#end(section);
    const relative = this.view.getBigUint64(index + 8 * i, true);
    if (relative > BigInt(end - section - 2)) {
      throw new VizFormatError(index + 8 * i, `the ${what} of record ${i} before byte ${end}`, `index ${relative}`);
    }
    const at = section + Number(relative);
    const length = this.view.getUint16(at, true);
    if (at + 2 + length * itemBytes > end) {
      throw new VizFormatError(at, `${length} entries of ${what} before byte ${end}`, "a later end");
    }
    return [at + 2, length];
  }

  #id(at) {
    const stored = this.#u32(at);
    return stored === 0 ? -1 : stored - this.jobIdOffset;
  }

  #u32(at) {
    return this.view.getUint32(at, true);
  }
}
