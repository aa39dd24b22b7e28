"""One curve against another, and ours against the paper's: differences against the arrival rate, around a zero line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.measures import DEFAULT_MEASURE, MEASURES
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.curve_traces import HOVER, WINDOW_SIGN, measure_words
from gavel_dash.figures.flags import Box, place_at_ends
from gavel_dash.figures.gain_text import AT_LEAST, bound_of, direction, gain_tooltip, paper_tooltip
from gavel_dash.figures.saturation import LEFT_PX, NARROW_PX, RIGHT_PX, WIDE_PX, Figure
from gavel_dash.schema import Column, gain_names, interval_names

GAIN_HEIGHT_PX = 256
TOP_PX, BOTTOM_PX = 28, 44  # the longest title of the vertical axis fits


@dataclass(frozen=True)
class _Line:
    """One trace: values in the axis's unit, shape (n,) each; NaN ends where there is no interval."""

    style: CurveStyle
    rate_jph: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bounds: list[str]
    signs: list[str]
    texts: list[str]


def _line(
    style: CurveStyle,
    rows: pd.DataFrame,
    name: str,
    scale: float,
    bounds: list[str],
    signs: list[str],
    texts: list[str],
) -> _Line:
    value, low, high = (rows[end].to_numpy(dtype=float) * scale for end in (name, *interval_names(name)))
    return _Line(style, rows["arrival_rate_jph"].to_numpy(dtype=float), value, low, high, bounds, signs, texts)


def build_gain(
    gains: pd.DataFrame, styles: dict[str, CurveStyle], measure: Column, percent: bool, x_end: float, theme: str
) -> Figure:
    """Gain, or difference, of every pair of curves against the arrival rate, in the look of the pair's first curve.

    Parameters
    ----------
    gains : DataFrame with the columns `schema.gain_columns(measure)`, one or more pairs of curves
    styles : dict of curve name to CurveStyle
    measure : Column
    percent : bool
        Percent of the second curve instead of the measure's unit.
    x_end : float, jobs per hour
        Right end of the axis, as in the chart above.
    theme : "light" or "dark"
    """
    name = gain_names(measure)[int(percent)]
    scale = _scale(measure, percent)
    lines = []
    for (of, _), rows in gains[gains[name].notna()].groupby(["of", "against"], sort=False):
        bounds = [bound_of(row) for row in rows.itertuples()]
        differ = rows["windows_differ"].fillna(False).to_numpy(dtype=bool)
        signs = [bound + (WINDOW_SIGN if other else "") for bound, other in zip(bounds, differ, strict=True)]
        texts = [gain_tooltip(row, measure, styles) for row in rows.itertuples()]
        lines.append(_line(styles[str(of)], rows, name, scale, bounds, signs, texts))
    words = measure_words(measure)
    title = f"{words[0].upper()}{words[1:]} {direction(measure)} by ({unit_of(measure, percent)})"
    return _chart(lines, title, x_end, f"{name} {measure.name}", theme)


def build_paper_error(
    errors: pd.DataFrame, styles: dict[str, CurveStyle], percent: bool, x_end: float, theme: str
) -> Figure:
    """How far our mean JCT lies above the paper's, for every curve that has one in the paper.

    Parameters
    ----------
    errors : DataFrame with the columns `schema.PAPER_ERROR`
    percent : bool
        Percent of the paper's value instead of hours.
    styles, x_end, theme
        As in `build_gain`.
    """
    name = "relative_error" if percent else "error_h"
    measure = MEASURES[DEFAULT_MEASURE]
    scale = _scale(measure, percent)
    lines = []
    for curve, rows in errors.groupby("curve", sort=False):
        bounds = [AT_LEAST if is_bound else "" for is_bound in rows["is_lower_bound"]]
        texts = [paper_tooltip(row, styles[str(curve)].label) for row in rows.itertuples()]
        lines.append(_line(styles[str(curve)], rows, name, scale, bounds, bounds, texts))
    return _chart(lines, f"Above the paper by ({unit_of(measure, percent)})", x_end, name, theme)


def pair_label(of: str, against: str, styles: dict[str, CurveStyle]) -> str:
    """What to call the comparison of two curves."""
    return f"{styles[of].label} against {styles[against].label}"


