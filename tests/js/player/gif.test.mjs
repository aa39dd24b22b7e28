// GIFs read back by a plain decoder that follows the specification literally and accepts nothing else.
import assert from "node:assert/strict";
import test from "node:test";

import { GifEncoder } from "../../../assets/player/export/gif.mjs";

/** { width, height, loop, tableSize, frames: [{ rect, delayCs, codes, clears, rgb }] }; rgb is the whole picture. */
function decodeGif(bytes) {
  let at = 0;
  const u8 = () => {
    assert.ok(at < bytes.length, "the file ends early");
    return bytes[at++];
  };
  const u16 = () => u8() | (u8() << 8);
  const text = (length) => String.fromCharCode(...Array.from({ length }, u8));
  const blocks = () => {
    const data = [];
    for (let length = u8(); length > 0; length = u8()) for (let i = 0; i < length; i += 1) data.push(u8());
    return data;
  };

  assert.equal(text(6), "GIF89a");
  const [width, height, packed] = [u16(), u16(), u8()];
  assert.equal(packed & 0x80, 0x80, "a global palette");
  at += 2;
  const tableSize = 2 << (packed & 7);
  const table = Array.from({ length: tableSize }, () => [u8(), u8(), u8()]);
  const picture = new Uint8Array(3 * width * height);
  const frames = [];
  let [loop, delayCs] = [false, null];
  for (let kind = u8(); kind !== 0x3b; kind = u8()) {
    if (kind === 0x21) {
      const label = u8();
      if (label === 0xff) {
        assert.equal(u8(), 11);
        assert.equal(text(11), "NETSCAPE2.0");
        assert.deepEqual(blocks(), [1, 0, 0]);
        loop = true;
      } else {
        assert.deepEqual([label, u8(), u8()], [0xf9, 4, 4]);
        delayCs = u16();
        assert.deepEqual([u8(), u8()], [0, 0]);
      }
      continue;
    }
    assert.equal(kind, 0x2c);
    const rect = [u16(), u16(), u16(), u16()];
    const [left, top, w, h] = rect;
    assert.ok(w > 0 && h > 0 && left + w <= width && top + h <= height, "the rectangle is inside");
    assert.equal(u8(), 0);
    const { indexes, codes, clears } = decodeLzw(u8(), blocks());
    assert.equal(indexes.length, w * h);
    indexes.forEach((index, i) => {
      picture.set(table[index], 3 * ((top + Math.floor(i / w)) * width + left + (i % w)));
    });
    frames.push({ rect, delayCs, codes, clears, rgb: picture.slice() });
  }
  assert.equal(at, bytes.length, "nothing follows the end");
  return { width, height, loop, tableSize, frames };
}

function decodeLzw(minCodeSize, data) {
  assert.ok(minCodeSize >= 2 && minCodeSize <= 8);
  const [clear, end] = [1 << minCodeSize, (1 << minCodeSize) + 1];
  const indexes = [];
  let [bit, codeSize, codes, clears] = [0, minCodeSize + 1, 0, 0];
  let [table, previous] = [null, null];
  for (;;) {
    assert.ok(bit + codeSize <= 8 * data.length, "the codes go on to their end code");
    let code = 0;
    for (let i = 0; i < codeSize; i += 1, bit += 1) code |= ((data[bit >> 3] >> (bit & 7)) & 1) << i;
    codes += 1;
    if (code === clear) {
      table = Array.from({ length: clear + 2 }, (_, index) => [index]);
      [codeSize, previous] = [minCodeSize + 1, null];
      clears += 1;
      continue;
    }
    assert.ok(table, "the first code clears");
    if (code === end) break;
    assert.ok(code < table.length || (previous && code === table.length), `code ${code} exists`);
    const string = code < table.length ? table[code] : [...previous, previous[0]];
    for (const index of string) indexes.push(index);
    if (previous) {
      assert.ok(table.length < 4096, "no more than 4096 codes");
      table.push([...previous, string[0]]);
      if (table.length === 1 << codeSize && codeSize < 12) codeSize += 1;
    }
    previous = string;
  }
  assert.ok(8 * data.length - bit < 8, "nothing follows the end code");
  return { indexes, codes, clears };
}

/** Repeatable random numbers in [0, 1). */
function makeRandom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const randomColors = (random, count) => {
  const colors = new Set();
  while (colors.size < count) colors.add(Math.floor(random() * 2 ** 24));
  return [...colors].map((color) => [color >> 16, (color >> 8) & 255, color & 255]);
};

