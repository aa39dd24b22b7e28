"""What each job of a run holds, round by round: GPUs, their types, and for how long.

The compiled kernel walks over the allocation and stops only where a cell changes. Where there is none, the same comes
of sorting the stretches in which lanes have one job; both give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from gavel_dash.analysis.segments import Segments, find_segments
from gavel_dash.analysis.timeline import NEVER
from gavel_dash.kernel import load_kernel
from gavel_dash.kernel.bindings import Follow, Kernel

#: Segments that are sorted at once; a run of much churn has millions, and every step of the way needs room for all.
_BLOCK_SEGMENTS = 2**18


@dataclass(frozen=True)
class Lanes:
    """The allocation of a run.

    Attributes
    ----------
    stored : ndarray of u4, shape (n_rounds, n_gpus * per_gpu)
        Stored id of the job on each lane, 0 = idle; see `VizFile.lanes`.
    per_gpu : int
    types : ndarray of int, shape (n_gpus,)
        Index of the type of each GPU.
    job_id_offset : int
        What a stored id is above its job's id.
    """

    stored: np.ndarray
    per_gpu: int
    types: np.ndarray
    job_id_offset: int = 0

    @property
    def n_types(self) -> int:
        """Number of GPU types."""
        return int(self.types.max(initial=-1)) + 1

    def marks(self) -> np.ndarray:
        """A random number for each GPU, then for each type: int64.

        A set of GPUs or types is known by the sum of theirs: other sets have other sums, but for a chance of 2 ** -64.
        """
        rng = np.random.default_rng(0)
        marks: np.ndarray = rng.integers(-(2**63), 2**63 - 1, size=len(self.types) + self.n_types)
        return marks


@dataclass(frozen=True)
class Holdings:
    """What each job held. All arrays are in the order of the job records, shape (n_jobs,) unless said.

    Attributes
    ----------
    first_start, last_record : ndarray of int32
        First and last record in which the job is on a GPU; `NEVER` where it is on none.
    run_rounds : ndarray of int32
        Records with a GPU.
    run_time_h : ndarray of float64, hours
        The same in time: a record lasts until the next.
    lane_rounds : ndarray of int64
        Lanes held, summed over the records.
    lane_hours : ndarray of float64
    stops : ndarray of int32
        How often the job lost all its GPUs; the end of the run counts.
    migrations, type_migrations : ndarray of int32
        How often its GPUs, or the types of its GPUs, were others than in the round in which it last ran.
    type_rounds : ndarray of int32, shape (n_jobs, n_types)
        Records with at least one GPU of each type.
    """

    first_start: np.ndarray
    last_record: np.ndarray
    run_rounds: np.ndarray
    run_time_h: np.ndarray
    lane_rounds: np.ndarray
    lane_hours: np.ndarray
    stops: np.ndarray
    migrations: np.ndarray
    type_migrations: np.ndarray
    type_rounds: np.ndarray


def follow_holdings(job_ids: np.ndarray, lanes: Lanes, edges_h: np.ndarray) -> Holdings:
    """What each job held over a whole run.

    Parameters
    ----------
    job_ids : ndarray of int, shape (n_jobs,)
        Of the job records; of several of one job the first counts.
    lanes : Lanes
    edges_h : ndarray of float64, shape (n_rounds + 1,)
        Simulated hours at the start of each record, and at the end of the last.
    """
    kernel = load_kernel()
    if kernel is not None:
        return _walk(kernel, job_ids, lanes, edges_h)
    rows, segments = _rows_of(job_ids, find_segments(lanes.stored, job_id_offset=lanes.job_id_offset))
    parts = [
        _holdings_of_block(last - first, rows[chosen] - first, segments.select(chosen), lanes, edges_h)
        for first, last, chosen in _blocks_of_jobs(rows, len(job_ids))
    ]
    names = (field.name for field in fields(Holdings))
    return Holdings(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def running_stretches(job_ids: np.ndarray, lanes: Lanes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When each job is on any GPU: row in the job records, and records ``[start, stop)``, ordered by row and start.

    All three are ndarrays of int64.
    """
    kernel, n_rounds = load_kernel(), len(lanes.stored)
    if kernel is not None:
        return _stretches_of_walk(kernel, job_ids, lanes)
    rows, segments = _rows_of(job_ids, find_segments(lanes.stored, job_id_offset=lanes.job_id_offset))
    blocks = (
        _merge(rows[chosen], segments.start[chosen], segments.stop[chosen], n_rounds)
        for _, _, chosen in _blocks_of_jobs(rows, len(job_ids))
    )
    row, start, stop = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return row, start, stop


