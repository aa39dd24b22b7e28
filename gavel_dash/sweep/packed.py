"""Packed files: `.viz.bin.packed`, `.zst` and `.gz` are unpacked once into the cache; side files are read through."""

from __future__ import annotations

import gzip
import io
import mmap
import shutil
import zlib
from pathlib import Path
from typing import BinaryIO

import zstandard

from gavel_dash.errors import SourceError, VizFormatError
from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.settings import cache_dir
from gavel_dash.sweep.cache import Progress, key_of, write_atomically

PACKED_RUN_SUFFIX = ".packed"
PACKED_SUFFIXES = (".zst", ".gz", PACKED_RUN_SUFFIX)
_UNPACK_ERRORS = (zstandard.ZstdError, gzip.BadGzipFile, zlib.error, EOFError)


def _unpacking(path: Path, file: BinaryIO) -> BinaryIO:
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]


def read_whole(path: Path) -> BinaryIO:
    """The unpacked bytes of a side file (completions, telemetry) as a file-like."""
    if path.suffix not in PACKED_SUFFIXES:
        return io.BytesIO(path.read_bytes())
    with path.open("rb") as file:
        try:
            return io.BytesIO(_unpacking(path, file).read())
        except _UNPACK_ERRORS as error:
            raise SourceError(path, f"a whole {path.suffix} file", str(error)) from error


def plain_path(path: Path, progress: Progress) -> Path:
    """`path` itself, or where its unpacked bytes are: in the cache, unpacked on first use.

    The place depends on path, size and modification time, so a replaced file is unpacked anew, and what was
    unpacked of an earlier version is removed.
    """
    if path.suffix not in PACKED_SUFFIXES:
        return path
    stat = path.stat()
    room = cache_dir() / "unpacked" / key_of(path.resolve())
    target = room / f"{key_of(stat.st_size, stat.st_mtime_ns)}.viz.bin"
    if target.exists():
        return target
    progress(f"unpacking {path.name}")

    def unpack(out: BinaryIO) -> None:
        with path.open("rb") as file:
            if path.suffix == PACKED_RUN_SUFFIX:
                unpack_run(file, out, str(path))
                return
            try:
                shutil.copyfileobj(_unpacking(path, file), out, 1 << 20)
            except _UNPACK_ERRORS as error:
                raise VizFormatError(path, file.tell(), f"a whole {path.suffix} file", str(error)) from error

    write_atomically(target, unpack)
    for stale in room.iterdir():
        if stale.suffix == ".bin" and stale != target:
            stale.unlink(missing_ok=True)
    return target


def map_file(path: Path, shown_as: Path) -> mmap.mmap:
    """A read-only memory map of a file; an empty file is a `VizFormatError` that names `shown_as`."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise VizFormatError(shown_as, 0, "a header of 256 bytes", "an empty file")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
