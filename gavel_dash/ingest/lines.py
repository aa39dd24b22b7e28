"""A log as blocks of complete lines: plain, gzip or zstd, recognised by its first bytes.

Memory is bounded by one block, however long the log. A line counts only when its newline is there: a run
that was killed ends anywhere, and half a line can read as a whole one (``Worker ID(s): 4`` of ``48``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from gavel_dash.errors import LogParseError, SourceError
from gavel_dash.model import Finding

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BLOCK_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 24
# A compressed chunk is small because what it expands to is held at once: zstd repeats grow 30,000-fold, gzip's 1,000.
_ZSTD_CHUNK_BYTES, _GZIP_CHUNK_BYTES = 1 << 9, 1 << 12
# Logs unpack to 30 times their size. A small file that unpacks to gigabytes is none.
_MOST_EXPANSION, _ALWAYS_UNPACKED_BYTES = 500, 1 << 22
# The zstd tool's own limit without --long; a frame header can ask for any amount of memory.
_MAX_ZSTD_WINDOW_BYTES = 1 << 27


class LogLines:
    """The complete lines of one log, once, in blocks.

    Parameters
    ----------
    path : Path
    start : int
        Where to begin: bytes of complete lines that have been read before. Only of a plain log.

    Attributes
    ----------
    bytes_read : int
        Uncompressed bytes so far.
    bytes_of_lines : int
        Those of complete lines.
    line_number : int
        Number of the first line of the current block, from 1; whoever reads a block adds its lines.
    findings : list of Finding
        ``cut-line`` and ``cut-stream``, known after the last block.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.path = path
        self.bytes_read = self.bytes_of_lines = start
        self.line_number = 1
        self.findings: list[Finding] = []

    def __iter__(self) -> Iterator[memoryview]:
        """Blocks of lines, newlines included; each is good until the next is asked for.

        Raises
        ------
        SourceError
            The file cannot be opened or read.
        LogParseError
            The compressed stream is damaged or unpacks to what no log has, or a line is longer than `MAX_LINE_BYTES`.
        """
        try:
            with self.path.open("rb", buffering=0) as file:
                yield from self._blocks(self._reader(file))
        except OSError as error:
            raise SourceError(self.path, "a readable log", error.strerror or str(error)) from None

    def _blocks(self, read_into: Callable[[memoryview], int]) -> Iterator[memoryview]:
        # One buffer for all blocks: fresh memory for each would cost more than reading into it.
        buffer = bytearray(BLOCK_BYTES)
        filled = 0
        while n := read_into(memoryview(buffer)[filled:]):
            self.bytes_read += n
            end = buffer.rfind(b"\n", filled, filled + n) + 1
            filled += n
            if end:
                self.bytes_of_lines += end
                yield memoryview(buffer)[:end]
                buffer[: filled - end] = buffer[end:filled]
                filled -= end
            if filled >= MAX_LINE_BYTES:
                raise LogParseError(self.path, self.line_number, "lines of text", f"{filled} bytes without a newline")
            if filled == len(buffer):
                buffer = buffer + bytearray(len(buffer))
        if filled:
            self.findings.append(
                Finding("cut-line", f"The log stops in the middle of a line ({filled} bytes are left out).", 1)
            )

    def _reader(self, file: FileIO) -> Callable[[memoryview], int]:
        """What fills a buffer with text and says with how many bytes, 0 at the end."""
        if self.bytes_read:
            file.seek(self.bytes_read)
            return file.readinto
        magic = file.read(4)
        file.seek(0)
        if magic.startswith(GZIP_MAGIC):
            from isal import isal_zlib

            pieces = self._unpacked(file, _GZIP_CHUNK_BYTES, lambda: isal_zlib.decompressobj(31), isal_zlib.error)
            return _reader_of(pieces)
        if magic == ZSTD_MAGIC:
            import zstandard

            decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW_BYTES)
            pieces = self._unpacked(file, _ZSTD_CHUNK_BYTES, decompressor.decompressobj, zstandard.ZstdError)
            return _reader_of(pieces)
        return file.readinto

    def _unpacked(
        self, file: FileIO, chunk_bytes: int, new_stream: Callable[[], Any], error_type: Any
    ) -> Iterator[bytes]:
        """Every member of a gzip file or frame of a zstd file, one after the other."""
        stream, inside = new_stream(), False
        most_bytes = max(_ALWAYS_UNPACKED_BYTES, _MOST_EXPANSION * os.fstat(file.fileno()).st_size)
        unpacked_bytes = 0
        while data := file.read(chunk_bytes):
            while data.strip(b"\0") or (data and inside):
                try:
                    text, inside = stream.decompress(data), True
                except error_type as error:
                    raise LogParseError(self.path, self.line_number, "a readable compressed log", str(error)) from None
                unpacked_bytes += len(text)
                if unpacked_bytes > most_bytes:
                    expected = f"at most {most_bytes} bytes of log when unpacked"
                    raise LogParseError(self.path, self.line_number, expected, "more")
                if text:
                    yield text
                if not stream.eof:
                    break
                data = stream.unused_data
                stream, inside = new_stream(), False
        if inside:
            self.findings.append(Finding("cut-stream", "The compressed log ends before its end mark.", 1))


def split_lines(block: memoryview) -> list[bytes]:
    """The lines of a block, without their newlines."""
    lines = bytes(block).split(b"\n")
    lines.pop()  # what follows the last newline: nothing
    return lines


def _reader_of(pieces: Iterator[bytes]) -> Callable[[memoryview], int]:
    """`readinto` over pieces of any size."""
    rest = memoryview(b"")

    def read_into(view: memoryview) -> int:
        nonlocal rest
        if not rest:
            rest = memoryview(next(pieces, b""))
        n = min(len(view), len(rest))
        view[:n] = rest[:n]
        rest = rest[n:]
        return n

    return read_into
