"""What the gain panel shows: its tables as data and as HTML, and the sentences under them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.analysis.gain import (
    default_pairs,
    summarize_gain,
    summarize_paper_error,
    summarize_paper_fit,
    twin_pairs,
)
from gavel_dash.analysis.measures import DEFAULT_MEASURE
from gavel_dash.errors import UsageError
from gavel_dash.figures.curve_traces import UNIT_SIGNS, WINDOW_SIGN, measure_words, number_text
from gavel_dash.figures.gain import pair_label, unit_of
from gavel_dash.figures.gain_text import AT_LEAST, AT_MOST, EITHER_WAY, bound_of, direction
from gavel_dash.figures.paper import PaperCurve, paper_curve, paper_source
from gavel_dash.figures.saturation import SaturationData, rows_of
from gavel_dash.model import natural_order
from gavel_dash.pages.saturation.table import swatch
from gavel_dash.schema import Column, gain_columns, gain_names, interval_names

#: Beyond this many, rates in a sentence are counted.
RATES_NAMED = 4
MINUS = "−"  # as wide as a plus, and as the axes write it
BEFORE_NUMBER = {"": "", AT_LEAST: "≥ ", AT_MOST: "≤ ", EITHER_WAY: f"{EITHER_WAY} "}
BOUND_NOTES = {
    AT_LEAST: "the second curve's value is a lower bound, so the gain is at least this",
    AT_MOST: "the first curve's value is a lower bound, so the gain is at most this",
    EITHER_WAY: "both values are lower bounds, so the gain may be larger or smaller",
}


def pairs_of(data: SaturationData, of: str, against: str) -> list[tuple[str, str]]:
    """Pairs of curves to compare; empty where there are fewer than two curves.

    Parameters
    ----------
    of : str
        A curve, or empty: every heterogeneity-aware curve with its twin, where there is none the first two curves.
    against : str
        A curve, or empty: the twin of `of`, where it has none the first other curve.

    Raises
    ------
    UsageError
        Where a name is no curve that is shown, or the two are the same.
    """
    if not of:
        return default_pairs(data.curves)
    if of == against:
        raise UsageError("choose two different curves to compare")
    unknown = [name for name in (of, against) if name and name not in data.styles]
    if unknown:
        raise UsageError(f"no curve named {' or '.join(unknown)} is shown; there are {', '.join(data.styles)}")
    twins = twin_pairs(data.curves)
    others = [name for pair in twins if of in pair for name in pair] + list(data.styles)
    partner = against or next((name for name in others if name != of), None)
    return [] if partner is None else [(of, partner)]


def gain_table(data: SaturationData, of: str = "", against: str = "") -> pd.DataFrame:
    """Gains of the pairs that `pairs_of` gives, `schema.gain_columns(data.measure)`; raises as `pairs_of`."""
    levels = data.curves["confidence"]
    tables = [
        summarize_gain(data.runs, *pair, data.measure, float(levels.iloc[0])) for pair in pairs_of(data, of, against)
    ]
    rows = [row for table in tables for row in table.to_dict("records")]
    return schema.build_frame(rows, gain_columns(data.measure))


def paper_error_table(data: SaturationData) -> pd.DataFrame:
    """Error of every curve that has one in the paper, `schema.PAPER_ERROR`.

    Raises
    ------
    UsageError
        Where the measure is not mean JCT, or no curve has one in the paper.
    """
    if data.measure.name != DEFAULT_MEASURE:
        raise UsageError("the paper's curves are of mean JCT: show mean JCT to compare with them")
    lines = paper_lines(data)
    if not lines:
        raise UsageError("none of these curves has one in the paper")
    return summarize_paper_error(
        data.curves, {name: (line.arrival_rate_jph, line.mean_jct_h) for name, line in lines.items()}
    )


def paper_lines(data: SaturationData) -> dict[str, PaperCurve]:
    """The paper's curve of every curve that has one, by the name of ours."""
    keys = data.curves.drop_duplicates("curve")[["curve", "figure", "policy"]].dropna()
    lines = {row.curve: paper_curve(row.figure, row.policy) for row in rows_of(keys)}
    return {name: line for name, line in lines.items() if line is not None}