def _stretches_of_walk(kernel: Kernel, job_ids: np.ndarray, lanes: Lanes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges_h = np.zeros(len(lanes.stored) + 1)
    stops = _walk(kernel, job_ids, lanes, edges_h).stops  # one at the end of each stretch
    end = np.cumsum(stops, dtype=np.int64)
    start_stop = np.zeros((2, int(stops.sum())), np.int32)
    room = {
        "stretch_at": end - stops,
        "stretch_end": end,
        "stretch_start": start_stop[0],
        "stretch_stop": start_stop[1],
    }
    _walk(kernel, job_ids, lanes, edges_h, **room)
    return np.repeat(np.arange(len(stops)), stops), *start_stop.astype(np.int64)


def _walk(kernel: Kernel, job_ids: np.ndarray, lanes: Lanes, edges_h: np.ndarray, **out: np.ndarray) -> Holdings:
    """One walk of the kernel; besides the result it takes a few numbers for each job and lane."""
    n_jobs, n_types, n_lanes = len(job_ids), lanes.n_types, lanes.stored.shape[1]
    cells = lanes.stored
    if cells.dtype != "<u4" or (n_lanes > 1 and cells.strides[1] != cells.itemsize):
        cells = np.ascontiguousarray(cells, "<u4")
    walk = Follow(
        cells=cells.ctypes.data,
        round_bytes=cells.strides[0],
        n_rounds=len(cells),
        n_gpus=len(lanes.types),
        lanes_per_gpu=lanes.per_gpu,
        n_jobs=n_jobs,
        n_types=n_types,
        job_id_offset=lanes.job_id_offset,
        n_slots=1 << (2 * n_jobs + 1).bit_length(),
    )
    walk.point(
        job_ids=np.ascontiguousarray(job_ids, np.int64),
        type_of_gpu=np.ascontiguousarray(lanes.types, np.int32),
        marks=lanes.marks(),
        edges_h=np.ascontiguousarray(edges_h, np.float64),
        slots=np.full(walk.n_slots, -1, np.int32),
        before=np.zeros(n_lanes, np.uint32),
        row_of_lane=np.full(n_lanes, -1, np.int32),
        n_by_type=np.zeros(n_jobs * n_types, np.int32),
    )
    of_lanes, of_gpus = ("n_lanes", "lanes_since", "lanes_seen"), ("n_gpus_held", "gpus_since", "gpus_seen")
    for name in (*of_lanes, *of_gpus, "running_since", "changing"):
        walk.point(**{name: np.zeros(n_jobs, np.int32)})
    for name in ("gpus_sum", "last_gpus", "last_types"):
        walk.point(**{name: np.zeros(n_jobs, np.uint64)})
    found = Holdings(
        first_start=np.full(n_jobs, NEVER, np.int32),
        last_record=np.full(n_jobs, NEVER, np.int32),
        run_rounds=np.zeros(n_jobs, np.int32),
        run_time_h=np.zeros(n_jobs),
        lane_rounds=np.zeros(n_jobs, np.int64),
        lane_hours=np.zeros(n_jobs),
        stops=np.zeros(n_jobs, np.int32),
        migrations=np.zeros(n_jobs, np.int32),
        type_migrations=np.zeros(n_jobs, np.int32),
        type_rounds=np.zeros((n_jobs, n_types), np.int32),
    )
    walk.point(**vars(found), **out)
    kernel.follow_jobs(walk)
    return found


def _holdings_of_block(
    n_jobs: int, rows: np.ndarray, segments: Segments, lanes: Lanes, edges_h: np.ndarray
) -> Holdings:
    """`follow_holdings` of some jobs by their segments; `rows` is the row of each segment's job among them."""
    n_rounds, types, n_types = len(edges_h) - 1, lanes.types, lanes.n_types
    gpu, start, stop = segments.lane // lanes.per_gpu, segments.start, segments.stop
    lane_rounds = np.bincount(rows, segments.rounds, n_jobs).astype(np.int64)
    job, record, (n_lanes,) = _state_after(rows, start, stop, n_rounds, [np.ones(len(rows), np.int8)])
    lane_hours = np.bincount(job, n_lanes * _lengths_h(record, n_lanes > 0, edges_h), n_jobs)

    if lanes.per_gpu > 1:
        pair, start, stop = _merge(rows * len(types) + gpu, start, stop, n_rounds)
        rows, gpu = pair // len(types), pair % len(types)
    marks = lanes.marks()
    by_type = [(types[gpu] == t).astype(np.int8) for t in range(n_types)]
    job, record, (gpus, *held_by_type) = _state_after(rows, start, stop, n_rounds, [marks[gpu], *by_type])
    running = np.logical_or.reduce([n > 0 for n in held_by_type]) if n_types else np.zeros(len(job), bool)
    span = np.where(running, np.diff(record, append=0), 0)
    type_rounds, types_held = np.zeros((n_jobs, n_types), np.int32), np.zeros(len(job), np.int64)
    for t, n in enumerate(held_by_type):
        type_rounds[:, t] = np.bincount(job, span * (n > 0), n_jobs)
        types_held += marks[len(types) + t] * (n > 0)

    first_start, last_record = np.full(n_jobs, NEVER, np.int32), np.full(n_jobs, NEVER, np.int32)
    # Events are in order, and of several values for one job numpy keeps the last.
    first_start[job[::-1]] = record[::-1]
    last_record[job] = record - 1
    run_time_h = np.bincount(job, _lengths_h(record, running, edges_h), n_jobs)
    return Holdings(
        first_start=first_start,
        last_record=last_record,
        run_rounds=np.bincount(job, span, n_jobs).astype(np.int32),
        run_time_h=run_time_h.astype(np.float64),  # of nothing NumPy counts integers
        lane_rounds=lane_rounds,
        lane_hours=lane_hours.astype(np.float64),
        stops=np.bincount(job[~running], minlength=n_jobs).astype(np.int32),
        migrations=_changes(job, running, gpus, n_jobs),
        type_migrations=_changes(job, running, types_held, n_jobs),
        type_rounds=type_rounds,
    )


def _lengths_h(record: np.ndarray, counts: np.ndarray, edges_h: np.ndarray) -> np.ndarray:
    """Hours from each event of a job to its next, 0 where it does not count: float64. The last of a job never does."""
    return np.where(counts, edges_h[np.append(record[1:], 0)] - edges_h[record], 0.0)


def _blocks_of_jobs(rows: np.ndarray, n_jobs: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Jobs ``[first, last)`` and the indexes of their segments, in order, at most `_BLOCK_SEGMENTS` or of one job.

    `rows` is the row of the job of each segment. There is at least one block.
    """
    # A stable sort of 16-bit numbers is a radix sort.
    order = np.argsort(rows.astype(np.uint16 if n_jobs <= 2**16 else np.uint32), kind="stable")
    ends = np.append(0, np.cumsum(np.bincount(rows, minlength=n_jobs)))
    first = 0
    while first < max(1, n_jobs):
        last = int(np.searchsorted(ends, ends[first] + _BLOCK_SEGMENTS, side="right")) - 1
        last = min(max(last, first + 1), n_jobs)
        yield first, last, order[ends[first] : ends[last]]
        first = max(last, first + 1)


def _rows_of(job_ids: np.ndarray, segments: Segments) -> tuple[np.ndarray, Segments]:
    """Row of the job of each segment in the job records, and the segments whose job has a record."""
    order = np.argsort(job_ids, kind="stable")
    known = job_ids[order]
    place = np.searchsorted(known, segments.job_id).clip(max=max(0, len(known) - 1))
    has_record = known[place] == segments.job_id if len(known) else np.zeros(len(segments), bool)
    if has_record.all():
        return order[place], segments
    return order[place[has_record]] if len(known) else np.empty(0, np.int64), segments.select(has_record)


def _state_after(
    row: np.ndarray, start: np.ndarray, stop: np.ndarray, n_rounds: int, weights: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Sum of weights in force from each record on at which something changes for a row.

    Every segment adds its weight at its start and takes it back at its stop, so that sums run through all rows: behind
    the last event of a row they are 0 again. Ordered by row, then record.
    """
    key = np.concatenate([row, row]).astype(np.int64) * (n_rounds + 1) + np.concatenate([start, stop])
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(key) else np.empty(0, np.int64)
    sums = []
    for weight in weights:
        change = np.concatenate([weight, -weight])[order]
        sums.append(np.cumsum(np.add.reduceat(change, first, dtype=np.int64)) if len(first) else change)
    return key[first] // (n_rounds + 1), key[first] % (n_rounds + 1), sums


def _merge(
    group: np.ndarray, start: np.ndarray, stop: np.ndarray, n_rounds: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stretches covered by any segment of a group: group, start and stop, ordered by group and start."""
    span = n_rounds + 1
    begin = group.astype(np.int64) * span + start
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], np.maximum.accumulate((begin + (stop - start))[order])
    first = np.flatnonzero(np.append(True, begin[1:] > end[:-1])) if len(begin) else order
    last = np.append(first[1:], len(begin))[: len(first)] - 1
    return begin[first] // span, begin[first] % span, end[last] % span


def _changes(job: np.ndarray, running: np.ndarray, state: np.ndarray, n_jobs: int) -> np.ndarray:
    """How often the state of each job is another than when it last ran: int32, shape (n_jobs,)."""
    job, state = job[running], state[running]
    changed = (job[1:] == job[:-1]) & (state[1:] != state[:-1])
    return np.bincount(job[1:][changed], minlength=n_jobs).astype(np.int32)
