"""Header, config and last round alone say what the full reader says, of sound and of damaged files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import zstandard

from gavel_dash import schema
from gavel_dash.errors import SourceError, VizFormatError
from gavel_dash.formats import vizbin_open
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.schema.headers import HEADERS
from gavel_dash.sweep import open_sweep
from gavel_dash.sweep.headers import list_headers, read_header
from tests.make import write_run
from tests.plain_vizbin import CANONICAL, Round, build

TYPES = [("k80", 2), ("v100", 3)]
ROUNDS = [Round([1, 1], [4, 0, 5, 0, 0], queue=[6]), Round([1, 0], [4, 0, 0, 0, 0], queue=[5, 6])]
JOBS = [(4, 0, 1, 0, 1, 360.0), (5, 0, 1, 0, 0, 0.0)]
SHARED = [Round([1, 0], [4, 0, 0, 0, 0], sharing=[(0, (4, 4, 5, 0))])]


def silent(_message: str) -> None:
    """Nothing is said."""


def read(data: bytes, path: Path) -> tuple[object, ...]:
    path.write_bytes(data)
    header = read_header(str(path), len(data), "run")
    counts = (header.version, header.n_rounds, header.n_jobs, header.n_types, header.n_gpus)
    last = None if header.last_round is None else tuple(header.last_round)
    return (*counts, header.config, last)


def read_in_full(data: bytes) -> tuple[object, ...]:
    array = np.frombuffer(data, np.uint8)
    header = vizbin_open.read_header(array, "run")
    counts = (header.version, header.n_rounds, header.n_jobs, header.n_types, header.n_gpus)
    config = vizbin_open.read_config(array, header, "run")
    heads = VizFile(data, "run").round_heads
    return (*counts, config, heads[-1].item() if len(heads) else None)


@pytest.mark.parametrize(
    "data",
    [
        build(TYPES, ROUNDS, JOBS),
        build(TYPES, ROUNDS, JOBS, job_types=[{"id": i, "name": "x" * 300} for i in range(20)]),
        build(TYPES, ROUNDS, JOBS, order=CANONICAL[::-1]),
        build(TYPES, ROUNDS, JOBS, short_jobs=True),
        build(TYPES, SHARED, JOBS),
        build(TYPES, ROUNDS),
        build(TYPES, []),
    ],
    ids=["plain", "long config", "other order", "16-byte jobs", "shared GPUs", "no jobs", "no rounds"],
)
def test_it_says_what_the_full_reader_says(data: bytes, tmp_path: Path) -> None:
    assert read(data, tmp_path / "run") == read_in_full(data)


def test_a_run_of_this_package_is_not_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "a.viz.bin")
    monkeypatch.setattr("gavel_dash.sweep.headers.map_file", None)
    size = (tmp_path / "a.viz.bin").stat().st_size
    header = read_header(str(tmp_path / "a.viz.bin"), size, "a")
    assert (header.n_rounds, header.config.policy) == (60, "fifo")


def outcome(call: object, *arguments: object) -> object:
    try:
        return call(*arguments)  # type: ignore[operator]
    except VizFormatError as error:
        return str(error)


def test_damage_is_the_full_readers_error(tmp_path: Path) -> None:
    sound = build(TYPES, ROUNDS, JOBS)
    damaged = [sound[:size] for size in range(1, len(sound), 8)]
    fields = [(8, "<I"), (12, "<I"), (16, "<I"), (20, "<B"), (21, "<H"), *((at, "<Q") for at in range(24, 80, 8))]
    for at, form in fields:
        (was,) = struct.unpack_from(form, sound, at)
        for value in (0, 1, 3, 7, 200, 250, was + 4, was + 8, max(was - 8, 0), 4096):
            data = bytearray(sound)
            struct.pack_into(form, data, at, value % 256 if form == "<B" else value)
            damaged.append(bytes(data))
    errors = 0
    for data in damaged:
        expected = outcome(read_in_full, data)
        errors += isinstance(expected, str)
        assert outcome(read, data, tmp_path / "run") == expected
    assert errors > 150


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VizFormatError, match="an empty file"):
        read(b"", tmp_path / "run")


def test_every_file_is_listed(tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    write_run(tmp_path / "b.viz.bin")
    write_run(tmp_path / "older" / "b.viz.bin", n_rounds=18)
    (tmp_path / "a.viz.bin.zst").write_bytes(zstandard.compress((tmp_path / "b.viz.bin").read_bytes()))
    (tmp_path / "c.viz.bin").write_bytes((tmp_path / "b.viz.bin").read_bytes()[:1000])
    (tmp_path / "d.viz.bin").symlink_to(tmp_path / "nowhere")
    table = list_headers(tmp_path, silent)
    assert table.columns.tolist() == schema.names(HEADERS)
    assert table["run"].tolist() == ["a", "b", "b", "c", "d"]
    assert table["rounds"].tolist()[:3] == [60, 60, 18]
    assert table["note"].map(bool).tolist() == [False, False, False, True, True]
    assert "the size of the file" in table["note"][3]


def test_numbers_are_those_of_the_last_round_of_the_index(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a.viz.bin", n_rounds=18)
    row, indexed = list_headers(tmp_path, silent).iloc[0], open_sweep(tmp_path).runs().iloc[0]
    for name in ("run", "cluster", "gpus", "rounds", "jobs", "effective_utilization"):
        assert row[name] == indexed[name]
    assert row["sim_time_h"] == pytest.approx(1.7)
    last = run["heads"][-1]
    for name in ("jobs_running", "jobs_queued", "jobs_completed"):
        assert row[name] == last[name]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing there"):
        list_headers(tmp_path / "no", silent)
