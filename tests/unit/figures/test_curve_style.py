"""Curves look and are called different, and the same everywhere."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pandas as pd
import pytest

from gavel_dash.analysis.curves import CURVE_KEY
from gavel_dash.figures.curve_style import (
    DIMENSIONS,
    PATTERNS,
    CurveStyle,
    color_choices,
    differing,
    line_choices,
    panel_choices,
    style_curves,
)
from gavel_dash.figures.theme import BASELINE_COLOR, GAVEL_COLOR


def curves(*keys: tuple[str | None, ...], columns: tuple[str, ...] = ("figure", "policy", "setting", "cluster")) -> Any:
    """A table of curves with these keys; dimensions that are not named are not known."""
    frame = pd.DataFrame(keys, columns=list(columns)).reindex(columns=CURVE_KEY)
    names = frame.apply(lambda row: " ".join(str(v) for v in row if not pd.isna(v)) or "unnamed", axis=1)
    return frame.assign(curve=names).convert_dtypes()


def in_order(table: pd.DataFrame, **choices: str) -> list[CurveStyle]:
    styles = style_curves(table, **choices)
    return [styles[name] for name in table["curve"]]


def by_policy(*keys: tuple[str | None, ...]) -> list[CurveStyle]:
    return in_order(curves(*keys))


def looks_of(styles: list[CurveStyle]) -> list[tuple[str, str, str]]:
    return [(style.color, style.symbol, style.dash) for style in styles]


PAPER = (
    ("fig9", "max_min_fairness", "single", "c"),
    ("fig9", "max_min_fairness_perf", "single", "c"),
    ("fig10", "max_min_fairness", "multi", "c"),
    ("fig10", "max_min_fairness_perf", "multi", "c"),
    ("fig11", "finish_time_fairness", "multi", "c"),
    ("fig11", "finish_time_fairness_perf", "multi", "c"),
)


def test_the_papers_six_curves_are_six_different_lines() -> None:
    styles = by_policy(*PAPER)
    assert [style.label for style in styles] == [
        "baseline single",
        "Gavel single",
        "baseline multi max-min",
        "Gavel multi max-min",
        "baseline multi finish-time",
        "Gavel multi finish-time",
    ]
    assert len(set(looks_of(styles))) == 6
    assert [style.dash for style in styles] == ["solid", "solid", "dash", "dash", "dashdot", "dashdot"]
    assert {(style.color, style.shape) for style in styles} == {("#D55E00", "square"), ("#0072B2", "circle")}


def test_one_objective_needs_no_name() -> None:
    (gavel,) = by_policy(("fig10", "max_min_fairness_perf", "multi", "c"))
    assert gavel.label == "Gavel multi"


def test_a_policy_without_a_twin_keeps_its_own_name() -> None:
    fifo, _ = by_policy((None, "fifo", "single", "c"), (None, "max_min_fairness", "single", "c"))
    assert fifo.label == "fifo single"


class TestLabels:
    def test_say_what_differs_where_the_short_name_does_not_tell(self) -> None:
        first, second = by_policy((None, "fifo", "single", "6a"), (None, "fifo", "single", "8a"))
        assert (first.label, second.label) == ("fifo single 6a", "fifo single 8a")

    def test_say_it_of_those_only_that_need_it(self) -> None:
        table = curves(
            ("fig10", "max_min_fairness_perf", "random", "philly"),
            ("fig10", "max_min_fairness_perf", None, "philly"),
            ("fig10", "max_min_fairness", "random", "alibaba"),
            columns=("figure", "policy", "placement", "trace"),
        )
        assert [style.label for style in in_order(table)] == ["Gavel random", "Gavel", "baseline"]

    def test_of_two_figures_with_the_same_curve_name_the_figure(self) -> None:
        first, second = by_policy(("fig9", "fifo", "single", "c"), ("fig12", "fifo", "single", "c"))
        assert (first.label, second.label) == ("fifo single fig9", "fifo single fig12")

    def test_are_unique_even_where_a_policy_is_called_like_a_role(self) -> None:
        styles = by_policy((None, "baseline", "multi", "c"), (None, "max_min_fairness", "multi", "c"))
        assert len({style.label for style in styles}) == 2

    def test_fall_back_to_the_curves_names(self) -> None:
        # The second's short name is what the first is called with its cluster.
        styles = by_policy(
            ("fig1", "p", "multi", "8a"), ("fig1", "p", "multi", "6a"), ("fig1", "p multi 8a", None, "c")
        )
        assert [style.label for style in styles] == ["fig1 p multi 8a", "fig1 p multi 6a", "fig1 p multi 8a c"]

    def test_of_nothing_known(self) -> None:
        table = curves((None, None, None, None))
        assert style_curves(table)["unnamed"].label == "unnamed"


def test_a_policy_that_is_no_baseline_does_not_look_like_one() -> None:
    styles = by_policy(
        *((None, p, "single", None) for p in ("fifo", "max_min_fairness", "max_min_fairness_perf", "gavel_random"))
    )
    assert len({style.color for style in styles}) == 4
    assert (styles[1].color, styles[2].color) == (BASELINE_COLOR, GAVEL_COLOR)
    assert not any(style.symbol.endswith("-dot") for style in styles), "a colour of its own needs no dot"


def test_a_stranger_does_not_take_the_colour_of_a_policy_that_has_one() -> None:
    fifo, packed = by_policy((None, "fifo", "single", None), (None, "max_min_fairness_packed", "single", None))
    assert packed.color == "#009E73"
    assert fifo.color != packed.color


class TestChoice:
    def test_colour_and_line_tell_the_dimension_the_reader_chose(self) -> None:
        table = curves(
            ("fig9", "p", "single", "8a"),
            ("fig9", "p", "multi", "8a"),
            ("fig9", "q", "single", "16a"),
            ("fig9", "q", "multi", "16a"),
        )
        styles = in_order(table, color="cluster", line="policy")
        assert [s.color for s in styles] == [styles[0].color] * 2 + [styles[2].color] * 2
        assert [s.dash for s in styles] == ["solid", "solid", "dash", "dash"]
        assert styles[0].color != styles[2].color
        assert styles[0].shape != styles[2].shape
        # What neither colour nor line tell, another marker does.
        assert len(set(looks_of(styles))) == 4

    def test_values_are_in_natural_order_and_the_unknown_one_comes_last(self) -> None:
        clusters = [None, "108a", "36a", "6a"]
        styles = in_order(curves(*((None, "p", "multi", c) for c in clusters)), color="cluster", line="cluster")
        assert [style.dash for style in styles] == [PATTERNS[i] for i in (3, 2, 1, 0)]
        assert styles[3].color == "#009E73"
        assert len({style.color for style in styles} & {BASELINE_COLOR, GAVEL_COLOR}) == 0

    @pytest.mark.parametrize("line", ["setting", "cluster"])
    def test_more_values_than_colours_repeat_a_colour_with_another_marker(self, line: str) -> None:
        table = curves(*((None, "p", "multi", f"{i}a") for i in range(20)))
        styles = in_order(table, color="cluster", line=line)
        assert len({style.color for style in styles}) == 7
        assert len({(style.color, style.symbol) for style in styles}) == 20

    def test_dotted_stays_the_papers(self) -> None:
        table = curves(*((None, "p", "multi", f"{i}a") for i in range(12)))
        assert "dot" not in {style.dash for style in in_order(table, line="cluster")}

    @pytest.mark.parametrize(("color", "line"), list(product(DIMENSIONS, DIMENSIONS)))
    def test_no_two_curves_look_the_same(self, color: str, line: str) -> None:
        policies = ("max_min_fairness", "max_min_fairness_perf", "finish_time_fairness", "fifo", "gandiva")
        keys = [
            (policy, setting, cluster, trace)
            for policy, setting, cluster, trace in product(
                policies, ("single", "multi"), ("6a", None), ("philly", "alibaba")
            )
        ]
        styles = in_order(curves(*keys, columns=("policy", "setting", "cluster", "trace")), color=color, line=line)
        # Seven markers, with and without a dot, are what colour and line leave.
        alike = Counter((style.color, style.dash) for style in styles)
        assert len(set(looks_of(styles))) == sum(min(n, 14) for n in alike.values())
        assert len({style.label for style in styles}) == len(keys)

    def test_a_dimension_that_is_not_known_is_the_default(self) -> None:
        table = curves(*PAPER)
        assert style_curves(table, color="colour", line="") == style_curves(table)

    def test_choices_are_the_dimensions_that_differ_and_the_defaults(self) -> None:
        table = curves(*PAPER[:2], ("fig9", "max_min_fairness", "single", None))
        assert differing(table) == ["policy", "cluster"]
        assert [name for name, _ in color_choices(table)] == ["policy", "cluster"]
        assert [name for name, _ in line_choices(table)] == ["policy", "setting", "cluster"]
        assert [name for name, _ in panel_choices(table)] == ["figure", "policy", "cluster", "none"]

    def test_what_nobody_knows_does_not_differ(self) -> None:
        assert differing(curves((None, "p", None, None), (None, "q", None, None))) == ["policy"]
