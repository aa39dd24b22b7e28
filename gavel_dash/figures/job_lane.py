"""One job's life over simulated time: a row per state and GPU type, and below a row per GPU it ever held."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gavel_dash.analysis.job_life import (
    MIGRATED,
    PREEMPTED,
    RUNNING,
    STARTED,
    TYPE_MIGRATED,
    UNKNOWN,
    WAITING,
    Stretch,
)
from gavel_dash.analysis.phases import Phases
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import LOOKS
from gavel_dash.figures.phase_shades import phase_shades

#: Stretches that can be pointed at, the longest of a life first; all are drawn.
MOST_BARS = 3000
#: Up to so many events have a mark; more would hide the rows.
MOST_MARKS = 300
ROW_PX, LEAST_PX, MOST_PX = 13, 220, 640
#: Above the rows: two lines of legend, where the page is narrow, and the names of the phases.
_TOP_PX, _BOTTOM_PX = 60, 40
#: Sign of each event, with its word.
_EVENTS = {
    STARTED: ("triangle-right", "started"),
    PREEMPTED: ("triangle-down", "preempted"),
    MIGRATED: ("diamond", "migrated"),
    TYPE_MIGRATED: ("star", "migrated to other types"),
}


@dataclass(frozen=True)
class LaneRows:
    """Rows of the chart from the top: states, GPU types, then GPUs; `gpu_type` is the type's index, -1 for a state."""

    names: tuple[str, ...]
    gpu_type: tuple[int, ...]
    row_of_state: dict[str, int]
    row_of_type: dict[int, int]
    row_of_gpu: dict[int, int]

    @property
    def n_tall(self) -> int:
        """How many rows are of states and types; they are twice as tall as those of GPUs."""
        return len(self.row_of_state) + len(self.row_of_type)

    @property
    def bottom(self) -> float:
        """Where the last row ends on the vertical axis, which begins at 0 and goes down."""
        return 2.0 * self.n_tall + len(self.row_of_gpu)

    @property
    def height_px(self) -> int:
        """Height of the chart that shows them."""
        return int(min(max(_TOP_PX + _BOTTOM_PX + ROW_PX * self.bottom, LEAST_PX), MOST_PX))

    def middle(self, row: int) -> float:
        """Middle of a row on the vertical axis."""
        return 2.0 * row + 1 if row < self.n_tall else self.n_tall + row + 0.5


