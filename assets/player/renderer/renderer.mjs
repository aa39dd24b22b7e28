// One run's heatmap on screen. Plotly draws the frame and keeps axes, zoom and export; the cells of each round are
// painted on canvases inside its plot area, and the heatmap itself gets its z when playing rests.

import { make, setProps, write } from "../panels/dom.mjs";
import { isSameRun } from "../model/run.mjs";
import { drawMarks, hasRoundMarks } from "./marks.mjs";

let figures = 0;

export class Renderer {
  #abort = new AbortController();
  #drawnEdges = null;

  /** `events`: onZoom(renderer), onHover(renderer, gpu or null, event), onPick(renderer, gpu or null). */
  constructor({ stage, graphId, events }) {
    Object.assign(this, { stage, graphId, events, frame: null, painted: null, run: null, highlighted: null, waiting: null });
    this.overlay = make("div", "cluster-overlay");
    this.canvas = make("canvas", "cluster-cells");
    this.marks = make("canvas", "cluster-marks");
    this.sentence = make("div", "cluster-no-allocation");
    this.sentence.hidden = true;
    this.overlay.append(this.canvas, this.marks, this.sentence);
    this.labels = make("div", "cluster-bands");
    this.image = make("canvas");
    this.#listen();
  }

  get graph() {
    return this.stage.querySelector(".js-plotly-plot");
  }

  get isReady() {
    return this.geometry !== undefined && this.frame !== null;
  }

  /** Show a new frame. A zoom stays where the grid does. What is on screen stays until Plotly has drawn it. */
  async setFrame(run, frame, serial) {
    const isSameGrid = this.isReady && isSameRun(this.run, run) && frame.grid.columns === this.frame.grid.columns;
    const keep = isSameGrid ? this.zoom : null;
    const figure = structuredClone(frame.figure);
    figures += 1;
    figure.layout.meta = { figure: figures };
    figure.layout.width = Math.floor(this.stage.clientWidth);
    figure.layout.autosize = false;
    if (keep) {
      figure.layout.xaxis.range = [keep[0], keep[1]];
      figure.layout.yaxis.range = [keep[3], keep[2]];
    }
    const own = figures;
    setProps(this.graphId, { figure });
    await this.#plotted(own);
    if (this.#abort.signal.aborted) return;
    const { grid } = frame;
    const width = grid.columns * grid.parts;
    const height = grid.bands.reduce((rows, band) => rows + band.rows, 0) * grid.parts;
    const fits = this.run && isSameRun(this.run, run) && this.image.width === width && this.image.height === height;
    // Cells of the same grid stay, in their old colours, until the round is painted anew.
    Object.assign(this, { run, frame, serial, painted: fits ? this.painted : null });
    if (!fits) Object.assign(this.image, { width, height });
    this.context = this.image.getContext("2d");
    this.#buildLabels();
    this.#attach();
    this.place();
  }

  /** Until Plotly has drawn the figure of that number, or a later one. */
  async #plotted(figure) {
    const { signal } = this.#abort;
    while (!signal.aborted && !(this.graph?._fullLayout?.meta?.figure >= figure)) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  #attach() {
    const { graph, overlay, labels } = this;
    const container = graph.querySelector(".svg-container");
    // Below Plotly's second drawing, which holds its zoom box, above the first with the heatmap.
    container.insertBefore(overlay, container.querySelectorAll(".main-svg")[1] ?? null);
    container.append(labels);
    if (this.attached === graph) return;
    this.attached = graph;
    const moved = () => { this.place(); this.events.onZoom(this); };
    graph.on("plotly_relayouting", moved);
    graph.on("plotly_relayout", moved);
  }

  /** Visible part of the cluster as [x0, x1, y0, y1] in GPUs, or null where all of it is. */
  get zoom() {
    const { x0, x1, top, bottom } = this.geometry;
    const { columns, height } = this.frame.grid;
    const whole = Math.abs(x0) < 1e-6 && Math.abs(x1 - columns) < 1e-6 && Math.abs(top) < 1e-6 && Math.abs(bottom - height) < 1e-6;
    return whole ? null : [x0, x1, top, bottom];
  }

