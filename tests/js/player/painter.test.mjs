// Pixels and codes of every GPU against a plain loop over the GPUs.
import assert from "node:assert/strict";
import test from "node:test";

import { JobIndex, staticCoder, tableOf } from "../../../assets/player/worker/coloring.mjs";
import { Painter } from "../../../assets/player/worker/painter.mjs";
import { CATEGORY_RULE, makeFrame, makeRandom } from "./make_frame.mjs";
import { makeJobs } from "./make_run.mjs";

const BACKGROUND = "#ffffff";
const BANDS = [["k80", 11, 4], ["p100", 5, 4], ["none", 0], ["v100", 7]];
const N_GPUS = 23;
const IDS = [1, 2, 65_535, 65_536, 70_001, 4_294_967_295]; // stored, with offset 1
const JOBS = makeJobs(IDS.map((id, row) => [id - 1, row % 4]));
const JOB_TYPES = new Map(["resnet", "transformer", "language_model", "x"].map((category, id) => [id, { category }]));
const RUN = { jobs: JOBS, jobTypes: JOB_TYPES, jobIdOffset: 1, jobIndex: new JobIndex(JOBS, 1) };
const CODER = staticCoder(CATEGORY_RULE, RUN);
const HOW = { look: "jobs", coder: CODER, table: null, selected: -1, hidden: null, plainOf: (id) => id - 1 };

const channels = (color) => [1, 3, 5].map((at) => Number(`0x${color.slice(at, at + 2)}`));

function cssOf(code, palette, dimmed) {
  const [color, back] = [channels(palette[code]), channels(BACKGROUND)];
  return dimmed ? color.map((part, k) => Math.round(back[k] + 0.16 * (part - back[k]))) : color;
}

/** Where each part of each GPU is, slowly: [column, row in the image, row of the heatmap]. */
function placesOf({ grid: { bands, columns, parts } }) {
  const places = [];
  let imageRow = 0;
  for (const band of bands) {
    for (let i = 0; i < band.count; i += 1) {
      for (let down = 0; down < parts; down += 1) {
        for (let right = 0; right < parts; right += 1) {
          const inBand = parts * Math.floor(i / columns) + down;
          places.push([parts * (i % columns) + right, parts * imageRow + inBand, parts * band.first_row + inBand]);
        }
      }
    }
    imageRow += band.rows;
  }
  return places;
}

/** Check what was painted against [code, dimmed] of every part of every GPU. */
function checkPainted(painter, frame, pixels, look, expected) {
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const rows = painter.rowsOfCodes();
  const { columns, parts, rows: gridRows } = frame.grid;
  assert.deepEqual([rows.length, rows[0].length, painter.width], [gridRows * parts, columns * parts, columns * parts]);
  const filled = new Set();
  placesOf(frame).forEach(([column, imageRow, row], unit) => {
    const at = 4 * (imageRow * painter.width + column);
    const [code, dimmed] = expected[unit];
    assert.deepEqual([...bytes.subarray(at, at + 4)], [...cssOf(code, frame.looks[look].palette, dimmed), 255], `part ${unit}`);
    assert.equal(rows[row][column], code, `code of part ${unit}`);
    filled.add(at / 4);
  });
  pixels.forEach((pixel, at) => { if (!filled.has(at)) assert.equal(pixel, 0, `pixel ${at} holds no GPU`); });
  assert.equal(rows.reduce((n, row) => n + row.filter((code) => !Number.isNaN(code)).length, 0), expected.length);
}

function makeRound(random, parts) {
  const ids = Uint32Array.from({ length: N_GPUS }, () => (random() < 0.3 ? 0 : random.pick(IDS)));
  const sharing = [];
  for (let gpu = 0; parts === 2 && gpu < N_GPUS; gpu += 3) {
    sharing.push({ gpu, storedIds: [ids[gpu], random.pick([0, ...IDS]), 0, random.pick(IDS)] });
  }
  return { ids, sharing };
}

