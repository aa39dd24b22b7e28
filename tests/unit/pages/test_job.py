"""The page of one job."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.errors import UsageError
from gavel_dash.figures import job_lane
from gavel_dash.pages import job as page
from gavel_dash.pages.job_content import build_neighbors, node_of_gpu, shown_stretch, tell_moment, tell_unmarked
from gavel_dash.pages.job_view import JobView, open_job
from gavel_dash.sweep import Sweep, open_sweep
from tests.make import write_run
from tests.unit.pages.test_sweep import text


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("job")
    write_run(folder / "a.viz.bin")
    write_run(folder / "b.viz.bin", n_jobs=30, every=1, n_rounds=14)
    return open_sweep(folder)


def view_of(sweep: Sweep, run: str, job: int) -> JobView:
    found = open_job(sweep, {"run": run, "job": str(job)})
    assert isinstance(found, JobView)
    return found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "choose it"),
        ({"run": "a"}, "choose it"),
        ({"run": "gone", "job": "1"}, "no run named gone"),
        ({"run": "a", "job": "-1"}, "a whole number from 0"),
        ({"run": "a", "job": "9" * 30}, "a whole number from 0"),
        ({"run": "a", "job": "99"}, "has no job 99; its 12 jobs have the ids 0 to 11"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(sweep: Sweep, query: dict[str, str], said: str) -> None:
    found = open_job(sweep, query)
    assert isinstance(found, str)
    assert said in found
    whole = text(page.layout(sweep, **query))
    for part in ("job-lane", "job-moment", "job-stretches", "job-open-cluster", said):
        assert part in whole


def test_the_page_tells_the_job(sweep: Sweep) -> None:
    said = text(page.layout(sweep, run="a", job="3", round="7"))
    for part in ("Job 3", "asks for 1 GPU", "/job?run=a&job=2", "/job?run=a&job=4", "job_stretches.csv?job=3"):
        assert part in said
    assert '"id": "job-cursor", "data": 7' in said or '"data": 7' in said


def test_the_wait_says_what_it_counts_and_unmarked_events_are_told(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of(sweep, "a", 3)
    assert "Whole rounds in the system before the first on a GPU" in text(page.layout(sweep, run="a", job="3"))
    assert tell_unmarked(view) == ""
    monkeypatch.setattr(job_lane, "MOST_MARKS", 0)
    assert "only the first has a mark in the chart for started (1×)" in tell_unmarked(view)
    assert tell_unmarked(view) in text(page.layout(sweep, run="a", job="3"))


def test_a_job_that_never_ran_says_so(sweep: Sweep) -> None:
    run = sweep["b"]
    never = int(run.viz.jobs["job_id"][(run.timelines.first_start < 0) & (run.timelines.queued_rounds > 0)][0])
    said = text(page.layout(sweep, run="b", job=str(never)))
    assert "was never seen on a GPU" in said
    assert "never started" in said
    assert "not completed when the run ended" in said


def test_moment_from_a_click_a_row_or_a_key_stays_in_the_run(sweep: Sweep) -> None:
    view = view_of(sweep, "a", 3)
    assert page.next_moment(view, 5, {"hour": float(view.run.time_h[9]) + 0.01}) == 9
    assert page.next_moment(view, 5, {"index": 8}) == 8
    assert page.next_moment(view, 5, {"step": 10}) == 15
    assert page.next_moment(view, 5, {"step": -10}) == 0
    assert view.moment(10**8) == view.run.n_rounds - 1
    assert view.moment(None) == int(view.run.timelines.first_start[3])


def test_words_of_a_moment_agree_with_the_allocation(sweep: Sweep) -> None:
    view = view_of(sweep, "a", 5)
    for index in range(view.run.n_rounds):
        runs = 5 in view.run.allocation(index)
        waits = 5 in view.run.queue(index)
        said = tell_moment(view, index)
        assert f"(record {index + 1:,} of {view.run.n_rounds:,})" in said
        assert ("running" in said) == runs
        assert ("waiting" in said) == waits
        assert ("in the system" in said) == (not runs and not waits)


def test_neighbors_agree_with_the_rounds_beside(sweep: Sweep) -> None:
    view = view_of(sweep, "a", 5)
    stretch = shown_stretch(view, 0)
    assert stretch is not None
    said = text(build_neighbors(view, 0, {}))
    assert "It holds no GPU at this moment" in said
    for lane in stretch.lanes:
        for index in (stretch.start - 1, stretch.stop):
            holder = int(view.run.allocation(index)[lane])
            assert (f"job {holder}" if holder >= 0 else "idle") in said
    assert "How many GPUs a node" in said
    beside = {int(j) for i in range(stretch.start, stretch.stop) for j in view.run.allocation(i)[:4]} - {-1, 5}
    with_nodes = text(build_neighbors(view, 0, {"k80": 4, "v100": 4}))
    assert "On the same nodes" in with_nodes
    if min(stretch.lanes) < 4:
        assert all(f"/job?run=a&job={job}" in with_nodes for job in beside)


def test_nodes_are_of_one_type_and_size_one_is_none(sweep: Sweep) -> None:
    nodes, names = node_of_gpu(sweep["a"].cluster, {"k80": 3, "v100": 1})
    assert nodes.tolist() == [0, 0, 0, 1, -1, -1, -1, -1]
    assert names == ["k80 node 0", "k80 node 1"]


def test_csv_of_stretches(sweep: Sweep) -> None:
    table = page.stretches_table(sweep, "a", {"job": ["3"]})
    assert table["state"].tolist()[-1] == "running"
    with pytest.raises(UsageError):
        page.stretches_table(sweep, "a", {"job": "99"})


def test_real_odd_files_give_a_page_for_every_10th_job(data_dir: Path) -> None:
    published = open_sweep(data_dir / "published")
    for name in published.names:
        ids = published[name].viz.jobs["job_id"][::10].tolist() if published.has_rounds(name) else [0]
        for job_id in ids or [0]:
            assert "job-lane" in text(page.layout(published, run=name, job=str(job_id)))
