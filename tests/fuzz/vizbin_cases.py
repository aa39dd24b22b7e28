"""What can be wrong in a `.viz.bin`, field by field; offsets are those of the format's description."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz import mutate
from tests.plain_vizbin import HEADER, SECTIONS, Plain, padded

_SIZE_OF = {4: "<I", 2: "<H", 1: "<B", 8: "<Q"}
#: Offset and width of every field of the header behind the magic.
_FIELDS = [(8, 4), (12, 4), (16, 4), (20, 1), (21, 2), *[(24 + 8 * i, 8) for i in range(7)]]
_FLOATS = (float("nan"), float("inf"), -float("inf"), -1.0, 3e38, 1e-45)


def _absurd(width: int, size: int, old: int, rng: Random) -> int:
    most = 2 ** (8 * width) - 1
    choices = (0, 1, most, most - 7, most // 2, most // 2 + 1, old + 1, old - 1, old + 8, old - 8, 2 * old, old // 2,
               size, size - 8, size + 8, size // 16 * 8, rng.randrange(most),
               rng.randrange(size) // 8 * 8, 256)  # fmt: skip
    return rng.choice(choices) & most


def _header(data: bytes, rng: Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, width = rng.choice(_FIELDS)
        (old,) = struct.unpack_from(_SIZE_OF[width], damaged, at)
        struct.pack_into(_SIZE_OF[width], damaged, at, _absurd(width, len(data), old, rng))
    return bytes(damaged)


def _borders(data: bytes) -> list[int]:
    plain = Plain(data)
    rounds = [plain.at["rounds"] + i * plain.round_bytes for i in range(plain.n_rounds + 1)]
    return [0, 8, 255, 256, *(at for at in plain.at.values() if at), *rounds, len(data)]


def _cut_at_border(data: bytes, rng: Random) -> bytes:
    return data[: max(0, rng.choice(_borders(data)) + rng.choice((0, 0, -1, 1, -8, 8)))]


def _sections(data: bytes, rng: Random) -> bytes:
    """Sections that lie on, in or over each other; version 1 with sharing, version 2 without."""
    _, version, *counts = struct.unpack_from(HEADER, data)
    offsets = counts[4:]
    for _ in range(rng.choice((1, 1, 2))):
        at, other = rng.randrange(len(SECTIONS)), rng.randrange(len(SECTIONS))
        how = rng.randrange(4)
        if how == 0:
            offsets[at] = offsets[other]
        elif how == 1:
            offsets[at], offsets[other] = offsets[other], offsets[at]
        elif how == 2:
            offsets[at] = max(0, offsets[other] + rng.choice((-8, 8, 16, -64)))
        else:
            version = 3 - version
    header = struct.pack(HEADER, data[:8], version, *counts[:4], *offsets)
    return header + data[len(header) :]


def _with_config(data: bytes, text: bytes) -> bytes:
    """The file with another config, behind everything else."""
    whole = padded(data)
    header = bytearray(whole[:256])
    struct.pack_into("<Q", header, 56, len(whole))
    return bytes(header) + whole[256:] + padded(text)


def _config(data: bytes, rng: Random) -> bytes:
    config: dict[str, Any] = Plain(data).config
    text = json.dumps(config).encode()
    how = rng.randrange(12)
    if how < 5:
        text = mutate.wrong_value(text, rng)
    elif how < 7:
        text = mutate.damage(text, rng)
    elif how == 7:
        text = json.dumps({**config, **_odd_config(config, rng)}).encode()
    elif how == 8:
        text = mutate.encoded_otherwise(text, rng)
    elif how == 9:
        text = text[:-1] + b', "more": ' + rng.choice(mutate.VALUES + mutate.NUMBERS) + b"}"
    elif how == 10:
        text = b'{"a":' * rng.choice((10, 900, 100_000)) + text
    else:
        text = text[:-1] + b"," + b",".join(b'"%d":0' % i for i in range(rng.choice((10, 3000, 20_000)))) + b"}"
    return _with_config(data, text)


def _odd_config(config: dict[str, Any], rng: Random) -> dict[str, Any]:
    types = [dict(entry) for entry in config["gpu_types"]]
    if rng.random() < 0.5 and types:
        entry = rng.choice(types)
        entry[rng.choice(("gpus_per_node", "count", "name"))] = rng.choice(
            (0, -1, 1, 3, 10**30, "", "x" * 300, None, 2**31, "<i>", "_total", "\ud800")
        )
    odd: tuple[dict[str, Any], ...] = (
        {"gpu_types": types},
        {"gpu_types": [*types, {"name": "none", "count": 0}]},
        {"measurement_window": {"start_job": rng.choice((-5, 0, 10**30)),
                                "end_job": rng.choice((-9, 3, 2**63, 10**40))}},
        {"job_types": [{"id": rng.choice((0, -1, 10**30)), "name": "\ud800", "category": ""}] * rng.choice((1, 70))},
        {"job_id_offset": rng.choice((0, 1, 2, -1))},
        {"policy": rng.choice(("", "x" * 10_000, "9" * 400 + "jph", "a_1e400jph_s0", "\ud800", "60jph_s" + "9" * 17))},
        {"experiment": {"figure": 5, "seed": rng.choice((10**30, -1, 0.5)),
                        "arrival_rate_jph": rng.choice((10**400, -1, 1e308, float("inf"), float("nan")))}},
        {"conversion": {"findings": [["code", "sentence", rng.choice((1, 10**30, -1))]], "origin": 3}},
    )  # fmt: skip
    return rng.choice(odd)


def _lists(data: bytes, rng: Random) -> bytes:
    """The queue index, the queues, the sharing index and its lists."""
    plain, damaged = Plain(data), bytearray(data)
    for _ in range(rng.choice((1, 1, 3))):
        index, lists = rng.choice(
            [("queue_index", "queue")] + [("sharing_index", "sharing")] * (plain.at["sharing"] > 0) * 2
        )
        at = plain.at[index] + 8 * rng.randrange(max(1, plain.n_rounds))
        if at + 8 > len(data):
            continue
        (start,) = struct.unpack_from("<Q", data, at)
        if rng.random() < 0.5:
            struct.pack_into("<Q", damaged, at, _absurd(8, len(data), start, rng))
        elif plain.at[lists] + start + 2 <= len(data):
            struct.pack_into("<H", damaged, plain.at[lists] + start, _absurd(2, len(data), 3, rng))
    return bytes(damaged)


def _records(data: bytes, rng: Random) -> bytes:
    """Fields of round and job records, which no size gives away."""
    plain, damaged = Plain(data), bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 10))):
        if rng.random() < 0.3 and plain.n_jobs:
            width = 16 if plain.at["rounds"] - plain.at["jobs"] == 16 * plain.n_jobs else 24
            at = plain.at["jobs"] + width * rng.randrange(plain.n_jobs)
            place, size = rng.choice(((0, 4), (4, 2), (6, 1), (8, 4), (12, 4), (16, 4)))
        else:
            at = plain.at["rounds"] + plain.round_bytes * rng.randrange(max(1, plain.n_rounds))
            place, size = rng.choice(
                ((0, 4), (4, 4), (8, 4), (12, 2), (14, 2), (16, 4), (20, 4), (24, 4), (28, 2),
                 (28 + 2 * plain.n_types + 4 * rng.randrange(max(1, plain.n_gpus)), 4))
            )  # fmt: skip
        if at + place + size > len(data):
            continue
        if size == 4 and rng.random() < 0.4:
            struct.pack_into("<f", damaged, at + place, rng.choice(_FLOATS))
        else:
            (old,) = struct.unpack_from(_SIZE_OF[size], damaged, at + place)
            struct.pack_into(_SIZE_OF[size], damaged, at + place, _absurd(size, 64, old, rng))
    return bytes(damaged)


VIZBIN_DAMAGES: dict[str, Callable[[bytes, Random], bytes]] = {
    "any damage": mutate.damage,
    "cut at a border": _cut_at_border,
    "header": _header,
    "sections": _sections,
    "config": _config,
    "lists": _lists,
    "records": _records,
}
