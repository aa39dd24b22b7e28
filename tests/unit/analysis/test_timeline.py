"""When jobs came, first ran and went: against a loop over every cell, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gavel_dash.analysis import timeline
from gavel_dash.analysis.timeline import NEVER, edges_of_records, first_starts, jct_of_jobs, records_in_system
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.sweep import open_run
from tests.plain_vizbin import Plain, Round, build

BUNDLED = Path(__file__).parents[3] / "experiments" / "fig11_finish_time_fairness_2.0jph_multi_s0.viz.bin.packed"


def plain_first_starts(job_ids: list[int], rounds: list[list[int]]) -> list[int]:
    """The same, one cell at a time."""
    first: dict[int, int] = {}
    for record, cells in enumerate(rounds):
        for job_id in cells:
            if job_id:
                first.setdefault(job_id, record)
    return [first.get(job_id, NEVER) for job_id in job_ids]


@pytest.mark.parametrize("highest_id", [12, 60, 200_000, 2**32 - 1])
@pytest.mark.parametrize("n_gpus", [1, 7])
@pytest.mark.parametrize("n_rounds", [0, 1, 2, 40])
@pytest.mark.parametrize("block_cells", [1, 21, 2**15])
def test_random_rounds(
    highest_id: int, n_gpus: int, n_rounds: int, block_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "_BLOCK_CELLS", block_cells)
    rng = np.random.default_rng([highest_id, n_gpus, n_rounds])
    ids = np.append(rng.integers(0, highest_id, 30), [0, 65_536, 131_072])
    allocation = rng.choice(np.append(ids, np.zeros(30, int)), (n_rounds, n_gpus)).astype("<u4")
    asked = rng.permutation(np.concatenate([ids[10:], ids[:3], [7, 7, highest_id]]))

    found = first_starts(asked, allocation)

    assert found.dtype == np.int32
    assert found.tolist() == plain_first_starts(asked.tolist(), allocation.tolist())


def test_no_jobs_and_no_gpus() -> None:
    assert first_starts(np.empty(0, int), np.ones((3, 2), "<u4")).tolist() == []
    assert first_starts(np.array([1]), np.empty((3, 0), "<u4")).tolist() == [NEVER]


@pytest.mark.parametrize("block_cells", [1, 6, 2**15])
def test_a_quarter_of_a_gpu_counts(block_cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_BLOCK_CELLS", block_cells)
    rounds = [
        Round([1], [1, 0]),
        Round([2], [1, 2], sharing=[(0, (1, 3, 0, 0)), (1, (2, 2, 4, 1))]),
        Round([1], [0, 1]),
        Round([1], [3, 4], sharing=[(1, (4, 4, 5, 0))]),
    ]
    viz = VizFile(build([("v100", 2)], rounds), "run")

    found = first_starts(np.array([6, 5, 4, 3, 2, 1]), viz.stored_allocations, viz.sharing_entries)

    assert found.tolist() == [NEVER, 3, 1, 1, 1, 0]


def test_bundled_run() -> None:
    run = open_run(BUNDLED)
    file = Plain(run.viz.file_bytes(0, run.viz.n_bytes).tobytes())
    rounds = [file.allocation(i) for i in range(file.n_rounds)]

    expected = plain_first_starts((run.viz.jobs["job_id"] + 1).tolist(), rounds)

    assert run.first_starts.tolist() == expected
    assert max(expected) > 1000
    # A job is in the system only after the round of its arrival.
    started = run.first_starts >= 0
    numbers = run.viz.round_heads["round"][run.first_starts[started]]
    assert (numbers >= run.viz.jobs["arrival_round"][started]).all()


@pytest.mark.data
def test_published_run_with_shared_gpus(data_dir: Path) -> None:
    run = open_run(data_dir / "published" / "sharing_test.viz.bin")
    viz = run.viz
    file = Plain(viz.file_bytes(0, viz.n_bytes).tobytes())
    quarters = [[job for ids in file.sharing(i).values() for job in ids] for i in range(file.n_rounds)]
    alone = [file.allocation(i) for i in range(file.n_rounds)]
    ids = (viz.jobs["job_id"] + viz.job_id_offset).tolist()

    expected = plain_first_starts(ids, [cells + more for cells, more in zip(alone, quarters, strict=True)])

    assert run.first_starts.tolist() == expected
    assert expected != plain_first_starts(ids, alone)


def test_jct_is_exact_where_the_completions_file_knows_it() -> None:
    jobs = np.array(
        [(5, 360.0, True), (3, 0.0, False), (9, 720.1, True), (1, 0.0, False), (2, 0.0, True)],
        [("job_id", "i8"), ("duration_s", "f4"), ("completed", "?")],
    )
    jct_s = jct_of_jobs(jobs, {9: 720.123456789, 1: 5.5, 77: 1.0})
    np.testing.assert_array_equal(jct_s, [360, np.nan, 720.123456789, 5.5, 0])


IN_SYSTEM_DTYPE = [("job_id", "i8"), ("arrival_round", "u4"), ("completion_round", "u4"), ("completed", "?")]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 1, 2, 3, 4], [(0, 2), (1, 2), (1, 5), (3, 4), (5, 5), (1, 1)]),
        # Records may be sampled: a job that came and went between two is in none.
        ([0, 2, 3, 9], [(0, 1), (1, 1), (1, 4), (2, 3), (3, 4), (1, 1)]),
        ([1, 2], [(0, 1), (0, 1), (0, 2), (2, 2), (2, 2), (0, 0)]),
        ([], [(0, 0)] * 6),
    ],
)
def test_a_job_is_in_the_system_from_the_round_after_its_arrival(
    numbers: list[int], expected: list[tuple[int, int]]
) -> None:
    jobs = np.array(
        [
            (7, 0, 1, True),  # seen in the first record
            (8, 0, 1, True),
            (9, 0, 0, False),
            (3, 2, 3, True),
            (4, 4, 0, False),
            (5, 0, 0, True),  # came and completed before there was a record
        ],
        IN_SYSTEM_DTYPE,
    )
    since, until = records_in_system(jobs, np.array(numbers, "<u4"), at_first=np.array([7, -1, 55]))
    assert list(zip(since.tolist(), until.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("seconds", "hours"),
    [
        ([], [0]),
        ([1800], [0.5, 0.5]),  # nothing tells how long the only record lasts
        ([0, 0, 3600, 10800], [0, 0, 1, 3, 4.5]),
    ],
)
def test_the_last_record_lasts_as_long_as_the_median_one(seconds: list[float], hours: list[float]) -> None:
    assert edges_of_records(np.array(seconds, "<f4")).tolist() == hours
