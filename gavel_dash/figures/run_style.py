"""How one run among several looks: its line's colour and pattern, and its short name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gavel_dash.figures.curve_style import LOOKS, PATTERNS, style_curves

#: What the colour of a run's line tells, and how menus call it.
COLOR_RUNS_BY = {"curve": "policy and setting", "rate": "arrival rate", "run": "run"}
#: From few jobs an hour to many: a part of viridis that shows on white and on dark.
_LOW, _MIDDLE, _HIGH = (68, 84, 164), (33, 145, 140), (216, 164, 32)


@dataclass(frozen=True)
class RunStyle:
    """Colour and line pattern of one run, and a label that is unique among those shown."""

    label: str
    color: str
    dash: str


def default_color(runs: pd.DataFrame, names: Sequence[str]) -> str:
    """What colour tells best: what differs between any two runs; of more runs than colours, what groups them."""
    chosen = runs[runs["run"].isin(set(names))]
    if chosen["curve"].nunique() == len(names):
        return "curve"
    if chosen["arrival_rate_jph"].nunique() == len(names):
        return "rate"
    if len(names) <= len(LOOKS):
        return "run"
    return "curve" if chosen["curve"].nunique() > 1 else "rate"


def style_runs(runs: pd.DataFrame, names: Sequence[str], color: str) -> dict[str, RunStyle]:
    """Style of each run named.

    Parameters
    ----------
    runs : DataFrame, `schema.RUNS` with the column `curve`
        All runs of the sweep, so that a curve looks as on the Saturation page whatever is chosen.
    names : sequence of str
        Names of the runs that are shown; one that is not in the table gets a neutral style.
    color : str
        A key of `COLOR_RUNS_BY`; another is taken as "run".
    """
    curves = style_curves(runs)
    rows = runs.drop_duplicates("run").set_index("run").reindex(list(names))
    labels = _labels(rows, names, {name: style.label for name, style in curves.items()})
    rates = rows["arrival_rate_jph"].to_numpy(float)
    styles = {}
    for place, (name, row) in enumerate(zip(names, rows.to_dict("records"), strict=True)):
        curve = curves.get(row["curve"]) if isinstance(row["curve"], str) else None
        dash = curve.dash if curve else "solid"
        if color == "curve" and curve:
            shade = curve.color
        elif color == "rate":
            shade = _rate_color(rates[place], rates)
        else:
            shade = LOOKS[place % len(LOOKS)][0]
            dash = PATTERNS[place // len(LOOKS) % len(PATTERNS)]
        styles[name] = RunStyle(labels[place], shade, dash)
    return styles


def _labels(rows: pd.DataFrame, names: Sequence[str], curves: Mapping[str, str]) -> list[str]:
    """What tells the runs apart, such as ``Gavel multi 2.8 jph s0``; the run's name where that does not."""
    labels = []
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        rate = "" if pd.isna(row["arrival_rate_jph"]) else f"{row['arrival_rate_jph']:g} jph"
        seed = "" if pd.isna(row["seed"]) else f"s{int(row['seed'])}"
        curve = curves.get(row["curve"], "") if isinstance(row["curve"], str) else ""
        labels.append(" ".join(part for part in (curve, rate, seed) if part) if rate else name)
    return [name if labels.count(label) > 1 else label for name, label in zip(names, labels, strict=True)]


def _rate_color(rate: float, rates: np.ndarray) -> str:
    known = rates[np.isfinite(rates)]
    if not np.isfinite(rate):
        return "#8a94a6"
    low, high = known.min(), known.max()
    place = 0.5 if high == low else (rate - low) / (high - low)
    return "#" + "".join(
        f"{round(np.interp(place, [0, 0.5, 1], shades)):02x}" for shades in zip(_LOW, _MIDDLE, _HIGH, strict=True)
    )
