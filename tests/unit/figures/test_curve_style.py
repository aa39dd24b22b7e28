"""Curves look and are called different, and the same everywhere."""

from __future__ import annotations

import pandas as pd

from gavel_dash.figures.curve_style import CurveStyle, color_choices, style_curves


def curves(*keys: tuple[str | None, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(keys, columns=["figure", "policy", "setting", "cluster"])
    names = frame.apply(lambda row: " ".join(str(value) for value in row if value is not None), axis=1)
    return frame.assign(curve=names, placement=None, trace=None).convert_dtypes()


def by_policy(*keys: tuple[str | None, ...]) -> list[CurveStyle]:
    table = curves(*keys)
    styles = style_curves(table)
    return [styles[name] for name in table["curve"]]


def test_the_papers_six_curves_are_six_different_lines() -> None:
    styles = by_policy(
        ("fig9", "max_min_fairness", "single", "c"),
        ("fig9", "max_min_fairness_perf", "single", "c"),
        ("fig10", "max_min_fairness", "multi", "c"),
        ("fig10", "max_min_fairness_perf", "multi", "c"),
        ("fig11", "finish_time_fairness", "multi", "c"),
        ("fig11", "finish_time_fairness_perf", "multi", "c"),
    )
    assert [style.label for style in styles] == [
        "baseline single",
        "Gavel single",
        "baseline multi max-min",
        "Gavel multi max-min",
        "baseline multi finish-time",
        "Gavel multi finish-time",
    ]
    assert len({(style.color, style.symbol, style.dash) for style in styles}) == 6
    assert [style.dash for style in styles] == ["solid", "solid", "dash", "dash", "dashdot", "dashdot"]
    assert {(style.color, style.shape) for style in styles} == {("#D55E00", "square"), ("#0072B2", "circle")}


def test_one_objective_needs_no_name() -> None:
    (gavel,) = by_policy(("fig10", "max_min_fairness_perf", "multi", "c"))
    assert gavel.label == "Gavel multi"


def test_a_policy_without_a_twin_keeps_its_own_name() -> None:
    fifo, _ = by_policy((None, "fifo", "single", "c"), (None, "max_min_fairness", "single", "c"))
    assert fifo.label == "fifo single"


def test_curves_that_would_share_a_name_get_their_full_one() -> None:
    first, second = by_policy((None, "fifo", "single", "6a"), (None, "fifo", "single", "8a"))
    assert (first.label, second.label) == ("fifo single 6a", "fifo single 8a")


def test_nothing_known_about_a_curve() -> None:
    table = pd.DataFrame({"curve": ["unnamed"], "figure": pd.NA, "policy": pd.NA, "setting": pd.NA, "cluster": pd.NA})
    table = table.assign(placement=pd.NA, trace=pd.NA)
    assert style_curves(table)["unnamed"].label == "unnamed"


def test_a_policy_that_is_no_baseline_does_not_look_like_one() -> None:
    policies = ["fifo", "max_min_fairness", "max_min_fairness_perf", "gavel_random"]
    curves = pd.DataFrame({"curve": policies, "figure": None, "policy": policies, "setting": "single", "cluster": None})
    curves = curves.assign(placement=None, trace=None)
    styles = style_curves(curves)
    assert len({styles[policy].color for policy in policies}) == 4
    assert styles["max_min_fairness"].color == "#D55E00"
    assert styles["max_min_fairness_perf"].color == "#0072B2"


def test_the_reader_chooses_what_colour_and_line_tell() -> None:
    table = curves(
        ("fig9", "p", "single", "8a"),
        ("fig9", "p", "multi", "8a"),
        ("fig9", "q", "single", "16a"),
        ("fig9", "q", "multi", "16a"),
    )
    styles = style_curves(table, color="cluster", line="policy")
    looks = [(styles[name].color, styles[name].symbol, styles[name].dash) for name in table["curve"]]
    assert looks[0] == looks[1]
    assert looks[2] == looks[3]
    assert all(one != other for one, other in zip(looks[0], looks[2], strict=True))
    assert ("cluster", "cluster") in color_choices(table)
    assert "trace" not in dict(color_choices(table))
