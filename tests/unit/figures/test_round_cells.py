"""A round of a run as plain arrays, and since when jobs hold their GPUs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gavel_dash.errors import UsageError
from gavel_dash.figures.round_cells import cells_of_round, held_since
from gavel_dash.sweep import Run, open_run
from tests.make import simulate, write_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "fifo.viz.bin"
    write_run(path)
    return open_run(path)


def test_cells_are_what_was_simulated(run: Run) -> None:
    truth = simulate()
    for index in range(run.n_rounds):
        cells = cells_of_round(run, index)
        assert cells.allocation.tolist() == truth["allocation"][index].tolist()
        assert cells.gpus_used.tolist() == truth["used"][index].tolist()
        for job in cells.jobs:
            held = np.flatnonzero(truth["allocation"][index] == job.job_id)
            assert job.gpus.tolist() == held.tolist()
            assert job.scale_factor == len(held)
            assert job.arrival_round == truth["jobs"]["arrival_round"][job.job_id]
            began = index
            while began > 0 and (truth["allocation"][began - 1, held] == job.job_id).all():
                began -= 1
            assert job.since_round == truth["heads"]["round"][began]
            assert not job.since_is_bound


def test_search_back_is_bounded_and_says_so(run: Run) -> None:
    index = 14  # job 4 or so has run for some rounds
    whole = {job.job_id: job for job in cells_of_round(run, index).jobs}
    short = {job.job_id: job for job in cells_of_round(run, index, most_cells_back=8 * 1).jobs}
    longest = min(whole.values(), key=lambda job: job.since_round or 0)
    assert longest.since_round is not None
    assert longest.since_round < index - 1
    assert short[longest.job_id].since_is_bound
    assert short[longest.job_id].since_round == index - 1
    assert all(job.since_round is None for job in cells_of_round(run, index, most_cells_back=0).jobs)


def test_search_back_ends_at_the_first_record(run: Run) -> None:
    since, bound = held_since(run.viz, 3, run.allocation(3), 10**6)
    assert since[run.allocation(3) == 0].tolist() == [0]
    assert bound == 0


def test_legend_is_of_the_run(run: Run) -> None:
    cells = cells_of_round(run, 0)
    assert cells.categories == ("language_model", "resnet")


def test_round_outside_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        cells_of_round(run, run.n_rounds)
