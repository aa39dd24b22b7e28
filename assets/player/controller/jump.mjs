// "Go to": a round number, an hour, or an event of a job.

import { lowerBound, upperBound } from "../model/timeline.mjs";

const SECONDS_PER_HOUR = 3600;
const HELP = "Type a round (1200), an hour (250 h) or a job (job 38, job 38 start, job 38 end).";

/** What a text asks for: { kind: "round" | "hour" | "job", ... }, or { problem }. */
export function parseJump(text) {
  const plain = text.trim().toLowerCase().replaceAll(",", "");
  let match = /^(?:round\s*)?(\d+)$/.exec(plain);
  if (match) return { kind: "round", round: Number(match[1]) };
  match = /^(\d+(?:\.\d+)?)\s*(?:h|hours?)$/.exec(plain);
  if (match) return { kind: "hour", hour: Number(match[1]) };
  match = /^job\s*(\d+)(?:\s*(arrival|start|end|completion))?$/.exec(plain);
  if (match) return { kind: "job", jobId: Number(match[1]), event: match[2] === "completion" ? "end" : match[2] ?? "arrival" };
  return { problem: `"${text.trim()}" is no place to go to. ${HELP}` };
}

/** Record of a run that a jump leads to: { index, jobId? }, or { problem } in one sentence. */
export function findJump(jump, run) {
  if (jump.problem) return jump;
  const last = run.nRounds - 1;
  if (jump.kind === "round") {
    const largest = run.clock ? run.clock.round[last] : last;
    if (jump.round > largest) return { problem: `The last round is ${largest.toLocaleString("en-US")}.` };
    return { index: run.recordOf(jump.round) };
  }
  if (run.clock === null) return { problem: "The run's times are still loading." };
  if (jump.kind === "hour") {
    const end = run.clock.simTimeS[last] / SECONDS_PER_HOUR;
    if (jump.hour > end) return { problem: `The run ends at ${end.toLocaleString("en-US", { maximumFractionDigits: 1 })} h.` };
    // To the millisecond: 8.2 h must not be just before the record at 29,520 s.
    const seconds = Math.round(jump.hour * SECONDS_PER_HOUR * 1000) / 1000;
    return { index: Math.max(0, upperBound(run.clock.simTimeS, seconds) - 1) };
  }
  const job = run.job(jump.jobId, 0);
  if (!job.known) return { problem: `This run has no record of job ${jump.jobId}.` };
  if (jump.event === "start") {
    if (job.firstStart === null || job.firstStart < 0) return { problem: `Job ${jump.jobId} never ran in this run.` };
    return { index: job.firstStart, jobId: jump.jobId };
  }
  if (jump.event === "end") {
    if (!job.completed) return { problem: `Job ${jump.jobId} never completed in this run.` };
    // The last record in which it holds GPUs.
    return { index: Math.max(0, upperBound(run.clock.round, job.completionRound) - 1), jobId: jump.jobId };
  }
  // The first record that shows it: the event follows the record whose number it carries.
  const first = job.arrivalRound > 0 ? upperBound(run.clock.round, job.arrivalRound) : lowerBound(run.clock.round, 0);
  return { index: Math.min(first, last), jobId: jump.jobId };
}
