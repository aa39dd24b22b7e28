// What happens on the Cluster page: runs come and go, rounds are drawn, controls act. The parts do the work.

import { byId, setProps, write } from "./panels/dom.mjs";
import { readAddress, writeAddress } from "./model/address.mjs";
import { linkElsewhere } from "./panels/elsewhere.mjs";
import { NodesView } from "./panels/nodes_view.mjs";
import { QueuePanel } from "./panels/queue_panel.mjs";
import { TilePanel, tileValues, typeValues } from "./panels/tiles.mjs";
import { differenceNote, nowLine } from "./panels/round_words.mjs";
import { Controls } from "./controller/controls.mjs";
import { Exporter } from "./export/exporter.mjs";
import { JobView } from "./panels/job_view.mjs";
import { Legend } from "./panels/legend.mjs";
import { OpenDialog } from "./panels/open_dialog.mjs";
import { Player } from "./controller/player.mjs";
import { Renderer } from "./renderer/renderer.mjs";
import { isSameRun } from "./model/run.mjs";
import { RunList } from "./model/run_list.mjs";
import { ScrubberView } from "./renderer/scrubber_view.mjs";

export const BADGES = ["A", "B", "C", "D"];
const SIDE_MS = 125; // tiles and words, while playing
const SETTLE_MS = 150;
/** Below this a GPU cannot be told from its neighbour; figures/player_frame.py has the same. */
const SMALLEST_CELL_PX = 3;

export class ClusterPage {
  #serial = 0;
  #sideAt = 0;
  #settleTimer = 0;
  #resizeTimer = 0;
  #sizes = "";

  constructor(root) {
    this.root = root;
    this.address = readAddress(window.location.search);
    this.worker = new Worker(new URL("./worker/worker.mjs", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.#receive(data);
    this.worker.onerror = (event) => this.say(`The player's worker failed: ${event.message}`);
    this.player = new Player({
      post: (message, transfers = []) => this.worker.postMessage(message, transfers),
      onDraw: (shown) => this.#draw(shown),
      onProblem: (problem) => this.#sayProblem(problem),
    });
    this.runs = new RunList({
      post: (message) => this.worker.postMessage(message),
      onChange: () => this.#arrange(),
      onColumns: (run) => this.#columnsCame(run),
      say: (sentence) => this.say(sentence),
      attempt: (part, load) => this.attempt(part, load),
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
    this.nodes = new NodesView(this);
    this.tiles = new TilePanel(byId("cluster-tiles"));
    this.legend = new Legend(byId("cluster-legend"), this.model);
    this.jobs = new JobView(this);
    this.queue = new QueuePanel(this);
    this.scrubber = new ScrubberView(this);
    this.exporter = new Exporter(this);
    this.opening = new OpenDialog(this);
    this.controls = new Controls(this);
    this.#follow();
    this.address.files.forEach((url) => this.runs.openLocal({ kind: "url", url }, { beside: true }));
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

  say(sentence, header = "Something went wrong") {
    setProps("shell-toast", { header, children: sentence, is_open: true });
  }

  /** Load a part of the page; where that fails, the user reads why and can have it loaded after all. */
  attempt(part, load) {
    return window.dash_clientside.failures.attempt(part, load);
  }

  #sayProblem({ message, key }) {
    const run = this.runs.get(key);
    this.say(`${run ? `${run.name}: ` : ""}${message}. Step to try again.`);
  }

  // --- runs ---------------------------------------------------------------------------------------------------------

  /** Show the runs once all of them are open. */
  #arrange() {
    byId("cluster-viewer").hidden = this.runs.isEmpty;
    byId("cluster-downloads").hidden = this.runs.isEmpty;
    byId("cluster-message").hidden = !this.runs.isEmpty;
    const runs = this.runs.open;
    if (runs === null) return;
    const isFirst = this.order.length === 0;
    const isSameA = !isFirst && isSameRun(this.order[0], runs[0]);
    this.player.setRuns(runs, isSameA ? this.player.index : (runs[0].info?.index ?? 0));
    const { selectedJob } = this.model.all();
    // An address may name a job that none of the runs has: it would only dim everything.
    if (isFirst && selectedJob !== null && runs.every((run) => !run.job(selectedJob, 0).known)) this.model.set({ selectedJob: null });
    if (isFirst && this.address.loop) this.model.set({ loop: this.address.loop });
    if (!isSameA && !isFirst) this.model.set({ loop: null });
    this.queue.setRuns(runs.map((_, k) => BADGES[k]));
    this.#showHeads(runs);
    this.nodes.arrange(runs);
    this.requestFrames();
  }

  #showHeads(runs) {
    this.root.style.setProperty("--runs", runs.length);
    this.root.style.setProperty("--bands", Math.max(...runs.map((run) => run.gpuTypes.length)));
    byId("cluster-align-box").hidden = runs.length < 2;
    this.root.classList.toggle("cluster-several", runs.length > 1);
    BADGES.forEach((badge, k) => {
      byId(`cluster-slot-${k}`).hidden = k >= runs.length;
      const head = byId(`cluster-head-${k}`);
      head.hidden = runs.length < 2 && !runs[k]?.key.startsWith("local:") && !runs[k]?.info?.running;
      if (k < runs.length) this.legend.writeHead(head, badge, runs[k], () => this.runs.close(runs[k].key));
    });
    for (const id of ["cluster-rounds-csv", "cluster-jobs-csv"]) byId(id).hidden = runs[0].base === null;
  }

  /** Sizes of the stages in use, as a word to compare. */
  #sizesNow() {
    return this.order.map((_, k) => `${this.renderers[k].stage.clientWidth}x${this.renderers[k].stage.clientHeight}`).join();
  }

  /** Ask the server for frames of the runs at the size they have now. */
  requestFrames() {
    const runs = this.order;
    if (runs.length === 0) return;
    this.#serial += 1;
    this.#sizes = this.#sizesNow();
    const sizeOf = (k) => {
      const { clientWidth, clientHeight } = this.renderers[k].stage;
      return { width: clientWidth, height: clientHeight };
    };
    const data = {
      serial: this.#serial,
      runs: runs.map((run, k) => ({
        key: run.key, may_share: run.meta.hasSharing, ...sizeOf(k),
        gpu_types: run.gpuTypes.map((type) => ({ name: type.name, count: type.count, gpus_per_node: type.gpusPerNode })),
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
      return this.renderers[k].setFrame(run, one, serial);
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
    this.chooseDetail();
    this.player.ask();
  }

  // --- what the worker says -----------------------------------------------------------------------------------------

  #receive(message) {
    switch (message.type) {
      case "shown":
      case "problem":
        this.player.receive(message);
        break;
      case "scanning":
        if (this.runs.get(message.key)) this.scrubber.progress(this.runs.get(message.key), message.fraction);
        break;
      case "queue":
        this.queue.receive(message);
        break;
      case "held":
        this.jobs.receive(message);
        break;
      default:
        this.runs.receive(message);
    }
  }

  #columnsCame(run) {
    if (this.runs.get(run.key) !== run) return;
    this.worker.postMessage({ type: "times", key: run.key, ...run.jobTimes() });
    const before = this.player.timeline.nPositions;
    // Clocks may change which run leads; the round on screen stays.
    if (this.order.includes(run)) {
      this.player.realign();
      // A file that was opened at its first round, mostly an idle cluster, goes where a run of the sweep opens.
      if (run.base === null && run === this.order[0] && this.player.index === 0 && !this.model.get("playing")) this.player.seekIndex(run.representativeRound());
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
      if (k >= 0 && painted.serial === this.renderers[k].serial && this.renderers[k].run === runs[k]) this.renderers[k].show(painted);
    }
    this.scrubber.setPosition(this.model.get("position"));
    this.#writeRound();
    const now = performance.now();
    const playing = this.model.get("playing");
    if (!playing || now - this.#sideAt > SIDE_MS) {
      this.#sideAt = now;
      requestAnimationFrame(() => this.#showSide());
    }
    if (playing) this.queue.follow(now);
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  /** What is on screen: [{ run, badge, painted, renderer }], A first. */
  shown() {
    return this.order
      .map((run, k) => ({
        run, k, badge: BADGES[k], renderer: this.renderers[k], painted: this.renderers[k].painted,
        hasEnded: this.player.timeline.hasEnded(k, this.model.get("position")),
      }))
      .filter(({ run, painted }) => painted && painted.key === run.key);
  }

  /** The words that keep up with the cells: which round it is, and the busy shares. */
  #writeRound() {
    const shown = this.shown();
    if (shown.length === 0) return;
    shown.forEach(({ renderer, painted, run, k, hasEnded }) => {
      renderer.writeLabels();
      this.legend.writeWhere(byId(`cluster-head-${k}`), painted, hasEnded);
    });
    write(byId("cluster-now"), nowLine(shown[0]));
  }

  /** What costs too much to follow every frame says which round it is of. */
  #showSide() {
    const shown = this.shown();
    if (shown.length === 0) return;
    shown.forEach(({ painted, k }) => write(byId(`cluster-note-${k}`), differenceNote(painted)));
    this.nodes.show(shown);
    write(byId("cluster-tiles-round"), `Round ${shown[0].painted.head.round.toLocaleString("en-US")}`);
    this.tiles.show(shown.map(({ badge, run, painted, hasEnded }) => ({ badge, hasEnded, values: tileValues(run, painted), types: typeValues(run, painted) })));
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
    this.queue.ask();
    this.writeAddress();
    linkElsewhere(shown);
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
      nodeSizes: this.nodes.sizes,
    }));
  }

