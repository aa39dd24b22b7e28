"""Shades and names of warm-up, measurement and cool-down behind a chart over simulated hours. Plain dicts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gavel_dash.analysis.phases import COOL_DOWN, MEASUREMENT, WARM_UP, Phases
from gavel_dash.figures import theme as look

#: Part of the chart's width that a name needs.
_ROOM = 0.12


def phase_shades(
    phases: Phases | None, edges_h: np.ndarray, left: float, right: float, theme: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shapes and annotations of each phase between two hours; the names stand right above the chart.

    Parameters
    ----------
    phases : Phases or None
    edges_h : ndarray of float64, shape (n_rounds + 1,), simulated hours
    left, right : float, simulated hours
    theme : str
    """
    if phases is None:
        return [], []
    ends = [-np.inf, float(edges_h[phases.measurement_start]), float(edges_h[phases.measurement_end]), np.inf]
    shapes, labels = [], []
    for name, (start, stop) in zip((WARM_UP, MEASUREMENT, COOL_DOWN), pairwise(ends), strict=True):
        a, b = max(start, left), min(stop, right)
        if a >= b:
            continue
        fill = look.rgba(look.PHASE[name], 0.08)
        edge = {"x0": a, "x1": b, "y0": 0, "y1": 1, "yref": "paper", "line": {"width": 0}}
        shapes.append({"type": "rect", **edge, "fillcolor": fill, "layer": "below"})
        if b - a > _ROOM * (right - left):
            font = {"size": 12, "color": look.token(theme, "muted")}
            place = {"x": (a + b) / 2, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
            labels.append({"text": name, **place, "font": font})
    return shapes, labels