def build_gain_table(gains: pd.DataFrame, data: SaturationData) -> Component:
    """One row per rate, under the name of each pair."""
    measure = data.measure
    unit = _unit(measure)
    columns = {column.name: column for column in gain_columns(measure)}
    gain, relative = gain_names(measure)
    by = f"{direction(measure).capitalize()} by"
    heads = [
        ("Rate (jph)", columns["arrival_rate_jph"].meaning),
        (f"Curve{unit}", columns[f"of_{measure.name}"].meaning),
        (f"Against{unit}", columns[f"against_{measure.name}"].meaning),
        (f"{by} ({unit_of(measure, percent=False)})", columns[gain].meaning),
        (f"{_level(gains)} interval", "Student's t over the seed pairs; empty for n = 1"),
        (f"{by} (%)", columns[relative].meaning),
        ("n", columns["n_pairs"].meaning),
    ]
    bodies = [
        _body(
            data, str(of), pair_label(str(of), str(against), data.styles), [_gain_cells(r, measure) for r in rows_of(g)]
        )
        for (of, against), g in gains.groupby(["of", "against"], sort=False)
    ]
    return _table(heads, bodies)


def build_paper_table(errors: pd.DataFrame, data: SaturationData) -> Component:
    """One row per rate, under the name of each curve with its mean absolute error."""
    columns = {column.name: column for column in schema.PAPER_ERROR}
    fits = {row.curve: row for row in rows_of(summarize_paper_fit(errors))}
    heads = [
        ("Rate (jph)", columns["arrival_rate_jph"].meaning),
        ("Ours (h)", columns["mean_jct_h"].meaning),
        ("Paper (h)", f"{columns['paper_mean_jct_h'].meaning}; ~ interpolated between two of its points"),
        ("Higher by (h)", columns["error_h"].meaning),
        (f"{_level(errors)} interval", columns["error_low_h"].meaning.removeprefix("lower end, ")),
        ("Higher by (%)", columns["relative_error"].meaning),
        ("n", columns["n_seeds"].meaning),
    ]
    bodies = []
    for curve, rows in errors.groupby("curve", sort=False):
        fit = fits[str(curve)]
        rates = f"{fit.n_rates} rate{'s' if fit.n_rates > 1 else ''}"
        name = f"{data.styles[str(curve)].label}: mean absolute error {fit.mean_absolute_relative_error:.1%}, {rates}"
        bodies.append(_body(data, str(curve), name, [_paper_cells(row, data.measure) for row in rows_of(rows)]))
    return _table(heads, bodies)


def gain_notes(gains: pd.DataFrame, data: SaturationData, of: str = "", against: str = "") -> list[str]:
    """How to read the gain, and what limits it."""
    pairs = pairs_of(data, of, against)
    if not pairs:
        return ["One curve has nothing to be compared with: show at least two."]
    measure = data.measure
    notes = [
        f"Above zero: {measure_words(measure)} of the first curve is {direction(measure)}. "
        "Only seeds that both curves have at a rate are compared, each with itself."
    ]
    compared = set(zip(gains["of"], gains["against"], strict=True))
    notes += [f"{pair_label(*pair, data.styles)}: no arrival rate in common." for pair in pairs if pair not in compared]
    for (first, second, note), rows in gains.groupby(["of", "against", "note"], sort=False):
        rates = _rates(rows["arrival_rate_jph"])
        notes.append(f"{pair_label(str(first), str(second), data.styles)} at {rates}: {note}.")
    single = gains["n_pairs"] == 1
    if single.any():
        notes.append(f"One seed pair {'per rate' if single.all() else 'at some rates'}: no interval.")
    bounds = [bound_of(row) for row in rows_of(gains)]
    notes += [
        f"{sign} hollow, {BEFORE_NUMBER[sign].strip()} in the table: {words}."
        for sign, words in BOUND_NOTES.items()
        if sign in bounds
    ]
    differ = gains[gains["windows_differ"].fillna(False).astype(bool)]
    if len(differ):
        windows = dict.fromkeys(f"{row.of_window} against {row.against_window}" for row in rows_of(differ))
        notes.append(
            f"{WINDOW_SIGN} the two curves measure different jobs there ({', '.join(windows)}): "
            "the difference is not of the policies alone."
        )
    value, share = (gains[name] for name in gain_names(measure))
    if (value.notna() & share.isna()).any():
        notes.append("No percentage where the second curve is at 0.")
    return notes


def paper_notes(errors: pd.DataFrame, data: SaturationData) -> list[str]:
    """Where the paper's numbers come from, and what is not compared."""
    notes = [f"Above zero: mean JCT is higher than the paper's. Paper: {paper_source()}."]
    lines = paper_lines(data)
    measured = data.curves[data.curves["curve"].isin(lines.keys()) & data.curves["mean_jct_h"].notna()]
    outside = []
    for curve, points in measured.groupby("curve", sort=False):
        compared = errors.loc[errors["curve"] == curve, "arrival_rate_jph"]
        rates = set(points["arrival_rate_jph"]) - set(compared)
        if rates:
            outside.append(f"{data.styles[str(curve)].label} at {_rates(rates)}")
    if outside:
        notes.append(f"Not compared, outside the rates that the paper shows: {', '.join(outside)}.")
    if errors["is_interpolated"].any():
        notes.append("~ the paper's value is interpolated between two of its points.")
    windows = sorted({one for text in errors["window"].dropna() for one in text.split(" ")}, key=natural_order)
    if windows:
        notes.append(f"Ours measure jobs {', '.join(windows)}; which jobs the paper measured its curves do not say.")
    if errors["is_lower_bound"].any():
        notes.append(f"{AT_LEAST} hollow: ours is a lower bound, so it lies higher by at least this.")
    if (errors["n_seeds"] == 1).any():
        notes.append("No interval where a rate has one seed.")
    return notes


