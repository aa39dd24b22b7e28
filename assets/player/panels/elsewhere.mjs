// Links to the pages that look at the same runs, at the round on screen.

import { byId, setProps } from "./dom.mjs";

const PAGES = ["telemetry", "jobs", "fragmentation"];

/** Address of the runs of the sweep on another page, at the record of the first; null where none is of the sweep. */
export function hrefElsewhere(page, shown) {
  const runs = shown.filter(({ run }) => run.base !== null);
  if (runs.length === 0) return null;
  const query = new URLSearchParams(runs.map(({ run }) => ["run", run.name]));
  query.set("round", runs[0].painted.index);
  return `/${page}?${query}`;
}

export function linkElsewhere(shown) {
  byId("cluster-elsewhere").hidden = hrefElsewhere("", shown) === null;
  for (const page of PAGES) {
    const href = hrefElsewhere(page, shown);
    if (href !== null) setProps(`cluster-to-${page}`, { href });
  }
}
