"""What lies over the lines: warm-up, measurement and cool-down of each run's own window, and the cursor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gavel_dash.analysis.phases import COOL_DOWN, MEASUREMENT, WARM_UP
from gavel_dash.figures import theme as look
from gavel_dash.figures.run_style import RunStyle
from gavel_dash.figures.telemetry_panels import Panel

_ALPHA = {WARM_UP: 0.10, MEASUREMENT: 0.08, COOL_DOWN: 0.10}
#: How far down a chart the ticks of the other runs' phases reach.
_TICK = 0.06
#: Names of phases lie over the first chart's title.
LABEL_PX = 17


@dataclass(frozen=True)
class RunMarks:
    """What of a run can be marked on the x axis.

    Attributes
    ----------
    is_monotone : bool
        Whether x never goes back; else no place on the axis is a moment.
    phase_edges : tuple of 4 float, or None
        x at the start, at the begin and end of the measurement, and at the end of the run; None where no window is
        known.
    """

    is_monotone: bool
    phase_edges: tuple[float, float, float, float] | None


def phase_shapes(
    panel: Panel, marks: Mapping[str, RunMarks], styles: Mapping[str, RunStyle], with_ticks: bool
) -> list[dict[str, Any]]:
    """Shading by the phases of a chart's first run; ticks at the top where those of the others begin and end."""
    first, *others = panel.runs
    edges = phase_edges(marks, first)
    shapes = []
    if edges is not None:
        for phase, start, end in zip((WARM_UP, MEASUREMENT, COOL_DOWN), edges[:-1], edges[1:], strict=True):
            if end > start:
                shapes.append(_rectangle(panel, start, end, look.rgba(look.PHASE[phase], _ALPHA[phase])))
    if with_ticks:
        for run in others:
            theirs = phase_edges(marks, run)
            if theirs is not None and theirs != edges:
                shapes.append(_ticks(panel, theirs[1:3], styles[run].color))
    return shapes


def phase_edges(marks: Mapping[str, RunMarks], run: str) -> tuple[float, float, float, float] | None:
    """Phase edges of a run, where it has any on this axis."""
    return marks[run].phase_edges if run in marks else None


def phase_labels(
    marks: Mapping[str, RunMarks],
    runs: Sequence[str],
    view: tuple[float, float] | None,
    color: str,
    log_x: bool = False,
) -> list[dict[str, Any]]:
    """Names of the first run's phases, over the charts; each in the middle of what is in view of its phase."""
    edges = phase_edges(marks, runs[0])
    if edges is None:
        return []
    low, high = view or (edges[0], edges[-1])
    if log_x and low <= 0:
        low = edges[0]
    # Annotations, unlike shapes, lie at the logarithm.
    places = [math.log10(x) if log_x else x for x in (min(max(edge, low), high) for edge in edges)]
    width = math.log10(high) - math.log10(low) if log_x else high - low
    return [
        {
            "text": phase,
            "x": (start + end) / 2,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "yshift": LABEL_PX,
            "showarrow": False,
            "borderpad": 0,
            "font": {"size": 12, "color": color},
        }
        for phase, start, end in zip((WARM_UP, MEASUREMENT, COOL_DOWN), places[:-1], places[1:], strict=True)
        # A name wider than its phase would lie over its neighbour's.
        if end - start > 0.07 * width
    ]


def cursor_shapes(
    panels: Sequence[Panel],
    marks: Mapping[str, RunMarks],
    cursor: Mapping[tuple[str, str], tuple[float, float]],
    theme: str,
) -> list[dict[str, Any]]:
    """A line in each chart where its first run is; none where that is no place on the axis."""
    shapes = []
    for panel in panels:
        first = panel.runs[0]
        if (panel.field, first) in cursor and first in marks and marks[first].is_monotone:
            x = cursor[panel.field, first][0]
            line = {"color": look.token(theme, "accent"), "width": 1.5}
            shapes.append({**_place(panel), "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line})
    return [shape for shape in shapes if shape["x0"] == shape["x0"]]  # no line where x is not known


def _place(panel: Panel) -> dict[str, Any]:
    return {"xref": panel.x_axis, "yref": f"{panel.y_axis} domain"}


def _rectangle(panel: Panel, start: float, end: float, color: str) -> dict[str, Any]:
    box = {"type": "rect", "x0": start, "x1": end, "y0": 0, "y1": 1, "fillcolor": color, "layer": "below"}
    return {**_place(panel), **box, "line": {"width": 0}}


def _ticks(panel: Panel, places: Sequence[float], color: str) -> dict[str, Any]:
    path = " ".join(f"M {x:.9g},{1 - _TICK:g} L {x:.9g},1" for x in places)
    return {**_place(panel), "type": "path", "path": path, "line": {"color": color, "width": 1.5}}
