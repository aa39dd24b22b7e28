// The queue beside the heatmap: who waits and why, by size, and a table that asks for the rows in view, so that thousands
// of jobs cost nothing.

import { formatNodeSizes } from "../model/address.mjs";
import { byId, make, write } from "./dom.mjs";
import { count } from "./round_words.mjs";
import { REASONS, reasonOf } from "../worker/blocks.mjs";

const FOLLOW_MS = 500;
export const NOT_KNOWN = "not known";
const COLUMNS = {
  job_id: (row) => row.job_id,
  job_type: (row) => row.job_type,
  scale_factor: (row) => row.scale_factor,
  time_in_system_h: (row) => row.time_in_system_h,
  why: (row) => (row.why === NOT_KNOWN ? null : REASONS.indexOf(row.why)),
};
const HINTS = {
  "could start": "Enough free GPUs of one type, on one node where a job must fit on one: the scheduler lets them wait",
  scattered: "Enough free GPUs of one type, but no node holds them",
  "no GPUs": "No GPU type has enough free GPUs",
};

/** Address of a job's page at a record; null for runs that are not of the sweep. */
export function jobHref(run, jobId, index) {
  return run.base === null ? null : `/job?${new URLSearchParams({ run: run.name, job: jobId, round: index })}`;
}

/** Rows of a queue in stored order: { key, href, job_id, job_type, scale_factor, time_in_system_h, why }, null where not
 * known. `facts`: nodeFacts of the round. */
export function queueRows(ids, run, index, facts) {
  return Array.from(ids, (jobId) => {
    const job = run.job(jobId, index);
    const scaleFactor = job.known ? job.scaleFactor : null;
    return {
      key: String(jobId),
      href: job.known ? jobHref(run, jobId, index) : null,
      job_id: jobId,
      job_type: job.known ? job.jobType : null,
      scale_factor: scaleFactor,
      time_in_system_h: job.known && Number.isFinite(job.ageH) ? job.ageH : null,
      why: reasonOf(scaleFactor, facts) ?? NOT_KNOWN,
    };
  });
}

/** Rows in the order of a sort model of the table; unknown values last. */
export function sortRows(rows, sortModel) {
  if (sortModel.length === 0) return rows;
  return [...rows].sort((a, b) => {
    for (const { colId, sort } of sortModel) {
      const [x, y] = [COLUMNS[colId](a), COLUMNS[colId](b)];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      return (x < y ? -1 : 1) * (sort === "desc" ? -1 : 1);
    }
    return 0;
  });
}

/** Who waits by scale factor, unknown sizes last: [{ scaleFactor, queued, counts (by REASONS), notKnown }]. */
export function queueSizes(rows) {
  const sizes = new Map();
  for (const { scale_factor: scaleFactor, why } of rows) {
    if (!sizes.has(scaleFactor)) sizes.set(scaleFactor, { scaleFactor, queued: 0, counts: REASONS.map(() => 0), notKnown: 0 });
    const size = sizes.get(scaleFactor);
    size.queued += 1;
    if (why === NOT_KNOWN) size.notKnown += 1;
    else size.counts[REASONS.indexOf(why)] += 1;
  }
  return [...sizes.values()].sort((a, b) => (a.scaleFactor ?? Infinity) - (b.scaleFactor ?? Infinity));
}

/** GPUs that the waiting jobs ask for, in words; jobs of unknown size make it a lower bound. */
export function pendingWords(sizes) {
  const gpus = sizes.reduce((sum, { scaleFactor, queued }) => sum + (scaleFactor ?? 0) * queued, 0);
  const queued = sizes.reduce((sum, size) => sum + size.queued, 0);
  const bound = sizes.some(({ scaleFactor }) => scaleFactor === null) ? "at least " : "";
  return `${count(queued)} wait${queued === 1 ? "s" : ""} for ${bound}${count(gpus)} GPU${gpus === 1 ? "" : "s"}`;
}

/** What a cell of the split says: "–" where the part of a size, or scattered jobs at all, cannot be known. */
export function splitCell({ scaleFactor, queued, counts, notKnown }, k, facts) {
  if (scaleFactor === null || notKnown === queued) return "–";
  if (REASONS[k] === "scattered" && facts.gpus === 0) return "–";
  return count(counts[k]);
}

function muteNone(cell) {
  cell.classList.toggle("gd-muted", cell.textContent === "0");
  return cell;
}

export class QueuePanel {
  #rows = [];
  #facts = null;
  #pointed = null;
  #listening = new AbortController();
  #slot = 0;
  #askedAt = 0;
  #requests = 0;
  #wanted = 0;
  #waiting = new Map();

