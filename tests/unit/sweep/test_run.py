"""One run: the arrays behind the browser's player."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gavel_dash.errors import UsageError
from gavel_dash.sweep import open_run
from gavel_dash.sweep.run import Run
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


JobRow = tuple[int, int, int, int, int, float]


def open_rounds(path: Path, rounds: list[Round], jobs: list[JobRow], **how: Any) -> Run:
    """A run of four GPUs, whose ids are stored as they are unless `how` says otherwise."""
    path.write_bytes(build([("k80", 2), ("v100", 2)], rounds, jobs, **how))
    return open_run(path)


def test_times_of_records(tmp_path: Path) -> None:
    run = open_rounds(tmp_path / "run.viz.bin", [Round([0, 0], [0] * 4)] * 3, [])
    assert run.time_h.tolist() == pytest.approx([0, 0.1, 0.2])
    assert run.edges_h.tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert [run.index_at(hours) for hours in (-1, 0, 0.05, 0.15, 99)] == [0, 0, 0, 1, 2]


def test_index_at_without_rounds(tmp_path: Path) -> None:
    assert open_rounds(tmp_path / "run.viz.bin", [], []).index_at(3) == 0


def test_the_life_of_jobs_in_the_table(tmp_path: Path) -> None:
    rounds = [
        Round([0, 0], [0, 0, 0, 0]),
        Round([2, 0], [1, 1, 0, 0], [2]),
        Round([1, 0], [2, 0, 0, 0], [1]),
        Round([1, 1], [2, 0, 1, 0]),
        Round([0, 1], [0, 0, 1, 0], [3]),
    ]
    jobs = [(1, 0, 2, 0, 0, 0.0), (2, 0, 1, 0, 3, 900.0), (3, 0, 4, 3, 0, 0.0)]
    table = open_rounds(tmp_path / "run.viz.bin", rounds, jobs).jobs().set_index("job_id")
    hours = {"wait_to_start_h": [0, 0.1], "queueing_time_h": [0.1, 0.1], "run_time_h": [0.3, 0.2]}
    for name, expected in hours.items():
        assert table[name].tolist()[:2] == pytest.approx(expected), name
    assert table["gpu_hours"].tolist() == pytest.approx([0.4, 0.2, 0])
    assert table["first_start_round"].tolist()[:2] == [1, 2]
    assert table["first_start_time_h"].tolist()[:2] == pytest.approx([0.1, 0.2])
    assert table["completion_time_h"][2] == pytest.approx(0.4)
    assert table["preemptions"].tolist() == [1, 0, 0]
    assert table["migrations"].tolist() == [1, 0, 0]
    assert table["type_migrations"].tolist() == [1, 0, 0]
    assert table["gpu_types"].tolist() == ["k80 v100", "k80", ""]
    # A job that never ran has waited, but has no first start.
    assert table[["first_start_round", "first_start_time_h", "wait_to_start_h"]].loc[3].isna().all()
    assert table.loc[3, ["queueing_time_h", "run_time_h"]].tolist() == pytest.approx([0.1, 0])


def test_who_runs_on_a_quarter_of_a_gpu_in_the_first_record_was_there(tmp_path: Path) -> None:
    rounds = [Round([1, 0], [1, 0, 0, 0], running=2, sharing=[(0, (1, 1, 2, 0))])] * 2
    jobs = [(1, 0, 1, 0, 0, 0.0), (2, 0, 1, 0, 0, 0.0), (3, 0, 1, 0, 0, 0.0)]
    run = open_rounds(tmp_path / "run.viz.bin", rounds, jobs)
    assert run.timelines.in_system_from.tolist() == [0, 0, 1]
    assert run.timelines.queued_rounds.tolist() == [0, 0, 1]
    assert run.timelines.gpu_rounds.tolist() == [1, 0.5, 0]


def test_an_idle_gpu_in_the_first_record_is_not_job_0(tmp_path: Path) -> None:
    run = open_rounds(tmp_path / "run.viz.bin", [Round([1, 0], [5, 0, 0, 0])] * 3, [(0, 0, 8, 0, 0, 0.0)])
    assert run.timelines.in_system_from.tolist() == [1]


def test_16_byte_records_say_nothing_of_waiting(tmp_path: Path) -> None:
    rounds = [Round([1, 0], [1, 0, 0, 0], [2]), Round([1, 0], [2, 0, 0, 0]), Round([0, 1], [0, 0, 2, 0])]
    jobs = [(1, 0, 1, 0, 0, 0.0), (2, 0, 1, 0, 0, 0.0)]
    run = open_rounds(tmp_path / "run.viz.bin", rounds, jobs, short_jobs=True)
    table = run.jobs()
    assert table[["queueing_time_h", "preemptions"]].isna().all(axis=None)  # job 1 may be done, or have been stopped
    assert table["run_time_h"].tolist() == pytest.approx([0.1, 0.2])
    assert table["wait_to_start_h"].tolist() == pytest.approx([0, 0.1])
    assert table["migrations"].tolist() == [0, 1]


def test_a_completion_that_only_the_completions_file_knows_has_no_round(tmp_path: Path) -> None:
    rounds = [Round([1, 0], [1, 0, 0, 0], [2])] * 3
    (tmp_path / "run_completions.json").write_text(json.dumps([{"job_id": 1, "sim_time": 0.0, "duration": 500.5}]))
    run = open_rounds(tmp_path / "run.viz.bin", rounds, [(1, 0, 1, 0, 0, 0.0), (2, 0, 1, 0, 0, 0.0)])
    table = run.jobs().set_index("job_id")
    assert table["completed"].tolist() == [True, False]
    assert table["jct_h"][1] == 500.5 / 3600
    unknown = ["completion_round", "completion_time_h", "queueing_time_h", "preemptions"]
    assert table.loc[1, unknown].isna().all()
    assert table["queueing_time_h"][2] == pytest.approx(0.3)


def hidden_job_0(path: Path) -> Run:
    """Job 0 holds two GPUs in the second of three records, and its id looks idle."""
    rounds = [
        Round([1, 0], [1, 0, 0, 0]),
        Round([1, 2], [1, 0, 0, 0], running=2),
        Round([1, 0], [1, 0, 0, 0]),
    ]
    return open_rounds(path, rounds, [(0, 0, 2, 0, 1, 360.0), (1, 0, 1, 0, 0, 0.0)])


def test_where_job_0_runs_unseen_nothing_is_known(tmp_path: Path) -> None:
    run = hidden_job_0(tmp_path / "run.viz.bin")
    assert run.records_without_allocation.tolist() == [False, True, False]
    assert run.timelines.known.tolist() == [False, False]
    unknown = ["first_start_round", "queueing_time_h", "run_time_h", "preemptions", "migrations", "gpu_types"]
    assert run.jobs()[unknown].isna().all(axis=None)
    sizes = {"k80": 2, "v100": 2}
    free = run.fragmentation(sizes)
    assert free.known.tolist() == [True, False, True]
    assert free.free.tolist() == [[1, 2], [1, 0], [1, 2]]
    assert np.isnan(free.rate()).tolist() == [False, True, False]
    # Nobody waits there, which needs no allocation to be known.
    assert run.blocked_demand(sizes).known.all()


def test_node_sizes_of_the_user_change_what_fits(tmp_path: Path) -> None:
    rounds = [Round([1, 1], [1, 0, 2, 0], [3])] * 2
    jobs = [(1, 0, 1, 0, 0, 0.0), (2, 0, 1, 0, 0, 0.0), (3, 0, 2, 0, 0, 0.0)]
    run = open_rounds(tmp_path / "run.viz.bin", rounds, jobs)
    assert run.blocked_demand().no_gpus.tolist() == [[0, 1]] * 2  # a job's GPUs are of one type
    assert not run.fragmentation().can_fragment
    sizes = {"k80": 2, "v100": 2}
    assert run.fragmentation(sizes).rate().tolist() == pytest.approx([1 / 3, 1 / 3])
    assert run.fragmentation(sizes) is run.fragmentation(dict(sizes))
    nodes = run.node_fragmentation(-5, 99, sizes)
    assert nodes.free.tolist() == [1, 1]
    assert run.contention(0, 2).free_gpus == 2
    assert run.segments(1, 99).start.tolist() == [1, 1]
    assert len(run.segments(5, 3)) == 0


def test_a_job_that_runs_before_it_arrives_has_no_wait(tmp_path: Path) -> None:
    rounds = [Round([0, 0], [0] * 4)] + [Round([1, 0], [1, 0, 0, 0])] * 3
    table = open_rounds(tmp_path / "run.viz.bin", rounds, [(1, 0, 1, 2, 0, 0.0)]).jobs()
    assert table["first_start_round"].tolist() == [1]
    assert table[["wait_to_start_h", "queueing_time_h", "preemptions"]].isna().all(axis=None)
