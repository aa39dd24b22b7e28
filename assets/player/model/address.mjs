// The page's state in its address: what a link restores.

import { ALIGNMENTS } from "./timeline.mjs";
import { SPEEDS } from "../controller/clock.mjs";

const numbers = (text, n) => {
  const values = (text ?? "").split(",").map(Number);
  return values.length === n && values.every(Number.isFinite) ? values : null;
};

const MOST_PER_NODE = 65_535;

/** Node sizes as "k80:4,v100:8" spells them: Map(type -> GPUs per node); as gavel_dash/pages/node_sizes.py reads them. */
export function parseNodeSizes(text) {
  const sizes = new Map();
  for (const part of text.split(",")) {
    const [, name, size] = /^(.+):(\d{1,5})$/.exec(part) ?? [];
    if (size > 0 && size <= MOST_PER_NODE) sizes.set(name, Number(size));
  }
  return sizes;
}

/** [type, GPUs per node] as an address spells them, sorted by type. */
export function formatNodeSizes(sizes) {
  return [...sizes].filter(([, size]) => size).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, size]) => `${name}:${size}`).join(",");
}

/** State from a query string; what is missing or makes no sense is the default. */
export function readAddress(search) {
  const query = new URLSearchParams(search);
  const speed = Number(query.get("speed"));
  const job = query.get("job");
  const range = numbers(query.get("range"), 2);
  const zoom = numbers(query.get("zoom"), 4);
  const loop = numbers(query.get("loop"), 2);
  const detail = query.get("detail");
  const hide = query.get("hide") ?? "";
  return {
    speed: SPEEDS.includes(speed) ? speed : 1,
    align: ALIGNMENTS.includes(query.get("align")) ? query.get("align") : "time",
    detail: ["gpus", "nodes"].includes(detail) ? detail : "auto",
    selectedJob: job !== null && /^\d+$/.test(job) ? Number(job) : null,
    difference: query.get("difference") === "1",
    flash: query.get("flash") === "1",
    hidden: /^\d+(,\d+)*$/.test(hide) ? hide.split(",").map(Number) : [],
    loop: loop !== null && loop.every(Number.isInteger) && loop[0] >= 0 && loop[0] <= loop[1] ? loop : null,
    range: range !== null && range[0] >= 0 && range[0] < range[1] ? range : null,
    zoom: zoom !== null && zoom[0] < zoom[1] && zoom[2] < zoom[3] ? zoom : null,
    nodeSizes: parseNodeSizes(query.get("nodes") ?? ""),
    files: query.getAll("file"),
  };
}

/** The query of a state: values by key, null where the default need not be written. */
export function writeAddress({ runs, files, index, speed, color, align, detail, selectedJob, difference, flash, hidden, loop, range, zoom, nodeSizes }) {
  const list = (values, digits = 0) => values.map((value) => Number(value.toFixed(digits))).join(",");
  return {
    run: runs,
    file: files,
    round: index,
    speed: speed === 1 ? null : speed,
    color: color === "category" ? null : color,
    align: align === "time" ? null : align,
    detail: detail === "auto" ? null : detail,
    job: selectedJob,
    difference: difference ? 1 : null,
    flash: flash ? 1 : null,
    hide: hidden.length ? hidden.join(",") : null,
    loop: loop === null ? null : list(loop),
    range: range === null ? null : list(range),
    zoom: zoom === null ? null : list(zoom, 2),
    nodes: formatNodeSizes(nodeSizes) || null,
  };
}
