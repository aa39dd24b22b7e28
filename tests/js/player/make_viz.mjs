// .viz.bin files made byte by byte, and byte sources that can be held, broken and counted.

const align8 = (n) => Math.ceil(n / 8) * 8;

/**
 * A file as other programs write it; ids as stored. types: [[name, count]]; rounds: [{ used, ids, queue, sharing: [[gpu, ids]],
 * running, queued, number, simTimeS, completed }]; jobs: [[id, type, scale, arrival, completion, durationS]].
 * Returns the bytes and where the sections start.
 */
export function makeViz({ types, rounds, jobs = [], jobBytes = 24, version, config = {} }) {
  const nGpus = types.reduce((sum, [, count]) => sum + count, 0);
  const headBytes = 28 + 2 * types.length;
  const roundBytes = align8(headBytes + 4 * nGpus);
  const hasSharing = rounds.some(({ sharing }) => sharing);
  const json = new TextEncoder().encode(
    JSON.stringify({ gpu_types: types.map(([name, count]) => ({ name, count })), ...config }),
  );
  const queueBytes = rounds.map(({ queue = [] }) => 2 + 4 * queue.length);
  const sharingBytes = rounds.map(({ sharing = [] }) => 2 + 18 * sharing.length);
  const total = (lengths) => lengths.reduce((sum, n) => sum + n, 0);
  const at = { config: 256 };
  at.jobs = at.config + align8(json.length);
  at.rounds = at.jobs + align8(jobs.length * jobBytes);
  at.queue = at.rounds + rounds.length * roundBytes;
  at.queueIndex = at.queue + align8(total(queueBytes));
  at.sharing = at.queueIndex + 8 * rounds.length;
  at.sharingIndex = at.sharing + (hasSharing ? align8(total(sharingBytes)) : 0);
  const bytes = new Uint8Array(at.sharingIndex + (hasSharing ? 8 * rounds.length : 0));
  const view = new DataView(bytes.buffer);
  const u16 = (where, ...values) => values.forEach((value, k) => view.setUint16(where + 2 * k, value, true));
  const u32 = (where, ...values) => values.forEach((value, k) => view.setUint32(where + 4 * k, value, true));
  const u64 = (where, ...values) => values.forEach((value, k) => view.setBigUint64(where + 8 * k, BigInt(value), true));
  bytes.set(new TextEncoder().encode("GPUVIZ01"));
  bytes.set(json, at.config);
  u32(8, version ?? (hasSharing ? 2 : 1), rounds.length, jobs.length);
  view.setUint8(20, types.length);
  u16(21, nGpus);
  u64(24, at.jobs, at.rounds, at.queue, at.queueIndex, at.config);
  if (hasSharing) u64(64, at.sharing, at.sharingIndex);
  jobs.forEach(([id, type, scale, arrival, completion, durationS], row) => {
    const job = at.jobs + row * jobBytes;
    u32(job, id);
    u16(job + 4, type);
    view.setUint8(job + 6, scale);
    u32(job + 8, arrival);
    if (jobBytes === 24) {
      u32(job + 12, completion);
      view.setFloat32(job + 16, durationS, true);
    }
  });
  let [queueAt, sharingAt] = [at.queue, at.sharing];
  rounds.forEach(({ used, ids, queue = [], sharing = [], running = 1, queued, number, simTimeS, completed = 0 }, i) => {
    const round = at.rounds + i * roundBytes;
    u32(round, number ?? i);
    view.setFloat32(round + 4, simTimeS ?? 360 * i, true);
    view.setFloat32(round + 8, 0.25, true);
    u16(round + 12, running, queued ?? queue.length);
    u32(round + 16, completed);
    view.setFloat32(round + 20, 100, true);
    view.setFloat32(round + 24, 0.5, true);
    u16(round + 28, ...used);
    u32(round + headBytes, ...ids);
    u64(at.queueIndex + 8 * i, queueAt - at.queue);
    u16(queueAt, queue.length);
    u32(queueAt + 2, ...queue);
    queueAt += queueBytes[i];
    if (!hasSharing) return;
    u64(at.sharingIndex + 8 * i, sharingAt - at.sharing);
    u16(sharingAt, sharing.length);
    sharing.forEach(([gpu, quarters], k) => {
      u16(sharingAt + 2 + 18 * k, gpu);
      u32(sharingAt + 4 + 18 * k, ...quarters);
    });
    sharingAt += sharingBytes[i];
  });
  return { bytes, view, at, roundBytes };
}

/** One type of 3 GPUs, two rounds, two jobs: ids are stored plus one, round 1 has a GPU in quarters. */
export function makeSmall({ jobBytes = 24, version = 2 } = {}) {
  const rounds = [
    { used: [2], ids: [1, 4294967295, 0], queue: [70001], queued: 2, number: 0, completed: 3, sharing: [] },
    { used: [2], ids: [1, 4294967295, 0], queued: 2, number: 10, completed: 3, sharing: [[2, [1, 1, 0, 70001]]] },
  ];
  if (version === 1) rounds.forEach((round) => delete round.sharing);
  const jobs = [1, 4294967295].map((id) => [id, 7, 2, 5, 9, 1440.5]);
  return makeViz({ types: [["k80", 3]], rounds, jobs, jobBytes, config: { policy: "fifo é", job_id_offset: 1 } });
}

/** Bytes in memory as a source. While `held`, reads wait for `release`; while `broken`, they fail. */
export class MemorySource {
  bytesFetched = 0;
  requests = 0;
  reads = [];
  held = false;
  broken = false;
  #waiting = [];

  constructor(bytes) {
    this.bytes = bytes;
    this.size = bytes.length;
  }

  async read(start, stop, signal) {
    this.requests += 1;
    this.reads.push([start, stop]);
    if (this.held) {
      await new Promise((resolve, reject) => {
        this.#waiting.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    }
    if (this.broken) throw new Error("the line is down");
    if (!(start <= stop && stop <= this.size)) throw new RangeError(`${start} to ${stop} of ${this.size}`);
    this.bytesFetched += stop - start;
    return this.bytes.slice(start, stop);
  }

  release() {
    this.held = false;
    this.#waiting.forEach((resolve) => resolve());
    this.#waiting = [];
  }
}
