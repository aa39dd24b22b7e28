"""The packed form of a run, `.viz.bin.packed`: what cannot be derived, in columns, compressed. Unpacks to equal bytes.

A packed file is the magic ``GPUPACK1`` and one xz stream of the parts below, little-endian. A column of n numbers of b
bytes is b planes of n bytes, the lowest first.

1. The `.viz.bin` from its first byte up to the job records: header, config and padding.
2. A column per field of a job record; of ids and arrival rounds, the differences from job to job. Then a u32: how many
   jobs, from the first, are in the system in the first round.
3. The rounds, in blocks of ``2**20 // max(GPUs, slots)`` (at least one). A block is

   - a column per field of `_CLOCKS`: the differences of the differences from round to round, of floats those of
     their bits as integers; a column per field of `_MEASURED`;
   - a column per field of `_COUNTS`: what the record says less what follows from jobs and cells, zero where the
     run is consistent;
   - a bit per cell, round by round: whether it holds the job that it held in the round before (before the first
     round of a block all are idle); padded to whole bytes;
   - a column of the slots in all other cells, u16, GPU type after GPU type, in each type round by round. 0 is idle.

A job has a slot while it is in the system (``arrival_round < round <= completion_round``, and see 2.): the lowest
that was free when it came, in the order of the job records. Slots are small numbers that a job keeps, so they repeat
as the jobs do. The queue is not there: it is the jobs in the system that hold no GPU, by id.
"""

from __future__ import annotations

import heapq
import io
import lzma
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, BinaryIO

import numpy as np

from gavel_dash.errors import UsageError, VizFormatError
from gavel_dash.formats.packed_columns import column, steps, sums, take, take_column
from gavel_dash.formats.vizbin_layout import (
    HEADER,
    HEADER_BYTES,
    JOB_1B_DTYPE,
    ROUND_HEAD_DTYPE,
    align8,
    round_dtype,
)
from gavel_dash.formats.vizbin_layout import MAGIC as VIZ_MAGIC
from gavel_dash.formats.vizbin_open import parse_config, read_config, read_header
from gavel_dash.formats.vizbin_write import JOB_ID_OFFSET, RoundBlock, pack_rounds

MAGIC = b"GPUPACK1"
# A byte of a plane says little of the next one's high bits, and nothing by its position: lc, lp and pb are 0. The
# dictionary bounds the memory of unpacking.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 2**24, "lc": 0, "lp": 0, "pb": 0}]
_BLOCK_CELLS = 2**20
#: Jobs are taken one by one, and a small file can say that it has any number.
_MOST_JOBS = 2**17
_NEVER = 2**32
_STEADY_JOB_FIELDS = ("job_id", "arrival_round")
_CLOCKS = ("round", "sim_time_s", "effective_utilization")
_MEASURED = ("avg_jct_s", "completion_rate_jph")
_COUNTS = ("jobs_running", "jobs_queued", "jobs_completed", "gpus_used")


def pack_run(data: bytes, name: str) -> bytes:
    """Pack a whole `.viz.bin` as this package's converter writes it.

    Parameters
    ----------
    data : bytes
    name : str
        What error messages call it.

    Raises
    ------
    UsageError
        The run is not one that this form can say again: GPUs are shared, there are no jobs or more than 131,072, the
        file is another writer's, or its queues are not the jobs that wait.
    VizFormatError
        Not a `.viz.bin`.
    """
    compressor = lzma.LZMACompressor(check=lzma.CHECK_CRC64, filters=_FILTERS)
    packed = b"".join([MAGIC, *(compressor.compress(part) for part in _parts(data, name)), compressor.flush()])
    again, refusal = (
        io.BytesIO(),
        f"{name} cannot be packed: it holds what does not follow from its jobs and allocations",
    )
    try:
        unpack_run(io.BytesIO(packed), again, name, len(data))
    except VizFormatError as error:
        raise UsageError(refusal) from error
    if again.getbuffer() != data:
        raise UsageError(refusal)
    return packed


