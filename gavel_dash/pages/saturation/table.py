"""The saturation points in words and numbers: the table, the key of the chart, the sentences under it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.analysis.saturation import (
    ESTIMATED,
    METHODS,
    NOT_REACHED,
    PLATEAU_FACTOR,
    beyond_jph,
    describe_disagreement,
)
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.curve_traces import CENSORED_SIGN, WINDOW_SIGN, measure_words, why_missing
from gavel_dash.figures.saturation import ChartOptions, SaturationData, chosen_rows, rows_of, usual_window

HINTS = {
    "stability": "Between the highest rate whose runs are stable and the lowest whose runs are unstable.",
    "plateau_factor": "Where mean JCT crosses k times its low-load plateau.",
    "capacity_fit": "Capacity in JCT = a + b / (1 - rate / capacity), fitted to uncensored points.",
}
#: Points named in a sentence.
POINTS_NAMED = 4
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


def build_table(data: SaturationData, options: ChartOptions) -> Component:
    """All three estimates of every curve, the chosen one first among them, and what they rest on."""
    if data.saturation.empty:
        return html.Div()
    level = f"{options.confidence * 100:g}%"
    heads = [
        html.Th("Curve", title="what tells the curve from the others", scope="col"),
        *(
            html.Th(
                label,
                title=f"{HINTS[method]} {level} interval in square brackets.",
                scope="col",
                className="saturation-number" + (" saturation-chosen" if method == options.method else ""),
            )
            for method, label in METHODS.items()
        ),
        html.Th("Verdicts", title="runs that are stable, undecided, unstable", scope="col"),
    ]
    bodies = [
        html.Tbody(_rows(rows, data.runs[data.runs["curve"] == curve], data.styles[str(curve)], options))
        for curve, rows in data.saturation.groupby("curve", sort=False)
    ]
    return html.Table([html.Thead(html.Tr(heads)), *bodies], className="saturation-table")


def _rows(rows: pd.DataFrame, runs: pd.DataFrame, style: CurveStyle, options: ChartOptions) -> list[Component]:
    """The numbers of a curve, and under them what limits them: too long for a column."""
    by_method = {row.method: row for row in rows_of(rows)}
    cells = [
        html.Td(
            _estimate(by_method[method]),
            className="saturation-number" + (" saturation-chosen" if method == options.method else ""),
            title=_text(by_method[method].note) or None,
        )
        for method in METHODS
    ]
    chosen = by_method[options.method]
    notes = [_text(chosen.note), describe_disagreement(rows, style.label) or ""]
    return [
        html.Tr(
            [
                html.Th([swatch(style), html.Span(style.label, title=chosen.curve)], scope="row"),
                *cells,
                html.Td(_verdict_counts(runs), className="saturation-verdicts"),
            ]
        ),
        html.Tr(
            html.Td(
                [html.Div(f"{METHODS[options.method]}: {notes[0]}") if notes[0] else None, html.Div(notes[1])],
                colSpan=2 + len(METHODS),
                className="saturation-note",
            )
        ),
    ]


def _estimate(row: Any) -> list[Any]:
    if row.status == ESTIMATED:
        return [html.Strong(f"{row.estimate_jph:.2f}"), html.Div(_interval(row), className="saturation-interval")]
    if row.status == NOT_REACHED:
        return [
            html.Span(f"> {beyond_jph(row.bracket_low_jph, row.highest_rate_jph):g}"),
            html.Div("not reached", className="saturation-interval"),
        ]
    return [html.Span("–", className="gd-muted"), html.Div("cannot be told", className="saturation-interval")]


def _interval(row: Any) -> str:
    bracket = "" if pd.isna(row.bracket_low_jph) else f"{row.bracket_low_jph:g} to {row.bracket_high_jph:g}"
    if pd.isna(row.low_jph) and pd.isna(row.high_jph):
        return bracket or "no interval"
    high = "…" if pd.isna(row.high_jph) else f"{row.high_jph:.2f}"
    return f"[{row.low_jph:.2f}, {high}]"


def _verdict_counts(runs: pd.DataFrame) -> list[Component]:
    counts = runs["verdict"].value_counts()
    return [
        html.Span(
            [html.Span(sign, style={"color": color}), f" {counts[verdict]}"],
            title=f"{counts[verdict]} runs are {verdict}",
            className="saturation-verdict-count",
        )
        for verdict, (sign, color) in look.VERDICT.items()
        if counts.get(verdict, 0)
    ] or [html.Span("no rounds", className="gd-muted")]


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def notes_of(data: SaturationData, options: ChartOptions) -> list[str]:
    """Sentences for what the chart cannot say by itself: not reached, late bends, signs, points without a value."""
    notes = []
    chosen = chosen_rows(data, options)
    unreached = rows_of(chosen[chosen["status"] == NOT_REACHED])
    if unreached:
        said = ", ".join(
            f"{data.styles[row.curve].label} > {beyond_jph(row.bracket_low_jph, row.highest_rate_jph):g} jph"
            for row in unreached
        )
        notes.append(f"Not reached within the swept rates ({METHODS[options.method]}): {said}.")
    notes += [note for note in (_late_bend(data, options), _windows(data), *_signs(data)) if note]
    return notes


def _late_bend(data: SaturationData, options: ChartOptions) -> str | None:
    """Points whose backlog grows while their mean JCT is still far from the plateau factor's threshold."""
    plateau = data.saturation[data.saturation["method"] == PLATEAU_FACTOR].set_index("curve")["plateau_jct_h"]
    runs = data.runs[(data.runs["slope_low_jobs_per_h"] > 0) & data.runs["mean_jct_h"].notna()]
    runs = runs[runs["mean_jct_h"] < options.k * runs["curve"].map(plateau)]
    if runs.empty:
        return None
    points = [
        f"{data.styles[str(curve)].label} at {rate:g} jph"
        for curve, rate in runs[["curve", "arrival_rate_jph"]].drop_duplicates().itertuples(index=False)
    ]
    named = ", ".join(points[:POINTS_NAMED]) + (
        f" and {len(points) - POINTS_NAMED} more" * (len(points) > POINTS_NAMED)
    )
    return (
        f"Mean JCT bends late: a window of jobs that arrive early sees little of the backlog: at {named} it is "
        f"below {options.k:g} times its plateau while the jobs in the system already grow (their slope's interval lies "
        "above 0)."
    )


