/* A page that stays up to date: it asks whether the runs have changed, and tells its callbacks what has. */
(function () {
  "use strict";

  const PERIOD_MS = 2500;
  /* Stores of the shell that callbacks listen to, and which part of the answer each is about. */
  const SIGNALS = { version: "live-version", results: "live-results", names: "live-names" };
  let known = null; // what the page on screen was made from
  let page = 0; // counts the pages that have come
  let timer = null;

  const tell = (id, data) => window.dash_clientside.set_props(id, { data: data });

  function say(sentence) {
    window.dash_clientside.set_props("shell-toast", { header: "The sweep has changed", children: sentence, is_open: true });
  }

  /* A page has come, and with it what it was made from. */
  function begin(state) {
    known = state;
    page += 1;
    askLater();
    return window.dash_clientside.no_update;
  }

  function askLater() {
    clearTimeout(timer);
    timer = setTimeout(ask, PERIOD_MS);
  }

  async function ask() {
    const asker = page;
    try {
      if (!document.hidden) {
        const here = new URLSearchParams(window.location.search);
        const runs = [...new Set([...here.getAll("run"), ...here.getAll("at")])].map((name) => ["run", name]);
        const response = await fetch("/api/live?" + new URLSearchParams(runs));
        if (response.ok) {
          const state = await response.json();
          if (asker === page) follow(state);
        }
      }
    } catch (error) {
      // The server does not answer: what the user asks of it next says so, this question need not.
      if (!(error instanceof TypeError)) throw error;
    } finally {
      // Where another page has come meanwhile, it asks.
      if (asker === page) askLater();
    }
  }

  function follow(state) {
    const before = known;
    known = Object.assign({}, state, { shown: Object.assign({}, before.shown, state.shown) });
    window.dash_clientside.set_props("shell-runs", { children: state.words });
    // Whichever process answers what follows from this must know of it, too.
    document.cookie = `gavel-dash-version=${state.version}; path=/; SameSite=Strict`;
    if (state.problem && state.problem !== before.problem) say(state.problem);
    Object.entries(SIGNALS).filter(([part]) => state[part] !== before[part]).forEach(([part, id]) => tell(id, state[part]));
    const changed = Object.keys(state.shown).filter((name) => name in before.shown && state.shown[name] !== before.shown[name]);
    const gone = changed.filter((name) => state.shown[name] === "");
    if (gone.length) say(`${gone.join(", ")}: no longer in the sweep. What you see of it is what it was.`);
    if (changed.length > gone.length) tell("live-shown", changed.map((name) => [name, state.shown[name]]));
  }

  /* Set a property again to what it is, so that whatever follows from it is done anew. */
  function again(signal, value) {
    return Array.isArray(value) ? value.slice() : value && typeof value === "object" ? Object.assign({}, value) : value;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { live: { begin: begin, again: again } });
})();
