"""One run: the arrays behind the browser's player."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gavel_dash.errors import UsageError
from gavel_dash.sweep import open_run
from tests.make import write_completions, write_run
from tests.plain_vizbin import Round, build


def test_clock_jobs_and_series_are_those_of_the_tables(tmp_path: Path) -> None:
    written = write_run(tmp_path / "run.viz.bin", n_rounds=18)
    written["jobs"]["duration_s"][0] += 0.1234567
    write_completions(tmp_path / "run_completions.json", written)
    run = open_run(tmp_path / "run.viz.bin")
    rounds, jobs = run.rounds(), run.jobs()

    round_numbers, sim_time_s = run.clock()
    assert (round_numbers.dtype.str, sim_time_s.dtype.str) == ("<u4", "<f4")
    assert round_numbers.tolist() == rounds["round"].tolist()
    assert (sim_time_s / 3600).tolist() == pytest.approx(rounds["sim_time_h"].tolist())
    np.testing.assert_array_equal(run.jct_s / 3600, jobs["jct_h"])
    assert run.jct_s[0] == written["jobs"]["duration_s"][0]
    assert np.isnan(run.jct_s).any()
    assert -1 in run.first_starts
    cells = [(written["allocation"] == job_id).any(axis=1) for job_id in jobs["job_id"]]
    assert run.first_starts.tolist() == [int(in_round.argmax()) if in_round.any() else -1 for in_round in cells]

    series = run.series(0, 18, 18)
    assert series[2].tolist() == series[3].tolist() == series[4].tolist() == rounds["occupancy"].tolist()
    assert series[7].tolist() == rounds["jobs_in_system"].tolist()
    assert series[8].tolist() == rounds["jobs_completed"].tolist()
    assert series[9:, 17].tolist() == rounds[["k80_used", "v100_used"]][:17].sum().tolist()


def test_series_follows_the_order_of_the_workers(tmp_path: Path) -> None:
    rounds = [Round([1, 2], [3, 4, 5, 0, 0])] * 20  # the config lists v100 first, its GPUs come last
    data = build([("v100", 3), ("k80", 2)], rounds, [(3, 0, 1, 0, 0, 0.0)])
    (tmp_path / "run.viz.bin").write_bytes(data)
    run = open_run(tmp_path / "run.viz.bin")
    assert [gpu_type.name for gpu_type in run.cluster.gpu_types] == ["k80", "v100"]
    assert run.series(0, 20, 20)[9:, 1].tolist() == [2, 1]


def test_series_of_rounds_that_are_not_there(tmp_path: Path) -> None:
    write_run(tmp_path / "run.viz.bin", n_rounds=30)
    run = open_run(tmp_path / "run.viz.bin")
    for start, stop in ((-1, 5), (0, 31), (6, 5)):
        with pytest.raises(UsageError, match="it has 30 rounds"):
            run.series(start, stop, 10)
    with pytest.raises(UsageError, match="at least 1 bin"):
        run.series(0, 30, 0)


def test_a_run_without_rounds_or_jobs(tmp_path: Path) -> None:
    (tmp_path / "run.viz.bin").write_bytes(build([("k80", 2)], []))
    run = open_run(tmp_path / "run.viz.bin")
    assert [len(array) for array in (*run.clock(), run.jct_s, run.first_starts)] == [0, 0, 0, 0]
    assert run.series(0, 0, 1000).shape == (10, 0)
