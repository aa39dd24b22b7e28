// What the player shows, as JSON and CSV: one slot per run on screen.

const QUARTERS = 4;
const CSV_COLUMNS = [
  "run",
  "round_index",
  "round",
  "sim_time_h",
  "gpu",
  "gpu_type",
  "gpu_of_type",
  "node",
  "job_id",
  "quarter",
  "job_type",
  "category",
  "scale_factor",
];

// First characters that make a spreadsheet treat a text cell as a formula, as in gavel_dash/formats/table_csv.py.
const FORMULA_START = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** The slots as JSON: what `gavel-dash round` prints, with the run, the record index and the tiles. */
export function stateAsJson(slots) {
  const runs = slots.map((slot) => ({
    run: slot.run,
    round_index: slot.index,
    round: slot.roundNumber,
    sim_time_s: slot.simTimeS,
    gpu_types: slot.gpuTypes.map(({ name, firstGpu, count }) => ({ name, first_gpu: firstGpu, count })),
    allocation: slot.allocation,
    queue: slot.queue,
    has_allocation: slot.hasAllocation,
    ...(Object.keys(slot.sharing).length > 0 ? { sharing: slot.sharing } : {}),
    tiles: slot.tiles,
  }));
  return JSON.stringify(runs.length === 1 ? runs[0] : { runs });
}

/**
 * The slots as CSV: one row per GPU, four where it is shared. An empty job_id is an idle GPU; where the file does not
 * say who holds the GPUs it reads "unknown".
 */
export function stateAsCsv(slots) {
  const rows = [CSV_COLUMNS];
  for (const slot of slots) {
    const head = [slot.run, slot.index, slot.roundNumber, slot.simTimeS / 3600];
    for (const { name, firstGpu, count, gpusPerNode } of slot.gpuTypes) {
      for (let gpuOfType = 0; gpuOfType < count; gpuOfType += 1) {
        const gpu = firstGpu + gpuOfType;
        const node = gpusPerNode === null ? null : Math.floor(gpuOfType / gpusPerNode);
        const place = [...head, gpu, name, gpuOfType, node];
        if (!slot.hasAllocation) rows.push([...place, "unknown", null, null, null, null]);
        else rows.push(...tenantsOf(slot, gpu).map((tenant) => [...place, ...tenant]));
      }
    }
  }
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/** The cells from job_id on: one row, or one for each quarter. */
function tenantsOf(slot, gpu) {
  const tenant = (jobId, quarter) => {
    const job = slot.jobs.get(jobId);
    return [jobId, quarter, job?.jobType, job?.category, job?.scaleFactor];
  };
  const quarters = slot.sharing[gpu];
  if (!quarters) return [tenant(slot.allocation[gpu], null)];
  return Array.from({ length: QUARTERS }, (_, quarter) => tenant(quarters[quarter], quarter));
}

function csvCell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  if (value === null || value === undefined) return "";
  const text = `${FORMULA_START.test(value) ? "'" : ""}${value}`.replace(/\r\n?/g, "\n");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