def unpack_run(file: BinaryIO, out: BinaryIO, name: str, most_bytes: int = sys.maxsize) -> None:
    """Write the `.viz.bin` that a packed file holds, block by block.

    Parameters
    ----------
    file : binary file
        The packed file, at its start.
    out : binary file
        Seekable and empty.
    name : str
        What error messages call the packed file.
    most_bytes : int, optional
        What the `.viz.bin` may have; any number unless given.

    Raises
    ------
    VizFormatError
        Not a packed run, cut short, damaged, or of a larger `.viz.bin`.
    """
    if (magic := file.read(len(MAGIC))) != MAGIC:
        raise VizFormatError(name, 0, f"the magic {MAGIC!r}", repr(magic))
    try:
        with lzma.LZMAFile(file) as unpacked:
            _unpack(unpacked, out, name, most_bytes)
    except (lzma.LZMAError, EOFError, UsageError, ValueError, LookupError) as error:
        raise VizFormatError(name, file.tell(), "a whole packed run", str(error)) from error


def _parts(data: bytes, name: str) -> Iterator[bytes]:
    """The parts of a packed file, not yet compressed."""
    view = np.frombuffer(data, np.uint8)
    header = read_header(view, name)
    if header.version != 1 or header.job_dtype != JOB_1B_DTYPE or not (header.n_jobs and header.n_types):
        raise UsageError(f"{name} cannot be packed: it shares GPUs, has no jobs, or does not say when they completed")
    if header.n_jobs > _MOST_JOBS:
        raise UsageError(f"{name} cannot be packed: it has {header.n_jobs} jobs, more than {_MOST_JOBS}")
    types = _gpus_of_types([gpu_type.count for gpu_type in read_config(view, header, name).gpu_types])
    yield data[: header.jobs.start]
    jobs = np.frombuffer(data, JOB_1B_DTYPE, header.n_jobs, header.jobs.start)
    for field in JOB_1B_DTYPE.names or ():
        yield column(steps(jobs[field], 1) if field in _STEADY_JOB_FIELDS else jobs[field])
    records = np.frombuffer(data, round_dtype(header.n_types, header.n_gpus), header.n_rounds, header.rounds.start)
    first = records[:1][["jobs_running", "jobs_queued"]].tolist()
    n_first = min(sum(first[0]) if first else 0, header.n_jobs)
    yield n_first.to_bytes(4, "little")
    lives = _lives(jobs, n_first)
    by_id = np.argsort(lives.ids, kind="stable")
    for rows in _blocks(header.n_rounds, header.n_gpus, lives):
        block = records[rows]
        stored = block["allocation"]
        # An id without a record gets the slot of another job; the comparison in `pack_run` finds it.
        nearest = np.searchsorted(lives.ids, stored.astype(np.int64) - JOB_ID_OFFSET, sorter=by_id)
        cells = np.where(stored > 0, lives.slots[by_id[nearest.clip(max=header.n_jobs - 1)]], 0)
        derived = _derive(lives, block["round"], cells, types)
        for field in _CLOCKS:
            yield column(steps(np.ascontiguousarray(block[field]).view("<u4"), 2))
        for field in _MEASURED:
            yield column(block[field])
        for field in _COUNTS:
            yield column(block[field] - derived.counts[field].astype(block[field].dtype))
        kept = np.vstack([stored[:1] == 0, stored[1:] == stored[:-1]])
        yield np.packbits(kept).tobytes()
        yield column(np.concatenate([cells[:, gpus][~kept[:, gpus]] for gpus in types]).astype("<u2"))


