"""What became of each job, in a few rounds by hand."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from gavel_dash.analysis import job_holdings
from gavel_dash.analysis.job_holdings import Lanes, running_stretches
from gavel_dash.analysis.job_timelines import JobTimelines, compute_timelines
from gavel_dash.analysis.timeline import NEVER
from gavel_dash.kernel import SWITCH

JOB_DTYPE = [("job_id", "i8"), ("completed", "?")]
TYPES = np.array([0, 0, 1])
#: Hours; the third record is longer.
EDGES_H = np.array([0.0, 1, 2, 4, 5, 6, 7])


@pytest.fixture(autouse=True, params=["on", "off"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test with the compiled kernel and without."""
    monkeypatch.setenv(SWITCH, request.param)


def timelines(
    stored: list[list[int]],
    jobs: list[tuple[int, bool]],
    stays: list[tuple[int, int]],
    lanes_per_gpu: int = 1,
    unknown: tuple[int, ...] = (),
    end_known: bool = True,
) -> JobTimelines:
    """Timelines of jobs in at most six records of two GPUs of one type and one of another."""
    lanes = np.array(stored, "<u4")
    records = np.array(jobs, JOB_DTYPE)
    since, until = np.array(stays, np.int64).reshape(-1, 2).T
    return compute_timelines(
        records,
        Lanes(lanes, lanes_per_gpu, TYPES),
        (since, until),
        EDGES_H[: len(lanes) + 1],
        np.isin(np.arange(len(lanes)), unknown),
        np.full(len(records), end_known),
    )


def test_a_life() -> None:
    stored = [[0, 0, 0], [4, 4, 0], [4, 0, 4], [0, 0, 0], [4, 0, 4], [0, 0, 0]]
    found = timelines(stored, [(9, False), (4, True)], [(2, 6), (1, 5)])

    assert (found.first_start.tolist(), found.last_record.tolist()) == ([NEVER, 1], [NEVER, 4])
    assert (found.run_rounds.tolist(), found.queued_rounds.tolist()) == ([0, 3], [4, 1])
    assert (found.run_time_h.tolist(), found.queueing_time_h.tolist()) == ([0, 4], [5, 1])
    assert (found.gpu_rounds.tolist(), found.gpu_hours.tolist()) == ([0, 6], [0, 8])
    # It stopped twice, the second time as it was done, and resumed on the GPUs it had left.
    assert found.preemptions.tolist() == [0, 1]
    assert (found.migrations.tolist(), found.type_migrations.tolist()) == ([0, 1], [0, 1])
    assert found.type_rounds.tolist() == [[0, 0], [3, 2]]
    assert found.known.all()
    assert found.stay_known.all()


@pytest.mark.parametrize(("completed", "preemptions"), [(True, 0), (False, 1)])
def test_a_job_that_never_comes_back_was_preempted_unless_it_is_done(completed: bool, preemptions: int) -> None:
    found = timelines([[4, 0, 0], [0, 0, 0], [0, 0, 0]], [(4, completed)], [(0, 1 if completed else 3)])
    assert found.preemptions.tolist() == [preemptions]


def test_who_runs_in_the_last_record_was_not_preempted() -> None:
    assert timelines([[4, 0, 0]] * 3, [(4, False)], [(0, 3)]).preemptions.tolist() == [0]


def test_another_gpu_of_the_same_type_is_a_migration_and_no_type_migration() -> None:
    found = timelines([[4, 0, 0], [0, 4, 0], [4, 4, 0], [4, 4, 0]], [(4, False)], [(0, 4)])
    assert (found.migrations.tolist(), found.type_migrations.tolist()) == ([2], [0])


def test_two_jobs_that_trade_their_gpus() -> None:
    found = timelines([[4, 0, 5], [5, 0, 4]], [(4, False), (5, False)], [(0, 2)] * 2)
    assert (found.migrations.tolist(), found.type_migrations.tolist()) == ([1, 1], [1, 1])


def test_quarters_of_a_gpu() -> None:
    # Job 4 has half of GPU 0, then a quarter of it and a quarter of GPU 2; within a GPU it may move.
    stored = [[4, 4, 5, 0] + [0] * 8, [5, 5, 4, 4] + [0] * 8, [4] + [0] * 7 + [4, 5, 5, 5]]
    found = timelines(stored, [(4, False), (5, False)], [(0, 3)] * 2, lanes_per_gpu=4)
    assert found.run_rounds.tolist() == [3, 3]
    assert found.gpu_rounds.tolist() == [1.5, 1.5]
    assert (found.migrations.tolist(), found.type_migrations.tolist()) == ([1, 1], [1, 1])
    assert found.type_rounds.tolist() == [[3, 1], [2, 1]]