def _rates(rates: Iterable[float]) -> str:
    """``1, 2.4 jph``, or ``0.5 to 3 jph (12 rates)`` where there are many."""
    known = sorted(rates)
    if len(known) > RATES_NAMED:
        return f"{known[0]:g} to {known[-1]:g} jph ({len(known)} rates)"
    return f"{', '.join(f'{rate:g}' for rate in known)} jph"


def _level(table: pd.DataFrame) -> str:
    return f"{table['confidence'].iloc[0] * 100:g}%"


def _unit(measure: Column) -> str:
    sign = " %" if measure.unit == "fraction" else UNIT_SIGNS.get(measure.unit, "")
    return f" ({sign.strip()})" if sign else ""


def _gain_cells(row: Any, measure: Column) -> list[Component]:
    gain, relative = gain_names(measure)
    low, high = interval_names(gain)
    before = BEFORE_NUMBER[bound_of(row)]
    differ = WINDOW_SIGN if not pd.isna(row.windows_differ) and row.windows_differ else ""
    most = max(row.n_of, row.n_against)
    n = f"{row.n_pairs}" if row.n_pairs == most else f"{row.n_pairs} of {most}"
    windows = f"windows: jobs {_text(row.of_window)} against {_text(row.against_window)}"
    note = _text(row.note, "")
    return [
        html.Th(f"{row.arrival_rate_jph:g}", scope="row", className="saturation-number"),
        _cell(_plain(getattr(row, f"of_{measure.name}"), measure, "≥ " if row.of_is_lower_bound else "")),
        _cell(_plain(getattr(row, f"against_{measure.name}"), measure, "≥ " if row.against_is_lower_bound else "")),
        _cell(_signed(getattr(row, gain), measure, before) + differ, title=windows),
        _cell(_interval(getattr(row, low), getattr(row, high), measure)),
        _cell(_percent(getattr(row, relative), before)),
        _cell(n, title="; ".join(filter(None, [f"seeds {_text(row.seeds)}", note]))),
    ]


def _paper_cells(row: Any, measure: Column) -> list[Component]:
    before = "≥ " if row.is_lower_bound else ""
    return [
        html.Th(f"{row.arrival_rate_jph:g}", scope="row", className="saturation-number"),
        _cell(_plain(row.mean_jct_h, measure, before)),
        _cell(_plain(row.paper_mean_jct_h, measure, "~ " if row.is_interpolated else "")),
        _cell(_signed(row.error_h, measure, before)),
        _cell(_interval(row.error_low_h, row.error_high_h, measure)),
        _cell(_percent(row.relative_error, before)),
        _cell(f"{row.n_seeds}"),
    ]


def _plain(value: float, measure: Column, before: str) -> str:
    return "" if pd.isna(value) else before + number_text(value, measure).removesuffix("%")


def _signed(value: float, measure: Column, before: str = "") -> str:
    if pd.isna(value):
        return ""
    return f"{before}{'+' if value >= 0 else MINUS}{number_text(abs(value), measure).removesuffix('%')}"


def _interval(low: float, high: float, measure: Column) -> str:
    return "" if pd.isna(low) else f"{_signed(low, measure)} to {_signed(high, measure)}"


def _percent(share: float, before: str) -> str:
    return "" if pd.isna(share) else f"{before}{'+' if share >= 0 else MINUS}{abs(share) * 100:.1f}"


def _text(value: Any, missing: str = "not known") -> str:
    return missing if pd.isna(value) else str(value)


def _cell(text: str, title: str | None = None) -> Component:
    return html.Td(text, className="saturation-number", **({"title": title} if title else {}))


def _body(data: SaturationData, curve: str, name: str, rows: list[list[Component]]) -> Component:
    head = html.Th([swatch(data.styles[curve]), name], colSpan=7, scope="rowgroup")
    return html.Tbody([html.Tr(head), *(html.Tr(cells) for cells in rows)])


def _table(heads: list[tuple[str, str]], bodies: list[Component]) -> Component:
    head = html.Tr([html.Th(text, title=hint, scope="col", className="saturation-number") for text, hint in heads])
    return html.Table([html.Thead(head), *bodies], className="saturation-table saturation-gain-table")
