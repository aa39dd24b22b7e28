// Nodes under each heatmap: how many have how many free GPUs, by GPU type, and how many are in use at all; and how large
// they are, where the user says so.

import { count } from "./round_words.mjs";
import { byId, make, setProps, write } from "./dom.mjs";
import { formatNodeSizes, parseNodeSizes } from "../model/address.mjs";
import { isConstrained } from "../worker/blocks.mjs";

/** Up to here free GPUs have a column each; above, one for each doubling. */
const MOST_EXACT = 8;
const NOT_KNOWN = "Node sizes are not known: free blocks, and which jobs are scattered, cannot be told.";
const SET_THEM = " Set GPUs per node above.";
const SINGLE = "One GPU per node: nothing can fragment.";

/** Columns for nodes of at most `size` GPUs: [least, most free GPUs]. */
export function columnsOf(size) {
  const columns = Array.from({ length: Math.min(size, MOST_EXACT) + 1 }, (_, free) => [free, free]);
  for (let least = MOST_EXACT + 1; least <= size; least = 2 * least - 1) columns.push([least, Math.min(size, 2 * least - 2)]);
  return columns;
}

/** Cells of a type: nodes in use, and nodes by column; "–" where the file does not say, "" where a node is smaller. */
export function cellsOf({ size, nNodes, occupiedNodes, nodesByFree }, columns) {
  const isKnown = nodesByFree !== null;
  const nodes = ([least, most]) => nodesByFree.reduce((sum, [free, n]) => sum + (free >= least && free <= most ? n : 0), 0);
  return [
    `${isKnown ? count(occupiedNodes) : "–"} of ${count(nNodes)}`,
    ...columns.map((column) => (column[0] > size ? "" : isKnown ? count(nodes(column)) : "–")),
  ];
}

class NodesPanel {
  #cells = [];
  #columns = [];
  #shown = [];

  constructor(element) {
    this.element = element;
  }

  /** Lay the table out for the types of a run: [{ name, gpusPerNode }]. `canSet`: whether there is a field for one. */
  build(gpuTypes, canSet) {
    this.#shown = gpuTypes.map(({ gpusPerNode }) => isConstrained(gpusPerNode));
    this.#cells = [];
    const named = gpuTypes.filter((_, t) => this.#shown[t]);
    if (named.length === 0) {
      const isSingle = gpuTypes.every(({ gpusPerNode }) => gpusPerNode === 1);
      this.element.replaceChildren(make("p", "cluster-note", isSingle ? SINGLE : NOT_KNOWN + (canSet ? SET_THEM : "")));
      return;
    }
    this.#columns = columnsOf(Math.max(...named.map(({ gpusPerNode }) => gpusPerNode)));
    const heads = this.#columns.map(([least, most]) => {
      const words = least === most ? count(least) : `${count(least)}–${count(most)}`;
      return titled(make("th", "", words), `Nodes with ${least === most ? "exactly " : ""}${words} free GPU${most === 1 ? "" : "s"}`);
    });
    const head = make("tr", "", [
      make("th", "", "Nodes"),
      titled(make("th", "", "occupied"), "Nodes with at least one GPU in use"),
      ...heads,
      titled(make("th", "cluster-nodes-unit", "free GPUs"), "How many nodes have exactly so many free GPUs"),
    ]);
    const rows = named.map(({ name, gpusPerNode }) => {
      const cells = Array.from({ length: this.#columns.length + 1 }, () => make("td"));
      this.#cells.push(cells);
      const title = titled(make("th", "", name.toUpperCase()), `${name}: ${count(gpusPerNode)} GPUs per node`);
      return make("tr", "", [title, ...cells, make("td", "cluster-nodes-unit")]);
    });
    const others = gpuTypes.filter((_, t) => !this.#shown[t]).map(({ name }) => name.toUpperCase());
    const note = others.length ? [make("p", "cluster-note", `${others.join(", ")}: no node of several GPUs is known.`)] : [];
    this.element.replaceChildren(make("table", "", [make("thead", "", head), make("tbody", "", rows)]), ...note);
  }

  /** `facts`: nodeFacts of the round. */
  show({ types }) {
    const constrained = types.filter((_, t) => this.#shown[t]);
    this.#cells.forEach((cells, row) => {
      // A frame of other node sizes is on its way.
      if (constrained[row].size !== null) cellsOf(constrained[row], this.#columns).forEach((text, k) => {
        write(cells[k], text);
        cells[k].classList.toggle("gd-muted", text === "0");
      });
    });
  }
}

const titled = (element, title) => Object.assign(element, { title });

export class NodesView {
  /** GPUs per node by type, as the user has set them. */
  sizes = new Map();

  /** page: { root, address, order, requestFrames() }. */
  constructor(page) {
    this.page = page;
    this.asked = page.address.nodeSizes;
    this.panels = [];
  }

  /** What the browser remembers: { type: GPUs per node }. What the address names is remembered first. */
  setSizes(remembered) {
    const sizes = parseNodeSizes(formatNodeSizes(Object.entries(remembered ?? {})));
    if (this.asked.size > 0) {
      this.asked.forEach((size, name) => sizes.set(name, size));
      this.asked = new Map();
      setProps("node-sizes", { data: Object.fromEntries(sizes) });
    }
    if (formatNodeSizes(sizes) === formatNodeSizes(this.sizes)) return;
    this.sizes = sizes;
    this.arrange(this.page.order);
    this.page.requestFrames();
  }

  /** Lay the tables out for the runs on the page. */
  arrange(runs) {
    const canSet = this.#showFields(runs);
    runs.forEach((run, k) => {
      run.setNodeSizes(this.sizes);
      this.panels[k] ??= new NodesPanel(byId(`cluster-nodes-${k}`));
      this.panels[k].build(run.gpuTypes, canSet);
    });
  }

  /** Offer the fields of the types on the page whose size no file says; returns whether there are any. */
  #showFields(runs) {
    const box = this.page.root.querySelector(".gd-node-sizes");
    if (box === null) return false;
    const lacking = runs.flatMap((run) => run.meta.gpuTypes.filter(({ gpusPerNode }) => gpusPerNode === null).map(({ name }) => name));
    const fields = [...box.querySelectorAll("label")];
    for (const field of fields) field.hidden = !lacking.includes(field.querySelector(".gd-label").textContent);
    box.hidden = fields.every(({ hidden }) => hidden);
    return !box.hidden;
  }

  show(shown) {
    shown.forEach(({ painted, k }) => this.panels[k].show(painted.blocks));
  }
}
