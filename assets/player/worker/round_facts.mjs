// What a round says beyond its colours: free blocks, fragmentation, and who came or moved.

import { fragmentedGpus, freeBlocks } from "./blocks.mjs";

/** Largest free block and fragmented GPUs of a round; null where nodes or holders are not known. */
export function blockFacts(ids, bands, hasAllocation, popularity) {
  const blocks = hasAllocation ? freeBlocks(ids, bands) : null;
  if (blocks === null) return null;
  const { free, largestBlock, freeOfNodes } = blocks;
  return { free, largestBlock, fragmented: popularity.size ? fragmentedGpus(freeOfNodes, popularity) : null };
}

/** GPUs that changed hands since the round before: { started, migrated } as lists of GPUs. A job that held GPUs in the
 * round before and holds another one now has migrated there; any other has started. `before` null: not known. */
export function changesOf(ids, before) {
  if (before === null) return null;
  const held = new Set(before);
  const started = [];
  const migrated = [];
  for (let gpu = 0; gpu < ids.length; gpu += 1) {
    if (ids[gpu] !== 0 && ids[gpu] !== before[gpu]) (held.has(ids[gpu]) ? migrated : started).push(gpu);
  }
  return { started, migrated };
}
