// Buttons, keys, menus and the jump field: what they do, and what they show.

import { byId, make, setProps } from "../panels/dom.mjs";
import { commandOf, isTakenBy } from "./keys.mjs";
import { findJump, parseJump } from "./jump.mjs";

const BUTTONS = {
  "cluster-first": ["first"], "cluster-previous": ["step", -1], "cluster-play": ["toggle"], "cluster-next": ["step", 1],
  "cluster-last": ["last"], "cluster-loop-from": ["loopFrom"], "cluster-loop-to": ["loopTo"],
  "cluster-loop-none": ["noLoop"], "cluster-whole": ["wholeCluster"],
};

export class Controls {
  #listening = new AbortController();
  #focusedByPointer = false;
  #areShown = false;

  /** page: { root, player, model, detail, order, shown(), say(), chooseDetail(), realign(), writeAddress(), scrubber }. */
  constructor(page) {
    this.page = page;
    this.jump = make("input", "gd-input");
    Object.assign(this.jump, { id: "cluster-jump", type: "text", placeholder: "1200, 250 h, job 38", autocomplete: "off" });
    byId("cluster-jump-box").append(this.jump);
    this.#bind();
    this.#show();
  }

  /** A control of Dash has changed. Its call comes late, so that the values are read anew: a key may have overtaken it. */
  choose() {
    if (!this.#areShown) return;
    const { page } = this;
    const { model } = page;
    const [speed, detail, align, toggles] = ["speed", "detail", "align", "toggles"].map(
      (name) => window.dash_component_api.getLayout(`cluster-${name}`).props.value,
    );
    model.set({ speed: Number(speed), difference: toggles.includes("difference"), flash: toggles.includes("flash") });
    if (detail !== page.detail) {
      page.detail = detail;
      page.chooseDetail();
      page.writeAddress();
    }
    if (align !== model.get("align")) {
      model.set({ align });
      page.realign();
    }
  }

  /** Write the state into Dash's controls: what the address says, and what keys change. */
  #show() {
    const { speed, align, difference, flash } = this.page.model.all();
    setProps("cluster-speed", { value: speed });
    setProps("cluster-align", { value: align });
    setProps("cluster-detail", { value: this.page.detail });
    setProps("cluster-toggles", { value: [...(flash ? ["flash"] : []), ...(difference ? ["difference"] : [])] });
    this.#areShown = true;
  }

  #run([command, ...values]) {
    const { player, model } = this.page;
    const commands = {
      toggle: () => player.toggle(),
      step: (by) => player.step(by),
      first: () => player.seek(0),
      last: () => player.seek(player.last),
      faster: (by) => { player.faster(by); this.#show(); },
      loopFrom: () => player.loopFrom(),
      loopTo: () => player.loopTo(),
      noLoop: () => model.set({ loop: null }),
      flip: (name) => { model.set({ [name]: !model.get(name) }); this.#show(); },
      jump: () => { this.jump.focus(); this.jump.select(); },
      wholeCluster: () => this.page.shown().forEach(({ renderer }) => renderer.zoomTo(null)),
      letGo: () => model.set({ selectedJob: null }),
      color: (name) => setProps("cluster-color", { value: name }),
    };
    commands[command](...values);
  }

  /** Go where a text says, in run `k`'s records. */
  jumpTo(text, k = 0) {
    const { page } = this;
    const run = page.order[k];
    if (!run) return;
    const found = findJump(parseJump(text), run);
    if (found.problem) {
      page.say(found.problem, "Go to");
      return;
    }
    if (found.jobId !== undefined) page.model.set({ selectedJob: found.jobId });
    page.player.seek(page.player.timeline.positionOf(k, found.index));
  }

  #bind() {
    const { signal } = this.#listening;
    const { root, model } = this.page;
    root.addEventListener("click", (event) => {
      const command = BUTTONS[event.target.closest("button")?.id];
      if (command) this.#run(command);
    }, { signal });
    document.addEventListener("pointerdown", () => { this.#focusedByPointer = true; }, { signal, capture: true });
    document.addEventListener("keydown", (event) => this.#press(event), { signal, capture: true });
    this.jump.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.jumpTo(this.jump.value);
    }, { signal });
    model.on(["playing"], () => this.#markPlaying());
    model.on(["loop"], () => this.#markLoop());
  }

  #press(event) {
    if (event.key === "Tab") this.#focusedByPointer = false;
    if (byId("cluster-viewer").hidden || isTakenBy(event.target, event, this.#focusedByPointer)) return;
    const command = commandOf(event);
    if (command === null) return;
    if (event.key === " " && event.target.closest?.("button, [type=checkbox]")) event.target.blur();
    this.#run(command);
    event.preventDefault();
    event.stopPropagation();
  }

  #markPlaying() {
    const playing = this.page.model.get("playing");
    const button = this.page.root.querySelector("#cluster-play"); // there also when the page has just gone
    button.classList.toggle("cluster-playing", playing);
    button.setAttribute("aria-pressed", String(playing));
  }

  #markLoop() {
    const loop = this.page.model.get("loop");
    this.page.scrubber.setLoop(loop);
    byId("cluster-loop-from").setAttribute("aria-pressed", String(loop !== null));
    byId("cluster-loop-to").setAttribute("aria-pressed", String(loop !== null));
    byId("cluster-loop-none").disabled = loop === null;
    this.page.writeAddress();
  }

  destroy() {
    this.#listening.abort();
    this.jump.remove();
  }
}
