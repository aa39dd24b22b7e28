"""Fields of a run against plain loops over its records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gavel_dash.analysis.fields import RunRecords, compute_field, moving_mean, order_completions, windowed_rate
from gavel_dash.model import Cluster, GpuType
from tests.make import ROUND_S, simulate

CLUSTER = Cluster((GpuType("k80", 4), GpuType("v100", 4)))


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    made = simulate(n_jobs=20, length=6, n_rounds=80)
    # Jobs of all kinds of durations, so that a mean over one too many is another mean.
    made["jobs"]["duration_s"] *= 1 + made["jobs"]["job_id"] ** 2
    return made


@pytest.fixture(scope="module")
def records(run: dict[str, Any]) -> RunRecords:
    jobs, heads = run["jobs"], run["heads"]
    completed = jobs["duration_s"] > 0
    table = np.rec.fromarrays(
        [jobs["job_id"], jobs["completion_round"], completed], names="job_id,completion_round,completed"
    )
    at, jct_s = order_completions(table, np.where(completed, jobs["duration_s"], np.nan), heads["round"])
    return RunRecords(heads, run["used"], CLUSTER, heads["sim_time_s"] / 3600.0, at, jct_s)


def field(records: RunRecords, name: str, jct_completions: int = 3, rate_h: float = 1.0) -> np.ndarray:
    values = compute_field(records, name, jct_completions, rate_h)
    assert values is not None
    return values


def test_gpus_add_up(records: RunRecords) -> None:
    assert (field(records, "gpus_free") + field(records, "gpus_used") == 8).all()
    for name in ("k80", "v100"):
        used, free = field(records, f"{name}_used"), field(records, f"{name}_free")
        assert (used + free == 4).all()
        assert (field(records, f"{name}_share") == used / 4).all()
    assert (field(records, "k80_used") + field(records, "v100_used") == field(records, "gpus_used")).all()
    assert field(records, "gpus_used").any()


def test_arrivals_are_the_jobs_that_came(records: RunRecords, run: dict[str, Any]) -> None:
    expected = [(run["jobs"]["arrival_round"] <= r).sum() for r in range(80)]
    assert field(records, "arrivals").tolist() == expected


@pytest.mark.parametrize("completions", [1, 3, 100])
def test_windowed_jct_is_the_mean_of_the_last_jobs(records: RunRecords, run: dict[str, Any], completions: int) -> None:
    values = field(records, "windowed_jct_h", jct_completions=completions)
    done = sorted(
        (int(job["completion_round"]), int(job["job_id"]), float(job["duration_s"]))
        for job in run["jobs"][run["jobs"]["duration_s"] > 0]
    )
    for r in range(80):
        seen = [jct for at, _, jct in done if at < r][-completions:]
        assert np.isnan(values[r]) if not seen else values[r] == pytest.approx(np.mean(seen) / 3600)
    assert np.isnan(values[0])
    assert np.isfinite(values[-1])


def test_without_completions_there_is_no_windowed_jct(records: RunRecords) -> None:
    less = RunRecords(
        records.heads, records.gpus_used, CLUSTER, records.time_h, records.completed_at[1:], records.jct_s[1:]
    )
    assert compute_field(less, "windowed_jct_h", 100, 24.0) is None


def test_windowed_rates_count_the_last_hour(records: RunRecords, run: dict[str, Any]) -> None:
    rate = field(records, "windowed_completion_rate_jph")
    done = run["heads"]["jobs_completed"]
    assert np.isnan(rate[:10]).all()  # ten rounds are an hour
    assert rate[10:] == pytest.approx(done[10:] - done[:-10].astype(float))
    assert field(records, "windowed_arrival_rate_jph")[30] == 5  # one job every two rounds


def test_a_window_without_a_record_at_its_start_reaches_back_to_the_one_before() -> None:
    rate = windowed_rate(np.array([0, 4, 10]), np.array([0.0, 2.0, 3.5]), 1.0)
    assert np.isnan(rate[0])
    assert rate[1:].tolist() == [2.0, 4.0]


def test_float32_times_do_not_shorten_a_window() -> None:
    time_s = (np.arange(50_000) * ROUND_S + 1e6).astype("<f4")
    rate = windowed_rate(np.arange(50_000), time_s.astype(float) / 3600, 24.0)
    assert rate[240:] == pytest.approx(10.0, rel=1e-4)
    assert np.isnan(rate[:239]).all()


def test_what_a_run_has_not_is_none(records: RunRecords) -> None:
    for name in ("wall_time_min", "p100_used", "p100_share", "k80_colour", "nonsense"):
        assert compute_field(records, name, 100, 24.0) is None


def test_wall_time_is_told_where_it_is_known(records: RunRecords) -> None:
    told = RunRecords(
        records.heads,
        records.gpus_used,
        CLUSTER,
        records.time_h,
        records.completed_at,
        records.jct_s,
        np.full(80, 90.0),
    )
    assert (field(told, "wall_time_min") == 1.5).all()


def test_moving_mean_is_that_of_the_neighbours_in_time() -> None:
    time_h = np.array([0.0, 1.0, 2.0, 10.0, 11.0])
    values = np.array([1.0, np.nan, 5.0, 7.0, 9.0])
    mean = moving_mean(values, time_h, 4.0)
    assert np.isnan(mean[1])
    assert mean[[0, 2, 3, 4]].tolist() == [3.0, 3.0, 8.0, 8.0]
