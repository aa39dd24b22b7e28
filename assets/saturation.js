/* The Saturation page in the browser: what a click meant, stepping through rounds, the controls, and the address. */
(function () {
  "use strict";

  const K_LOWEST = 1.2, K_HIGHEST = 5;  // as the page's control

  const NEAR_PX = 10;

  /* Runs whose points lie within a few pixels of a clicked one, the clicked first, then the nearest. */
  function runsNear(graph, clicked) {
    const layout = graph._fullLayout, traces = graph._fullData;
    const axes = (trace) => [trace.xaxis, trace.yaxis].map((id) => layout[id[0] + "axis" + id.slice(1)]);
    const at = (trace, i) => axes(trace).map((axis, j) => axis.d2p((j ? trace.y : trace.x)[i]));
    const own = traces[clicked.curveNumber];
    const [x, y] = at(own, clicked.pointNumber);
    const near = [];
    for (const trace of traces) {
      if (!trace.visible || !trace.customdata || trace.xaxis !== own.xaxis || trace.yaxis !== own.yaxis) {
        continue;
      }
      Array.from(trace.customdata).forEach((run, i) => {
        const [px, py] = at(trace, i);
        const distance = Math.hypot(px - x, py - y);
        if (typeof run === "string" && distance <= NEAR_PX) {
          near.push({ run: run, distance: run === clicked.customdata ? -1 : distance });
        }
      });
    }
    near.sort((one, other) => one.distance - other.distance);
    return [...new Set(near.map((point) => point.run))];
  }

  /* A click on a chart: every run at that place. What is not a run (the paper's lines) is no click. */
  function pick(overlay, panels, before) {
    const noUpdate = window.dash_clientside.no_update;
    const id = window.dash_clientside.callback_context.triggered_id;
    const click = overlay || panels;
    if (!click) {
      return [noUpdate, noUpdate, noUpdate];
    }
    const clicked = click.points[0];
    if (!clicked || typeof clicked.customdata !== "string") {
      return [noUpdate, null, null];
    }
    const graph = document.querySelector(`#${id} .js-plotly-plot`);
    return [{ runs: runsNear(graph, clicked), count: before ? before.count + 1 : 1 }, null, null];
  }

  /* Move the selected round: by a step button, to the clicked record of the small chart, or to a round that matters. */
  function step(clicks, chartClick, moment, selection) {
    const noUpdate = window.dash_clientside.no_update;
    const triggered = window.dash_clientside.callback_context.triggered_id;
    if (!triggered || selection.round === null) {
      return [noUpdate, noUpdate, noUpdate];
    }
    let round = selection.round;
    if (triggered === "saturation-moment") {
      round = moment ? Number(moment.split(":")[1]) : round;
    } else if (triggered === "saturation-jobs-figure") {
      if (!chartClick || chartClick.points[0].customdata === undefined) {
        return [noUpdate, noUpdate, noUpdate];
      }
      round = chartClick.points[0].customdata;
    } else {
      round += triggered.by;
    }
    round = Math.min(Math.max(round, 0), selection.n_rounds - 1);
    const moved = round !== selection.round;
    return [
      moved ? Object.assign({}, selection, { round: round }) : noUpdate,
      null,
      moved && triggered !== "saturation-moment" ? null : noUpdate,
    ];
  }

  /* All controls in one place; an empty or impossible k changes nothing. */
  function collect(measure, method, k, confidence, axis, show, color, line, panel, before) {
    const after = Object.assign({}, before, {
      measure: measure, method: method, confidence: confidence, axis: axis, color: color, line: line, panel: panel,
      k: k >= K_LOWEST && k <= K_HIGHEST ? k : before.k,
      paper: show.includes("paper") ? "1" : "0",
      seeds: show.includes("seeds") ? "1" : "0",
    });
    const same = Object.keys(after).every((key) => after[key] === before[key]);
    return same ? window.dash_clientside.no_update : after;
  }

  /* Defaults are left out of the address. */
  function writeUrl(controls, selection, defaults) {
    const said = Object.keys(defaults).map((key) => [key, controls[key] === defaults[key] ? null : controls[key]]);
    const state = Object.assign(Object.fromEntries(said), { at: selection.run, round: selection.round });
    return window.dash_clientside.shell.writeQuery("/saturation", state);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    saturation: { pick: pick, step: step, collect: collect, writeUrl: writeUrl },
  });
})();
