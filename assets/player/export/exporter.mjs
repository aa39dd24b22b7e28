// What can be taken away: pictures, films, and the round as JSON and CSV.

import { byId, download, make, setProps } from "../panels/dom.mjs";
import { isWebmSupported, recordGif, recordWebm } from "./film.mjs";
import { stateAsCsv, stateAsJson } from "./state_export.mjs";
import { TILES, tileValues } from "../panels/tiles.mjs";
import { paintPage } from "./page_picture.mjs";

const FILM_ROUNDS = 100;
const FILM_WIDTH = 1200;
const FILM_FRAME_MS = 100;
const PICTURE_SCALE = 2;

export class Exporter {
  #listening = new AbortController();
  #recording = null;

  constructor(page) {
    this.page = page;
    const kinds = { png: () => this.#picture(), svg: () => this.#drawing(), gif: () => this.#film("gif"), webm: () => this.#film("webm"), json: () => this.#state("json"), csv: () => this.#state("csv") };
    document.addEventListener("click", (event) => {
      const kind = /^cluster-export-(\w+)$/.exec(event.target.closest?.("[id^=cluster-export-]")?.id ?? "")?.[1];
      if (!kind || page.shown().length === 0) return;
      Promise.resolve(kinds[kind]()).catch((error) => {
        if (error.name !== "AbortError") page.say(`The ${kind.toUpperCase()} cannot be made: ${error.message}`);
      });
    }, { signal: this.#listening.signal });
  }

  #name(ending, rounds = `round_${this.page.shown()[0].painted.index}`) {
    const [{ run }] = this.page.shown();
    return `${run.name.replace(/[^A-Za-z0-9._=-]+/g, "-").replace(/^[-.]+/, "")}_${rounds}.${ending}`;
  }

  #surface(width, scale) {
    const shown = this.page.shown();
    const canvas = make("canvas");
    const height = paintPage(null, shown, { width, scale });
    Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    return canvas;
  }

  async #picture() {
    const width = byId("cluster-slots").clientWidth;
    const name = this.#name("png");
    const canvas = this.#surface(width, PICTURE_SCALE);
    paintPage(canvas.getContext("2d"), this.page.shown(), { width, scale: PICTURE_SCALE });
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    download(blob, name);
  }

