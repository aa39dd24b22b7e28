// A run as the page knows it: what the worker decoded, and the columns over all its rounds that come after.

import { lowerBound, upperBound } from "./timeline.mjs";
import { JobIndex } from "../worker/coloring.mjs";
import { summarizeSeries } from "../source/scan.mjs";

const SECONDS_PER_HOUR = 3600;
/** Throughput counts the completions of this many simulated hours. */
export const THROUGHPUT_HOURS = 100;
const OVERVIEW_BINS = 1000;

/** Fields of a series, in the order in which the server sends them. */
const SERIES_ROWS = [
  "startIndex", "timeH", "occupancyMin", "occupancyMax", "occupancyMean", "jobsMin", "jobsMax", "jobsMean", "completed",
];

/** `source`: { kind: "server", base, version, size } or file or url. `info`: what the server knows, or null. */
export class Run {
  constructor({ key, name, source, info = null }) {
    Object.assign(this, { key, name, source, info });
    this.base = info?.base ?? null;
    this.meta = null;
    this.clock = null;
    this.overview = null;
    this.firstStart = null;
    this.columns = null;
    this.problem = null;
  }

  /** What the worker says after opening. */
  opened({ meta, jobs, jobTypes }) {
    this.meta = meta;
    this.jobs = jobs;
    this.jobTypes = new Map(jobTypes);
    this.jobIndex = new JobIndex(jobs, meta.jobIdOffset);
    this.window = meta.window;
    this.jctS = Float64Array.from(jobs.durationS, (seconds, row) => (jobs.completed[row] && seconds > 0 ? seconds : NaN));
    this.setNodeSizes(new Map());
    this.#sortJobs();
  }

  /** GPUs per node (Map by type), for types of which the file does not say; what it says comes first. */
  setNodeSizes(sizes) {
    let firstGpu = 0;
    this.gpuTypes = this.meta.gpuTypes.map((type) => {
      const placed = { ...type, gpusPerNode: type.gpusPerNode ?? sizes.get(type.name) ?? null, firstGpu };
      firstGpu += type.count;
      return placed;
    });
  }

  get nRounds() {
    return this.meta.nRounds;
  }

  get categories() {
    return [...new Set(Array.from(new Set(this.jobs.typeId), (type) => this.jobTypes.get(type)?.category ?? ""))];
  }

  get scaleFactors() {
    return [...new Set(this.jobs.scaleFactor)];
  }

  /** Columns from the server: clock, JCT and first starts, and the series of the whole run. */
  async loadColumns(signal) {
    const path = `${this.base}/player/${this.source.version}`;
    const n = this.meta.nRounds;
    const [clock, jobs] = await Promise.all([fetchBuffer(`${path}/clock`, signal), fetchBuffer(`${path}/jobs`, signal)]);
    this.clock = { round: new Uint32Array(clock, 0, n), simTimeS: new Float32Array(clock, 4 * n, n) };
    this.jctS = new Float64Array(jobs, 0, this.meta.nJobs);
    this.firstStart = new Int32Array(jobs, 8 * this.meta.nJobs, this.meta.nJobs);
    this.#sortJobs();
    this.overview = await this.series(0, n, OVERVIEW_BINS, signal);
  }

  /** Columns from the worker's scan. */
  scanned(columns) {
    this.columns = columns;
    this.clock = { round: columns.round, simTimeS: columns.simTimeS };
    this.firstStart = columns.firstStart;
    this.overview = summarizeSeries(columns, this.meta.nGpus, 0, this.meta.nRounds, OVERVIEW_BINS);
  }

  /** Summary of the records [start, stop) in at most `bins` stretches; null where nothing can tell yet. */
  async series(start, stop, bins, signal) {
    if (this.columns) return summarizeSeries(this.columns, this.meta.nGpus, start, stop, bins);
    if (this.base === null) return null;
    const path = `${this.base}/player/${this.source.version}/series?start=${start}&stop=${stop}&bins=${bins}`;
    const values = new Float64Array(await fetchBuffer(path, signal));
    const n = values.length / (SERIES_ROWS.length + this.meta.gpuTypes.length);
    const series = { n };
    SERIES_ROWS.forEach((name, row) => { series[name] = values.subarray(row * n, (row + 1) * n); });
    series.usedCumulative = values.subarray(SERIES_ROWS.length * n);
    return series;
  }

