// Frames as figures/player_frame.py makes them, small; and numbers that are random and the same each time.

export const PALETTE = ["#f7f8fa", "#0072b2", "#009e73", "#e69f00", "#cc79a7", "#d55e00"];
export const CATEGORY_RULE = { kind: "category", codes: { resnet: 1, transformer: 2, "language model": 3, other: 5 } };
export const HOURS_RULE = { edges_h: [1, 5, 20], unknown: 5 };

/** bands: [[name, count, gpus_per_node]]; between them one blank row. */
export function makeFrame({ bands, columns, parts = 1, rule = CATEGORY_RULE }) {
  let [firstGpu, row] = [0, 0];
  const placed = bands.map(([name, count, gpusPerNode = null]) => {
    const rows = Math.max(1, Math.ceil(count / columns));
    const band = {
      name, count, first_gpu: firstGpu, rows, top: row, first_row: row, label: row + rows / 2,
      gpus_per_node: gpusPerNode, block_gpus: gpusPerNode ?? 8,
    };
    firstGpu += count;
    row += rows + 1;
    return band;
  });
  const looks = {
    jobs: { palette: PALETTE, legend: [], rule },
    share: { palette: PALETTE, legend: [], rule: { kind: "share", edges: [0.25, 0.5, 0.75] } },
    difference: { palette: PALETTE.slice(0, 5), legend: [], rule: { kind: "difference" } },
  };
  return { grid: { columns, parts, height: row - 1, rows: row - 1, bands: placed }, looks };
}

/** Random numbers below 1 (mulberry32). */
export function makeRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Object.assign(next, {
    below: (n) => Math.floor(next() * n),
    pick: (list) => list[Math.floor(next() * list.length)],
  });
}
