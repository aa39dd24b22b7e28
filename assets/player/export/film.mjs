// Films of the player, frame by frame: an animated GIF as fast as it can be drawn, a WebM in real time.

import { GifEncoder } from "./gif.mjs";

const WEBM_TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8"];
const MAX_WEBM_SIDE = 16383; // of VP8
// A picture is captured and encoded some time after it was asked for; stopping at once would lose it.
const SETTLE_MS = 100;
// Thin lines and small text smear at the browsers' default of 2.5 Mbit/s.
const VIDEO_BITS_PER_SECOND = 8_000_000;

const createCanvas = (width, height) =>
  typeof OffscreenCanvas === "undefined" ? createPageCanvas(width, height) : new OffscreenCanvas(width, height);

function createPageCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

// Timers are held back in tabs in the background, messages are not.
function yieldToEventLoop() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const waitUntil = (timeMs) => new Promise((resolve) => setTimeout(resolve, timeMs - performance.now()));

const webmType = (Recorder) => WEBM_TYPES.find((type) => Recorder?.isTypeSupported(type));

/** Whether this browser can record WebM from a canvas. */
export function isWebmSupported() {
  const canCapture = typeof HTMLCanvasElement !== "undefined" && "captureStream" in HTMLCanvasElement.prototype;
  return canCapture && webmType(globalThis.MediaRecorder) !== undefined;
}

function checkFrames(frames) {
  if (!(Number.isInteger(frames) && frames > 0)) throw new RangeError(`a film has one frame or more, not ${frames}`);
}

function checkWebm(width, height, delayMs) {
  for (const side of [width, height]) {
    if (!(Number.isInteger(side) && side > 0 && side <= MAX_WEBM_SIDE)) {
      throw new RangeError(`a WebM film is 1 to ${MAX_WEBM_SIDE} pixels wide and high, not ${width} x ${height}`);
    }
  }
  if (!(delayMs > 0 && Number.isFinite(delayMs))) throw new RangeError(`a frame lasts above 0 ms, not ${delayMs}`);
}

const cancelled = () => new DOMException("the recording was cancelled", "AbortError");

/** Something that may end a recording early: `race(promise)` rejects as soon as it does. */
class Interruption {
  #signal;
  #promise;
  #reject;
  #onAbort = () => this.fail(cancelled());

  constructor(signal) {
    if (signal?.aborted) throw cancelled();
    this.#promise = new Promise((_, reject) => (this.#reject = reject));
    this.#promise.catch(() => {}); // it may come when nobody waits
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
  }

  fail(error) {
    this.#reject(error);
  }

  race(promise) {
    return Promise.race([this.#promise, promise]);
  }

  release() {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Records an animated GIF as a Blob. `drawFrame(k, context2d)` paints frame k of `frames`; `colors` stay exact;
 * `onProgress(done, frames)` is told after each. `surroundings` are replaced by tests.
 */
export async function recordGif(
  { frames, drawFrame, width, height, delayMs, colors = [], onProgress = () => {}, signal },
  surroundings = { createCanvas },
) {
  checkFrames(frames);
  const encoder = new GifEncoder({ width, height, delayMs, colors });
  const interruption = new Interruption(signal);
  try {
    const canvas = surroundings.createCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    for (let k = 0; k < frames; k += 1) {
      await interruption.race(yieldToEventLoop());
      await interruption.race(drawFrame(k, context));
      encoder.addFrame(context.getImageData(0, 0, width, height).data);
      onProgress(k + 1, frames);
    }
  } finally {
    interruption.release();
  }
  return new Blob([encoder.finish()], { type: "image/gif" });
}

const BROWSER = {
  createCanvas,
  createPageCanvas,
  nowMs: () => performance.now(),
  waitUntil,
  isHidden: () => document.hidden,
  get MediaRecorder() {
    return globalThis.MediaRecorder;
  },
};

/**
 * Records a WebM film as a Blob, in real time: each frame is shown for `delayMs`, longer where drawing the next takes
 * longer. The tab must stay visible. Parameters as in `recordGif`.
 */
export async function recordWebm(
  { frames, drawFrame, width, height, delayMs, onProgress = () => {}, signal },
  { createCanvas, createPageCanvas, nowMs, waitUntil, isHidden, MediaRecorder } = BROWSER,
) {
  checkFrames(frames);
  checkWebm(width, height, delayMs);
  const mimeType = webmType(MediaRecorder);
  if (!mimeType) throw new Error("this browser cannot record WebM films");
  const interruption = new Interruption(signal);
  let tracks = [];
  let recorder;
  try {
    // Painted aside and shown in one go: the recorder must not see a picture that is half drawn.
    const draft = createCanvas(width, height).getContext("2d", { alpha: false });
    const canvas = createPageCanvas(width, height);
    const screen = canvas.getContext("2d", { alpha: false });
    const stream = canvas.captureStream(0);
    tracks = stream.getVideoTracks();
    recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: VIDEO_BITS_PER_SECOND });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onerror = ({ error }) => interruption.fail(error);
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();

    let dueMs = nowMs();
    const show = async () => {
      // A late frame moves those after it: they are never bunched up to catch up.
      dueMs = Math.max(dueMs, nowMs());
      await interruption.race(waitUntil(dueMs));
      if (recorder.state === "inactive") throw new Error("the browser stopped recording before the film was complete");
      if (isHidden()) throw new Error("the tab was hidden: a film is recorded in real time and needs it visible");
      screen.drawImage(draft.canvas, 0, 0);
      tracks[0].requestFrame();
      dueMs += delayMs;
    };
    for (let k = 0; k < frames; k += 1) {
      await interruption.race(drawFrame(k, draft));
      await show();
      onProgress(k + 1, frames);
    }
    await show(); // a film ends with its last picture: without this one the last frame would have no length
    await interruption.race(waitUntil(nowMs() + SETTLE_MS));
    recorder.stop();
    await interruption.race(stopped);
    const film = new Blob(parts, { type: mimeType });
    if (film.size === 0) throw new Error("the browser recorded an empty film");
    return film;
  } finally {
    interruption.release();
    if (recorder && recorder.state !== "inactive") recorder.stop();
    tracks.forEach((track) => track.stop());
  }
}