  /** page: { shown(), worker, model }. */
  constructor(page) {
    this.page = page;
    this.summary = byId("cluster-queue-summary");
    byId("cluster-queue-box").addEventListener("focusout", () => this.#point(null), { signal: this.#listening.signal });
  }

  /** The runs whose queues can be chosen. */
  setRuns(badges) {
    this.#slot = Math.min(this.#slot, badges.length - 1);
    const buttons = badges.length < 2 ? [] : badges.map((badge, k) => {
      const button = make("button", "cluster-badge cluster-tab", badge);
      button.type = "button";
      button.setAttribute("aria-pressed", String(k === this.#slot));
      button.title = `Queue of run ${badge}`;
      button.addEventListener("click", () => {
        this.#slot = k;
        this.setRuns(badges);
        this.ask();
      });
      return button;
    });
    byId("cluster-queue-tabs").replaceChildren(...buttons);
  }

  /** While playing: ask again now and then. */
  follow(nowMs) {
    if (nowMs - this.#askedAt > FOLLOW_MS) this.ask();
  }

  /** Ask the worker for the queue of the round on screen. */
  ask() {
    const entry = this.page.shown()[this.#slot];
    if (!entry) return;
    const { run, painted } = entry;
    this.#askedAt = performance.now();
    this.#wanted = this.#post(run, painted.index);
    this.#facts = painted.blocks;
    const link = byId("cluster-queue-csv");
    link.hidden = run.base === null;
    const query = new URLSearchParams({ round_index: painted.index });
    const nodes = formatNodeSizes(this.page.nodes.sizes);
    if (nodes) query.set("nodes", nodes);
    link.href = run.base === null ? "" : `${run.base}/queue.csv?${query}`;
  }

  /** The queue of any round: { ids } or { problem }. */
  of(run, index) {
    const request = this.#post(run, index);
    return new Promise((resolve) => this.#waiting.set(request, resolve));
  }

  #post(run, index) {
    this.#requests += 1;
    this.page.worker.postMessage({ type: "queue", key: run.key, index, request: this.#requests });
    return this.#requests;
  }

  /** A queue of the worker's: for who waits for it, else for the screen. */
  receive({ key, index, request, ids, problem, isAborted }) {
    const waiter = this.#waiting.get(request);
    if (waiter) {
      this.#waiting.delete(request);
      waiter({ ids, problem });
      return;
    }
    const entry = this.page.shown()[this.#slot];
    if (!entry || entry.run.key !== key || request !== this.#wanted || isAborted) return;
    const rows = ids === null ? [] : queueRows(ids, entry.run, index, this.#facts);
    const head = entry.painted.index === index ? entry.painted.head : null; // playing has gone on
    const round = head?.round ?? entry.run.clock?.round[index] ?? index;
    write(byId("cluster-queue-round"), `round ${round.toLocaleString("en-US")}`);
    this.#show({ rows, counted: head?.jobsQueued ?? rows.length, problem: ids === null ? problem : null });
  }

  /** `counted` is the round's own number of queued jobs, `problem` a sentence where the queue is damaged. */
  #show({ rows, counted, problem }) {
    this.#rows = rows;
    if (!rows.some(({ job_id: jobId }) => jobId === this.#pointed)) this.#point(null);
    const parts = problem
      ? [make("span", "gd-bad", `Damaged queue: ${problem}`)]
      : rows.length === 0
        ? [make("span", "gd-muted", "No waiting job is listed in this round.")]
        : this.#split(queueSizes(rows));
    if (!problem && rows.length !== counted) {
      parts.push(make("div", "gd-muted", `The file lists ${count(rows.length)} of ${count(counted)} queued jobs.`));
    }
    const text = parts.map((part) => part.innerHTML).join("|");
    if (this.summary.dataset.text !== text) {
      this.summary.dataset.text = text;
      this.summary.replaceChildren(...parts);
    }
    this.#refresh();
  }

  /** Pending demand, and the table of sizes against reasons. */
  #split(sizes) {
    const facts = this.#facts;
    const pending = make("strong", "", pendingWords(sizes));
    pending.title = "Pending GPU demand: GPUs that the waiting jobs ask for";
    const cell = (tag, text, title = "") => Object.assign(make(tag, "", text), { title });
    const head = make("tr", "", [cell("th", "GPUs"), cell("th", "jobs"), ...REASONS.map((reason) => cell("th", reason, HINTS[reason]))]);
    const rows = sizes.map((size) => make("tr", "", [
      cell("th", size.scaleFactor === null ? "?" : count(size.scaleFactor), size.scaleFactor === null ? "The file does not say how many GPUs they ask for" : "GPUs each of them asks for"),
      cell("td", count(size.queued)),
      ...REASONS.map((_, k) => muteNone(cell("td", splitCell(size, k, facts)))),
    ]));
    const parts = [pending, make("div", "cluster-why", make("table", "", [make("thead", "", head), make("tbody", "", rows)]))];
    const note = this.#note(facts);
    return note ? [...parts, make("div", "gd-muted cluster-why-note", note)] : parts;
  }

  /** What cannot be said of the split. */
  #note({ gpus, knowsNodes, isKnown }) {
    if (gpus === 0) return knowsNodes ? "One GPU per node: no job is ever scattered." : "Node sizes not known: free GPUs may be scattered.";
    return isKnown ? "" : "The file does not say which GPUs are free.";
  }

  async #refresh() {
    const api = await window.dash_ag_grid?.getApiAsync("cluster-queue").catch(() => null);
    if (!api || api.isDestroyed?.()) return;
    if (this.api !== api) {
      this.api = api;
      api.setGridOption("datasource", { getRows: (request) => this.#answer(request) });
      api.addEventListener("rowClicked", ({ data }) => data && this.page.model.set({ selectedJob: data.job_id }));
      api.addEventListener("cellMouseOver", ({ data }) => this.#point(data ?? null));
      api.addEventListener("cellMouseOut", () => this.#point(null));
      api.addEventListener("cellFocused", ({ rowIndex }) => this.#point(rowIndex === null ? null : (api.getDisplayedRowAtIndex(rowIndex)?.data ?? null)));
      return;
    }
    api.refreshInfiniteCache();
    api.setRowCount(this.#rows.length, true);
  }

  /** Show in the heatmap where the job of a row could start; null for none. */
  #point(row) {
    this.#pointed = row?.job_id ?? null;
    this.page.shown().forEach(({ renderer, k }) => renderer.showWaiting(k === this.#slot ? (row?.scale_factor ?? null) : null));
  }

  destroy() {
    this.#listening.abort();
  }

  #answer({ startRow, endRow, sortModel, successCallback }) {
    const rows = sortRows(this.#rows, sortModel);
    successCallback(rows.slice(startRow, endRow), rows.length);
  }
}
