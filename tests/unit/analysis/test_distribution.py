"""Distributions over jobs: Kaplan-Meier where jobs are censored, completed jobs only elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gavel_dash.analysis import distribution as d
from gavel_dash.analysis.survival import Quantile


def make_jobs(**columns: object) -> pd.DataFrame:
    """Five jobs of one run; the last is unfinished after 50 h and never started."""
    base = {
        "run": ["a"] * 5,
        "job_id": range(5),
        "category": ["resnet", "a3c", "resnet", "a3c", "resnet"],
        "scale_factor": pd.Series([1, 10, 2, 1, None], dtype="Int64"),
        "jct_h": [1.0, 2.0, 3.0, 40.0, np.nan],
        "wait_to_start_h": [0.0, 1.0, 1.0, 30.0, np.nan],
        "queueing_time_h": [0.0, 1.0, 1.0, 30.0, 50.0],
        "run_time_h": [1.0, 1.0, 2.0, 10.0, 0.0],
        "gpu_hours": [1.0, 10.0, 4.0, 10.0, 0.0],
        "preemptions": pd.Series([0, 0, 2, 7, 9], dtype="Int64"),
        "migrations": pd.Series([0, None, 1, 4, 0], dtype="Int64"),
        "type_migrations": pd.Series([0, 0, 1, 1, 0], dtype="Int64"),
        "completed": [True, True, True, True, False],
        "in_window": [True] * 5,
        "time_in_system_h": [1.0, 2.0, 3.0, 40.0, 50.0],
    }
    return pd.DataFrame({**base, **columns})


def test_jct_of_an_unfinished_job_is_censored_and_not_left_out() -> None:
    [found] = d.distributions(make_jobs(), "jct_h", "none")
    assert (found.n_observed, found.n_censored, found.n_left_out, found.longest) == (4, 1, 0, 50.0)
    assert found.shares.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert (found.quantiles["p50"].value, found.quantiles["p50"].is_lower_bound) == (3.0, False)
    assert (found.quantiles["p90"].value, found.quantiles["p90"].is_lower_bound) == (50.0, True)


def test_a_job_censored_early_moves_the_share_to_the_later_ones() -> None:
    jobs = make_jobs(time_in_system_h=[1.0, 2.0, 3.0, 40.0, 1.5])
    [found] = d.distributions(jobs, "jct_h", "none")
    # Kaplan-Meier by hand: 4/5 after 1 h; three at risk then, so 4/5 * 2/3, 4/5 * 1/3, 0.
    assert (1 - found.shares).tolist() == pytest.approx([4 / 5, 8 / 15, 4 / 15, 0])


def test_wait_is_censored_only_where_the_job_is_known_to_have_queued_all_the_time() -> None:
    observed, censored, left_out = d.split_values(make_jobs(), "wait_to_start_h")
    assert (observed.tolist(), censored.tolist(), left_out) == ([0, 1, 1, 30], [50], 0)
    unseen = make_jobs(queueing_time_h=[0.0, 1.0, 1.0, 30.0, np.nan])
    assert d.split_values(unseen, "wait_to_start_h")[2] == 1


@pytest.mark.parametrize(
    "measure", ["queueing_time_h", "run_time_h", "gpu_hours", "stretch", "preemptions", "type_migrations"]
)
def test_what_is_no_time_to_an_event_takes_completed_jobs_only(measure: str) -> None:
    observed, censored, left_out = d.split_values(make_jobs(), measure)
    assert (len(observed), len(censored), left_out) == (4, 0, 1)


def test_stretch_is_jct_over_run_time() -> None:
    assert d.split_values(make_jobs(), "stretch")[0].tolist() == [1, 2, 1.5, 4]
    assert d.split_values(make_jobs(run_time_h=[0.0, 1, 2, 10, 0]), "stretch")[2] == 2


def test_short_and_long_at_the_80th_percentile_with_the_undecided_apart() -> None:
    jobs = make_jobs(time_in_system_h=[1.0, 2.0, 3.0, 40.0, 50.0])
    threshold = d.short_threshold(jobs)
    assert threshold is not None
    assert (threshold.value, threshold.is_lower_bound) == (40.0, False)
    groups = d.group_jobs(jobs, "duration", threshold)
    assert {name: np.flatnonzero(mask).tolist() for name, mask in groups.items()} == {
        d.SHORT: [0, 1, 2, 3],
        d.LONG: [4],
    }
    early = jobs.assign(time_in_system_h=[1.0, 2.0, 3.0, 40.0, 5.0])
    assert np.flatnonzero(d.group_jobs(early, "duration", threshold)[d.UNDECIDED]).tolist() == [4]


def test_a_threshold_that_is_a_lower_bound_splits_nothing() -> None:
    jobs = make_jobs(completed=[True, False, False, False, False], jct_h=[1.0] + [np.nan] * 4)
    threshold = d.short_threshold(jobs)
    assert threshold is not None
    assert threshold.is_lower_bound
    assert list(d.group_jobs(jobs, "duration", threshold)) == [d.ALL]


def test_the_threshold_is_over_window_jobs() -> None:
    threshold = d.short_threshold(make_jobs(in_window=[True, True, False, False, False]))
    assert threshold is not None
    assert threshold.value == 2.0


def test_groups_are_in_natural_order_and_every_job_is_in_one() -> None:
    jobs = make_jobs()
    groups = d.group_jobs(jobs, "scale_factor")
    assert list(groups) == ["1", "2", "10", "(none)"]
    assert np.sum([*groups.values()], axis=0).tolist() == [1] * len(jobs)
    assert d.distributions(jobs[:0], "jct_h", "none") == []


def test_tables_say_what_the_curves_show() -> None:
    found = d.distributions(make_jobs(), "jct_h", "category")
    curves, quantiles = d.curve_table(found, "jct_h", "category"), d.quantile_table(found, "jct_h", "category")
    assert curves[curves["group"] == "a3c"][["value", "share"]].values.tolist() == [[2, 0.5], [40, 1]]
    row = quantiles.set_index("group").loc["resnet"]
    assert (row["n"], row["n_observed"], row["n_censored"], row["p50"], row["unit"]) == (3, 2, 1, 3.0, "h")
    assert row["p99_is_lower_bound"]
    assert (row["mean"], row["mean_is_lower_bound"]) == (18.0, True)  # (1 + 3 + at least 50) / 3


def test_counts_have_a_mean_over_completed_jobs_whose_count_is_known() -> None:
    [preempted], [moved] = (d.distributions(make_jobs(), m, "none") for m in ("preemptions", "migrations"))
    assert preempted.mean == Quantile(2.25, is_lower_bound=False)
    assert (preempted.quantiles["p50"].value, preempted.quantiles["p90"].value) == (0, 7)
    assert moved.mean == Quantile(5 / 3, is_lower_bound=False)
    assert (moved.n, moved.n_left_out) == (3, 2)


def test_without_any_value_there_is_no_mean() -> None:
    jobs = make_jobs(preemptions=pd.Series([None] * 5, dtype="Int64"))
    [nothing] = d.distributions(jobs, "preemptions", "none")
    assert nothing.mean is None
    assert d.quantile_table([nothing], "preemptions", "none")["mean"].isna().all()
