"""Files appear whole or not at all; what nobody is writing any more is removed, and nothing else."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gavel_dash.whole_files import is_sealed, remove_abandoned, replacing, write_atomically, write_sealed


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def test_nothing_has_its_name_before_all_is_written(tmp_path: Path) -> None:
    first, last = tmp_path / "first", tmp_path / "last"
    with replacing(first, last) as files:
        for file in files:
            file.write(b"x" * 100_000)
        assert all(name.startswith(".") for name in names(tmp_path))
    assert names(tmp_path) == ["first", "last"]
    assert first.read_bytes() == last.read_bytes() == b"x" * 100_000
    assert first.stat().st_mtime_ns == last.stat().st_mtime_ns


def test_what_is_changed_meanwhile_is_newer(tmp_path: Path) -> None:
    source = tmp_path / "source"
    with replacing(tmp_path / "made") as (file,):
        began_ns = os.fstat(file.fileno()).st_mtime_ns
        while not source.exists() or source.stat().st_mtime_ns == began_ns:  # clocks of file systems tick slowly
            source.write_bytes(b"changed")
        file.write(b"made")
    assert (tmp_path / "made").stat().st_mtime_ns < source.stat().st_mtime_ns


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    first, last = tmp_path / "first", tmp_path / "last"
    first.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), replacing(first, last) as files:
        files[0].write(bytes(1 // 0))
    assert names(tmp_path) == ["first"]
    assert first.read_bytes() == b"before"


def test_a_directory_in_the_way_is_noticed_before_any_file_changes(tmp_path: Path) -> None:
    (tmp_path / "last").mkdir()
    with pytest.raises(IsADirectoryError), replacing(tmp_path / "first", tmp_path / "last"):
        pass
    assert names(tmp_path) == ["last"]


def test_what_a_dead_process_left_is_removed_and_what_is_being_written_stays(tmp_path: Path) -> None:
    (tmp_path / ".run.viz.bin.0123abcd.gavel-part").write_bytes(b"half")
    (tmp_path / ".somebody.part").write_bytes(b"not ours")
    with replacing(tmp_path / "run.viz.bin") as (file,):
        remove_abandoned(tmp_path)
        assert names(tmp_path) == [Path(file.name).name, ".somebody.part"]
    write_atomically(tmp_path / "other", lambda file: file.write(b"x"))
    assert names(tmp_path) == [".somebody.part", "other", "run.viz.bin"]


def test_writing_removes_what_was_left_in_its_directory(tmp_path: Path) -> None:
    (tmp_path / ".x.0123abcd.gavel-part").write_bytes(b"half")
    write_atomically(tmp_path / "y", lambda file: file.write(b"y"))
    assert names(tmp_path) == ["y"]


def test_a_file_system_without_locks_is_written_to_and_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: object, operation: int) -> None:
        raise OSError(errno.ENOSYS, "no locks here")

    monkeypatch.setattr(fcntl, "flock", flock)
    with replacing(tmp_path / "y") as (file,):
        remove_abandoned(tmp_path)
        file.write(b"y")
    assert (tmp_path / "y").read_bytes() == b"y"


@pytest.mark.parametrize("removed", [False, True], ids=["locked", "removed"])
def test_who_is_overtaken_by_a_removal_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: bool
) -> None:
    flock, seen = fcntl.flock, []

    def overtaken(file, operation):  # type: ignore[no-untyped-def]
        seen.append(file)
        if len(seen) == 1:
            os.unlink(file.name)
            if not removed:
                raise BlockingIOError
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    write_atomically(tmp_path / "y", lambda file: file.write(b"y"))
    assert names(tmp_path) == ["y"]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"whole and more"),
        lambda path: os.truncate(path, 1),
        lambda path: path.write_bytes(b"wholf"),
        lambda path: path.write_bytes(b""),
        Path.unlink,
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["longer", "shorter", "a byte", "empty", "gone", "directory"],
)
def test_a_seal_is_broken_by_any_change(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = tmp_path / "cache" / "x"
    write_sealed(path, lambda file: file.write(b"whole"))
    assert is_sealed(path)
    change(path)
    assert not is_sealed(path)
    if not path.is_dir():
        write_sealed(path, lambda file: file.write(b"whole"))
        assert is_sealed(path)


def test_sets_that_are_renamed_at_once_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[bool] = []

    def replace(source: str, target: Path) -> None:
        handle = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        locked.append(True)
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with replacing(tmp_path / "a", tmp_path / "b"):
        pass
    assert locked == [True, True]
