/* The Saturation page in the browser: what a click meant, stepping through rounds, the controls, and the address. */
(function () {
  "use strict";

  const K_LOWEST = 1.2, K_HIGHEST = 5;  // as the page's control

  /* Points this close together cannot be told apart by a click. */
  const NEAR_PX = 10;
  const CHARTS = ["saturation-overlay-figure", "saturation-panels-figure"];

  function axesOf(graph, trace) {
    return [trace.xaxis, trace.yaxis].map((id) => graph._fullLayout[id[0] + "axis" + id.slice(1)]);
  }

  /* All points of a chart that open a run, with their pixels within their plot. */
  function pointsOf(graph) {
    return graph._fullData.flatMap(function (trace) {
      if (trace.visible !== true || !Array.isArray(trace.customdata)) {
        return [];
      }
      const [xAxis, yAxis] = axesOf(graph, trace);
      return trace.customdata.flatMap((run, i) =>
        typeof run === "string"
          ? [{ run: run, trace: trace, i: i, plot: xAxis._id + yAxis._id, x: xAxis.d2p(trace.x[i]), y: yAxis.d2p(trace.y[i]) }]
          : []
      );
    });
  }

  function distance(one, other) {
    return one.plot === other.plot ? Math.hypot(one.x - other.x, one.y - other.y) : Infinity;
  }

  /* A click on a chart: every run at that place, the clicked first, then the nearest. Plotly itself knows only the
     point on top. Where no run lies (on the paper's lines) it is no click. */
  function pick(overlay, panels, before) {
    const noUpdate = window.dash_clientside.no_update;
    const id = window.dash_clientside.callback_context.triggered_id;
    const click = id === CHARTS[0] ? overlay : panels;
    if (!click || !click.points.length) {
      return [noUpdate, noUpdate, noUpdate];
    }
    const graph = document.querySelector(`#${id} .js-plotly-plot`);
    const { curveNumber, pointNumber, x, y } = click.points[0];
    const trace = graph._fullData[curveNumber];
    const [xAxis, yAxis] = axesOf(graph, trace);
    const clicked = { plot: xAxis._id + yAxis._id, x: xAxis.d2p(x), y: yAxis.d2p(y) };
    const order = (point) => (point.trace === trace && point.i === pointNumber ? -1 : distance(point, clicked));
    const near = pointsOf(graph).filter((point) => distance(point, clicked) <= NEAR_PX);
    const runs = near.sort((one, other) => order(one) - order(other)).map((point) => point.run);
    const again = Boolean(before) && JSON.stringify(before.runs) === JSON.stringify(runs);
    // The count makes a click on the same point another click.
    return [runs.length ? { runs: runs, again: again, count: before ? before.count + 1 : 1 } : noUpdate, null, null];
  }

  /* Add to the tooltips which other curves have a point at the same place. Plotly reads them from the traces it
     completed (`_fullData`, new with every drawing), so that ours stay as they were sent. */
  const named = new WeakMap();

  function nameOthers(graph) {
    const axes = Object.keys(graph._fullLayout).filter((name) => /^[xy]axis\d*$/.test(name));
    const scale = JSON.stringify(axes.map((name) => [graph._fullLayout[name].range, graph._fullLayout[name]._length]));
    if (named.get(graph._fullData) === scale) {
      return;
    }
    named.set(graph._fullData, scale);
    const points = pointsOf(graph).filter((point) => typeof point.trace.meta === "string");
    for (const trace of new Set(points.map((point) => point.trace))) {
      trace.hovertext = [...graph.data[trace.index].hovertext];
    }
    for (const point of points) {
      const others = points.filter((other) => other.trace.meta !== point.trace.meta && distance(point, other) <= NEAR_PX);
      if (others.length) {
        const names = [...new Set(others.map((other) => other.trace.meta))];
        point.trace.hovertext[point.i] += `<br>also here: ${names.join(", ")} (click again)`;
      }
    }
  }

  // Before Plotly sees the pointer move, so that its tooltip is complete.
  document.addEventListener(
    "mousemove",
    function (event) {
      const graph = event.target instanceof Element && event.target.closest(".js-plotly-plot");
      if (graph && graph._fullData && graph.closest(CHARTS.map((id) => `#${id}`).join())) {
        nameOthers(graph);
      }
    },
    true
  );

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
  function collect(
    measure, method, k, confidence, axis, show, color, line, panel, gainOf, gainAgainst, gainUnit, gainView, before,
  ) {
    const after = Object.assign({}, before, {
      measure: measure, method: method, confidence: confidence, axis: axis, color: color, line: line, panel: panel,
      k: k >= K_LOWEST && k <= K_HIGHEST ? k : before.k,
      paper: show.includes("paper") ? "1" : "0",
      seeds: show.includes("seeds") ? "1" : "0",
      gain_of: gainOf || "", gain_against: gainAgainst || "", gain_unit: gainUnit, gain_view: gainView,
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
