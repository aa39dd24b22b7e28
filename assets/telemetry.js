/* The Telemetry page in the browser: its controls in one place, the part of x in view, clicks, the crosshair, the address. */
(function () {
  "use strict";

  const GRAPH = "#telemetry-figure .js-plotly-plot";
  /* A zoom or pan draws what is there at once; finer lines are asked for when it rests this long. */
  const REST_MS = 150;

  /* All controls in one place; an empty or impossible number changes nothing. */
  function collect(x, y, view, color, log, smooth, n, window_h, before) {
    const number = (value, lowest, old) => (Number.isFinite(value) && value >= lowest ? value : old);
    const after = {
      x: x || before.x, y: y || [], view: view, color: color || "", log: log || [],
      smooth: number(smooth, 0, before.smooth), n: number(n, 1, before.n), window: number(window_h, 0.01, before.window),
    };
    const same = Object.keys(after).every((key) => JSON.stringify(after[key]) === JSON.stringify(before[key]));
    return same ? window.dash_clientside.no_update : after;
  }

  /* The range of x in view, null where it is all of it. Axes of small charts follow the first. */
  let resting = null;

  function look(change, options) {
    if (!change || !Object.keys(change).some((key) => key.startsWith("xaxis"))) {
      return;
    }
    clearTimeout(resting);
    resting = setTimeout(function () {
      const graph = document.querySelector(GRAPH);
      if (!graph || !graph._fullLayout) {
        return;
      }
      const axis = graph._fullLayout.xaxis;
      const all = (graph.layout.meta || {}).whole_x;
      const automatic = Object.keys(change).some((key) => /^xaxis\d*\.autorange$/.test(key));
      const whole = automatic || (all && all.every((end, i) => Math.abs(end - axis.range[i]) < 1e-6 * (all[1] - all[0])));
      if (automatic && all) {
        window.Plotly.relayout(graph, { "xaxis.range": all.slice() });
      }
      const range = axis.range.map((end) => (axis.type === "log" ? 10 ** end : end)).map((end) => Number(end.toPrecision(7)));
      window.dash_clientside.set_props("telemetry-seen", { data: whole ? null : { x: options.x, range: range } });
    }, REST_MS);
  }

  /* Which run and field was clicked, and where. */
  function pick(click) {
    const graph = document.querySelector(GRAPH);
    const point = click && click.points && click.points[0];
    const meta = point && graph && graph.data[point.curveNumber].meta;
    if (!meta) {
      return window.dash_clientside.no_update;
    }
    const picked = { run: meta[0], field: meta[1], x: point.x, y: point.y };
    window.dash_clientside.shell.afterSingleClick(function () {
      window.dash_clientside.set_props("telemetry-picked", { data: picked });
    });
    return null;
  }

  /* Defaults are left out of the address; runs stay in it, so that a shared link shows the same ones. */
  function writeUrl(runs, options, view, cursor, defaults) {
    const said = Object.keys(defaults).map(function (key) {
      return [key, JSON.stringify(options[key]) === JSON.stringify(defaults[key]) ? null : options[key]];
    });
    const range = view && view.x === options.x ? view.range : [null, null];
    const state = Object.assign(Object.fromEntries(said), { run: runs, round: cursor, from: range[0], to: range[1] });
    return window.dash_clientside.shell.writeQuery("/telemetry", state);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    telemetry: { collect: collect, look: look, pick: pick, writeUrl: writeUrl },
  });

  /* One crosshair through all charts. Their x axes match, so it stands at the same share of each. */
  function crosshairOf(graph) {
    const box = graph.querySelector(".svg-container");
    let cross = box.querySelector(".telemetry-crosshair");
    if (!cross) {
      cross = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      cross.setAttribute("class", "telemetry-crosshair");
      cross.setAttribute("aria-hidden", "true");
      cross.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
      box.appendChild(cross);
    }
    return cross.firstChild;
  }

  function drawCrosshair(graph, event) {
    const box = graph.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const charts = Object.values(graph._fullLayout._plots || {}).map((plot) => [plot.xaxis, plot.yaxis]);
    const under = charts.find(function ([x, y]) {
      return px >= x._offset && px <= x._offset + x._length && py >= y._offset && py <= y._offset + y._length;
    });
    const share = under ? (px - under[0]._offset) / under[0]._length : null;
    const lines = charts.map(([x, y]) => `M${x._offset + share * x._length},${y._offset}v${y._length}`);
    crosshairOf(graph).setAttribute("d", under ? lines.join("") : "");
  }

  document.addEventListener("mousemove", function (event) {
    const graph = event.target instanceof Element && event.target.closest(GRAPH);
    if (graph && graph._fullLayout && graph._fullLayout._plots) {
      drawCrosshair(graph, event);
    } else {
      document.querySelectorAll(".telemetry-crosshair path").forEach((path) => path.setAttribute("d", ""));
    }
  });
})();
