"""One job's life against what the timelines of all jobs say, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gavel_dash.analysis import job_life as life
from gavel_dash.analysis.segments import find_segments
from gavel_dash.pages.job_view import view_job
from gavel_dash.sweep import Run, open_sweep

BUNDLED = Path(__file__).parents[3] / "experiments"
TYPES = np.array([0, 0, 1])
#: A row per round, a column per GPU. Job 7 waits, starts, moves, is preempted, resumes, and goes to the other type.
LANES = np.array(
    [[9, 0, 5], [7, 9, 5], [0, 7, 0], [0, 0, 0], [0, 7, 0], [8, 0, 7], [8, 0, 0]],
    np.uint32,
)
NONE_UNKNOWN = np.zeros(len(LANES), bool)


def stretches_of(unknown: np.ndarray = NONE_UNKNOWN) -> list[life.Stretch]:
    """Life of job 7."""
    segments = find_segments(LANES)
    return life.find_life(segments.select(segments.job_id == 7), 0, 7, unknown, TYPES)


def test_a_life_by_hand() -> None:
    assert [(s.start, s.stop, s.state, s.event, s.lanes) for s in stretches_of()] == [
        (0, 1, "waiting", "arrived", ()),
        (1, 2, "running", "started", (0,)),
        (2, 3, "running", "migrated", (1,)),
        (3, 4, "preempted", "preempted", ()),
        (4, 5, "running", "resumed", (1,)),
        (5, 6, "running", "migrated to other types", (2,)),
        (6, 7, "preempted", "preempted", ()),
    ]
    assert life.count_events(stretches_of(), ends_well=False) == (2, 2, 1)
    assert life.count_events(stretches_of(), ends_well=True) == (1, 2, 1)


def test_rounds_without_allocations_are_unknown_and_no_waiting() -> None:
    unknown = NONE_UNKNOWN.copy()
    unknown[3] = True
    states = [s.state for s in stretches_of(unknown)]
    assert states == ["waiting", "running", "running", "unknown", "running", "running", "preempted"]
    assert life.PREEMPTED not in [s.event for s in stretches_of(unknown)[:4]]


def test_quarters_of_a_gpu_are_another_share_and_no_migration() -> None:
    lanes = np.array([[7, 7, 8, 8], [7, 7, 7, 7]], np.uint32)
    segments = find_segments(lanes)
    found = life.find_life(
        segments.select(segments.job_id == 7), 0, 2, np.zeros(2, bool), np.array([0]), lanes_per_gpu=4
    )
    assert [s.event for s in found] == ["started", life.SHARE_CHANGED]
    assert life.count_events(found, True) == (0, 0, 0)
    group = np.zeros(4, int)
    assert life.find_sharers(segments, 7, found[0], group) == {0: [8]}
    assert life.find_sharers(segments, 7, found[1], group) == {0: []}


def test_neighbors_are_those_right_before_and_after() -> None:
    segments = find_segments(LANES)
    first, moved = stretches_of()[1:3]
    [at_start] = life.find_neighbors(segments, 7, first, NONE_UNKNOWN)
    assert (at_start.lane, at_start.before, at_start.after, at_start.after_known) == (0, 9, None, True)
    [on_next] = life.find_neighbors(segments, 7, moved, NONE_UNKNOWN)
    assert (on_next.before, on_next.after) == (9, None)
    unknown = NONE_UNKNOWN.copy()
    unknown[2] = True
    assert not life.find_neighbors(segments, 7, first, unknown)[0].after_known


def check_all_jobs(run: Run, every: int) -> None:
    """Every n-th job: rounds and events are those of the timelines, stretches have no gaps."""
    lines, segments, quarters = run.timelines, run.segments(), run.viz.lanes_per_gpu
    types = np.repeat(np.arange(len(run.cluster.gpu_types)), [t.count for t in run.cluster.gpu_types])
    jobs = run.viz.jobs
    for i in range(0, len(jobs), every):
        if not lines.known[i] or 0 <= lines.first_start[i] < lines.in_system_from[i]:
            continue
        own = segments.select(segments.job_id == jobs["job_id"][i])
        since, until = int(lines.in_system_from[i]), int(lines.in_system_until[i])
        found = life.find_life(own, since, until, run.records_without_allocation, types, quarters)
        run_rounds = sum(s.stop - s.start for s in found if s.state == life.RUNNING)
        assert run_rounds == lines.run_rounds[i]
        assert sum(s.stop - s.start for s in found) - run_rounds == lines.queued_rounds[i]
        assert [s.start for s in found[1:]] == [s.stop for s in found[:-1]]
        counted = life.count_events(found, bool(jobs["completed"][i]))
        assert counted == (lines.preemptions[i], lines.migrations[i], lines.type_migrations[i])


def test_every_20th_job_of_a_bundled_run_agrees_with_the_timelines() -> None:
    check_all_jobs(open_sweep(BUNDLED)["fig10_max_min_fairness_2.8jph_multi_s0"], 20)


@pytest.mark.parametrize("name", ["sharing_test", "fgd_fifo_random_placement", "generation_1a_test_data"])
def test_every_job_of_the_published_files_agrees_with_the_timelines(name: str, data_dir: Path) -> None:
    sweep = open_sweep(data_dir / "published")
    if name not in sweep:
        pytest.skip(f"{name} is not among the real files here")
    check_all_jobs(sweep[name], 1)


def test_table_of_stretches_adds_up() -> None:
    run = open_sweep(BUNDLED)["fig10_max_min_fairness_2.8jph_multi_s0"]
    view = view_job(run, 2250)
    table = view.table()
    running = table[table["state"] == "running"]
    assert running["duration_h"].sum() == pytest.approx(view.row["run_time_h"])
    assert (running["duration_h"] * running["n_gpus"]).sum() == pytest.approx(view.row["gpu_hours"])
    assert table["duration_h"].sum() == pytest.approx(view.row["run_time_h"] + view.row["queueing_time_h"])
