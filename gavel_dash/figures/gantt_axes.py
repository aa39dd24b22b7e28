"""Axes of a Gantt and what stands around its cells: hours below, GPU types at the left, phases above. Plain dicts."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import Any

import numpy as np

from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.gantt_view import GanttView
from gavel_dash.figures.heatmap_colors import edge_color
from gavel_dash.figures.player_frame import band_names
from gavel_dash.figures.theme import PHASE, rgba, token
from gavel_dash.model import Cluster

MARGIN = {"l": 108, "r": 16, "t": 52, "b": 40}
#: Height of the strip of phases above the cells.
STRIP_PX = 18
#: A phase narrower than this has no room for its name.
_PHASE_NAME_PX = 90
_TICKS = 8


def plot_px(height: int) -> int:
    """Height of the plot area in a figure of `height` pixels."""
    return max(1, height - MARGIN["t"] - MARGIN["b"])


def x_axis(view: GanttView, edges_h: np.ndarray) -> dict[str, Any]:
    places, texts = hour_ticks(edges_h, *view.x)
    return {
        "range": list(view.x),
        "minallowed": 0,
        "maxallowed": view.n_rounds,
        "showgrid": False,
        "automargin": False,
        "ticks": "outside",
        "tickmode": "array",
        "tickvals": places,
        "ticktext": texts,
        "title": {"text": "Simulated hours (columns are equal numbers of rounds)", "standoff": 4},
    }


def hour_ticks(edges_h: np.ndarray, low: float, high: float) -> tuple[list[float], list[str]]:
    """Round hours between two places on the record axis, and where they lie on it."""
    records = np.arange(len(edges_h))
    first_h, last_h = np.interp([low, high], records, edges_h)
    if not last_h > first_h:
        return [float(low)], [f"{first_h:,.1f}"]
    rough = (last_h - first_h) / _TICKS
    scale = 10.0 ** floor(log10(rough))
    step = next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= rough)
    hours = step * np.arange(ceil(first_h / step), floor(last_h / step) + 1)
    digits = max(0, -floor(log10(step)))
    places = np.interp(hours, edges_h, records)
    return places.tolist(), [f"{hour:,.{digits}f}" for hour in hours.tolist()]


def y_axis(view: GanttView, cluster: Cluster, busy_share: np.ndarray, theme: str) -> dict[str, Any]:
    places, texts = [], []
    for name, band, share in zip(band_names(cluster), view.grid.bands, busy_share.tolist(), strict=True):
        top, bottom = max(band.top, view.y[0]), min(band.top + band.count, view.y[1])
        if top >= bottom:
            continue
        is_whole = top == band.top and bottom == band.top + band.count
        first, last = floor(band.first_gpu + top - band.top), ceil(band.first_gpu + bottom - band.top) - 1
        part = "" if is_whole else f"<br>GPU {first:,}–{last:,}"
        places.append(band.label if is_whole else (top + bottom) / 2)
        texts.append(f"{name}<br>{share:.1%} busy{part}")
    return {
        "range": [view.y[1], view.y[0]],
        "minallowed": 0,
        "maxallowed": view.grid.height,
        "showgrid": False,
        "showline": False,
        "automargin": False,
        "ticks": "outside",
        "ticklen": 8,
        "tickcolor": "rgba(0,0,0,0)",
        "tickmode": "array",
        "tickvals": places,
        "ticktext": texts,
        "tickfont": {"size": 12, "color": token(theme, "text")},
    }


def _spans(phases: Phases | None, n_rounds: int) -> list[tuple[str, int, int]]:
    if phases is None:
        return []
    start, end = phases.measurement_start, phases.measurement_end
    spans = [("warm-up", 0, start), ("measurement", start, end), ("cool-down", end, n_rounds)]
    return [span for span in spans if span[2] > span[1]]


def phase_strip(phases: Phases | None, view: GanttView, height: int, theme: str) -> list[dict[str, Any]]:
    strip = {"type": "rect", "xref": "x", "yref": "paper", "y0": 1, "y1": 1 + STRIP_PX / plot_px(height)}
    return [
        {
            **strip,
            "name": name,
            "x0": first,
            "x1": stop,
            "fillcolor": rgba(token(theme, "accent") if name == "measurement" else PHASE[name], 0.22),
            "line": {"width": 1, "color": token(theme, "panel")},
        }
        for name, first, stop in _spans(phases, view.n_rounds)
    ]


def phase_names(phases: Phases | None, view: GanttView, height: int, theme: str) -> list[dict[str, Any]]:
    """Names of the phases at the left of the part that is in view."""
    names = []
    for name, first, stop in _spans(phases, view.n_rounds):
        left, right = max(first, view.x[0]), min(stop, view.x[1])
        if (right - left) * view.record_px >= _PHASE_NAME_PX:
            names.append(
                {
                    "text": name,
                    "x": left,
                    "xanchor": "left",
                    "y": 1 + STRIP_PX / 2 / plot_px(height),
                    "yref": "paper",
                    "yanchor": "middle",
                    "showarrow": False,
                    "font": {"size": 12, "color": token(theme, "text")},
                }
            )
    return names


def frames(view: GanttView, theme: str) -> list[dict[str, Any]]:
    """A thin line around every band: idle cells have the colour of the panel."""
    return [
        {
            "type": "rect",
            "x0": 0,
            "x1": view.n_rounds,
            "y0": band.top,
            "y1": band.top + band.count,
            "line": {"width": 1, "color": edge_color(theme)},
        }
        for band in view.grid.bands
    ]