const hex = (color) => `#${color.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;

/** RGBA of a frame whose pixel `i` has the colour `colorOf(i)`. */
function paint(pixelCount, colorOf) {
  const rgba = new Uint8ClampedArray(4 * pixelCount);
  for (let i = 0; i < pixelCount; i += 1) rgba.set([...colorOf(i), 255], 4 * i);
  return rgba;
}

const rgbOf = (rgba) => Uint8Array.from(rgba.filter((_, i) => i % 4 !== 3));

function encode(options, frames) {
  const encoder = new GifEncoder({ delayMs: 100, ...options });
  frames.forEach((frame) => encoder.addFrame(frame));
  return decodeGif(encoder.finish());
}

for (const count of [1, 2, 3, 4, 5, 16, 17, 128, 129, 255, 256]) {
  test(`a random image of ${count} colours comes back exactly`, () => {
    const random = makeRandom(count);
    const colors = randomColors(random, count);
    const [width, height] = [97, 61];
    const frame = paint(width * height, (i) => colors[i < count ? i : Math.floor(random() * count)]);

    const gif = encode({ width, height }, [frame]);

    assert.deepEqual([gif.width, gif.height, gif.frames.length], [width, height, 1]);
    assert.equal(gif.tableSize, Math.max(2, 2 ** Math.ceil(Math.log2(count))));
    assert.deepEqual(gif.frames[0].rgb, rgbOf(frame));
  });
}

test("images of every length up to 700 pixels end with their end code, whatever its size", () => {
  const random = makeRandom(5);
  const colors = randomColors(random, 4);
  for (let width = 1; width <= 700; width += 1) {
    const frame = paint(width, () => colors[Math.floor(random() * 4)]);
    assert.deepEqual(encode({ width, height: 1 }, [frame]).frames[0].rgb, rgbOf(frame), `${width} pixels`);
  }
});

test("images that end about where the code table is full end well", () => {
  const random = makeRandom(7);
  const colors = randomColors(random, 256);
  const noise = Array.from({ length: 4200 }, () => colors[Math.floor(random() * 256)]);
  const clears = new Set();
  for (let width = 3840; width <= noise.length; width += 1) {
    const frame = paint(width, (i) => noise[i]);
    const [only] = encode({ width, height: 1, colors: colors.map(hex) }, [frame]).frames;
    assert.deepEqual(only.rgb, rgbOf(frame), `${width} pixels`);
    clears.add(only.clears);
  }
  assert.deepEqual([...clears], [1, 2]);
});

test("the code table is cleared when it is full, again and again", () => {
  const random = makeRandom(9);
  const colors = randomColors(random, 256);
  const frame = paint(300 * 200, () => colors[Math.floor(random() * 256)]);

  const [only] = encode({ width: 300, height: 200 }, [frame]).frames;

  assert.ok(only.codes > 3 * 4096, `${only.codes} codes`);
  assert.ok(only.clears > 3, `${only.clears} clear codes`);
  assert.deepEqual(only.rgb, rgbOf(frame));
});

test("a plain image compresses: strings that contain themselves", () => {
  const frame = paint(1000 * 600, () => [1, 2, 3]);
  const [only] = encode({ width: 1000, height: 600 }, [frame]).frames;

  assert.ok(only.codes < 1200, `${only.codes} codes`);
  assert.deepEqual(only.rgb, rgbOf(frame));
});

test("one pixel is a GIF", () => {
  const gif = encode({ width: 1, height: 1 }, [paint(1, () => [7, 8, 9])]);

  assert.deepEqual([...gif.frames[0].rgb], [7, 8, 9]);
});

test("frames after the first hold the changed rectangle only, and the picture is whole", () => {
  const [width, height] = [40, 30];
  const colors = [[255, 255, 255], [0, 114, 178], [213, 94, 0]];
  const random = makeRandom(3);
  const cells = new Uint8Array(width * height);
  const snapshots = [];
  const rects = [[0, 0, 40, 30]];
  const snapshot = () => snapshots.push(paint(cells.length, (i) => colors[cells[i]]));
  cells.set([0, 1, 2]);
  snapshot();
  for (let k = 0; k < 200; k += 1) {
    const corners = [0, 1].map(() => [Math.floor(random() * width), Math.floor(random() * height)]);
    for (const [x, y] of corners) cells[y * width + x] = (cells[y * width + x] + 1) % 3;
    const [[x0, y0], [x1, y1]] = corners;
    rects.push([Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0) + 1, Math.abs(y1 - y0) + 1]);
    snapshot();
  }

  const { frames } = encode({ width, height }, snapshots);

  assert.deepEqual(frames.map((frame) => frame.rect), rects);
  frames.forEach((frame, k) => assert.deepEqual(frame.rgb, rgbOf(snapshots[k]), `frame ${k}`));
});

test("identical frames lengthen the one before", () => {
  const [a, b] = [[0, 0, 0], [255, 255, 255]].map((color) => paint(6, () => color));

  const { frames } = encode({ width: 3, height: 2, colors: ["#ffffff"] }, [a, a, a, b, a, a]);

  assert.deepEqual(frames.map((frame) => frame.delayCs), [30, 10, 20]);
  assert.deepEqual(frames.map((frame) => frame.rgb[0]), [0, 255, 0]);
});

test("a delay that no longer fits goes on in a further frame that changes nothing", () => {
  const frame = paint(6, () => [1, 2, 3]);

  const { frames } = encode({ width: 3, height: 2, delayMs: 400_000 }, [frame, frame, frame]);

  assert.deepEqual(frames.map(({ delayCs, rect }) => [delayCs, rect]), [
    [40_000, [0, 0, 3, 2]],
    [40_000, [0, 0, 1, 1]],
    [40_000, [0, 0, 1, 1]],
  ]);
  assert.deepEqual(frames[2].rgb, rgbOf(frame));
});

test("delays are hundredths of a second that add up, and at least two", () => {
  const blink = Array.from({ length: 100 }, (_, k) => paint(1, () => [k % 2, 0, 0]));
  const delays = (delayMs) =>
    encode({ width: 1, height: 1, delayMs, colors: ["#000000", "#010000"] }, blink).frames.map((f) => f.delayCs);

  assert.deepEqual(delays(40), Array(100).fill(4));
  const delays33 = delays(33);
  assert.deepEqual([...new Set(delays33)].sort(), [3, 4]);
  assert.equal(delays33.reduce((sum, delay) => sum + delay), 330);
  assert.deepEqual(delays(1), Array(100).fill(2));
});

test("it loops unless told not to", () => {
  const frames = [paint(1, () => [0, 0, 0])];

  assert.equal(encode({ width: 1, height: 1 }, frames).loop, true);
  assert.equal(encode({ width: 1, height: 1, loop: false }, frames).loop, false);
});

test("the listed colours stay exact when the first frame has more than fit, and when they come later", () => {
  const random = makeRandom(11);
  const many = randomColors(random, 5000);
  // Two of them share five bits a channel: the nearest of one must not be taken for the other.
  const exact = [[0, 114, 178], [1, 115, 177], ...randomColors(random, 38)];
  const first = paint(100 * 60, (i) => many[i % many.length]);
  const later = paint(100 * 60, (i) => exact[i % exact.length]);

  const { frames } = encode({ width: 100, height: 60, colors: exact.map(hex) }, [first, later]);

  assert.deepEqual(frames[1].rgb, rgbOf(later));
});

test("colours that do not fit become the nearest ones, to five bits a channel", () => {
  const random = makeRandom(13);
  const palette = randomColors(random, 256);
  const wanted = randomColors(random, 10_000);
  const frames = [paint(wanted.length, (i) => palette[i % 256]), paint(wanted.length, (i) => wanted[i])];

  const [first, later] = encode({ width: 100, height: 100 }, frames).frames;

  assert.deepEqual(first.rgb, rgbOf(frames[0]));
  const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  // Off the middle of a bucket of 8 x 8 x 8 by 4 in each channel, on the way there and back.
  const slack = 2 * Math.hypot(4, 4, 4);
  wanted.forEach((color, i) => {
    const found = distance(color, later.rgb.subarray(3 * i, 3 * i + 3));
    const best = Math.min(...palette.map((candidate) => distance(color, candidate)));
    assert.ok(found <= best + slack, `${hex(color)} is off by ${found} instead of ${best}`);
  });
});

test("a plain area keeps its exact colour among thousands", () => {
  const many = randomColors(makeRandom(17), 4000);
  const panel = [248, 249, 250];
  many[0] = [250, 250, 251]; // comes first, and shares five bits a channel
  const frame = paint(200 * 100, (i) => (i % 3 ? panel : many[i % many.length]));

  const { rgb } = encode({ width: 200, height: 100 }, [frame]).frames[0];

  assert.deepEqual([...rgb.slice(3, 9)], [...panel, ...panel]);
});

test("a frame may lie anywhere in its buffer", () => {
  const frame = paint(6, (i) => [i, 2 * i, 3 * i]);
  const shifted = new Uint8ClampedArray(frame.length + 1);
  shifted.set(frame, 1);

  assert.deepEqual(encode({ width: 3, height: 2 }, [shifted.subarray(1)]).frames[0].rgb, rgbOf(frame));
});

test("wrong sizes, delays, colours and frames are errors", () => {
  const make = (options) => () => new GifEncoder({ width: 2, height: 2, delayMs: 100, ...options });
  for (const side of [0, -1, 65_536, 1.5, NaN, undefined]) {
    assert.throws(make({ width: side }), RangeError, `width ${side}`);
    assert.throws(make({ height: side }), RangeError, `height ${side}`);
  }
  make({ width: 65_535, height: 1 })();
  for (const delayMs of [0, -1, NaN, Infinity, undefined, 655_351]) assert.throws(make({ delayMs }), RangeError);
  for (const color of ["red", "#12345", "#1234567", "", 5]) assert.throws(make({ colors: [color] }), TypeError);
  const colors = randomColors(makeRandom(1), 257).map(hex);
  assert.throws(make({ colors }), /256 colours, not the 257/);
  make({ colors: [...colors.slice(0, 256), colors[0].toUpperCase()] })();

  const encoder = make({})();
  assert.throws(() => encoder.finish(), /at least one frame/);
  assert.throws(() => encoder.addFrame(new Uint8ClampedArray(15)), /16 bytes, found 15/);
  encoder.addFrame(new Uint8ClampedArray(16));
  encoder.finish();
  assert.throws(() => encoder.finish(), /finished/);
  assert.throws(() => encoder.addFrame(new Uint8ClampedArray(16)), /finished/);
});
