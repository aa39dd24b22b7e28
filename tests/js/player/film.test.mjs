// Recording with stand-ins for the browser's canvas, clock and recorder: pacing, progress, abort, errors, cleaning up.
import assert from "node:assert/strict";
import test from "node:test";

import { isWebmSupported, recordGif, recordWebm } from "../../../assets/player/export/film.mjs";

/** A canvas of one colour: `fillStyle` is what it shows, as [red, green, blue]. */
function makeCanvas(width, height) {
  const context = {
    canvas: { width, height },
    fillStyle: [0, 0, 0],
    drawImage: (source) => (context.fillStyle = source.context.fillStyle),
    getImageData: (x, y, w, h) => {
      const data = new Uint8ClampedArray(4 * w * h);
      for (let i = 0; i < w * h; i += 1) data.set([...context.fillStyle, 255], 4 * i);
      return { data };
    },
  };
  return Object.assign(context.canvas, { context, getContext: () => context });
}

/** A browser where time passes only by waiting; `shown` lists [time, colour] of each recorded picture. */
function makeBrowser({ types = ["video/webm;codecs=vp9"], onShow = () => {}, bytes = 8 } = {}) {
  const browser = {
    timeMs: 1000,
    shown: [],
    stoppedTracks: 0,
    hidden: false,
    recorders: [],
    createCanvas: makeCanvas,
    createPageCanvas(width, height) {
      const canvas = makeCanvas(width, height);
      const track = {
        requestFrame() {
          browser.shown.push([browser.timeMs, canvas.context.fillStyle[0]]);
          onShow(browser);
        },
        stop: () => (browser.stoppedTracks += 1),
      };
      canvas.captureStream = (rate) => {
        assert.equal(rate, 0, "no frames but those asked for");
        return { getVideoTracks: () => [track] };
      };
      return canvas;
    },
    nowMs: () => browser.timeMs,
    waitUntil: async (timeMs) => (browser.timeMs = Math.max(browser.timeMs, timeMs)),
    isHidden: () => browser.hidden,
    MediaRecorder: class {
      static isTypeSupported = (type) => types.includes(type);
      state = "inactive";
      constructor(stream, options) {
        this.options = options;
        browser.recorders.push(this);
      }
      start() {
        this.state = "recording";
      }
      stop() {
        assert.notEqual(this.state, "inactive");
        this.state = "inactive";
        browser.stoppedMs = browser.timeMs;
        queueMicrotask(() => {
          this.ondataavailable({ data: new Blob([new Uint8Array(bytes)]) });
          this.onstop();
        });
      }
    },
  };
  return browser;
}

const paintNumber = async (k, context) => {
  context.fillStyle = [k, 0, 0];
};

const film = (options) => ({ frames: 5, drawFrame: paintNumber, width: 4, height: 3, delayMs: 40, ...options });

const isCleanedUp = (browser) => {
  assert.equal(browser.stoppedTracks, 1, "the track is stopped");
  assert.ok(browser.recorders.every((recorder) => recorder.state === "inactive"), "the recorder is stopped");
};

/** A signal that counts its listeners. */
function makeSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const counted = { listeners: 0, signal, abort: () => controller.abort() };
  for (const [name, step] of [["addEventListener", 1], ["removeEventListener", -1]]) {
    const original = signal[name].bind(signal);
    signal[name] = (...args) => {
      counted.listeners += step;
      original(...args);
    };
  }
  return counted;
}

test("a GIF holds every frame and tells its progress", async () => {
  const progress = [];
  const onProgress = (done, frames) => progress.push([done, frames]);

  const blob = await recordGif(film({ onProgress, colors: [0, 1, 2, 3, 4].map((k) => `#0${k}0000`) }), {
    createCanvas: makeCanvas,
  });

  assert.equal(blob.type, "image/gif");
  const bytes = Buffer.from(await blob.arrayBuffer());
  assert.equal(bytes.toString("latin1", 0, 6), "GIF89a");
  assert.deepEqual([bytes.readUInt16LE(6), bytes.readUInt16LE(8)], [4, 3]);
  const control = Buffer.from([0x21, 0xf9, 4, 4, 4, 0, 0, 0]); // 40 ms
  let count = 0;
  for (let at = bytes.indexOf(control); at >= 0; at = bytes.indexOf(control, at + 1)) count += 1;
  assert.equal(count, 5);
  assert.deepEqual(progress, [[1, 5], [2, 5], [3, 5], [4, 5], [5, 5]]);
});