def _unpack(packed: IO[bytes], out: BinaryIO, name: str, most_bytes: int) -> None:
    head = take(packed, HEADER_BYTES)
    magic, version, n_rounds, n_jobs, n_types, n_gpus, *offsets = HEADER.unpack(head[: HEADER.size])
    jobs_start, rounds_start, queue_start, index_start = offsets[:4]
    record = round_dtype(n_types, n_gpus)
    jobs_end, rounds_end = jobs_start + n_jobs * JOB_1B_DTYPE.itemsize, rounds_start + n_rounds * record.itemsize
    if (magic, version, jobs_end, rounds_end) != (VIZ_MAGIC, 1, rounds_start, queue_start) or jobs_start < HEADER_BYTES:
        raise UsageError("a header that is not of a run with jobs, rounds and queues one after the other")
    if n_jobs > _MOST_JOBS:
        raise UsageError(f"{n_jobs} jobs, more than {_MOST_JOBS}")
    if (size := max(queue_start, index_start) + 8 * n_rounds) > most_bytes:
        raise UsageError(f"a file of {size} bytes, more than {most_bytes}")
    config = take(packed, jobs_start - HEADER_BYTES)
    gpu_types = parse_config(config, HEADER_BYTES, n_types, n_gpus, name).gpu_types
    types = _gpus_of_types([gpu_type.count for gpu_type in gpu_types])
    columns = {field: take_column(packed, n_jobs, JOB_1B_DTYPE[field]) for field in JOB_1B_DTYPE.names or ()}
    jobs = np.zeros(n_jobs, JOB_1B_DTYPE)
    for field, values in columns.items():
        jobs[field] = sums(values, 1) if field in _STEADY_JOB_FIELDS else values
    lives = _lives(jobs, int.from_bytes(take(packed, 4), "little"))
    out.write(head + config + jobs.tobytes())
    index, queue_end = [np.empty(0, "<u8")], queue_start
    for rows in _blocks(n_rounds, n_gpus, lives):
        block = pack_rounds(_taken_block(packed, rows.stop - rows.start, lives, record, types), record)
        out.seek(rounds_start + rows.start * record.itemsize)
        out.write(block.records)
        out.seek(queue_end)
        index.append((queue_end - queue_start + block.queue_starts).astype("<u8"))
        queue_end += out.write(block.queue)
        if queue_end > index_start:
            break
    if packed.read(1) or index_start != queue_start + align8(queue_end - queue_start):
        raise UsageError("queues of another length than the header says, or more behind the last round")
    out.write(bytes(index_start - queue_end) + np.concatenate(index).tobytes())


def _taken_block(packed: IO[bytes], n: int, lives: _Lives, record: np.dtype, types: Sequence[slice]) -> RoundBlock:
    heads = np.zeros(n, ROUND_HEAD_DTYPE)
    for field in _CLOCKS:
        heads[field] = sums(take_column(packed, n, np.dtype("<u4")), 2).view(ROUND_HEAD_DTYPE[field])
    for field in _MEASURED:
        heads[field] = take_column(packed, n, ROUND_HEAD_DTYPE[field])
    excess = {field: take_column(packed, n, record[field].base, record[field].shape) for field in _COUNTS}
    derived = _derive(lives, heads["round"], _taken_cells(packed, n, lives.n_slots, types), types)
    counts = {field: excess[field] + derived.counts[field].astype(excess[field].dtype) for field in _COUNTS}
    for field in counts.keys() & set(ROUND_HEAD_DTYPE.names or ()):
        heads[field] = counts[field]
    return RoundBlock(heads, counts["gpus_used"], derived.allocation, derived.counts["jobs_queued"], derived.queue_ids)


