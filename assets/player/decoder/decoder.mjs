// The .viz.bin format in the browser; the layout is described in gavel_dash/formats/vizbin_layout.py.
// Pure: bytes in, plain objects and typed arrays out, with the checks of gavel_dash/formats/vizbin_open.py.
// Ids are "stored" as in the file (0 = idle) or plain: stored - jobIdOffset, the log's own, -1 = idle.

const MAGIC = "GPUVIZ01";
const ROUND_HEAD_BYTES = 28;
const SHARING_ENTRY_BYTES = 18;
// Byte of the header that holds the offset, and the section's name in messages. The last two: version 2 only.
const SECTIONS = {
  jobs: [24, "job records"],
  rounds: [32, "round records"],
  queue: [40, "queue data"],
  queueIndex: [48, "queue index"],
  config: [56, "config JSON"],
  sharing: [64, "sharing data"],
  sharingIndex: [72, "sharing index"],
};
const KINDS = {
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  list: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** Bytes of the header at the start of every file. */
export const HEADER_BYTES = 256;

/** A file breaks its format at a byte offset. */
export class VizFormatError extends Error {
  constructor(offset, expected, found) {
    super(`at byte ${offset}: expected ${expected}, found ${found}`);
    this.name = "VizFormatError";
    this.offset = offset;
  }
}

/** Counts and section offsets from the first 256 bytes (fewer in a shorter file); all of it lies inside the file. */
export function readHeader(bytes, fileSize) {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (fileSize === 0) throw new VizFormatError(0, `the magic ${MAGIC}`, "an empty file");
  if (magic !== MAGIC.slice(0, fileSize)) throw new VizFormatError(0, `the magic ${MAGIC}`, JSON.stringify(magic));
  if (fileSize < HEADER_BYTES) {
    throw new VizFormatError(fileSize, `${HEADER_BYTES} bytes of header`, `the end of the file after ${fileSize} bytes`);
  }
  const view = viewOf(bytes);
  const version = view.getUint32(8, true);
  if (version !== 1 && version !== 2) throw new VizFormatError(8, "version 1 or 2", `version ${version}`);
  const [nRounds, nJobs] = [view.getUint32(12, true), view.getUint32(16, true)];
  const [nTypes, nGpus] = [view.getUint8(20), view.getUint16(21, true)];
  const offsets = readOffsets(view, version, fileSize);
  const header = { version, nRounds, nJobs, nTypes, nGpus, fileSize, offsets };
  header.roundBytes = align8(roundHeadBytes(header) + 4 * nGpus);
  // The version does not tell 16-byte from 24-byte job records: the space up to the next section does.
  const room = sectionEnd(header, offsets.jobs) - offsets.jobs;
  header.jobBytes = version === 1 && nJobs > 0 && room < 24 * nJobs ? 16 : 24;
  checkRoom(header);
  return header;
}

/** Where the section at `start` ends: at the next one, or with the file. */
export function sectionEnd(header, start) {
  return Math.min(header.fileSize, ...Object.values(header.offsets).filter((offset) => offset > start));
}

/** Bytes of a round record before its allocation: the fields, and the GPUs in use per type. */
export function roundHeadBytes(header) {
  return ROUND_HEAD_BYTES + 2 * header.nTypes;
}

/** The config JSON from the bytes of its section, checked against the header; unknown keys stay in `raw`. */
export function readConfig(bytes, header) {
  const at = header.offsets.config;
  const wrong = (found) => new VizFormatError(at, "a config as the format describes it", found);
  const field = (entry, key, kind, fallback) => {
    if (!KINDS.object(entry)) throw wrong(`${JSON.stringify(entry)} where an object with "${key}" belongs`);
    const value = entry[key] ?? null;
    if (value === null && fallback === undefined) throw wrong(`no "${key}"`);
    if (value === null) return fallback;
    if (!KINDS[kind](value)) throw wrong(`"${key}" is a ${typeof value}, not of kind ${kind}`);
    return value;
  };
  const raw = parseJson(bytes, at);
  if (!KINDS.object(raw)) throw new VizFormatError(at, "a JSON object as config", JSON.stringify(raw));
  const window = field(raw, "measurement_window", "object", null);
  const config = {
    raw,
    policy: field(raw, "policy", "string", null),
    gpuTypes: field(raw, "gpu_types", "list").map((entry) => ({
      name: field(entry, "name", "string"),
      count: field(entry, "count", "integer"),
      gpusPerNode: field(entry, "gpus_per_node", "integer", null),
    })),
    window: window && {
      startJob: field(window, "start_job", "integer"),
      endJob: field(window, "end_job", "integer"),
    },
    jobTypes: new Map(
      field(raw, "job_types", "list", []).map((entry) => [
        field(entry, "id", "integer"),
        { name: field(entry, "name", "string"), category: field(entry, "category", "string", "") },
      ]),
    ),
    jobIdOffset: field(raw, "job_id_offset", "integer", 0),
  };
  const counts = config.gpuTypes.map(({ count }) => count);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.length !== header.nTypes || total !== header.nGpus || counts.some((count) => count < 0)) {
    const expected = `${header.nTypes} GPU types with ${header.nGpus} GPUs in the config, as in the header`;
    throw new VizFormatError(at, expected, `${counts.length} types with [${counts}] GPUs`);
  }
  if (config.jobIdOffset !== 0 && config.jobIdOffset !== 1) {
    throw new VizFormatError(at, "job_id_offset 0 or 1", config.jobIdOffset);
  }
  return config;
}

