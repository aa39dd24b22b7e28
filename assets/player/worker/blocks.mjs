// Free GPUs by node, and how fragmented they are (FGD, ATC 2023, for whole GPUs).

/** Free GPUs of each node size band: for bands = [{ first_gpu, count, gpus_per_node }] whose nodes are known.
 * Returns { free, largestBlock, freeOfNodes } or null where no node is known or none holds more than one GPU. */
export function freeBlocks(ids, bands) {
  if (!bands.every((band) => band.gpus_per_node) || !bands.some((band) => band.gpus_per_node > 1)) return null;
  const freeOfNodes = [];
  let free = 0;
  for (const { first_gpu: first, count, gpus_per_node: size } of bands) {
    for (let start = 0; start < count; start += size) {
      const end = Math.min(start + size, count);
      let idle = 0;
      for (let i = start; i < end; i += 1) idle += ids[first + i] === 0 ? 1 : 0;
      freeOfNodes.push(idle);
      free += idle;
    }
  }
  return { free, largestBlock: freeOfNodes.reduce((a, b) => Math.max(a, b), 0), freeOfNodes };
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
export function fragmentedGpus(freeOfNodes, popularity) {
  let sum = 0;
  const nodesByFree = new Map();
  for (const free of freeOfNodes) nodesByFree.set(free, (nodesByFree.get(free) ?? 0) + 1);
  nodesByFree.forEach((nodes, free) => {
    popularity.forEach((share, factor) => {
      if (factor > free) sum += nodes * share * free;
    });
  });
  return sum;
}