def _windows(data: SaturationData) -> str | None:
    others: dict[str, set[str]] = {}
    for _, points in data.curves.groupby("curve"):
        usual = usual_window(points)
        if usual is not None:
            others.setdefault(usual, set()).update(set(points["window"].dropna()) - {usual})
    said = [f"jobs {', '.join(sorted(windows))} instead of {usual}" for usual, windows in others.items() if windows]
    if not said:
        return None
    return f"{WINDOW_SIGN} measured on {'; '.join(said)}: a later window sees more of the backlog, so it bends earlier."


def _signs(data: SaturationData) -> list[str]:
    measure, notes = data.measure, []
    words = measure_words(measure)
    if (data.curves["is_lower_bound"] & data.curves[measure.name].notna()).any():
        notes.append(
            f"{CENSORED_SIGN} hollow: the run ended before enough window jobs completed, so {words} is a lower bound."
        )
    unmeasured = int(data.curves[measure.name].isna().sum())
    if unmeasured:
        points = "1 point has" if unmeasured == 1 else f"{unmeasured} points have"
        where = "△ at the top edge: " if measure.unit == "h" else ""
        notes.append(f"{where}{points} no {words}: {why_missing(measure)}.")
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
    if data_runs["status"].isin(schema.NOT_MEASURED).all():
        return "All runs are damaged, still running or not converted yet; the Sweep page says what to do about each."
    if data_runs["arrival_rate_jph"].isna().all():
        return (
            "No run says at which arrival rate it ran. A rate comes from the file's config, a manifest, or a name "
            "like max_min_fairness_2.4jph_multi_s0."
        )
    return "No run has both an arrival rate and a file that can be read."
