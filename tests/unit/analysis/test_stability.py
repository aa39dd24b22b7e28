"""Verdicts on queues whose capacity is known, and what leaves a run undecided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.phases import Phases
from gavel_dash.analysis.saturation import summarize_saturation
from gavel_dash.analysis.stability import (
    Estimate,
    Evidence,
    assess_run,
    collect_evidence,
    judge,
    mser5_cut,
    pool_verdicts,
)
from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from tests.queues import SERVICE_RATE_JPH, simulate_mmc, sweep_rows


def verdicts(load: float, servers: int, n_jobs: int, runs: int) -> list[str | None]:
    rng = np.random.default_rng(7)
    rate = load * servers * SERVICE_RATE_JPH
    return [judge(simulate_mmc(rng, rate, servers, n_jobs).evidence(), rate) for _ in range(runs)]


@pytest.mark.parametrize("servers", [4, 108])
@pytest.mark.parametrize("load", [0.5, 0.7, 0.9])
def test_a_queue_below_its_capacity_is_not_called_unstable(servers: int, load: float) -> None:
    seen = verdicts(load, servers, 4000, 60)
    assert seen.count("unstable") <= 3
    assert seen.count("stable") >= 50


@pytest.mark.parametrize("servers", [4, 108])
@pytest.mark.parametrize("load", [1.1, 1.3])
def test_a_queue_above_its_capacity_is_never_called_stable(servers: int, load: float) -> None:
    seen = verdicts(load, servers, 6000, 60)
    assert "stable" not in seen
    assert seen.count("unstable") >= 50


@pytest.mark.parametrize("servers", [4, 108])
def test_the_bracket_of_a_sweep_holds_the_capacity(servers: int) -> None:
    # With 6,000 jobs a run the bracket lies too high in one of ten sweeps; docs/saturation.md has the table.
    rows = sweep_rows(np.random.default_rng(11), servers, 12_000)
    row = summarize_saturation(schema.build_frame(rows, schema.RUNS)).iloc[0]
    capacity = servers * SERVICE_RATE_JPH
    assert row["bracket_low_jph"] <= capacity <= row["bracket_high_jph"]
    assert row["estimate_jph"] == pytest.approx(capacity, rel=0.05)
    assert row["low_jph"] <= capacity
    assert pd.isna(row["high_jph"]) or row["high_jph"] >= capacity


def evidence(slope: float, error: float, throughput: float, n: int = 20) -> Evidence:
    jobs = tuple(np.arange(float(n)))
    return Evidence(0.0, 100.0, jobs, jobs, Estimate(slope, error, n - 1), Estimate(throughput, 0.01, n // 2))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        pytest.param(evidence(0.3, 0.01, 1.7), "unstable", id="grows and falls behind"),
        pytest.param(evidence(0.0, 0.01, 2.0), "stable", id="neither"),
        pytest.param(evidence(0.3, 0.01, 2.0), "undecided", id="grows but keeps up"),
        pytest.param(evidence(0.0, 0.01, 1.7), "undecided", id="falls behind but does not grow"),
        pytest.param(evidence(0.0, 0.3, 2.0), "undecided", id="too noisy to rule growth out"),
        pytest.param(evidence(0.3, 0.01, 1.7, n=9), "undecided", id="fewer than ten batches"),
        pytest.param(None, None, id="no rounds"),
    ],
)
def test_a_verdict_needs_both_kinds_of_evidence(found: Evidence | None, verdict: str | None) -> None:
    assert judge(found, 2.0) == verdict


def test_without_a_rate_there_is_no_verdict() -> None:
    assert judge(evidence(0.3, 0.01, 1.7), None) is None


def test_the_slope_is_that_of_a_straight_line() -> None:
    time_h = np.arange(400) * 0.1
    found = collect_evidence(time_h, 5 + 2 * time_h, 3 * time_h, 100, 400)
    assert found is not None
    assert found.slope.mean == pytest.approx(2.0)
    assert found.throughput.mean == pytest.approx(3.0)
    assert (found.n_batches, found.start_h) == (20, pytest.approx(10.0))
    assert found.slope.interval()[0] == pytest.approx(2.0)


def test_a_few_rounds_are_no_evidence() -> None:
    assert collect_evidence(np.arange(19.0), np.ones(19), np.arange(19), 0, 19) is None


def test_the_majority_speaks_for_a_rate() -> None:
    assert pool_verdicts(["stable", "stable", "undecided"]) == "stable"
    assert pool_verdicts(["stable", "unstable"]) == "undecided"
    assert pool_verdicts([None, "unstable"]) == "unstable"
    assert pool_verdicts([None]) is None


def test_mser5_cuts_a_warm_up_off() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([np.linspace(0, 50, 200), 50 + rng.normal(size=1800)])
    assert 150 <= mser5_cut(values) <= 260
    assert mser5_cut(np.arange(2000)) > 1000, "a queue that only grows has no steady state"


def heads(n: int, arrivals_stop: int) -> np.ndarray:
    """Rounds of a queue that grows by a job a round, drained from `arrivals_stop` on."""
    records = np.zeros(n, ROUND_HEAD_DTYPE)
    rounds = np.arange(n)
    records["round"], records["sim_time_s"] = rounds, rounds * 3600.0
    records["jobs_running"] = 4
    records["jobs_queued"] = np.minimum(rounds, np.maximum(0, 2 * arrivals_stop - rounds))
    return records


def test_what_drains_after_the_last_arrival_does_not_count() -> None:
    assessed = assess_run(heads(400, 200), np.arange(200), Phases(50, 400))
    assert assessed is not None
    assert assessed.evidence is not None
    assert assessed.evidence.stop_h == pytest.approx(200, abs=1)
    assert assessed.evidence.slope.mean == pytest.approx(1.0, abs=0.02)
    assert assessed.warm_up_h == pytest.approx(50)


def test_without_a_window_the_stretch_starts_in_the_middle_at_the_latest() -> None:
    assessed = assess_run(heads(400, 400), np.empty(0, int), None)
    assert assessed is not None
    assert assessed.evidence is not None
    assert assessed.warm_up_h is None
    assert not assessed.mser_steady
    assert assessed.evidence.start_h == pytest.approx(200)
