"""The cached index: what is read again when, and that no state of the cache changes a result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pandas as pd
import pytest

from gavel_dash.sweep import catalogue, open_sweep
from gavel_dash.whole_files import write_sealed
from tests.make import write_completions, write_run


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(path))
    return path / "catalogues"


@pytest.fixture
def read_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the runs whose files are read, as they are."""
    names: list[str] = []
    original = catalogue.index_run

    def index_run(files, *rest):  # type: ignore[no-untyped-def]
        names.append(files.name)
        return original(files, *rest)

    monkeypatch.setattr(catalogue, "index_run", index_run)
    return names


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    root = tmp_path / "sweep"
    root.mkdir()
    for name in ("c", "a", "b"):
        run = write_run(root / f"{name}.viz.bin")
    write_completions(root / "b_completions.json", run)
    return root


def _write_completions(root: Path) -> None:
    (root / "b_completions.json").write_text('[{"job_id": 2, "sim_time": 1.0, "duration": 7200.0}]')


def _write_manifest(root: Path) -> None:
    (root / "manifest.json").write_text(json.dumps({"experiments": [{"file": "a.viz.bin", "filters": {"seed": 4}}]}))


def _write_table(root: Path) -> None:
    (root / "results.csv").write_text("name,policy,jobs_per_hr,jct_sec\nc,las,2.4,36000\n")


def _touch(root: Path) -> None:
    os.utime(root / "a.viz.bin", ns=(1, 1))


def _write_second_file(root: Path) -> None:
    (root / "more").mkdir()
    write_run(root / "more" / "c.viz.bin", n_rounds=70)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda root: None, []),
        (_touch, ["a"]),
        (_write_completions, ["b"]),
        (lambda root: (root / "b_completions.json").unlink(), ["b"]),
        (_write_manifest, ["a"]),
        (_write_table, ["c"]),
        (_write_second_file, ["c"]),
        (lambda root: (root / "a.viz.bin").unlink(), []),
        (lambda root: write_run(root / "d.viz.bin") and None, ["d"]),
    ],
    ids=["nothing", "time", "completions", "no completions", "manifest", "table", "duplicate", "removed", "new"],
)
def test_what_has_changed_is_read_again_and_nothing_else(
    sweep: Path, read_again: list[str], cache: Path, change: Callable[[Path], None], names: list[str]
) -> None:
    open_sweep(sweep)
    read_again.clear()
    change(sweep)
    second = open_sweep(sweep)
    assert read_again == names
    for file in cache.iterdir():
        file.unlink()
    pd.testing.assert_frame_equal(second.runs(), open_sweep(sweep).runs())


def test_a_timing_beside_a_run_is_read_again(tmp_path: Path, read_again: list[str]) -> None:
    write_run(tmp_path / "a.viz.bin")
    timing = tmp_path / "timing.json"
    timing.write_text('{"experiment": {"seed": 9}}')
    open_sweep(tmp_path)
    timing.write_text('{"experiment": {"seed": 10}}')
    assert open_sweep(tmp_path).runs()["seed"].tolist() == [10]
    assert read_again == ["a", "a"]


def test_an_unchanged_sweep_writes_nothing(sweep: Path, cache: Path) -> None:
    first = open_sweep(sweep)
    (file,) = cache.iterdir()
    before = file.stat()
    second = open_sweep(sweep)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert second.names == first.names == ["a", "b", "c"]
    pd.testing.assert_frame_equal(second.runs(), first.runs())
    assert [second.findings(name) for name in second.names] == [first.findings(name) for name in first.names]


def test_each_spelling_of_the_directory_has_its_index(
    sweep: Path, read_again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sweep.parent)
    open_sweep(sweep)
    open_sweep(sweep.name)
    read_again.clear()
    open_sweep(sweep)
    assert open_sweep(sweep.name)["a"].viz.n_rounds == 60
    assert read_again == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: {**document, "version": catalogue.VERSION - 1},
        lambda document: {**document, "columns": ["run"]},
        lambda document: {**document, "runs": ["a", "b", "c"]},
        lambda document: {**document, "runs": dict.fromkeys("abc", 1)},
        lambda document: {**document, "runs": {name: ["{}", *e[1:]] for name, e in document["runs"].items()}},
        lambda document: {**document, "runs": {name: ["{", *e[1:]] for name, e in document["runs"].items()}},
        lambda document: {**document, "runs": {name: e[1:] for name, e in document["runs"].items()}},
        lambda document: [document],
    ],
    ids=["version", "columns", "list", "numbers", "no row", "cut row", "no text", "no object"],
)
def test_a_cache_that_is_not_ours_costs_only_time(sweep: Path, cache: Path, spoil: Callable[[dict], object]) -> None:
    before = open_sweep(sweep).runs()
    (file,) = cache.iterdir()
    spoiled = orjson.dumps(spoil(orjson.loads(file.read_bytes())))
    write_sealed(file, lambda file: file.write(spoiled))
    pd.testing.assert_frame_equal(open_sweep(sweep).runs(), before)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"\xff\xfe" + content,
        lambda content: content.replace(rb"\"policy\":\"fifo\"", rb"\"policy\":7"),
        lambda content: content.replace(b"60", b"61"),
    ],
    ids=["cut", "empty", "not JSON", "wrong type", "wrong number"],
)
def test_a_damaged_cache_costs_only_time(sweep: Path, cache: Path, damage: Callable[[bytes], bytes]) -> None:
    before = open_sweep(sweep).runs()
    (file,) = cache.iterdir()
    content = file.read_bytes()
    file.write_bytes(damage(content))
    assert file.read_bytes() != content
    pd.testing.assert_frame_equal(open_sweep(sweep).runs(), before)
    assert file.read_bytes() == content


def test_a_directory_where_the_cache_should_be_costs_only_time(sweep: Path, cache: Path) -> None:
    before = open_sweep(sweep).runs()
    (file,) = cache.iterdir()
    file.unlink()
    file.mkdir()
    pd.testing.assert_frame_equal(open_sweep(sweep).runs(), before)


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_names_that_are_not_utf_8_are_listed_legibly(tmp_path: Path, read_again: list[str], damaged: bool) -> None:
    root = tmp_path / os.fsdecode(b"sw\xffeep")
    root.mkdir()
    write_run(root / "plain.viz.bin")
    for name in (b"las_\xfe.viz.bin", b"las_\xfd.viz.bin"):
        write_run(root / os.fsdecode(name))
        if damaged:
            os.truncate(root / os.fsdecode(name), 300)
    for _ in range(2):
        sweep = open_sweep(root)
        assert set(sweep.names) == {"plain", "las_\ufffdfd", "las_\ufffdfe"}
        orjson.dumps(sweep.runs().astype(object).to_dict("records"), default=str)
        assert damaged or sweep["las_\ufffdfd"].viz.n_rounds == 60


def test_a_cache_that_cannot_be_written_is_said(sweep: Path, cache: Path) -> None:
    cache.write_text("in the way")
    said: list[str] = []
    assert len(open_sweep(sweep, progress=said.append).runs()) == 3
    assert any("could not be cached" in message for message in said)
