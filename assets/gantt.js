/* The Gantt of the Jobs page in the browser: what part is asked for, the cursor over it, its keys and the address. */
(function () {
  "use strict";

  const ID = "jobs-gantt-figure";
  /* A view is asked for when the pointer has been still this long. */
  const WAIT_MS = 120, HOVER_MS = 50;
  const SHIFT_STEP = 10;

  let asking = 0, pointing = 0;
  let place = null;  // as the server last said
  let cursor = null;

  const noUpdate = () => window.dash_clientside.no_update;
  const graphOf = () => document.querySelector(`#${ID} .js-plotly-plot`);
  const sorted = (range) => [...range].sort((a, b) => a - b);

  function plotWidth() {
    const size = graphOf() && graphOf()._fullLayout && graphOf()._fullLayout._size;
    // Before the first drawing there is only its box, with margins of unknown width.
    return Math.round(size ? size.w : document.getElementById(ID).clientWidth - 124);
  }

  /* Another run is seen as a whole; a zoom or another width asks again when it has come to rest. */
  function look(_relayout, run, asked, before) {
    listen();
    if (!run) {
      return null;
    }
    if (!before || before.run !== run) {
      const first = before || !asked || asked.run !== run ? { run: run, x: null, y: null } : asked;
      return Object.assign({}, first, { width: plotWidth() });
    }
    clearTimeout(asking);
    asking = setTimeout(function () {
      const graph = graphOf();
      // While another run is on its way the axes are still those of the one before.
      if (!graph || !graph._fullLayout.xaxis || graph._fullLayout.uirevision !== run) {
        return;
      }
      const { xaxis, yaxis, meta } = graph._fullLayout;
      const whole = (range, all) => Math.abs(range[0] - all[0]) + Math.abs(range[1] - all[1]) < 1e-6;
      const view = {
        run: run,
        x: whole(xaxis.range, meta.x) ? null : sorted(xaxis.range),
        y: whole(yaxis.range, meta.y) ? null : sorted(yaxis.range),
        width: plotWidth(),
      };
      if (JSON.stringify(view) !== JSON.stringify(Object.assign({}, view, before))) {
        window.dash_clientside.set_props("jobs-gantt-view", { data: view });
      }
    }, WAIT_MS);
    return noUpdate();
  }

  /* The cell under the pointer, once the pointer rests on it. */
  function point(hover) {
    clearTimeout(pointing);
    if (!hover) {
      return null;
    }
    const { x, y, bbox } = hover.points[0];
    pointing = setTimeout(function () {
      window.dash_clientside.set_props("jobs-gantt-pointed", { data: { x: x, y: y, bbox: bbox } });
    }, HOVER_MS);
    return noUpdate();
  }

  /* The cursor lies over the chart, so that moving it draws nothing anew. */
  function drawCursor() {
    const graph = graphOf(), line = document.getElementById("jobs-gantt-cursor");
    if (!graph || !line || !graph._fullLayout || !graph._fullLayout.xaxis) {
      return;
    }
    const { xaxis, _size } = graph._fullLayout;
    const left = place && place.record !== null ? xaxis.l2p(place.record) : -1;
    const right = place && place.record !== null ? xaxis.l2p(place.record + 1) : -1;
    line.hidden = !graph._fullLayout.meta || !(right > 0 && left < xaxis._length);
    if (!line.hidden) {
      const frame = line.offsetParent.getBoundingClientRect(), box = graph.getBoundingClientRect();
      const from = Math.max(0, left), width = Math.max(2, Math.min(right, xaxis._length) - from);
      line.style.left = `${box.left - frame.left - line.offsetParent.clientLeft + xaxis._offset + from}px`;
      line.style.top = `${box.top - frame.top - line.offsetParent.clientTop + _size.t}px`;
      line.style.width = `${width}px`;
      line.style.height = `${_size.h}px`;
    }
  }

  /* `round` is newer than what the server says of the one before, while keys repeat. */
  function mark(where, round) {
    place = where;
    cursor = round;
    drawCursor();
    return noUpdate();
  }

  function showWhole() {
    const graph = graphOf(), meta = graph && graph._fullLayout && graph._fullLayout.meta;
    if (meta && meta.x) {
      window.Plotly.relayout(graph, { "xaxis.range": [...meta.x], "yaxis.range": [...meta.y] });
    }
  }

  function zoom() {
    const key = String(window.dash_clientside.callback_context.triggered_id).replace("jobs-gantt-", "");
    const graph = graphOf();
    if (key === "whole") {
      showWhole();
    } else if (graph && graph._fullLayout.meta && graph._fullLayout.meta.x) {
      const [low, high] = graph._fullLayout.xaxis.range, end = graph._fullLayout.meta.x[1];
      const at = place && place.record !== null ? place.record + 0.5 : -1;
      const centre = key === "in" && at > low && at < high ? at : (low + high) / 2;
      const span = Math.min(end, Math.max(1, (high - low) * (key === "in" ? 0.5 : 2)));
      const start = Math.min(Math.max(0, centre - span / 2), end - span);
      window.Plotly.relayout(graph, { "xaxis.range": [start, start + span] });
    }
    return noUpdate();
  }

  const listening = new WeakSet();

  /* Plotly makes its chart some time after Dash made the place for it. */
  function listen() {
    const graph = graphOf();
    if (!graph || !graph.on || !graph._fullLayout || !graph._fullLayout.xaxis) {
      if (document.getElementById(ID)) {
        requestAnimationFrame(listen);
      }
    } else if (!listening.has(graph)) {
      listening.add(graph);
      graph.on("plotly_afterplot", drawCursor);
      graph.on("plotly_relayouting", drawCursor);
      graph.on("plotly_doubleclick", showWhole);
      drawCursor();
    }
  }

  // Plotly keeps the pointer's press from giving the focus, and the keys follow the focus.
  document.addEventListener("pointerdown", function (event) {
    if (event.target instanceof Element && event.target.closest(`#${ID}`)) {
      document.getElementById("jobs-gantt-panel").focus({ preventScroll: true });
    }
  }, true);

  document.addEventListener("keydown", function (event) {
    const inPanel = event.target instanceof Element && event.target.closest("#jobs-gantt-panel");
    const isMenu = inPanel && event.target.closest("[role=listbox], [role=combobox], [aria-haspopup], .dash-dropdown");
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!inPanel || isMenu || !step || !place || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (window.dash_clientside.shell.isTyping(event.target)) {
      return;
    }
    event.preventDefault();
    const next = cursor === null ? place.start : cursor + step * (event.shiftKey ? SHIFT_STEP : 1);
    cursor = Math.min(Math.max(0, next), place.n_rounds - 1);
    window.dash_clientside.set_props("jobs-cursor", { data: cursor });
  });

  function writeUrl(shown, color, job, round, names) {
    const isFirst = !shown || !names || shown.run === names[0];
    if (shown) {
      window.dash_clientside.shell.writeQuery("/jobs", {
        gantt: isFirst ? null : shown.run, gantt_rounds: shown.rounds, gantt_gpus: shown.gpus,
        gantt_color: color === "category" ? null : color, job: job, round: round,
      });
    }
    return shown ? shown.run : "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    gantt: { look: look, point: point, mark: mark, zoom: zoom, writeUrl: writeUrl },
  });
})();
