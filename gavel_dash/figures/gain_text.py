"""Differences in words: which way they go, what bounds them, and the tooltips of the charts that show them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gavel_dash.analysis.measures import DEFAULT_MEASURE, MEASURES
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.curve_traces import (
    CENSORED_SIGN,
    RUNS_IN_TOOLTIP,
    UNIT_SIGNS,
    WINDOW_SIGN,
    measure_words,
    number_text,
    value_text,
)
from gavel_dash.schema import Column, gain_names, interval_names, is_saving

#: Which way the truth lies where one side is a lower bound: above, below, or nobody knows.
AT_LEAST, AT_MOST, EITHER_WAY = CENSORED_SIGN, "↓", "↕"
OPPOSITE = {"lower": "higher", "higher": "lower"}


def direction(measure: Column) -> str:
    """What a positive gain says of the first curve's value."""
    return "lower" if is_saving(measure) else "higher"


def bound_of(row: Any) -> str:
    """Sign of which way the true gain lies; empty where both sides are exact. `row` is of `schema.gain_columns`."""
    if row.of_is_lower_bound and row.against_is_lower_bound:
        return EITHER_WAY
    # What is saved shrinks when the first curve's true value is larger, and grows with the second's.
    return AT_MOST if row.of_is_lower_bound else AT_LEAST if row.against_is_lower_bound else ""


def worded(value: float, measure: Column, positive: str, bound: str = "") -> str:
    """``12.3 h lower`` or ``at most 12.3 h higher``: the sign as a word, so that it cannot be misread.

    Parameters
    ----------
    value : float, in the measure's unit
    measure : Column
    positive : "lower" or "higher"
        What a positive value means.
    bound : str
        One of the signs above, of the signed value.
    """
    text = number_text(abs(value), measure) + UNIT_SIGNS.get(measure.unit, "")
    if measure.unit == "fraction":
        text = f"{abs(value) * 100:.1f} percentage points"
    word = positive if value >= 0 else OPPOSITE[positive]
    if bound in (AT_LEAST, AT_MOST):
        # Said of the size: a gain of at least -3 h is a loss of at most 3 h.
        text = ("at least " if (bound == AT_LEAST) == (value >= 0) else "at most ") + text
    return f"{text} {word}"


def gain_tooltip(row: Any, measure: Column, styles: dict[str, CurveStyle]) -> str:
    """Tooltip of one rate of one pair. `row` is of `schema.gain_columns(measure)`."""
    gain, relative = gain_names(measure)
    value, share = getattr(row, gain), getattr(row, relative)
    of, against = styles[row.of].label, styles[row.against].label
    bound, positive = bound_of(row), direction(measure)
    lines = [
        f"<b>{look.escape(f'{of} against {against}')}</b> at {row.arrival_rate_jph:g} jph",
        f"{measure_words(measure)} {worded(value, measure, positive, bound)}{_percent(share)}",
    ]
    low, high = (getattr(row, end) for end in interval_names(gain))
    lines.append(_n_text(row.n_pairs, "seed pair", low, high, row.confidence, measure, positive))
    for label, name, is_bound in ((of, "of", row.of_is_lower_bound), (against, "against", row.against_is_lower_bound)):
        mean = value_text(getattr(row, f"{name}_{measure.name}"), measure, is_bound)
        window = getattr(row, f"{name}_window")
        lines.append(look.escape(f"{label} {mean}, {'window not known' if pd.isna(window) else f'jobs {window}'}"))
    if not pd.isna(row.windows_differ) and row.windows_differ:
        lines.append(f"{WINDOW_SIGN} the two measure different jobs")
    if bound == EITHER_WAY:
        lines.append(f"{EITHER_WAY} both are lower bounds: the true difference may be larger or smaller")
    if not pd.isna(row.note):
        lines.append(look.escape(row.note))
    return "<br>".join([*lines, *_run_names(f"{row.of_runs} {row.against_runs}")])


def paper_tooltip(row: Any, label: str) -> str:
    """Tooltip of one rate of one curve. `row` is of `schema.PAPER_ERROR`."""
    measure = MEASURES[DEFAULT_MEASURE]
    error = worded(row.error_h, measure, "higher", AT_LEAST if row.is_lower_bound else "")
    theirs = value_text(row.paper_mean_jct_h, measure)
    where = "between two of its points" if row.is_interpolated else "one of its points"
    lines = [
        f"<b>{look.escape(label)}</b> at {row.arrival_rate_jph:g} jph",
        f"{measure_words(measure)} {error} than the paper's{_percent(row.relative_error)}",
        _n_text(row.n_seeds, "seed", row.error_low_h, row.error_high_h, row.confidence, measure, "higher"),
        f"ours {value_text(row.mean_jct_h, measure, row.is_lower_bound)}, paper {theirs}, {where}",
        "digitised by eye from OSDI 2020",
    ]
    return "<br>".join([*lines, *_run_names(str(row.runs))])


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f" ({abs(share):.1%})"


def _n_text(n: int, what: str, low: float, high: float, confidence: float, measure: Column, positive: str) -> str:
    if pd.isna(low):
        return f"n = {n} {what}{'s' if n > 1 else ''}: no interval"
    ends = " to ".join(worded(end, measure, positive) for end in (low, high))
    return f"n = {n} {what}s: {confidence * 100:g}% interval {ends}"


def _run_names(names: str) -> list[str]:
    runs = names.split(" ")
    more = [f"and {len(runs) - RUNS_IN_TOOLTIP} more"] if len(runs) > RUNS_IN_TOOLTIP else []
    return [*(look.escape(run) for run in runs[:RUNS_IN_TOOLTIP]), *more]
