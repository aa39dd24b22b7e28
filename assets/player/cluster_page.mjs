// What happens on the Cluster page: runs come and go, rounds are drawn, controls act. The parts do the work.

import { byId, setProps, write } from "./dom.mjs";
import { commandOf, isTakenBy } from "./keys.mjs";
import { readAddress, writeAddress } from "./address.mjs";
import { findJump, parseJump } from "./jump.mjs";
import { queueRows, QueuePanel } from "./queue_panel.mjs";
import { TilePanel, tileValues, typeValues } from "./tiles.mjs";
import { Exporter } from "./exporter.mjs";
import { JobView } from "./job_view.mjs";
import { Legend } from "./legend.mjs";
import { OpenDialog } from "./open_dialog.mjs";
import { Player } from "./player.mjs";
import { Renderer } from "./renderer.mjs";
import { Run } from "./run.mjs";
import { ScrubberView } from "./scrubber_view.mjs";

export const BADGES = ["A", "B", "C", "D"];
const SIDE_MS = 125; // tiles and words, while playing
const QUEUE_MS = 500;
const SETTLE_MS = 150;
/** Below this a GPU cannot be told from its neighbour; figures/player_frame.py has the same. */
const SMALLEST_CELL_PX = 3;

export class ClusterPage {
  #listening = new AbortController();
  #serial = 0;
  #sideAt = 0;
  #queueAt = 0;
  #settleTimer = 0;
  #resizeTimer = 0;
  #queueSlot = 0;
  #queueRequest = 0;
  #queueShown = 0;
  #focusedByPointer = false;

  constructor(root) {
    this.root = root;
    this.address = readAddress(window.location.search);
    this.runs = new Map();
    this.local = [];
    this.infos = [];
    this.queueWaiters = new Map();
    this.framesWanted = null;
    this.worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.#receive(data);
    this.worker.onerror = (event) => this.say(`The player's worker failed: ${event.message}`);
    this.player = new Player({
      post: (message, transfers = []) => this.worker.postMessage(message, transfers),
      onDraw: (shown) => this.#draw(shown),
      onProblem: (problem) => this.#sayProblem(problem),
    });
    this.model = this.player.model;
    const { speed, align, selectedJob, difference, flash, hidden, detail } = this.address;
    this.detail = detail;
    this.model.set({ speed, align, selectedJob, difference, flash, hidden });
    this.renderers = BADGES.map((_, k) => new Renderer({
      stage: byId(`cluster-slot-${k}`).querySelector(".cluster-stage"),
      graphId: `cluster-heatmap-${k}`,
      events: {
        onZoom: (renderer) => this.#zoomed(renderer),
        onHover: (renderer, at, event) => this.jobs.hover(renderer, at, event),
        onPick: (renderer, at) => this.jobs.pick(renderer, at),
      },
    }));
    this.tiles = new TilePanel(byId("cluster-tiles"));
    this.legend = new Legend(byId("cluster-legend"), this.model);
    this.jobs = new JobView(this);
    this.queue = new QueuePanel({ onPick: (jobId) => this.model.set({ selectedJob: jobId }) });
    this.scrubber = new ScrubberView(this);
    this.exporter = new Exporter(this);
    this.opening = new OpenDialog(this);
    this.#bind();
    this.#showControls();
    this.address.files.forEach((url) => this.openLocal({ kind: "url", url }, { beside: true, quiet: true }));
    /** For tests and benchmarks: the real page, by program. */
    this.face = {
      stats: () => this.player.stats(),
      play: () => this.player.play(),
      pause: () => this.player.pause(),
      seek: (index) => this.player.seekIndex(index),
      model: this.model,
      shown: () => this.shown(),
    };
  }

  get order() {
    return this.model.get("runs");
  }

  say(sentence) {
    setProps("shell-toast", { children: sentence, is_open: true });
  }

