/* The Jobs page in the browser: filters to one Store, the address, opening a job. */
(function () {
  "use strict";

  const DEFAULTS = { measure: "jct_h", split: "run", axis: "log" };
  const nothing = () => window.dash_clientside.no_update;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function collectFilters(runs, jobs, search, scale, category, state, before) {
    const filters = {
      run: runs || [],
      jobs: jobs === "all" ? "all" : null,
      q: (search || "").trim() || null,
      scale: scale || [],
      category: category || [],
      state: state || [],
    };
    return same(filters, before) ? nothing() : filters;
  }

  function askAgain(filters) {
    window.dash_ag_grid.getApiAsync("jobs-grid").then(function (api) {
      api.setColumnsVisible(["run"], filters.run.length > 1);
      api.purgeInfiniteCache();
    });
    return nothing();
  }

  function openRow(row) {
    if (row) {
      window.dash_clientside.shell.go("/job?" + new URLSearchParams({ run: row.run, job: row.job_id }));
    }
  }

  function openJob(cell) {
    const selecting = String(window.getSelection()) !== "";
    if (cell && !selecting) {
      const node = window.dash_ag_grid.getApi("jobs-grid").getRowNode(cell.rowId);
      openRow(node && node.data);
    }
    return nothing();
  }

  /* The order and the columns' filters are those of the rows that were last asked for. */
  function writeUrl(filters, request, measure, split, axis) {
    const model = (request && request.filterModel) || {};
    const order = ((request && request.sortModel) || []).map((column) => `${column.colId}:${column.sort}`).join(",");
    const choices = { measure: measure, split: split, axis: axis };
    const values = { ...filters };
    Object.entries(choices).forEach(([key, value]) => (values[key] = value === DEFAULTS[key] ? null : value));
    if (request) {
      values.filter = Object.keys(model).length ? JSON.stringify(model) : null;
      values.sort = order || null;
    }
    window.dash_clientside.shell.writeQuery("/jobs", values);
    const query = window.location.search;
    // Without a run the address would mean the runs a page opens with.
    const tables = ["jobs", "distribution", "quantiles"];
    return tables.map((table) => (filters.run.length ? `/api/${table}.csv${query}` : undefined));
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    jobs: { collectFilters: collectFilters, askAgain: askAgain, openJob: openJob, writeUrl: writeUrl },
  });

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    jobsOpenOnEnter: function (params) {
      if (params.event.key === "Enter") {
        openRow(params.node.data);
      }
    },
  });
})();

/* One job's page: the moment that is looked at, by a click into the life, a row of the table, or a key. */
(function () {
  "use strict";

  const CLICK_PX = 4;
  const nothing = () => window.dash_clientside.no_update;
  const move = (to) => window.dash_clientside.set_props("job-moved", { data: { ...to, at: Date.now() } });

  function goToStretch(cell) {
    return cell ? { index: Number(cell.rowId), at: Date.now() } : nothing();
  }

  function writeUrl(index, who) {
    return who ? window.dash_clientside.shell.writeQuery("/job", { run: who.run, job: who.job, round: index }) : nothing();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { job: { goToStretch: goToStretch, writeUrl: writeUrl } });

  /* Plotly reports clicks on marks only, and covers the page while the button is down: so press and release are compared. */
  let pressed = null;

  document.addEventListener(
    "pointerdown",
    function (event) {
      const layer = event.target instanceof Element && event.target.closest("#job-lane .nsewdrag");
      pressed = layer && event.button === 0 ? { x: event.clientX, y: event.clientY, layer: layer } : null;
      if (pressed) {
        document.getElementById("job-lane-box").focus({ preventScroll: true }); // Plotly keeps the press from doing so
      }
    },
    true
  );
  document.addEventListener(
    "pointerup",
    function (event) {
      if (pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < CLICK_PX) {
        const axis = document.querySelector("#job-lane .js-plotly-plot")._fullLayout.xaxis;
        move({ hour: axis.p2d(event.clientX - pressed.layer.getBoundingClientRect().left) });
      }
      pressed = null;
    },
    true
  );

  document.addEventListener("keydown", function (event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const inBox = event.target instanceof Element && event.target.closest("#job-lane-box");
    if (step && inBox && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      move({ step: step * (event.shiftKey ? 10 : 1) });
    }
  });
})();