/** The job table as columns in record order, and `rowsById`: the rows sorted by id, for `rowOfJob`. */
export function readJobs(bytes, header, config) {
  const { nJobs: n, jobBytes } = header;
  const view = viewOf(bytes);
  const jobs = {
    jobId: new Float64Array(n),
    typeId: new Uint16Array(n),
    scaleFactor: new Uint8Array(n),
    arrivalRound: new Uint32Array(n),
    completionRound: new Uint32Array(n),
    durationS: new Float32Array(n),
    completed: new Uint8Array(n),
    rowsById: Uint32Array.from({ length: n }, (_, row) => row),
  };
  let ascending = true;
  for (let row = 0; row < n; row += 1) {
    const at = row * jobBytes;
    const jobId = view.getUint32(at, true) - config.jobIdOffset;
    if (jobId < 0) {
      throw new VizFormatError(header.offsets.jobs + at, "a stored job id of at least 1 (job_id_offset is 1)", 0);
    }
    jobs.jobId[row] = jobId;
    jobs.typeId[row] = view.getUint16(at + 4, true);
    jobs.scaleFactor[row] = view.getUint8(at + 6);
    jobs.arrivalRound[row] = view.getUint32(at + 8, true);
    if (jobBytes === 24) {
      jobs.completionRound[row] = view.getUint32(at + 12, true);
      jobs.durationS[row] = view.getFloat32(at + 16, true);
      jobs.completed[row] = jobs.completionRound[row] > 0 || jobs.durationS[row] > 0 ? 1 : 0;
    }
    ascending &&= row === 0 || jobs.jobId[row - 1] <= jobId;
  }
  if (!ascending) jobs.rowsById.sort((a, b) => jobs.jobId[a] - jobs.jobId[b]);
  return jobs;
}

/** Row of the job with a plain id, the first of equals; -1 where the table has none. */
export function rowOfJob(jobs, jobId) {
  let [low, high] = [0, jobs.rowsById.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (jobs.jobId[jobs.rowsById[middle]] < jobId) low = middle + 1;
    else high = middle;
  }
  const row = jobs.rowsById[low];
  return row !== undefined && jobs.jobId[row] === jobId ? row : -1;
}

/** The counts of the round record at `at`; gpusUsed[b] is of the type at position order[b] of the config. */
export function readHead(bytes, at, header, order) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, roundHeadBytes(header));
  return {
    round: view.getUint32(0, true),
    simTimeS: view.getFloat32(4, true),
    effectiveUtilization: view.getFloat32(8, true),
    jobsRunning: view.getUint16(12, true),
    jobsQueued: view.getUint16(14, true),
    jobsCompleted: view.getUint32(16, true),
    avgJctS: view.getFloat32(20, true),
    completionRateJph: view.getFloat32(24, true),
    gpusUsed: Array.from(order, (t) => view.getUint16(ROUND_HEAD_BYTES + 2 * t, true)),
  };
}

/** Copy the stored id of each GPU of the round record at `at` to `out` (a Uint32Array) from `outAt` on. */
export function copyStoredIds(bytes, at, header, out, outAt) {
  // As bytes: with an odd number of types the ids are not aligned to 4. Browsers run on little-endian machines only.
  const start = at + roundHeadBytes(header);
  const target = new Uint8Array(out.buffer, out.byteOffset + 4 * outAt, 4 * header.nGpus);
  target.set(bytes.subarray(start, start + target.length));
}

