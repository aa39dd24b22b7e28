"""Jobs in the system over a run, small: the evidence for its verdict, and the round that is shown."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gavel_dash.analysis.phases import Phases
from gavel_dash.analysis.stability import CONFIDENCE, Evidence
from gavel_dash.figures import theme as look

HEIGHT_PX = 150
#: The two rows of labels above the plot, and the ticks below it.
TOP_PX, LABEL_ROW_PX, BOTTOM_PX = 32, 15, 24
MAX_POINTS = 400


def build_sparkline(
    sim_time_h: np.ndarray,
    jobs_in_system: np.ndarray,
    phases: Phases | None,
    index: int,
    theme: str,
    evidence: Evidence | None = None,
    confidence: float = CONFIDENCE,
    mser_cut_h: float | None = None,
    queued: np.ndarray | None = None,
) -> dict[str, Any]:
    """A line of jobs in the system against simulated time, with the growth that was fitted to it and the round shown.

    The slope goes through the centroid of the batch means (dots); its interval is the band between the two slopes at
    its ends. The measurement phase is shaded, the end of warm-up and the MSER-5 cut are labelled lines.

    Parameters
    ----------
    sim_time_h : ndarray of float, shape (n_rounds,), hours
    jobs_in_system : ndarray of int, shape (n_rounds,)
    phases : Phases or None
    index : int
        Record that is shown.
    theme : "light" or "dark"
    evidence : Evidence or None
    confidence : float in (0, 1)
        Level of the slope's interval.
    mser_cut_h : float or None, hours
    queued : ndarray of int, shape (n_rounds,), or None
        Of the jobs in the system those that hold no GPU; said in the tooltip.

    Returns
    -------
    Figure as a dict. Only its last trace, the line, can be hovered and clicked; the record index of each of its
    points is its customdata, so that a click can go there. The last shape is the round shown.
    """
    muted, text = look.token(theme, "muted"), look.token(theme, "text")
    shapes, labels, traces = [], [], []
    if phases is not None and phases.measurement_end > phases.measurement_start:
        shapes.append(_measurement(sim_time_h, phases))
    if evidence is not None:
        traces = _growth(evidence, confidence, theme)
    for row, (name, at_h, dash) in enumerate(_marks(sim_time_h, phases, mser_cut_h)):
        shapes.append(_vertical(at_h, {"color": muted, "width": 1.2, "dash": dash}, row))
        labels.append(_label(name, at_h, row, sim_time_h, text))
    shapes.append(_vertical(float(sim_time_h[index]), {"color": look.token(theme, "accent"), "width": 2}))
    traces.append(_line(sim_time_h, jobs_in_system, queued, muted))
    ends = {"autorange": False, "fixedrange": True, "automargin": False}
    span = [float(sim_time_h[0]), max(float(sim_time_h[-1]), float(sim_time_h[0]) + 0.1)]
    return {
        "data": traces,
        "layout": look.layout(
            theme,
            height=HEIGHT_PX,
            margin={"l": 46, "r": 8, "t": TOP_PX, "b": BOTTOM_PX},
            hovermode="x",
            dragmode=False,
            shapes=shapes,
            annotations=labels,
            xaxis={**ends, "range": span, "ticksuffix": " h", "nticks": 5, "showgrid": False},
            yaxis={**ends, "range": [0, max(float(jobs_in_system.max()), 1.0) * 1.06], "nticks": 4},
        ),
    }


def thin_out(values: np.ndarray, max_points: int) -> np.ndarray:
    """Indexes of at most about `max_points` values that keep every peak and dip: each bin's lowest and highest."""
    n = len(values)
    if n <= max_points:
        return np.arange(n)
    edges = np.linspace(0, n, max_points // 2 + 1).astype(int)
    bins = [(a, values[a:b]) for a, b in pairwise(edges)]
    kept = {0, n - 1} | {a + int(part.argmin()) for a, part in bins} | {a + int(part.argmax()) for a, part in bins}
    return np.array(sorted(kept))


def _line(sim_time_h: np.ndarray, jobs_in_system: np.ndarray, queued: np.ndarray | None, color: str) -> dict[str, Any]:
    shown = thin_out(jobs_in_system, MAX_POINTS)
    more = {} if queued is None else {"text": [f"{int(n):,} of them queued<br>" for n in queued[shown]]}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "jobs in the system",
        "x": sim_time_h[shown],
        "y": jobs_in_system[shown],
        "customdata": shown,
        "line": {"color": color, "width": 1.2},
        "hovertemplate": f"%{{y:,}} jobs in the system<br>{'%{text}' if more else ''}at %{{x:,.0f}} h<extra></extra>",
        **more,
    }


