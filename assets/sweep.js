/* The Sweep page in the browser: filters to one Store, choosing a run, the query string, the selection's links. */
(function () {
  "use strict";

  const context = () => window.dash_clientside.callback_context;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function collectFilters(values, search, ids, before) {
    const filters = {};
    ids.forEach(function (id, i) {
      if (values[i] && values[i].length) {
        filters[id.key] = values[i];
      }
    });
    if (search && search.trim()) {
      filters.q = [search.trim()];
    }
    return same(filters, before) ? window.dash_clientside.no_update : filters;
  }

  /* A run is chosen in the table, on the map, or not at all once the drawer is closed. */
  function selectRun(cell, key, point, isOpen, selected) {
    const none = window.dash_clientside.no_update;
    const triggered = context().triggered.map((t) => t.prop_id);
    let name = null;
    if (triggered.length === 0) {
      return [none, Boolean(selected), none]; // as the URL says
    }
    if (triggered.includes("sweep-drawer.is_open")) {
      return isOpen ? [none, none, none] : [null, none, none];
    }
    if (triggered.includes("sweep-map.clickData")) {
      name = point && point.points[0].customdata;
    } else if (triggered.includes("sweep-grid.eventData")) {
      name = key && key.data;
    } else if (cell && cell.colId !== "ag-Grid-SelectionColumn") {
      name = cell.rowId;
    }
    // The click is forgotten: clicking the same tick again must count.
    return name ? [name, true, null] : [none, none, none];
  }

  function linkSelection(rows) {
    const names = (rows || []).map((row) => row.run);
    const query = new URLSearchParams(names.map((name) => ["run", name])).toString();
    const text = names.length ? `${names.length.toLocaleString("en")} ticked` : "";
    // Pages take as many runs as they can show.
    const open = (page, most) => (names.length && names.length <= most ? `/${page}?${query}` : undefined);
    return [
      open("saturation", Infinity), open("cluster", 4), ...["telemetry", "jobs", "fragmentation"].map((page) => open(page, 50)),
      text,
    ];
  }

  function showColumns(shown, options) {
    window.dash_ag_grid.getApiAsync("sweep-grid").then(function (api) {
      const names = options.map((option) => option.value);
      api.setColumnsVisible(names.filter((name) => shown.includes(name)), true);
      api.setColumnsVisible(names.filter((name) => !shown.includes(name)), false);
    });
    return window.dash_clientside.no_update;
  }

  const KEYS = ["figure", "policy", "setting", "rate", "seed", "cluster", "status", "q"];

  function writeUrl(filters, selected) {
    const values = Object.fromEntries(KEYS.map((key) => [key, filters[key] || null]));
    return window.dash_clientside.shell.writeQuery("/", { ...values, run: selected || null });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    sweep: {
      collectFilters: collectFilters,
      clearFilters: (a, b, ids) => [ids.map(() => []), ""],
      selectRun: selectRun,
      linkSelection: linkSelection,
      showColumns: showColumns,
      writeUrl: writeUrl,
    },
  });

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    sweepOpenOnEnter: function (params, setEventData) {
      if (params.event.key === "Enter" && params.column.getColId() !== "ag-Grid-SelectionColumn") {
        setEventData(params.node.id);
      }
    },
  });

  /* "only" beside a facet's value. It sits in the value's label, whose own click must not follow. */
  document.addEventListener("click", function (event) {
    const only = event.target instanceof Element && event.target.closest(".sweep-only");
    if (only) {
      event.preventDefault();
      const id = { type: "sweep-facet", key: only.dataset.facet };
      window.dash_clientside.set_props(id, { value: [only.dataset.value] });
    }
    document.querySelectorAll(".sweep-choose[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });
})();
