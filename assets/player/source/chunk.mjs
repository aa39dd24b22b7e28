// Some consecutive rounds of a run, decoded once when they arrive.

import { copyStoredIds, readHead, readIndex, readSharing, roundHeadBytes, sectionEnd } from "../decoder/decoder.mjs";

const NOTHING = new Uint8Array(0);

/** `count` round records from `first` on. i is a record index of the file, not of the chunk. */
export class Chunk {
  #header;
  #order;
  #heads;
  #storedIds;
  #sharing;

  /** `records`: the bytes of the round records; `sharing`: { starts, pieces } of their sharing lists, or null. */
  constructor({ header, order, first, count, records, sharing }) {
    this.first = first;
    this.count = count;
    this.#header = header;
    this.#order = order;
    this.#sharing = sharing;
    const headBytes = roundHeadBytes(header);
    this.#heads = new Uint8Array(count * headBytes);
    this.#storedIds = new Uint32Array(count * header.nGpus);
    for (let row = 0; row < count; row += 1) {
      const at = row * header.roundBytes;
      this.#heads.set(records.subarray(at, at + headBytes), row * headBytes);
      copyStoredIds(records, at, header, this.#storedIds, row * header.nGpus);
    }
    const sharingBytes = sharing ? sharing.pieces.reduce((sum, { bytes }) => sum + bytes.length, 8 * count) : 0;
    this.bytesHeld = this.#heads.byteLength + this.#storedIds.byteLength + sharingBytes;
  }

  /** Stored id of the job on each GPU (0 = idle): a view of the chunk, not a copy. */
  storedIds(i) {
    const row = this.#rowOf(i);
    return this.#storedIds.subarray(row * this.#header.nGpus, (row + 1) * this.#header.nGpus);
  }

  /** The counts of a round, as readHead gives them. */
  head(i) {
    return readHead(this.#heads, this.#rowOf(i) * roundHeadBytes(this.#header), this.#header, this.#order);
  }

  /** The GPUs in quarters: [{ gpu, storedIds: four ids }]. VizFormatError where this round's list is damaged. */
  sharing(i) {
    const row = this.#rowOf(i);
    if (!this.#sharing) return [];
    const start = this.#sharing.starts[row];
    const piece = this.#sharing.pieces.find(({ at, bytes }) => at <= start && start < at + bytes.length);
    const { at, bytes } = piece ?? { at: start, bytes: NOTHING };
    return readSharing(bytes, start - at, this.#header, at).entries;
  }

  #rowOf(i) {
    const row = i - this.first;
    if (!(Number.isInteger(row) && row >= 0 && row < this.count)) {
      throw new RangeError(`no round record ${i} in the chunk of ${this.first} to ${this.first + this.count - 1}`);
    }
    return row;
  }
}

/** Read the `count` round records from `first` on, and their sharing lists where the file has such a section. */
export async function readChunk({ source, header, order, first, count, signal }) {
  const at = header.offsets.rounds + first * header.roundBytes;
  const [records, sharing] = await Promise.all([
    source.read(at, at + count * header.roundBytes, signal),
    header.offsets.sharing > 0 ? readSharingLists(source, header, first, count, signal) : null,
  ]);
  return new Chunk({ header, order, first, count, records, sharing });
}

/** Where each round's sharing list starts, and the pieces of the file that hold them. */
async function readSharingLists(source, header, first, count, signal) {
  const { sharing, sharingIndex } = header.offsets;
  const end = sectionEnd(header, sharing);
  const longest = 2 + 18 * header.nGpus;
  const indexAt = sharingIndex + 8 * first;
  const withNext = Math.min(count + 1, header.nRounds - first);
  const starts = readIndex(await source.read(indexAt, indexAt + 8 * withNext, signal), sharing);
  const next = starts[count] ?? end;
  starts.length = count;
  // One list follows the other, so this is one piece; a damaged index must not make it the whole section.
  const spans = [];
  for (const start of starts.filter((position) => position + 2 <= end).sort((a, b) => a - b)) {
    const span = spans.at(-1);
    if (span && start <= span.last + longest) span.last = start;
    else spans.push({ at: start, last: start });
  }
  const pieces = spans.map(async ({ at, last }) => {
    const stop = Math.min(last + longest, end, next > last ? next : end);
    return { at, bytes: await source.read(at, stop, signal) };
  });
  return { starts, pieces: await Promise.all(pieces) };
}
