"""A log as blocks of complete lines: plain, gzip or zstd, recognised by its first bytes.

Memory is bounded by one block, however long the log. A line counts only when its newline is there: a run
that was killed ends anywhere, and half a line can read as a whole one (``Worker ID(s): 4`` of ``48``).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from gavel_dash.errors import LogParseError, SourceError
from gavel_dash.model import Finding

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 24
# A compressed chunk is small because what it expands to is held at once: a block of repeats grows 30,000-fold.
_COMPRESSED_CHUNK_BYTES = 1 << 12
# The zstd tool's own limit without --long; a frame header can ask for any amount of memory.
_MAX_ZSTD_WINDOW_BYTES = 1 << 27


class LogLines:
    """The complete lines of one log, once, in blocks.

    Attributes
    ----------
    bytes_read : int
        Uncompressed bytes so far.
    line_number : int
        Number of the first line of the current block, from 1.
    findings : list of Finding
        ``cut-line`` and ``cut-stream``, known after the last block.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0
        self.line_number = 1
        self.findings: list[Finding] = []

    def __iter__(self) -> Iterator[list[bytes]]:
        """Lists of lines without their newlines.

        Raises
        ------
        SourceError
            The file cannot be opened or read.
        LogParseError
            The compressed stream is damaged, or a line is longer than `MAX_LINE_BYTES`.
        """
        try:
            with self.path.open("rb") as file:
                yield from self._blocks(self._chunks(file))
        except OSError as error:
            raise SourceError(self.path, "a readable log", error.strerror or str(error)) from None

    def _blocks(self, chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
        parts: list[bytes] = []
        size = 0
        for chunk in chunks:
            self.bytes_read += len(chunk)
            parts.append(chunk)
            size += len(chunk)
            if size >= BLOCK_BYTES:
                rest = yield from self._complete_lines(b"".join(parts))
                parts, size = [rest], len(rest)
        rest = yield from self._complete_lines(b"".join(parts))
        if rest:
            self.findings.append(
                Finding("cut-line", f"The log stops in the middle of a line ({len(rest)} bytes are left out).", 1)
            )

    def _complete_lines(self, data: bytes) -> Generator[list[bytes], None, bytes]:
        """Yield the complete lines of `data`, return what follows the last newline."""
        end = data.rfind(b"\n")
        if end >= 0:
            lines = data[:end].split(b"\n")
            yield lines
            self.line_number += len(lines)
        rest = data[end + 1 :]
        if len(rest) > MAX_LINE_BYTES:
            raise LogParseError(self.path, self.line_number, "lines of text", f"{len(rest)} bytes without a newline")
        return rest

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        magic = file.peek(4)[:4]  # type: ignore[attr-defined]
        if magic.startswith(GZIP_MAGIC):
            yield from self._decompressed(file, lambda: zlib.decompressobj(zlib.MAX_WBITS | 16))
        elif magic == ZSTD_MAGIC:
            decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW_BYTES)
            yield from self._decompressed(file, decompressor.decompressobj)
        else:
            while chunk := file.read(BLOCK_BYTES):
                yield chunk

    def _decompressed(self, file: BinaryIO, new_stream: Callable[[], Any]) -> Iterator[bytes]:
        """Every member of a gzip file or frame of a zstd file, one after the other."""
        stream, inside = new_stream(), False
        while data := file.read(_COMPRESSED_CHUNK_BYTES):
            while data.strip(b"\0") or (data and inside):
                try:
                    text, inside = stream.decompress(data), True
                except (zlib.error, zstandard.ZstdError) as error:
                    raise LogParseError(self.path, self.line_number, "a readable compressed log", str(error)) from None
                if text:
                    yield text
                if not stream.eof:
                    break
                data = stream.unused_data
                stream, inside = new_stream(), False
        if inside:
            self.findings.append(Finding("cut-stream", "The compressed log ends before its end mark.", 1))
