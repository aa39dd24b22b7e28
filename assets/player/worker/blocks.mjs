// Free GPUs by node, how fragmented they are (FGD, ATC 2023, for whole GPUs), and which waiting jobs they could hold:
// the rules of gavel_dash/analysis/fragmentation.py and blocked_demand.py.

/** What stands in the way of a waiting job, from nothing to everything. */
export const REASONS = ["could start", "scattered", "no GPUs"];

/** Whether a job must find its GPUs on one of several-GPU nodes. `size`: GPUs per node, null where it is not known. */
export const isConstrained = (size) => size !== null && size > 1;

/** Stored ids with 0 on idle GPUs alone: of a GPU in quarters one tenant is enough to be busy. */
function busyIds(ids, sharing) {
  if (sharing.length === 0) return ids;
  const busy = ids.slice();
  for (const { gpu, storedIds } of sharing) busy[gpu] = storedIds.find((id) => id !== 0) ?? 0;
  return busy;
}

/** Free GPUs of each node of a band, in order; the last node may be smaller. Calls `each(free, size, firstGpu)`. */
function forEachNode(busy, { first_gpu: first, count, gpus_per_node: size }, each) {
  for (let start = 0; start < count; start += size) {
    const n = Math.min(size, count - start);
    let free = 0;
    for (let gpu = first + start; gpu < first + start + n; gpu += 1) free += busy[gpu] === 0 ? 1 : 0;
    each(free, n, first + start);
  }
}

/**
 * Free GPUs of a round. `isKnown`: whether the file says which GPUs are busy; else only the simulator's count holds.
 * bands: [{ first_gpu, count, gpus_per_node }]; gpusUsed by band; popularity: see popularityOf.
 *
 * Returns { isKnown, knowsNodes (every node size is known), types, gpus, free, fragmented }. types, by band: { free, size (null: nothing constrains), count,
 * nNodes, largestBlock, occupiedNodes, nodesByFree: [[free GPUs, nodes], ...] ascending }; the last three are null
 * where they are not known. gpus, free and fragmented are sums over the constrained types, fragmented null where
 * it is not known.
 */
export function nodeFacts({ ids, sharing, bands, isKnown, gpusUsed, popularity }) {
  const busy = isKnown ? busyIds(ids, sharing) : null;
  const types = bands.map((band, t) => typeFacts(busy, band, gpusUsed[t] ?? 0));
  const constrained = types.filter(({ size }) => size !== null);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const canFragment = isKnown && constrained.length > 0 && popularity.size > 0;
  return {
    isKnown, types,
    knowsNodes: bands.every(({ gpus_per_node: size }) => size !== null),
    gpus: sum(constrained.map(({ count }) => count)),
    free: sum(constrained.map(({ free }) => free)),
    fragmented: canFragment ? sum(constrained.map(({ nodesByFree }) => fragmentedGpus(nodesByFree, popularity))) : null,
  };
}

function typeFacts(busy, band, used) {
  const { count, gpus_per_node: size } = band;
  const facts = { count, size: null, nNodes: 0, largestBlock: null, occupiedNodes: null, nodesByFree: null };
  if (isConstrained(size)) Object.assign(facts, { size, nNodes: Math.ceil(count / size) });
  if (busy === null) return { ...facts, free: Math.max(0, count - used) };
  const nodes = new Map();
  let [free, largestBlock, occupiedNodes] = [0, 0, 0];
  forEachNode(busy, facts.size === null ? { ...band, gpus_per_node: Math.max(1, count) } : band, (idle, n) => {
    free += idle;
    largestBlock = Math.max(largestBlock, idle);
    occupiedNodes += idle < n ? 1 : 0;
    nodes.set(idle, (nodes.get(idle) ?? 0) + 1);
  });
  if (facts.size === null) return { ...facts, free };
  return { ...facts, free, largestBlock, occupiedNodes, nodesByFree: [...nodes].sort(([a], [b]) => a - b) };
}

/** Share of each scale factor among jobs: Map(scale factor -> popularity); jobs of unknown size are left out. */
export function popularityOf(scaleFactors) {
  const counts = new Map();
  let known = 0;
  for (const factor of scaleFactors) {
    if (factor > 0) {
      counts.set(factor, (counts.get(factor) ?? 0) + 1);
      known += 1;
    }
  }
  counts.forEach((n, factor) => counts.set(factor, n / known));
  return counts;
}

/** Fragmented GPUs: a node's free GPUs count for every task class that asks for more than the node has free. */
export function fragmentedGpus(nodesByFree, popularity) {
  let sum = 0;
  for (const [free, nodes] of nodesByFree) {
    popularity.forEach((share, factor) => {
      if (factor > free) sum += nodes * share * free;
    });
  }
  return sum;
}

/** Whether a job of `scaleFactor` GPUs needs them on one node of this size. A larger one spans nodes anyway. */
const needsOneNode = (scaleFactor, size) => isConstrained(size) && scaleFactor <= size;

/**
 * What stands in the way of a waiting job: one of REASONS; null where that is not known: the job's size is not, or
 * which GPUs of the only types that have enough are free.
 */
export function reasonOf(scaleFactor, { types, isKnown }) {
  if (!scaleFactor) return null;
  const enough = types.filter(({ free }) => free >= scaleFactor);
  if (enough.length === 0) return "no GPUs";
  if (enough.some(({ size, largestBlock }) => !needsOneNode(scaleFactor, size) || largestBlock >= scaleFactor)) return "could start";
  return isKnown ? "scattered" : null;
}

/** Free GPUs on which a job of `scaleFactor` GPUs could start, on any node or type; none where it is blocked. */
export function fittingGpus(scaleFactor, { ids, sharing, bands }) {
  const busy = busyIds(ids, sharing);
  const fitting = [];
  for (const band of bands) {
    const size = needsOneNode(scaleFactor, band.gpus_per_node) ? band.gpus_per_node : Math.max(1, band.count);
    forEachNode(busy, { ...band, gpus_per_node: size }, (free, n, first) => {
      if (free < scaleFactor) return;
      for (let gpu = first; gpu < first + n; gpu += 1) if (busy[gpu] === 0) fitting.push(gpu);
    });
  }
  return fitting;
}
