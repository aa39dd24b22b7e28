// The legend above the heatmaps, whose entries filter; and the heads that name the runs.

import { count, hours } from "./round_words.mjs";
import { make, write } from "./dom.mjs";

export class Legend {
  #shape = "";

  constructor(element, model) {
    this.element = element;
    this.model = model;
  }

  /** Entries of what is on screen: of the difference too, where runs are compared. */
  show(shown, frames) {
    if (!frames) return;
    const looks = new Map(shown.map(({ painted, run }) => [painted.look, frames[run.key]?.looks[painted.look]]));
    if ([...looks.values()].includes(undefined)) return;
    const { hidden, flash } = this.model.all();
    const isShared = shown.some(({ painted }) => painted.sharing.length > 0);
    const shape = JSON.stringify([[...looks].map(([name, { legend }]) => [name, legend]), hidden, flash, isShared]);
    if (shape === this.#shape) return;
    this.#shape = shape;
    const parts = [];
    for (const [name, { legend, rule }] of looks) {
      this.codes = name === "jobs" ? legend.flatMap(([own]) => own) : this.codes;
      if (looks.size > 1) parts.push(make("span", "cluster-legend-title", name === "difference" ? "Beside A:" : "A:"));
      for (const [codes, label, color] of legend) parts.push(name === "jobs" ? this.#filter(codes, label, color, hidden) : entry(label, color));
      if (rule.kind === "on_gpu") parts.push(make("span", "gd-muted", "as far back as rounds are loaded"));
    }
    if (flash) parts.push(mark("started", "Starts in this round"), mark("migrated", "Moved here in this round"));
    if (isShared) parts.push(make("span", "gd-muted", "in quarters: shared by several jobs"));
    this.element.replaceChildren(...parts);
  }

  #filter(codes, label, color, hidden) {
    const isHidden = codes.every((code) => hidden.includes(code));
    const button = entry(label, color, "button");
    button.type = "button";
    button.title = isHidden ? `Show ${label} again` : `Dim ${label}; double click: all others`;
    button.setAttribute("aria-pressed", String(!isHidden));
    button.addEventListener("click", () => {
      const others = this.model.get("hidden").filter((code) => !codes.includes(code));
      this.model.set({ hidden: isHidden ? others : [...others, ...codes] });
    });
    button.addEventListener("dblclick", () => {
      this.model.set({ hidden: this.codes.filter((code) => !codes.includes(code)) });
    });
    return button;
  }

  /** Badge, name, whether it still runs, and a way to close; the words about the round follow by `writeWhere`. */
  writeHead(head, badge, run, onClose) {
    const close = make("button", "gd-icon-button cluster-close", "×");
    close.type = "button";
    close.title = `Close ${run.name}`;
    close.setAttribute("aria-label", close.title);
    close.addEventListener("click", onClose);
    const running = make("span", "cluster-running", "running");
    const name = make("span", "cluster-head-name", run.info?.running ? [running, run.name] : run.name);
    name.title = run.info?.running ? `${run.name}: its log is still being written. ${run.info.running}` : run.name;
    head.replaceChildren(make("span", "cluster-badge", badge), name, make("span", "cluster-head-where gd-muted"), close);
  }

  writeWhere(head, painted, hasEnded) {
    const where = head.querySelector(".cluster-head-where");
    if (!where) return;
    write(where, `${hasEnded ? "ended before: " : ""}round ${count(painted.head.round)} · ${hours(painted.head.simTimeS / 3600)}`);
  }
}

function entry(label, color, tag = "span") {
  const swatch = make("span", "cluster-swatch");
  swatch.style.background = color;
  return make(tag, "cluster-legend-entry", [swatch, label]);
}

const mark = (kind, label) => make("span", "cluster-legend-entry", [make("span", `cluster-swatch cluster-mark-${kind}`), label]);
