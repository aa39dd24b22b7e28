// The scrubber's arithmetic: filling its frame (gavel_dash/figures/scrubber.py), its tooltip, ranges. No DOM.
// A position is a record index of the longest run; a range [from, to) of them is in view, whole numbers both.
// A lane is one run: { badge, series, x, endIndex, roundOf, completions }. `series` holds least, most and mean of
// stretches of records; `x` the positions where they start and, one entry more, where the last one ends; `endIndex` the
// record after the last stretch; `roundOf` gives the simulator's round number of a record; `completions` positions.

const MIN_WIDTH_POSITIONS = 10;
const PHASE_LABEL_PX = 90;

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const count = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1 });
const oneDigit = (value) => value.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
// A record is seen at every position from its own on: the cell of a position reaches half a position to either side.
const edge = (position) => Math.ceil(position) - 0.5;

/** Pixel of a position's middle, from the left of a track `width` pixels wide. */
export function pixelOf(position, width, [from, to]) {
  return ((position + 0.5 - from) / (to - from)) * width;
}

/** Position under a pixel, whole and in view. */
export function positionAt(px, width, [from, to]) {
  return width > 0 ? clamp(Math.floor(from + (px / width) * (to - from)), from, to - 1) : from;
}

function placed(from, width, nPositions) {
  const start = clamp(Math.round(from), 0, nPositions - width);
  return [start, start + width];
}

/** The range `factor` times as wide (below 1 zooms in), with position `anchor` where it was on screen. */
export function zoomRange([from, to], nPositions, anchor, factor) {
  // Rounded away from the old width, or small steps of a touchpad would never leave a narrow range.
  const wanted = factor > 1 ? Math.ceil((to - from) * factor) : Math.floor((to - from) * factor);
  const width = clamp(wanted, Math.min(MIN_WIDTH_POSITIONS, nPositions), nPositions);
  const share = (anchor + 0.5 - from) / (to - from);
  return placed(anchor + 0.5 - share * width, width, nPositions);
}

/** The range moved by a number of positions, as far as the timeline goes. */
export function panRange([from, to], nPositions, byPositions) {
  return placed(from + byPositions, to - from, nPositions);
}

/** Completions in view, thinned to one per pixel. */
export function rugPositions(completions, range, widthPx) {
  const ofPixel = new Map();
  for (const position of completions) {
    if (position < range[0] || position >= range[1]) continue;
    ofPixel.set(Math.floor(pixelOf(position, widthPx, range)), position);
  }
  return [...ofPixel.values()];
}

/** What is under a position, one text per line: a lone run in three lines, several runs in a line each below a head. */
export function hoverLines(lanes, position) {
  const stretches = lanes.map((lane) => stretchTexts(lane, position));
  if (lanes.length > 1) {
    const lines = stretches.map((stretch, row) => `${lanes[row].badge} · ${severalLine(stretch)}`);
    return ["Mean occupancy and jobs in the system (least–most)", ...lines];
  }
  return stretches.flatMap((stretch) => (stretch === null ? [NOTHING] : loneLines(stretch)));
}

const NOTHING = "no rounds loaded here"; // the run has ended, or this part of it has not come yet
const loneLines = ({ one, rounds, time, occupancy, jobs, spanOccupancy, spanJobs }) => [
  one ? `Round ${rounds} · ${time}` : `Rounds ${rounds}, mean · from ${time}`,
  `occupancy ${occupancy}${spanOccupancy}`,
  `${jobs} jobs in the system${spanJobs}`,
];
const severalLine = (stretch) => {
  if (stretch === null) return NOTHING;
  const { one, rounds, time, occupancy, jobs, spanOccupancy, spanJobs } = stretch;
  const when = one ? `round ${rounds} at ${time}` : `rounds ${rounds} from ${time}`;
  return `${when} · ${occupancy}${spanOccupancy} · ${jobs} jobs${spanJobs}`;
};

/** The stretch of a lane under a position in words, null where it has none; the time is that of its first record. */
function stretchTexts({ series, x, endIndex, roundOf }, position) {
  const n = series.startIndex.length;
  if (n === 0 || position < edge(x[0]) || position > edge(x[n])) return null;
  const k = firstWhere(n, (i) => edge(x[i + 1]) > position);
  const start = series.startIndex[k];
  const end = k + 1 < n ? series.startIndex[k + 1] : endIndex;
  const one = end - start === 1;
  return {
    one,
    rounds: count(roundOf(start)) + (one ? "" : `–${count(roundOf(end - 1))}`),
    time: `${oneDigit(series.timeH[k])} h`,
    occupancy: `${oneDigit(100 * series.occupancyMean[k])}%`,
    spanOccupancy: span(100 * series.occupancyMin[k], 100 * series.occupancyMax[k], "%"),
    jobs: count(series.jobsMean[k]),
    spanJobs: span(series.jobsMin[k], series.jobsMax[k], ""),
  };
}

const span = (least, most, unit) => (least === most ? "" : ` (${count(least)}–${count(most)}${unit})`);

