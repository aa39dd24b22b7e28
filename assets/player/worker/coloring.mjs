// From a job to the palette code of its cells. Rules and palettes come from figures/player_colors.py.
// A code fits 7 bits; code 0 is idle.

import { rowOfJob } from "../decoder/decoder.mjs";

const SECONDS_PER_HOUR = 3600;
/** Up to here codes are looked up in a table by stored id. */
const MOST_TABLE_IDS = 1 << 22;

/** Rows of job records by stored id (plain id + offset): a table where ids are small enough, else a search. */
export class JobIndex {
  constructor(jobs, jobIdOffset) {
    Object.assign(this, { jobs, jobIdOffset });
    const largest = jobs.jobId.reduce((a, b) => Math.max(a, b), -1) + jobIdOffset;
    if (largest >= MOST_TABLE_IDS) return;
    this.table = new Int32Array(largest + 1).fill(-1);
    jobs.jobId.forEach((jobId, row) => {
      if (this.table[jobId + jobIdOffset] < 0) this.table[jobId + jobIdOffset] = row; // the first of equals, as in the search
    });
  }

  /** Record row of a stored id, -1 where the file has no record of it. */
  rowOf(storedId) {
    if (this.table) return storedId < this.table.length ? this.table[storedId] : -1;
    return rowOfJob(this.jobs, storedId - this.jobIdOffset);
  }
}

/** Class 1.. of a time in hours; the class above the last edge ends the list. */
export function classOfHours(hours, edges) {
  let k = 0;
  while (k < edges.length && hours >= edges[k]) k += 1;
  return k + 1;
}

/** Code of each job record under a rule that does not depend on the round: Uint8Array, in record order. */
function codesOfRecords(rule, run) {
  const { jobs, jobTypes } = run;
  const codes = new Uint8Array(jobs.jobId.length);
  const other = rule.kind === "category" ? rule.codes.other : rule.unknown;
  for (let row = 0; row < codes.length; row += 1) {
    if (rule.kind === "category") {
      const name = (jobTypes.get(jobs.typeId[row])?.category ?? "").toLowerCase().replaceAll("_", " ");
      codes[row] = rule.codes[name] ?? other;
    } else if (rule.kind === "scale_factor") {
      const factor = jobs.scaleFactor[row];
      codes[row] = factor < 1 ? other : rule.steps.find(([largest]) => factor <= largest)[1];
    } else {
      const hours = run.waitedHours(row);
      codes[row] = Number.isNaN(hours) ? other : classOfHours(hours, rule.edges_h);
    }
  }
  return codes;
}

/** Code by stored id, for rules that do not depend on the round. `run`: { jobs, jobTypes, jobIndex, jobIdOffset,
 * waitedHours(row) }. */
export function staticCoder(rule, run) {
  const { jobIdOffset } = run;
  if (rule.kind === "job") return (id) => (id === 0 ? 0 : 1 + ((id - jobIdOffset) % rule.colors));
  const codes = codesOfRecords(rule, run);
  const missing = rule.kind === "category" ? rule.codes.other : rule.unknown;
  return (id) => {
    if (id === 0) return 0;
    const row = run.jobIndex.rowOf(id);
    return row < 0 ? missing : codes[row];
  };
}

/** A coder as a table by stored id, where ids are small enough: a cell then costs one look-up. */
export function tableOf(coder, largestId) {
  if (largestId >= MOST_TABLE_IDS) return null;
  const table = new Uint8Array(largestId + 1);
  for (let id = 0; id <= largestId; id += 1) table[id] = coder(id);
  return table;
}

/** Code by stored id of the hours until the job completes; `run.completionS(row)` is NaN where it never does. */
export function remainingCoder(rule, run, simTimeS) {
  return (id) => {
    if (id === 0) return 0;
    const row = run.jobIndex.rowOf(id);
    const seconds = row < 0 ? NaN : run.completionS(row) - simTimeS;
    return Number.isNaN(seconds) ? rule.unknown : classOfHours(Math.max(0, seconds) / SECONDS_PER_HOUR, rule.edges_h);
  };
}

/** Code of hours that depend on the GPU: `hoursOf(unit, id)`, NaN where not known. */
export function hoursCoder(rule, hoursOf) {
  return (id, unit) => {
    if (id === 0) return 0;
    const hours = hoursOf(unit, id);
    return Number.isNaN(hours) ? rule.unknown : classOfHours(hours, rule.edges_h);
  };
}

/** Code of a node with `busy` of `size` GPUs in use. */
export function codeOfShare(rule, busy, size) {
  if (busy === 0) return 0;
  if (busy === size) return rule.edges.length + 2;
  const share = busy / size;
  let k = 0;
  while (k < rule.edges.length && share > rule.edges[k]) k += 1;
  return k + 1;
}

/** Code of a GPU against run A's, by plain ids (-1 idle): same, different, only here, only there. */
export function codeOfDifference(here, there) {
  if (here < 0) return there < 0 ? 0 : 4;
  if (there < 0) return 3;
  return here === there ? 1 : 2;
}

/** Pixels of the codes of a palette as little-endian RGBA, and of the same codes dimmed towards the background. */
export function pixelTable(palette, background) {
  const table = new Uint32Array(256);
  const [r0, g0, b0] = rgbOf(background);
  palette.forEach((color, code) => {
    const [r, g, b] = rgbOf(color);
    const mix = (part, towards) => Math.round(towards + (part - towards) * 0.16);
    table[code] = pack(r, g, b);
    table[code + 128] = pack(mix(r, r0), mix(g, g0), mix(b, b0));
  });
  return table;
}

/** Bit of a code whose cell is dimmed: filtered out, or not of the selected job. */
export const DIMMED = 128;

function rgbOf(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

const pack = (r, g, b) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
