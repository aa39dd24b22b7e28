"""Which logs are found, what they are called, and what path and timing say about them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gavel_dash.errors import SourceError
from gavel_dash.ingest.sources import find_logs
from gavel_dash.model import JobWindow


def touch(path: Path, text: str = "x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def timing(path: Path, name: str) -> None:
    experiment = {"name": name, "policy": "fifo", "jobs_per_hr": 0.4, "lambda": 9000, "seed": 1, "multi_gpu": True}
    text = json.dumps({"experiment": {**experiment, "window_start": 6, "window_end": 9}})
    touch(path / "timing.json", text.replace("{", '{"average_jct": Infinity, ', 1))


def forbid(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Make a directory unlistable, also for a test run by root."""
    listed = os.scandir

    def scandir(path: str) -> Any:
        if Path(path) == directory:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)


def names(*sources: Path) -> list[str]:
    return [source.name for source in find_logs(sources)]


def test_replication_directories_are_named_by_timing_or_by_themselves(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "run_a" / "simulation.log")
    touch(tmp_path / "b" / "simulation.log.gz")
    timing(tmp_path / "b", "fig9_fifo_0.4jph_multi_s1")
    first, second = find_logs([tmp_path])
    assert (first.name, second.name) == ("fig9_fifo_0.4jph_multi_s1", "run_a")
    assert first.timing is not None
    assert first.timing.window == JobWindow(6, 9)
    assert (first.key.policy, first.key.arrival_rate_jph, first.key.setting) == ("fifo", 0.4, "multi")


def test_upstream_paths_tell_policy_rate_seed_and_cluster(tmp_path: Path) -> None:
    tree = tmp_path / "raw_logs" / "v100=6.p100=6.k80=6"
    touch(tree / "max_min_fairness" / "seed=0" / "lambda=4500.000000.log.zst")
    touch(tree / "gandiva" / "profiling_percentage=0.5" / "num_reference_models=16" / "seed=2" / "lambda=9000.log")
    touch(tree / "fifo" / "seed=1" / "num_total_jobs=100.log")
    first, second, third = find_logs([tmp_path])
    assert first.name == "fifo_100jobs_6k80-6p100-6v100_s1"
    assert second.name == "gandiva_0.4jph_6k80-6p100-6v100_profiling0.5_references16_s2"
    assert third.name == "max_min_fairness_0.8jph_6k80-6p100-6v100_s0"
    # lambda is seconds between arrivals.
    assert (third.key.arrival_rate_jph, third.key.policy, third.key.seed) == (0.8, "max_min_fairness", 0)
    assert third.dialect == "upstream"


def test_the_name_is_the_same_wherever_the_search_starts(tmp_path: Path) -> None:
    log = touch(tmp_path / "v100=1" / "fifo" / "seed=0" / "lambda=3600.log")
    assert names(tmp_path) == names(log.parent) == names(log) == ["fifo_1jph_1v100_s0"]


def test_equal_names_get_a_suffix_and_a_finding(tmp_path: Path) -> None:
    for place in "abc":
        touch(tmp_path / place / "run.log")
    touch(tmp_path / "d" / "run-2.log")
    found = find_logs([tmp_path])
    assert [source.name for source in found] == ["run", "run-2", "run-3", "run-2-2"]
    assert [len(source.findings) for source in found] == [0, 1, 1, 1]


def test_a_log_given_twice_is_found_once(tmp_path: Path) -> None:
    log = touch(tmp_path / "run.log")
    assert names(tmp_path, log, tmp_path / "." / "run.log") == ["run"]


def test_a_hostile_name_stays_in_the_directory(tmp_path: Path) -> None:
    touch(tmp_path / "r" / "simulation.log")
    timing(tmp_path / "r", "../../etc/passwd\n")
    assert names(tmp_path) == ["_.._etc_passwd_"]


def test_a_broken_timing_is_left_aside_and_reported(tmp_path: Path) -> None:
    touch(tmp_path / "r" / "simulation.log")
    touch(tmp_path / "r" / "timing.json", "{broken")
    (source,) = find_logs([tmp_path])
    assert source.name == "r"
    assert [finding.code for finding in source.findings] == ["timing-unreadable"]


def test_a_linked_timing_is_left_aside_and_reported(tmp_path: Path) -> None:
    touch(tmp_path / "r" / "simulation.log")
    timing(tmp_path / "elsewhere", "stolen")
    (tmp_path / "r" / "timing.json").symlink_to(tmp_path / "elsewhere" / "timing.json")
    (source,) = find_logs([tmp_path])
    assert (source.name, source.timing) == ("r", None)
    assert "expected a file, found a link" in source.findings[0].sentence


def test_other_files_are_no_logs(tmp_path: Path) -> None:
    touch(tmp_path / ".hidden" / "a.log")
    viz = touch(tmp_path / "run.viz.bin.zst")
    touch(tmp_path / "results.csv")
    odd = touch(tmp_path / "saved_log")
    assert names(tmp_path, viz) == []
    assert names(odd) == ["saved_log"]


def test_a_missing_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing there"):
        find_logs([tmp_path / "none"])


def test_a_directory_that_cannot_be_listed_is_reported_and_the_rest_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "open" / "a.log")
    touch(tmp_path / "shut" / "b.log")
    forbid(monkeypatch, tmp_path / "shut")
    problems: list[SourceError] = []
    assert [source.name for source in find_logs([tmp_path], problems.append)] == ["a"]
    assert [problem.path for problem in problems] == [str(tmp_path / "shut")]
    with pytest.raises(SourceError, match="Permission denied"):
        find_logs([tmp_path / "shut"])
