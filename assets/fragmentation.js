/* The Fragmentation page: work in slices, zoom that refines, the address. */
(function () {
  "use strict";

  const WAIT_MS = 250;
  let pending = null;

  function setIfThere(id, value) {
    if (document.getElementById("fragmentation-figure")) {
      window.dash_clientside.set_props(id, { data: value });
    }
  }

  /* Ask for the next slice of work; leaving the page ends it. The count makes each request another one. */
  let slices = 0;

  function goOn(progress) {
    if (progress && progress.done < progress.total) {
      slices += 1;
      setTimeout(() => setIfThere("fragmentation-tick", slices), 0);
    }
    return window.dash_clientside.no_update;
  }

  /* The range in view, when it has been at rest for a moment: the server then sends the part again, finer. */
  function follow(relayout) {
    if (relayout) {
      const low = relayout["xaxis.range[0]"], high = relayout["xaxis.range[1]"];
      if (low !== undefined && high !== undefined) {
        clearTimeout(pending);
        const range = [low, high].map((hour) => Number(hour.toPrecision(7)));
        const view = atWhole(low, high) ? null : { range: range, drawn: true };
        pending = setTimeout(() => setIfThere("fragmentation-view", view), WAIT_MS);
      } else if (relayout["xaxis.autorange"]) {
        clearTimeout(pending);
        setIfThere("fragmentation-view", null);
      }
    }
    return window.dash_clientside.no_update;
  }

  function atWhole(low, high) {
    const graph = document.querySelector("#fragmentation-figure .js-plotly-plot");
    const axis = graph && graph._fullLayout && graph._fullLayout.xaxis;
    return Boolean(axis) && low <= axis.minallowed && high >= axis.maxallowed / 1.002;
  }

  /* The hour that was clicked. */
  function pick(click) {
    const point = click && click.points && click.points[0];
    if (!point) {
      return window.dash_clientside.no_update;
    }
    window.dash_clientside.shell.afterSingleClick(() => setIfThere("fragmentation-picked", point.x));
    return null;
  }

  /* Node sizes that the address names come first, and are shown in the fields like any other. */
  function adoptNodes(asked, remembered) {
    if (!asked || !Object.keys(asked).length) {
      return window.dash_clientside.no_update;
    }
    return Object.assign({}, remembered, asked);
  }

  function showTab(tab) {
    setTimeout(() => window.dispatchEvent(new Event("resize")), 0); // a chart drawn while hidden has no width
    return [tab !== "time", tab !== "time", tab !== "time", tab !== "sweep", tab !== "sweep"];
  }

  function openPoint(click) {
    const noUpdate = window.dash_clientside.no_update;
    const run = click && click.points.length && click.points[0].customdata;
    return run ? [[run], "time", null] : [noUpdate, noUpdate, noUpdate];
  }

  const DEFAULTS = { tab: "time", split: "none", by: "rate", measure: "fragmentation_rate" };

  function writeUrl(runs, cursor, view, sizes, tab, split, of, size, by, measure) {
    const said = { tab: tab, split: split, by: by, measure: measure };
    Object.keys(said).forEach((key) => { said[key] = said[key] === DEFAULTS[key] ? null : said[key]; });
    const nodes = Object.entries(sizes || {}).filter(([, n]) => n).sort().map(([type, n]) => `${type}:${n}`).join(",");
    const first = runs && runs.length ? runs[0] : null;
    const [from, to] = view ? view.range : [null, null];
    return window.dash_clientside.shell.writeQuery("/fragmentation", Object.assign(said, {
      run: runs || [], round: cursor, nodes: nodes || null, of: of === first ? null : of, size: size || null,
      from: from, to: to,
    }));
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    fragmentation: {
      goOn: goOn, follow: follow, pick: pick, adoptNodes: adoptNodes, showTab: showTab, openPoint: openPoint, writeUrl: writeUrl,
    },
  });
})();
