"""How a curve looks and what it is called: one answer for the chart, its key, the table and the tooltips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from gavel_dash.figures import theme

#: Short names of what policies optimise; shown where one setting has several.
OBJECTIVES = {"max_min_fairness": "max-min", "finish_time_fairness": "finish-time"}
#: Line styles of a setting's first, second ... objective.
DASHES = {"multi": ("dash", "dashdot", "longdash", "longdashdot"), None: ("solid", "solid", "solid", "solid")}


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


def style_curves(curves: pd.DataFrame) -> dict[str, CurveStyle]:
    """Style of every curve in a table, by the curve's name.

    Policy and baseline differ by colour and shape, single and multi by the line, two objectives of one setting
    (figures 10 and 11 of the paper) by the dash pattern and a dot in the marker.

    Parameters
    ----------
    curves : DataFrame with the columns `curve`, `figure`, `policy`, `setting` and `cluster`
    """
    named = curves.drop_duplicates("curve")[["curve", "figure", "policy", "setting", "cluster"]].astype("object")
    keys = [_texts(row) for row in named.where(named.notna(), "").itertuples(index=False)]
    policies = {policy for _, _, policy, _, _ in keys}
    ranks = _objective_ranks(keys)
    labels = _unique_labels(keys, policies, ranks)
    further = _further_looks(policies)
    styles = {}
    for curve, _, policy, setting, _ in keys:
        color, symbol = further.get(policy, (theme.policy_color(policy), theme.policy_symbol(policy)))
        rank = ranks[setting, objective(policy)]
        dashes = DASHES.get(setting or None, DASHES[None])
        styles[curve] = CurveStyle(
            label=labels[curve],
            color=color,
            symbol=symbol + ("-dot" if rank else ""),
            dash=dashes[rank % len(dashes)],
        )
    return styles


def _further_looks(policies: set[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of the policies that are neither a baseline nor its twin, in a fixed order of their names."""
    pair = {theme.BASELINE_COLOR, theme.GAVEL_COLOR}
    others = sorted(p for p in policies if _role(p, policies) == p and theme.policy_color(p) in pair)
    looks = list(theme.FURTHER_POLICIES.values())
    return {policy: looks[i % len(looks)] for i, policy in enumerate(others)}


def _texts(row: Iterable[object]) -> tuple[str, str, str, str, str]:
    curve, figure, policy, setting, cluster = (str(value) for value in row)
    return curve, figure, policy, setting, cluster


def _objective_ranks(keys: list[tuple[str, str, str, str, str]]) -> dict[tuple[str, str], int]:
    """Position of each objective among those of its setting, in order of appearance."""
    ranks: dict[tuple[str, str], int] = {}
    for _, _, policy, setting, _ in keys:
        known = sum(1 for other, _ in ranks if other == setting)
        ranks.setdefault((setting, objective(policy)), known)
    return ranks


def _unique_labels(
    keys: list[tuple[str, str, str, str, str]], policies: set[str], ranks: dict[tuple[str, str], int]
) -> dict[str, str]:
    settings = [setting for setting, _ in ranks]
    labels = {}
    for curve, _, policy, setting, _ in keys:
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
