"""Packed files: `.viz.bin.packed`, `.zst` and `.gz` are unpacked once into the cache; side files are read through."""

from __future__ import annotations

import gzip
import io
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import zstandard

from gavel_dash.errors import SourceError, VizFormatError
from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.formats.vizbin_layout import MAGIC
from gavel_dash.settings import cache_dir
from gavel_dash.sweep.cache import Progress, keep, key_of

PACKED_RUN_SUFFIX = ".packed"
PACKED_SUFFIXES = (".zst", ".gz", PACKED_RUN_SUFFIX)
_UNPACK_ERRORS = (zstandard.ZstdError, gzip.BadGzipFile, zlib.error, EOFError)
#: A small file can say that it unpacks to any size: what nobody has is refused. Runs of this project unpack to 200
#: times their size.
_MOST_EXPANSION, _ALWAYS_UNPACKED_BYTES = 500, 2**26
#: What is read whole is held whole.
MOST_SIDE_BYTES = 2**25
_PIECE_BYTES = 2**20


def _unpack(path: Path, file: BinaryIO, out: BinaryIO, most_bytes: int, magic: bytes = b"") -> None:
    """Write the unpacked bytes of a ``.zst`` or ``.gz`` file, which begin with `magic`.

    Raises `VizFormatError`, of side files too: a packed file of any kind is damaged at a byte.
    """
    try:
        unpacked = (
            zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            if path.suffix == ".zst"
            else gzip.GzipFile(fileobj=file)
        )
        while piece := unpacked.read(_PIECE_BYTES):
            if not out.tell() and not magic.startswith(piece[: len(magic)]):
                raise VizFormatError(path, 0, f"the magic {magic!r} when unpacked", repr(piece[: len(magic)]))
            if out.tell() + len(piece) > most_bytes:
                raise VizFormatError(path, file.tell(), f"at most {most_bytes} bytes when unpacked", "more")
            out.write(piece)
    except _UNPACK_ERRORS as error:
        raise VizFormatError(path, file.tell(), f"a whole {path.suffix} file", str(error)) from error


def read_whole(path: Path) -> BinaryIO:
    """The unpacked bytes of a side file (completions, telemetry) as a file-like.

    Raises
    ------
    SourceError
        A packed file is damaged, or the file is too large for one of its kind.
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        if path.suffix in PACKED_SUFFIXES:
            out = io.BytesIO()
            _unpack(path, file, out, MOST_SIDE_BYTES)
            out.seek(0)
            return out
        content = file.read(MOST_SIDE_BYTES + 1)
    if len(content) > MOST_SIDE_BYTES:
        raise SourceError(path, f"at most {MOST_SIDE_BYTES} bytes", "more")
    return io.BytesIO(content)


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

    def unpack(out: BinaryIO) -> None:
        progress(f"unpacking {path.name}")
        most_bytes = max(_ALWAYS_UNPACKED_BYTES, _MOST_EXPANSION * stat.st_size)
        with path.open("rb") as file:
            if path.suffix == PACKED_RUN_SUFFIX:
                unpack_run(file, out, str(path), most_bytes)
            else:
                _unpack(path, file, out, most_bytes, MAGIC)

    plain = keep(target, unpack, progress)
    for stale in plain.parent.glob("*.viz.bin"):
        if stale != plain:
            with suppress(OSError):  # it costs room, no more
                stale.unlink()
    return plain
