// Animated GIF (GIF89a) of opaque frames: a palette fixed by the first frame, and only what changed after it.

const MAX_SIDE = 65535;
const MAX_COLORS = 256;
const MAX_DELAY_CS = 65535;
// Browsers play shorter delays at 10 frames a second.
const MIN_DELAY_CS = 2;
const MAX_CODES = 4096;

/** Bytes of a file that grows. */
class ByteSink {
  #bytes = new Uint8Array(1 << 16);
  length = 0;

  bytes(values) {
    const end = this.length + values.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(values, this.length);
    this.length = end;
  }

  u16(...values) {
    for (const value of values) this.bytes([value & 255, value >> 8]);
  }

  setU16(at, value) {
    this.#bytes[at] = value & 255;
    this.#bytes[at + 1] = value >> 8;
  }

  finished() {
    return this.#bytes.slice(0, this.length);
  }
}

/** Colours as 0xbbggrr, the order of canvas pixels read as little-endian words: found exactly, or the nearest. */
class Palette {
  colors = [];
  #slotColor = new Int32Array(1024).fill(-1);
  #slotIndex = new Uint8Array(1024);
  #nearest = new Int16Array(1 << 15).fill(-1);

  constructor(exact) {
    exact.forEach((color) => this.add(color));
  }

  /** The slot that holds the colour, or the free one where it would go. */
  #slot(color) {
    let slot = Math.imul(color, 0x9e3779b1) >>> 22;
    while (this.#slotColor[slot] !== color && this.#slotColor[slot] !== -1) slot = (slot + 1) & 1023;
    return slot;
  }

