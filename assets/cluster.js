/* What Dash calls on the Cluster page. The player itself is a module, loaded when the page is first shown. */
(function () {
  "use strict";

  const address = new URL("player/page.mjs", document.currentScript.src).href;
  const quiet = () => window.dash_clientside.no_update;
  const tell = (name) => (...values) => import(address).then((page) => page[name](...values)).then(quiet);

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    cluster: { load: tell("load"), frame: tell("frame"), choose: tell("choose"), nodeSizes: tell("nodeSizes") },
  });

  /* The job of a row in the queue: a link to its page. What is clicked here does not select the row. */
  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
    ClusterJob: function ({ data, value }) {
      if (!data || !data.href) {
        return value === undefined ? null : String(value);
      }
      const go = function (event) {
        event.stopPropagation();
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
          event.preventDefault();
          window.dash_clientside.shell.go(data.href);
        }
      };
      return window.React.createElement("a", { href: data.href, title: `Page of job ${value}`, onClick: go }, value);
    },
  });

  /* Dash puts the focus of an opened menu on the chosen option, where typing does nothing: it belongs to the search. */
  document.addEventListener("keydown", function (event) {
    const menu = event.target instanceof Element && event.target.closest(".cluster-page .dash-dropdown-content, .dash-dropdown-content");
    const search = menu && menu.querySelector(".dash-dropdown-search");
    if (search && search !== event.target && event.key.length === 1 && event.key !== " ") {
      search.focus();
    }
  }, true);
})();
