// Opening a .viz.bin of this computer, or one at an address: chosen, dropped, or typed.

import { byId, make, setProps } from "./dom.mjs";

export class OpenDialog {
  #listening = new AbortController();

  constructor(page) {
    const { signal } = this.#listening;
    this.page = page;
    this.input = make("input");
    this.input.type = "file";
    this.input.id = "cluster-open-input";
    this.input.accept = ".bin";
    this.input.hidden = true;
    this.input.setAttribute("aria-label", "A .viz.bin file");
    page.root.append(this.input);
    this.input.addEventListener("change", () => this.#open([...this.input.files]), { signal });
    document.addEventListener("click", (event) => {
      const id = event.target.closest?.("button")?.id;
      if (id === "cluster-open") setProps("cluster-open-dialog", { is_open: true });
      if (id === "cluster-open-choose") this.input.click();
      if (id === "cluster-open-go") this.#openAddress();
    }, { signal });
    page.root.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes("Files")) event.preventDefault();
    }, { signal });
    page.root.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#open([...event.dataTransfer.files]);
    }, { signal });
  }

  get #beside() {
    return byId("cluster-open-beside")?.querySelector("input")?.checked ?? false;
  }

  #open(files) {
    if (files.length === 0) return;
    const packed = files.find((file) => /\.(zst|gz|packed)$/.test(file.name));
    if (packed) {
      this.page.say(`${packed.name} is packed: unpack it first, or put it into a sweep.`, "Open a file");
      return;
    }
    files.forEach((file, k) => this.page.runs.openLocal({ kind: "file", file }, { beside: this.#beside || k > 0 }));
    this.#close();
  }

  #openAddress() {
    const text = byId("cluster-open-address").value.trim();
    if (!URL.canParse(text, window.location.href) || text === "") {
      this.page.say(`"${text}" is no address of a file.`, "Open a file");
      return;
    }
    this.page.runs.openLocal({ kind: "url", url: new URL(text, window.location.href).href }, { beside: this.#beside });
    this.#close();
  }

  #close() {
    this.input.value = "";
    setProps("cluster-open-dialog", { is_open: false });
  }

  destroy() {
    this.#listening.abort();
    this.input.remove();
  }
}