/** Stored id of each part of each GPU, slowly. */
function unitsOf({ ids, sharing }, parts) {
  return Array.from(ids).flatMap((id, gpu) => {
    const quarters = sharing.find((entry) => entry.gpu === gpu)?.storedIds ?? [];
    if (new Set(quarters.filter((own) => own > 0)).size > 1) return quarters;
    return Array(parts * parts).fill(id);
  });
}

for (const parts of [1, 2]) {
  test(`every GPU has the pixel of its job, in ${parts} x ${parts} parts, bands wrapped`, () => {
    const random = makeRandom(parts);
    for (const columns of [1, 4, 6, 11]) {
      const frame = makeFrame({ bands: BANDS, columns, parts });
      const painter = new Painter(frame, BACKGROUND);
      for (let k = 0; k < 20; k += 1) {
        const round = makeRound(random, parts);
        const table = k % 2 ? tableOf(CODER, 70_001) : null; // the largest id is beyond it
        const hidden = new Uint8Array(256);
        if (k % 3 === 0) hidden.fill(1, 2, 4);
        const selected = k % 4 === 0 ? random.pick(IDS) : -1;
        const { pixels } = painter.paint(round, { ...HOW, table, selected, hidden: k % 3 === 0 ? hidden : null });
        const expected = unitsOf(round, parts).map((id) => {
          const code = id === 0 ? 0 : { 0: 1, 1: 2, 2: 3, 3: 5 }[IDS.indexOf(id) % 4];
          return [code, (k % 3 === 0 && (code === 2 || code === 3)) || (selected >= 0 && id !== selected)];
        });
        checkPainted(painter, frame, pixels, "jobs", expected);
      }
    }
  });

  test(`nodes have the share of their GPUs in use, in ${parts} x ${parts} parts`, () => {
    const random = makeRandom(10 + parts);
    const frame = makeFrame({ bands: BANDS, columns: 6, parts });
    const painter = new Painter(frame, BACKGROUND);
    for (let k = 0; k < 30; k += 1) {
      const round = makeRound(random, parts);
      const units = unitsOf(round, parts);
      const selected = k % 2 ? random.pick(IDS) : -1;
      const { pixels } = painter.paint(round, { ...HOW, look: "share", coder: null, selected });
      const expected = [];
      for (const { first_gpu: first, count, block_gpus: size } of frame.grid.bands) {
        for (let i = 0; i < count; i += 1) {
          const start = i - (i % size);
          const node = units.slice(parts ** 2 * (first + start), parts ** 2 * (first + Math.min(start + size, count)));
          const share = node.filter((id) => id > 0).length / node.length;
          const code = share === 0 ? 0 : share === 1 ? 5 : 1 + [0.25, 0.5, 0.75].filter((edge) => share > edge).length;
          for (let part = 0; part < parts ** 2; part += 1) expected.push([code, selected >= 0 && !node.includes(selected)]);
        }
      }
      checkPainted(painter, frame, pixels, "share", expected);
    }
  });
}

test("two runs with other offsets are compared by the jobs' own ids", () => {
  const bands = [["k80", 6]];
  const [frameA, frame] = [makeFrame({ bands, columns: 4 }), makeFrame({ bands, columns: 3 })];
  const [a, painter] = [new Painter(frameA, BACKGROUND), new Painter(frame, BACKGROUND)];
  a.paint({ ids: Uint32Array.of(0, 8, 8, 9, 0, 70_000), sharing: [] }, HOW); // offset 0
  const how = { ...HOW, look: "difference", coder: null, other: a.plainUnits(0), plainOf: (id) => (id === 0 ? -1 : id - 1) };
  const { pixels } = painter.paint({ ids: Uint32Array.of(0, 9, 8, 0, 1, 70_001), sharing: [] }, how);

  checkPainted(painter, frame, pixels, "difference", [0, 1, 2, 4, 3, 1].map((code) => [code, false]));
});

