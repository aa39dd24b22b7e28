"""What became of each job of a run, from its segments: when it ran and waited, how often it was stopped or moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from gavel_dash.analysis.segments import Segments
from gavel_dash.analysis.timeline import NEVER

#: Segments that are sorted at once; a run of much churn has millions, and every step of the way needs room for all.
_BLOCK_SEGMENTS = 2**18


@dataclass(frozen=True)
class JobTimelines:
    """What became of each job. All arrays are in the order of the job records, shape (n_jobs,) unless said.

    Attributes
    ----------
    known : ndarray of bool
        Whether the file says who holds the GPUs in every round the job is in the system. Elsewhere the other values are
        what was seen, which is less than what happened.
    stay_known : ndarray of bool
        Whether, besides, the file says until when the job was in the system, and it runs in no other round. Elsewhere
        nothing is known of waiting: `queued_rounds`, `queueing_time_h` and `preemptions` mean nothing.
    first_start, last_record : ndarray of int32
        First and last record in which the job is on a GPU; `NEVER` where it is on none.
    in_system_from, in_system_until : ndarray of int32
        Records ``[from, until)`` in which the job is running or queued.
    run_rounds, queued_rounds : ndarray of int32
        Records with and without a GPU; together those in the system.
    run_time_h, queueing_time_h : ndarray of float64, hours
        The same in time: a record lasts until the next.
    gpu_rounds : ndarray of float64
        GPUs held, summed over the records; a quarter of a GPU is 0.25.
    gpu_hours : ndarray of float64
    preemptions : ndarray of int32
        How often the job lost all its GPUs before it was done.
    migrations, type_migrations : ndarray of int32
        How often its GPUs, or the types of its GPUs, were others than in the round in which it last ran.
    type_rounds : ndarray of int32, shape (n_jobs, n_types)
        Records with at least one GPU of each type.
    """

    known: np.ndarray
    stay_known: np.ndarray
    first_start: np.ndarray
    last_record: np.ndarray
    in_system_from: np.ndarray
    in_system_until: np.ndarray
    run_rounds: np.ndarray
    queued_rounds: np.ndarray
    run_time_h: np.ndarray
    queueing_time_h: np.ndarray
    gpu_rounds: np.ndarray
    gpu_hours: np.ndarray
    preemptions: np.ndarray
    migrations: np.ndarray
    type_migrations: np.ndarray
    type_rounds: np.ndarray


def compute_timelines(
    jobs: np.ndarray,
    segments: Segments,
    lanes_per_gpu: int,
    types: np.ndarray,
    in_system: tuple[np.ndarray, np.ndarray],
    edges_h: np.ndarray,
    unknown: np.ndarray,
    end_known: np.ndarray,
) -> JobTimelines:
    """Timelines of all jobs from the segments of a whole run.

    Nothing but the changes of the allocation is looked at: of each job its GPUs are added up event by event, so that
    the cost is that of the number of segments, whatever the rounds and GPUs. Jobs are taken a block at a time.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id`` and ``completed``
    segments : Segments
    lanes_per_gpu : int
    types : ndarray of int, shape (n_gpus,)
        Index of the type of each GPU.
    in_system : pair of ndarray of int, shape (n_jobs,)
        See `timeline.records_in_system`.
    edges_h : ndarray of float64, shape (n_rounds + 1,)
        Simulated hours at the start of each record, and at the end of the last.
    unknown : ndarray of bool, shape (n_rounds,)
        Records in which the file does not say who holds the GPUs.
    end_known : ndarray of bool, shape (n_jobs,)
        Whether the file says when the job completed, or that it did not.
    """
    rows, segments = _rows_of(jobs["job_id"], segments)
    parts = []
    for first, last, chosen in _blocks_of_jobs(rows, len(jobs)):
        block = slice(first, last)
        stay = in_system[0][block], in_system[1][block]
        held = rows[chosen] - first, segments.select(chosen), lanes_per_gpu, types
        parts.append(_timelines_of_block(jobs[block], *held, stay, edges_h, unknown, end_known[block]))
    names = (field.name for field in fields(JobTimelines))
    return JobTimelines(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _timelines_of_block(
    jobs: np.ndarray,
    rows: np.ndarray,
    segments: Segments,
    lanes_per_gpu: int,
    types: np.ndarray,
    in_system: tuple[np.ndarray, np.ndarray],
    edges_h: np.ndarray,
    unknown: np.ndarray,
    end_known: np.ndarray,
) -> JobTimelines:
    """`compute_timelines` of some jobs and their segments; `rows` is the row of each segment's job among them."""
    n_jobs, n_rounds, n_types = len(jobs), len(edges_h) - 1, int(types.max(initial=-1)) + 1
    since, until = in_system
    lengths_h = edges_h[segments.stop] - edges_h[segments.start]
    gpu_rounds = np.bincount(rows, segments.rounds, n_jobs) / lanes_per_gpu
    gpu_hours = np.bincount(rows, lengths_h, n_jobs) / lanes_per_gpu

    gpu = segments.lane // lanes_per_gpu
    start, stop = segments.start, segments.stop
    if lanes_per_gpu > 1:
        pair, start, stop = _merge(rows * len(types) + gpu, start, stop, n_rounds)
        rows, gpu = pair // len(types), pair % len(types)
    # A set of GPUs or types as the sum of a random number for each: other sets have other sums, but for a chance of
    # 2 ** -64.
    marks = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, size=len(types) + n_types)
    by_type = [(types[gpu] == t).astype(np.int8) for t in range(n_types)]
    job, record, (gpus, *held_by_type) = _state_after(rows, start, stop, n_rounds, [marks[gpu], *by_type])
    running = np.logical_or.reduce([n > 0 for n in held_by_type]) if n_types else np.zeros(len(job), bool)
    span = np.where(running, np.diff(record, append=0), 0)
    hours = np.where(running, edges_h[np.append(record[1:], 0)] - edges_h[record], 0.0)
    run_rounds = np.bincount(job, span, n_jobs).astype(np.int32)
    run_time_h = np.bincount(job, hours, n_jobs)
    type_rounds, types_held = np.zeros((n_jobs, n_types), np.int32), np.zeros(len(job), np.int64)
    for t, n in enumerate(held_by_type):
        type_rounds[:, t] = np.bincount(job, span * (n > 0), n_jobs)
        types_held += marks[len(types) + t] * (n > 0)

    first_start, last_record = np.full(n_jobs, NEVER, np.int32), np.full(n_jobs, NEVER, np.int32)
    # Events are in order, and of several values for one job numpy keeps the last.
    first_start[job[::-1]] = record[::-1]
    last_record[job] = record - 1

    n_unknown = np.append(0, np.cumsum(unknown))
    known = n_unknown[until] == n_unknown[since]
    runs_in_stay = (first_start == NEVER) | ((first_start >= since) & (last_record < until))
    stops = np.bincount(job[~running], minlength=n_jobs)
    ends_well = jobs["completed"] | (last_record == n_rounds - 1)
    return JobTimelines(
        known=known,
        stay_known=known & end_known & runs_in_stay,
        first_start=first_start,
        last_record=last_record,
        in_system_from=since.astype(np.int32),
        in_system_until=until.astype(np.int32),
        run_rounds=run_rounds,
        queued_rounds=(until - since - run_rounds).astype(np.int32),
        run_time_h=run_time_h,
        queueing_time_h=edges_h[until] - edges_h[since] - run_time_h,
        gpu_rounds=gpu_rounds,
        gpu_hours=gpu_hours,
        preemptions=(stops - ((stops > 0) & ends_well)).astype(np.int32),
        migrations=_changes(job, running, gpus, n_jobs),
        type_migrations=_changes(job, running, types_held, n_jobs),
        type_rounds=type_rounds,
    )


def running_stretches(jobs: np.ndarray, segments: Segments, n_rounds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When each job is on any GPU: row in the job records, and records ``[start, stop)``, ordered by row and start.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id``
    segments : Segments
        Of the records from 0 to `n_rounds`.
    """
    rows, segments = _rows_of(jobs["job_id"], segments)
    blocks = (
        _merge(rows[chosen], segments.start[chosen], segments.stop[chosen], n_rounds)
        for _, _, chosen in _blocks_of_jobs(rows, len(jobs))
    )
    row, start, stop = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return row, start, stop


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
