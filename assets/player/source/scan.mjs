// One pass over a whole run, for files the server has not seen; and series drawn from its columns.

import { rowOfJob } from "../decoder/decoder.mjs";

/**
 * Columns over all round records, GPU types in the order of reader.gpuTypes (gpusUsed: row-major, a row a round).
 * firstStart: per job record, the first round record in which it is seen on a GPU, quarters included; -1 never.
 */
export async function scanRun(reader, { signal, onProgress } = {}) {
  const { nRounds, nTypes, nJobs } = reader.header;
  const columns = {
    round: new Uint32Array(nRounds),
    simTimeS: new Float32Array(nRounds),
    jobsRunning: new Uint16Array(nRounds),
    jobsQueued: new Uint16Array(nRounds),
    jobsCompleted: new Uint32Array(nRounds),
    gpusUsed: new Uint16Array(nRounds * nTypes),
    firstStart: new Int32Array(nJobs).fill(-1),
  };
  let storedIdsBefore = new Uint32Array(reader.header.nGpus);
  let next = reader.nChunks > 0 ? reader.fetchChunk(0, signal) : null;
  for (let k = 0; k < reader.nChunks; k += 1) {
    const chunk = await next;
    next = k + 1 < reader.nChunks ? reader.fetchChunk(k + 1, signal) : null;
    next?.catch(() => {}); // awaited above, unless this chunk is damaged
    for (let i = chunk.first; i < chunk.first + chunk.count; i += 1) {
      scanHead(columns, i, chunk.head(i));
      const storedIds = chunk.storedIds(i);
      scanStarts(columns.firstStart, i, storedIds, storedIdsBefore, reader);
      for (const entry of chunk.sharing(i)) scanStarts(columns.firstStart, i, entry.storedIds, [0, 0, 0, 0], reader);
      storedIdsBefore = storedIds;
    }
    onProgress?.((k + 1) / reader.nChunks);
  }
  return columns;
}

function scanHead(columns, i, head) {
  columns.round[i] = head.round;
  columns.simTimeS[i] = head.simTimeS;
  columns.jobsRunning[i] = head.jobsRunning;
  columns.jobsQueued[i] = head.jobsQueued;
  columns.jobsCompleted[i] = head.jobsCompleted;
  columns.gpusUsed.set(head.gpusUsed, i * head.gpusUsed.length);
}

/** Note the jobs that were not in the same place before; only those can have started. */
function scanStarts(firstStart, i, storedIds, before, { jobs, config }) {
  let last = 0;
  for (let place = 0; place < storedIds.length; place += 1) {
    const storedId = storedIds[place];
    if (storedId === before[place] || storedId === last || storedId === 0) continue;
    last = storedId;
    const row = rowOfJob(jobs, storedId - config.jobIdOffset);
    if (row >= 0 && firstStart[row] < 0) firstStart[row] = i;
  }
}

/**
 * The records from `start` up to `stop` of scanRun's columns in at most `bins` equal stretches. Occupancy is the share
 * of `gpus` in use, jobs are running + queued; startIndex, timeH (simulated hours) and usedCumulative are of a stretch's
 * first record, completed of its last. usedCumulative[t * n + b]: sum of GPUs of type t in use in all records before.
 */
export function summarizeSeries(columns, gpus, start, stop, bins) {
  const nRounds = columns.round.length;
  if (!(0 <= start && start <= stop && stop <= nRounds)) {
    throw new RangeError(`expected a stretch of the ${nRounds} round records, found ${start} to ${stop}`);
  }
  const n = Math.min(bins, stop - start);
  const nTypes = nRounds > 0 ? columns.gpusUsed.length / nRounds : 0;
  const names = ["startIndex", "timeH", "occupancyMin", "occupancyMax", "occupancyMean", "jobsMin", "jobsMax", "jobsMean"];
  const series = { n };
  for (const name of [...names, "completed"]) series[name] = new Float64Array(n);
  series.usedCumulative = new Float64Array(nTypes * n);

  const edge = (b) => start + Math.floor((b * (stop - start)) / n);
  const usedBefore = new Float64Array(nTypes);
  let summed = 0;
  for (let b = 0; b < n; b += 1) {
    const [first, end] = [edge(b), edge(b + 1)];
    for (; summed < first; summed += 1) {
      for (let t = 0; t < nTypes; t += 1) usedBefore[t] += columns.gpusUsed[summed * nTypes + t];
    }
    for (let t = 0; t < nTypes; t += 1) series.usedCumulative[t * n + b] = usedBefore[t];
    series.startIndex[b] = first;
    series.timeH[b] = columns.simTimeS[first] / 3600;
    series.completed[b] = columns.jobsCompleted[end - 1];
    summarizeStretch(series, b, columns, gpus, nTypes, first, end);
  }
  return series;
}

function summarizeStretch(series, b, columns, gpus, nTypes, first, end) {
  const used = { min: Infinity, max: -Infinity, sum: 0 };
  const jobs = { min: Infinity, max: -Infinity, sum: 0 };
  const add = (total, value) => {
    total.min = Math.min(total.min, value);
    total.max = Math.max(total.max, value);
    total.sum += value;
  };
  for (let i = first; i < end; i += 1) {
    let inUse = 0;
    for (let t = 0; t < nTypes; t += 1) inUse += columns.gpusUsed[i * nTypes + t];
    add(used, inUse);
    add(jobs, columns.jobsRunning[i] + columns.jobsQueued[i]);
  }
  const records = end - first;
  series.occupancyMin[b] = used.min / Math.max(gpus, 1);
  series.occupancyMax[b] = used.max / Math.max(gpus, 1);
  series.occupancyMean[b] = used.sum / (records * Math.max(gpus, 1));
  series.jobsMin[b] = jobs.min;
  series.jobsMax[b] = jobs.max;
  series.jobsMean[b] = jobs.sum / records;
}