  zoomTo(zoom) {
    const { columns, height } = this.frame.grid;
    const [x0, x1, top, bottom] = zoom ?? [0, columns, 0, height];
    return window.Plotly.relayout(this.graph, { "xaxis.range": [x0, x1], "yaxis.range": [bottom, top] });
  }

  /** Read where the plot area is and what it shows; lay the canvases over it. */
  place() {
    const layout = this.graph?._fullLayout;
    if (!layout?.xaxis?._length) return;
    const { xaxis, yaxis } = layout;
    const [bottom, top] = yaxis.range;
    this.geometry = {
      left: xaxis._offset, topPx: yaxis._offset, width: xaxis._length, height: yaxis._length,
      x0: xaxis.range[0], x1: xaxis.range[1], top, bottom,
    };
    const { left, topPx, width, height } = this.geometry;
    Object.assign(this.overlay.style, { left: `${left}px`, top: `${topPx}px`, width: `${width}px`, height: `${height}px` });
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.marks]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.#drawnEdges = null;
    this.frame.grid.bands.forEach((band, k) => {
      const y = topPx + ((band.label - top) / (bottom - top)) * height;
      const label = this.labels.children[k];
      label.style.transform = `translateY(${y.toFixed(1)}px)`;
      label.hidden = y < topPx - 20 || y > topPx + height + 20;
    });
    this.redraw();
  }

  #buildLabels() {
    this.labels.replaceChildren(
      ...this.frame.grid.bands.map(({ name, count }) => {
        const label = make("div", "cluster-band", [
          make("div", "cluster-band-name", [make("b", "", name.toUpperCase()), ` ${count.toLocaleString("en-US")}`]),
          make("div", "cluster-band-busy"),
        ]);
        label.title = `${name}: ${count.toLocaleString("en-US")} GPUs`;
        return label;
      }),
    );
  }

  /** Paint a round the worker has coloured; only the rows that changed are handed on. */
  show(painted) {
    this.painted = painted;
    if (painted.rows) {
      const [from, to] = painted.rows;
      const pixels = new ImageData(new Uint8ClampedArray(painted.pixels.buffer), this.image.width, this.image.height);
      this.context.putImageData(pixels, 0, 0, 0, from, this.image.width, to - from);
      this.#drawCells(from, to);
    }
    this.sentence.hidden = painted.hasAllocation;
    this.overlay.classList.toggle("cluster-hatched", !painted.hasAllocation);
    if (!painted.hasAllocation) {
      const used = painted.head.gpusUsed.reduce((a, b) => a + b, 0);
      write(this.sentence, `No allocation data in this round: ${used.toLocaleString("en-US")} GPU${used === 1 ? "" : "s"} in use, but the file does not say by whom.`);
    }
    this.#drawMarks();
  }

  /** Busy shares beside the bands; called a few times a second, not per frame. */
  writeLabels() {
    const { painted, frame, labels } = this;
    if (!painted) return;
    frame.grid.bands.forEach(({ count }, k) => {
      const share = count ? painted.head.gpusUsed[k] / count : 0;
      write(labels.children[k].lastChild, `${(100 * share).toFixed(1)}% busy`);
    });
  }

  /** Outline the GPUs of a job by plain id; null for none. */
  highlight(jobId) {
    if (jobId === this.highlighted) return;
    this.highlighted = jobId;
    if (this.isReady && this.painted) this.#drawMarks();
  }

  /** Outline the free GPUs where a waiting job of so many GPUs could start; null for no job. */
  showWaiting(scaleFactor) {
    if (scaleFactor === this.waiting) return;
    this.waiting = scaleFactor;
    if (this.isReady && this.painted) this.#drawMarks();
  }

  redraw() {
    if (!this.isReady || !this.painted) return;
    this.#drawCells(0, this.image.height);
    this.#drawMarks();
  }

  #drawCells(from, to) {
    const context = this.canvas.getContext("2d");
    drawBands(context, this.image, this.frame.grid, this.geometry, this.canvas.width, this.canvas.height, from, to);
  }

  /** Edges alone stay as they are from round to round: stroking hundreds of them costs more than the cells. */
  #drawMarks() {
    const { width, height } = this.marks;
    const marks = this.#marksOf(width, height, window.devicePixelRatio || 1);
    const { hasAllocation, look } = this.painted;
    const edges = hasAllocation && hasRoundMarks(marks) ? null : `${hasAllocation} ${look} ${JSON.stringify(this.geometry)}`;
    if (edges !== null && edges === this.#drawnEdges) return;
    this.#drawnEdges = edges;
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (hasAllocation) drawMarks(context, marks);
  }

  #marksOf(width, height, ratio) {
    const { frame, geometry, painted, highlighted, waiting, run } = this;
    return { frame, geometry, painted, highlighted, waiting, offset: run.meta.jobIdOffset, width, height, ratio };
  }

  /** Cells and marks at any size, for pictures and films. */
  drawTo(context, width, height, ratio) {
    drawBands(context, this.image, this.frame.grid, this.geometry, width, height, 0, this.image.height);
    if (this.painted.hasAllocation) drawMarks(context, this.#marksOf(width, height, ratio));
  }

  /** Hand the heatmap what is on screen, so that Plotly's own export and hover find it. */
  sync() {
    const { painted, frame } = this;
    if (!painted?.codes || painted.serial !== this.serial || !this.graph) return null;
    const { palette } = frame.looks[painted.look];
    const n = palette.length;
    return window.Plotly.restyle(
      this.graph,
      {
        z: [painted.hasAllocation ? painted.codes : []], zmin: -0.5, zmax: n - 0.5,
        colorscale: [palette.flatMap((color, i) => [[i / n, color], [(i + 1) / n, color]])],
      },
      [0],
    );
  }

  /** GPU under a pointer, or null. */
  gpuAt(event) {
    if (!this.isReady) return null;
    const box = this.overlay.getBoundingClientRect();
    const { x0, x1, top, bottom } = this.geometry;
    const x = x0 + ((event.clientX - box.left) / box.width) * (x1 - x0);
    const y = top + ((event.clientY - box.top) / box.height) * (bottom - top);
    const { columns, bands, parts } = this.frame.grid;
    if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) return null;
    for (const band of bands) {
      const row = Math.floor(y - band.top);
      const column = Math.floor(x);
      const i = row * columns + column;
      if (row >= 0 && row < band.rows && column >= 0 && column < columns && i < band.count) {
        const quarter = parts === 2 ? 2 * (y - band.top - row >= 0.5 ? 1 : 0) + (x - column >= 0.5 ? 1 : 0) : 0;
        return { gpu: band.first_gpu + i, band, i, quarter };
      }
    }
    return null;
  }

  #listen() {
    const { signal } = this.#abort;
    let pressed = null;
    this.stage.addEventListener("pointermove", (event) => {
      if (event.buttons === 0) this.events.onHover(this, this.gpuAt(event), event);
    }, { signal });
    this.stage.addEventListener("pointerleave", (event) => this.events.onHover(this, null, event), { signal });
    this.stage.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; }, { signal, capture: true });
    // Plotly covers the page while a button is down, so the release is heard at the document.
    document.addEventListener("pointerup", (event) => {
      if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4) this.events.onPick(this, this.gpuAt(event), event);
      pressed = null;
    }, { signal, capture: true });
  }

  destroy() {
    this.#abort.abort();
    this.overlay.remove();
    this.labels.remove();
  }
}

/** The bands of an image of cells, stretched to what is visible of each; rows [from, to) of the image changed. */
function drawBands(context, image, grid, geometry, width, height, from, to) {
  const { x0, x1, top, bottom } = geometry;
  const scaleX = width / (x1 - x0);
  const scaleY = height / (bottom - top);
  context.imageSmoothingEnabled = false;
  let row = 0;
  for (const band of grid.bands) {
    const rows = band.rows * grid.parts;
    if (row < to && row + rows > from) {
      const x = (0 - x0) * scaleX;
      const y = (band.top - top) * scaleY;
      context.clearRect(x, y, grid.columns * scaleX, band.rows * scaleY);
      context.drawImage(image, 0, row, image.width, rows, x, y, grid.columns * scaleX, band.rows * scaleY);
    }
    row += rows;
  }
}
