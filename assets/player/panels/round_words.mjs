// A round in words, and how numbers are written in them.

export const count = (n) => n.toLocaleString("en-US");
export const hours = (value) => `${value.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} h`;

/** Where in the run the round is: number, time, phase, and its place in the file. */
export function nowLine({ run, painted }) {
  const { head, index } = painted;
  const phase = run.phaseOf(index);
  return `Round ${count(head.round)} · ${hours(head.simTimeS / 3600)}${phase ? ` · ${phase}` : ""} · record ${count(index + 1)} of ${count(run.nRounds)}`;
}

/** What to say where the cells and the simulator's count of GPUs in use do not agree. */
export function differenceNote({ hasAllocation, visible, head }) {
  const used = head.gpusUsed.reduce((a, b) => a + b, 0);
  if (!hasAllocation || visible === used) return "";
  return `The file counts ${count(used)} GPUs in use but names jobs on ${count(visible)}: busy shares follow the count.`;
}
