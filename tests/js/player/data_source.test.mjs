// The three byte sources; the two of HTTP against real servers on this machine.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test from "node:test";

import { FileSource, RangeSource, ServerSource } from "../../../assets/player/source/data_source.mjs";

const MIB = 2 ** 20;
const BYTES = Uint8Array.from({ length: 1000 }, (_, k) => k % 251);

/** A server for the length of a test; `answer(request, response)`. Returns its address. */
async function serve(t, answer) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Answers ranges of `bytes` as a static host does. */
function rangeHost(bytes) {
  return (request, response) => {
    const [, start, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range).map(Number);
    const part = bytes.subarray(start, last + 1);
    response.writeHead(206, { "Content-Range": `bytes ${start}-${start + part.length - 1}/${bytes.length}` });
    response.end(part);
  };
}

test("the app's server is asked for start-stop of a version", async (t) => {
  const asked = [];
  const base = await serve(t, (request, response) => {
    asked.push(request.url);
    response.end(BYTES.subarray(10, 20));
  });
  const source = new ServerSource({ base: `${base}/api/runs/a b`, version: "0f", size: 1000 });

  assert.deepEqual(await source.read(10, 20), BYTES.slice(10, 20));
  assert.deepEqual(asked, ["/api/runs/a%20b/viz/0f/10-20"]);
  assert.deepEqual([source.size, source.bytesFetched, source.requests], [1000, 10, 1]);
});

test("a read above 8 MiB is split", async (t) => {
  const size = 17 * MIB;
  const asked = [];
  const base = await serve(t, (request, response) => {
    const [start, stop] = request.url.split("/").at(-1).split("-").map(Number);
    asked.push([start, stop]);
    response.end(new Uint8Array(stop - start).fill(asked.length));
  });
  const source = new ServerSource({ base, version: "0", size });
  const bytes = await source.read(5, size);

  assert.deepEqual(asked, [[5, 8 * MIB + 5], [8 * MIB + 5, 16 * MIB + 5], [16 * MIB + 5, size]]);
  assert.deepEqual([bytes.length, bytes[0], bytes[8 * MIB], bytes.at(-1)], [size - 5, 1, 2, 3]);
  assert.deepEqual([source.bytesFetched, source.requests], [size - 5, 3]);
});

test("a refusal carries the server's words, a wrong length both lengths, no server its address", async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url.includes("gone")) response.writeHead(404);
    response.end("run is gone");
  });

  await assert.rejects(new ServerSource({ base, version: "gone", size: 99 }).read(0, 9), /\/viz\/gone\/0-9: 404 run is gone/);
  await assert.rejects(new ServerSource({ base, version: "here", size: 99 }).read(3, 9), /expected 6 bytes from byte 3 on, found 11/);
  const nobody = new ServerSource({ base: "http://127.0.0.1:1", version: "0", size: 9 });
  await assert.rejects(nobody.read(0, 9), /cannot load http:\/\/127.0.0.1:1\/viz\/0\/0-9: /);
});

test("a connection that breaks off is an error", async (t) => {
  const base = await serve(t, (_, response) => {
    response.writeHead(200, { "Content-Length": 9 });
    response.write("half", () => response.destroy());
  });

  await assert.rejects(new ServerSource({ base, version: "0", size: 9 }).read(0, 9), /cannot load http.*0-9: /);
});

test("a static host that answers ranges is read by ranges", async (t) => {
  const base = await serve(t, rangeHost(BYTES));
  const source = await RangeSource.open(`${base}/run.viz.bin`);

  assert.equal(source.size, 1000);
  assert.deepEqual(await source.read(990, 1000), BYTES.slice(990));
  assert.deepEqual([source.bytesFetched, source.requests], [10, 1]);
});

test("a host that ignores ranges is an error, and its file is not downloaded", async (t) => {
  const { promise: closed, resolve } = withResolvers();
  let finished = false;
  const base = await serve(t, (_, response) => {
    response.on("finish", () => (finished = true));
    response.on("close", resolve);
    const more = () => !response.destroyed && response.write(new Uint8Array(MIB), more); // a file without an end
    more();
  });

  await assert.rejects(RangeSource.open(`${base}/run.viz.bin`), /ignores range requests.*expected status 206/);
  await closed;
  assert.equal(finished, false);
});

test("what such a host sends is let go at once", async (t) => {
  let isCancelled = false;
  const body = new ReadableStream({ cancel: () => void (isCancelled = true) });
  t.mock.method(globalThis, "fetch", async () => new Response(body));

  await assert.rejects(RangeSource.open("http://host/run.viz.bin"), /ignores range requests/);
  assert.ok(isCancelled);
});

test("a host that hides the size, answers another range or has no file is an error", async (t) => {
  const answers = {
    hidden: [206, {}],
    other: [206, { "Content-Range": "bytes 5-5/1000" }],
    more: [206, { "Content-Range": "bytes 0-9/1000" }],
    unknown: [206, { "Content-Range": "bytes 0-0/*" }],
    missing: [404, {}],
  };
  const base = await serve(t, (request, response) => {
    response.writeHead(...answers[request.url.slice(1)]);
    response.end("x");
  });
  for (const kind of ["hidden", "other", "more", "unknown"]) {
    await assert.rejects(RangeSource.open(`${base}/${kind}`), /expected a Content-Range for bytes=0-0/, kind);
  }
  await assert.rejects(RangeSource.open(`${base}/missing`), /expected status 206, found 404 x/);
});

test("a file that changed on its host is an error", async (t) => {
  let bytes = BYTES;
  const base = await serve(t, (request, response) => rangeHost(bytes)(request, response));
  const source = await RangeSource.open(base);
  bytes = BYTES.subarray(0, 995);

  await assert.rejects(source.read(990, 1000), /has changed: expected 1000 bytes in all, found 995/);
});

test("a file of the user's is read in slices", async () => {
  const source = new FileSource(new Blob([BYTES]));

  assert.deepEqual(await source.read(100, 300), BYTES.slice(100, 300));
  assert.deepEqual([source.size, source.bytesFetched, source.requests], [1000, 200, 1]);
  assert.deepEqual([(await source.read(7, 7)).length, source.requests], [0, 1]);
});

test("a read outside the file is an error at once", async () => {
  const source = new FileSource(new Blob([BYTES]));
  for (const [start, stop] of [[-1, 5], [5, 4], [0, 1001], [0.5, 2], [0, NaN]]) {
    await assert.rejects(source.read(start, stop), RangeError);
  }
});

test("an aborted read is an AbortError", async (t) => {
  const { promise: asked, resolve } = withResolvers();
  const base = await serve(t, resolve); // and never answers
  const server = new AbortController();
  const reading = new ServerSource({ base, version: "0", size: 9 }).read(0, 9, server.signal);
  await asked;
  server.abort();
  await assert.rejects(reading, { name: "AbortError" });

  const file = new AbortController();
  const slicing = new FileSource(new Blob([BYTES])).read(0, 9, file.signal);
  file.abort();
  await assert.rejects(slicing, { name: "AbortError" });
});

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve) => (parts.resolve = resolve));
  return parts;
}
