/* Failures are seen: which part of the page failed and why, with a button that runs that very callback again. */
(function () {
  "use strict";

  const UPDATE = "/_dash-update-component";
  const FIRST = ["/_dash-layout", "/_dash-dependencies"]; // without them there is no page
  const ROUTER = "_pages_content";
  const REQUEST_ID = "X-Request-ID";
  const MOST_CHARACTERS = 600;
  const NO_ANSWER = "The server does not answer. Is it still running? What you see is what it sent last.";
  const NOT_THERE = "The server is not there right now; it may be starting again. What you see is what it sent last.";
  const SENTENCES = {
    401: "The server asks for its access token. Load the page again to give it.",
    408: "The server took too long to answer.", 502: NOT_THERE, 503: NOT_THERE, 504: "The server took too long to answer.",
  };

  /* By callback, in the order in which they failed: { parts, elements, sentence, requestId, retry, isTrying }. */
  const failures = new Map();
  /* By sentence: the elements of a failure, or of several that have the same cause. */
  const boxes = new Map();

  // --- what Dash asks the server ------------------------------------------------------------------------------------

  const fetchPlainly = window.fetch;

  window.fetch = function (...request) {
    const url = request[0] instanceof Request ? request[0].url : String(request[0]);
    const { pathname } = new URL(url, window.location.href);
    if (pathname.endsWith(UPDATE)) {
      return update(request);
    }
    return FIRST.some((path) => pathname.endsWith(path)) ? load(request) : fetchPlainly.apply(window, request);
  };

  /* Run a callback on the server. Where that fails, Dash is told that nothing changes, so that it lets go of the parts
     that wait for it. */
  async function update(request) {
    const { body } = request[1];
    const before = failures.size > 0 ? failures.get(keyOf(JSON.parse(body))) : undefined;
    if (before) {
      before.isTrying = true;
      render();
    }
    const { answer, sentence, requestId } = await ask(request);
    const payload = sentence === null && failures.size === 0 ? null : JSON.parse(body);
    if (sentence === null) {
      if (payload !== null && answer.status === 200 && isRouter(payload)) {
        failures.clear(); // they were of the page that was left
      } else if (payload !== null) {
        failures.delete(keyOf(payload));
      }
      render();
      return answer;
    }
    remember(payload, sentence, requestId);
    return new Response(null, { status: 204 });
  }

  async function load(request) {
    const { answer, sentence, requestId } = await ask(request);
    if (sentence !== null) {
      addReload("The page", sentence, requestId);
    }
    return answer ?? Response.error();
  }

  /* The whole answer, as a server may also go away in the midst of it; `sentence` is null where there is one. */
  async function ask(request) {
    try {
      const answer = await fetchPlainly.apply(window, request);
      if (!answer.ok) {
        return { answer, sentence: await sentenceOf(answer.clone()), requestId: answer.headers.get(REQUEST_ID) };
      }
      const whole = answer.status === 204 ? answer : new Response(await answer.arrayBuffer(), answer);
      return { answer: whole, sentence: null, requestId: null };
    } catch (error) {
      if (error.name === "AbortError") {
        throw error;
      }
      return { answer: null, sentence: NO_ANSWER, requestId: null };
    }
  }

  /* What the app itself says is plain text; a proxy before it, or a server that is busy, says it in HTML. */
  async function sentenceOf(answer) {
    const isPlain = (answer.headers.get("Content-Type") || "").startsWith("text/plain");
    const text = isPlain ? (await answer.text()).trim().slice(0, MOST_CHARACTERS) : "";
    const known = SENTENCES[answer.status] || "The server could not do this.";
    return text || `${known} (${answer.status})`;
  }

  // --- which part of the page ---------------------------------------------------------------------------------------

  function outputsOf(payload) {
    return [payload.outputs ?? []].flat(Infinity);
  }

  function keyOf(payload) {
    return payload.output + JSON.stringify(outputsOf(payload).map(({ id }) => id));
  }

  function isRouter(payload) {
    return outputsOf(payload).some(({ id }) => id === ROUTER);
  }

  /* The panels that show a callback's outputs, or the drawers or dialogs. */
  function boxesOf(payload) {
    const elements = outputsOf(payload).map(({ id }) => document.getElementById(window.dash_component_api.stringifyId(id)));
    return [...new Set(elements.map((element) => element?.closest(".gd-panel, .offcanvas, .modal-content")))].filter(Boolean);
  }

  function wordsOf(payload, elements) {
    const { pathname } = window.location;
    const link = [...document.querySelectorAll(".gd-nav-link")].find((a) => new URL(a.href).pathname === pathname);
    const titles = elements.map((e) => e.querySelector(".gd-panel-title, .offcanvas-title, .modal-title")?.textContent.trim());
    const named = [...new Set(titles.filter(Boolean))];
    const page = link?.textContent || document.querySelector(".gd-title")?.textContent;
    if (isRouter(payload) || named.length === 0) {
      return [page ? `${page} page` : "This page"];
    }
    return named;
  }

  /* Dash's own record of a callback whose answer it waits for; none where it was asked again or its page was left. */
  function waitingFor(payload) {
    const { watched, executing } = window.dash_stores[0].getState().callbacks;
    const ids = JSON.stringify(outputsOf(payload).map(({ id }) => id));
    const { paths } = window.dash_stores[0].getState();
    return [...watched, ...executing].find(
      (one) => one.callback.output === payload.output
        && JSON.stringify(one.getOutputs(paths).flat(Infinity).map(({ id }) => id)) === ids
    );
  }

  function remember(payload, sentence, requestId) {
    const waiting = waitingFor(payload);
    const key = keyOf(payload);
    if (waiting) {
      const elements = boxesOf(payload);
      const { executionPromise, executionGroup, predecessors, ...callback } = waiting;
      const retry = () => window.dash_stores[0].dispatch({ type: "Callbacks.AddRequested", payload: [callback] });
      failures.delete(key);
      failures.set(key, { parts: wordsOf(payload, elements), elements, sentence, requestId, retry, isTrying: false });
    } else if (failures.has(key)) {
      failures.get(key).isTrying = false;
    }
    render();
  }

  function addReload(part, sentence, requestId = null) {
    const retry = () => window.location.reload();
    failures.set(part, { parts: [part], elements: [], sentence, requestId, retry, isTrying: false });
    render();
  }

  /* For parts that ask the server themselves: run `load` now, and again whenever the user wants that after a failure. */
  async function attempt(part, load) {
    const before = failures.get(part);
    if (before) {
      before.isTrying = true;
      render();
    }
    try {
      await load();
      failures.delete(part);
    } catch (error) {
      if (error.name !== "AbortError") {
        const retry = () => attempt(part, load);
        failures.set(part, { parts: [part], elements: [], sentence: error.message, requestId: null, retry, isTrying: false });
      } else if (failures.has(part)) {
        failures.get(part).isTrying = false;
      }
    }
    render();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { failures: { attempt: attempt } });

  window.addEventListener("error", (event) => {
    if (event.target instanceof HTMLScriptElement) {
      addReload("A part of the page", "One of its scripts could not be loaded.");
    }
  }, true);

  // --- what is shown ------------------------------------------------------------------------------------------------

  function render() {
    const groups = Map.groupBy(failures.values(), ({ sentence }) => sentence);
    for (const [sentence, box] of boxes) {
      if (!groups.has(sentence)) {
        if (box.root.contains(document.activeElement)) {
          document.getElementById("shell-main")?.focus();
        }
        box.root.remove();
        boxes.delete(sentence);
      }
    }
    for (const [sentence, group] of groups) {
      if (!boxes.has(sentence)) {
        boxes.set(sentence, addBox(sentence));
      }
      fill(boxes.get(sentence), group);
    }
    const failed = new Set([...failures.values()].flatMap(({ elements }) => elements));
    document.querySelectorAll("[data-failed]").forEach((e) => failed.has(e) || e.removeAttribute("data-failed"));
    failed.forEach((element) => element.setAttribute("data-failed", ""));
  }

  function addBox(sentence) {
    const ofGroup = () => [...failures].filter(([, failure]) => failure.sentence === sentence);
    const root = make("div", { className: "gd-failure", role: "alert" });
    const title = root.appendChild(make("p", { className: "gd-failure-title" }));
    root.append(make("p", { className: "gd-failure-sentence", textContent: sentence }));
    const foot = root.appendChild(make("div", { className: "gd-failure-foot" }));
    const again = foot.appendChild(make("button", { className: "gd-button", type: "button" }));
    const note = foot.appendChild(make("span", { className: "gd-muted" }));
    const close = foot.appendChild(make("button", { className: "gd-button gd-button-link", type: "button", textContent: "Dismiss" }));
    again.addEventListener("click", () => ofGroup().forEach(([, { retry, isTrying }]) => isTrying || retry()));
    close.addEventListener("click", () => {
      ofGroup().forEach(([key]) => failures.delete(key));
      render();
    });
    region().append(root);
    return { root, title, again, note };
  }

  function fill({ title, again, note }, group) {
    const parts = [...new Set(group.flatMap((failure) => failure.parts))];
    const ids = group.map(({ requestId }) => requestId).filter(Boolean);
    const isTrying = group.some((failure) => failure.isTrying);
    write(title, `Could not load: ${parts.join(", ")}`);
    write(again, isTrying ? "Trying …" : "Try again");
    again.setAttribute("aria-disabled", isTrying);
    write(note, ids.length ? `In the log as ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? " …" : ""}` : "");
  }

  function region() {
    return document.querySelector(".gd-failures")
      || document.body.appendChild(make("section", { className: "gd-failures", ariaLabel: "What failed" }));
  }

  function make(tag, properties) {
    return Object.assign(document.createElement(tag), properties);
  }

  function write(element, text) {
    if (element.textContent !== text) {
      element.textContent = text; // anew it would be read out anew
    }
  }
})();
