"""What a run's verdict rests on, in words and numbers: slope, throughput, and where its warm-up ends."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash.analysis.stability import FEWEST_BATCHES, UNDECIDED
from gavel_dash.figures import theme as look


def build_evidence(run: Any, confidence: float) -> list[Component]:
    """The lines of evidence of one run; one sentence where there is nothing to judge it by.

    Parameters
    ----------
    run : row of `schema.RUNS` at that confidence, with `has_rounds`
    confidence : float in (0, 1)
        Level of the intervals in the row.
    """
    if pd.isna(run["slope_jobs_per_h"]):
        reason = "too few rounds after warm-up" if run["has_rounds"] else "no rounds"
        ends = [] if pd.isna(run["mser_cut_h"]) else [_line("warm-up", warm_up_text(run))]
        return [html.Div(f"{reason}: no verdict", className="saturation-verdict gd-muted"), *ends]
    return [
        _verdict(run, confidence),
        _line(
            "slope", slope_text(run), "Of jobs in the system after warm-up: mean difference of successive batch means"
        ),
        _line(
            "throughput", ratio_text(run), "Completions per hour in the second half after warm-up, over arrival rate"
        ),
        _line("warm-up", warm_up_text(run), "Until the first job of the window arrives; MSER-5 on jobs in the system"),
    ]


def slope_text(run: Any) -> str:
    """``+0.42 [+0.31, +0.53] jobs/h, 16% [12%, 20%] of arrivals``."""
    low, mean, high = (float(run[f"slope_{part}jobs_per_h"]) for part in ("low_", "", "high_"))
    text = f"{signed(mean)} [{signed(low)}, {signed(high)}] jobs/h"
    rate = run["arrival_rate_jph"]
    if pd.isna(rate) or rate <= 0:
        return text
    share, share_low, share_high = (signed(value / rate * 100, digits=0) for value in (mean, low, high))
    return f"{text}, {share}% [{share_low}%, {share_high}%] of arrivals"


def ratio_text(run: Any) -> str:
    """``0.82 [0.79, 0.85] of the arrival rate``, or why there is none."""
    if pd.isna(run["throughput_over_rate"]):
        return "no arrival rate"
    low, high = run["throughput_over_rate_low"], run["throughput_over_rate_high"]
    return f"{run['throughput_over_rate']:.2f} [{low:.2f}, {high:.2f}] of the arrival rate"


def warm_up_text(run: Any) -> str:
    """``until 189 h (window), MSER-5 cut 212 h``; what is not known or not steady is said."""
    own = "no window" if pd.isna(run["warm_up_h"]) else f"until {run['warm_up_h']:,.0f} h (window)"
    if not run["mser_steady"]:
        return f"{own}; no steady state: the MSER-5 cut ({run['mser_cut_h']:,.0f} h) falls in the second half"
    return f"{own}, MSER-5 cut {run['mser_cut_h']:,.0f} h"


def why_undecided(run: Any) -> str:
    """What keeps a run between stable and unstable."""
    if run["n_batches"] < FEWEST_BATCHES:
        return f"only {run['n_batches']} batches, {FEWEST_BATCHES} are needed"
    grows, falls_behind = run["slope_low_jobs_per_h"] > 0, run["throughput_over_rate_high"] < 1
    if grows != falls_behind:
        return "slope and throughput disagree"
    return "the slope's interval is too wide to tell"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign; what rounds to zero has none."""
    rounded = round(float(value), digits)
    return f"{rounded:+,.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def _verdict(run: Any, confidence: float) -> Component:
    detail = f"{confidence * 100:g}% intervals, {run['n_batches']} batches"
    if pd.isna(run["verdict"]):
        return html.Div(["no arrival rate: no verdict; ", detail], className="saturation-verdict gd-muted")
    sign, color = look.VERDICT[run["verdict"]]
    if run["verdict"] == UNDECIDED:
        detail = f"{why_undecided(run)}; {detail}"
    return html.Div(
        [
            html.Span(sign, style={"color": color}, **{"aria-hidden": "true"}),
            html.Strong(run["verdict"]),
            html.Span(detail, className="gd-muted saturation-evidence-detail"),
        ],
        className="saturation-verdict",
    )


def _line(name: str, text: str, hint: str | None = None) -> Component:
    properties = {"title": hint} if hint else {}
    return html.Div([html.Span(name, className="gd-muted"), html.Span(text)], className="saturation-fact", **properties)
