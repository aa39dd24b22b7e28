"""Points over seeds: Student-t intervals, and no run dropped in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gavel_dash.analysis.curves import mean_interval, summarize_curves
from tests.unit.analysis.test_saturation import make_runs


def test_interval_of_three_is_2_48_standard_deviations() -> None:
    values = np.array([1.0, 2.0, 3.0])
    low, high = mean_interval(values)
    assert (high - low) / 2 / values.std(ddof=1) == pytest.approx(2.484, abs=1e-3)


def test_one_seed_has_no_interval() -> None:
    assert all(np.isnan(mean_interval(np.array([5.0]))))


def test_run_without_a_mean_counts_in_n_runs_only() -> None:
    point = summarize_curves(make_runs([(3.0, 0, 20.0), (3.0, 1, 24.0), (3.0, 2, None)])).iloc[0]
    assert (point["n_seeds"], point["n_runs"]) == (2, 3)
    assert point["mean_jct_h"] == pytest.approx(22.0)


def test_lower_bound_of_one_seed_marks_the_point() -> None:
    runs = make_runs([(3.0, 0, 20.0), (3.0, 1, 24.0)])
    runs.loc[1, "mean_jct_is_lower_bound"] = True
    assert summarize_curves(runs)["is_lower_bound"].tolist() == [True]


def test_damaged_runs_and_runs_without_a_rate_are_not_points() -> None:
    damaged = make_runs([(3.0, 0, None)], status="damaged")
    nameless = make_runs([(3.0, 0, 20.0)]).assign(arrival_rate_jph=np.nan)
    assert summarize_curves(pd.concat([damaged, nameless])).empty


def test_curves_of_two_clusters_are_told_apart_by_name() -> None:
    runs = pd.concat([make_runs([(1.0, 0, 9.0)], cluster="36v100"), make_runs([(1.0, 0, 8.0)], cluster="8v100")])
    assert summarize_curves(runs)["curve"].tolist() == ["p multi 8v100", "p multi 36v100"]


def test_fig9_comes_before_fig10() -> None:
    runs = pd.concat([make_runs([(1.0, 0, 9.0)], figure=figure) for figure in ("fig10", "fig9", "fig11")])
    assert summarize_curves(runs)["figure"].tolist() == ["fig9", "fig10", "fig11"]


def test_copies_of_one_seed_are_one_sample() -> None:
    runs = pd.concat([make_runs([(3.0, 1, 20.0)])] * 3 + [make_runs([(3.0, 2, 26.0)])], ignore_index=True)
    runs["run"] = [f"r{i}" for i in range(4)]
    point = summarize_curves(runs).iloc[0]
    assert (point["n_seeds"], point["n_runs"], point["seeds"]) == (2, 4, "1 2")
    assert point["mean_jct_h"] == pytest.approx(23.0)


def test_a_placement_that_only_some_runs_tell_makes_two_curves() -> None:
    runs = pd.concat([make_runs([(1.0, 0, 9.0)], placement="random"), make_runs([(1.0, 0, 8.0)])], ignore_index=True)
    assert summarize_curves(runs)["curve"].tolist() == ["p multi", "p multi random"]
