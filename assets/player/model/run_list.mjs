// Which runs are on the page: those Dash has opened and those opened here, each told to the worker once.

import { Run, isSameRun } from "./run.mjs";
import { setProps } from "../panels/dom.mjs";

const MOST_RUNS = 4;

export class RunList {
  #runs = new Map();
  #infos = [];
  #local = [];
  #replacesSweep = false;

  /** post(message) reaches the worker; onChange() when other runs are wanted or one has opened; onColumns(run) when its
   * columns over all rounds have come; say(sentence); attempt(part, load) loads, and offers to try again. */
  constructor({ post, onChange, onColumns, say, attempt }) {
    Object.assign(this, { post, onChange, onColumns, say, attempt });
  }

  /** The runs Dash has opened; what is already open goes on. */
  load(infos) {
    const problems = infos.filter((info) => info.problem);
    if (problems.length) this.say(problems.map((info) => info.problem).join(" "));
    this.#infos = infos.filter((info) => !info.problem);
    this.#openWanted();
  }

  /** Open a file of this computer or at an address, in place of run A or beside what is shown. */
  openLocal(source, { beside }) {
    const name = source.file?.name ?? decodeURI(new URL(source.url, window.location.href).pathname.split("/").at(-1));
    const key = `local:${source.url ?? `${name}:${source.file.size}:${source.file.lastModified}`}`;
    const entry = { key, name, source };
    const others = this.#local.filter((other) => other.key !== key);
    this.#local = beside ? [...others, entry] : [entry];
    this.#replacesSweep = !beside;
    this.#openWanted();
  }

  /** Take a run off the page; one of the sweep is taken out of Dash's menus. */
  close(key) {
    this.#local = this.#local.filter((entry) => entry.key !== key);
    if (this.#local.length === 0) this.#replacesSweep = false;
    const info = this.#infos.find((other) => serverKey(other) === key);
    if (info) {
      const names = this.#infos.filter((other) => other !== info).map((other) => other.name);
      setProps("cluster-run", { value: names[0] });
      setProps("cluster-compare", { value: names.slice(1) });
    } else {
      this.#openWanted();
    }
  }

  #wanted() {
    const server = this.#replacesSweep ? [] : this.#infos.map((info) => ({
      key: serverKey(info), name: info.name, info,
      source: { kind: "server", base: info.base, version: info.version, size: info.n_bytes },
    }));
    return [...server, ...this.#local].slice(0, MOST_RUNS);
  }

  #openWanted() {
    const wanted = this.#wanted();
    for (const entry of wanted) {
      if (this.#runs.has(entry.key)) continue;
      this.#runs.set(entry.key, new Run(entry));
      this.post({ type: "open", key: entry.key, source: entry.source, order: entry.info?.order ?? null });
    }
    this.#closeOthers();
    this.onChange();
  }

  /** Close what is not wanted. A run whose file has changed stays until it is open as it is now. */
  #closeOthers() {
    const wanted = this.#wanted();
    for (const [key, run] of [...this.#runs]) {
      const successor = wanted.find((entry) => entry.key === key || isSameRun(entry, run));
      if (successor && (successor.key === key || !this.#runs.get(successor.key).meta)) continue;
      run.abort?.abort();
      this.#runs.delete(key);
      this.post({ type: "close", key });
    }
  }

  get(key) {
    return this.#runs.get(key);
  }

  get isEmpty() {
    return this.#wanted().length === 0;
  }

  /** The runs in order, A first, or null while one of them is still opening. */
  get open() {
    const isOpen = (run) => Boolean(run.meta);
    const runs = this.#wanted().map((entry) => {
      const now = this.#runs.get(entry.key);
      return isOpen(now) ? now : [...this.#runs.values()].findLast((run) => isOpen(run) && isSameRun(entry, run)) ?? now;
    });
    return runs.length > 0 && runs.every((run) => run.meta) ? runs : null;
  }

  /** What the worker says of a run. */
  receive(message) {
    const run = this.#runs.get(message.key);
    if (!run) return;
    if (message.type === "opened") {
      run.opened(message);
      this.#loadColumns(run);
      this.#closeOthers();
      this.onChange();
    } else if (message.type === "scanned") {
      run.scanned(message.columns);
      this.onColumns(run);
    } else {
      this.#failed(run, message.message);
    }
  }

  #failed(run, message) {
    const sentence = `${run.name} cannot be shown: ${message}`;
    this.say(sentence);
    this.#runs.delete(run.key);
    this.post({ type: "close", key: run.key });
    this.#local = this.#local.filter(({ key }) => key !== run.key);
    if (this.#local.length === 0) this.#replacesSweep = false;
    this.#infos = this.#infos.filter((info) => serverKey(info) !== run.key);
    if (this.isEmpty) setProps("cluster-message", { children: sentence });
    this.#openWanted();
  }

  async #loadColumns(run) {
    run.abort = new AbortController();
    if (run.base === null) {
      this.post({ type: "scan", key: run.key });
      return;
    }
    await this.attempt(`Times of ${run.name}`, async () => {
      await run.loadColumns(run.abort.signal);
      this.onColumns(run);
    });
  }

  destroy() {
    this.#runs.forEach((run) => run.abort?.abort());
  }
}

const serverKey = (info) => `${info.name}@${info.version}`;