  // --- zoom and detail ----------------------------------------------------------------------------------------------

  #zoomed(renderer) {
    this.chooseDetail();
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
  chooseDetail() {
    const [renderer] = this.renderers;
    if (!renderer.isReady) return;
    const { width, height, x0, x1, top, bottom } = renderer.geometry;
    const cellPx = Math.min(width / (x1 - x0), height / (bottom - top));
    byId("cluster-whole").hidden = renderer.zoom === null;
    this.model.set({ nodes: this.detail === "nodes" || (this.detail === "auto" && cellPx < SMALLEST_CELL_PX) });
  }

  /** Another alignment: the timeline, and all that is laid out along it. */
  realign() {
    this.player.realign();
    this.requestFrames();
    this.scrubber.runsChanged();
  }

  #follow() {
    this.model.on(["selectedJob", "hidden", "difference", "flash", "nodes", "speed"], () => {
      clearTimeout(this.#settleTimer);
      this.#settleTimer = setTimeout(() => this.#settle(), SETTLE_MS);
    });
    this.model.on(["selectedJob"], () => this.jobs.showSelected());
    this.resizing = new ResizeObserver(() => {
      if (this.#sizesNow() === this.#sizes) return;
      clearTimeout(this.#resizeTimer);
      this.#resizeTimer = setTimeout(() => this.requestFrames(), SETTLE_MS);
    });
    this.renderers.forEach(({ stage }) => this.resizing.observe(stage));
  }

  destroy() {
    this.player.pause();
    clearTimeout(this.#settleTimer);
    clearTimeout(this.#resizeTimer);
    this.resizing.disconnect();
    this.worker.terminate();
    this.renderers.forEach((renderer) => renderer.destroy());
    [this.controls, this.scrubber, this.jobs, this.queue, this.opening, this.exporter, this.runs].forEach((part) => part.destroy());
  }
}
