// What is known about a job: in a few lines under the pointer, and as a card when it is selected.

import { count, hours } from "./round_words.mjs";
import { make, pageLink } from "./dom.mjs";

const MOST_RANGES = 6;

/** Sorted distinct numbers as ranges: [0, 1, 2, 7] is "0–2, 7"; many ranges are cut short. */
export function formatRanges(numbers) {
  const ranges = [];
  for (const n of numbers) {
    const last = ranges.at(-1);
    if (last && n === last[1] + 1) last[1] = n;
    else ranges.push([n, n]);
  }
  const texts = ranges.map(([a, b]) => (a === b ? count(a) : `${count(a)}–${count(b)}`));
  if (texts.length <= MOST_RANGES) return texts.join(", ");
  return `${texts.slice(0, MOST_RANGES).join(", ")} and more (${count(numbers.length)} in all)`;
}

const gpuWords = (gpus) => `GPU${gpus.length === 1 ? "" : "s"} ${formatRanges(gpus)}`;

/** A category as people write it; figures/heatmap_colors.py does the same. */
export function categoryLabel(category) {
  const name = category.toLowerCase().replaceAll("_", " ");
  return { resnet: "ResNet", cyclegan: "CycleGAN", a3c: "A3C" }[name] ?? (name ? name[0].toUpperCase() + name.slice(1) : "Other");
}

/** Name of a GPU: GPU 41 (P100 5). */
export function gpuName({ gpu, band, i }) {
  return `GPU ${count(gpu)} (${band.name.toUpperCase()} ${count(i)})`;
}

/** Lines about a job: [text, ...], the first its name. `job` is Run.job(); `gpus` those it holds, or null. */
export function jobLines(job, gpus, since = null) {
  const lines = [`Job ${job.jobId}`];
  if (!job.known) lines.push("the file has no record of this job");
  else {
    lines.push(`${job.jobType} · ${categoryLabel(job.category)}`);
    if (job.scaleFactor !== null) lines.push(`Scale factor: ${job.scaleFactor}`);
  }
  if (gpus?.length) lines.push(`On ${gpuWords(gpus)}`);
  if (since) lines.push(`On these since round ${count(since.round)}${since.isBound ? " or earlier" : ""}`);
  if (job.known) {
    const at = Number.isFinite(job.arrivalH) ? `, ${hours(job.arrivalH)}` : "";
    lines.push(`Arrived: round ${count(job.arrivalRound)}${at}`);
  }
  return lines;
}

/** Facts of the card as [label, value]. */
export function jobFacts(job) {
  if (!job.known) return [["Record", "the file has none of this job"]];
  const at = (round, h) => `round ${count(round)}${Number.isFinite(h) ? `, ${hours(h)}` : ""}`;
  const wait = job.startH - job.arrivalH;
  return [
    ["Type", `${job.jobType} · ${categoryLabel(job.category)}`],
    ["Scale factor", job.scaleFactor === null ? "unknown" : `${job.scaleFactor} GPU${job.scaleFactor === 1 ? "" : "s"}`],
    ["Arrived", at(job.arrivalRound, job.arrivalH)],
    ["Waited before first start", job.firstStart === null ? "…" : job.firstStart < 0 ? "never ran" : Number.isFinite(wait) ? hours(Math.max(0, wait)) : "unknown"],
    ["Completed", job.completed ? at(job.completionRound, job.endH) : "not in this run"],
    ["JCT", job.completed && Number.isFinite(job.jctH) ? hours(job.jctH) : "–"],
    ["Measured", job.inWindow ? "yes, in the window" : "no"],
  ];
}

/** Show the card of a job in each run. columns: [{ badge, job, status, gpus, href (its page, null without one), k }]. */
export function showCard(element, jobId, columns, actions) {
  const several = columns.length > 1;
  const close = make("button", "gd-icon-button", "×");
  close.type = "button";
  close.title = "Let go of this job (Esc)";
  close.setAttribute("aria-label", close.title);
  close.addEventListener("click", actions.onClose);
  const head = make("div", "gd-panel-head", [make("h2", "gd-panel-title", `Job ${jobId}`), close]);
  const bodies = columns.map(({ badge, job, status, gpus, href, k }) => {
    const rows = jobFacts(job).flatMap(([label, value]) => [make("dt", "", label), make("dd", "", value)]);
    const now = make("div", "cluster-card-now", [several ? make("span", "cluster-badge", badge) : "", make("strong", "", status), gpus.length ? ` on ${gpuWords(gpus)}` : ""]);
    const life = make("div", "cluster-life");
    life.title = job.progress == null ? "Its end is not in this run" : `${Math.round(100 * job.progress)}% of its time in the system`;
    const part = make("span");
    part.style.width = `${100 * (job.progress ?? 0)}%`;
    life.append(part);
    life.classList.toggle("cluster-life-open", job.progress == null);
    const jumps = make("div", "cluster-card-jumps", ["arrival", "start", "end"].map((event) => {
      const button = make("button", "gd-button gd-button-link", { arrival: "Arrival", start: "First start", end: "End" }[event]);
      button.type = "button";
      button.title = { arrival: "Go to the first round that shows it", start: "Go to its first start", end: "Go to its last round" }[event];
      button.disabled = (event === "end" && !job.completed) || (event === "start" && !(job.firstStart >= 0)) || !job.known;
      button.addEventListener("click", () => actions.onJump(k, event));
      return button;
    }));
    if (href !== null && job.known) jumps.append(pageLink("Job's page", href, "What became of this job: its life, its GPUs and its neighbours"));
    return make("div", "cluster-card-run", [now, life, make("dl", "cluster-facts", rows), jumps]);
  });
  element.replaceChildren(head, ...bodies);
  element.hidden = false;
}
