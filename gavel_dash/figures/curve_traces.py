"""Traces of one curve: its seeds, its means with their interval, the paper's line. Tooltips in one order.

A tooltip says what, the value with its unit, n and interval, and where it comes from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.saturation import plateau_factor
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.paper import PaperCurve

Trace = dict[str, Any]
HOVER = "%{hovertext}<extra></extra>"
CENSORED_SIGN, WINDOW_SIGN = "↑", "†"
RUNS_IN_TOOLTIP = 4


def mean_trace(points: pd.DataFrame, style: CurveStyle, usual_window: str | None, floor_h: float, theme: str) -> Trace:
    """Means of a curve's points that have one, with error bars where there are several seeds.

    Parameters
    ----------
    points : DataFrame with the columns of `schema.CURVES` and `first_run` (what a click opens), by rate
    usual_window : str or None
        Points measured on another window carry a sign.
    floor_h : float, hours
        Lower end of the axis: an interval is drawn no further down (a logarithmic axis has no 0).
    """
    points = points[points["mean_jct_h"].notna()]
    mean = points["mean_jct_h"].to_numpy(dtype=float)
    high = points["high_jct_h"].to_numpy(dtype=float)
    low = np.maximum(points["low_jct_h"].to_numpy(dtype=float), min(floor_h, mean.min(initial=np.inf)))
    censored = points["censored"].to_numpy(dtype=bool)
    background = look.token(theme, "background")
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "name": look.escape(style.label),
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
            "color": [background if hollow else style.color for hollow in censored],
            "line": {"width": 1.5, "color": [style.color if hollow else background for hollow in censored]},
        },
        "text": [_signs(row, usual_window) for row in points.itertuples()],
        "textposition": "top center",
        "textfont": {"size": 13, "color": look.token(theme, "text")},
        "customdata": points["first_run"].tolist(),
        "hovertext": [point_text(row, style.label) for row in points.itertuples()],
        "hovertemplate": HOVER,
    }


def seed_trace(runs: pd.DataFrame, style: CurveStyle) -> Trace:
    """Every run of the points with several seeds as a small faint marker."""
    runs = runs[runs["mean_jct_h"].notna() & (runs["n_at_point"] > 1)]
    hollow = runs["mean_jct_is_lower_bound"].fillna(False).to_numpy(dtype=bool)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": look.escape(f"{style.label}, seeds"),
        "x": runs["arrival_rate_jph"].to_numpy(dtype=float),
        "y": runs["mean_jct_h"].to_numpy(dtype=float),
        "marker": {
            "symbol": [f"{style.shape}-open" if h else style.shape for h in hollow],
            "size": 6,
            "color": style.color,
            "opacity": 0.5,
        },
        "customdata": runs["run"].tolist(),
        "hovertext": [seed_text(row, style.label) for row in runs.itertuples()],
        "hovertemplate": HOVER,
    }


def unmeasured_trace(points: pd.DataFrame, style: CurveStyle, top_h: float) -> Trace:
    """Points without any mean (no window job completed), at the top edge: their JCT is beyond the chart."""
    points = points[points["mean_jct_h"].isna()]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": look.escape(f"{style.label}, no mean JCT"),
        "x": points["arrival_rate_jph"].to_numpy(dtype=float),
        "y": np.full(len(points), top_h),
        "marker": {"symbol": "triangle-up-open", "size": 10, "color": style.color, "line": {"width": 1.5}},
        "customdata": points["first_run"].tolist(),
        "hovertext": [point_text(row, style.label) for row in points.itertuples()],
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


def point_text(point: Any, label: str) -> str:
    """Tooltip of a point. `point` is a row of `schema.CURVES`."""
    lines = [f"<b>{look.escape(label)}</b> at {point.arrival_rate_jph:g} jph"]
    if pd.isna(point.mean_jct_h):
        lines.append("no mean JCT: no window job completed, or no window is known")
    else:
        lines.append(f"mean JCT {jct_text(point.mean_jct_h, point.censored)}")
        of_runs = "" if point.n_seeds == point.n_runs else f" of {point.n_runs} runs"
        interval = (
            "no interval"
            if pd.isna(point.low_jct_h)
            else f"95% interval {point.low_jct_h:.1f} to {point.high_jct_h:.1f} h"
        )
        lines.append(f"n = {point.n_seeds}{of_runs}: {interval}")
    lines += _measured(point.n_completed, point.n_window, point.window)
    if not pd.isna(point.mean_occupancy):
        lines.append(f"mean occupancy {point.mean_occupancy:.1%}")
    names = str(point.runs).split(" ")
    more = f" and {len(names) - RUNS_IN_TOOLTIP} more" if len(names) > RUNS_IN_TOOLTIP else ""
    lines += [look.escape(name) for name in names[:RUNS_IN_TOOLTIP]]
    return "<br>".join(lines) + more


def seed_text(run: Any, label: str) -> str:
    """Tooltip of one run. `run` is a row of `schema.RUNS`."""
    seed = "one run" if pd.isna(run.seed) else f"seed {run.seed}"
    censored = not pd.isna(run.mean_jct_is_lower_bound) and bool(run.mean_jct_is_lower_bound)
    lines = [
        f"<b>{look.escape(label)}</b> at {run.arrival_rate_jph:g} jph, {seed}",
        f"mean JCT {jct_text(run.mean_jct_h, censored)}",
        *_measured(run.n_completed, run.n_window, run.window),
    ]
    if not pd.isna(run.mean_occupancy):
        lines.append(f"mean occupancy {run.mean_occupancy:.1%}")
    return "<br>".join([*lines, look.escape(run.run)])


def jct_text(mean_jct_h: float, is_lower_bound: bool) -> str:
    """``16.3 h``, or ``≥ 16.3 h (lower bound)``."""
    return f"≥ {mean_jct_h:.1f} h (lower bound)" if is_lower_bound else f"{mean_jct_h:.1f} h"


def _measured(n_completed: Any, n_window: Any, window: Any) -> list[str]:
    lines = []
    if not pd.isna(n_window) and not pd.isna(n_completed):
        lines.append(f"{n_completed:,} of {n_window:,} window jobs completed")
    if not pd.isna(window):
        lines.append(f"window: jobs {look.escape(window)}")
    return lines


def _signs(point: Any, usual_window: str | None) -> str:
    other = not pd.isna(point.window) and usual_window is not None and point.window != usual_window
    return (CENSORED_SIGN if point.censored else "") + (WINDOW_SIGN if other else "")
