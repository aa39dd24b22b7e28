/* The Cluster page's clock. It decides which round should be on screen now, and asks the server for it as soon as the
   round before is drawn: never two at once, so that a slow answer costs frames and not time.

   `wanted` is the round that should be seen, `shown` the one that is. The stores of the page carry them:
   cluster-view (asked for), cluster-shown (drawn), cluster-settled (at rest, or once a second while playing). */
(function () {
  "use strict";

  const ROUNDS_PER_SECOND = 5;
  const SETTLE_MS = 150; // after the last move
  const SETTLE_PLAYING_MS = 1000;
  const LOST_MS = 5000; // an answer that never comes must not stop the clock for ever

  const state = {
    run: null, rounds: 0, wanted: 0, shown: null, asked: null, askedAt: 0,
    playing: false, from: 0, since: 0, speed: 1, frame: 0, settledAt: 0, settleTimer: 0,
  };

  const byId = (id) => document.getElementById(id);
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const clamp = (index) => Math.max(0, Math.min(state.rounds - 1, Math.round(index)));
  const isHere = () => state.run !== null && byId("cluster-viewer") !== null && !byId("cluster-viewer").hidden;
  const same = (a, b) => a && b && a.run === b.run && a.index === b.index && a.playing === b.playing;

  /* Ask for the wanted round unless an answer is on its way. */
  function ask() {
    const view = { run: state.run, index: state.wanted, playing: state.playing };
    const waiting = state.asked !== null && !same(state.asked, state.shown);
    if ((waiting && performance.now() - state.askedAt < LOST_MS) || same(view, state.shown)) {
      return;
    }
    state.asked = view;
    state.askedAt = performance.now();
    setProps("cluster-view", { data: view });
  }

  function want(index) {
    state.wanted = clamp(index);
    const slider = byId("cluster-slider");
    if (slider && Number(slider.value) !== state.wanted) {
      setProps("cluster-slider", { value: state.wanted });
    }
    ask();
  }

  /* Jump; a playing clock goes on from there. */
  function seek(index) {
    state.from = clamp(index);
    state.since = performance.now();
    want(state.from);
  }

  function tick(now) {
    if (!state.playing || !isHere()) {
      state.playing = false;
      return;
    }
    const index = state.from + Math.floor(((now - state.since) / 1000) * ROUNDS_PER_SECOND * state.speed);
    if (index !== state.wanted) {
      want(index);
    } else {
      ask(); // a lost answer is asked for again
    }
    if (index >= state.rounds - 1) {
      pause();
    } else {
      state.frame = requestAnimationFrame(tick);
    }
  }

  function play() {
    if (state.wanted >= state.rounds - 1) {
      state.wanted = 0;
    }
    state.playing = true;
    state.from = state.wanted;
    state.since = performance.now();
    markPlaying();
    cancelAnimationFrame(state.frame);
    state.frame = requestAnimationFrame(tick);
  }

  function pause() {
    state.playing = false;
    cancelAnimationFrame(state.frame);
    markPlaying();
    ask(); // once more at rest: a large cluster gets its hover texts now
  }

  function markPlaying() {
    const button = byId("cluster-play");
    if (button) {
      button.classList.toggle("cluster-playing", state.playing);
      button.setAttribute("aria-pressed", String(state.playing));
    }
  }

  const commands = {
    "cluster-first": () => seek(0),
    "cluster-previous": () => seek(state.wanted - 1),
    "cluster-play": () => (state.playing ? pause() : play()),
    "cluster-next": () => seek(state.wanted + 1),
    "cluster-last": () => seek(state.rounds - 1),
  };

  const KEYS = {
    " ": () => commands["cluster-play"](),
    ArrowLeft: (step) => seek(state.wanted - step),
    ArrowRight: (step) => seek(state.wanted + step),
    Home: commands["cluster-first"],
    End: commands["cluster-last"],
  };

  function settle() {
    clearTimeout(state.settleTimer);
    const wait = state.playing ? Math.max(0, state.settledAt + SETTLE_PLAYING_MS - performance.now()) : SETTLE_MS;
    state.settleTimer = setTimeout(function () {
      if (isHere() && state.shown !== null) {
        state.settledAt = performance.now();
        setProps("cluster-settled", { data: state.shown });
      }
    }, wait);
  }

  function placePlayhead(index) {
    const playhead = byId("cluster-playhead");
    if (playhead) {
      playhead.style.left = `${((index + 0.5) / state.rounds) * 100}%`;
    }
    const slider = byId("cluster-slider");
    const now = byId("cluster-now");
    if (slider && now) {
      slider.setAttribute("aria-valuetext", now.textContent);
    }
  }

  /* Callbacks of the page. What they change, they set. */
  const cluster = {
    load: function (info) {
      cancelAnimationFrame(state.frame);
      Object.assign(state, { playing: false, shown: null, asked: null, run: info ? info.run : null });
      markPlaying();
      if (info) {
        state.rounds = info.n_rounds;
        state.wanted = info.index;
        state.asked = { run: info.run, index: info.index, playing: false };
        state.askedAt = performance.now();
        setProps("cluster-slider", { value: info.index });
      }
      return window.dash_clientside.no_update;
    },
    press: function () {
      const pressed = window.dash_clientside.callback_context.triggered_id;
      if (commands[pressed] && isHere() && byId(pressed)) {
        commands[pressed]();
      }
    },
    setSpeed: function (speed) {
      state.from = state.wanted;
      state.since = performance.now();
      state.speed = speed;
    },
    slide: function (value) {
      if (isHere() && value !== null && value !== undefined && Number(value) !== state.wanted) {
        seek(Number(value));
      }
    },
    click: function (clicked) {
      if (isHere() && clicked && clicked.points.length) {
        seek(clicked.points[0].x);
      }
    },
    drawn: function (shown) {
      if (!shown || shown.run !== state.run) {
        return;
      }
      state.shown = { run: shown.run, index: shown.index, playing: shown.playing };
      placePlayhead(shown.index);
      settle();
      if (state.wanted !== shown.index || state.playing !== shown.playing) {
        ask();
      }
    },
    writeQuery: function (settled, color) {
      if (settled && !settled.playing) {
        window.dash_clientside.shell.writeQuery("/cluster", {
          run: settled.run,
          round: settled.index,
          color: color === "category" ? null : color,
        });
      }
    },
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, { cluster: cluster });

  /* Dash puts the focus of an opened menu on the chosen option, where typing does nothing: it belongs to the search. */
  function typeIntoSearch(target, key) {
    const menu = target.closest(".dash-dropdown-content");
    const search = menu && menu.querySelector(".dash-dropdown-search");
    if (search && search !== target && key.length === 1 && key !== " ") {
      search.focus();
    }
  }

  /* Whether the focus came by mouse: a button clicked a moment ago should not swallow the space that means play. */
  let focusedByPointer = false;

  /* The slider is an input, and yet not typed into; its own key handling would step twice. The colours only need their
     arrows. */
  function isTyping(target, key) {
    if (target.id === "cluster-slider" || (target.closest("#cluster-color") !== null && !key.startsWith("Arrow"))) {
      return false;
    }
    return window.dash_clientside.shell.isTyping(target) || target.closest("[role=dialog], .ag-root") !== null;
  }

  document.addEventListener("pointerdown", () => { focusedByPointer = true; }, true);

  document.addEventListener(
    "keydown",
    function (event) {
      if (event.key === "Tab") {
        focusedByPointer = false;
      }
      const target = event.target instanceof Element ? event.target : document.body;
      if (!isHere() || event.ctrlKey || event.metaKey || event.altKey) {
        return;
      }
      if (isTyping(target, event.key)) {
        typeIntoSearch(target, event.key);
        return;
      }
      if (event.key === " " && target.closest("button, a") !== null) {
        if (!focusedByPointer || target.closest("#cluster-buttons") === null) {
          return; // space presses what has the focus
        }
        target.blur();
      }
      const color = { 1: "category", 2: "scale_factor", 3: "job" }[event.key];
      if (KEYS[event.key]) {
        KEYS[event.key](event.shiftKey ? 10 : 1);
      } else if (color) {
        setProps("cluster-color", { value: color });
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    },
    true
  );
})();
