"""A log as lines: what is complete counts, in any packing, and nothing crashes."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from gavel_dash.errors import LogParseError, SourceError
from gavel_dash.ingest import lines as lines_module
from gavel_dash.ingest.lines import LogLines, split_lines

TEXT = b"".join(b"line %d of a log that is long enough to pack\n" % i for i in range(300))
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": lambda data: zstandard.ZstdCompressor(level=19, write_checksum=True).compress(data),
}


def read(path: Path) -> tuple[list[bytes], list[str]]:
    log = LogLines(path)
    found: list[bytes] = []
    for block in log:
        found += split_lines(block)
        log.line_number = len(found) + 1
    return found, [finding.code for finding in log.findings]


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.log"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing_gives_the_same_lines_whatever_its_name(tmp_path: Path, packing: str) -> None:
    assert read(write(tmp_path, PACKINGS[packing](TEXT))) == (TEXT.splitlines(), [])


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_members_and_frames_follow_each_other(tmp_path: Path, packing: str) -> None:
    data = PACKINGS[packing](TEXT[:1001]) + PACKINGS[packing](TEXT[1001:]) + bytes(512)
    assert read(write(tmp_path, data)) == (TEXT.splitlines(), [])


def test_an_unfinished_last_line_is_left_out_and_reported(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"one\ntwo\nthr")) == ([b"one", b"two"], ["cut-line"])


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_cut_stream_gives_the_lines_before_the_cut(tmp_path: Path, packing: str) -> None:
    packed, seen = PACKINGS[packing](TEXT), 0
    for cut in range(4, len(packed)):
        found, codes = read(write(tmp_path, packed[:cut]))
        assert found == TEXT.splitlines()[: len(found)]
        assert len(found) >= seen
        assert "cut-stream" in codes
        seen = len(found)


def test_a_gzip_stream_cut_in_the_middle_gives_what_could_be_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(bytes(TEXT), 1, mtime=0)
    found, _ = read(write(tmp_path, packed[: len(packed) - 20]))
    assert len(found) > 100


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_damaged_stream_is_one_clear_error(tmp_path: Path, packing: str) -> None:
    packed = bytearray(PACKINGS[packing](TEXT))
    middle = len(packed) // 2
    packed[middle : middle + 40] = b"\xff" * 40
    with pytest.raises(LogParseError, match=r"a\.log line \d+: expected a readable compressed log"):
        read(write(tmp_path, bytes(packed)))


@pytest.mark.parametrize("data", [b"", b"\0" * 5000, "scheduler:INFO [0] EVENT {}\n".encode("utf-16"), b"\xff\xfe\r\n"])
def test_odd_bytes_are_read_as_lines_or_left_out(tmp_path: Path, data: bytes) -> None:
    found, _ = read(write(tmp_path, data))
    assert found == data.split(b"\n")[:-1]


def test_lines_longer_than_a_block_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", 64)
    data = b"a" * 1000 + b"\n" + b"b" * 63 + b"\n" + b"\n" + b"c" * 64 + b"\n"
    assert read(write(tmp_path, data)) == (data.splitlines(), [])


def test_a_line_without_end_is_an_error_not_a_full_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 1 << 21)
    with pytest.raises(LogParseError, match=r"line 2: .* without a newline"):
        read(write(tmp_path, b"first\n" + b"x" * (5 << 20)))


def test_line_numbers_count_on_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", 100)
    log, expected = LogLines(write(tmp_path, TEXT)), 1
    for block in log:
        assert log.line_number == expected
        expected += len(split_lines(block))
        log.line_number = expected
    assert expected == 301


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = TEXT * 80
    path = write(tmp_path, b"".join(packer.compress(block) for _ in range(60)) + packer.flush())
    tracemalloc.start()
    log = LogLines(path)
    for _ in log:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert log.bytes_read > 60_000_000
    assert peak < 12_000_000


def test_a_missing_log_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="readable log"):
        read(tmp_path / "none.log")
