"""The cumulative distribution of what is measured of jobs: one step curve per group, with its quantiles."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.distribution import JOB_MEASURES, LONG, SHORT, Distribution
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import LOOKS, PATTERNS
from gavel_dash.figures.player_colors import player_coloring
from gavel_dash.figures.run_style import RunStyle, default_color, style_runs

#: Points of a curve that are drawn; each lies on the curve, and its ends are kept.
MOST_POINTS = 400
#: Up to so many curves have marks at their quantiles; of more they would hide each other.
MOST_MARKED = 8
_QUANTILE_MARKS = {"p50": "circle", "p90": "square", "p95": "diamond", "p99": "triangle-up"}


def style_groups(groups: Sequence[str], split: str, runs: pd.DataFrame) -> dict[str, RunStyle]:
    """Label, colour and line pattern of each group, by its name; no two have the same pattern and colour.

    `runs` is the sweep's `schema.RUNS`, where the split is by run.
    """
    if split == "run":
        return style_runs(runs, groups, default_color(runs, groups))
    styles = {}
    for place, group in enumerate(groups):
        color, pattern = LOOKS[place % len(LOOKS)][0], PATTERNS[place % len(PATTERNS)]
        if split == "category":
            color = look.category_color(group)
        elif split == "scale_factor":
            color = _scale_color(group)
        elif group in (SHORT, LONG):
            pattern = "solid" if group == SHORT else "dash"
        styles[group] = RunStyle(_label(group, split), color, pattern)
    return styles


def _scale_color(group: str) -> str:
    """Colour of a scale factor, as the cluster is drawn by it."""
    coloring = player_coloring("scale_factor", "light", (), ())
    palette, rule = coloring["palette"], coloring["rule"]
    factor = int(group) if group.isdecimal() else 0
    code = next((code for largest, code in rule["steps"] if 0 < factor <= largest), rule["unknown"])
    return str(palette[code])


def _label(group: str, split: str) -> str:
    if split == "scale_factor" and group.isdecimal():
        return f"{group} GPU{'' if group == '1' else 's'}"
    return group.replace("_", " ")


def build_jct_distribution(
    found: Sequence[Distribution], styles: Mapping[str, RunStyle], measure: str, log_x: bool, theme: str
) -> dict[str, Any]:
    """Share of jobs at or below each value.

    A curve that ends below 100% ends at the longest time seen, with an open circle: the rest had not come so far. On a
    log axis values of 0 have no place; the curve begins at their share.

    Parameters
    ----------
    found : sequence of Distribution
    styles : mapping of group to RunStyle
    measure : str
        A key of `JOB_MEASURES`.
    log_x : bool
    theme : "light" or "dark"

    Returns
    -------
    Figure as a dict.
    """
    what = JOB_MEASURES[measure]
    shown = [d for d in found if len(d.values)]
    left = _left_end(shown, log_x)
    traces = [trace for d in shown for trace in _curve(d, styles[d.group], what.unit, left, theme)]
    if len(shown) <= MOST_MARKED:
        traces += [_quantiles(d, styles[d.group], what.unit, log_x) for d in shown]
    unit = f" ({what.unit})" if what.unit else ""
    return {
        "data": traces,
        "layout": look.layout(
            theme,
            margin={"l": 52, "r": 12, "t": 8, "b": 40},
            xaxis={
                "title": {"text": what.label + unit},
                "type": "log" if log_x else "linear",
                "tickformat": ",",
                **({"dtick": 1} if log_x else {"rangemode": "tozero"}),
            },
            yaxis={"title": {"text": "Share of jobs"}, "tickformat": ".0%", "range": [0, 1.02]},
        ),
    }


def _left_end(found: Sequence[Distribution], log_x: bool) -> float:
    """Where curves begin: at 0, or on a log axis left of the least positive value."""
    if not log_x:
        return 0.0
    positive = [float(d.values[d.values > 0][0]) for d in found if (d.values > 0).any()]
    return min(positive) / 1.1 if positive else 1.0


def _curve(d: Distribution, style: RunStyle, unit: str, left: float, theme: str) -> list[dict[str, Any]]:
    values, shares = d.values, d.shares
    if left > 0:
        at_zero = float(shares[values <= 0][-1]) if (values <= 0).any() else 0.0
        values, shares = values[values > 0], shares[d.values > 0]
    else:
        at_zero = 0.0
    if len(values) > MOST_POINTS:
        # Even in share and not in time: every part of the curve has its points.
        kept = np.unique(
            np.searchsorted(shares, np.linspace(shares[0], shares[-1], MOST_POINTS)).clip(0, len(values) - 1)
        )
        values, shares = values[kept], shares[kept]
    ends_below = d.longest > d.values[-1]
    x = np.concatenate([[left], values, [d.longest] if ends_below else []])
    y = (
        np.concatenate([[at_zero], shares, shares[-1:] if ends_below else []])
        if len(shares)
        else np.full(len(x), at_zero)
    )
    count = f"n = {d.n:,}" + (f", {d.n_censored:,} censored" if d.n_censored else "")
    suffix = f" {unit}" if unit else ""
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": look.escape(style.label),
        "x": _typed(x),
        "y": _typed(y),
        "line": {"color": style.color, "dash": style.dash, "width": 1.8, "shape": "hv"},
        "hovertemplate": f"{look.escape(style.label)}<br>%{{y:.1%}} of jobs within %{{x:,.3~f}}{suffix}<br>{count}"
        "<extra></extra>",
    }
    if not ends_below:
        return [line]
    rest = f"{look.escape(style.label)}<br>{d.n_censored:,} jobs had not come so far when the run ended"
    end = {
        "type": "scatter",
        "mode": "markers",
        "x": [d.longest],
        "y": [float(y[-1])],
        "marker": {"symbol": "circle-open", "size": 8, "color": style.color},
        "hovertemplate": f"{rest}<br>seen up to %{{x:,.1f}}{suffix}<extra></extra>",
    }
    return [line, end]


def _quantiles(d: Distribution, style: RunStyle, unit: str, log_x: bool) -> dict[str, Any]:
    """Marks at the quantiles that are reached."""
    reached = {stem: q.value for stem, q in d.quantiles.items() if not q.is_lower_bound and (q.value > 0 or not log_x)}
    suffix = f" {unit}" if unit else ""
    shares = [float(d.shares[np.searchsorted(d.values, value, side="right") - 1]) for value in reached.values()]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(reached.values()),
        "y": shares,
        "text": list(reached),
        "marker": {"symbol": [_QUANTILE_MARKS[stem] for stem in reached], "size": 7, "color": style.color},
        "hovertemplate": f"{look.escape(style.label)}<br>%{{text}}: %{{x:,.3~f}}{suffix}<br>n = {d.n:,}<extra></extra>",
    }


def _typed(values: np.ndarray) -> dict[str, str]:
    return {"dtype": "f4", "bdata": base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")}