test("a GIF lets other events in between its frames", async () => {
  const { port1, port2 } = new MessageChannel();
  const order = [];
  port1.onmessage = ({ data }) => order.push(`event ${data}`);
  const drawFrame = async (k, context) => {
    order.push(`frame ${k}`);
    port2.postMessage(k);
    await paintNumber(k, context);
  };

  await recordGif(film({ frames: 3, drawFrame }), { createCanvas: makeCanvas });
  port1.close();

  assert.deepEqual(order.slice(0, 5), ["frame 0", "event 0", "frame 1", "event 1", "frame 2"]);
});

test("a WebM shows each frame at its time, and the last one for as long", async () => {
  const browser = makeBrowser();
  const progress = [];

  const blob = await recordWebm(film({ onProgress: (done, frames) => progress.push([done, frames]) }), browser);

  assert.equal(blob.type, "video/webm;codecs=vp9");
  assert.equal(blob.size, 8);
  assert.deepEqual(browser.shown, [[1000, 0], [1040, 1], [1080, 2], [1120, 3], [1160, 4], [1200, 4]]);
  assert.ok(browser.stoppedMs >= 1300, "the last picture has time to be captured");
  assert.deepEqual(progress, [[1, 5], [2, 5], [3, 5], [4, 5], [5, 5]]);
  isCleanedUp(browser);
});

test("a timer that is late does not delay the frames after it", async () => {
  const browser = makeBrowser();
  browser.waitUntil = async (timeMs) => (browser.timeMs = Math.max(browser.timeMs, timeMs) + 7);

  await recordWebm(film({ frames: 3 }), browser);

  assert.deepEqual(browser.shown.map(([timeMs]) => timeMs), [1007, 1047, 1087, 1127]);
});

test("drawing within the time of a frame costs no time; a slow frame moves those after it, none is lost", async () => {
  const browser = makeBrowser();
  const drawFrame = async (k, context) => {
    browser.timeMs += k === 2 ? 100 : 30;
    await paintNumber(k, context);
  };

  await recordWebm(film({ drawFrame }), browser);

  assert.deepEqual(browser.shown, [[1030, 0], [1070, 1], [1170, 2], [1210, 3], [1250, 4], [1290, 4]]);
});

test("a picture that is half drawn is never recorded", async () => {
  const browser = makeBrowser();
  const drawFrame = async (k, context) => {
    context.fillStyle = [255, 0, 0];
    await Promise.resolve();
    context.fillStyle = [k, 0, 0];
  };

  await recordWebm(film({ drawFrame }), browser);

  assert.deepEqual(browser.shown.map(([, colour]) => colour), [0, 1, 2, 3, 4, 4]);
});

test("vp9 is preferred, vp8 taken, and neither is an error", async () => {
  const both = makeBrowser({ types: ["video/webm;codecs=vp8", "video/webm;codecs=vp9"] });
  await recordWebm(film(), both);
  assert.equal(both.recorders[0].options.mimeType, "video/webm;codecs=vp9");

  const old = makeBrowser({ types: ["video/webm;codecs=vp8"] });
  assert.equal((await recordWebm(film(), old)).type, "video/webm;codecs=vp8");

  await assert.rejects(recordWebm(film(), makeBrowser({ types: [] })), /cannot record WebM/);
  await assert.rejects(recordWebm(film(), { ...makeBrowser(), MediaRecorder: undefined }), /cannot record WebM/);
  assert.equal(isWebmSupported(), false, "node cannot");
});

