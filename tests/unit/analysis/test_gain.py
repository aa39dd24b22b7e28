"""Gains seed by seed, and errors against the paper: pairs, signs, intervals, and what is left out and said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gavel_dash import schema
from gavel_dash.analysis.curves import summarize_curves
from gavel_dash.analysis.gain import (
    default_pairs,
    summarize_gain,
    summarize_paper_error,
    summarize_paper_fit,
    twin_pairs,
)
from gavel_dash.analysis.measures import MEASURES

JCT = MEASURES["mean_jct_h"]


def make_runs(curve: str, values: list[tuple[float, int | None, float | None]], **columns: object) -> pd.DataFrame:
    """Runs of one curve for (rate, seed, mean JCT)."""
    rows = [
        {
            "run": f"{curve}{i}",
            "policy": curve,
            "arrival_rate_jph": rate,
            "seed": seed,
            "mean_jct_h": value,
            "mean_jct_is_lower_bound": False,
            "window": "600:1000",
            "status": "complete",
            **columns,
        }
        for i, (rate, seed, value) in enumerate(values)
    ]
    return schema.build_frame(rows, schema.RUNS).assign(curve=curve)


def gain_of(a: pd.DataFrame, b: pd.DataFrame, measure: schema.Column = JCT, confidence: float = 0.95) -> pd.DataFrame:
    return summarize_gain(pd.concat([a, b], ignore_index=True), "a", "b", measure, confidence)


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    a, b = [20.0, 23.0, 19.0, 26.0], [30.0, 35.0, 28.0, 41.0]
    row = gain_of(
        make_runs("a", [(2.0, s, v) for s, v in enumerate(a)]), make_runs("b", [(2.0, s, v) for s, v in enumerate(b)])
    ).iloc[0]
    known = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert row["gain_h"] == pytest.approx(np.mean(b) - np.mean(a))
    assert (row["gain_low_h"], row["gain_high_h"]) == (pytest.approx(known.low), pytest.approx(known.high))
    shares = (np.array(b) - a) / b
    assert row["relative_gain"] == pytest.approx(shares.mean())
    known = stats.ttest_1samp(shares, 0).confidence_interval(0.95)
    assert row[["relative_gain_low", "relative_gain_high"]].tolist() == pytest.approx([known.low, known.high])
    assert (row["n_pairs"], row["seeds"], row["of_runs"]) == (4, "0 1 2 3", "a0 a1 a2 a3")


def test_another_confidence_is_another_interval() -> None:
    a = make_runs("a", [(2.0, 0, 20.0), (2.0, 1, 24.0)])
    b = make_runs("b", [(2.0, 0, 30.0), (2.0, 1, 38.0)])
    wide, narrow = gain_of(a, b, confidence=0.95).iloc[0], gain_of(a, b, confidence=0.8).iloc[0]
    assert narrow["gain_high_h"] < wide["gain_high_h"]
    assert narrow["confidence"] == 0.8


def test_seeds_are_paired_by_number_not_by_position() -> None:
    a = make_runs("a", [(2.0, 1, 20.0), (2.0, 2, 10.0)])
    b = make_runs("b", [(2.0, 3, 99.0), (2.0, 2, 12.0), (2.0, 1, 25.0)])
    row = gain_of(a, b).iloc[0]
    assert row["gain_h"] == pytest.approx((5 + 2) / 2)
    assert (row["n_pairs"], row["n_of"], row["n_against"]) == (2, 2, 3)
    assert row["against_mean_jct_h"] == pytest.approx(18.5), "of the pairs only"
    assert row["note"] == "without a partner: seed 3"


def test_runs_of_one_seed_are_one_pair() -> None:
    row = gain_of(make_runs("a", [(2.0, 1, 20.0), (2.0, 1, 22.0)]), make_runs("b", [(2.0, 1, 25.0)])).iloc[0]
    assert (row["n_pairs"], row["gain_h"]) == (1, 4.0)
    assert row["of_runs"] == "a0 a1"


def test_one_pair_has_no_interval() -> None:
    row = gain_of(make_runs("a", [(2.0, 1, 20.0)]), make_runs("b", [(2.0, 1, 25.0)])).iloc[0]
    assert row["gain_h"] == 5.0
    assert row[["gain_low_h", "gain_high_h", "relative_gain_low", "relative_gain_high"]].isna().all()


def test_only_rates_of_both_curves_have_a_row() -> None:
    a = make_runs("a", [(1.0, 0, 20.0), (2.0, 0, 21.0)])
    b = make_runs("b", [(2.0, 0, 25.0), (3.0, 0, 40.0)])
    assert gain_of(a, b)["arrival_rate_jph"].tolist() == [2.0]
    assert gain_of(a, make_runs("b", [(3.0, 0, 25.0)])).empty


def test_seeds_in_common_without_a_value_leave_a_row_that_says_so() -> None:
    row = gain_of(make_runs("a", [(2.0, 0, None), (2.0, 1, 9.0)]), make_runs("b", [(2.0, 0, 25.0)])).iloc[0]
    assert row["n_pairs"] == 0
    assert np.isnan(row["gain_h"])
    assert pd.isna(row["windows_differ"])
    assert row["note"] == "no seed has a value on both sides; without a partner: seeds 0 1"


@pytest.mark.parametrize("seed", [None, 7])
def test_single_runs_pair_where_a_seed_is_not_known(seed: int | None) -> None:
    row = gain_of(make_runs("a", [(2.0, None, 20.0)]), make_runs("b", [(2.0, seed, 25.0)])).iloc[0]
    assert (row["n_pairs"], row["gain_h"]) == (1, 5.0)
    assert row["note"] == "paired without a seed: one run on each side"
    assert pd.isna(row["seeds"])


def test_several_runs_without_a_seed_make_no_pair() -> None:
    a = make_runs("a", [(2.0, None, 20.0), (2.0, 1, 21.0)])
    row = gain_of(a, make_runs("b", [(2.0, 1, 25.0)])).iloc[0]
    assert (row["n_pairs"], row["gain_h"]) == (1, 4.0)
    assert row["note"] == "left out: 1 run without a seed"
    row = gain_of(make_runs("a", [(2.0, None, 20.0)] * 2), make_runs("b", [(2.0, None, 25.0)])).iloc[0]
    assert row["n_pairs"] == 0


def test_single_runs_of_two_known_seeds_are_no_pair() -> None:
    assert gain_of(make_runs("a", [(2.0, 1, 20.0)]), make_runs("b", [(2.0, 2, 25.0)]))["n_pairs"].tolist() == [0]


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("mean_queue", "gain", 3.0),
        ("unfinished_share", "gain", 3.0),
        ("throughput_jph", "difference_jph", -3.0),
        ("mean_occupancy", "difference", -3.0),
        ("effective_utilization", "difference", -3.0),
    ],
)
def test_less_is_a_gain_only_where_less_is_better(name: str, column: str, expected: float) -> None:
    a = make_runs("a", [(2.0, 0, None)], **{name: 2.0})
    b = make_runs("b", [(2.0, 0, None)], **{name: 5.0})
    gains = gain_of(a, b, MEASURES[name])
    assert gains[column].tolist() == [expected]
    assert gains[f"relative_{column.removesuffix('_jph')}"].tolist() == [pytest.approx(expected / 5)]


def test_every_measure_has_columns_that_are_told_apart() -> None:
    for measure in MEASURES.values():
        columns = schema.names(schema.gain_columns(measure))
        assert len(columns) == len(set(columns))
        assert set(schema.gain_names(measure)) <= set(columns)


def test_no_share_where_the_other_is_zero() -> None:
    a = make_runs("a", [(2.0, 0, None), (2.0, 1, None)], mean_queue=1.0)
    b = make_runs("b", [(2.0, 0, None), (2.0, 1, None)], mean_queue=4.0)
    b.loc[0, "mean_queue"] = 0.0
    row = gain_of(a, b, MEASURES["mean_queue"]).iloc[0]
    assert row["gain"] == 1.0
    assert np.isnan(row["relative_gain"])


def test_a_lower_bound_is_marked_on_its_side_if_its_seed_is_paired() -> None:
    a = make_runs("a", [(2.0, 0, 20.0), (2.0, 1, 20.0)])
    b = make_runs("b", [(2.0, 0, 25.0)])
    a.loc[1, "mean_jct_is_lower_bound"] = True
    assert not gain_of(a, b)["of_is_lower_bound"].any()
    a.loc[0, "mean_jct_is_lower_bound"] = True
    row = gain_of(a, b).iloc[0]
    assert (row["of_is_lower_bound"], row["against_is_lower_bound"]) == (True, False)


def test_windows_are_compared_pair_by_pair() -> None:
    a = make_runs("a", [(2.0, 0, 20.0), (2.0, 1, 20.0)])
    b = make_runs("b", [(2.0, 0, 25.0), (2.0, 1, 25.0)])
    assert gain_of(a, b)["windows_differ"].tolist() == [False]
    # The same two windows on each side, but crossed: each pair compares different jobs.
    a.loc[0, "window"] = b.loc[1, "window"] = "2000:2400"
    row = gain_of(a, b).iloc[0]
    assert row["windows_differ"]
    assert row["of_window"] == row["against_window"] == "600:1000 2000:2400"
    unknown = gain_of(make_runs("a", [(2.0, 0, 20.0)], window=None), make_runs("b", [(2.0, 0, 25.0)]))
    assert unknown["windows_differ"].isna().all()


def make_curves(*keys: dict[str, Any]) -> pd.DataFrame:
    blank = dict.fromkeys(("figure", "policy", "setting", "cluster", "placement", "trace"))
    return pd.DataFrame([{**blank, **key} for key in keys])


def test_twins_agree_in_all_but_awareness() -> None:
    curves = make_curves(
        {"curve": "base 9", "figure": "fig9", "policy": "p"},
        {"curve": "aware 9", "figure": "fig9", "policy": "p_perf"},
        {"curve": "aware 10", "figure": "fig10", "policy": "p_perf"},
        {"curve": "aware 9 other cluster", "figure": "fig9", "policy": "p_perf", "cluster": "8a"},
        {"curve": "none"},
    )
    assert twin_pairs(curves) == default_pairs(curves) == [("aware 9", "base 9")]


def test_without_twins_the_first_two_curves_are_compared() -> None:
    curves = make_curves({"curve": "x", "policy": "p"}, {"curve": "x", "policy": "p"}, {"curve": "y", "policy": "q"})
    assert default_pairs(curves) == [("x", "y")]
    assert default_pairs(curves.iloc[:1]) == default_pairs(curves.iloc[:0]) == []


PAPER = {"a": (np.array([1.0, 2.0, 4.0]), np.array([20.0, 22.0, 40.0]))}


def curves_of(values: list[tuple[float, int | None, float | None]]) -> pd.DataFrame:
    runs = make_runs("a", values)
    return summarize_curves(runs, JCT).assign(curve="a")


def test_the_paper_is_interpolated_and_never_extrapolated() -> None:
    errors = summarize_paper_error(
        curves_of([(0.5, 0, 9.0), (1.0, 0, 22.0), (3.0, 0, 30.0), (4.0, 0, None), (4.5, 0, 99.0)]), PAPER
    )
    assert errors["arrival_rate_jph"].tolist() == [1.0, 3.0]
    assert errors["paper_mean_jct_h"].tolist() == [20.0, 31.0]
    assert errors["is_interpolated"].tolist() == [False, True]
    assert errors["error_h"].tolist() == [2.0, -1.0]
    assert errors["relative_error"].tolist() == pytest.approx([0.1, -1 / 31])
    fit = summarize_paper_fit(errors).iloc[0]
    assert fit["mean_absolute_relative_error"] == pytest.approx((0.1 + 1 / 31) / 2)
    assert (fit["n_rates"], fit["n_lower_bounds"]) == (2, 0)


def test_the_error_has_the_interval_of_our_mean() -> None:
    curves = curves_of([(2.0, 0, 30.0), (2.0, 1, 36.0)])
    row = summarize_paper_error(curves, PAPER).iloc[0]
    assert row["error_high_h"] == pytest.approx(curves["mean_jct_high_h"].iloc[0] - 22)
    assert row["relative_error_low"] == pytest.approx((curves["mean_jct_low_h"].iloc[0] - 22) / 22)


def test_curves_without_a_paper_curve_have_no_error() -> None:
    curves = curves_of([(2.0, 0, 30.0)])
    nothing = summarize_paper_error(curves, {})
    assert nothing.columns.tolist() == schema.names(schema.PAPER_ERROR)
    assert nothing.empty
    assert summarize_paper_fit(nothing).empty
    assert summarize_paper_error(curves, {"a": (np.empty(0), np.empty(0))}).empty
