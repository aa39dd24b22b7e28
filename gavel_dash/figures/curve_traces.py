"""Traces of one curve: its seeds, its means with their interval, the paper's line. Tooltips in one order.

A tooltip says what, the value with its unit, n and interval, and where it comes from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.measures import lower_bounds
from gavel_dash.analysis.plateau_factor import plateau_factor
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.paper import PaperCurve
from gavel_dash.schema import Column, interval_names

Trace = dict[str, Any]
HOVER = "%{hovertext}<extra></extra>"
CENSORED_SIGN, WINDOW_SIGN = "↑", "†"
RUNS_IN_TOOLTIP = 4


def mean_trace(
    points: pd.DataFrame, measure: Column, style: CurveStyle, usual_window: str | None, floor: float, theme: str
) -> Trace:
    """A curve's points that have a value, with error bars where there are several seeds.

    Parameters
    ----------
    points : DataFrame with the columns `schema.curve_columns(measure)` and `first_run` (what a click opens), by rate
    usual_window : str or None
        Points measured on another window carry a sign.
    floor : float, in the measure's unit
        Lower end of the axis: an interval is drawn no further down (a logarithmic axis has no 0).
    """
    points = points[points[measure.name].notna()]
    low_name, high_name = interval_names(measure.name)
    mean = points[measure.name].to_numpy(dtype=float)
    high = points[high_name].to_numpy(dtype=float)
    low = np.maximum(points[low_name].to_numpy(dtype=float), min(floor, mean.min(initial=np.inf)))
    hollow = points["is_lower_bound"].to_numpy(dtype=bool)
    background = look.token(theme, "background")
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "name": look.escape(style.label),
        "meta": look.escape(style.label),  # which curve: the browser names it where points lie on each other
        "x": points["arrival_rate_jph"].to_numpy(dtype=float),
        "y": mean,
        "error_y": {
            "type": "data",
            "array": high - mean,
            "arrayminus": mean - low,
            "thickness": 1.2,
            "width": 4,
            "color": style.color,
        },
        "line": {"color": style.color, "width": 1.8, "dash": style.dash},
        "marker": {
            "symbol": style.symbol,
            "size": 9,
            # A lower bound is hollow: filled with the background, so that its line does not show through.
            "color": [background if is_bound else style.color for is_bound in hollow],
            "line": {"width": 1.5, "color": [style.color if is_bound else background for is_bound in hollow]},
        },
        "text": [_signs(row, usual_window) for row in points.itertuples()],
        "textposition": "top center",
        "textfont": {"size": 13, "color": look.token(theme, "text")},
        "customdata": points["first_run"].tolist(),
        "hovertext": [point_text(row, measure, style.label) for row in points.itertuples()],
        "hovertemplate": HOVER,
    }


def seed_trace(runs: pd.DataFrame, measure: Column, style: CurveStyle) -> Trace:
    """Every run of the points with several seeds as a small faint marker."""
    runs = runs[runs[measure.name].notna() & (runs["n_at_point"] > 1)]
    hollow = lower_bounds(runs, measure)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": look.escape(f"{style.label}, seeds"),
        "meta": look.escape(style.label),
        "x": runs["arrival_rate_jph"].to_numpy(dtype=float),
        "y": runs[measure.name].to_numpy(dtype=float),
        "marker": {
            "symbol": [f"{style.shape}-open" if is_bound else style.shape for is_bound in hollow],
            "size": 6,
            "color": style.color,
            "opacity": 0.5,
        },
        "customdata": runs["run"].tolist(),
        "hovertext": [
            seed_text(row, measure, is_bound, style.label)
            for row, is_bound in zip(runs.itertuples(), hollow, strict=True)
        ],
        "hovertemplate": HOVER,
    }


def unmeasured_trace(points: pd.DataFrame, measure: Column, style: CurveStyle, top: float) -> Trace:
    """Points without a JCT (no window job completed), at the top edge: their JCT is beyond the chart."""
    points = points[points[measure.name].isna()]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": look.escape(f"{style.label}, no {measure.label}"),
        "meta": look.escape(style.label),
        "x": points["arrival_rate_jph"].to_numpy(dtype=float),
        "y": np.full(len(points), top),
        "marker": {"symbol": "triangle-up-open", "size": 10, "color": style.color, "line": {"width": 1.5}},
        "customdata": points["first_run"].tolist(),
        "hovertext": [point_text(row, measure, style.label) for row in points.itertuples()],
        "hovertemplate": HOVER,
    }


def paper_trace(curve: PaperCurve, color: str, k: float) -> Trace:
    """The paper's line: thin, dotted, in the colour of ours; not clickable."""
    crossing = plateau_factor(curve.arrival_rate_jph, curve.mean_jct_h, k).rate_jph
    where = "does not cross" if crossing is None else f"at {crossing:.2f} jph crosses"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "x": curve.arrival_rate_jph,
        "y": curve.mean_jct_h,
        "line": {"color": color, "width": 1.2, "dash": "dot"},
        "hovertemplate": (
            f"<b>{curve.name}</b> at %{{x:.1f}} jph<br>mean JCT %{{y:.0f}} h<br>"
            f"{where} {k:g} times its plateau<br>"
            "digitised by eye from OSDI 2020<extra></extra>"
        ),
    }


