// One timeline for several runs. A position is a record index of the lead run, the longest under the alignment; each
// run's own record follows from it, and a run that is shorter stays at its end.

export const ALIGNMENTS = ["time", "round", "arrivals"];

/** First index whose value is above `value` (in a not decreasing array). */
export function upperBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index whose value is at least `value`. */
export function lowerBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

/** runs: [{ nRounds, simTimeS (by record, not decreasing), arrivals (jobs that have arrived by each record) }]. */
export class Timeline {
  constructor(runs, align = "time") {
    this.runs = runs;
    this.align = align;
    const ends = runs.map((run) => this.#end(run));
    this.lead = Math.max(0, ends.indexOf(Math.max(...ends)));
    this.nPositions = runs[this.lead]?.nRounds ?? 0;
  }

  #end(run) {
    if (run.nRounds === 0) return -1;
    if (this.align === "time" && run.simTimeS) return run.simTimeS[run.nRounds - 1];
    if (this.align === "arrivals" && run.arrivals) return run.arrivals[run.nRounds - 1];
    return run.nRounds;
  }

  /** Record of run `k` at a position. */
  indexOf(k, position) {
    return this.#map(this.runs[this.lead], this.runs[k], position);
  }

  /** Position at which run `k` is at record `index`, as near as the lead has one. */
  positionOf(k, index) {
    const position = this.#map(this.runs[k], this.runs[this.lead], index);
    // The lead's last record before may still be in the run's record before: going there and back would drift.
    return this.indexOf(k, position) < index && this.indexOf(k, position + 1) === index ? position + 1 : position;
  }

  /** Whether a position lies behind the end of run `k`, which stays there: it is then compared with another moment. */
  hasEnded(k, position) {
    const [lead, run] = [this.runs[this.lead], this.runs[k]];
    if (run === lead || run.nRounds === 0) return false;
    const last = run.nRounds - 1;
    const i = clamp(position, 0, Math.max(0, lead.nRounds - 1));
    if (this.align === "time" && lead.simTimeS && run.simTimeS) return lead.simTimeS[i] > run.simTimeS[last];
    if (this.align === "arrivals" && lead.arrivals && run.arrivals) return lead.arrivals[i] > run.arrivals[last];
    return i > last;
  }

  #map(from, to, index) {
    const i = clamp(index, 0, Math.max(0, from.nRounds - 1));
    if (from === to) return i;
    const last = to.nRounds - 1;
    if (this.align === "time" && from.simTimeS && to.simTimeS) return clamp(byTime(from.simTimeS, to.simTimeS, i), 0, last);
    if (this.align === "arrivals" && from.arrivals && to.arrivals) {
      return clamp(lowerBound(to.arrivals, from.arrivals[i]), 0, last);
    }
    return clamp(i, 0, last);
  }
}

/** Last record at or before the time of record `i`; of records that share that time (the first two do), the one of the
 * same rank, so that a run in step with itself stays so. */
function byTime(from, to, i) {
  const time = from[i];
  const end = upperBound(to, time);
  const start = lowerBound(to, time);
  return start < end ? Math.min(start + i - lowerBound(from, time), end - 1) : end - 1;
}