  /** Adds the colour unless it is there; false where there is no room. */
  add(color) {
    const slot = this.#slot(color);
    if (this.#slotColor[slot] === color) return true;
    if (this.colors.length === MAX_COLORS) return false;
    this.#slotColor[slot] = color;
    this.#slotIndex[slot] = this.colors.length;
    this.colors.push(color);
    return true;
  }

  /** Index of the colour, or of one near it: of the nearest to the middle of its bucket. */
  index(color) {
    const slot = this.#slot(color);
    if (this.#slotColor[slot] === color) return this.#slotIndex[slot];
    const bucket = bucketOf(color);
    if (this.#nearest[bucket] < 0) this.#nearest[bucket] = this.#search((color & 0xf8f8f8) | 0x040404);
    return this.#nearest[bucket];
  }

  #search(color) {
    let best = 0;
    let least = Infinity;
    this.colors.forEach((candidate, index) => {
      const red = (candidate & 255) - (color & 255);
      const green = ((candidate >> 8) & 255) - ((color >> 8) & 255);
      const blue = (candidate >> 16) - (color >> 16);
      const distance = red * red + green * green + blue * blue;
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }
}

/** Five bits a channel: 15 bits. */
const bucketOf = (color) => ((color >> 3) & 31) | ((color >> 6) & 0x3e0) | ((color >> 9) & 0x7c00);

function parseColor(text) {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (!match) throw new TypeError(`expected a colour as #rrggbb, found ${JSON.stringify(text)}`);
  const [red, green, blue] = match.slice(1).map((digits) => parseInt(digits, 16));
  return red | (green << 8) | (blue << 16);
}

/** The exact colours, then all of the frame's if they fit, otherwise those that cover most of it. */
function choosePalette(exact, pixels) {
  const all = new Palette(exact);
  if (pixels.every((pixel) => all.add(pixel & 0xffffff))) return all;

  const counts = new Uint32Array(1 << 15);
  // Each bucket is stood for by its majority colour, not by a mean, so that plain areas keep their exact colour.
  const candidates = new Int32Array(1 << 15);
  const votes = new Int32Array(1 << 15);
  for (const pixel of pixels) {
    const color = pixel & 0xffffff;
    const bucket = bucketOf(color);
    counts[bucket] += 1;
    if (votes[bucket] === 0) candidates[bucket] = color;
    votes[bucket] += candidates[bucket] === color ? 1 : -1;
  }
  const palette = new Palette(exact);
  const buckets = Array.from(counts.keys()).filter((bucket) => counts[bucket] > 0);
  buckets.sort((a, b) => counts[b] - counts[a]);
  buckets.every((bucket) => palette.add(candidates[bucket]));
  return palette;
}

/** Writes palette indexes as GIF image data: the code size, LZW codes in blocks of up to 255 bytes, an empty block. */
function writeLzw(sink, indexes, minCodeSize) {
  const clearCode = 1 << minCodeSize;
  const block = new Uint8Array(256);
  let blockLength = 0;
  let bits = 0;
  let bitCount = 0;
  const flushBlock = () => {
    block[0] = blockLength;
    sink.bytes(block.subarray(0, blockLength + 1));
    blockLength = 0;
  };
  const emit = (code, codeSize) => {
    bits |= code << bitCount;
    bitCount += codeSize;
    while (bitCount >= 8) {
      block[(blockLength += 1)] = bits & 255;
      bits >>>= 8;
      bitCount -= 8;
      if (blockLength === 255) flushBlock();
    }
  };

  // Open addressing: (prefix code, next index) -> code.
  const keys = new Int32Array(8192).fill(-1);
  const codes = new Uint16Array(8192);
  let codeSize = minCodeSize + 1;
  let nextCode = clearCode + 2;
  const widen = () => {
    if (nextCode === 1 << codeSize && codeSize < 12) codeSize += 1;
  };
  sink.bytes([minCodeSize]);
  emit(clearCode, codeSize);
  let prefix = indexes[0];
  for (let i = 1; i < indexes.length; i += 1) {
    const key = (prefix << 8) | indexes[i];
    let slot = Math.imul(key, 0x9e3779b1) >>> 19;
    while (keys[slot] !== key && keys[slot] !== -1) slot = (slot + 1) & 8191;
    if (keys[slot] === key) {
      prefix = codes[slot];
      continue;
    }
    emit(prefix, codeSize);
    prefix = indexes[i];
    if (nextCode < MAX_CODES) {
      widen();
      keys[slot] = key;
      codes[slot] = nextCode;
      nextCode += 1;
    } else {
      emit(clearCode, codeSize);
      keys.fill(-1);
      codeSize = minCodeSize + 1;
      nextCode = clearCode + 2;
    }
  }
  emit(prefix, codeSize);
  widen();
  emit(clearCode + 1, codeSize);
  if (bitCount > 0) emit(0, 8 - bitCount);
  if (blockLength > 0) flushBlock();
  sink.bytes([0]);
}

/** The smallest rectangle around what differs, or null. */
function changedRectangle(before, after, width, height) {
  const same = (a, b, count, step) => {
    for (let i = 0, at = a; i < count; i += 1, at += step) if (before[at] !== after[at]) return false;
    return true;
  };
  let [left, top, right, bottom] = [0, 0, width, height];
  while (top < bottom && same(top * width, 0, width, 1)) top += 1;
  if (top === bottom) return null;
  while (same((bottom - 1) * width, 0, width, 1)) bottom -= 1;
  while (same(top * width + left, 0, bottom - top, width)) left += 1;
  while (same(top * width + right - 1, 0, bottom - top, width)) right -= 1;
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * An animated GIF. `colors` ("#rrggbb") are kept exactly, those of the first frame as far as 256 go, others become the
 * nearest. A frame lasts `delayMs`, 20 ms or more.
 */
export class GifEncoder {
  #width;
  #height;
  #delayMs;
  #loop;
  #exact;
  #sink = new ByteSink();
  #palette = null;
  #minCodeSize = 0;
  #shown = null;
  #next;
  #delayAt = 0;
  #delayCs = 0;
  #frames = 0;
  #elapsedCs = 0;
  #isFinished = false;

  constructor({ width, height, delayMs, loop = true, colors = [] }) {
    for (const side of [width, height]) {
      if (!(Number.isInteger(side) && side >= 1 && side <= MAX_SIDE)) {
        throw new RangeError(`a GIF is 1 to ${MAX_SIDE} pixels wide and high, not ${width} x ${height}`);
      }
    }
    if (!(delayMs > 0 && delayMs <= 10 * MAX_DELAY_CS)) {
      throw new RangeError(`the delay of a GIF frame is above 0 and up to ${10 * MAX_DELAY_CS} ms, not ${delayMs}`);
    }
    this.#exact = [...new Set(colors.map(parseColor))];
    if (this.#exact.length > MAX_COLORS) {
      throw new RangeError(`a GIF has ${MAX_COLORS} colours, not the ${this.#exact.length} asked to be exact`);
    }
    this.#width = width;
    this.#height = height;
    this.#delayMs = delayMs;
    this.#loop = loop;
    this.#next = new Uint8Array(width * height);
  }

  /** Adds one frame of `width * height` RGBA pixels; alpha is ignored. */
  addFrame(rgba) {
    if (this.#isFinished) throw new Error("this GIF is finished");
    const expected = 4 * this.#width * this.#height;
    if (rgba.length !== expected) throw new RangeError(`expected a frame of ${expected} bytes, found ${rgba.length}`);
    const aligned = rgba.byteOffset % 4 === 0 ? rgba : rgba.slice();
    const pixels = new Uint32Array(aligned.buffer, aligned.byteOffset, expected / 4);
    if (!this.#palette) this.#start(pixels);
    this.#toIndexes(pixels);

    // From the times, not from one rounded delay: 33 ms a frame must not become 30 ms.
    this.#frames += 1;
    const endCs = Math.round((this.#frames * this.#delayMs) / 10);
    const delayCs = Math.max(MIN_DELAY_CS, endCs - this.#elapsedCs);
    this.#elapsedCs += delayCs;

    const first = { left: 0, top: 0, width: this.#width, height: this.#height };
    const changed = this.#shown ? changedRectangle(this.#shown, this.#next, this.#width, this.#height) : first;
    if (!changed && this.#delayCs + delayCs <= MAX_DELAY_CS) {
      this.#delayCs += delayCs;
      this.#sink.setU16(this.#delayAt, this.#delayCs);
      return;
    }
    // A delay that is full goes on in a frame that changes nothing.
    this.#writeFrame(changed ?? { left: 0, top: 0, width: 1, height: 1 }, delayCs);
    [this.#shown, this.#next] = [this.#next, this.#shown ?? new Uint8Array(this.#next.length)];
  }

  /** The bytes of the file; no frame can follow. */
  finish() {
    if (this.#isFinished) throw new Error("this GIF is finished");
    if (!this.#palette) throw new Error("a GIF needs at least one frame");
    this.#isFinished = true;
    this.#sink.bytes([0x3b]);
    return this.#sink.finished();
  }

  #start(pixels) {
    this.#palette = choosePalette(this.#exact, pixels);
    const { colors } = this.#palette;
    const tableBits = Math.max(1, Math.ceil(Math.log2(colors.length)));
    this.#minCodeSize = Math.max(2, tableBits);
    const table = new Uint8Array(3 << tableBits);
    colors.forEach((color, index) => table.set([color & 255, (color >> 8) & 255, color >> 16], 3 * index));
    this.#sink.bytes(new TextEncoder().encode("GIF89a"));
    this.#sink.u16(this.#width, this.#height);
    this.#sink.bytes([0xf0 | (tableBits - 1), 0, 0]);
    this.#sink.bytes(table);
    if (!this.#loop) return;
    this.#sink.bytes([0x21, 0xff, 11, ...new TextEncoder().encode("NETSCAPE2.0"), 3, 1, 0, 0, 0]);
  }

  #toIndexes(pixels) {
    let color = pixels[0] & 0xffffff;
    let index = this.#palette.index(color);
    for (let i = 0; i < pixels.length; i += 1) {
      const pixel = pixels[i] & 0xffffff;
      if (pixel !== color) {
        color = pixel;
        index = this.#palette.index(color);
      }
      this.#next[i] = index;
    }
  }

  #writeFrame({ left, top, width, height }, delayCs) {
    const sink = this.#sink;
    sink.bytes([0x21, 0xf9, 4, 0x04]); // disposal 1: the frame stays, the next one is drawn over it
    this.#delayAt = sink.length;
    this.#delayCs = delayCs;
    sink.u16(delayCs);
    sink.bytes([0, 0, 0x2c]);
    sink.u16(left, top, width, height);
    sink.bytes([0]);
    const indexes = new Uint8Array(width * height);
    for (let row = 0; row < height; row += 1) {
      const at = (top + row) * this.#width + left;
      indexes.set(this.#next.subarray(at, at + width), row * width);
    }
    writeLzw(sink, indexes, this.#minCodeSize);
  }
}
