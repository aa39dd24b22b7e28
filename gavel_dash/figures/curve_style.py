"""How a curve looks and what it is called: one answer for the chart, its key, the table and the tooltips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from gavel_dash.analysis.curves import CURVE_KEY, NAMED
from gavel_dash.figures import theme
from gavel_dash.model import natural_order

Look = TypeVar("Look")

#: Short names of what policies optimise; shown where one setting has several.
OBJECTIVES = {"max_min_fairness": "max-min", "finish_time_fairness": "finish-time"}
#: Line styles of a setting's first, second ... objective.
DASHES = {"multi": ("dash", "dashdot", "longdash", "longdashdot"), None: ("solid", "solid", "solid", "solid")}


#: What curves can differ in, as menus call it.
DIMENSIONS = {
    "figure": "figure",
    "policy": "policy",
    "setting": "single or multi",
    "cluster": "cluster",
    "placement": "placement",
    "trace": "trace",
}
NO_PANELS = "none"
#: Colours and markers of a dimension that is not the policy, in natural order of its values; the Okabe-Ito palette.
LOOKS = (
    ("#0072B2", "circle"),
    ("#D55E00", "square"),
    ("#009E73", "diamond"),
    ("#CC79A7", "triangle-up"),
    ("#E69F00", "triangle-down"),
    ("#56B4E9", "cross"),
    ("#F0E442", "x"),
)
PATTERNS = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class CurveStyle:
    """Colour, marker and line of one curve, and its short name."""

    label: str
    color: str
    symbol: str
    dash: str

    @property
    def shape(self) -> str:
        """The marker without the dot of a second objective."""
        return self.symbol.removesuffix("-dot")


def objective(policy: str) -> str:
    """What a policy optimises: its name without the mark of heterogeneity awareness."""
    return policy.removesuffix("_perf")


def differing(curves: pd.DataFrame) -> list[str]:
    """Dimensions in which the curves of a table differ; a missing value counts beside others only."""
    return [name for name in DIMENSIONS if curves[name].astype("object").fillna("").nunique() > 1]


def color_choices(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Dimensions that colour and marker can tell, with their labels."""
    return [(name, DIMENSIONS[name]) for name in DIMENSIONS if name == "policy" or name in differing(curves)]


def line_choices(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Dimensions that the line pattern can tell, with their labels."""
    return [(name, DIMENSIONS[name]) for name in DIMENSIONS if name == "setting" or name in differing(curves)]


def panel_choices(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Dimensions that small charts can be made of, with their labels."""
    several = [(name, DIMENSIONS[name]) for name in DIMENSIONS if name == "figure" or name in differing(curves)]
    return [*several, (NO_PANELS, "none")]


def style_curves(curves: pd.DataFrame, color: str = "policy", line: str = "setting") -> dict[str, CurveStyle]:
    """Style of every curve in a table, by the curve's name.

    By default policy and baseline differ by colour and shape, single and multi by the line, two objectives of one
    setting (figures 10 and 11 of the paper) by the dash pattern and a dot in the marker.

    Parameters
    ----------
    curves : DataFrame with the columns `curve` and `CURVE_KEY`
    color, line : str
        The dimension that colour with marker, and the line pattern, tell; one that is not known is the default.
    """
    named = curves.drop_duplicates("curve")[["curve", *CURVE_KEY]].astype("object")
    named = named.where(named.notna(), "")
    keys = [_texts(row) for row in named[["curve", *NAMED]].itertuples(index=False)]
    policies = {policy for _, _, policy, _ in keys}
    ranks = _objective_ranks(keys)
    labels = _unique_labels(keys, policies, ranks)
    further = _further_looks(policies)
    looks = None if color == "policy" or color not in DIMENSIONS else _in_order(named[color], LOOKS)
    patterns = None if line == "setting" or line not in DIMENSIONS else _in_order(named[line], PATTERNS)
    styles = {}
    for (curve, _, policy, setting), row in zip(keys, named.to_dict("records"), strict=True):
        rank = ranks[setting, objective(policy)]
        dashes = DASHES.get(setting or None, DASHES[None])
        if looks is None:
            hue, symbol = further.get(policy, (theme.policy_color(policy), theme.policy_symbol(policy)))
            symbol += "-dot" if rank else ""
        else:
            hue, symbol = looks[row[color]]
        dash = dashes[rank % len(dashes)] if patterns is None else patterns[row[line]]
        styles[curve] = CurveStyle(label=labels[curve], color=hue, symbol=symbol, dash=dash)
    return styles


def _in_order(values: pd.Series, looks: Sequence[Look]) -> dict[str, Look]:
    """A look for every value, in natural order; they repeat where there are more values than looks."""
    ordered = sorted({str(value) for value in values}, key=natural_order)
    return {value: looks[i % len(looks)] for i, value in enumerate(ordered)}


def _further_looks(policies: set[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of the policies that are neither a baseline nor its twin, in a fixed order of their names."""
    pair = {theme.BASELINE_COLOR, theme.GAVEL_COLOR}
    others = sorted(p for p in policies if _role(p, policies) == p and theme.policy_color(p) in pair)
    looks = list(theme.FURTHER_POLICIES.values())
    return {policy: looks[i % len(looks)] for i, policy in enumerate(others)}


def _texts(row: Iterable[object]) -> tuple[str, str, str, str]:
    curve, figure, policy, setting = (str(value) for value in row)
    return curve, figure, policy, setting


def _objective_ranks(keys: list[tuple[str, str, str, str]]) -> dict[tuple[str, str], int]:
    """Position of each objective among those of its setting, in order of appearance."""
    ranks: dict[tuple[str, str], int] = {}
    for _, _, policy, setting in keys:
        known = sum(1 for other, _ in ranks if other == setting)
        ranks.setdefault((setting, objective(policy)), known)
    return ranks


def _unique_labels(
    keys: list[tuple[str, str, str, str]], policies: set[str], ranks: dict[tuple[str, str], int]
) -> dict[str, str]:
    settings = [setting for setting, _ in ranks]
    labels = {}
    for curve, _, policy, setting in keys:
        role = _role(policy, policies)
        parts = [role, setting]
        if settings.count(setting) > 1 and role != policy:
            parts.append(OBJECTIVES.get(objective(policy), objective(policy)))
        labels[curve] = " ".join(part for part in parts if part)
    taken = list(labels.values())
    # Where the short name does not tell two curves apart, their full names do.
    return {curve: label if taken.count(label) == 1 and label else curve for curve, label in labels.items()}


def _role(policy: str, policies: set[str]) -> str:
    """Say "Gavel" and "baseline" of a heterogeneity-aware policy and its twin, else its own name."""
    if policy.endswith("_perf"):
        return "Gavel" if objective(policy) in policies | set(OBJECTIVES) else policy
    return "baseline" if policy in OBJECTIVES or f"{policy}_perf" in policies else policy