def _taken_cells(packed: IO[bytes], n: int, n_slots: int, types: Sequence[slice]) -> np.ndarray:
    """The slots of a block's cells, shape (n, GPUs)."""
    n_gpus = types[-1].stop
    bits = np.frombuffer(take(packed, (n * n_gpus + 7) // 8), np.uint8)
    changed = np.unpackbits(bits, count=n * n_gpus).reshape(n, n_gpus) == 0
    slots = take_column(packed, int(np.count_nonzero(changed)), np.dtype("<u2"))
    if slots.max(initial=0) > n_slots:
        raise UsageError(f"slot {slots.max()} of {n_slots} in a cell")
    cells = np.zeros((n, n_gpus), np.intp)
    for gpus in types:
        mine = changed[:, gpus]
        count = int(np.count_nonzero(mine))
        cells[:, gpus][mine], slots = slots[:count], slots[count:]
    changed[:1] = True
    since = changed * np.arange(n * n_gpus).reshape(n, n_gpus)
    np.maximum.accumulate(since, axis=0, out=since)
    return cells.reshape(-1)[since]


@dataclass(frozen=True)
class _Lives:
    """The jobs of a run: id (plain), first round after `arrival` and last round in the system, slot (from 1)."""

    ids: np.ndarray
    arrival: np.ndarray
    completion: np.ndarray
    slots: np.ndarray
    n_slots: int


def _lives(jobs: np.ndarray, n_first: int) -> _Lives:
    arrival, completion = (jobs[field].astype(np.int64) for field in ("arrival_round", "completion_round"))
    arrival[:n_first] = -1
    completion[completion == 0] = _NEVER
    slots = np.zeros(len(jobs), np.int64)
    free: list[int] = []
    busy: list[tuple[int, int]] = []  # until when, slot
    for i, (since, until) in enumerate(zip(arrival.tolist(), completion.tolist(), strict=True)):
        while busy and busy[0][0] <= since:
            heapq.heappush(free, heapq.heappop(busy)[1])
        slots[i] = heapq.heappop(free) if free else len(busy) + 1
        heapq.heappush(busy, (until, int(slots[i])))
    return _Lives(
        jobs["job_id"].astype(np.int64) - JOB_ID_OFFSET, arrival, completion, slots, int(slots.max(initial=0))
    )


@dataclass(frozen=True)
class _Derived:
    """What follows from the jobs and the slots in the cells of n rounds; ids are plain, -1 is idle."""

    allocation: np.ndarray
    queue_ids: np.ndarray
    counts: Mapping[str, np.ndarray]


def _derive(lives: _Lives, rounds: np.ndarray, cells: np.ndarray, types: Sequence[slice]) -> _Derived:
    n = len(rounds)
    start, stop = (np.searchsorted(rounds, event, "right") for event in (lives.arrival, lives.completion))
    job_in = np.full((lives.n_slots + 1, n), -1, np.int64)  # by slot and row
    for job in np.flatnonzero(start < stop):
        job_in[lives.slots[job], start[job] : stop[job]] = lives.ids[job]
    at = cells * n
    at += np.arange(n)[:, None]
    waiting = job_in >= 0
    in_system = np.count_nonzero(waiting, axis=0)
    waiting.reshape(-1)[at] = False
    queued = np.count_nonzero(waiting, axis=0)
    # One number that sorts by row, then by id.
    queue = (np.nonzero(waiting)[1] << 32) + job_in[waiting]
    queue.sort()
    allocation = job_in.reshape(-1).take(at)
    counts = {
        "jobs_running": in_system - queued,
        "jobs_queued": queued,
        "jobs_completed": np.searchsorted(np.sort(lives.completion), rounds, "left"),
        "gpus_used": np.stack([np.count_nonzero(allocation[:, gpus] >= 0, axis=1) for gpus in types], axis=1),
    }
    return _Derived(allocation, queue & (2**32 - 1), counts)


def _blocks(n_rounds: int, n_gpus: int, lives: _Lives) -> Iterator[slice]:
    size = max(1, _BLOCK_CELLS // max(1, n_gpus, lives.n_slots))
    return (slice(first, min(first + size, n_rounds)) for first in range(0, n_rounds, size))


def _gpus_of_types(counts: Sequence[int]) -> list[slice]:
    return [slice(a, b) for a, b in pairwise(np.cumsum([0, *counts]).tolist())]
