// Which order of GPU types the allocation array follows: gavel_dash/formats/vizbin_order.py, which says why, again.

const SAMPLE_ROUNDS = 512;
const ENOUGH = 0.9;
const CLEARLY_BETTER = 0.1;
const MOST_TYPES_PERMUTED = 6; // 720 orders; beyond, only the sorted and the reversed order are tried

/**
 * Test the config's order of GPU types and take another only where it agrees clearly better.
 * `usedRows`: per round, GPUs in use per type in config order; `busyRows`: per round, per GPU, 0 where idle.
 * order[b] is the position in the config of the type of block b; `decided` is false where no order agrees.
 */
export function decideTypeOrder(gpuTypes, usedRows, busyRows) {
  const configOrder = gpuTypes.map((_, t) => t);
  const nGpus = gpuTypes.reduce((gpus, { count }) => gpus + count, 0);
  const totals = usedRows.map((used) => used.reduce((sum, gpus) => sum + gpus, 0));
  const candidates = [...totals.keys()].filter((i) => totals[i] > 0 && totals[i] < nGpus);
  const settled = { order: configOrder, roundsTested: 0, configAgreement: 1, agreement: 1, decided: true };
  if (gpuTypes.length < 2 || candidates.length === 0) return settled;

  const sample = evenlySpaced(candidates.length, SAMPLE_ROUNDS).map((k) => candidates[k]);
  const busyBefore = sample.map((i) => runningCount(busyRows[i]));
  const visible = busyBefore.map((before) => before[nGpus]);
  // Rounds in which the totals differ (an invisible job 0, GPUs counted although idle) say nothing about order.
  const usable = [...sample.keys()].filter((k) => visible[k] === totals[sample[k]]);
  if (usable.length === 0) {
    const decided = !visible.some((gpus) => gpus > 0);
    return { ...settled, roundsTested: sample.length, configAgreement: 0, agreement: 0, decided };
  }
  const orders = ordersToTry(gpuTypes);
  const agreeing = orders.map((order) => usable.map((k) => agrees(gpuTypes, order, usedRows[sample[k]], busyBefore[k])));
  const telling = [...usable.keys()].filter((k) => !agreeing.every((row) => row[k]));
  if (telling.length === 0) return settled;
  const shares = agreeing.map((row) => telling.filter((k) => row[k]).length / telling.length);
  let best = shares.indexOf(Math.max(...shares)); // the first of equals: config, then sorted by name
  if (shares[best] < ENOUGH || shares[best] < shares[0] + CLEARLY_BETTER) best = 0;
  return {
    order: orders[best],
    roundsTested: telling.length,
    configAgreement: shares[0],
    agreement: shares[best],
    decided: shares[best] >= ENOUGH,
  };
}

/** At most `most` of the positions 0 .. n - 1, evenly spaced, first and last among them. */
export function evenlySpaced(n, most) {
  const count = Math.min(n, most);
  if (count < 2) return count === 1 ? [0] : [];
  const step = (n - 1) / (count - 1);
  return Array.from({ length: count }, (_, k) => (k === count - 1 ? n - 1 : Math.floor(k * step)));
}

/** before[g] of the result: GPUs busy among the first g. */
function runningCount(busy) {
  const before = new Uint32Array(busy.length + 1);
  for (let gpu = 0; gpu < busy.length; gpu += 1) before[gpu + 1] = before[gpu] + (busy[gpu] === 0 ? 0 : 1);
  return before;
}

/** Whether each block of `order` has as many busy GPUs as `used` (in config order) says. */
function agrees(gpuTypes, order, used, busyBefore) {
  let first = 0;
  for (const t of order) {
    const stop = first + gpuTypes[t].count;
    if (busyBefore[stop] - busyBefore[first] !== used[t]) return false;
    first = stop;
  }
  return true;
}

/** The config's order, sorted by name, then the others, each once. */
function ordersToTry(gpuTypes) {
  const configOrder = gpuTypes.map((_, t) => t);
  const byName = configOrder.toSorted((a, b) => Number(gpuTypes[a].name > gpuTypes[b].name) - Number(gpuTypes[a].name < gpuTypes[b].name));
  const others = gpuTypes.length <= MOST_TYPES_PERMUTED ? permutations(configOrder) : [configOrder.toReversed()];
  return [...new Map([configOrder, byName, ...others].map((order) => [order.join(), order])).values()];
}

function permutations(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item, k) => permutations(items.toSpliced(k, 1)).map((rest) => [item, ...rest]));
}
