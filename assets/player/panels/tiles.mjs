// The round in numbers: plain values first, then their words. One column per run, differences to run A beside them.

import { THROUGHPUT_HOURS } from "../model/run.mjs";
import { count, hours } from "./round_words.mjs";
import { make } from "./dom.mjs";

const percent = (share, digits = 1) => (share === null ? "–" : `${(100 * share).toFixed(digits)}%`);
const jph = (value) => `${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} jph`;

/** Tiles in order: label, how a number is written, and how a difference is. */
export const TILES = [
  { key: "occupancy", label: "Occupancy", hint: "GPUs in use in this round / all GPUs", write: percent, unit: "pp" },
  { key: "free_gpus", label: "Free GPUs", hint: "Unallocated GPUs: nobody uses them; and the most that are free on one node", write: count },
  { key: "jobs_running", label: "Running", hint: "Jobs that hold GPUs in this round", write: count },
  { key: "jobs_queued", label: "Queued", hint: "Jobs in the system that hold none", write: count },
  { key: "jobs_completed", label: "Completed", hint: "Jobs completed since the start", write: count },
  {
    key: "throughput_jph", label: `Throughput, ${THROUGHPUT_HOURS} h`, write: jph,
    hint: `Completions per simulated hour over the last ${THROUGHPUT_HOURS} h`,
  },
  { key: "mean_jct_h", label: "Mean JCT so far", hint: "Over all jobs completed before this round", write: hours },
  { key: "window_jct_h", label: "Window mean JCT", hint: "Over the measured jobs completed before this round", write: hours },
  { key: "effective_utilization", label: "Eff. utilization", hint: "The scheduler's busy fraction since the start", write: percent, unit: "pp" },
  {
    key: "fragmentation_rate", label: "Fragmentation", write: percent, unit: "pp",
    hint: "Fragmentation rate (FGD): free GPUs on nodes with too few for a job, weighted by how often jobs ask for that many / free GPUs. Below: the same / all GPUs",
  },
];

/** Values of a round: { key: { value: number or null, detail } }. `painted` is what the worker says of the round. */
export function tileValues(run, painted) {
  const { head, blocks, index } = painted;
  const gpus = run.meta.nGpus;
  const used = head.gpusUsed.reduce((a, b) => a + b, 0);
  const free = Math.max(0, gpus - used);
  const all = run.meanJct(head.round, false);
  const inWindow = run.meanJct(head.round, true);
  const throughput = run.throughput(index);
  const nWindow = run.window ? run.window.endJob - run.window.startJob : 0;
  const rate = head.completionRateJph;
  const values = {
    occupancy: [gpus ? used / gpus : null, `${count(used)} of ${count(gpus)} GPUs`],
    free_gpus: [free, noNodes(painted) ?? `largest free block ${count(Math.max(...blocks.types.map(({ largestBlock }) => largestBlock ?? 0)))}`],
    jobs_running: [head.jobsRunning, "jobs on GPUs"],
    jobs_queued: [head.jobsQueued, `${count(head.jobsRunning + head.jobsQueued)} in the system`],
    jobs_completed: [head.jobsCompleted, "jobs since the start"],
    throughput_jph: [throughput?.jph ?? null, rate > 0 ? `simulator: ${jph(rate)}` : throughputDetail(run, throughput)],
    mean_jct_h: [all.meanH, all.meanH === null ? noJct(run, head.jobsCompleted) : `${count(all.n - all.missing)} jobs`],
    window_jct_h: [inWindow.meanH, run.window ? `${count(inWindow.n - inWindow.missing)} of ${count(nWindow)} jobs` : "no window known"],
    effective_utilization: [head.effectiveUtilization, "since the start"],
    fragmentation_rate: fragmentation(painted),
  };
  const tiles = Object.fromEntries(Object.entries(values).map(([key, [value, detail]]) => [key, { value, detail }]));
  tiles.window_jct_h.isBound = inWindow.n - inWindow.missing < nWindow;
  tiles.window_jct_h.of = run.window ? `${run.window.startJob}:${run.window.endJob}` : "";
  return tiles;
}

function throughputDetail(run, throughput) {
  if (throughput) return `over ${Math.round(throughput.hours)} h`;
  if (run.clock === null) return "its times are still loading";
  return run.completions.rounds.length === 0 ? "no completions known" : "no time has passed";
}

function noJct(run, completed) {
  if (run.meta.nJobs === 0) return "no jobs in the file";
  return completed === 0 ? "none completed yet" : "no JCTs in the file";
}

/** Why nothing is known of free blocks; null where it is. */
function noNodes({ blocks, hasAllocation }) {
  if (blocks.gpus === 0) return blocks.knowsNodes ? "one GPU per node" : "node size not known";
  if (!hasAllocation) return "no allocation data";
  return blocks.isKnown ? null : "a running job is not shown";
}