const recordings = [
  ["GIF", (options) => recordGif(options, { createCanvas: makeCanvas }), () => {}],
  ["WebM", (options, browser) => recordWebm(options, browser), isCleanedUp],
];
for (const [name, record, check] of recordings) {
  test(`a ${name} stops at an abort between frames`, async () => {
    const browser = makeBrowser();
    const counted = makeSignal();
    const drawn = [];
    const drawFrame = async (k) => drawn.push(k);
    const onProgress = (done) => done === 2 && counted.abort();

    await assert.rejects(record(film({ drawFrame, onProgress, signal: counted.signal }), browser), { name: "AbortError" });

    assert.ok(drawn.length <= 3, `${drawn} were drawn`);
    assert.equal(counted.listeners, 0);
    check(browser);
  });

  test(`a ${name} stops at an abort while a frame never comes`, async () => {
    const browser = makeBrowser();
    const counted = makeSignal();
    const drawFrame = () => {
      counted.abort();
      return new Promise(() => {});
    };

    await assert.rejects(record(film({ drawFrame, signal: counted.signal }), browser), { name: "AbortError" });
    check(browser);
  });

  test(`a ${name} does not begin when it is cancelled already`, async () => {
    const browser = makeBrowser();
    const options = film({ drawFrame: () => assert.fail("nothing is drawn"), signal: AbortSignal.abort() });

    await assert.rejects(record(options, browser), { name: "AbortError" });
    assert.equal(browser.recorders.length, 0);
  });

  test(`an error of drawing ends a ${name}`, async () => {
    const browser = makeBrowser();
    const counted = makeSignal();
    const drawFrame = async (k) => {
      if (k === 3) throw new Error("round 3 is damaged");
    };

    await assert.rejects(record(film({ drawFrame, signal: counted.signal }), browser), /round 3 is damaged/);
    assert.equal(counted.listeners, 0);
    check(browser);
  });

  test(`a ${name} of no frames, no time or no size is an error`, async () => {
    for (const frames of [0, -1, 1.5, undefined]) await assert.rejects(record(film({ frames }), makeBrowser()), RangeError);
    for (const delayMs of [0, NaN, Infinity]) await assert.rejects(record(film({ delayMs }), makeBrowser()), RangeError);
    for (const width of [0, 1.5, 70_000]) await assert.rejects(record(film({ width }), makeBrowser()), RangeError);
  });

  test(`a ${name} needs neither progress nor signal`, async () => {
    assert.ok((await record(film(), makeBrowser())).size > 0);
  });
}

test("an abort while the recorder never finishes ends it", async () => {
  const browser = makeBrowser();
  const counted = makeSignal();
  browser.MediaRecorder.prototype.stop = function stop() {
    this.state = "inactive";
    queueMicrotask(counted.abort);
  };

  await assert.rejects(recordWebm(film({ signal: counted.signal }), browser), { name: "AbortError" });
  isCleanedUp(browser);
});

test("an error of the recorder is the recording's error", async () => {
  const onShow = (browser) => {
    if (browser.shown.length === 3) browser.recorders[0].onerror({ error: new DOMException("no encoder", "UnknownError") });
  };
  const browser = makeBrowser({ onShow });

  await assert.rejects(recordWebm(film(), browser), { name: "UnknownError", message: "no encoder" });
  assert.ok(browser.shown.length < 6);
  isCleanedUp(browser);
});

test("a recorder that cannot be made or started leaves nothing running", async () => {
  for (const method of ["constructor", "start"]) {
    const browser = makeBrowser();
    const refuse = () => {
      throw new DOMException("refused", "NotSupportedError");
    };
    if (method === "start") browser.MediaRecorder.prototype.start = refuse;
    else browser.MediaRecorder = Object.assign(function Recorder() { refuse(); }, { isTypeSupported: () => true });

    await assert.rejects(recordWebm(film(), browser), { name: "NotSupportedError" });
    isCleanedUp(browser);
  }
});

test("a recorder that stops by itself, a hidden tab and an empty film are errors, not shorter films", async () => {
  const third = (change) => (browser) => browser.shown.length === 3 && change(browser);

  const stopping = makeBrowser({ onShow: third((browser) => browser.recorders[0].stop()) });
  await assert.rejects(recordWebm(film(), stopping), /stopped recording before/);
  isCleanedUp(stopping);

  const hiding = makeBrowser({ onShow: third((browser) => (browser.hidden = true)) });
  await assert.rejects(recordWebm(film(), hiding), /tab was hidden/);
  assert.equal(hiding.shown.length, 3);
  isCleanedUp(hiding);

  const empty = makeBrowser({ bytes: 0 });
  await assert.rejects(recordWebm(film(), empty), /empty film/);
  isCleanedUp(empty);
});