/** The GPUs in quarters of the list at `at`; `start` is the position in the file of bytes[0]. */
export function readSharing(bytes, at, header, start = 0) {
  const end = sectionEnd(header, header.offsets.sharing);
  const listStop = listEnd(bytes, at, SHARING_ENTRY_BYTES, start, end, "sharing data");
  const view = viewOf(bytes);
  const entries = [];
  for (let entry = at + 2; entry < listStop - start; entry += SHARING_ENTRY_BYTES) {
    const gpu = view.getUint16(entry, true);
    if (gpu >= header.nGpus) throw new VizFormatError(start + at, `GPU indices below ${header.nGpus}`, gpu);
    entries.push({ gpu, storedIds: [2, 6, 10, 14].map((quarter) => view.getUint32(entry + quarter, true)) });
  }
  return { entries };
}

/** Positions in the file of the lists that the bytes of an index point to, in a section that starts at `section`. */
export function readIndex(bytes, section) {
  const view = viewOf(bytes);
  return Array.from({ length: bytes.length / 8 }, (_, i) => section + Number(view.getBigUint64(8 * i, true)));
}

/** A list of u16 length and items at file position `at` must begin before its section's `end`. */
export function checkListStart(at, end, what) {
  if (at + 2 > end) throw new VizFormatError(at, `${what} of a round record before byte ${end}`, "an index that points behind it");
}

/** Position in the file behind the list at `at` of `bytes`, which start at `start` in the file. */
export function listEnd(bytes, at, itemBytes, start, end, what) {
  checkListStart(start + at, end, what);
  const length = viewOf(bytes).getUint16(at, true);
  const stop = start + at + 2 + length * itemBytes;
  if (stop > end) throw new VizFormatError(start + at, `${length} entries of ${what} before byte ${end}`, `an end at byte ${stop}`);
  return stop;
}

function align8(n) {
  return Math.ceil(n / 8) * 8;
}

function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readOffsets(view, version, fileSize) {
  const offsets = {};
  const sharing = version === 2 && (view.getBigUint64(64, true) > 0n || view.getBigUint64(72, true) > 0n);
  for (const [section, [at, what]] of Object.entries(SECTIONS)) {
    const absent = section.startsWith("sharing") && !sharing;
    const offset = absent ? 0n : view.getBigUint64(at, true);
    if (!absent && (offset < HEADER_BYTES || offset > fileSize || offset % 8n > 0n)) {
      const expected = `the ${what} at a multiple of 8 between ${HEADER_BYTES} and ${fileSize}, the size of the file`;
      throw new VizFormatError(at, expected, `offset ${offset}`);
    }
    offsets[section] = Number(offset);
  }
  return offsets;
}

function checkRoom(header) {
  const { nJobs, nRounds, nTypes, nGpus, offsets } = header;
  const needed = {
    jobs: nJobs * header.jobBytes,
    rounds: nRounds * header.roundBytes,
    queueIndex: 8 * nRounds,
    sharingIndex: offsets.sharingIndex > 0 ? 8 * nRounds : 0,
    config: 2,
  };
  const taken = new Map();
  for (const [section, start] of Object.entries(offsets).sort(([, a], [, b]) => a - b)) {
    const wanted = needed[section] ?? 0;
    if (wanted === 0) continue;
    const room = sectionEnd(header, start) - start;
    if (wanted > room || taken.has(start)) {
      const claims = `for ${nJobs} jobs, ${nRounds} rounds, ${nTypes} types and ${nGpus} GPUs`;
      const where = taken.has(start) ? `in the ${taken.get(start)}` : `with ${room} bytes up to the next section or the end`;
      throw new VizFormatError(start, `${wanted} bytes of ${SECTIONS[section][1]} ${claims}`, where);
    }
    taken.set(start, SECTIONS[section][1]);
  }
}

function parseJson(bytes, at) {
  let stop = bytes.length;
  while (stop > 0 && bytes[stop - 1] === 0) stop -= 1;
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, stop));
  } catch (error) {
    throw new VizFormatError(at, "config JSON in UTF-8", error.message);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new VizFormatError(at, "config JSON", error.message);
  }
}
