"""Single against multi-GPU: which curves pair, what their ratio is known to, and what makes up a throughput."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.pairs import (
    Work,
    account_work,
    factorise,
    nearest_run,
    stretch_after_warm_up,
    summarize_pairs,
    target_rate,
)
from gavel_dash.analysis.phases import Phases
from gavel_dash.sweep import open_run
from tests.make import write_run

STABILITY = "stability"


def point(setting: str, policy: str | None = "fifo", **columns: Any) -> dict[str, Any]:
    """A row of `schema.SATURATION`."""
    figure = "fig9" if setting == "single" else "fig10"
    common = {"figure": figure, "policy": policy, "setting": setting, "cluster": "8k80", "method": STABILITY}
    return {
        "curve": f"{figure} {policy} {setting}",
        "status": "estimated",
        "highest_rate_jph": 9.0,
        **common,
        **columns,
    }


def pair_of(single: dict[str, Any], multi: dict[str, Any]) -> Any:
    """The one pair of two points."""
    pairs = summarize_pairs(schema.build_frame([single, multi], schema.SATURATION), STABILITY)
    assert len(pairs) == 1
    return next(pairs.itertuples())


def test_curves_of_one_policy_and_cluster_pair() -> None:
    points = [
        point("single", "fifo", estimate_jph=4.0),
        point("multi", "fifo", estimate_jph=2.0),
        point("multi", "finish_time_fairness", estimate_jph=2.0),  # no single curve of its own
        point("single", "las", estimate_jph=4.0),
        point("multi", "las", estimate_jph=2.0, cluster="16k80"),  # another cluster
        point("single", None, estimate_jph=4.0),
        point("multi", None, estimate_jph=2.0),  # nobody knows whether these are one policy
        point("single", "fifo", estimate_jph=99.0, method="capacity_fit"),
    ]
    pairs = summarize_pairs(schema.build_frame(points, schema.SATURATION), STABILITY)
    assert pairs.columns.tolist() == schema.names(schema.PAIRS)
    assert pairs["policy"].tolist() == ["fifo"]
    assert (pairs["single_curve"][0], pairs["multi_curve"][0]) == ("fig9 fifo single", "fig10 fifo multi")
    assert (pairs["single_jph"][0], pairs["multi_jph"][0], pairs["ratio"][0]) == (4.0, 2.0, 2.0)


def test_nothing_pairs_in_an_empty_table() -> None:
    pairs = summarize_pairs(schema.build_frame([], schema.SATURATION), STABILITY)
    assert pairs.empty
    assert pairs.columns.tolist() == schema.names(schema.PAIRS)


def test_intervals_propagate_as_those_of_lognormals() -> None:
    # Symmetric on the logarithmic scale: the interval of the ratio is known in closed form.
    single = point("single", estimate_jph=4.0, low_jph=4 * math.exp(-0.3), high_jph=4 * math.exp(0.3))
    multi = point("multi", estimate_jph=2.0, low_jph=2 * math.exp(-0.4), high_jph=2 * math.exp(0.4))
    pair = pair_of(single, multi)
    assert (pair.ratio, pair.ratio_from, pair.status) == (2.0, "intervals", "estimated")
    assert (pair.ratio_low, pair.ratio_high) == pytest.approx((2 * math.exp(-0.5), 2 * math.exp(0.5)))


def test_each_end_takes_the_right_ends_of_lopsided_intervals() -> None:
    # Only the single-GPU point is uncertain, and only upwards: so is the ratio.
    exact = {"low_jph": 2.0, "high_jph": 2.0}
    pair = pair_of(
        point("single", estimate_jph=4.0, low_jph=4.0, high_jph=5.0), point("multi", estimate_jph=2.0, **exact)
    )
    assert (pair.ratio_low, pair.ratio_high) == pytest.approx((2.0, 2.5))
    pair = pair_of(
        point("single", estimate_jph=2.0, **exact), point("multi", estimate_jph=2.0, low_jph=2.0, high_jph=4.0)
    )
    assert (pair.ratio_low, pair.ratio_high) == pytest.approx((0.5, 1.0))


def test_the_interval_of_the_ratio_holds_it_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    points = []
    for i in range(2000):
        for setting, truth, error in (("single", 5.0, 0.1), ("multi", 2.5, 0.05)):
            estimate = truth * math.exp(rng.normal(0, error))
            low, high = estimate * math.exp(-1.96 * error), estimate * math.exp(1.96 * error)
            points.append(point(setting, f"policy {i}", estimate_jph=estimate, low_jph=low, high_jph=high))
    pairs = summarize_pairs(schema.build_frame(points, schema.SATURATION), STABILITY)
    held = (pairs["ratio_low"] <= 2) & (pairs["ratio_high"] >= 2)
    assert held.mean() == pytest.approx(0.95, abs=0.015)


def test_brackets_give_the_quotients_of_their_outer_ends() -> None:
    single = point("single", estimate_jph=5.0, bracket_low_jph=4.8, bracket_high_jph=5.2)
    multi = point("multi", estimate_jph=2.5, bracket_low_jph=2.4, bracket_high_jph=2.6, low_jph=2.0, high_jph=2.6)
    pair = pair_of(single, multi)
    assert (pair.ratio, pair.ratio_from) == (2.0, "brackets")
    # The multi-GPU interval goes beyond its bracket at the lower end.
    assert (pair.ratio_low, pair.ratio_high) == pytest.approx((4.8 / 2.6, 5.2 / 2.0))
    assert "brackets" in pair.note


def test_a_bracket_and_an_interval_are_a_bracket() -> None:
    single = point("single", estimate_jph=5.0, bracket_low_jph=4.8, bracket_high_jph=5.2)
    pair = pair_of(single, point("multi", estimate_jph=2.5, low_jph=2.0, high_jph=2.6))
    assert (pair.ratio_from, pair.ratio_low) == ("brackets", pytest.approx(4.8 / 2.6))


def test_an_open_interval_leaves_the_ratio_open() -> None:
    opened = {"bracket_low_jph": 2.4, "bracket_high_jph": 2.6, "low_jph": 2.4}  # an upper end beyond the swept rates
    closed = {"bracket_low_jph": 4.8, "bracket_high_jph": 5.2}
    pair = pair_of(point("single", estimate_jph=5.0, **closed), point("multi", estimate_jph=2.5, **opened))
    assert math.isnan(pair.ratio_low)
    assert pair.ratio_high == pytest.approx(5.2 / 2.4)
    assert "open downwards" in pair.note
    pair = pair_of(point("single", estimate_jph=2.5, **opened), point("multi", estimate_jph=5.0, **closed))
    assert math.isnan(pair.ratio_high)
    assert "open upwards" in pair.note


def test_a_point_without_an_interval_gives_a_ratio_without_one() -> None:
    pair = pair_of(point("single", estimate_jph=5.0, low_jph=4.0, high_jph=6.0), point("multi", estimate_jph=2.0))
    assert pair.ratio == 2.5
    assert math.isnan(pair.ratio_low)
    assert pair.note == "no interval: the multi-GPU point has none"


def test_an_interval_that_reaches_zero_gives_no_quotient() -> None:
    single = point("single", estimate_jph=5.0, low_jph=4.0, high_jph=6.0)
    pair = pair_of(single, point("multi", estimate_jph=2.0, low_jph=-1.0, high_jph=5.0))
    assert math.isnan(pair.ratio_high)
    assert "reaches down to 0" in pair.note


def test_what_is_not_reached_bounds_the_ratio_on_one_side() -> None:
    beyond = {"status": "not reached", "highest_rate_jph": 6.0, "note": "not reached, > 6 jph"}
    pair = pair_of(point("single", **beyond), point("multi", estimate_jph=2.0, low_jph=1.5, high_jph=2.5))
    assert (pair.status, pair.ratio_low) == ("more than", pytest.approx(6 / 2.5))
    assert math.isnan(pair.ratio)
    assert math.isnan(pair.ratio_high)
    assert "the upper end of its interval" in pair.note

    pair = pair_of(point("single", estimate_jph=9.0, low_jph=8.0, high_jph=10.0), point("multi", **beyond))
    assert (pair.status, pair.ratio_high) == ("less than", pytest.approx(10 / 6))
    assert math.isnan(pair.ratio)
    assert math.isnan(pair.ratio_low)


def test_undecided_rates_do_not_count_as_reached() -> None:
    # The highest stable rate is 5; those above it, up to 6, are undecided.
    beyond = {"status": "not reached", "highest_rate_jph": 6.0, "bracket_low_jph": 5.0}
    pair = pair_of(point("single", **beyond), point("multi", estimate_jph=2.0))
    assert (pair.single_low_jph, pair.ratio_low) == (5.0, 2.5)
    assert "its estimate" in pair.note
    assert (target_rate(pair, "single"), target_rate(pair, "multi")) == (5.0, 2.0)


@pytest.mark.parametrize(
    ("single", "multi"),
    [
        ({"status": "not reached"}, {"status": "not reached"}),
        ({"status": "impossible", "note": "no rounds to judge by"}, {"estimate_jph": 2.0}),
        ({"estimate_jph": 2.0}, {"status": "impossible", "note": "no rounds to judge by"}),
        ({"status": "not reached"}, {"estimate_jph": 2.0, "low_jph": 1.0}),  # open upwards: any ratio is possible
    ],
)
def test_without_two_points_or_a_bound_there_is_no_ratio(single: dict[str, Any], multi: dict[str, Any]) -> None:
    pair = pair_of(point("single", **single), point("multi", **multi))
    assert pair.status == "none"
    assert all(math.isnan(value) for value in (pair.ratio, pair.ratio_low, pair.ratio_high))
    assert pair.note


def test_the_nearest_run_is_the_lower_of_two_equally_near_ones() -> None:
    rows = [("b", 1.0, 1), ("a", 1.0, 0), ("c", 1.2, 0), ("d", 9.0, 0)]
    runs = pd.DataFrame(rows, columns=["run", "arrival_rate_jph", "seed"])
    middle = (1.0 + 1.2) / 2
    assert 1.2 - middle < middle - 1.0  # in floating point, by a rounding error
    assert nearest_run(runs, middle) == "a"
    assert nearest_run(runs, 1.15) == "c"
    assert nearest_run(runs.iloc[:0], 5.0) is None


@pytest.mark.parametrize(
    ("phases", "stretch"),
    [(None, (50, 100)), (Phases(30, 60), (30, 100)), (Phases(100, 100), (50, 100)), (Phases(99, 100), (50, 100))],
)
def test_the_stretch_begins_where_the_warm_up_ends(phases: Phases | None, stretch: tuple[int, int]) -> None:
    assert stretch_after_warm_up(phases, 100) == stretch


def work_of(path: Path, start: int, stop: int, **how: int) -> tuple[Work | None, dict[str, Any]]:
    written = write_run(path, **how)
    viz = open_run(path).viz
    return account_work(viz.round_heads, viz.gpus_used, viz.jobs, viz.n_gpus, start, stop), written


def test_the_account_is_that_of_the_jobs(tmp_path: Path) -> None:
    # Every job runs five rounds of 0.1 h on 1, 2 or 3 GPUs; from before the first to after the last completion the
    # GPU-hours are those of the jobs.
    work, written = work_of(tmp_path / "run.viz.bin", 0, 60)
    done = written["jobs"]["duration_s"] > 0
    assert work is not None
    assert done.all()
    assert work.n_completed == 12
    assert work.gpu_hours == pytest.approx((written["jobs"]["scale_factor"] * 5 * 0.1).sum())
    assert work.mean_scale_factor == written["jobs"]["scale_factor"].mean()
    assert work.gpu_hours_per_job == pytest.approx(5 * 0.1 * 2)
    assert work.hours == pytest.approx(5.9)


@pytest.mark.parametrize(("start", "stop"), [(0, 60), (7, 23), (10, 31)])
def test_throughput_is_occupancy_times_gpus_by_gpu_hours_per_job(tmp_path: Path, start: int, stop: int) -> None:
    work, written = work_of(tmp_path / "run.viz.bin", start, stop)
    assert work is not None
    assert work.n_completed > 0
    assert work.throughput_jph == pytest.approx(work.occupancy * work.n_gpus / work.gpu_hours_per_job)
    # The jobs behind the mean scale factor are those the simulator counts in the stretch.
    ends = written["jobs"]["completion_round"]
    done = (written["jobs"]["duration_s"] > 0) & (ends >= start) & (ends < stop - 1)
    assert work.n_completed == done.sum()
    assert work.mean_scale_factor == written["jobs"]["scale_factor"][done].mean()
    assert work.occupancy == pytest.approx(written["used"][start : stop - 1].sum() / (8 * (stop - 1 - start)))


def test_rounds_without_time_have_no_account(tmp_path: Path) -> None:
    assert work_of(tmp_path / "run.viz.bin", 59, 60)[0] is None
    assert work_of(tmp_path / "run.viz.bin", 60, 60)[0] is None


def test_a_stretch_without_completions_is_marked(tmp_path: Path) -> None:
    work, _ = work_of(tmp_path / "run.viz.bin", 0, 4)
    assert work is not None
    assert work.throughput_jph == 0
    assert math.isnan(work.gpu_hours_per_job)
    assert math.isnan(work.mean_scale_factor)
    assert factorise(work, work) is None


def test_the_factors_multiply_to_the_ratio_of_throughputs() -> None:
    single = Work(hours=100, n_gpus=108, gpu_hours=10_000, n_completed=500, mean_scale_factor=1.0)
    multi = Work(hours=80, n_gpus=100, gpu_hours=7_200, n_completed=180, mean_scale_factor=1.8)
    factors = factorise(single, multi)
    assert factors is not None
    assert factors.throughput == pytest.approx(5.0 / 2.25)
    assert (factors.demand, factors.gpus) == (2.0, 1.08)
    assert factors.demand * factors.occupancy * factors.gpus == pytest.approx(factors.throughput)
    shares = [factors.share(factor) for factor in (factors.demand, factors.occupancy, factors.gpus)]
    assert sum(shares) == pytest.approx(1)
