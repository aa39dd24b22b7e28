"""Which files of a directory are seen, and what is known of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.sweep.discover import Found, discover

NAMES = [
    "a.viz.bin",
    "b.viz.bin.zst",
    "c.viz.bin.gz",
    "d.viz.bin.packed",
    "a_completions.json",
    "b_completions.json.zst",
    "c_telemetry.json.gz",
    "e.viz.bin.viz.bin",
    "f.viz.bin.txt",
    ".viz.bin",
    ".g.viz.bin",
    "_completions.json",
    "results_all.csv",
    "manifest.json",
    "notes.md",
]


def files_of(found: Found) -> dict[str, list[str]]:
    return {name: [Path(file.path).name for file in run.all_files()] for name, run in found.runs.items()}


def test_a_name_says_what_a_file_is(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("x")
    found = discover(tmp_path)
    assert files_of(found) == {
        "a": ["a.viz.bin", "a_completions.json"],
        "b": ["b.viz.bin.zst", "b_completions.json.zst"],
        "c": ["c.viz.bin.gz", "c_telemetry.json.gz"],
        "d": ["d.viz.bin.packed"],
        "e.viz.bin": ["e.viz.bin.viz.bin"],
    }
    assert [path.name for path in found.tables] == ["results_all.csv"]
    assert [path.name for path in found.manifests] == ["manifest.json"]


def test_files_come_before_those_of_the_directories_below(tmp_path: Path) -> None:
    for directory in ("", "z", "a/b", "a", ".hidden"):
        (tmp_path / directory).mkdir(parents=True, exist_ok=True)
        (tmp_path / directory / "run.viz.bin").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "z")
    paths = [Path(file.path).relative_to(tmp_path).as_posix() for file in discover(tmp_path).runs["run"].files]
    assert paths == ["run.viz.bin", "a/run.viz.bin", "a/b/run.viz.bin", "z/run.viz.bin"]


def test_a_file_is_known_by_time_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a.viz.bin"
    path.write_bytes(b"12345")
    (file,) = discover(tmp_path).runs["a"].files
    assert file == (".viz.bin", str(path), path.stat().st_mtime_ns, 5)


@pytest.mark.parametrize("target", ["nowhere", "a.viz.bin"], ids=["broken", "loop"])
def test_a_link_that_leads_nowhere_is_a_file_without_a_size(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.viz.bin").symlink_to(tmp_path / target)
    (file,) = discover(tmp_path).runs["a"].files
    assert file.size == -1


def test_one_file_comes_with_what_belongs_to_it(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("x")
    assert files_of(discover(tmp_path / "b.viz.bin.zst")) == {"b": ["b.viz.bin.zst", "b_completions.json.zst"]}
    assert files_of(discover(tmp_path / "notes.md")) == {"notes.md": ["notes.md"]}


def test_what_leads_out_of_the_directory_is_left_aside_and_said(tmp_path: Path) -> None:
    sweep, outside = tmp_path / "sweep", tmp_path / "sweep-2"  # a name that only begins like the sweep's
    for directory in (sweep, outside):
        directory.mkdir()
        (directory / "own.viz.bin").write_text("x")
    (sweep / "a.viz.bin").symlink_to(outside / "own.viz.bin")
    (sweep / "below").symlink_to(outside)
    (sweep / "c.viz.bin").symlink_to(sweep / "own.viz.bin")
    found = discover(sweep)
    assert sorted(found.runs) == ["c", "own"]
    (problem,) = found.problems
    assert problem.startswith(f"{sweep / 'a.viz.bin'} and 1 more: links out of the sweep")


def test_a_sweep_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.viz.bin").write_text("x")
    (tmp_path / "real" / "b.viz.bin").symlink_to("a.viz.bin")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = discover(tmp_path / "link")
    assert (sorted(found.runs), found.problems) == (["a", "b"], [])


def test_beside_one_file_a_link_that_leads_out_is_left_aside(tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    (sweep / "a.viz.bin").write_text("x")
    (tmp_path / "outside.json").write_text("[]")
    (sweep / "a_completions.json").symlink_to(tmp_path / "outside.json")
    found = discover(sweep / "a.viz.bin")
    assert files_of(found) == {"a": ["a.viz.bin"]}
    assert "a link out of its directory" in found.problems[0]