/** Fragmented / free GPUs, and the share of all, of the types whose nodes hold several GPUs. */
function fragmentation(painted) {
  const { blocks, visible, head } = painted;
  const unknown = noNodes(painted);
  if (unknown !== null) return [null, unknown];
  if (blocks.fragmented === null) return [null, "no job sizes known"];
  if (blocks.free === 0) return [null, "no GPU is free"];
  // Blocks follow the cells: where the simulator counts other GPUs in use than the file names, that is said.
  const isAsCounted = visible === head.gpusUsed.reduce((a, b) => a + b, 0);
  const of = blocks.types.every(({ size }) => size !== null) ? "all GPUs" : "GPUs on known nodes";
  return [blocks.fragmented / blocks.free, isAsCounted ? `${percent(blocks.fragmented / blocks.gpus)} of ${of}` : "of GPUs that name a job"];
}

/** Share in use now and on average since the start, per GPU type. */
export function typeValues(run, painted) {
  return run.gpuTypes.map((type, t) => {
    const used = painted.head.gpusUsed[t];
    const mean = run.meanOccupancy(t, painted.index, used);
    return {
      name: type.name.toUpperCase(),
      now: percent(type.count ? used / type.count : null),
      mean: mean === null ? "–" : `${mean.exact ? "" : "≈ "}${percent(mean.share)}`,
      title: `${type.name}: ${count(used)} of ${count(type.count)} GPUs in use; on average since the start ${mean === null ? "not known" : percent(mean.share)}`,
    };
  });
}

/** A tile's value in words; a mean that misses some of its jobs is a lower bound. */
export function writeTile(tile, { value, isBound }) {
  return value === null ? "–" : `${isBound ? "≥ " : ""}${tile.write(value)}`;
}

/** A tile's difference to run A in its own unit, with a sign; means over different windows are not compared. */
export function writeDifference(tile, { value, of }, { value: base, of: baseOf }) {
  if (of !== baseOf) return "other window";
  if (value === null || base === null) return "–";
  const difference = value - base;
  const sign = difference > 0 ? "+" : difference < 0 ? "−" : "±";
  const size = Math.abs(difference);
  return sign + (tile.unit === "pp" ? `${(100 * size).toFixed(1)} pp` : tile.write(size));
}

/** Shows tiles in an element; builds it when the runs change, afterwards only writes what differs. */
export class TilePanel {
  #cells = [];
  #shape = "";

  constructor(element) {
    this.element = element;
  }

  show(columns) {
    const shape = JSON.stringify(columns.map(({ badge, types }) => [badge, types.length]));
    if (shape !== this.#shape) this.#build(columns);
    this.#shape = shape;
    const several = columns.length > 1;
    const texts = [];
    for (const tile of TILES) {
      columns.forEach(({ values, hasEnded }, k) => {
        const { detail } = values[tile.key];
        const isEnded = hasEnded || columns[0].hasEnded;
        const difference = () => (isEnded ? "ended" : writeDifference(tile, values[tile.key], columns[0].values[tile.key]));
        texts.push(writeTile(tile, values[tile.key]), several && k > 0 ? difference() : detail);
      });
    }
    for (const { types } of columns) for (const { now, mean } of types) texts.push(now, mean);
    texts.forEach((text, i) => {
      if (this.#cells[i].textContent !== text) this.#cells[i].textContent = text;
    });
  }

  #build(columns) {
    this.#cells = [];
    const several = columns.length > 1;
    this.element.classList.toggle("cluster-tiles-several", several);
    this.element.classList.toggle("cluster-tiles-pair", columns.length === 2);
    this.element.style.setProperty("--runs", columns.length);
    const parts = [];
    if (several) parts.push(make("div", "cluster-tile-row", [make("span"), ...columns.map(({ badge }) => make("span", "cluster-badge", badge))]));
    for (const tile of TILES) {
      const label = make("div", "gd-tile-label", tile.label);
      const cells = columns.map(() => [make("div", "gd-tile-value"), make("div", "gd-tile-detail")]);
      cells.forEach((pair) => this.#cells.push(...pair));
      const node = several
        ? make("div", "cluster-tile-row", [label, ...cells.map((pair) => make("div", "cluster-tile-cell", pair))])
        : make("div", "gd-tile", [label, ...cells[0]]);
      node.title = tile.hint;
      node.dataset.tile = tile.key;
      parts.push(node);
    }
    columns.forEach(({ badge, types }) => {
      const rows = types.map((type) => {
        const cells = [make("span"), make("span", "gd-muted")];
        this.#cells.push(...cells);
        const row = make("div", "cluster-type", [make("span", "cluster-type-name", type.name), ...cells]);
        row.title = type.title.split(":")[0] + ": share in use now, and on average since the start";
        return row;
      });
      const title = several ? `Run ${badge}: in use now, mean so far` : "In use now, mean so far";
      parts.push(make("div", "cluster-types", [make("div", "cluster-types-title", title), ...rows]));
    });
    this.element.replaceChildren(...parts);
  }
}
