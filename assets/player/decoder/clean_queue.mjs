// Who waits in a round: the stored queue without those that do not; gavel_dash/formats/vizbin.py and vizbin_findings.py again.

import { rowOfJob } from "./decoder.mjs";

/**
 * Plain ids of the jobs waiting in a round, in stored order. Dropped are jobs that hold a GPU or have completed;
 * where more than head.jobsQueued are left, jobs not yet in the system, and job 0 where it runs unseen.
 * `stored`: the queue as stored; `storedIds`, `sharing` (entries), `head`: of the round; `hiddenGpus`: see there.
 */
export function cleanQueue({ stored, storedIds, sharing, head, jobs, jobIdOffset, hiddenGpus }) {
  const holders = holdersOf(storedIds, sharing);
  let kept = [];
  let inTime = [];
  for (const storedId of stored) {
    if (holders.has(storedId)) continue;
    const jobId = storedId - jobIdOffset;
    const row = rowOfJob(jobs, jobId);
    if (row >= 0 && jobs.completed[row] && jobs.completionRound[row] < head.round) continue;
    kept.push(jobId);
    if (row < 0 || jobs.arrivalRound[row] < head.round) inTime.push(jobId);
  }
  // Jobs that came before the first record carry its number: only a queue too long tells the two apart.
  if (kept.length > head.jobsQueued && inTime.length >= head.jobsQueued) kept = inTime;
  if (kept.length > head.jobsQueued && hiddenGpus > 0) kept = kept.filter((jobId) => jobId !== 0);
  return Float64Array.from(kept);
}

/**
 * GPUs that job 0 holds unseen in a round, where ids are stored without offset and job 0 looks idle: it is in
 * the system, at least as many GPUs as it needs are in use without a job, and exactly one running job is not seen.
 */
export function hiddenGpus({ storedIds, sharing, head, jobs, jobIdOffset }) {
  const row = jobIdOffset === 0 ? rowOfJob(jobs, 0) : -1;
  if (row < 0 || head.round < jobs.arrivalRound[row]) return 0;
  if (jobs.completed[row] && head.round > jobs.completionRound[row]) return 0;
  const needed = Math.max(1, jobs.scaleFactor[row]);
  const used = head.gpusUsed.reduce((sum, gpus) => sum + gpus, 0);
  const shown = storedIds.reduce((gpus, storedId) => gpus + (storedId === 0 ? 0 : 1), 0);
  if (used - shown < needed) return 0;
  return head.jobsRunning === holdersOf(storedIds, sharing).size + 1 ? needed : 0;
}

/** Stored ids of the jobs on GPUs, second tenants included. */
function holdersOf(storedIds, sharing) {
  const holders = new Set(storedIds);
  for (const entry of sharing) for (const storedId of entry.storedIds) holders.add(storedId);
  holders.delete(0);
  return holders;
}