  /** Completions in order, with running sums of their JCT: of all jobs, and of those of the window. */
  #sortJobs() {
    const { jobs, jctS, window } = this;
    const inWindow = (row) => window !== null && jobs.jobId[row] >= window.startJob && jobs.jobId[row] < window.endJob;
    const done = Array.from(jobs.jobId.keys()).filter((row) => jobs.completed[row]);
    done.sort((a, b) => jobs.completionRound[a] - jobs.completionRound[b]);
    this.completions = sums(done, jobs, jctS);
    this.windowCompletions = sums(done.filter(inWindow), jobs, jctS);
  }

  /** Phases as [start, end) of the measurement in records: the server's, or from the file's own window. */
  phases() {
    if (this.info) return this.info.phases;
    const { jobs, window, clock } = this;
    if (!window || !clock) return null;
    const rows = Array.from(jobs.jobId.keys()).filter(
      (row) => jobs.jobId[row] >= window.startJob && jobs.jobId[row] < window.endJob,
    );
    if (rows.length === 0) return null;
    const first = rows.reduce((least, row) => Math.min(least, jobs.arrivalRound[row]), Infinity);
    const start = first > 0 ? upperBound(clock.round, first) : lowerBound(clock.round, first);
    const allDone = rows.length === window.endJob - window.startJob && rows.every((row) => jobs.completed[row]);
    const last = rows.reduce((most, row) => Math.max(most, jobs.completionRound[row]), 0);
    const end = allDone ? upperBound(clock.round, last) : this.nRounds;
    return [Math.min(start, this.nRounds), Math.max(Math.min(start, this.nRounds), Math.min(end, this.nRounds))];
  }

  /** Record in the middle of the measurement, of the run where there is none; as the library's Run. */
  representativeRound() {
    const [start, end] = this.phases() ?? [0, this.nRounds];
    return Math.max(0, Math.min(Math.floor((start + end) / 2), this.nRounds - 1));
  }

  phaseOf(index) {
    const phases = this.phases();
    if (!phases) return "";
    return index < phases[0] ? "warm-up" : index < phases[1] ? "measurement" : "cool-down";
  }

  /** Jobs that have arrived by each record, for playing in step by arrivals; null before the clock is known. */
  get arrivals() {
    if (this.clock === null) return null;
    const rounds = Float64Array.from(this.jobs.arrivalRound).sort();
    return Uint32Array.from(this.clock.round, (round) => lowerBound(rounds, round));
  }

  /** Record at which a round number is shown: the first that is at or after it. */
  recordOf(round) {
    if (this.clock === null) return Math.min(round, this.nRounds - 1);
    return Math.min(lowerBound(this.clock.round, round), this.nRounds - 1);
  }

  /** Simulated seconds of the last record at or before a round number; NaN before the clock is known. */
  timeOfRoundS(round) {
    if (this.clock === null || this.nRounds === 0) return NaN;
    return this.clock.simTimeS[Math.max(0, upperBound(this.clock.round, round) - 1)];
  }

  /** Times the worker colours by, by job record: hours waited before the first start, and second of completion. */
  jobTimes() {
    const { jobs, firstStart, clock } = this;
    const n = jobs.jobId.length;
    const waitedH = new Float32Array(n).fill(NaN);
    const completionS = new Float64Array(n).fill(NaN);
    for (let row = 0; row < n; row += 1) {
      const start = firstStart[row];
      if (start >= 0) {
        waitedH[row] = Math.max(0, clock.simTimeS[start] - this.timeOfRoundS(jobs.arrivalRound[row])) / SECONDS_PER_HOUR;
      }
      if (jobs.completed[row]) completionS[row] = this.timeOfRoundS(jobs.completionRound[row]);
    }
    return { waitedH, completionS, simTimeS: clock.simTimeS };
  }

  /** What is known about a job by plain id at a record, for its card. Rounds are records; times in hours. */
  job(jobId, index) {
    const row = this.jobIndex.rowOf(jobId + this.meta.jobIdOffset);
    if (row < 0) return { jobId, known: false };
    const { jobs, firstStart } = this;
    const type = this.jobTypes.get(jobs.typeId[row]);
    const hours = (seconds) => seconds / SECONDS_PER_HOUR;
    const arrivalH = hours(this.timeOfRoundS(jobs.arrivalRound[row]));
    const started = firstStart === null ? null : firstStart[row];
    const startH = started === null || started < 0 || !this.clock ? NaN : hours(this.clock.simTimeS[started]);
    const completed = jobs.completed[row] === 1;
    const jctH = hours(this.jctS[row]);
    const endH = completed ? (Number.isNaN(jctH) ? hours(this.timeOfRoundS(jobs.completionRound[row])) : arrivalH + jctH) : NaN;
    const nowH = this.clock ? hours(this.clock.simTimeS[index]) : NaN;
    return {
      jobId, known: true, row,
      jobType: type?.name ?? `type ${jobs.typeId[row]}`,
      category: type?.category ?? "",
      scaleFactor: jobs.scaleFactor[row] || null,
      arrivalRound: jobs.arrivalRound[row], arrivalH,
      firstStart: started, startH,
      completed, completionRound: completed ? jobs.completionRound[row] : null, endH, jctH: completed ? jctH : NaN,
      inWindow: this.window !== null && jobId >= this.window.startJob && jobId < this.window.endJob,
      progress: completed && nowH >= arrivalH ? Math.min(1, (nowH - arrivalH) / Math.max(endH - arrivalH, 1e-9)) : null,
      ageH: nowH - arrivalH,
    };
  }

  /** Completions before a round number, and their mean JCT in hours (null without any): of all or of the window. */
  meanJct(round, ofWindow) {
    const { rounds, sumS, known } = ofWindow ? this.windowCompletions : this.completions;
    const n = lowerBound(rounds, round);
    return { n, meanH: known[n] > 0 ? sumS[n] / known[n] / SECONDS_PER_HOUR : null, missing: n - known[n] };
  }

  /** Completions per hour over the last hours before a record; null where time has not passed or is not known. */
  throughput(index) {
    if (!this.clock || this.completions.rounds.length === 0) return null;
    const { round, simTimeS } = this.clock;
    // Completions are known by record: the hours begin at the last one that is at least as long ago.
    const from = Math.max(0, upperBound(simTimeS, simTimeS[index] - THROUGHPUT_HOURS * SECONDS_PER_HOUR) - 1);
    const hours = (simTimeS[index] - simTimeS[from]) / SECONDS_PER_HOUR;
    if (!(hours > 0)) return null;
    const n = lowerBound(this.completions.rounds, round[index]) - lowerBound(this.completions.rounds, round[from]);
    return { jph: n / hours, hours };
  }

  /** Mean share of a type's GPUs in use over the records before `index`; { share, exact } or null. */
  meanOccupancy(type, index, usedNow) {
    if (!this.overview || index === 0) return null;
    const { n, startIndex, usedCumulative } = this.overview;
    const bin = upperBound(startIndex, index) - 1;
    const start = startIndex[bin];
    const sum = usedCumulative[type * n + bin] + (index - start) * usedNow;
    const { count } = this.gpuTypes[type];
    return count === 0 ? null : { share: sum / index / count, exact: index === start };
  }
}

function sums(rows, jobs, jctS) {
  const rounds = Uint32Array.from(rows, (row) => jobs.completionRound[row]);
  const sumS = new Float64Array(rows.length + 1);
  const known = new Uint32Array(rows.length + 1);
  rows.forEach((row, k) => {
    const isKnown = !Number.isNaN(jctS[row]);
    sumS[k + 1] = sumS[k] + (isKnown ? jctS[row] : 0);
    known[k + 1] = known[k] + (isKnown ? 1 : 0);
  });
  return { rows, rounds, sumS, known };
}

async function fetchBuffer(path, signal) {
  const answer = await fetch(path, { signal });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `the server answered ${answer.status}`);
  return answer.arrayBuffer();
}

/** Whether two are one run, of the sweep perhaps in different states of its file. */
export const isSameRun = (one, other) => one.key === other.key || Boolean(one.info && other.info && one.info.base === other.info.base);
