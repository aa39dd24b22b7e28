"""The saturation points in words and numbers: the table, the key of the chart, the sentences under it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.curve_traces import CENSORED_SIGN, WINDOW_SIGN
from gavel_dash.figures.saturation import SaturationData, rows_of, usual_window

METHODS = {"plateau_factor": "plateau factor"}
#: SVG dash patterns as Plotly draws them.
DASH_ARRAYS = {"solid": "none", "dash": "6 4", "dashdot": "6 3 1.5 3", "longdash": "9 4", "longdashdot": "9 3 1.5 3"}
#: The markers of `theme.policy_symbol` in a 12 x 12 box around (18, 7).
SHAPES = {
    "square": '<rect x="14" y="3" width="8" height="8"/>',
    "circle": '<circle cx="18" cy="7" r="4.5"/>',
    "diamond": '<path d="M18 1.5 23.5 7 18 12.5 12.5 7z"/>',
    "triangle-up": '<path d="M18 2 23 11H13z"/>',
    "triangle-down": '<path d="M18 12 23 3H13z"/>',
    "cross": '<path d="M16 2h4v3h3v4h-3v3h-4V9h-3V5h3z"/>',
    "x": '<path d="M14 3l4 4 4-4 1 1-4 3.5 4 3.5-1 1-4-4-4 4-1-1 4-3.5-4-3.5z"/>',
}


def swatch(style: CurveStyle) -> Component:
    """A small picture of the curve's line and marker, as the chart draws them. The name beside it says the rest."""
    dash = DASH_ARRAYS.get(style.dash, "none")
    dot = '<circle cx="18" cy="7" r="1.5" fill="white"/>' if style.symbol != style.shape else ""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="36" height="14">'
        f'<path d="M0 7H36" stroke="{style.color}" stroke-width="1.8" stroke-dasharray="{dash}"/>'
        f'<g fill="{style.color}">{SHAPES.get(style.shape, SHAPES["circle"])}</g>{dot}</svg>'
    )
    return html.Img(src=f"data:image/svg+xml,{quote(svg)}", alt="", className="saturation-swatch")


def build_key(data: SaturationData) -> list[Component]:
    """One entry per curve, in the order of the table."""
    return [
        html.Span([swatch(style), style.label], className="saturation-key-entry", title=curve)
        for curve, style in data.styles.items()
    ]


def build_table(data: SaturationData) -> Component:
    """Saturation point of every curve with what it rests on."""
    heads = [
        ("Curve", "figure, policy and setting", ""),
        ("Saturation (jph)", "arrival rate at which mean JCT crosses k times its plateau", "saturation-number"),
        ("95% interval", "bootstrap over seeds", "saturation-number"),
        ("Plateau (h)", "median mean JCT of the rates below half of the highest", "saturation-number"),
        ("k", "the crossing is at k times the plateau", "saturation-number"),
        ("Rates", "arrival rates with a mean JCT", "saturation-number"),
    ]
    head = [html.Th(text, title=hint, className=name, scope="col") for text, hint, name in heads]
    bodies = [html.Tbody(_rows(row, data.styles[row.curve])) for row in rows_of(data.saturation)]
    return html.Table([html.Thead(html.Tr(head)), *bodies], className="saturation-table")


def _rows(row: Any, style: CurveStyle) -> list[Component]:
    """The numbers of a curve, and under them its method and note: too long for a column."""
    reached = not pd.isna(row.estimate_jph)
    interval = "" if pd.isna(row.low_jph) else f"{row.low_jph:.2f} to {row.high_jph:.2f}"
    numbers = [
        html.Strong(f"{row.estimate_jph:.2f}") if reached else html.Span("not reached", className="gd-muted"),
        interval or html.Span("none", className="gd-muted"),
        "" if pd.isna(row.plateau_jct_h) else f"{row.plateau_jct_h:.1f}",
        f"{row.k:g}",
        str(row.n_rates),
    ]
    method = METHODS.get(row.method, row.method)
    note = method if pd.isna(row.note) or not row.note else f"{method}; {row.note}"
    return [
        html.Tr(
            [
                html.Th([swatch(style), html.Span(style.label, title=row.curve)], scope="row"),
                *(html.Td(number, className="saturation-number") for number in numbers),
            ]
        ),
        html.Tr(html.Td(note, colSpan=6, className="saturation-note")),
    ]


def notes_of(data: SaturationData) -> list[str]:
    """Sentences for what the chart cannot say by itself: not reached, signs, points without a mean."""
    notes = []
    unreached = rows_of(data.saturation[data.saturation["estimate_jph"].isna()])
    reasons = [("" if pd.isna(row.note) else row.note).split("; ")[0] or "no saturation point" for row in unreached]
    for reason in dict.fromkeys(reasons):
        labels = [data.styles[row.curve].label for row, own in zip(unreached, reasons, strict=True) if own == reason]
        # Mean JCT bends after the backlog: with a short window it can look flat on a run that is already unstable.
        hint = "; the backlog may grow before mean JCT does: see the jobs in the system of the last point"
        notes.append(f"{', '.join(labels)}: {reason}{hint if reason.startswith('not reached') else ''}.")
    by_usual: dict[str | None, set[str]] = {}
    for _, points in data.curves.groupby("curve"):
        usual = usual_window(points)
        by_usual.setdefault(usual, set()).update(set(points["window"].dropna()) - {usual})
    for usual, others in by_usual.items():
        if others:
            windows = ", ".join(sorted(others))
            notes.append(
                f"{WINDOW_SIGN} measured on jobs {windows} where the curve's other points use {usual}: "
                "a later window sees more of the backlog, so the two are not quite comparable."
            )
    if (data.curves["censored"] & data.curves["mean_jct_h"].notna()).any():
        notes.append(
            f"{CENSORED_SIGN} hollow: the run ended before all window jobs completed, so the mean is a lower bound."
        )
    unmeasured = int(data.curves["mean_jct_h"].isna().sum())
    if unmeasured:
        points = "1 point has" if unmeasured == 1 else f"{unmeasured} points have"
        notes.append(f"△ at the top edge: {points} no mean JCT; no window job completed, or no window is known.")
    return notes


def why_empty(data_runs: pd.DataFrame, n_all: int) -> str:
    """One sentence that says what is missing for a curve.

    Parameters
    ----------
    data_runs : DataFrame, `schema.RUNS`, the runs that pass the filters
    n_all : int
        Runs in the sweep.
    """
    if n_all == 0:
        return "This sweep holds no runs, so there is nothing to draw."
    if data_runs.empty:
        return f"None of the {n_all} runs passes the filters."
    if data_runs["status"].isin(["damaged", "unconverted"]).all():
        return "All runs are damaged or not converted yet; the Sweep page says what to do about each."
    if data_runs["arrival_rate_jph"].isna().all():
        return (
            "No run says at which arrival rate it ran. A rate comes from the file's config, a manifest, or a name "
            "like max_min_fairness_2.4jph_multi_s0."
        )
    return "No run has both an arrival rate and a file that can be read."
