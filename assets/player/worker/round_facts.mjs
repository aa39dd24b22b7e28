// Who came and who moved in a round.

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
