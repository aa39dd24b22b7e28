// Where the bytes of a run come from: the app's server, a static host or a file of the user's.
// All positions are those in the unpacked .viz.bin file.

// The server refuses longer answers; no source gains from them.
const MOST_BYTES_A_READ = 8 * 2 ** 20;

/** What the three have in common; each brings `fetchBytes(start, stop, signal)`. */
class ByteSource {
  bytesFetched = 0;
  requests = 0;

  constructor(size) {
    this.size = size;
  }

  /** Exactly the bytes from `start` up to, not including, `stop`: a Uint8Array, or an Error. */
  async read(start, stop, signal) {
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(stop) && 0 <= start && start <= stop && stop <= this.size)) {
      throw new RangeError(`expected a read inside the ${this.size} bytes, found ${start} to ${stop}`);
    }
    if (start === stop) return new Uint8Array(0);
    if (stop - start <= MOST_BYTES_A_READ) return this.#readPiece(start, stop, signal);
    const whole = new Uint8Array(stop - start);
    for (let at = start; at < stop; at += MOST_BYTES_A_READ) {
      whole.set(await this.#readPiece(at, Math.min(at + MOST_BYTES_A_READ, stop), signal), at - start);
    }
    return whole;
  }

  async #readPiece(start, stop, signal) {
    this.requests += 1;
    const bytes = await this.fetchBytes(start, stop, signal);
    this.bytesFetched += bytes.length;
    if (bytes.length !== stop - start) {
      throw new Error(`expected ${stop - start} bytes from byte ${start} on, found ${bytes.length}`);
    }
    return bytes;
  }
}

/** A run of the app's own server. `version` names its content, so that answers can be cached for good. */
export class ServerSource extends ByteSource {
  #url;

  constructor({ base, version, size }) {
    super(size);
    this.#url = `${base}/viz/${version}`;
  }

  fetchBytes(start, stop, signal) {
    const url = `${this.#url}/${start}-${stop}`;
    return get(url, { signal }, async (response) => {
      if (response.status !== 200) throw new Error(`${url}: ${await reason(response)}`);
      return new Uint8Array(await response.arrayBuffer());
    });
  }
}

/** A .viz.bin file on a static host that answers range requests. */
export class RangeSource extends ByteSource {
  #url;

  constructor(url, size) {
    super(size);
    this.#url = url;
  }

  /** Ask the host for the file's size; an Error where it does not answer ranges. */
  static async open(url, signal) {
    const { size } = await getRange(url, 0, 1, signal);
    return new RangeSource(url, size);
  }

  async fetchBytes(start, stop, signal) {
    const { bytes, size } = await getRange(this.#url, start, stop, signal);
    if (size !== this.size) throw new Error(`${this.#url} has changed: expected ${this.size} bytes in all, found ${size}`);
    return bytes;
  }
}

/** A File or Blob of the browser. */
export class FileSource extends ByteSource {
  #file;

  constructor(file) {
    super(file.size);
    this.#file = file;
  }

  async fetchBytes(start, stop, signal) {
    signal?.throwIfAborted();
    const buffer = await this.#file.slice(start, stop).arrayBuffer();
    signal?.throwIfAborted();
    return new Uint8Array(buffer);
  }
}

/** Fetch `url` and hand the answer to `read`. No connection is an Error that says which; an abort stays one. */
async function get(url, init, read) {
  try {
    return await read(await fetch(url, init));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error(`cannot load ${url}: ${error.cause?.message ?? error.message}`, { cause: error });
  }
}

/** Bytes `start` to `stop` of `url`, and the size of the whole. */
function getRange(url, start, stop, signal) {
  const range = `bytes=${start}-${stop - 1}`;
  return get(url, { headers: { Range: range }, signal }, async (response) => {
    if (response.status === 200) {
      await response.body?.cancel(); // the whole file, perhaps gigabytes, for every read
      throw new Error(`${url}: the host ignores range requests: expected status 206 for ${range}, found 200`);
    }
    if (response.status !== 206) throw new Error(`${url}: expected status 206, found ${await reason(response)}`);
    const found = response.headers.get("Content-Range");
    const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(found ?? "")?.map(Number) ?? [];
    // Past the end of a file that shrank a host answers with fewer bytes; the caller says so by the size.
    if (first !== start || !(last < stop)) {
      await response.body?.cancel();
      throw new Error(`${url}: expected a Content-Range for ${range} and with the size, found ${found ?? "none"}`);
    }
    return { bytes: new Uint8Array(await response.arrayBuffer()), size };
  });
}

/** Status and, where the answer is a short text, what it says. */
async function reason(response) {
  const text = (await response.text()).trim();
  return `${response.status} ${text.slice(0, 300) || response.statusText}`;
}
