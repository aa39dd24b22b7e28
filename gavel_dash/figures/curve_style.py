"""How a curve looks and what it is called: one answer for the chart, its key, the table and the tooltips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from gavel_dash.analysis.curves import CURVE_KEY
from gavel_dash.figures import theme
from gavel_dash.model import natural_order

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
#: Short names of what policies optimise; shown where one setting has several.
OBJECTIVES = {"max_min_fairness": "max-min", "finish_time_fairness": "finish-time"}
#: Line styles of a setting's first, second ... objective.
DASHES = {"multi": ("dash", "dashdot", "longdash", "longdashdot"), None: ("solid", "solid", "solid", "solid")}
#: Line styles of another dimension's values. Dotted is the paper's.
PATTERNS = ("solid", "dash", "dashdot", "longdash", "longdashdot")
FURTHER = tuple(theme.FURTHER_POLICIES.values())
#: Colours and markers of the values of a dimension that is not the policy. Baseline and Gavel's come late, so that few
#: values do not remind of them; yellow, the faintest on white, comes last.
LOOKS = (*FURTHER[:-1], (theme.GAVEL_COLOR, "circle"), (theme.BASELINE_COLOR, "square"), FURTHER[-1])
SHAPES = tuple(shape for _, shape in LOOKS)

#: A curve's key with its name under `curve`; what is not known is empty.
Key = dict[str, str]
Look = tuple[str, str]


@dataclass(frozen=True)
class CurveStyle:
    """Colour, marker and line of one curve, and its short name."""

    label: str
    color: str
    symbol: str
    dash: str

    @property
    def shape(self) -> str:
        """The marker without the dot that tells it from another of its kind."""
        return self.symbol.removesuffix("-dot")


def objective(policy: str) -> str:
    """What a policy optimises: its name without the mark of heterogeneity awareness."""
    return policy.removesuffix("_perf")


def differing(curves: pd.DataFrame) -> list[str]:
    """Dimensions in which the curves of a table differ; a missing value counts beside others only."""
    return [name for name in DIMENSIONS if curves[name].astype("object").fillna("").nunique() > 1]


def color_choices(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Dimensions that colour and marker can tell, with their labels."""
    return _choices(curves, "policy")