def _growth(evidence: Evidence, confidence: float, theme: str) -> list[dict[str, Any]]:
    """Band, line and batch means, from the back to the front."""
    text = look.token(theme, "text")
    time_h, jobs = np.array(evidence.batch_time_h), np.array(evidence.batch_jobs)
    ends_h = np.array([evidence.start_h, evidence.stop_h])

    def through_centroid(slope: float) -> np.ndarray:
        return jobs.mean() + slope * (ends_h - time_h.mean())

    low, high = (through_centroid(slope) for slope in evidence.slope.interval(confidence))
    base = {"type": "scatter", "hoverinfo": "skip"}
    return [
        {
            **base,
            "mode": "lines",
            "name": "interval of the slope",
            # The two lines cross at the centroid, so the outline runs along one and back along the other.
            "x": np.concatenate([ends_h, ends_h[::-1]]),
            "y": np.concatenate([low, high[::-1]]),
            "fill": "toself",
            "fillcolor": look.rgba(text, 0.14),
            "line": {"width": 0},
        },
        {
            **base,
            "mode": "lines",
            "name": "slope",
            "x": ends_h,
            "y": through_centroid(evidence.slope.mean),
            "line": {"color": text, "width": 1.6},
        },
        {
            **base,
            "mode": "markers",
            "name": "batch means",
            "x": time_h,
            "y": jobs,
            "marker": {"size": 6, "color": text, "line": {"width": 1, "color": look.token(theme, "panel")}},
        },
    ]


def _marks(sim_time_h: np.ndarray, phases: Phases | None, mser_cut_h: float | None) -> list[tuple[str, float, str]]:
    """Name, hour and dash of what ends a warm-up: the run's window, and the heuristic."""
    marks = []
    if phases is not None and phases.measurement_start < len(sim_time_h):
        marks.append(("warm-up ends", float(sim_time_h[phases.measurement_start]), "dash"))
    if mser_cut_h is not None:
        marks.append(("MSER-5 cut", mser_cut_h, "dot"))
    return marks


def _vertical(at_h: float, line: dict[str, Any], label_row: int = 0) -> dict[str, Any]:
    """A line over the plot, and up to its label where that is in a higher row."""
    top = 1 + LABEL_ROW_PX * label_row / (HEIGHT_PX - TOP_PX - BOTTOM_PX)
    return {"type": "line", "x0": at_h, "x1": at_h, "y0": 0, "y1": top, "yref": "paper", "line": line}


def _label(text: str, at_h: float, row: int, sim_time_h: np.ndarray, color: str) -> dict[str, Any]:
    """A label above the plot. Each has its own row, and grows to where there is more room: labels never meet."""
    in_left_half = at_h < (sim_time_h[0] + sim_time_h[-1]) / 2
    return {
        "text": text,
        "x": at_h,
        "y": 1,
        "yref": "paper",
        "xanchor": "left" if in_left_half else "right",
        "yanchor": "bottom",
        "yshift": LABEL_ROW_PX * row,
        "borderpad": 0,
        "showarrow": False,
        "font": {"size": 12, "color": color},
    }


def _measurement(sim_time_h: np.ndarray, phases: Phases) -> dict[str, Any]:
    last = len(sim_time_h) - 1
    return {
        "type": "rect",
        "x0": float(sim_time_h[min(phases.measurement_start, last)]),
        "x1": float(sim_time_h[min(phases.measurement_end, last)]),
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"width": 0},
        "fillcolor": look.rgba(look.PHASE["measurement"], 0.08),
        "layer": "below",
    }
