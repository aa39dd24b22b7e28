"""Jobs in the system over a run, small, with the round that is shown."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gavel_dash.analysis.phases import Phases
from gavel_dash.figures import theme as look

HEIGHT_PX = 92
MAX_POINTS = 400


def build_sparkline(
    sim_time_h: np.ndarray, jobs_in_system: np.ndarray, phases: Phases | None, index: int, theme: str
) -> dict[str, Any]:
    """A line of jobs in the system against simulated time; the measurement phase shaded, the round as a line.

    Parameters
    ----------
    sim_time_h : ndarray of float, shape (n_rounds,), hours
    jobs_in_system : ndarray of int, shape (n_rounds,)
    phases : Phases or None
    index : int
        Record that is shown.
    theme : "light" or "dark"

    Returns
    -------
    Figure as a dict; the record index of each point is its customdata, so that a click can go there.
    """
    shown = thin_out(jobs_in_system, MAX_POINTS)
    accent = look.token(theme, "accent")
    now = float(sim_time_h[index])
    shapes = [
        {"type": "line", "x0": now, "x1": now, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": accent, "width": 2}}
    ]
    if phases is not None and phases.measurement_end > phases.measurement_start:
        shapes.insert(0, _measurement(sim_time_h, phases))
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": sim_time_h[shown],
        "y": jobs_in_system[shown],
        "customdata": shown,
        "line": {"color": look.token(theme, "muted"), "width": 1.2},
        "hovertemplate": "%{y:,} jobs in the system<br>at %{x:,.0f} h<extra></extra>",
    }
    return {
        "data": [line],
        "layout": look.layout(
            theme,
            height=HEIGHT_PX,
            margin={"l": 46, "r": 8, "t": 6, "b": 24},
            hovermode="x",
            dragmode=False,
            shapes=shapes,
            xaxis={"ticksuffix": " h", "nticks": 5, "fixedrange": True, "showgrid": False, "automargin": False},
            yaxis={"rangemode": "tozero", "nticks": 3, "fixedrange": True, "automargin": False},
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
