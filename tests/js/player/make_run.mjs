// Job tables, and runs as the page knows them, without a file.

import { Run } from "../../../assets/player/model/run.mjs";

/** Columns of a job table as readJobs makes them: [[id, type, scale, arrival, completion, durationS]], plain ids. */
export function makeJobs(rows) {
  const jobs = {
    jobId: Float64Array.from(rows, ([id]) => id),
    typeId: Uint16Array.from(rows, ([, type = 0]) => type),
    scaleFactor: Uint8Array.from(rows, ([, , scale = 1]) => scale),
    arrivalRound: Uint32Array.from(rows, ([, , , arrival = 0]) => arrival),
    completionRound: Uint32Array.from(rows, ([, , , , completion = 0]) => completion),
    durationS: Float32Array.from(rows, ([, , , , , duration = 0]) => duration),
    completed: Uint8Array.from(rows, ([, , , , completion = 0, duration = 0]) => (completion > 0 || duration > 0 ? 1 : 0)),
  };
  jobs.rowsById = Uint32Array.from(jobs.jobId.keys()).sort((a, b) => jobs.jobId[a] - jobs.jobId[b] || a - b);
  return jobs;
}

/** A run of `rounds` = [[number, simTimeS, used]] whose columns have come from a scan; `jobs` as for makeJobs. */
export function makeRun({ jobs = [], rounds, offset = 1, window = null, types = [["k80", 4]], jobTypes = [], firstStart, info = null }) {
  const run = new Run({ key: "k", name: "run", source: { kind: "file" }, info });
  const gpuTypes = types.map(([name, count]) => ({ name, count, gpusPerNode: null }));
  const nGpus = types.reduce((sum, [, count]) => sum + count, 0);
  run.opened({
    meta: { nRounds: rounds.length, nGpus, nJobs: jobs.length, gpuTypes, jobIdOffset: offset, window },
    jobs: makeJobs(jobs), jobTypes,
  });
  run.scanned({
    round: Uint32Array.from(rounds, ([number]) => number),
    simTimeS: Float32Array.from(rounds, ([number, timeS]) => timeS ?? 360 * Math.max(0, number - 1)),
    jobsRunning: new Uint16Array(rounds.length), jobsQueued: new Uint16Array(rounds.length), jobsCompleted: new Uint32Array(rounds.length),
    gpusUsed: Uint16Array.from(rounds.flatMap(([, , used]) => used ?? types.map(() => 0))),
    firstStart: Int32Array.from(firstStart ?? jobs.map(() => -1)),
  });
  return run;
}