  async #drawing() {
    const { player, model } = this.page;
    if (!this.page.shown()[0].painted.codes) {
      // Plotly's heatmap follows only at rest.
      player.pause();
      await player.show(model.get("position"));
    }
    const [{ renderer, painted }] = this.page.shown();
    const name = this.#name("svg");
    await renderer.sync();
    const { data, layout } = renderer.graph;
    const { frame } = renderer;
    const [bottom, top] = layout.yaxis.range;
    const ticktext = frame.grid.bands.map(({ count }, k) => `${layout.yaxis.ticktext[k]}<br>${(100 * painted.head.gpusUsed[k] / count).toFixed(1)}% busy`);
    const figure = {
      data,
      layout: {
        ...layout, showlegend: true, paper_bgcolor: frame.background, margin: { ...layout.margin, l: 116, t: 34 },
        yaxis: { ...layout.yaxis, range: [bottom, top], showticklabels: true, ticktext },
        shapes: [{ type: "path", path: frame.edges.path, line: { color: frame.edges.color, width: 1 }, layer: "above" }],
      },
    };
    const url = await window.Plotly.toImage(figure, { format: "svg", width: layout.width, height: layout.height + 26 });
    download(new Blob([decodeURIComponent(url.slice(url.indexOf(",") + 1))], { type: "image/svg+xml" }), name);
  }

  /** The loop, or the next rounds, at the speed of playing; with a progress bar and a way to stop. */
  async #film(kind) {
    const { page } = this;
    if (this.#recording) return;
    if (kind === "webm" && !isWebmSupported()) throw new Error("this browser cannot record WebM films");
    const { loop, position, speed } = page.model.all();
    const [from, to] = loop ?? [position, Math.min(page.player.last, position + FILM_ROUNDS - 1)];
    const step = Math.max(1, Math.round((speed * 5 * FILM_FRAME_MS) / 1000));
    const frames = Math.floor((to - from) / step) + 1;
    const width = Math.min(FILM_WIDTH, byId("cluster-slots").clientWidth);
    page.player.pause();
    const surface = this.#surface(width, 1);
    this.#recording = new AbortController();
    const progress = this.#progressBar(kind);
    const colors = [...new Set(page.shown().flatMap(({ renderer }) => Object.values(renderer.frame.looks).flatMap(({ palette }) => palette)))];
    try {
      const record = kind === "gif" ? recordGif : recordWebm;
      const film = await record({
        frames, width: surface.width, height: surface.height, colors,
        delayMs: Math.max(FILM_FRAME_MS, Math.round((1000 * step) / (5 * speed))),
        drawFrame: async (k, context) => {
          // A key or a click may lead elsewhere meanwhile: this frame is of this round all the same.
          const position = from + k * step;
          do await page.player.show(position); while (page.shown()[0].painted.index !== page.player.timeline.indexOf(0, position));
          paintPage(context, page.shown(), { width, scale: 1 });
        },
        onProgress: (done, all) => progress.update(done / all),
        signal: this.#recording.signal,
      });
      download(film, this.#name(kind, `rounds_${page.player.timeline.indexOf(0, from)}-${page.player.timeline.indexOf(0, to)}`));
    } finally {
      this.#recording = null;
      progress.remove();
      page.player.seek(position);
    }
  }

  #progressBar(kind) {
    const bar = make("progress");
    bar.max = 1;
    bar.value = 0;
    const words = make("span", "", `Making a ${kind.toUpperCase()} …`);
    const stop = make("button", "gd-button", "Stop");
    stop.type = "button";
    stop.addEventListener("click", () => this.#recording?.abort());
    const box = make("div", "cluster-progress", [words, bar, stop]);
    box.setAttribute("role", "status");
    this.page.root.append(box);
    return { update: (share) => { bar.value = share; words.textContent = `Making a ${kind.toUpperCase()}: ${Math.round(100 * share)}%`; }, remove: () => box.remove() };
  }

  async #state(kind) {
    const name = this.#name(kind);
    const slots = await Promise.all(this.page.shown().map((entry) => this.#slot(entry)));
    const text = kind === "json" ? stateAsJson(slots) : stateAsCsv(slots);
    download(new Blob([text], { type: kind === "json" ? "application/json" : "text/csv" }), name);
  }

  async #slot({ badge, run, painted }) {
    const plain = (id) => (id === 0 ? null : id - run.meta.jobIdOffset);
    const values = tileValues(run, painted);
    // Read before waiting for the queue: while playing, the next round takes the buffers of this one.
    const slot = {
      badge, run: run.name, index: painted.index, roundNumber: painted.head.round, simTimeS: painted.head.simTimeS,
      gpuTypes: run.gpuTypes, hasAllocation: painted.hasAllocation,
      allocation: Array.from(painted.ids, plain),
      sharing: Object.fromEntries(painted.sharing.map(({ gpu, storedIds }) => [gpu, Array.from(storedIds, plain)])),
      jobs: new Map(Array.from(run.jobs.jobId, (jobId) => {
        const { jobType, category, scaleFactor, arrivalRound } = run.job(jobId, painted.index);
        return [jobId, { jobType, category, scaleFactor, arrivalRound }];
      })),
      tiles: Object.fromEntries(TILES.map(({ key }) => [key, values[key].value])),
    };
    const { ids, problem } = await this.page.queue.of(run, painted.index);
    if (problem) throw new Error(problem);
    return { ...slot, queue: Array.from(ids) };
  }

  destroy() {
    this.#listening.abort();
    this.#recording?.abort();
  }
}