/** Least index in [0, n) for which `holds` is true, n if none; false before true. */
function firstWhere(n, holds) {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * A copy of the frame with the lanes drawn over the range in view.
 * `clock` gives simulated hours at a position; `widthPx` is how wide the plot area is.
 */
export function fillScrubber(frame, lanes, range, clock, widthPx = 1000) {
  const figure = structuredClone(frame);
  const traces = new Map(figure.data.map((trace) => [trace.name, trace]));
  if (figure.data.length !== lanes.length * 5 + (lanes.length > 1)) {
    throw new Error(`scrubber: the frame has ${figure.data.length} traces, which is not for ${lanes.length} runs`);
  }
  lanes.forEach((lane, row) => fillLane(traces, lane, row, range, widthPx));
  if (lanes.length > 1) Object.assign(traces.get("badges"), badgeLabels(lanes, range));
  const { xaxis, yaxis2, shapes, annotations } = figure.layout;
  xaxis.range = [range[0] - 0.5, range[1] - 0.5];
  [xaxis.tickvals, xaxis.ticktext] = hourTicks(range, clock);
  const most = Math.max(0, ...lanes.map((lane) => mostJobs(lane, range)));
  yaxis2.range = [0, Math.max(1, most * 1.05)];
  [yaxis2.tickvals, yaxis2.ticktext] = countTicks(most);
  for (const label of annotations) placePhaseLabel(label, shapes, range, widthPx);
  return figure;
}

function fillLane(traces, { badge, series, x, completions }, row, range, widthPx) {
  const n = series.startIndex.length;
  if (x.length !== n + 1) throw new Error(`scrubber: run ${badge}: expected ${n + 1} bounds, found ${x.length}`);
  const edges = Float64Array.from(n ? x : [], edge);
  const fill = (part, values) => Object.assign(traces.get(`${part}-${badge}`), values);
  for (const part of ["occupancy", "jobs"]) {
    const [least, most, mean] = ["Min", "Max", "Mean"].map((kind) => series[part + kind]);
    // The last value once more at the end of its stretch: lines are drawn in steps.
    fill(part, { x: edges, y: Float64Array.from(edges, (_, i) => mean[Math.min(i, n - 1)]) });
    fill(`${part}-range`, rangeOutline(edges, least, most));
  }
  const rug = rugPositions(completions, range, widthPx);
  // Ticks of one line with gaps: an element each would cost more than the rest of the chart.
  fill("completions", {
    x: Float64Array.from(rug.flatMap((position) => [position, position, NaN])),
    y: Float64Array.from(rug.flatMap(() => [row - 0.35, row + 0.35, NaN])),
  });
}

/** Along the highest values to the right, and back along the lowest. */
function rangeOutline(edges, least, most) {
  const n = Math.max(0, edges.length - 1);
  const outline = { x: new Float64Array(4 * n), y: new Float64Array(4 * n) };
  for (let k = 0; k < n; k++) {
    for (const [side, value] of [[0, most[k]], [1, least[k]]]) {
      for (const end of [0, 1]) {
        const at = side ? 4 * n - 1 - 2 * k - end : 2 * k + end;
        outline.x[at] = edges[k + end];
        outline.y[at] = value;
      }
    }
  }
  return outline;
}

/** Stretches of a lane that are at least partly in view: [first, end). */
function stretchesInView({ series, x }, [from, to]) {
  const n = series.startIndex.length;
  return [firstWhere(n, (k) => Math.ceil(x[k + 1]) > from), firstWhere(n, (k) => Math.ceil(x[k]) >= to)];
}

function mostJobs(lane, range) {
  const [first, end] = stretchesInView(lane, range);
  return lane.series.jobsMax.slice(first, end).reduce((most, value) => Math.max(most, value), 0);
}

/** Every badge on its own line, and beside the others: lines may be close together. */
function badgeLabels(lanes, range) {
  const labels = { x: [], y: [], text: [] };
  lanes.forEach((lane, row) => {
    const [first, end] = stretchesInView(lane, range);
    if (first >= end) return;
    const wanted = range[0] + ((row + 1) / (lanes.length + 1)) * (range[1] - range[0]);
    const k = clamp(firstWhere(end, (i) => edge(lane.x[i + 1]) > wanted), first, end - 1);
    labels.x.push(clamp(wanted, edge(lane.x[k]), edge(lane.x[k + 1])));
    labels.y.push(lane.series.jobsMean[k]);
    labels.text.push(lane.badge);
  });
  return labels;
}

/** Positions at round hours, about eight of them, and their labels. */
function hourTicks([from, to], clock) {
  const [first, last] = to > from ? [clock(from), clock(to - 1)] : [NaN, NaN];
  if (!Number.isFinite(last - first)) return [[], []];
  if (last <= first) return [[from], [`${oneDigit(first)} h`]];
  const { step, decimals } = niceStep((last - first) / 8);
  const [positions, labels] = [[], []];
  for (let k = Math.ceil(first / step); k * step <= last; k++) {
    const hour = Number((k * step).toFixed(decimals));
    positions.push(from + firstWhere(to - from, (i) => clock(from + i) >= hour));
    labels.push(`${hour.toLocaleString("en-US", { maximumFractionDigits: decimals })} h`);
  }
  return [positions, labels];
}

function countTicks(most) {
  const step = most > 0 ? Math.max(1, niceStep(most / 3).step) : 1;
  const values = Array.from({ length: Math.floor(most / step) }, (_, k) => (k + 1) * step);
  return [values, values.map(count)];
}

/** The least of 1, 2, 5 times a power of ten that is not below `raw`, and the decimals it takes. */
function niceStep(raw) {
  const exponent = Math.floor(Math.log10(raw));
  const nice = [1, 2, 5, 10].find((factor) => factor * 10 ** exponent >= raw) ?? 10;
  return { step: nice * 10 ** exponent, decimals: clamp(-exponent, 0, 20) };
}

/** A phase's label stands where the phase comes into view, if there is room; other labels stay. */
function placePhaseLabel(label, shapes, [from, to], widthPx) {
  const shade = shapes.find((shape) => shape.name === label.name);
  if (shade === undefined) return;
  label.x = Math.max(shade.x0, from - 0.5);
  label.visible = ((Math.min(shade.x1, to - 0.5) - label.x) / (to - from)) * widthPx >= PHASE_LABEL_PX;
}
