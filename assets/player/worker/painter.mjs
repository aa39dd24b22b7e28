// One round of one run as pixels: one pixel per GPU (four where GPUs can be shared), bands of rows below each other.

import { DIMMED, codeOfDifference, codeOfShare, pixelTable } from "./coloring.mjs";

/** Paints rounds of one run into one frame (grid and colourings of figures/player_frame.py). */
export class Painter {
  constructor(frame, background) {
    const { grid, looks } = frame;
    this.bands = grid.bands;
    this.parts = grid.parts;
    this.width = grid.columns * grid.parts;
    this.height = grid.bands.reduce((rows, band) => rows + band.rows, 0) * grid.parts;
    this.gridRows = grid.rows;
    this.looks = looks;
    this.luts = Object.fromEntries(Object.entries(looks).map(([name, { palette }]) => [name, pixelTable(palette, background)]));
    this.nGpus = grid.bands.reduce((n, band) => n + band.count, 0);
    this.places = this.#placesOf(grid);
    this.quarters = new Uint32Array(this.places.length);
    /** Stored id of each part of each GPU in the round painted last, null where that does not say. */
    this.units = null;
    this.codes = new Uint8Array(this.places.length);
    this.last = new Uint32Array(this.width * this.height);
  }

  /** Pixel of each part of each GPU. */
  #placesOf({ bands, columns, parts }) {
    const places = new Uint32Array(this.nGpus * parts * parts);
    let at = 0;
    let firstRow = 0;
    for (const band of bands) {
      for (let i = 0; i < band.count; i += 1) {
        const x = (i % columns) * parts;
        const y = (firstRow + Math.floor(i / columns)) * parts;
        for (let part = 0; part < parts * parts; part += 1) {
          places[at] = (y + Math.floor(part / parts)) * this.width + x + (part % parts);
          at += 1;
        }
      }
      firstRow += band.rows;
    }
    return places;
  }

  /** Stored id of each part of each GPU: all parts alike but where the GPU is shared. */
  #spread(ids, sharing) {
    const perGpu = this.parts * this.parts;
    if (perGpu === 1) return ids;
    const { quarters } = this;
    for (let gpu = 0; gpu < this.nGpus; gpu += 1) quarters.fill(ids[gpu], gpu * perGpu, (gpu + 1) * perGpu);
    for (const { gpu, storedIds } of sharing) {
      // A GPU whose quarters name one job is that job's, also in the quarters that are not written.
      if (new Set(storedIds.filter((id) => id !== 0)).size > 1) quarters.set(storedIds, gpu * perGpu);
    }
    return quarters;
  }

  /**
   * Paint a round.
   * round: { ids (stored, null where the file does not say who holds the GPUs), sharing }.
   * how: { look: "jobs" | "share" | "difference", coder (by unit and stored id), table (by stored id, or null),
   *        plainOf (stored id -> plain id), other ({ plainIds, perGpu }: of the parts of run A, for the difference),
   *        selected (stored id or -1), hidden (Uint8Array by code, 1 = filtered out) }.
   * Returns { pixels, rows: [from, to) that differ from the round painted before, or null }.
   */
  paint(round, how, pixels = new Uint32Array(this.last.length)) {
    const { codes, places } = this;
    this.units = round.ids === null ? null : this.#spread(round.ids, round.sharing);
    if (this.units === null) {
      codes.fill(0);
      pixels.fill(0);
    } else {
      this.#code(this.units, how);
      const lut = this.luts[how.look];
      pixels.fill(0);
      for (let unit = 0; unit < places.length; unit += 1) pixels[places[unit]] = lut[codes[unit]];
    }
    return { pixels, rows: this.#changedRows(pixels) };
  }

  /** Whether its round can be compared GPU by GPU with that of another painter: it names the jobs of the same GPUs. */
  isComparable({ bands }) {
    const isSame = ({ name, count }, k) => name === bands[k]?.name && count === bands[k].count;
    return this.units !== null && this.bands.length === bands.length && this.bands.every(isSame);
  }

  /** The round painted last in plain ids (-1 idle), by part of each GPU. */
  plainUnits(jobIdOffset) {
    const plainIds = Float64Array.from(this.units, (id) => (id === 0 ? -1 : id - jobIdOffset));
    return { plainIds, perGpu: this.parts * this.parts };
  }

  #code(units, how) {
    const { codes } = this;
    const { table, coder, selected, hidden } = how;
    if (how.look === "share") {
      this.#codeNodes(units, how);
    } else if (how.look === "difference") {
      const perGpu = this.parts * this.parts;
      for (let unit = 0; unit < units.length; unit += 1) {
        const here = how.plainOf(units[unit]);
        codes[unit] = codeOfDifference(here, otherAt(how.other, Math.floor(unit / perGpu), perGpu === 1 ? null : unit % perGpu, here));
      }
    } else if (table) {
      const most = table.length;
      for (let unit = 0; unit < units.length; unit += 1) {
        codes[unit] = units[unit] < most ? table[units[unit]] : coder(units[unit], unit);
      }
    } else {
      for (let unit = 0; unit < units.length; unit += 1) codes[unit] = coder(units[unit], unit);
    }
    if (hidden !== null) {
      for (let unit = 0; unit < units.length; unit += 1) if (hidden[codes[unit]]) codes[unit] |= DIMMED;
    }
    if (selected >= 0 && how.look !== "share") {
      for (let unit = 0; unit < units.length; unit += 1) if (units[unit] !== selected) codes[unit] |= DIMMED;
    }
  }

  #codeNodes(units, how) {
    const perGpu = this.parts * this.parts;
    const { rule } = this.looks.share;
    for (const { first_gpu: first, count, block_gpus: size } of this.bands) {
      for (let start = 0; start < count; start += size) {
        const from = (first + start) * perGpu;
        const to = (first + Math.min(start + size, count)) * perGpu;
        let busy = 0;
        let holds = false;
        for (let unit = from; unit < to; unit += 1) {
          busy += units[unit] === 0 ? 0 : 1;
          holds ||= units[unit] === how.selected;
        }
        this.codes.fill(codeOfShare(rule, busy, to - from) | (how.selected >= 0 && !holds ? DIMMED : 0), from, to);
      }
    }
  }

  #changedRows(pixels) {
    const { last, width } = this;
    let from = 0;
    let to = last.length;
    while (from < to && pixels[from] === last[from]) from += 1;
    if (from === to) return null;
    while (pixels[to - 1] === last[to - 1]) to -= 1;
    last.set(pixels);
    return [Math.floor(from / width), Math.ceil(to / width)];
  }

  /** Codes of the round painted last as rows of a Plotly heatmap: Float32Array each, NaN where there is no GPU. */
  rowsOfCodes() {
    const { parts, bands, width, places } = this;
    const rows = Array.from({ length: this.gridRows * parts }, () => new Float32Array(width).fill(NaN));
    const firstRows = [];
    for (const band of bands) for (let row = 0; row < band.rows * parts; row += 1) firstRows.push(band.first_row * parts + row);
    for (let unit = 0; unit < places.length; unit += 1) {
      rows[firstRows[Math.floor(places[unit] / width)]][places[unit] % width] = this.codes[unit] & (DIMMED - 1);
    }
    return rows;
  }
}

/** Plain id that run A has where this run has `here`: in the same part of a GPU, where this run has parts (else null).
 * A GPU that only A shares differs from a whole one by any tenant. */
function otherAt({ plainIds, perGpu }, gpu, part, here) {
  if (perGpu === 1) return plainIds[gpu];
  if (part !== null) return plainIds[gpu * perGpu + part];
  const tenants = plainIds.subarray(gpu * perGpu, (gpu + 1) * perGpu);
  return tenants.find((id) => id >= 0 && id !== here) ?? tenants[0];
}