  #sayProblem({ message, key }) {
    const run = this.runs.get(key);
    this.say(`${run ? `${run.name}: ` : ""}${message}. Step to try again.`);
  }

  // --- runs ---------------------------------------------------------------------------------------------------------

  /** The runs Dash has opened; what is already open goes on. */
  load(infos) {
    const problems = infos.filter((info) => info.problem);
    if (problems.length) this.say(problems.map((info) => info.problem).join(" "));
    this.infos = infos.filter((info) => !info.problem);
    this.#openWanted();
  }

  /** Open a file of this computer or at an address, in place of run A or beside what is shown. */
  openLocal(source, { beside }) {
    const name = source.file?.name ?? new URL(source.url, window.location.href).pathname.split("/").at(-1);
    const key = `local:${source.url ?? `${name}:${source.file.size}:${source.file.lastModified}`}`;
    const entry = { key, name, source };
    const others = this.local.filter((other) => other.key !== key);
    this.local = beside ? [...others, entry] : [entry];
    this.replacesSweep = !beside;
    this.#openWanted();
  }

  closeRun(key) {
    this.local = this.local.filter((entry) => entry.key !== key);
    if (this.local.length === 0) this.replacesSweep = false;
    const info = this.infos.find((other) => serverKey(other) === key);
    if (info) {
      const names = this.infos.filter((other) => other !== info).map((other) => other.name);
      setProps("cluster-run", { value: names[0] });
      setProps("cluster-compare", { value: names.slice(1) });
    } else {
      this.#openWanted();
    }
  }

  #wanted() {
    const server = this.replacesSweep ? [] : this.infos.map((info) => ({
      key: serverKey(info), name: info.name, info,
      source: { kind: "server", base: info.base, version: info.version, size: info.n_bytes },
    }));
    return [...server, ...this.local].slice(0, BADGES.length);
  }

  #openWanted() {
    const wanted = this.#wanted();
    for (const entry of wanted) {
      if (this.runs.has(entry.key)) continue;
      this.runs.set(entry.key, new Run(entry));
      this.worker.postMessage({ type: "open", key: entry.key, source: entry.source, order: entry.info?.order ?? null });
    }
    for (const key of [...this.runs.keys()]) {
      if (wanted.some((entry) => entry.key === key)) continue;
      this.runs.get(key).abort?.abort();
      this.runs.delete(key);
      this.worker.postMessage({ type: "close", key });
    }
    this.#arrange();
  }

  /** Show the runs once all of them are open. */
  #arrange() {
    const wanted = this.#wanted();
    byId("cluster-viewer").hidden = wanted.length === 0;
    byId("cluster-downloads").hidden = wanted.length === 0;
    byId("cluster-message").hidden = wanted.length > 0;
    const runs = wanted.map(({ key }) => this.runs.get(key)).filter((run) => run.meta);
    if (runs.length === 0 || runs.length < wanted.length) return;
    const isFirst = this.order.length === 0;
    const isSameA = this.order[0] === runs[0];
    this.player.setRuns(runs, isSameA ? null : (runs[0].info?.index ?? 0));
    if (isFirst && this.address.loop) this.model.set({ loop: this.address.loop });
    if (!isSameA && !isFirst) this.model.set({ loop: null });
    this.#queueSlot = Math.min(this.#queueSlot, runs.length - 1);
    this.#showHeads(runs);
    this.requestFrames();
  }

  #showHeads(runs) {
    this.root.style.setProperty("--runs", runs.length);
    byId("cluster-align-box").hidden = runs.length < 2;
    this.root.classList.toggle("cluster-several", runs.length > 1);
    BADGES.forEach((badge, k) => {
      byId(`cluster-slot-${k}`).hidden = k >= runs.length;
      const head = byId(`cluster-head-${k}`);
      head.hidden = runs.length < 2 && !runs[k]?.key.startsWith("local:");
      if (k < runs.length) this.legend.writeHead(head, badge, runs[k], () => this.closeRun(runs[k].key));
    });
    this.queue.setTabs(runs.map((_, k) => BADGES[k]), this.#queueSlot, (k) => {
      this.#queueSlot = k;
      this.#showHeads(runs);
      this.#askQueue();
    });
    for (const id of ["cluster-rounds-csv", "cluster-jobs-csv"]) byId(id).hidden = runs[0].base === null;
  }

  /** Ask the server for frames of the runs at the size they have now. */
  requestFrames() {
    const runs = this.order;
    if (runs.length === 0) return;
    this.#serial += 1;
    const sizeOf = (k) => {
      const { clientWidth, clientHeight } = this.renderers[k].stage;
      return { width: clientWidth, height: clientHeight };
    };
    const data = {
      serial: this.#serial,
      runs: runs.map((run, k) => ({
        key: run.key, may_share: run.meta.hasSharing, ...sizeOf(k),
        gpu_types: run.meta.gpuTypes.map((type) => ({ name: type.name, count: type.count, gpus_per_node: type.gpusPerNode })),
      })),
      categories: [...new Set(runs.flatMap((run) => run.categories))].sort(),
      scale_factors: [...new Set(runs.flatMap((run) => run.scaleFactors))].sort((a, b) => a - b),
      n_positions: this.player.timeline.nPositions,
      phases: runs[0].phases()?.map((index) => this.player.timeline.positionOf(0, index)) ?? null,
    };
    setProps("cluster-request", { data });
  }

  /** Frames from the server. */
  async frame({ frames, scrubber, background, serial }) {
    if (serial !== this.#serial) return;
    this.scrubber.setFrame(scrubber);
    const runs = this.order;
    const colorBy = Object.values(frames)[0]?.looks.jobs.rule.kind ?? "category";
    await Promise.all(runs.map((run, k) => {
      const one = { ...frames[run.key], background };
      return this.renderers[k].setFrame(run, one);
    }));
    if (serial !== this.#serial || runs !== this.order) return;
    if (this.address.zoom) {
      const { zoom } = this.address;
      this.address.zoom = null;
      await Promise.all(runs.map((_, k) => this.renderers[k].zoomTo(zoom)));
    }
    runs.forEach((run) => {
      const { grid, looks } = frames[run.key];
      this.worker.postMessage({ type: "frame", key: run.key, frame: { grid, looks }, background, serial });
    });
    // Codes mean something else under another colouring.
    const isOther = this.frames !== undefined && colorBy !== this.model.get("colorBy");
    this.frames = frames;
    this.model.set({ colorBy, ...(isOther ? { hidden: [] } : {}) });
    this.#chooseDetail();
    this.player.ask();
  }

  // --- what the worker says -----------------------------------------------------------------------------------------

  #receive(message) {
    const run = this.runs.get(message.key);
    switch (message.type) {
      case "shown":
      case "problem":
        this.player.receive(message);
        break;
      case "opened":
        if (!run) return;
        run.opened(message);
        this.#loadColumns(run);
        this.#arrange();
        break;
      case "failed":
        if (!run) return;
        this.#failed(run, message.message);
        break;
      case "scanning":
        if (run) this.scrubber.progress(run, message.fraction);
        break;
      case "scanned":
        if (!run) return;
        run.scanned(message.columns);
        this.#columnsCame(run);
        break;
      case "queue":
        this.#showQueue(message);
        break;
      case "held":
        this.jobs.receive(message);
        break;
      default:
        throw new Error(`the worker said ${message.type}`);
    }
  }

  #failed(run, message) {
    this.say(`${run.name} cannot be shown: ${message}`);
    this.runs.delete(run.key);
    this.worker.postMessage({ type: "close", key: run.key });
    this.local = this.local.filter(({ key }) => key !== run.key);
    if (this.local.length === 0) this.replacesSweep = false;
    this.infos = this.infos.filter((info) => serverKey(info) !== run.key);
    this.#openWanted();
  }

  async #loadColumns(run) {
    run.abort = new AbortController();
    if (run.base === null) {
      this.worker.postMessage({ type: "scan", key: run.key });
      return;
    }
    try {
      await run.loadColumns(run.abort.signal);
      this.#columnsCame(run);
    } catch (error) {
      if (error.name !== "AbortError") this.say(`${run.name}: its times cannot be loaded: ${error.message}`);
    }
  }

  #columnsCame(run) {
    if (this.runs.get(run.key) !== run) return;
    this.worker.postMessage({ type: "times", key: run.key, ...run.jobTimes() });
    const before = this.player.timeline.nPositions;
    // Clocks may change which run leads; the round on screen stays.
    if (this.order.includes(run)) {
      this.player.realign();
      if (this.player.timeline.nPositions !== before || run.base === null) this.requestFrames();
      this.scrubber.runsChanged();
      this.#showSide();
    }
  }

  // --- drawing ------------------------------------------------------------------------------------------------------

  #draw(shown) {
    const runs = this.order;
    for (const painted of shown.painted) {
      const k = runs.findIndex((run) => run.key === painted.key);
      if (k >= 0 && painted.serial === this.#serial) this.renderers[k].show(painted);
    }
    this.scrubber.setPosition(this.model.get("position"));
    this.#writeRound();
    const now = performance.now();
    const playing = this.model.get("playing");
    if (!playing || now - this.#sideAt > SIDE_MS) {
      this.#sideAt = now;
      requestAnimationFrame(() => this.#showSide());
    }
    if (playing && now - this.#queueAt > QUEUE_MS) this.#askQueue();
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  /** What is on screen: [{ run, badge, painted, renderer }], A first. */
  shown() {
    return this.order
      .map((run, k) => ({ run, k, badge: BADGES[k], renderer: this.renderers[k], painted: this.renderers[k].painted }))
      .filter(({ run, painted }) => painted && painted.key === run.key);
  }

  /** The words that keep up with the cells: which round it is, and the busy shares. */
  #writeRound() {
    const shown = this.shown();
    if (shown.length === 0) return;
    shown.forEach(({ renderer, painted, run, k }) => {
      renderer.writeLabels();
      this.legend.writeWhere(byId(`cluster-head-${k}`), run, painted);
    });
    write(byId("cluster-now"), nowLine(shown[0]));
  }

  /** What costs too much to follow every frame says which round it is of. */
  #showSide() {
    const shown = this.shown();
    if (shown.length === 0) return;
    shown.forEach(({ painted, k }) => write(byId(`cluster-note-${k}`), differenceNote(painted)));
    write(byId("cluster-tiles-round"), `Round ${shown[0].painted.head.round.toLocaleString("en-US")}`);
    this.tiles.show(shown.map(({ badge, run, painted }) => ({ badge, values: tileValues(run, painted), types: typeValues(run, painted) })));
    this.scrubber.setSlider(this.model.get("position"), nowLine(shown[0]));
    this.legend.show(shown, this.frames);
    this.jobs.showSelected();
    this.jobs.refresh();
  }

  /** At rest: everything that need not keep up with playing. */
  #settle() {
    const shown = this.shown();
    if (this.model.get("playing") || shown.length === 0) return;
    shown.forEach(({ renderer }) => renderer.sync());
    this.#askQueue();
    this.writeAddress();
    const { head } = shown[0].painted;
    write(byId("cluster-live"), `${nowLine(shown[0])} · ${head.jobsRunning} running · ${head.jobsQueued} queued`);
  }

  writeAddress() {
    const [first] = this.shown();
    if (!first) return;
    const { speed, align, selectedJob, difference, flash, hidden, loop, colorBy } = this.model.all();
    const zoom = this.renderers[0].isReady ? this.renderers[0].zoom : null;
    window.dash_clientside.shell.writeQuery("/cluster", writeAddress({
      runs: this.order.filter((run) => run.base !== null).map((run) => run.name),
      files: this.order.filter((run) => run.source.kind === "url").map((run) => run.source.url),
      index: first.painted.index, color: colorBy, detail: this.detail, range: this.scrubber.zoomedRange,
      speed, align, selectedJob, difference, flash, hidden, loop, zoom,
    }));
  }

  #askQueue() {
    const entry = this.shown()[this.#queueSlot];
    if (!entry) return;
    this.#queueAt = performance.now();
    this.#queueRequest += 1;
    this.#queueShown = this.#queueRequest;
    const { run, painted } = entry;
    this.worker.postMessage({ type: "queue", key: run.key, index: painted.index, request: this.#queueRequest });
    const link = byId("cluster-queue-csv");
    link.hidden = run.base === null;
    link.href = run.base === null ? "" : `${run.base}/queue.csv?round_index=${painted.index}`;
  }

  /** The queue of any round: { ids } or { problem }. */
  queueOf(run, index) {
    this.#queueRequest += 1;
    const request = this.#queueRequest;
    this.worker.postMessage({ type: "queue", key: run.key, index, request });
    return new Promise((resolve) => this.queueWaiters.set(request, resolve));
  }

  #showQueue({ key, index, request, ids, problem }) {
    const waiter = this.queueWaiters.get(request);
    if (waiter) {
      this.queueWaiters.delete(request);
      waiter({ ids, problem });
      return;
    }
    const entry = this.shown()[this.#queueSlot];
    if (!entry || entry.run.key !== key || request !== this.#queueShown) return;
    const rows = ids === null ? [] : queueRows(ids, entry.run, index);
    const { round } = entry.painted.index === index ? entry.painted.head : { round: entry.run.clock?.round[index] ?? index };
    write(byId("cluster-queue-round"), `round ${round.toLocaleString("en-US")}`);
    this.queue.show({ rows, counted: entry.painted.index === index ? entry.painted.head.jobsQueued : rows.length, problem: ids === null ? problem : null });
  }

  // --- zoom and detail ----------------------------------------------------------------------------------------------

  #zoomed(renderer) {
    this.#chooseDetail();
    if (!this.isZooming) {
      this.isZooming = true;
      const { zoom, frame } = renderer;
      const others = this.shown().map((entry) => entry.renderer).filter((other) => other !== renderer && other.isReady && other.frame.grid.columns === frame.grid.columns);
      Promise.all(others.map((other) => other.zoomTo(zoom))).finally(() => { this.isZooming = false; });
    }
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  /** Nodes or GPUs: as chosen, else whichever can be told apart at this zoom. */
  #chooseDetail() {
    const [renderer] = this.renderers;
    if (!renderer.isReady) return;
    const { width, height, x0, x1, top, bottom } = renderer.geometry;
    const cellPx = Math.min(width / (x1 - x0), height / (bottom - top));
    this.model.set({ nodes: this.detail === "nodes" || (this.detail === "auto" && cellPx < SMALLEST_CELL_PX) });
  }

  // --- controls -----------------------------------------------------------------------------------------------------

  /** A control of Dash has changed. Its call comes late, so that the values are read anew: a key may have overtaken it. */
  choose() {
    if (!this.controlsShown) return;
    const [speed, detail, align, toggles] = ["speed", "detail", "align", "toggles"].map(
      (name) => window.dash_component_api.getLayout(`cluster-${name}`).props.value,
    );
    this.model.set({ speed: Number(speed), difference: toggles.includes("difference"), flash: toggles.includes("flash") });
    if (detail !== this.detail) {
      this.detail = detail;
      this.#chooseDetail();
      this.writeAddress();
    }
    if (align !== this.model.get("align")) {
      this.model.set({ align });
      this.player.realign();
      this.requestFrames();
      this.scrubber.runsChanged();
    }
  }

  /** Write the state into Dash's controls: what the address says, and what keys change. */
  #showControls() {
    const { speed, align, difference, flash } = this.model.all();
    setProps("cluster-speed", { value: speed });
    setProps("cluster-align", { value: align });
    setProps("cluster-detail", { value: this.detail });
    setProps("cluster-toggles", { value: [...(flash ? ["flash"] : []), ...(difference ? ["difference"] : [])] });
    this.controlsShown = true;
  }

  run(command, ...values) {
    const { player, model } = this;
    const commands = {
      toggle: () => player.toggle(),
      step: (by) => player.step(by),
      first: () => player.seek(0),
      last: () => player.seek(player.last),
      faster: (by) => { player.faster(by); this.#showControls(); },
      loopFrom: () => player.loopFrom(),
      loopTo: () => player.loopTo(),
      noLoop: () => model.set({ loop: null }),
      flip: (name) => { model.set({ [name]: !model.get(name) }); this.#showControls(); },
      jump: () => { byId("cluster-jump").focus(); byId("cluster-jump").select(); },
      wholeCluster: () => this.shown().forEach(({ renderer }) => renderer.zoomTo(null)),
      letGo: () => model.set({ selectedJob: null }),
      color: (name) => setProps("cluster-color", { value: name }),
    };
    commands[command](...values);
  }

  jumpTo(text, k = 0) {
    const run = this.order[k];
    if (!run) return;
    const found = findJump(parseJump(text), run);
    if (found.problem) {
      this.say(found.problem);
      return;
    }
    if (found.jobId !== undefined) this.model.set({ selectedJob: found.jobId });
    this.player.seek(this.player.timeline.positionOf(k, found.index));
  }

  #bind() {
    const { signal } = this.#listening;
    const commands = {
      "cluster-first": ["first"], "cluster-previous": ["step", -1], "cluster-play": ["toggle"], "cluster-next": ["step", 1],
      "cluster-last": ["last"], "cluster-loop-from": ["loopFrom"], "cluster-loop-to": ["loopTo"],
    };
    this.root.addEventListener("click", (event) => {
      const command = commands[event.target.closest("button")?.id];
      if (command) this.run(...command);
    }, { signal });
    document.addEventListener("pointerdown", () => { this.#focusedByPointer = true; }, { signal, capture: true });
    document.addEventListener("keydown", (event) => this.#press(event), { signal, capture: true });
    this.root.addEventListener("keydown", (event) => {
      if (event.target.id === "cluster-jump" && event.key === "Enter") this.jumpTo(event.target.value);
    }, { signal });
    this.model.on(["playing"], () => this.#markPlaying());
    this.model.on(["loop"], () => this.#markLoop());
    this.model.on(["selectedJob", "hidden", "difference", "flash", "nodes", "speed"], () => {
      clearTimeout(this.#settleTimer);
      this.#settleTimer = setTimeout(() => this.#settle(), SETTLE_MS);
    });
    this.model.on(["selectedJob"], () => this.jobs.showSelected());
    let sizes = "";
    this.resizing = new ResizeObserver(() => {
      const now = this.order.map((_, k) => `${this.renderers[k].stage.clientWidth}x${this.renderers[k].stage.clientHeight}`).join();
      if (now === sizes || now === "") return;
      sizes = now;
      clearTimeout(this.#resizeTimer);
      this.#resizeTimer = setTimeout(() => this.requestFrames(), SETTLE_MS);
    });
    this.renderers.forEach(({ stage }) => this.resizing.observe(stage));
  }

  #press(event) {
    if (event.key === "Tab") this.#focusedByPointer = false;
    if (byId("cluster-viewer").hidden || isTakenBy(event.target, event, this.#focusedByPointer)) return;
    const command = commandOf(event);
    if (command === null) return;
    if (event.key === " " && event.target.closest?.("button, [type=checkbox]")) event.target.blur();
    this.run(...command);
    event.preventDefault();
    event.stopPropagation();
  }

  #markPlaying() {
    const playing = this.model.get("playing");
    const button = this.root.querySelector("#cluster-play"); // there also when the page has just gone
    button.classList.toggle("cluster-playing", playing);
    button.setAttribute("aria-pressed", String(playing));
  }

  #markLoop() {
    const loop = this.model.get("loop");
    this.scrubber.setLoop(loop);
    byId("cluster-loop-from").setAttribute("aria-pressed", String(loop !== null));
    byId("cluster-loop-to").setAttribute("aria-pressed", String(loop !== null));
    this.writeAddress();
  }

  destroy() {
    this.player.pause();
    clearTimeout(this.#settleTimer);
    clearTimeout(this.#resizeTimer);
    this.#listening.abort();
    this.resizing.disconnect();
    this.worker.terminate();
    this.renderers.forEach((renderer) => renderer.destroy());
    this.scrubber.destroy();
    this.jobs.destroy();
    this.opening.destroy();
    this.exporter.destroy();
    this.runs.forEach((run) => run.abort?.abort());
  }
}

const serverKey = (info) => `${info.name}@${info.version}`;

/** Where in the run the round is: number, time, phase, and its place in the file. */
export function nowLine({ run, painted }) {
  const { head, index } = painted;
  const count = (n) => n.toLocaleString("en-US");
  const hours = (head.simTimeS / 3600).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const phase = run.phaseOf(index);
  return `Round ${count(head.round)} · ${hours} h${phase ? ` · ${phase}` : ""} · record ${count(index + 1)} of ${count(run.nRounds)}`;
}

/** What to say where the cells and the simulator's count of GPUs in use do not agree. */
function differenceNote({ hasAllocation, visible, head }) {
  const used = head.gpusUsed.reduce((a, b) => a + b, 0);
  if (!hasAllocation || visible === used) return "";
  const count = (n) => n.toLocaleString("en-US");
  return `The file counts ${count(used)} GPUs in use but names jobs on ${count(visible)}: busy shares follow the count.`;
}
