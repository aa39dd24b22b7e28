"""When jobs first ran, against a loop over every cell; and JCTs against the jobs table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gavel_dash.analysis import tables, timeline
from gavel_dash.analysis.timeline import NEVER, first_starts, jct_of_jobs
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.sweep import open_run
from tests.plain_vizbin import Plain, Round, build

BUNDLED = Path(__file__).parents[3] / "experiments" / "fig11_finish_time_fairness_2.0jph_multi_s0.viz.bin.zst"


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

    found = first_starts(np.array([6, 5, 4, 3, 2, 1]), viz.raw_allocations(), viz.sharing_entries)

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


def test_jct_is_that_of_the_jobs_table() -> None:
    jobs = np.array(
        [(5, 360.0, True, 7), (3, 0.0, False, 0), (9, 720.1, True, 8), (1, 0.0, False, 0), (2, 0.0, True, 9)],
        [("job_id", "i8"), ("duration_s", "f4"), ("completed", "?"), ("completion_round", "i8")],
    )
    full = np.zeros(len(jobs), VizFile(build([("v100", 1)], []), "run").jobs.dtype)
    for field in jobs.dtype.names or ():
        full[field] = jobs[field]
    exact = {9: 720.123456789, 1: 5.5, 77: 1.0}

    jct_s = jct_of_jobs(full, exact)

    np.testing.assert_array_equal(jct_s, [360, np.nan, 720.123456789, 5.5, 0])
    table = tables.jobs_table(full, {}, None, np.arange(0), np.arange(0), exact)
    np.testing.assert_array_equal(jct_s / 3600, table["jct_h"])
    # What the completions file alone knows has completed, but in no round that is known.
    assert table["completed"].tolist() == [True, False, True, True, True]
    assert [None if pd.isna(r) else r for r in table["completion_round"]] == [7, None, 8, None, 9]
