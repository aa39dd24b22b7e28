// Jobs on the page: the lines under the pointer, and the card of the selected one, over all runs.

import { byId, make } from "./dom.mjs";
import { gpuName, jobLines, showCard } from "./job_card.mjs";
import { jobHref } from "./queue_panel.mjs";

export class JobView {
  #request = 0;
  #hovered = null;
  #pointer = null;
  #shape = "";

  constructor(page) {
    this.page = page;
    this.card = byId("cluster-card");
    this.tip = make("div", "cluster-tip cluster-job-tip");
    this.tip.setAttribute("role", "tooltip");
    this.tip.hidden = true;
    document.body.append(this.tip);
  }

  /** Plain id of the job on a GPU (or in a quarter of it), -1 idle, null where the file does not say. */
  #jobAt({ painted, run }, { gpu, quarter }) {
    if (!painted?.hasAllocation) return null;
    const shared = painted.sharing.find((entry) => entry.gpu === gpu && new Set(entry.storedIds.filter((id) => id !== 0)).size > 1);
    const stored = shared ? shared.storedIds[quarter] : painted.ids[gpu];
    return stored === 0 ? -1 : stored - run.meta.jobIdOffset;
  }

  #gpusOf({ painted, run }, jobId) {
    const stored = jobId + run.meta.jobIdOffset;
    const gpus = [];
    if (stored === 0) return gpus; // job 0 of a file without offset: it looks idle
    for (let gpu = 0; gpu < painted.ids.length; gpu += 1) if (painted.ids[gpu] === stored) gpus.push(gpu);
    for (const { gpu, storedIds } of painted.sharing) if (storedIds.includes(stored) && !gpus.includes(gpu)) gpus.push(gpu);
    return gpus.sort((a, b) => a - b);
  }

  /** The pointer is over a GPU, or none: say what is there, and light up its job in all runs. */
  hover(renderer, at, event) {
    const jobId = at === null || !renderer.painted ? null : this.#jobAt(renderer, at);
    this.#pointer = at === null ? null : { renderer, event };
    this.page.shown().forEach((entry) => entry.renderer.highlight(jobId !== null && jobId >= 0 ? jobId : null));
    if (at === null || !renderer.painted) {
      this.tip.hidden = true;
      this.#hovered = null;
      return;
    }
    const lines = this.#lines(renderer, at, jobId, null);
    this.#write(lines, event);
    if (jobId === null || jobId < 0) {
      this.#hovered = null;
      return;
    }
    this.#request += 1;
    this.#hovered = { renderer, at, jobId, index: renderer.painted.index, request: this.#request, event };
    const gpus = this.#gpusOf(renderer, jobId);
    const { run, painted } = renderer;
    this.page.worker.postMessage({ type: "held", key: run.key, index: painted.index, request: this.#request, gpus, storedId: jobId + run.meta.jobIdOffset });
  }

  /** Another round has come under a pointer that rests. */
  refresh() {
    const pointer = this.#pointer;
    if (pointer) this.hover(pointer.renderer, pointer.renderer.gpuAt(pointer.event), pointer.event);
  }

  #lines({ painted, run, frame }, at, jobId, since) {
    const where = gpuName(at);
    if (jobId === null) return [where, "the file does not say who holds it"];
    const node = at.band.gpus_per_node > 1 ? [`Node ${Math.floor(at.i / at.band.gpus_per_node).toLocaleString("en-US")} of ${at.band.name.toUpperCase()}`] : [];
    const share = painted.look === "share" ? [this.#share({ painted, frame }, at)] : [];
    if (jobId < 0) return ["Idle", where, ...node, ...share];
    const shared = painted.sharing.find(({ gpu }) => gpu === at.gpu);
    const tenants = shared ? this.#tenants(run, shared) : [];
    return [...jobLines(run.job(jobId, painted.index), this.#gpusOf({ painted, run }, jobId), since), where, ...node, ...share, ...tenants];
  }

  #share({ painted }, { band, i }) {
    const first = i - (i % band.block_gpus);
    const size = Math.min(band.block_gpus, band.count - first);
    const busy = painted.ids.subarray(band.first_gpu + first, band.first_gpu + first + size).filter((id) => id !== 0).length;
    return `${busy} of ${size} GPUs busy${band.gpus_per_node ? " on this node" : " in this block"}`;
  }

  #tenants(run, { storedIds }) {
    const quarters = new Map();
    for (const id of storedIds) quarters.set(id, (quarters.get(id) ?? 0) + 1);
    if (quarters.size < 2) return [];
    return ["Shared:", ...[...quarters].map(([id, n]) => `  ${id === 0 ? "idle" : `job ${id - run.meta.jobIdOffset}`} ${n}/4`)];
  }

  /** Since when the job under the pointer holds its GPUs. */
  receive({ request, since }) {
    const hovered = this.#hovered;
    if (!hovered || hovered.request !== request || since === null) return;
    const { run } = hovered.renderer;
    const round = run.clock ? run.clock.round[since.index] : null;
    if (round === null) return;
    this.#write(this.#lines(hovered.renderer, hovered.at, hovered.jobId, { round, isBound: since.isBound }), hovered.event);
  }

  #write(lines, event) {
    this.tip.replaceChildren(make("strong", "", lines[0]), ...lines.slice(1).map((line) => make("div", "", line)));
    this.tip.hidden = false;
    const { offsetWidth, offsetHeight } = this.tip;
    const x = event.clientX + 16 + offsetWidth > window.innerWidth ? event.clientX - offsetWidth - 12 : event.clientX + 16;
    const y = Math.min(event.clientY + 14, window.innerHeight - offsetHeight - 8);
    this.tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }

  /** Select the job on a GPU; an idle one lets go. */
  pick(renderer, at) {
    if (at === null || !renderer.painted) return;
    const jobId = this.#jobAt(renderer, at);
    const { model } = this.page;
    model.set({ selectedJob: jobId === null || jobId < 0 || jobId === model.get("selectedJob") ? null : jobId });
  }

  showSelected() {
    const { model } = this.page;
    const jobId = model.get("selectedJob");
    const shown = this.page.shown();
    if (jobId === null || shown.length === 0) {
      this.card.hidden = true;
      this.#shape = "";
      return;
    }
    const columns = shown.map((entry) => {
      const { run, painted } = entry;
      const job = run.job(jobId, painted.index);
      const gpus = this.#gpusOf(entry, jobId);
      return { ...entry, job, gpus, status: statusOf(job, gpus, painted), href: jobHref(run, jobId, painted.index) };
    });
    const shape = JSON.stringify([jobId, columns.map(({ job, gpus, status, run }) => [run.key, gpus, status, job.progress?.toFixed(2), job.firstStart, job.endH])]);
    if (shape === this.#shape) {
      const links = [...this.card.querySelectorAll(".cluster-page-link")];
      if (!model.get("playing")) columns.filter(({ job, href }) => job.known && href !== null).forEach(({ href }, k) => links[k].setAttribute("href", href));
      return;
    }
    this.#shape = shape;
    showCard(this.card, jobId, columns, {
      onClose: () => model.set({ selectedJob: null }),
      onJump: (k, event) => this.page.controls.jumpTo(`job ${jobId} ${event}`, k),
    });
  }

  destroy() {
    this.tip.remove();
  }
}

/** What a job does in the round on screen. A job is in the system in arrivalRound < round <= completionRound. */
export function statusOf(job, gpus, { head, hasAllocation }) {
  if (gpus.length > 0) return "Running";
  if (!job.known) return "Not seen in this round";
  if (head.round < job.arrivalRound || (head.round === job.arrivalRound && job.arrivalRound > 0)) return "Not arrived yet";
  if (job.completed && head.round > job.completionRound) return "Completed";
  return hasAllocation ? "Waiting" : "In the system";
}