def ring_trace(around: list[tuple[float, float]], theme: str) -> Trace:
    """A ring around the selected point, and a smaller one around its selected seed; none where nothing is selected."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "selected",
        "x": [x for x, _ in around],
        "y": [y for _, y in around],
        "marker": {
            "symbol": "circle-open",
            "size": [20, 13][: len(around)],
            "color": look.token(theme, "accent"),
            "line": {"width": 2.5, "color": look.token(theme, "accent")},
        },
        "hoverinfo": "skip",
    }


def point_text(point: Any, measure: Column, label: str) -> str:
    """Tooltip of a point. `point` is a row of `schema.curve_columns(measure)`."""
    value = getattr(point, measure.name)
    low, high = (getattr(point, name) for name in interval_names(measure.name))
    lines = [f"<b>{look.escape(label)}</b> at {point.arrival_rate_jph:g} jph"]
    if pd.isna(value):
        lines.append(f"no {measure_words(measure)}: {why_missing(measure)}")
    else:
        lines.append(f"{measure_words(measure)} {value_text(value, measure, point.is_lower_bound)}")
        of_runs = "" if point.n_seeds == point.n_runs else f" of {point.n_runs} runs"
        interval = (
            "no interval"
            if pd.isna(low)
            else f"{point.confidence * 100:g}% interval {number_text(low, measure)} to {value_text(high, measure)}"
        )
        lines.append(f"n = {point.n_seeds}{of_runs}: {interval}")
    if not pd.isna(point.verdict):
        lines.append(f"backlog: {point.verdict}")
    lines += _measured(point.n_completed, point.n_window, point.window)
    names = str(point.runs).split(" ")
    more = f" and {len(names) - RUNS_IN_TOOLTIP} more" if len(names) > RUNS_IN_TOOLTIP else ""
    lines += [look.escape(name) for name in names[:RUNS_IN_TOOLTIP]]
    return "<br>".join(lines) + more


def seed_text(run: Any, measure: Column, is_lower_bound: bool, label: str) -> str:
    """Tooltip of one run. `run` is a row of `schema.RUNS`."""
    seed = "one run" if pd.isna(run.seed) else f"seed {run.seed}"
    lines = [
        f"<b>{look.escape(label)}</b> at {run.arrival_rate_jph:g} jph, {seed}",
        f"{measure_words(measure)} {value_text(getattr(run, measure.name), measure, is_lower_bound)}",
    ]
    if not pd.isna(run.verdict):
        lines.append(f"backlog: {run.verdict}")
    return "<br>".join([*lines, *_measured(run.n_completed, run.n_window, run.window), look.escape(run.run)])


def measure_words(measure: Column) -> str:
    """A measure inside a sentence: its label without the unit, small but for abbreviations."""
    label = measure.label.split(" (")[0]
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def why_missing(measure: Column) -> str:
    """Why a point has no value of a measure."""
    if measure.unit == "h":
        return "no window job completed, or no window is known"
    return "no rounds to measure it on" if measure.name != "unfinished_share" else "no window is known"


def number_text(value: float, measure: Column) -> str:
    """A value in sensible digits, without its unit (percent sign excepted)."""
    if measure.unit == "fraction":
        return f"{value:.1%}"
    return f"{value:,.2f}" if measure.unit == "jobs/h" else f"{value:,.1f}"


UNIT_SIGNS = {"h": " h", "jobs/h": " jph", "jobs": " jobs"}


def value_text(value: float, measure: Column, is_lower_bound: bool = False) -> str:
    """``16.3 h``, ``93.1%``, or ``≥ 16.3 h (lower bound)``."""
    text = number_text(value, measure) + UNIT_SIGNS.get(measure.unit, "")
    return f"≥ {text} (lower bound)" if is_lower_bound else text


def _measured(n_completed: Any, n_window: Any, window: Any) -> list[str]:
    lines = []
    if not pd.isna(n_window) and not pd.isna(n_completed):
        lines.append(f"{n_completed:,} of {n_window:,} window jobs completed")
    if not pd.isna(window):
        lines.append(f"window: jobs {look.escape(window)}")
    return lines


def _signs(point: Any, usual_window: str | None) -> str:
    other = not pd.isna(point.window) and usual_window is not None and point.window != usual_window
    return (CENSORED_SIGN if point.is_lower_bound else "") + (WINDOW_SIGN if other else "")
