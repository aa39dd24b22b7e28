"""Runs whose file is cut short while the server, the index, a page, a command or the converter reads it."""

from __future__ import annotations

import gc
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from gavel_dash.__main__ import main
from gavel_dash.analysis import tables
from gavel_dash.cli import info
from gavel_dash.errors import FileChangedError
from gavel_dash.formats import vizbin
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import LogSource
from gavel_dash.kernel import build
from gavel_dash.kernel.mapped_files import unchanged_files
from gavel_dash.pages.telemetry import data as telemetry_data
from gavel_dash.sweep import headers, index_run, open_runs, open_sweep
from gavel_dash.web.app import create_app
from tests.make import write_run
from tests.unit.ingest.log_text import short_log

needs_kernel = pytest.mark.skipif(build.find_compiler() is None, reason="no C compiler here")
PAGE = os.sysconf("SC_PAGE_SIZE")
RUN, OTHER = "fig10_las_1.0jph_multi_s0", "fig10_las_2.0jph_multi_s0"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in (RUN, OTHER):
        write_run(tmp_path / f"{name}.viz.bin", n_rounds=400)
    return tmp_path


def cut_before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, path: Path) -> None:
    """Cut a file short, once, between its opening and the reading that `owner.name` does."""
    read = getattr(owner, name)

    def cut_and_read(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(owner, name, read)
        os.truncate(path, PAGE)
        return read(*given, **named)

    monkeypatch.setattr(owner, name, cut_and_read)


@pytest.fixture
def get(directory: Path) -> Iterator[Callable[[str], tuple[int, bytes]]]:
    """Asks a real server for an address: status and body."""
    server = make_server("127.0.0.1", 0, create_app(open_sweep(directory)).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def ask(address: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/runs/{address}", timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    yield ask
    server.shutdown()
    thread.join()
    server.server_close()


@needs_kernel
def test_a_server_goes_on(
    directory: Path, get: Callable[[str], tuple[int, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = directory / f"{RUN}.viz.bin"
    whole, other = path.read_bytes(), (directory / f"{OTHER}.viz.bin").read_bytes()
    version, other_version = VizFile(whole, RUN).content_id, VizFile(other, OTHER).content_id
    of_run = f"{RUN}/viz/{version}/0-{len(whole)}"
    of_other = f"{OTHER}/viz/{other_version}/0-{len(other)}"
    assert get(of_run) == (200, whole)
    rounds = get(f"{RUN}/rounds.csv")
    assert rounds[0] == 200

    cut_before(monkeypatch, VizFile, "file_bytes", path)
    status, body = get(of_run)
    assert (status, body.count(b"\n")) == (503, 1)
    assert f"found one of {PAGE:,} bytes instead of {len(whole):,}" in body.decode()
    for address in (of_run, f"{RUN}/rounds.csv", f"{RUN}/player/{version}/clock"):
        status, body = get(address)
        assert status in (404, 409, 503), address
        assert body.count(b"\n") == 1
        assert path.name in body.decode()
    assert get(of_other) == (200, other)

    beside = path.with_name("beside")
    beside.write_bytes(whole)
    beside.replace(path)
    assert get(of_run) == (200, whole)
    assert get(f"{RUN}/rounds.csv") == rounds


@needs_kernel
def test_an_index_holds_no_numbers_of_a_file_that_was_cut_short(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_before(monkeypatch, index_run, "measure_viz", directory / f"{RUN}.viz.bin")
    runs = open_sweep(directory).runs().set_index("run")
    assert runs.loc[RUN, "status"] == "damaged"
    assert "a file that stays as it was opened" in runs.loc[RUN, "note"]
    assert runs.loc[RUN, ["rounds", "mean_occupancy", "mean_queue"]].isna().all()
    assert runs.loc[OTHER, "rounds"] == 400


@needs_kernel
def test_who_looks_at_a_sweep_is_not_to_blame_for_what_changes_after(directory: Path) -> None:
    with unchanged_files():
        runs = open_sweep(directory).runs()
        os.utime(directory / f"{RUN}.viz.bin", ns=(0, 0))
    assert len(runs) == 2


@needs_kernel
@pytest.mark.parametrize(
    ("command", "owner", "name"),
    [
        ("check", VizFile, "queue"),
        ("info", info, "_describe"),
        ("rounds", tables, "rounds_table"),
        ("jobs", VizFile, "lanes"),
        ("round", VizFile, "allocation"),
    ],
)
def test_a_command_ends_in_one_sentence(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    owner: Any,
    name: str,
) -> None:
    path = directory / f"{RUN}.viz.bin"
    cut_before(monkeypatch, owner, name, path)
    assert main([command, str(path), *(["7"] if command == "round" else [])]) == 1
    out, err = capsys.readouterr()
    said = out if command == "check" else err
    assert said.count("\n") == 1
    assert "a file that stays as it was opened" in said
    assert command == "check" or not out


@needs_kernel
def test_what_a_page_keeps_is_not_of_a_file_that_was_cut_short(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sweep = directory / f"{RUN}.viz.bin", open_sweep(directory)
    whole = path.read_bytes()
    cut_before(monkeypatch, telemetry_data, "order_completions", path)
    with pytest.raises(FileChangedError):
        telemetry_data.read_records(sweep, RUN)
    path.write_bytes(whole)
    assert telemetry_data.read_records(sweep, RUN).gpus_used.any()


@needs_kernel
def test_a_conversion_cut_short_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, made = tmp_path / "simulation.log", tmp_path / "run.viz.bin"
    log.write_bytes(short_log().data)
    assert not convert_log(LogSource(log, "run"), tmp_path).skipped
    whole = made.read_bytes()
    assert convert_log(LogSource(log, "run"), tmp_path).skipped
    cut_before(monkeypatch, vizbin, "read_config", made)
    assert not convert_log(LogSource(log, "run"), tmp_path).skipped
    assert made.read_bytes() == whole


def test_a_header_cut_short_between_two_reads_is_one_error(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directory / f"{RUN}.viz.bin"
    size, pread = path.stat().st_size, os.pread

    def cut_after(file: int, length: int, at: int) -> bytes:
        data = pread(file, length, at)
        os.truncate(path, 4096)
        return data

    monkeypatch.setattr(headers.os, "pread", cut_after)
    with pytest.raises(headers.GavelDashError, match=path.name):
        headers.read_header(str(path), size, path.name)


def test_runs_that_are_closed_give_their_files_back(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        (directory / f"copy{number}.viz.bin").write_bytes((directory / f"{RUN}.viz.bin").read_bytes())
    sweep = open_sweep(directory)
    monkeypatch.setattr(open_runs, "MOST_OPEN", 3)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    gc.disable()
    try:
        for name in sweep.names:
            run = sweep[name]
            assert len(run.fragmentation().free) == len(run.rounds()) == 400
        assert len(os.listdir("/proc/self/fd")) - before <= 3
    finally:
        gc.enable()
