/* The Saturation page in the browser: stepping through rounds, and the address. */
(function () {
  "use strict";

  const K_LOWEST = 1.2, K_HIGHEST = 5;  // as the page's control

  /* Move the selected round: by a step button, or to the clicked record of the small chart. */
  function step(clicks, chartClick, selection) {
    const noUpdate = window.dash_clientside.no_update;
    const triggered = window.dash_clientside.callback_context.triggered_id;
    if (!triggered || selection.round === null) {
      return [noUpdate, noUpdate];
    }
    let round = selection.round;
    if (triggered === "saturation-jobs-figure") {
      if (!chartClick) {
        return [noUpdate, noUpdate];
      }
      round = chartClick.points[0].customdata;
    } else {
      round += triggered.by;
    }
    round = Math.min(Math.max(round, 0), selection.n_rounds - 1);
    const moved = round === selection.round ? noUpdate : Object.assign({}, selection, { round: round });
    return [moved, null];
  }

  /* Defaults are left out of the address. */
  function writeUrl(k, axis, show, selection) {
    return window.dash_clientside.shell.writeQuery("/saturation", {
      // An empty or impossible k changes nothing on the page, so it is not part of the address either.
      k: k >= K_LOWEST && k <= K_HIGHEST && k !== 2 ? k : null,
      axis: axis === "log" ? "log" : null,
      paper: show.includes("paper") ? null : 0,
      seeds: show.includes("seeds") ? null : 0,
      at: selection.run,
      round: selection.round,
    });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    saturation: { step: step, writeUrl: writeUrl },
  });
})();
