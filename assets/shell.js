/* The frame's behaviour in the browser: theme, keys, the mark on the current page, the query string. */
(function () {
  "use strict";

  function isTyping(target) {
    return target instanceof Element && target.closest("input, textarea, select, [contenteditable=true]") !== null;
  }

  function applyTheme(theme) {
    const name = theme === "dark" ? "dark" : "light";
    document.documentElement.dataset.bsTheme = name;
    document.documentElement.dataset.agThemeMode = name;
    return window.dash_clientside.no_update;
  }

  function markPage(pathname) {
    document.querySelectorAll(".gd-nav-link").forEach(function (link) {
      if (new URL(link.href).pathname === pathname) {
        link.setAttribute("aria-current", "page");
      } else {
        link.removeAttribute("aria-current");
      }
    });
    return window.dash_clientside.no_update;
  }

  /* Write a page's state to its query string. `values` maps a key to a value, a list, or null (leave out). Keys that
     are not named stay. Only on the page it belongs to: a late callback of a page that is gone must not write. */
  function writeQuery(pathname, values) {
    if (window.location.pathname === pathname) {
      const query = new URLSearchParams(window.location.search);
      Object.entries(values).forEach(function ([key, value]) {
        query.delete(key);
        [].concat(value).forEach(function (item) {
          if (item !== null && item !== undefined && item !== "") {
            query.append(key, item);
          }
        });
      });
      const text = query.toString();
      const search = text ? "?" + text : "";
      if (search !== window.location.search) {
        window.history.replaceState(window.history.state, "", window.location.pathname + search);
      }
    }
    return window.dash_clientside.no_update;
  }

  /* Node sizes: what is typed is kept beside the sizes of types that the page has no field for. */
  function rememberNodeSizes(values, ids, before) {
    const after = Object.assign({}, before);
    ids.forEach(function (id, i) {
      delete after[id.gpu_type];
      if (Number.isInteger(values[i]) && values[i] > 0) {
        after[id.gpu_type] = values[i];
      }
    });
    const spell = (sizes) => JSON.stringify(Object.entries(sizes || {}).sort());
    return spell(after) === spell(before) ? window.dash_clientside.no_update : after;
  }

  function showNodeSizes(sizes, ids, shown) {
    const values = ids.map((id) => (sizes && sizes[id.gpu_type]) || null);
    return values.map((value, i) => (value === (shown[i] || null) ? window.dash_clientside.no_update : value));
  }

  /* Do something after a click on a chart that is not one of a double click, which zooms out. What counts is the
     latest press, not how long the page took to hear of the click. */
  const SECOND_CLICK_MS = 350;
  let presses = 0;
  let waiting = null;

  document.addEventListener("mousedown", function (event) {
    presses = event.detail;
    if (presses > 1) {
      clearTimeout(waiting);
    }
  }, true);

  function afterSingleClick(act) {
    if (presses < 2) {
      waiting = setTimeout(act, SECOND_CLICK_MS);
    }
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: {
      afterSingleClick: afterSingleClick,
      rememberNodeSizes: rememberNodeSizes,
      showNodeSizes: showNodeSizes,
      applyTheme: applyTheme,
      markPage: markPage,
      toggleTheme: (clicks, theme) => (theme === "dark" ? "light" : "dark"),
      writeQuery: writeQuery,
      isTyping: isTyping,
      go: go,
    },
  });

  /* `g` waits one second for the letter of a page. */
  let goUntil = 0;

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    if (event.timeStamp < goUntil) {
      goUntil = 0;
      const link = [...document.querySelectorAll(".gd-nav-link")].find((a) => a.title.endsWith(`(g ${event.key})`));
      if (link) {
        event.preventDefault();
        event.stopImmediatePropagation();
        link.click();
      }
      return;
    }
    if (event.key === "g") {
      goUntil = event.timeStamp + 1000;
    } else if (event.key === "?") {
      document.getElementById("shell-help-button").click();
    } else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
  });

  /* The buttons that save a chart as a picture, in the size it has on the page. */
  document.addEventListener("click", function (event) {
    const button = event.target instanceof Element && event.target.closest("button[data-graph]");
    const graph = button && document.querySelector(`#${CSS.escape(button.dataset.graph)} .js-plotly-plot`);
    if (graph && graph._fullLayout) {
      const name = `${document.title.split(" · ")[0]} ${button.dataset.graph.replace(/-figure$/, "")}`;
      window.Plotly.downloadImage(graph, {
        format: button.dataset.format, width: graph._fullLayout.width, height: graph._fullLayout.height,
        scale: button.dataset.format === "png" ? 2 : 1, filename: name.toLowerCase().replace(/[^a-z0-9]+/g, "-"),
      });
    }
  });

  /* Pages that look at the same runs hand them on, with the round under the cursor. */
  const RUN_PAGES = ["/cluster", "/telemetry", "/jobs", "/fragmentation"];

  function carryRuns(link) {
    const { pathname, search } = window.location;
    const target = new URL(link.href).pathname;
    const [from, to] = [pathname, target].map((page) => (page === "/saturation" ? "at" : "run"));
    if (![...RUN_PAGES, "/saturation"].includes(target) || ![...RUN_PAGES, "/job", "/saturation"].includes(pathname)) {
      return null;
    }
    const here = new URLSearchParams(search);
    // The Saturation page looks at one run, the first.
    const runs = here.getAll(from).slice(0, to === "at" ? 1 : Infinity);
    const handed = [...runs.map((run) => [to, run]), ...here.getAll("round").map((round) => ["round", round])];
    return target + (handed.length ? "?" + new URLSearchParams(handed) : "");
  }

  document.addEventListener(
    "click",
    function (event) {
      const link = event.target instanceof Element && event.target.closest(".gd-nav-link");
      const href = link && carryRuns(link);
      if (href && !event.ctrlKey && !event.metaKey && !event.shiftKey && link.getAttribute("aria-current") !== "page") {
        event.preventDefault();
        event.stopPropagation();
        go(href);
      }
    },
    true
  );

  /* As `dcc.Link` goes to a page of the app. */
  function go(href) {
    window.history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  /* The link of the page one is on would wipe the query without resetting the page. */
  document.addEventListener(
    "click",
    function (event) {
      const link = event.target instanceof Element && event.target.closest(".gd-nav-link[aria-current=page]");
      if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        event.stopPropagation();
      }
    },
    true
  );
})();
