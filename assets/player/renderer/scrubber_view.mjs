// The scrubber on the page: which series it shows for the range in view, the slider under it, and what drags do.

import { Scrubber, fillScrubber, hoverLines } from "./scrubber.mjs";
import { byId, make } from "../panels/dom.mjs";

const BINS = 1000;
const BADGES = ["A", "B", "C", "D"];

export class ScrubberView {
  #scrubber = null;
  #frame = null;
  #lanes = null;
  #request = 0;
  #timer = 0;
  #abort = new AbortController();

  constructor(page) {
    this.page = page;
    this.range = null;
    this.slider = make("input", "cluster-slider");
    Object.assign(this.slider, { type: "range", id: "cluster-slider", min: 0, max: 0, step: 1, value: 0 });
    this.slider.addEventListener("input", () => page.player.seek(Number(this.slider.value)));
    byId("cluster-slider-box").append(this.slider);
  }

  get #n() {
    return this.page.player.timeline.nPositions;
  }

  /** Visible positions [from, to), or null where all are. */
  get zoomedRange() {
    return this.range && (this.range[0] > 0 || this.range[1] < this.#n) ? this.range : null;
  }

  setFrame(frame) {
    this.#frame = frame;
    const { player } = this.page;
    if (this.#scrubber === null || this.n !== this.#n) {
      this.#scrubber?.destroy();
      this.n = this.#n;
      this.#scrubber = new Scrubber({
        element: byId("cluster-scrubber"), track: byId("cluster-track"), nPositions: this.#n,
        onSeek: (position) => player.seek(position),
        onScrubStart: () => { this.wasPlaying = player.model.get("playing"); player.pause(); },
        onScrubEnd: () => { if (this.wasPlaying) player.play(); },
        onRange: (range) => this.#setRange(range),
      });
      const asked = this.page.address.range;
      this.page.address.range = null;
      this.range = asked && asked[1] <= this.#n ? asked : [0, this.#n];
      this.#scrubber.setRange(this.range);
      this.slider.min = this.range[0];
      this.slider.max = this.range[1] - 1;
    }
    this.#scrubber.setPosition(this.page.model.get("position"));
    this.setLoop(this.page.model.get("loop"));
    this.#load();
  }

  /** Clocks or series of runs have come. */
  runsChanged() {
    if (this.#frame && this.n === this.#n) this.#load();
  }

  progress(run, fraction) {
    this.page.root.style.setProperty("--scanned-words", `"${Math.round(100 * fraction)}%"`);
    this.page.root.classList.toggle("cluster-scanning", fraction < 1);
  }

  #setRange(range) {
    this.range = range;
    this.#scrubber.setRange(range);
    this.slider.min = range[0];
    this.slider.max = range[1] - 1;
    this.slider.value = this.page.model.get("position");
    if (this.#lanes) this.#draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#load(); this.page.writeAddress(); }, 120);
  }

  /** Fetch each run's series for the range in view and draw it; an answer that is overtaken is dropped. */
  async #load() {
    const { player, order } = this.page;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#request += 1;
    const request = this.#request;
    const [from, to] = this.range;
    const { timeline } = player;
    await this.page.attempt("Curves under the heatmap", async () => {
      const lanes = await Promise.all(order.map(async (run, k) => {
        const start = timeline.indexOf(k, from);
        const stop = Math.min(run.nRounds, timeline.indexOf(k, to - 1) + 1);
        const isWhole = start === 0 && stop === run.nRounds;
        const series = isWhole && run.overview ? run.overview : await run.series(start, stop, BINS, this.#abort.signal);
        return series && laneOf(run, k, series, stop, timeline);
      }));
      if (request !== this.#request || lanes.includes(null)) return;
      this.#lanes = lanes;
      this.#draw();
    });
  }

  #draw() {
    const [lead] = [this.page.order[this.page.player.timeline.lead]];
    const clock = (position) => (lead.clock?.simTimeS[Math.max(0, Math.min(lead.nRounds - 1, Math.round(position)))] ?? 0) / 3600;
    if (this.#frame.data.length !== this.#lanes.length * 5 + (this.#lanes.length > 1 ? 1 : 0)) return;
    const figure = fillScrubber(this.#frame, this.#lanes, this.range, clock, this.#scrubber.widthPx);
    this.#scrubber.draw(figure);
    this.#scrubber.setHover((position) => hoverLines(this.#lanes, position));
  }

  setPosition(position) {
    this.#scrubber?.setPosition(position);
  }

  /** The slider and what it says; not per frame. */
  setSlider(position, text) {
    if (Number(this.slider.value) !== position) this.slider.value = position;
    this.slider.setAttribute("aria-valuetext", text);
  }

  setLoop(loop) {
    this.#scrubber?.setLoop(...(loop ?? [null, null]));
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#scrubber?.destroy();
    this.slider.remove();
  }
}

function laneOf(run, k, series, stop, timeline) {
  const x = Float64Array.from([...series.startIndex, stop], (index) => (index >= run.nRounds ? timeline.positionOf(k, run.nRounds - 1) + 1 : timeline.positionOf(k, index)));
  if (run.clock) run.completionRecords ??= Array.from(run.completions.rounds, (round) => run.recordOf(round));
  const completions = Float64Array.from(run.completionRecords ?? [], (index) => timeline.positionOf(k, index));
  return { badge: BADGES[k], x, series, endIndex: stop, completions, roundOf: (index) => run.clock?.round[index] ?? index };
}
