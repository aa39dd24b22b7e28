"""Files appear whole or not at all, are made again only when needed, and one bad log stops no other."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gavel_dash.errors import GavelDashError, LogParseError, SourceError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.convert import Conversion, convert_log, convert_reading
from gavel_dash.ingest.convert_many import convert_many
from gavel_dash.ingest.read_log import read_log
from gavel_dash.ingest.sources import LogSource, find_logs
from gavel_dash.model import JobWindow
from tests.unit.ingest.log_text import short_log


@pytest.fixture
def source(tmp_path: Path) -> LogSource:
    path = tmp_path / "logs" / "run.log"
    path.parent.mkdir()
    path.write_bytes(short_log().data)
    return LogSource(path, "run")


def make_old(result: Conversion) -> None:
    for path in result.paths:
        os.utime(path, (1, 1))


def test_the_three_files_and_nothing_else(source: LogSource, tmp_path: Path) -> None:
    result = convert_log(source, tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [
        "run.viz.bin",
        "run_completions.json",
        "run_telemetry.json",
    ]
    assert result.bytes_read == len(short_log().data)


def test_equal_logs_give_equal_bytes(source: LogSource, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in convert_log(source, tmp_path / "a").paths]
    assert [path.read_bytes() for path in convert_log(source, tmp_path / "b").paths] == first


def test_what_is_up_to_date_is_left_alone_and_reported_the_same(source: LogSource, tmp_path: Path) -> None:
    first = convert_log(source, tmp_path)
    second = convert_log(source, tmp_path)
    assert second.skipped
    assert not first.skipped
    assert {**vars(second), "skipped": False} == vars(first)
    assert not convert_log(source, tmp_path, force=True).skipped


def test_a_newer_log_another_option_or_a_lost_file_convert_again(source: LogSource, tmp_path: Path) -> None:
    make_old(convert_log(source, tmp_path))
    result = convert_log(source, tmp_path)
    assert not result.skipped
    assert not convert_log(source, tmp_path, window=JobWindow(0, 2)).skipped
    assert convert_log(source, tmp_path, window=JobWindow(0, 2)).skipped
    assert not convert_log(source, tmp_path, gpus_per_node=2).skipped
    result.paths[1].unlink()
    assert not convert_log(source, tmp_path, gpus_per_node=2).skipped
    result.paths[0].write_bytes(b"damaged")
    assert not convert_log(source, tmp_path, gpus_per_node=2).skipped


def test_options_reach_the_file(source: LogSource, tmp_path: Path) -> None:
    result = convert_log(source, tmp_path, window=JobWindow(1, 3), gpus_per_node=2)
    viz = VizFile(result.paths[0].read_bytes(), "run")
    assert str(viz.window) == "1:3"
    assert [gpu_type.gpus_per_node for gpu_type in viz.cluster.gpu_types] == [2, 2, 2]


def test_a_failure_leaves_the_earlier_files_and_no_others(source: LogSource, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = [path.read_bytes() for path in convert_log(source, out).paths]
    source.path.write_bytes(short_log().say("TELEMETRY {").say("more").data)
    with pytest.raises(LogParseError):
        convert_log(source, out, force=True)
    assert [path.read_bytes() for path in sorted(out.iterdir())] == before


def test_what_was_read_before_becomes_the_same_files_and_counts_as_long_as_it_was(
    source: LogSource, tmp_path: Path
) -> None:
    whole = convert_log(source, tmp_path / "whole")
    with io.BytesIO() as spool, io.BytesIO() as telemetry:
        reading = read_log(source.path, spool, telemetry)
        result = convert_reading(source, reading, tmp_path, lambda file: file.write(telemetry.getvalue()))
    assert [path.read_bytes() for path in result.paths] == [path.read_bytes() for path in whole.paths]
    assert convert_log(source, tmp_path).skipped
    times = [path.stat().st_mtime_ns for path in result.paths]
    with source.path.open("ab") as log:
        log.write(b"more")
    os.utime(source.path, (1, 1))  # a log of another size, whatever its time
    assert not convert_log(source, tmp_path).skipped
    assert [path.stat().st_mtime_ns for path in result.paths] != times


def test_files_of_different_conversions_are_not_up_to_date(source: LogSource, tmp_path: Path) -> None:
    path = convert_log(source, tmp_path).paths[1]
    os.utime(path, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns + 1_000_000_000))
    assert not convert_log(source, tmp_path).skipped


def test_a_file_that_cannot_be_replaced_is_one_error_and_nothing_has_changed(source: LogSource, tmp_path: Path) -> None:
    paths = convert_log(source, tmp_path).paths
    paths[0].unlink()
    paths[0].mkdir()
    before = [path.read_bytes() for path in paths[1:]]
    source.path.write_bytes(short_log().telemetry(4, 0, 2, 1).data)
    with pytest.raises(SourceError, match=r"run\.viz\.bin: expected a place to write to, found Is a directory"):
        convert_log(source, tmp_path)
    assert [path.read_bytes() for path in paths[1:]] == before


def test_two_at_once_end_well_with_files_of_one_of_them(tmp_path: Path) -> None:
    sources = []
    for n, data in enumerate((short_log().data, short_log().telemetry(4, 0, 2, 1).data)):
        path = tmp_path / str(n) / "run.log"
        path.parent.mkdir()
        path.write_bytes(data)
        sources.append(LogSource(path, "run"))
    alone = [[path.read_bytes() for path in convert_log(s, tmp_path / s.path.parent.name).paths] for s in sources]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda s: convert_log(s, tmp_path / "out", force=True), sources * 30))
    assert [path.read_bytes() for path in sorted((tmp_path / "out").iterdir())] in alone


def test_a_reader_of_the_old_file_keeps_it_whole(source: LogSource, tmp_path: Path) -> None:
    path = convert_log(source, tmp_path).paths[0]
    before = path.read_bytes()
    with path.open("rb") as reader:
        source.path.write_bytes(short_log().telemetry(4, 0, 2, 1).data)
        assert convert_log(source, tmp_path, force=True).rounds == 5
        assert reader.read() == before
    assert path.read_bytes() != before


def test_the_path_tells_what_the_log_does_not(tmp_path: Path) -> None:
    path = tmp_path / "k80=2.p100=2.v100=2" / "some_policy" / "seed=4" / "lambda=9000.log"
    path.parent.mkdir(parents=True)
    path.write_bytes(short_log().data)
    (source,) = find_logs([tmp_path])
    viz = VizFile(convert_log(source, tmp_path / "out").paths[0].read_bytes(), "run")
    experiment = viz.config["experiment"]
    assert (experiment["policy"], experiment["arrival_rate_jph"], experiment["seed"]) == ("some_policy", 0.4, 4)


def test_an_output_place_that_is_a_file_is_one_error(source: LogSource, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="a place to write to"):
        convert_log(source, tmp_path / "file")


@pytest.mark.parametrize("processes", [1, 2])
def test_many_logs_keep_their_order_and_survive_a_bad_one(tmp_path: Path, processes: int) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.log").write_bytes(b"nothing\n" if name == "b" else short_log().data)
    seen: list[str] = []
    results = convert_many(
        find_logs([tmp_path]),
        tmp_path / "out",
        processes=processes,
        progress=lambda source, _result: seen.append(source.name),
    )
    assert [getattr(result, "name", None) for result in results] == ["a", None, "c"]
    assert isinstance(results[1], GavelDashError)
    assert "b.log line 1" in str(results[1])
    assert sorted(seen) == ["a", "b", "c"]


def test_nothing_to_convert_is_an_empty_list(tmp_path: Path) -> None:
    assert convert_many([], tmp_path) == []