def lay_out_rows(
    stretches: Sequence[Stretch], type_names: Sequence[str], types: np.ndarray, lanes_per_gpu: int
) -> LaneRows:
    """Rows of a life: waiting and preempted always, the rest as far as it has them.

    Parameters
    ----------
    type_names : sequence of str
    types : ndarray of int, shape (n_gpus,)
        Index of the type of each GPU.
    """
    states = [WAITING, PREEMPTED] + [UNKNOWN] * any(s.state == UNKNOWN for s in stretches)
    gpus = sorted({lane // lanes_per_gpu for stretch in stretches for lane in stretch.lanes})
    held = sorted({int(types[gpu]) for gpu in gpus})
    names = [*states, *(f"on {type_names[t]}" for t in held), *(f"{type_names[types[g]]} {g}" for g in gpus)]
    n, m = len(states), len(states) + len(held)
    return LaneRows(
        tuple(names),
        (*[-1] * n, *held, *(int(types[gpu]) for gpu in gpus)),
        {state: row for row, state in enumerate(states)},
        {t: n + i for i, t in enumerate(held)},
        {gpu: m + i for i, gpu in enumerate(gpus)},
    )


def unmarked_events(stretches: Sequence[Stretch]) -> dict[str, int]:
    """Words and count of each event that comes more than `MOST_MARKS` times, so that only its first has a mark."""
    counts = {words: sum(s.event == event for s in stretches) for event, (_, words) in _EVENTS.items()}
    return {words: count for words, count in counts.items() if count > MOST_MARKS}


def build_job_lane(
    stretches: Sequence[Stretch],
    rows: LaneRows,
    types: np.ndarray,
    lanes_per_gpu: int,
    edges_h: np.ndarray,
    phases: Phases | None,
    index: int,
    theme: str,
) -> dict[str, Any]:
    """The chart. Its last trace is the line at the moment that is looked at, the record `index`.

    Parameters
    ----------
    stretches : sequence of Stretch
    rows : LaneRows
    types : ndarray of int, shape (n_gpus,)
    lanes_per_gpu : int
    edges_h : ndarray of float64, shape (n_rounds + 1,), simulated hours
    phases : Phases or None
    """
    start_h = np.array([edges_h[s.start] for s in stretches])
    stop_h = np.array([edges_h[s.stop] for s in stretches])
    cells = _cells(stretches, rows, types, lanes_per_gpu)
    traces = [_blocks(cells[row], start_h, stop_h, rows, row, theme) for row in range(len(rows.names)) if cells[row]]
    for row in range(rows.n_tall):
        longest = sorted(cells[row], key=lambda i: start_h[i] - stop_h[i])[:MOST_BARS]
        if longest:
            traces.append(_targets(longest, stretches, start_h, stop_h, row, rows, lanes_per_gpu))
    traces += _marks(stretches, start_h, rows, types, lanes_per_gpu, theme)
    x0, x1 = float(start_h[0]), float(stop_h[-1])
    margin = max(x1 - x0, 0.1) * 0.02
    shapes, labels = phase_shades(phases, edges_h, x0 - margin, x1 + margin, theme)
    moment = float(edges_h[index])
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": [moment, moment],
            "y": [0, rows.bottom],
            "line": {"color": look.token(theme, "accent"), "width": 2},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    )
    if rows.row_of_gpu:
        line = {"color": look.token(theme, "muted"), "width": 1, "dash": "dot"}
        y = 2 * rows.n_tall
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line})
    # A label needs 13 px: of many GPUs every second, third ... row has one.
    thin = max(1, -(-int(rows.bottom) * 13 // (rows.height_px - _TOP_PX - _BOTTOM_PX)))
    shown = [row for row in range(len(rows.names)) if row < rows.n_tall or (row - rows.n_tall) % thin == 0]
    return {
        "data": traces,
        "layout": look.layout(
            theme,
            barmode="overlay",
            bargap=0.2,
            margin={"l": 92, "r": 12, "t": _TOP_PX, "b": _BOTTOM_PX},
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "top", "yref": "container", "font": {"size": 12}},
            shapes=shapes,
            annotations=labels,
            xaxis={"range": [x0 - margin, x1 + margin], "tickformat": ",", "title": {"text": "Simulated time (h)"}},
            yaxis={
                "range": [rows.bottom, 0],
                "tickvals": [rows.middle(row) for row in shown],
                "ticktext": [look.escape(rows.names[row]) for row in shown],
                "fixedrange": True,
                "showgrid": False,
            },
        ),
    }


def _cells(stretches: Sequence[Stretch], rows: LaneRows, types: np.ndarray, lanes_per_gpu: int) -> list[list[int]]:
    """Which stretches each row shows."""
    cells: list[list[int]] = [[] for _ in rows.names]
    for i, stretch in enumerate(stretches):
        if stretch.state != RUNNING:
            cells[rows.row_of_state[stretch.state]].append(i)
        gpus = {lane // lanes_per_gpu for lane in stretch.lanes}
        for row in {rows.row_of_type[int(types[gpu])] for gpu in gpus} | {rows.row_of_gpu[gpu] for gpu in gpus}:
            cells[row].append(i)
    return cells


def _color(rows: LaneRows, row: int, theme: str) -> str:
    if rows.gpu_type[row] >= 0:
        return LOOKS[rows.gpu_type[row] % len(LOOKS)][0]
    return {WAITING: look.token(theme, "muted"), PREEMPTED: look.BASELINE_COLOR}.get(
        rows.names[row], look.rgba(look.token(theme, "muted"), 0.4)
    )


def _blocks(
    chosen: Sequence[int], start_h: np.ndarray, stop_h: np.ndarray, rows: LaneRows, row: int, theme: str
) -> dict[str, Any]:
    """All stretches of a row as one path; adjoining ones are one block."""
    at = np.array(chosen)
    gap = np.diff(at) > 1
    first, last = at[np.append(True, gap)], at[np.append(gap, True)]
    a, b = start_h[first], stop_h[last]
    x = np.stack([a, a, b, b, a, np.full(len(a), np.nan)], axis=1).ravel()
    middle, half = rows.middle(row), 0.75 if row < rows.n_tall else 0.38
    y = np.tile([middle - half, middle + half, middle + half, middle - half, middle - half, np.nan], len(a))
    color = _color(rows, row, theme)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _typed(x),
        "y": _typed(y),
        "fill": "toself",
        "fillcolor": color,
        "line": {"width": 0.5, "color": color},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _targets(
    chosen: Sequence[int],
    stretches: Sequence[Stretch],
    start_h: np.ndarray,
    stop_h: np.ndarray,
    row: int,
    rows: LaneRows,
    lanes_per_gpu: int,
) -> dict[str, Any]:
    """What can be pointed at: an unseen bar over each stretch, with its text."""
    start, stop = start_h[list(chosen)], stop_h[list(chosen)]
    return {
        "type": "bar",
        "orientation": "h",
        "base": _typed(start),
        "x": _typed(stop - start),
        "y": [rows.middle(row)] * len(chosen),
        "width": 1.8,
        "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        "hovertext": [
            _words(stretches[i], a, b, rows, row, lanes_per_gpu) for i, a, b in zip(chosen, start, stop, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _words(stretch: Stretch, start_h: float, stop_h: float, rows: LaneRows, row: int, lanes_per_gpu: int) -> str:
    rounds = stretch.stop - stretch.start
    how_long = f"for {stop_h - start_h:,.2f} h ({rounds:,} round{'' if rounds == 1 else 's'})"
    lines = [f"<b>{look.escape(rows.names[row])}</b> {how_long}", f"{start_h:,.2f} h to {stop_h:,.2f} h"]
    if stretch.lanes:
        gpus = sorted({lane // lanes_per_gpu for lane in stretch.lanes})
        some = ", ".join(map(str, gpus[:12])) + (" ..." if len(gpus) > 12 else "")
        share = "" if len(stretch.lanes) == len(gpus) * lanes_per_gpu else f", {len(stretch.lanes)} quarters of them"
        lines.append(f"GPU{'' if len(gpus) == 1 else 's'} {some}{share}")
    if stretch.event:
        lines.append(f"begins with: {stretch.event}")
    return "<br>".join(lines)


def _marks(
    stretches: Sequence[Stretch],
    start_h: np.ndarray,
    rows: LaneRows,
    types: np.ndarray,
    lanes_per_gpu: int,
    theme: str,
) -> list[dict[str, Any]]:
    """A sign where a stretch begins with an event; of those with too many only at the first."""
    traces = []
    for event, (symbol, words) in _EVENTS.items():
        at = [i for i, stretch in enumerate(stretches) if stretch.event == event]
        if not at:
            continue
        drawn = at if len(at) <= MOST_MARKS else at[:1]
        much = "" if drawn is at else " (first only)"
        y = []
        for i in drawn:
            lanes = stretches[i].lanes
            row = rows.row_of_type[int(types[lanes[0] // lanes_per_gpu])] if lanes else rows.row_of_state[PREEMPTED]
            y.append(rows.middle(row))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{words} {len(at):,}×{much}",
                "x": _typed(start_h[drawn]),
                "y": y,
                "marker": {
                    "symbol": symbol,
                    "size": 7,
                    "color": look.token(theme, "text"),
                    "line": {"width": 1, "color": look.token(theme, "background")},
                },
                "hovertemplate": f"{words} at %{{x:,.2f}} h<extra></extra>",
            }
        )
    return traces


def _typed(values: np.ndarray) -> dict[str, str]:
    return {"dtype": "f8", "bdata": base64.b64encode(values.astype("<f8").tobytes()).decode("ascii")}
