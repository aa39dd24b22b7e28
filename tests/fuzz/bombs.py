"""Small files that ask for gigabytes."""

from __future__ import annotations

import gzip
import lzma
import struct
from collections.abc import Callable
from functools import cache
from random import Random

import zstandard

from gavel_dash.sweep.packed import MOST_SIDE_BYTES
from tests.plain_vizbin import HEADER

#: What a bomb unpacks to, far more than any reader should.
BOMB_BYTES = 4 << 30
_PIECE = 1 << 20


@cache
def _zst(piece: bytes) -> bytes:
    frame = zstandard.compress(piece * (_PIECE // len(piece)))
    return frame * (BOMB_BYTES // _PIECE)


@cache
def _one_frame_zst(piece: bytes) -> bytes:
    """The same in one frame, a few bytes of which are enough for megabytes."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    pieces = piece * (_PIECE // len(piece))
    return b"".join([*(packer.compress(pieces) for _ in range(512)), packer.flush()])


@cache
def _gz(piece: bytes) -> bytes:
    member = gzip.compress(piece * (16 * _PIECE // len(piece)), 9, mtime=0)
    return member * (BOMB_BYTES // (16 * _PIECE))


def _window_zst(_piece: bytes) -> bytes:
    """A frame that asks for a window of 2 GiB."""
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00" * 2


@cache
def _packed_run(n_jobs: int) -> bytes:
    """A packed run with jobs or rounds without end: a sound header, and zeros."""
    config = b'{"gpu_types": [{"name": "v100", "count": 8}], "job_types": []}'.ljust(64, b"\0")
    n_rounds = 3_000_000_000
    jobs = 256 + len(config)
    rounds = jobs + 24 * n_jobs
    queue = rounds + 64 * n_rounds
    offsets = (jobs, rounds, queue, queue + 8, 256, 0, 0)
    header = struct.pack(HEADER, b"GPUVIZ01", 1, n_rounds, n_jobs, 1, 8, *offsets)
    packer = lzma.LZMACompressor(preset=0)
    zeros = bytes(_PIECE)
    body = [packer.compress(header.ljust(256, b"\0") + config)]
    body += [packer.compress(zeros) for _ in range(512)]
    return b"GPUPACK1" + b"".join(body) + packer.flush()


_PIECES = (b"\0", b"\n", b" ", b"[", b'{"job_id": 1, "duration": 2},   ', b'{"round": 1}    ')
_PLACES = ("run.viz.bin", "run_completions.json", "run_telemetry.json", "logged/simulation.log")
_PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    ".zst": _zst,
    ".frame.zst": _one_frame_zst,
    ".window.zst": _window_zst,
    ".gz": _gz,
}


def bomb(rng: Random) -> tuple[dict[str, bytes], int]:
    """A bomb in one of the places where packed files are read, and what may be held of it."""
    if rng.random() < 0.25:
        return {"run.viz.bin.packed": _packed_run(rng.choice((8, 2**31)))}, 0
    place, packing, piece = rng.choice(_PLACES), rng.choice(sorted(_PACKINGS)), rng.choice(_PIECES)
    data = _PACKINGS[packing](piece)
    held = MOST_SIDE_BYTES if place.endswith(".json") else 0
    return {f"{place}.{packing.rpartition('.')[2]}": data}, held
