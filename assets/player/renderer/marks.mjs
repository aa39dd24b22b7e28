// What is drawn over the cells: edges, node borders, shared GPUs, who came and moved, where a waiting job would fit, job
// ids where there is room.

import { fittingGpus } from "../worker/blocks.mjs";

const EDGES_FROM_PX = 4;
const NODES_FROM_PX = 6;
const SHARED_FROM_PX = 8;
const LABEL_WIDTH_PX = 30;
const LABEL_HEIGHT_PX = 15;
const MOST_LABELS = 800;

/** Whether the round itself is marked, beyond edges and node borders: then every frame draws its marks anew. */
export function hasRoundMarks({ geometry, painted, highlighted, waiting, width, height, ratio }) {
  const [scaleX, scaleY] = scalesOf(geometry, width, height);
  const isShared = painted.sharing.length > 0 && Math.min(scaleX, scaleY) / ratio >= SHARED_FROM_PX;
  return highlighted !== null || waiting !== null || painted.changes !== null || isShared || hasRoomForLabels(painted, scaleX / ratio, scaleY / ratio);
}

const scalesOf = ({ x0, x1, top, bottom }, width, height) => [width / (x1 - x0), height / (bottom - top)];
const hasRoomForLabels = ({ look }, cellWidth, cellHeight) => look !== "share" && cellWidth >= LABEL_WIDTH_PX && cellHeight >= LABEL_HEIGHT_PX;

/** Draw all marks of a round into a context of `width` x `height` device pixels. */
export function drawMarks(context, { frame, geometry, painted, offset, highlighted, waiting, width, height, ratio }) {
  const { grid } = frame;
  const { x0, top } = geometry;
  const [scaleX, scaleY] = scalesOf(geometry, width, height);
  const cell = Math.min(scaleX, scaleY) / ratio;
  const isNodes = painted.look === "share";
  const toPixels = new DOMMatrix([scaleX, 0, 0, scaleY, -x0 * scaleX, -top * scaleY]);
  const stroke = (path, color, lineWidth) => {
    const placed = new Path2D();
    placed.addPath(path, toPixels);
    context.strokeStyle = color;
    context.lineWidth = lineWidth * ratio;
    context.stroke(placed);
  };
  frame.edgesPath ??= new Path2D(frame.edges.path);
  frame.nodesPath ??= new Path2D(frame.nodes.path);
  if (cell >= EDGES_FROM_PX && !isNodes) stroke(frame.edgesPath, frame.edges.color, cell >= 8 ? 1 : 0.5);
  const nodes = isNodes ? scaleY / ratio : cell;
  if (frame.nodes.path && nodes >= NODES_FROM_PX) stroke(frame.nodesPath, isNodes ? frame.edges.color : frame.nodes.color, isNodes ? 1 : 1.25);

  const rectOf = (gpu) => {
    const band = bandOf(grid.bands, gpu);
    const i = gpu - band.first_gpu;
    const x = (i % grid.columns) - x0;
    const y = band.top + Math.floor(i / grid.columns) - top;
    return [x * scaleX, y * scaleY, scaleX, scaleY];
  };
  const isVisible = ([x, y, w, h]) => x + w > 0 && y + h > 0 && x < width && y < height;

  if (cell >= SHARED_FROM_PX) {
    context.strokeStyle = frame.background;
    context.lineWidth = 2 * ratio;
    for (const { gpu, storedIds } of painted.sharing) {
      if (new Set(storedIds.filter((id) => id !== 0)).size < 2) continue;
      const [x, y, w, h] = rectOf(gpu);
      context.beginPath();
      context.moveTo(x, y + h / 2);
      context.lineTo(x + w, y + h / 2);
      context.moveTo(x + w / 2, y);
      context.lineTo(x + w / 2, y + h);
      context.stroke();
    }
  }
  if (highlighted !== null) {
    const held = [];
    for (let gpu = 0; gpu < painted.ids.length; gpu += 1) if (painted.ids[gpu] !== 0 && painted.ids[gpu] === highlighted + offset) held.push(gpu);
    for (const { gpu, storedIds } of painted.sharing) if (highlighted + offset > 0 && storedIds.includes(highlighted + offset)) held.push(gpu);
    outline(context, held.map(rectOf).filter(isVisible), "#000000", [], ratio);
  }
  if (waiting !== null && painted.blocks.isKnown) {
    outline(context, fittingGpus(waiting, { ...painted, bands: grid.bands }).map(rectOf).filter(isVisible), "#000000", [2 * ratio, 2 * ratio], ratio);
  }
  if (painted.changes) {
    outline(context, painted.changes.started.map(rectOf).filter(isVisible), "#ffffff", [], ratio);
    outline(context, painted.changes.migrated.map(rectOf).filter(isVisible), "#000000", [4 * ratio, 3 * ratio], ratio);
  }
  if (hasRoomForLabels(painted, scaleX / ratio, scaleY / ratio)) {
    label(context, { grid, painted, offset, rectOf, isVisible, ratio, scaleX });
  }
}

/** Index of the band that holds a GPU; bands are few. */
function bandOf(bands, gpu) {
  let found = bands[0];
  for (const band of bands) if (gpu >= band.first_gpu && band.count > 0) found = band;
  return found;
}

/** Outlines inside cells: light on dark, so that they show on every colour. */
function outline(context, rects, color, dash, ratio) {
  const inset = 1.5 * ratio;
  for (const [style, width, pattern] of [[color === "#ffffff" ? "#000000" : "#ffffff", 3, []], [color, 1.5, dash]]) {
    context.strokeStyle = style;
    context.lineWidth = width * ratio;
    context.setLineDash(pattern);
    for (const [x, y, w, h] of rects) context.strokeRect(x + inset, y + inset, Math.max(1, w - 2 * inset), Math.max(1, h - 2 * inset));
  }
  context.setLineDash([]);
}

/** Black or white, whichever reads better on a pixel (little-endian RGBA). */
function inkOn(pixel) {
  const luminance = 0.299 * (pixel & 255) + 0.587 * ((pixel >> 8) & 255) + 0.114 * ((pixel >> 16) & 255);
  return luminance > 140 ? "#12151b" : "#ffffff";
}

function label(context, { grid, painted, offset, rectOf, isVisible, ratio, scaleX }) {
  const firstRows = new Map();
  grid.bands.reduce((row, band) => firstRows.set(band, row) && row + band.rows, 0);
  const pixelOf = (gpu) => {
    const band = bandOf(grid.bands, gpu);
    const i = gpu - band.first_gpu;
    const row = firstRows.get(band) + Math.floor(i / grid.columns);
    return row * grid.parts * grid.columns * grid.parts + (i % grid.columns) * grid.parts;
  };
  const shared = new Set(painted.sharing.map(({ gpu }) => gpu));
  const cells = [];
  for (let gpu = 0; gpu < painted.ids.length; gpu += 1) {
    if (painted.ids[gpu] === 0 || shared.has(gpu)) continue;
    const rect = rectOf(gpu);
    if (isVisible(rect)) cells.push([gpu, rect]);
    if (cells.length > MOST_LABELS) return;
  }
  context.font = `${Math.round(11 * ratio)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [gpu, [x, y, w, h]] of cells) {
    const text = String(painted.ids[gpu] - offset);
    if (text.length * 6.6 * ratio > scaleX - 6 * ratio) continue;
    context.fillStyle = inkOn(painted.pixels[pixelOf(gpu)]);
    context.fillText(text, x + w / 2, y + h / 2);
  }
}
