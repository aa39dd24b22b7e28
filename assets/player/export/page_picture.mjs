// The runs as they are on screen, with their numbers, painted on one canvas: for pictures and frames of films.

import { TILES, tileValues, writeTile } from "../panels/tiles.mjs";

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif';
const HEAD_PX = 48;
const LEGEND_PX = 26;
const LEGEND_LINE_PX = 19;
const TILE_PX = 52;
const TILES_IN_ROW = 5;
const LABEL_PX = 96;
const GAP_PX = 16;

/** Paint what is shown into a context of `width` CSS pixels; returns the height it takes. A null context only measures. */
export function paintPage(context, shown, { width, scale }) {
  const heights = shown.map(({ renderer }) => renderer.geometry.height);
  const cells = Math.max(...heights);
  const rows = Math.ceil(TILES.length / TILES_IN_ROW);
  const column = (width - GAP_PX * (shown.length - 1)) / shown.length;
  const measure = context ?? document.createElement("canvas").getContext("2d");
  const legends = shown.map(({ renderer, painted }) => legendLines(measure, renderer.frame.looks[painted.look].legend, column - LABEL_PX));
  const legendPx = LEGEND_PX - LEGEND_LINE_PX + LEGEND_LINE_PX * Math.max(...legends.map((lines) => lines.length));
  const height = Math.ceil(HEAD_PX + legendPx + cells + GAP_PX + rows * TILE_PX * (shown.length > 1 ? 1 + 0.3 * (shown.length - 1) : 1) + GAP_PX);
  if (context === null) return height;
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--gd-${name}`).trim();
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = color("background");
  context.fillRect(0, 0, width, height);
  const text = (words, x, y, { size = 12, weight = 400, fill = "text", align = "left", most } = {}) => {
    context.font = `${weight} ${size}px ${FONT}`;
    context.fillStyle = color(fill);
    context.textAlign = align;
    context.textBaseline = "alphabetic";
    context.fillText(words, x, y, most);
  };
  shown.forEach(({ run, badge, painted, renderer }, k) => {
    const x = k * (column + GAP_PX);
    const { head } = painted;
    const title = shown.length > 1 ? `${badge}  ${run.name}` : run.name;
    text(title, x + 4, 18, { size: 14, weight: 600, most: column - 8 });
    text(`Round ${head.round.toLocaleString("en-US")} · ${(head.simTimeS / 3600).toFixed(1)} h${run.phaseOf(painted.index) ? ` · ${run.phaseOf(painted.index)}` : ""}`, x + 4, 37, { fill: "muted", most: column - 8 });
    legends[k].forEach((line, row) => paintLegendLine(context, line, { x: x + LABEL_PX, y: HEAD_PX + 14 + row * LEGEND_LINE_PX, text, color }));
    const { geometry, frame } = renderer;
    const cellsWidth = column - LABEL_PX;
    const top = HEAD_PX + legendPx;
    context.save();
    context.beginPath();
    context.rect(x + LABEL_PX, top, cellsWidth, geometry.height);
    context.clip();
    // The renderer paints in device pixels from its own corner.
    const part = document.createElement("canvas");
    part.width = Math.round(cellsWidth * scale);
    part.height = Math.round(geometry.height * scale);
    renderer.drawTo(part.getContext("2d"), part.width, part.height, scale);
    context.drawImage(part, x + LABEL_PX, top, cellsWidth, geometry.height);
    context.restore();
    frame.grid.bands.forEach(({ name, count, label }, b) => {
      const y = top + ((label - geometry.top) / (geometry.bottom - geometry.top)) * geometry.height;
      if (y < top || y > top + geometry.height) return;
      const share = count ? (100 * head.gpusUsed[b]) / count : 0;
      text(`${name.toUpperCase()} ${count.toLocaleString("en-US")}`, x + LABEL_PX - 8, y - 2, { weight: 600, align: "right", most: LABEL_PX - 10 });
      text(`${share.toFixed(1)}% busy`, x + LABEL_PX - 8, y + 13, { align: "right", fill: "muted" });
    });
    if (!painted.hasAllocation) text("No allocation data in this round", x + LABEL_PX + cellsWidth / 2, top + geometry.height / 2, { size: 14, align: "center" });
  });
  const values = shown.map(({ run, painted }) => tileValues(run, painted));
  const rowPx = TILE_PX * (shown.length > 1 ? 1 + 0.3 * (shown.length - 1) : 1);
  TILES.forEach((tile, i) => {
    const x = 4 + (i % TILES_IN_ROW) * (width / TILES_IN_ROW);
    const y = HEAD_PX + legendPx + cells + GAP_PX + Math.floor(i / TILES_IN_ROW) * rowPx;
    text(tile.label, x, y + 12, { fill: "muted" });
    values.forEach((own, k) => {
      const written = writeTile(tile, own[tile.key]);
      text(shown.length > 1 ? `${shown[k].badge}  ${written}` : written, x, y + 33 + k * 17, { size: shown.length > 1 ? 13 : 18, weight: 600 });
    });
  });
  return height;
}

/** Entries of a legend in lines that fit: [[{ label, color, x }]]. */
function legendLines(context, legend, most) {
  context.font = `400 12px ${FONT}`;
  const lines = [[]];
  let x = 0;
  for (const [, label, color] of legend) {
    const wide = context.measureText(label).width + 30;
    if (x > 0 && x + wide > most) {
      lines.push([]);
      x = 0;
    }
    lines.at(-1).push({ label, color, x });
    x += wide;
  }
  return lines;
}

function paintLegendLine(context, line, { x, y, text, color }) {
  for (const entry of line) {
    context.fillStyle = entry.color;
    context.fillRect(x + entry.x, y - 10, 11, 11);
    context.strokeStyle = color("border");
    context.lineWidth = 1;
    context.strokeRect(x + entry.x + 0.5, y - 9.5, 10, 10);
    text(entry.label, x + entry.x + 16, y);
  }
}