def _scale(measure: Column, percent: bool) -> float:
    """What a difference is multiplied with on the axis: shares are shown in percent."""
    return 100.0 if percent or measure.unit == "fraction" else 1.0


def unit_of(measure: Column, percent: bool) -> str:
    """Unit of a difference on the axis; one of two percentages is in percentage points."""
    if percent:
        return "%"
    return {"fraction": "points", "jobs/h": "jph"}.get(measure.unit, measure.unit)


def _chart(lines: Sequence[_Line], title: str, x_end: float, revision: str, theme: str) -> Figure:
    bounds = _y_bounds(lines)
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below"}
    return {
        "data": [_trace(line, theme) for line in lines],
        "layout": look.layout(
            theme,
            height=GAIN_HEIGHT_PX,
            margin={"l": LEFT_PX, "r": RIGHT_PX, "t": TOP_PX, "b": BOTTOM_PX},
            xaxis={"range": [0, x_end], "title": {"text": "Arrival rate (jobs per hour, jph)"}, "automargin": False},
            yaxis={
                "range": list(bounds),
                "nticks": 7,
                "title": {"text": title, "font": {"size": 12}},
                "automargin": False,
            },
            shapes=[zero | {"line": {"color": look.token(theme, "muted"), "width": 1.2}}],
            annotations=_end_names(lines, bounds, x_end, theme),
            modebar={"orientation": "v"},
            uirevision=revision,
        ),
    }


def _y_bounds(lines: Sequence[_Line]) -> tuple[float, float]:
    """Ends of the vertical axis: all values and intervals, and zero."""
    shown = np.concatenate([np.zeros(1), *(v for line in lines for v in (line.value, line.low, line.high))])
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    room = 0.12 * (high - low) or 1.0
    return low - room, high + room


def _trace(line: _Line, theme: str) -> dict[str, Any]:
    color, background = line.style.color, look.token(theme, "background")
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "name": look.escape(line.style.label),
        "x": line.rate_jph,
        "y": line.value,
        "error_y": {
            "type": "data",
            "array": line.high - line.value,
            "arrayminus": line.value - line.low,
            "thickness": 1.2,
            "width": 4,
            "color": color,
        },
        "line": {"color": color, "width": 1.8, "dash": line.style.dash},
        "marker": {
            "symbol": line.style.symbol,
            "size": 8,
            # As in the chart above: hollow where a lower bound is in it.
            "color": [background if bound else color for bound in line.bounds],
            "line": {"width": 1.5, "color": [color if bound else background for bound in line.bounds]},
        },
        "text": line.signs,
        "textposition": "top center",
        "textfont": {"size": 13, "color": look.token(theme, "text")},
        "hovertext": line.texts,
        "hovertemplate": HOVER,
    }


def _end_names(lines: Sequence[_Line], bounds: tuple[float, float], x_end: float, theme: str) -> list[dict[str, Any]]:
    """Names right of the last points, where there is room in the narrowest and the widest chart."""
    height_px = GAIN_HEIGHT_PX - TOP_PX - BOTTOM_PX
    shifts: list[list[float | None]] = []
    for width in (NARROW_PX, WIDE_PX):
        plot_px = width - LEFT_PX - RIGHT_PX
        in_px = [
            (line.rate_jph * plot_px / x_end, (line.value - bounds[0]) / (bounds[1] - bounds[0]) * height_px)
            for line in lines
        ]
        ends = [(float(x[-1]), float(y[-1])) for x, y in in_px]
        limits = Box(0, 0, plot_px + RIGHT_PX, height_px)
        zero_px = -bounds[0] / (bounds[1] - bounds[0]) * height_px
        in_the_way = [*in_px, (np.array([0.0, plot_px + RIGHT_PX]), np.array([zero_px, zero_px]))]
        shifts.append(place_at_ends(ends, [line.style.label for line in lines], in_the_way, limits))
    return [
        {
            "x": float(line.rate_jph[-1]),
            "y": float(line.value[-1]),
            "text": look.escape(line.style.label),
            "font": {"size": 12, "color": look.token(theme, "muted")},
            "showarrow": False,
            "xanchor": "left",
            "xshift": 9,
            "yshift": narrow,
        }
        for line, narrow, wide in zip(lines, *shifts, strict=True)
        if narrow is not None and narrow == wide
    ]
