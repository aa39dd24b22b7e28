"""Unpacked runs in the cache: whatever happens to them costs time, never a run."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gavel_dash import open_run
from gavel_dash.sweep import cache
from tests.make import write_run

ROUNDS = 60


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where unpacked runs go; what is made elsewhere goes to `tmp_path / "spare"`."""
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(cache, "_SPARE_PLACES", (str(tmp_path / "spare"),))
    monkeypatch.setattr(cache, "_spare_rooms", {})
    return tmp_path / "cache" / "unpacked"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    plain, packed = tmp_path / "run.viz.bin", tmp_path / "run.viz.bin.gz"
    write_run(plain, n_rounds=ROUNDS)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return packed


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, 0),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: path.write_bytes(b"foreign" * 10_000),
        lambda path: write_run(path, n_rounds=ROUNDS + 1),
        _make_directory,
        lambda path: shutil.rmtree(path.parent),
    ],
    ids=["empty", "cut", "foreign", "another run", "directory", "gone"],
)
def test_a_damaged_unpacked_run_is_unpacked_again(
    packed: Path, unpacked: Path, damage: Callable[[Path], object]
) -> None:
    assert open_run(packed).viz.n_rounds == ROUNDS
    (file,) = unpacked.glob("*/*.viz.bin")
    damage(file)
    assert open_run(packed).viz.n_rounds == ROUNDS
    assert [path.name for path in unpacked.rglob("*") if path.is_file()] in ([], [file.name])


def test_without_a_cache_runs_are_unpacked_elsewhere_and_that_is_said_once(
    packed: Path, unpacked: Path, tmp_path: Path
) -> None:
    unpacked.parent.mkdir()
    unpacked.write_text("in the way")
    said: list[str] = []
    shutil.copy(packed, packed.with_name("more.viz.bin.gz"))
    for name in ("run", "more", "run"):
        assert open_run(tmp_path / f"{name}.viz.bin.gz", said.append).viz.n_rounds == ROUNDS
    assert sum("cannot be written" in sentence for sentence in said) == 1
    assert len(list((tmp_path / "spare").rglob("*.viz.bin"))) == 2


def test_what_a_killed_process_left_is_removed(packed: Path, unpacked: Path) -> None:
    open_run(packed)
    (file,) = unpacked.glob("*/*.viz.bin")
    file.rename(file.with_name(f".{file.name}.0123abcd.gavel-part"))
    open_run(packed)
    assert list(file.parent.iterdir()) == [file]


def test_several_that_start_at_once_over_a_cold_cache(packed: Path, unpacked: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        runs = list(pool.map(open_run, [packed] * 6))
    assert [run.viz.n_rounds for run in runs] == [ROUNDS] * 6
    assert len([path for path in unpacked.rglob("*") if path.is_file()]) == 1