def line_choices(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Dimensions that the line pattern can tell, with their labels."""
    return _choices(curves, "setting")


def panel_choices(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Dimensions that small charts can be made of, with their labels."""
    return [*_choices(curves, "figure"), (NO_PANELS, "none")]


def _choices(curves: pd.DataFrame, default: str) -> list[tuple[str, str]]:
    several = differing(curves)
    return [(name, label) for name, label in DIMENSIONS.items() if name == default or name in several]


def style_curves(curves: pd.DataFrame, color: str = "policy", line: str = "setting") -> dict[str, CurveStyle]:
    """Style of every curve in a table, by the curve's name.

    By default policy and baseline differ by colour and shape, single and multi by the line, two objectives of one
    setting (figures 10 and 11 of the paper) by the dash pattern and a dot in the marker. Curves that colour and line
    do not tell apart get another marker, until there is none left. Labels are unique.

    Parameters
    ----------
    curves : DataFrame with the columns `curve` and `CURVE_KEY`
        All curves of a sweep, so that a filter does not change how one looks.
    color, line : str
        The dimension that colour with marker, and the line pattern, tell; one that is not known is the default.
    """
    named = curves.drop_duplicates("curve")[["curve", *CURVE_KEY]].astype("object")
    rows = named.where(named.notna(), "").to_dict("records")
    keys = [{str(name): str(value) for name, value in row.items()} for row in rows]
    labels = _unique_labels(keys)
    color, line = color if color in DIMENSIONS else "policy", line if line in DIMENSIONS else "setting"
    looks = _looks(keys, color)
    dashes = _dashes(keys, line)
    ranks = _objective_ranks(keys)
    # Markers that tell no value are the first to tell curves apart.
    spare = sorted(SHAPES, key=lambda shape: shape in {shape for _, shape in looks.values()})
    styles: dict[str, CurveStyle] = {}
    taken: set[tuple[str, str, str]] = set()
    for key, dash in zip(keys, dashes, strict=True):
        hue, shape = looks[key[color]]
        symbol = f"{shape}-dot" if color == "policy" and ranks[key["curve"]] else shape
        others = [shape, f"{shape}-dot", *spare, *(f"{other}-dot" for other in spare)]
        symbol = next((s for s in [symbol, *others] if (hue, s, dash) not in taken), symbol)
        taken.add((hue, symbol, dash))
        styles[key["curve"]] = CurveStyle(labels[key["curve"]], hue, symbol, dash)
    return styles


def _looks(keys: list[Key], dimension: str) -> dict[str, Look]:
    """Colour and marker of every value of a dimension."""
    values = {key[dimension] for key in keys}
    if dimension != "policy":
        return _spread(values, LOOKS)
    looks = {policy: (theme.policy_color(policy), theme.policy_symbol(policy)) for policy in values}
    strangers = {policy for policy in values if not _in_pair(policy, values) and looks[policy] not in FURTHER}
    known = set(looks.values())
    free = [look for look in FURTHER if look not in known] or FURTHER
    return looks | _spread(strangers, free)


def _spread(values: Iterable[str], looks: Sequence[Look]) -> dict[str, Look]:
    """A look for every value; where there are more values than colours, a colour comes again with another marker."""
    n = len(looks)
    return {value: (looks[i % n][0], looks[(i + i // n) % n][1]) for i, value in enumerate(_ordered(values))}


def _ordered(values: Iterable[str]) -> list[str]:
    """Distinct values in natural order, what is not known last."""
    return sorted(set(values), key=lambda value: (value == "", natural_order(value)))


def _dashes(keys: list[Key], dimension: str) -> list[str]:
    """Line pattern of every curve."""
    if dimension != "setting":
        patterns = {value: i for i, value in enumerate(_ordered(key[dimension] for key in keys))}
        return [PATTERNS[patterns[key[dimension]] % len(PATTERNS)] for key in keys]
    ranks = _objective_ranks(keys)
    by_setting = [DASHES.get(key["setting"] or None, DASHES[None]) for key in keys]
    return [dashes[ranks[key["curve"]] % len(dashes)] for key, dashes in zip(keys, by_setting, strict=True)]


def _objective_ranks(keys: list[Key]) -> dict[str, int]:
    """Position of each curve's objective among those of its setting, in order of appearance.

    Only baselines and their twins count: they share two colours, everybody else has one of their own.
    """
    policies = {key["policy"] for key in keys}
    seen: dict[str, list[str]] = {}
    ranks = {}
    for key in keys:
        found = seen.setdefault(key["setting"], [])
        if not _in_pair(key["policy"], policies):
            ranks[key["curve"]] = 0
            continue
        if objective(key["policy"]) not in found:
            found.append(objective(key["policy"]))
        ranks[key["curve"]] = found.index(objective(key["policy"]))
    return ranks


def _unique_labels(keys: list[Key]) -> dict[str, str]:
    """Short names; where they do not tell two curves apart, with what does, and at last the curves' full names."""
    policies = {key["policy"] for key in keys}
    objectives = Counter(setting for setting, _ in {(key["setting"], objective(key["policy"])) for key in keys})
    short = {key["curve"]: _short_label(key, policies, objectives[key["setting"]] > 1) for key in keys}
    groups: dict[str, list[Key]] = {}
    for key in keys:
        groups.setdefault(short[key["curve"]], []).append(key)
    labels = {}
    for label, alike in groups.items():
        apart = [name for name in CURVE_KEY if len({key[name] for key in alike}) > 1]
        for key in alike:
            labels[key["curve"]] = " ".join(filter(None, [label, *(key[name] for name in apart)])) or key["curve"]
    if len(set(labels.values())) < len(labels):
        return {curve: curve for curve in labels}
    return labels


def _short_label(key: Key, policies: set[str], several_objectives: bool) -> str:
    role = _role(key["policy"], policies)
    parts = [role, key["setting"]]
    if several_objectives and role != key["policy"]:
        parts.append(OBJECTIVES.get(objective(key["policy"]), objective(key["policy"])))
    return " ".join(part for part in parts if part)


def _in_pair(policy: str, policies: set[str]) -> bool:
    """Whether a policy is a baseline or its heterogeneity-aware twin."""
    return _role(policy, policies) != policy


def _role(policy: str, policies: set[str]) -> str:
    """Say "Gavel" and "baseline" of a heterogeneity-aware policy and its twin, else its own name."""
    if policy.endswith("_perf"):
        return "Gavel" if objective(policy) in policies | set(OBJECTIVES) else policy
    return "baseline" if policy in OBJECTIVES or f"{policy}_perf" in policies else policy