test("a shared GPU is compared quarter by quarter, or as one where only one run shares", () => {
  const bands = [["k80", 4]];
  const sharing = [{ gpu: 0, storedIds: [5, 6, 0, 5] }, { gpu: 1, storedIds: [7, 8, 0, 0] }];
  const shared = { ids: Uint32Array.of(5, 7, 9, 0), sharing };
  const plain = { ids: Uint32Array.of(5, 0, 9, 4), sharing: [] };
  const compare = (roundA, partsA, round, parts) => {
    const [a, painter] = [partsA, parts].map((n) => new Painter(makeFrame({ bands, columns: 4, parts: n }), BACKGROUND));
    a.paint(roundA, HOW);
    painter.paint(round, { ...HOW, look: "difference", coder: null, other: a.plainUnits(0), plainOf: (id) => (id === 0 ? -1 : id) });
    return painter.codes.join("");
  };

  assert.equal(compare(shared, 2, shared, 2), "1101" + "1100" + "1111" + "0000");
  assert.equal(compare(plain, 1, shared, 2), "1241" + "3300" + "1111" + "4444");
  assert.equal(compare(shared, 2, plain, 1), "2413");
});

test("a painter of other GPUs, or of a round that does not name jobs, is not compared with", () => {
  const of = (bands) => new Painter(makeFrame({ bands, columns: 2 }), BACKGROUND);
  const [a, same, other, wide] = [[["k80", 2], ["v100", 2]], [["k80", 2], ["v100", 2]], [["v100", 2], ["k80", 2]], [["k80", 4]]].map(of);
  assert.equal(a.isComparable(same), false); // nothing painted yet
  a.paint({ ids: new Uint32Array(4), sharing: [] }, HOW);
  assert.deepEqual([same, other, wide].map((painter) => a.isComparable(painter)), [true, false, false]);
  a.paint({ ids: null, sharing: [] }, HOW);
  assert.equal(a.isComparable(same), false);
});

test("a round without allocation data has no pixels at all, not idle ones", () => {
  const painter = new Painter(makeFrame({ bands: BANDS, columns: 6 }), BACKGROUND);
  const round = makeRound(makeRandom(5), 1);
  painter.paint(round, HOW);
  const { pixels, rows } = painter.paint({ ids: null, sharing: [] }, HOW);

  assert.ok(pixels.every((pixel) => pixel === 0));
  assert.deepEqual(rows, [0, painter.height]);
  assert.equal(painter.paint({ ids: null, sharing: [] }, HOW).rows, null);
});

test("the rows that changed are all that differ from the round before, whatever is in the buffer", () => {
  const random = makeRandom(6);
  for (const parts of [1, 2]) {
    const painter = new Painter(makeFrame({ bands: BANDS, columns: 3, parts }), BACKGROUND);
    let round = makeRound(random, parts);
    let { pixels: before, rows } = painter.paint(round, HOW);
    assert.deepEqual(rows, [0, painter.height]);
    for (let k = 0; k < 50; k += 1) {
      const ids = round.ids.slice();
      for (let n = random.below(3); n > 0; n -= 1) ids[random.below(N_GPUS)] = random.pick([0, ...IDS]);
      round = { ...round, ids };
      const stale = new Uint32Array(before.length).fill(0xdeadbeef);
      const painted = painter.paint(round, HOW, stale);
      assert.equal(painted.pixels, stale);
      const changed = Array.from({ length: painter.height }, (_, y) => y).filter((y) =>
        painted.pixels.subarray(y * painter.width, (y + 1) * painter.width).some((pixel, x) => pixel !== before[y * painter.width + x]),
      );
      assert.deepEqual(painted.rows, changed.length ? [changed[0], changed.at(-1) + 1] : null);
      before = painted.pixels;
    }
  }
});

test("a cluster without GPUs can be painted", () => {
  const painter = new Painter(makeFrame({ bands: [], columns: 1 }), BACKGROUND);
  assert.equal(painter.paint({ ids: new Uint32Array(0), sharing: [] }, HOW).rows, null);
  assert.deepEqual(painter.rowsOfCodes(), []);
});
