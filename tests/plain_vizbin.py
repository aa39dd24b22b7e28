"""The `.viz.bin` format a second time, slowly and with `struct` only: what the package is checked against.

`build` makes the files other programs write (no id offset, any section order, either job record); `read_round`
and the like read any file without the package's reader or layout.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HEADER = "<8sIIIBHxQQQQQQQ"
ROUND = "<IffHHIff"
SECTIONS = ("jobs", "rounds", "queue", "queue_index", "config", "sharing", "sharing_index")
CANONICAL = ("config", "jobs", "rounds", "queue", "queue_index", "sharing", "sharing_index")


@dataclass
class Round:
    """One round; ids as stored."""

    used: Sequence[int]
    allocation: Sequence[int]
    queue: Sequence[int] = ()
    running: int | None = None
    queued: int | None = None
    number: int | None = None
    sharing: Sequence[tuple[int, Sequence[int]]] = field(default_factory=list)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def build(
    types: Sequence[tuple[str, int]],
    rounds: Sequence[Round],
    jobs: Sequence[tuple[int, int, int, int, int, float]] = (),
    *,
    order: Sequence[str] = CANONICAL,
    short_jobs: bool = False,
    version: int | None = None,
    **config: Any,
) -> bytes:
    """A file in the given section order. `jobs`: id, type, scale factor, arrival, completion round, duration."""
    n_gpus = sum(count for _, count in types)
    records, queue, queue_index, sharing, sharing_index = b"", b"", b"", b"", b""
    for i, r in enumerate(rounds):
        running = len({job for job in r.allocation if job}) if r.running is None else r.running
        queued = len(r.queue) if r.queued is None else r.queued
        number = i if r.number is None else r.number
        head = struct.pack(ROUND, number, 360.0 * i, 0.5, running, queued, 0, 0.0, 0.0)
        records += padded(head + struct.pack(f"<{len(types)}H{n_gpus}I", *r.used, *r.allocation))
        queue_index += struct.pack("<Q", len(queue))
        queue += struct.pack(f"<H{len(r.queue)}I", len(r.queue), *r.queue)
        sharing_index += struct.pack("<Q", len(sharing))
        sharing += struct.pack("<H", len(r.sharing))
        for gpu, ids in r.sharing:
            sharing += struct.pack("<H4I", gpu, *ids)
    job_form = "<IHBxIxxxx" if short_jobs else "<IHBxIIfxxxx"
    full = {"gpu_types": [{"name": name, "count": count} for name, count in types], **config}
    bodies = {
        "config": json.dumps(full).encode(),
        "jobs": b"".join(struct.pack(job_form, *(job[:4] if short_jobs else job)) for job in jobs),
        "rounds": records,
        "queue": queue,
        "queue_index": queue_index,
    }
    if any(r.sharing for r in rounds):
        bodies |= {"sharing": sharing, "sharing_index": sharing_index}
    offsets, body = {}, b""
    for section in order:
        if section in bodies:
            offsets[section] = 256 + len(body)
            body += padded(bodies[section])
    version = version or (2 if "sharing" in bodies else 1)
    values = [offsets.get(section, 0) for section in SECTIONS]
    header = struct.pack(HEADER, b"GPUVIZ01", version, len(rounds), len(jobs), len(types), n_gpus, *values)
    return header.ljust(256, b"\0") + body


class Plain:
    """A file read with `struct`, one value at a time; ids as stored."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        _, self.version, self.n_rounds, self.n_jobs, self.n_types, self.n_gpus, *offsets = struct.unpack_from(
            HEADER, data
        )
        self.at = dict(zip(SECTIONS, offsets, strict=True))
        end = min((offset for offset in offsets if offset > self.at["config"]), default=len(data))
        self.config = json.loads(data[self.at["config"] : end].rstrip(b"\0"))
        size = 28 + 2 * self.n_types + 4 * self.n_gpus
        self.round_bytes = size + -size % 8

    def head(self, i: int) -> tuple[Any, ...]:
        return struct.unpack_from(ROUND, self.data, self.at["rounds"] + i * self.round_bytes)

    def used(self, i: int) -> list[int]:
        at = self.at["rounds"] + i * self.round_bytes + 28
        return list(struct.unpack_from(f"<{self.n_types}H", self.data, at))

    def allocation(self, i: int) -> list[int]:
        at = self.at["rounds"] + i * self.round_bytes + 28 + 2 * self.n_types
        return list(struct.unpack_from(f"<{self.n_gpus}I", self.data, at))

    def queue(self, i: int) -> list[int]:
        at = self.at["queue"] + struct.unpack_from("<Q", self.data, self.at["queue_index"] + 8 * i)[0]
        (length,) = struct.unpack_from("<H", self.data, at)
        return list(struct.unpack_from(f"<{length}I", self.data, at + 2))

    def sharing(self, i: int) -> dict[int, list[int]]:
        if not self.at["sharing"]:
            return {}
        at = self.at["sharing"] + struct.unpack_from("<Q", self.data, self.at["sharing_index"] + 8 * i)[0]
        (length,) = struct.unpack_from("<H", self.data, at)
        entries = (struct.unpack_from("<H4I", self.data, at + 2 + 18 * k) for k in range(length))
        return {gpu: list(ids) for gpu, *ids in entries}