def test_what_the_file_does_not_say_is_not_known() -> None:
    stored = [[4, 0, 0], [0, 0, 0], [4, 5, 0], [4, 5, 0]]
    found = timelines(stored, [(4, False), (5, False), (6, False)], [(0, 4), (2, 4), (1, 1)], unknown=(1,))
    assert found.known.tolist() == [False, True, True]
    assert found.stay_known.tolist() == [False, True, True]


def test_without_an_end_nothing_is_known_of_waiting() -> None:
    found = timelines([[4, 0, 0], [0, 0, 0]], [(4, False)], [(0, 2)], end_known=False)
    assert (found.known.tolist(), found.stay_known.tolist()) == ([True], [False])


@pytest.mark.parametrize("stay", [(1, 3), (0, 2)])
def test_a_job_that_runs_when_it_is_not_in_the_system_has_no_known_stay(stay: tuple[int, int]) -> None:
    found = timelines([[4, 0, 0]] * 3, [(4, True)], [stay])
    assert (found.known.tolist(), found.stay_known.tolist()) == ([True], [False])


def test_jobs_without_a_record_are_left_out() -> None:
    found = timelines([[77, 4, 0]] * 2, [(4, False)], [(0, 2)])
    assert found.gpu_rounds.tolist() == [2]


@pytest.mark.parametrize("stored", [[[0, 0, 0]], [[3, 3, 3]]])
def test_no_jobs(stored: list[list[int]]) -> None:
    found = timelines(stored, [], [])
    assert [len(getattr(found, field.name)) for field in fields(found)] == [0] * len(fields(found))
    assert found.type_rounds.shape == (0, 2)


def test_stretches_join_what_touches() -> None:
    stored = np.array([[4, 0, 5], [0, 4, 0], [4, 4, 0], [0, 0, 0], [0, 0, 4], [5, 0, 4]], "<u4")
    jobs = np.array([(5, True), (9, True), (4, True)], JOB_DTYPE)
    lanes = Lanes(stored, 1, TYPES)
    rows, start, stop = running_stretches(jobs["job_id"], lanes)
    assert list(zip(rows.tolist(), start.tolist(), stop.tolist(), strict=True)) == [
        (0, 0, 1),
        (0, 5, 6),
        (2, 0, 3),
        (2, 4, 6),
    ]
    assert [len(part) for part in running_stretches(jobs["job_id"][:0], lanes)] == [0, 0, 0]


@pytest.mark.parametrize("block_segments", [1, 5, 40])
@pytest.mark.parametrize("lanes_per_gpu", [1, 2])
def test_jobs_are_taken_in_blocks(block_segments: int, lanes_per_gpu: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(block_segments)
    stored = rng.integers(0, 9, (6, 3 * lanes_per_gpu))
    jobs = [(int(job), bool(job % 2)) for job in rng.permutation(12)]
    stays = [(0, 6)] * 12
    whole = timelines(stored.tolist(), jobs, stays, lanes_per_gpu, unknown=(2,))
    records = np.array(jobs, JOB_DTYPE)
    lanes = Lanes(stored.astype("<u4"), lanes_per_gpu, TYPES)
    stretches = running_stretches(records["job_id"], lanes)

    monkeypatch.setattr(job_holdings, "_BLOCK_SEGMENTS", block_segments)
    monkeypatch.setenv(SWITCH, "off")

    in_blocks = timelines(stored.tolist(), jobs, stays, lanes_per_gpu, unknown=(2,))
    for field in fields(whole):
        np.testing.assert_array_equal(getattr(in_blocks, field.name), getattr(whole, field.name), field.name)
    again = running_stretches(records["job_id"], lanes)
    assert [part.tolist() for part in again] == [part.tolist() for part in stretches]


def test_a_block_holds_whole_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_holdings, "_BLOCK_SEGMENTS", 4)
    rows = np.array([3, 0, 0, 5, 3, 0, 5, 5, 5, 5])
    found = [(first, last, chosen.tolist()) for first, last, chosen in job_holdings._blocks_of_jobs(rows, 7)]
    assert found == [(0, 3, [1, 2, 5]), (3, 5, [0, 4]), (5, 6, [3, 6, 7, 8, 9]), (6, 7, [])]
