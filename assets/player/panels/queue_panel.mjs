// The queue beside the heatmap: a table that asks for the rows in view, so that thousands of jobs cost nothing.

import { byId, make, write } from "./dom.mjs";

const FOLLOW_MS = 500;
const COLUMNS = {
  job_id: (row) => row.job_id,
  job_type: (row) => row.job_type,
  scale_factor: (row) => row.scale_factor,
  time_in_system_h: (row) => row.time_in_system_h,
};

/** Rows of a queue in stored order: { key, job_id, job_type, scale_factor, time_in_system_h }, null where not known. */
export function queueRows(ids, run, index) {
  return Array.from(ids, (jobId) => {
    const job = run.job(jobId, index);
    return {
      key: String(jobId),
      job_id: jobId,
      job_type: job.known ? job.jobType : null,
      scale_factor: job.known ? job.scaleFactor : null,
      time_in_system_h: job.known && Number.isFinite(job.ageH) ? job.ageH : null,
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

/** How many wait by the GPUs they ask for: [["2 GPUs", 12], ...], unknown sizes last. */
export function queueSizes(rows) {
  const counts = new Map();
  for (const { scale_factor: factor } of rows) counts.set(factor, (counts.get(factor) ?? 0) + 1);
  const name = (factor) => (factor === null ? "of unknown size" : `× ${factor} GPU${factor === 1 ? "" : "s"}`);
  return [...counts].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity)).map(([factor, n]) => [name(factor), n]);
}

export class QueuePanel {
  #rows = [];
  #slot = 0;
  #askedAt = 0;
  #requests = 0;
  #wanted = 0;
  #waiting = new Map();

  /** page: { shown(), worker, model }. */
  constructor(page) {
    this.page = page;
    this.summary = byId("cluster-queue-summary");
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
    const link = byId("cluster-queue-csv");
    link.hidden = run.base === null;
    link.href = run.base === null ? "" : `${run.base}/queue.csv?round_index=${painted.index}`;
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
    const rows = ids === null ? [] : queueRows(ids, entry.run, index);
    const head = entry.painted.index === index ? entry.painted.head : null; // playing has gone on
    const round = head?.round ?? entry.run.clock?.round[index] ?? index;
    write(byId("cluster-queue-round"), `round ${round.toLocaleString("en-US")}`);
    this.#show({ rows, counted: head?.jobsQueued ?? rows.length, problem: ids === null ? problem : null });
  }

  /** `counted` is the round's own number of queued jobs, `problem` a sentence where the queue is damaged. */
  #show({ rows, counted, problem }) {
    this.#rows = rows;
    const parts = problem
      ? [make("span", "gd-bad", `Damaged queue: ${problem}`)]
      : rows.length === 0
        ? [make("span", "gd-muted", "No waiting job is listed in this round.")]
        : [
            make("strong", "", `${rows.length.toLocaleString("en-US")} wait`),
            ...queueSizes(rows).map(([size, n]) => make("span", "cluster-queue-part", `${n.toLocaleString("en-US")} ${size}`)),
          ];
    if (!problem && rows.length !== counted) {
      parts.push(make("div", "gd-muted", `The file lists ${rows.length.toLocaleString("en-US")} of ${counted.toLocaleString("en-US")} queued jobs.`));
    }
    const text = parts.map((part) => part.textContent).join("|");
    if (this.summary.dataset.text !== text) {
      this.summary.dataset.text = text;
      this.summary.replaceChildren(...parts);
    }
    this.#refresh();
  }

  async #refresh() {
    const api = await window.dash_ag_grid?.getApiAsync("cluster-queue").catch(() => null);
    if (!api || api.isDestroyed?.()) return;
    if (this.api !== api) {
      this.api = api;
      api.setGridOption("datasource", { getRows: (request) => this.#answer(request) });
      api.addEventListener("rowClicked", ({ data }) => data && this.page.model.set({ selectedJob: data.job_id }));
      return;
    }
    api.refreshInfiniteCache();
    api.setRowCount(this.#rows.length, true);
  }

  #answer({ startRow, endRow, sortModel, successCallback }) {
    const rows = sortRows(this.#rows, sortModel);
    successCallback(rows.slice(startRow, endRow), rows.length);
  }
}
