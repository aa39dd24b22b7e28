// The track over the scrubber's plot area: pointer, wheel and touch; playhead, loop, hover line and tooltip.
import { panRange, pixelOf, positionAt, zoomRange } from "./scrubber_figure.mjs";

export * from "./scrubber_figure.mjs";

const LINE_PX = 16; // what a wheel that counts lines or pages means by one
const PAGE_PX = 400;
const WHEEL_ZOOM = 0.0015; // per pixel: a notch changes the width by about a sixth
const PINCH_ZOOM = 0.01; // a pinch on a touchpad arrives as ctrl and small wheel steps
const PLOT_CONFIG = { staticPlot: true, displayModeBar: false };

/** The track of one timeline of `nPositions`. */
export class Scrubber {
  static #ofTrack = new WeakMap();
  #element;
  #track;
  #calls;
  #nPositions;
  #range;
  #width;
  #position = 0;
  #loop = null;
  #hoverAt = () => [];
  #marks = {};
  #pointers = new Map(); // id -> pixel, of those that are down
  #gesture = null;
  #next = { seek: null, range: null }; // for the next animation frame
  #sought = null;
  #hoverPx = null;
  #frame = 0;
  #drawn = false;
  #listening = new AbortController();
  #sizes;

  /**
   * `element` holds the chart, `track` lies over its plot area. `onSeek(position)` and `onRange([from, to])` are called
   * at most once per animation frame, for what the user does; `onScrubStart` and `onScrubEnd` around a drag.
   */
  constructor({ element, track, onSeek, onScrubStart, onScrubEnd, onRange, nPositions }) {
    if (!(Number.isInteger(nPositions) && nPositions > 0)) {
      throw new Error(`scrubber: expected a number of positions, found ${nPositions}`);
    }
    Scrubber.#ofTrack.get(track)?.destroy();
    Scrubber.#ofTrack.set(track, this);
    this.#element = element;
    this.#track = track;
    this.#calls = { onSeek, onScrubStart, onScrubEnd, onRange };
    this.#nPositions = nPositions;
    this.#range = [0, nPositions];
    this.#width = track.clientWidth;
    for (const name of ["loop", "cursor", "playhead", "tip"]) {
      this.#marks[name] = track.ownerDocument.createElement("div");
      this.#marks[name].className = `cluster-${name}`;
    }
    this.#marks.loop.hidden = true;
    track.append(...Object.values(this.#marks));
    this.#showHover();
    const listen = (type, handle, options) =>
      track.addEventListener(type, handle, { signal: this.#listening.signal, ...options });
    listen("pointerdown", (event) => this.#press(event));
    listen("pointermove", (event) => this.#move(event));
    listen("lostpointercapture", (event) => this.#release(event)); // after pointerup and pointercancel alike
    listen("pointerleave", () => this.#hover(null));
    listen("wheel", (event) => this.#wheel(event), { passive: false });
    listen("dblclick", () => this.#later({ range: [0, this.#nPositions] }));
    this.#sizes = new ResizeObserver(() => this.#resize());
    this.#sizes.observe(track);
    this.#place();
  }

  /** Width of the plot area, pixels. */
  get widthPx() {
    return this.#width;
  }

  /** Draw a filled figure. */
  draw(figure) {
    this.#drawn = true;
    return window.Plotly.react(this.#element, figure.data, figure.layout, PLOT_CONFIG);
  }

  /** `linesAt(position)` gives the tooltip's lines. */
  setHover(linesAt) {
    this.#hoverAt = linesAt;
    if (this.#hoverPx !== null) this.#later({});
  }

  /** Bring positions [from, to) into view; onRange is not called. */
  setRange([from, to]) {
    if (!(from < to)) throw new Error(`scrubber: expected a range of positions, found ${from} to ${to}`);
    this.#range = zoomRange([from, to], this.#nPositions, (from + to - 1) / 2, 1);
    this.#place();
  }

  /** Move the playhead; between two positions while playing. */
  setPosition(position) {
    this.#position = position;
    this.#marks.playhead.style.transform = `translateX(${pixelOf(position, this.#width, this.#range)}px)`;
  }

  /** Show the loop over positions `a` to `b`, both included; no loop where `a` is null. */
  setLoop(a, b) {
    this.#loop = a === null ? null : [Math.min(a, b), Math.max(a, b)];
    this.#place();
  }

  /** Remove everything: listeners, marks, chart. */
  destroy() {
    this.#listening.abort();
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#frame);
    for (const mark of Object.values(this.#marks)) mark.remove();
    if (this.#drawn) window.Plotly.purge(this.#element);
    this.#drawn = false;
    this.#hoverPx = null;
    if (Scrubber.#ofTrack.get(this.#track) === this) Scrubber.#ofTrack.delete(this.#track);
  }

  #press(event) {
    if ((event.pointerType === "mouse" && event.button !== 0) || this.#pointers.size === 2) return;
    this.#track.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#pixel(event));
    if (this.#pointers.size === 2) {
      this.#startPinch();
    } else if (event.shiftKey) {
      this.#gesture = { kind: "pan", px: this.#pixel(event), range: this.#range };
    } else {
      this.#gesture = { kind: "scrub", before: this.#position };
      this.#sought = null;
      this.#calls.onScrubStart();
      this.#drag();
    }
    this.#hover(this.#pointers.size === 2 ? null : this.#pixel(event));
  }

  #startPinch() {
    const { kind, before } = this.#gesture ?? {};
    const [a, b] = this.#pointers.values();
    this.#gesture = { kind: "pinch", distance: spread(a, b), range: this.#range, anchor: this.#at((a + b) / 2) };
    if (kind === "scrub") {
      // The first finger of a pinch was not meant to seek.
      this.#next.seek = null;
      if (this.#sought !== null) this.#calls.onSeek(Math.floor(before));
      this.#calls.onScrubEnd();
    }
  }

  #move(event) {
    if (this.#pointers.has(event.pointerId)) {
      this.#pointers.set(event.pointerId, this.#pixel(event));
      this.#drag();
    }
    if (this.#pointers.size < 2) this.#hover(this.#pixel(event));
  }

  /** What the pointers that are down mean now. */
  #drag() {
    const [a, b] = this.#pointers.values();
    const { kind, px, range, distance, anchor } = this.#gesture ?? {};
    if (kind === "scrub") {
      this.#later({ seek: positionAt(a, this.#width, this.#range) });
    } else if (kind === "pan") {
      this.#later({ range: panRange(range, this.#nPositions, ((px - a) / this.#width) * (range[1] - range[0])) });
    } else if (kind === "pinch") {
      const zoomed = zoomRange(range, this.#nPositions, anchor, distance / spread(a, b));
      const under = zoomed[0] + ((a + b) / 2 / this.#width) * (zoomed[1] - zoomed[0]) - 0.5;
      this.#later({ range: panRange(zoomed, this.#nPositions, anchor - under) });
    }
  }

  #release(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#gesture?.kind === "scrub") {
      this.#flush();
      this.#calls.onScrubEnd();
    }
    this.#gesture = null; // a finger left over from a pinch does nothing
  }

  #wheel(event) {
    event.preventDefault();
    const px = event.deltaY * ([1, LINE_PX, PAGE_PX][event.deltaMode] ?? 1);
    const range = this.#next.range ?? this.#range;
    const anchor = positionAt(this.#pixel(event), this.#width, range);
    const factor = Math.exp(px * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM));
    if (px !== 0) this.#later({ range: zoomRange(range, this.#nPositions, anchor, factor) });
  }

  #hover(px) {
    this.#hoverPx = px;
    this.#later({});
  }

  #later(what) {
    Object.assign(this.#next, what);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#flush();
      this.#showHover();
    });
  }

  #flush() {
    const { seek, range } = this.#next;
    this.#next = { seek: null, range: null };
    if (range !== null && range.join() !== this.#range.join()) {
      this.#range = range;
      this.#place();
      this.#calls.onRange([...range]);
    }
    if (seek !== null && seek !== this.#sought) {
      this.#sought = seek;
      this.#calls.onSeek(seek);
    }
  }

  #showHover() {
    const { cursor, tip } = this.#marks;
    const position = this.#hoverPx === null ? null : positionAt(this.#hoverPx, this.#width, this.#range);
    const lines = position === null ? [] : this.#hoverAt(position);
    cursor.hidden = position === null;
    tip.hidden = lines.length === 0;
    if (position === null) return;
    const px = pixelOf(position, this.#width, this.#range);
    cursor.style.transform = `translateX(${px}px)`;
    // On the side with more room: the tooltip is at most half as wide as the track, so it stays inside.
    tip.style.transform = px < this.#width / 2 ? `translateX(${px + 8}px)` : `translateX(calc(${px - 8}px - 100%))`;
    tip.replaceChildren(
      ...lines.map((line) => {
        const row = this.#track.ownerDocument.createElement("div");
        row.textContent = line;
        return row;
      }),
    );
  }

  #resize() {
    this.#width = this.#track.clientWidth;
    this.#place();
    if (this.#drawn && this.#width > 0) window.Plotly.Plots.resize(this.#element);
  }

  #place() {
    this.setPosition(this.#position);
    const { loop } = this.#marks;
    loop.hidden = this.#loop === null;
    if (this.#loop === null) return;
    const [left, right] = [this.#loop[0] - 0.5, this.#loop[1] + 0.5].map((at) => pixelOf(at, this.#width, this.#range));
    loop.style.transform = `translateX(${left}px)`;
    loop.style.width = `${right - left}px`;
  }

  #at(px) {
    const [from, to] = this.#range;
    return from + (px / this.#width) * (to - from) - 0.5;
  }

  #pixel(event) {
    return event.clientX - this.#track.getBoundingClientRect().left;
  }
}

/** Distance of two fingers; two that touch must not zoom without end. */
const spread = (a, b) => Math.max(20, Math.abs(a - b));
