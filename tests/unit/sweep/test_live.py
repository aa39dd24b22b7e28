"""A sweep that changes: what has changed is read anew, what has not stays, and nothing needs a restart."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from gavel_dash.errors import LogParseError, UsageError
from gavel_dash.sweep import LiveSweep, RunMemory, Sweep, catalogue, open_sweep
from gavel_dash.sweep.following import MOST_KEPT
from gavel_dash.sweep.live import REST_S, SHORTEST_REST_S
from gavel_dash.sweep.open_runs import MOST_OPEN, MOST_STATES, OpenRuns
from gavel_dash.sweep.running import RECENT_S
from tests.make import write_run
from tests.unit.ingest.log_text import short_log

NAME = "fig10_max_min_fairness_2.0jph_multi_s0"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_run(tmp_path / "a.viz.bin")
    write_run(tmp_path / "b.viz.bin", n_rounds=50)
    return tmp_path


@pytest.fixture
def log(directory: Path) -> Path:
    path = directory / NAME / "simulation.log"
    path.parent.mkdir()
    path.write_bytes(b"".join(short_log().data.splitlines(keepends=True)[:-3]))
    return path


def finish(log: Path) -> None:
    with log.open("ab") as file:
        file.write(short_log().data[log.stat().st_size :])


def test_nothing_changed_is_the_same_sweep(directory: Path) -> None:
    sweep = open_sweep(directory)
    assert sweep.refreshed() is sweep


def test_new_replaced_and_deleted_runs(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_sweep(directory)
    kept = before["a"]
    assert kept.n_rounds == 60
    read = []
    index_run = catalogue.index_run
    monkeypatch.setattr(catalogue, "index_run", lambda files, *rest: read.append(files.name) or index_run(files, *rest))
    write_run(directory / "c.viz.bin", n_rounds=40)
    write_run(directory / "new", n_rounds=30)
    os.replace(directory / "new", directory / "b.viz.bin")
    after = before.refreshed()
    assert sorted(read) == ["b", "c"]  # and not a
    assert set(after.names) == {"a", "b", "c"}
    assert after["a"] is kept
    assert after["b"].n_rounds == 30
    assert after.version != before.version
    assert after.names_version != before.names_version
    assert after.results_version != before.results_version
    (directory / "b.viz.bin").unlink()
    last = after.refreshed()
    assert set(last.names) == {"a", "c"}
    assert last.state_of_run("b") == ""
    with pytest.raises(UsageError):
        last["b"]
    # Whoever has it on screen goes on.
    version = after["b"].viz.content_id
    played = last.in_version("b", version)
    assert played is not None
    assert played.n_rounds == 30


def test_an_empty_sweep_may_begin(tmp_path: Path) -> None:
    sweep = open_sweep(tmp_path)
    assert sweep.names == []
    write_run(tmp_path / "a.viz.bin")
    assert sweep.refreshed().names == ["a"]


def test_a_growing_log_is_running_and_can_be_opened(directory: Path, log: Path) -> None:
    sweep = open_sweep(directory)
    row = sweep.runs().set_index("run").loc[NAME]
    assert row["status"] == "running"
    assert row["note"] == "round 2, 0.1 simulated hours"
    assert (row["rounds"], row["arrival_rate_jph"]) == (3, 2.0)
    assert sweep.n_running == 1
    assert sweep.has_rounds(NAME)
    assert not sweep.is_converted(NAME)
    first = sweep[NAME]
    assert first.n_rounds == 3
    finish(log)
    later = sweep.refreshed()
    assert later[NAME].n_rounds == 4
    assert later.version != sweep.version
    assert later.results_version == sweep.results_version
    assert later.in_version(NAME, first.viz.content_id) is first
    assert later.in_version(NAME, "another") is None


def test_a_log_that_ends_or_rests_is_not_running(directory: Path, log: Path) -> None:
    long_ago = time.time() - RECENT_S - 1
    os.utime(log, (long_ago, long_ago))
    sweep = open_sweep(directory)
    assert sweep.runs().set_index("run").loc[NAME, "status"] == "unconverted"
    assert sweep[NAME].n_rounds == 3  # converted on demand all the same
    os.utime(log)
    assert sweep.refreshed().is_running(NAME)
    with log.open("ab") as file:
        file.write(b"Total duration: 3.0 seconds\n")
    ended = sweep.refreshed()
    assert ended.runs().set_index("run").loc[NAME, "status"] == "unconverted"


def test_rest_alone_ends_running(directory: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = open_sweep(directory)
    assert sweep.is_running(NAME)
    now = time.time()
    monkeypatch.setattr("gavel_dash.sweep.running.time.time", lambda: now + RECENT_S + 5)
    assert not sweep.refreshed().is_running(NAME)


def test_an_older_conversion_gives_way_to_the_log_that_grows(directory: Path, log: Path) -> None:
    write_run(directory / f"{NAME}.viz.bin")
    old = time.time() - 60
    os.utime(directory / f"{NAME}.viz.bin", (old, old))
    sweep = open_sweep(directory)
    assert sweep.is_running(NAME)
    assert sweep[NAME].n_rounds == 3
    assert [finding.code for finding in sweep.findings(NAME)] == ["older-conversion"]
    os.utime(directory / f"{NAME}.viz.bin")
    assert sweep.refreshed()[NAME].n_rounds == 60


def test_a_damaged_log_is_one_error(directory: Path, log: Path) -> None:
    with log.open("ab") as file:
        file.write(b"scheduler:INFO [9] EVENT {broken\n")
    sweep = open_sweep(directory)
    with pytest.raises(LogParseError, match=r"simulation\.log"):
        _ = sweep[NAME].viz


def test_conversions_are_shared_and_few_are_kept(directory: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(directory / ".cache"))
    lines = short_log().data.splitlines(keepends=True)
    sweep = open_sweep(directory)
    for line in lines[-3:]:
        _ = sweep[NAME].viz
        with log.open("ab") as file:
            file.write(line)
        sweep = sweep.refreshed()
    assert sweep[NAME].n_rounds == 4
    (room,) = (directory / ".cache" / "following").iterdir()
    assert sum(path.is_dir() for path in room.iterdir()) == MOST_KEPT
    monkeypatch.setattr("gavel_dash.sweep.following.LogFollower.convert", None)  # another process finds the files
    assert open_sweep(directory)[NAME].n_rounds == 4


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_it_looks_again_after_a_rest(directory: Path) -> None:
    clock = Clock()
    live = LiveSweep(open_sweep(directory), clock)
    write_run(directory / "c.viz.bin")
    assert "c" not in live.now
    clock.now_s = REST_S
    assert "c" in live.now
    assert live.problem == ""


def test_it_looks_sooner_when_it_hears_of_news(directory: Path) -> None:
    clock = Clock()
    live = LiveSweep(open_sweep(directory), clock)
    write_run(directory / "c.viz.bin")
    live.hear_of(live.known.version)
    clock.now_s = SHORTEST_REST_S
    assert "c" not in live.now
    live.hear_of("another")
    assert "c" in live.now


def test_a_directory_that_is_gone_leaves_what_was_known(directory: Path) -> None:
    clock = Clock()
    live = LiveSweep(open_sweep(directory), clock)
    shutil.move(directory, directory.with_name("elsewhere"))
    clock.now_s += REST_S
    assert set(live.now.names) == {"a", "b"}
    assert "nothing there" in live.problem
    shutil.move(directory.with_name("elsewhere"), directory)
    clock.now_s += REST_S
    assert set(live.now.names) == {"a", "b"}
    assert live.problem == ""


def test_one_looks_and_the_others_go_on(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.sweep.live.PATIENCE_S", 0.01)
    clock, begun, may_end = Clock(), Event(), Event()
    sweep = open_sweep(directory)
    live = LiveSweep(sweep, clock)

    def slow(self: Sweep) -> Sweep:
        begun.set()
        may_end.wait(30)
        return self

    monkeypatch.setattr(Sweep, "refreshed", slow)
    clock.now_s = REST_S
    looking = Thread(target=lambda: live.now)
    looking.start()
    assert begun.wait(30)
    assert live.now is sweep
    may_end.set()
    looking.join()


def test_memory_forgets_with_the_file(directory: Path) -> None:
    sweep, memory, computed = open_sweep(directory), RunMemory(2), []

    def get(sweep: Sweep, name: str, key: int = 0) -> int:
        return memory.get(sweep, name, key, lambda: computed.append(name) or len(computed))

    assert [get(sweep, "a"), get(sweep, "a"), get(sweep, "b")] == [1, 1, 2]
    write_run(directory / "c.viz.bin")
    sweep = sweep.refreshed()
    assert get(sweep, "a") == 1
    os.utime(directory / "a.viz.bin", (1, 1))
    assert get(sweep.refreshed(), "a") == 3
    assert get(sweep, "b") == 4  # two are kept


def test_few_states_and_runs_stay_open(directory: Path) -> None:
    run = open_sweep(directory)["a"]
    runs = OpenRuns()
    for state in "xyz":
        runs.get("a", state, lambda: run)
    assert len(runs.of("a")) == MOST_STATES
    for n in range(MOST_OPEN):
        runs.get(str(n), "", lambda: run)
    assert runs.of("a") == []
