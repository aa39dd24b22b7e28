"""What happened to each job over a run, from the rounds themselves: when it first ran, how long it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.segments import Segments

_BLOCK_CELLS = 2**15
NEVER = -1


def first_starts(
    job_ids: np.ndarray,
    allocation: np.ndarray,
    tenants: Callable[[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] | None = None,
) -> np.ndarray:
    """First round record in which each job is on a GPU.

    Parameters
    ----------
    job_ids : ndarray of int, shape (n_jobs,)
        Ids as `allocation` stores them. 0 means idle there: a job of that id is never seen.
    allocation : ndarray of unsigned int, shape (n_rounds, n_gpus)
        Stored id on each GPU, 0 = idle. May be a view of a file; it is read once, in blocks.
    tenants : callable, optional
        Given record indexes ``start, stop``: record index and GPU, shape (k,), and the stored ids in the quarters,
        shape (k, 4), of every shared GPU of these rounds. A quarter of a GPU counts as a GPU.

    Returns
    -------
    ndarray of int32, shape (n_jobs,), record indexes; `NEVER` where the job is seen on no GPU.
    """
    n_rounds, n_gpus = allocation.shape
    known, job_of_row = np.unique(np.asarray(job_ids, np.int64), return_inverse=True)
    first = np.full(len(known), n_rounds, np.int64)
    # Schedulers that share time move most jobs every round (90% of the cells change in some real runs), so looking
    # only at changes saves nothing. What does: counting the ids still to be found by their low bits, which lets next
    # to no cell through. It has room for ids that are numbered in order; of others some pass that need not.
    low_bits = np.uint32(2 ** max(16, 1 + len(known).bit_length()) - 1)
    slots = known & low_bits
    wanted = np.bincount(slots[known > 0], minlength=int(low_bits) + 1).astype(np.int32)

    def note(ids: np.ndarray, record: np.ndarray) -> None:
        place = np.searchsorted(known, ids).clip(max=len(known) - 1)
        seen = (known[place] == ids) & (ids != 0)
        place, record = place[seen], record[seen]
        found = np.unique(place[first[place] == n_rounds])
        np.minimum.at(first, place, record)
        np.subtract.at(wanted, slots[found], 1)

    rows = max(1, _BLOCK_CELLS // max(1, n_gpus))
    for start in range(0, n_rounds if len(known) else 0, rows):
        block = allocation[start : start + rows]
        record, gpu = np.nonzero(wanted[block & low_bits])
        note(block[record, gpu], start + record)
        if tenants is not None:
            record, _gpu, ids = tenants(start, start + len(block))
            note(ids.ravel(), np.repeat(record, ids.shape[1]))
    return np.where(first < n_rounds, first, NEVER)[job_of_row].astype(np.int32)


def jct_of_jobs(jobs: np.ndarray, exact_jct_s: Mapping[int, float]) -> np.ndarray:
    """JCT of each job: exact where the completions file knows it, else the float32 of the job record.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), the job records of a run
    exact_jct_s : mapping of job id to JCT in seconds

    Returns
    -------
    ndarray of float64, shape (n_jobs,), seconds; NaN where the job did not complete.
    """
    recorded = np.where(jobs["completed"], jobs["duration_s"].astype(np.float64), np.nan)
    pairs = zip(jobs["job_id"].tolist(), recorded.tolist(), strict=True)
    return np.array([exact_jct_s.get(job_id, jct_s) for job_id, jct_s in pairs], dtype=np.float64)


@dataclass(frozen=True)
class JobTimelines:
    """What became of each job. All arrays are in the order of the job records, shape (n_jobs,) unless said.

    Attributes
    ----------
    known : ndarray of bool
        Whether the file says who holds the GPUs in every round the job is in the system. Elsewhere the other values are
        what was seen, which is less than what happened.
    first_start, last_record : ndarray of int32
        First and last record in which the job is on a GPU; `NEVER` where it is on none.
    in_system_from, in_system_until : ndarray of int32
        Records ``[from, until)`` in which the job is running or queued.
    run_rounds, queued_rounds : ndarray of int32
        Records with and without a GPU; together those in the system.
    run_time_h, queueing_time_h : ndarray of float64, hours
        The same in time: a record lasts until the next.
    gpu_rounds : ndarray of float64
        GPUs held, summed over the records; a quarter of a GPU counts as one.
    gpu_hours : ndarray of float64
    preemptions : ndarray of int32
        How often the job lost all its GPUs before it was done.
    migrations, type_migrations : ndarray of int32
        How often its GPUs, or the types of its GPUs, were others than in the round in which it last ran.
    type_rounds : ndarray of int32, shape (n_jobs, n_types)
        Records with at least one GPU of each type.
    """

    known: np.ndarray
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
) -> JobTimelines:
    """Timelines of all jobs from the segments of a whole run.

    Nothing but the changes of the allocation is looked at: of each job its GPUs are added up event by event, so that
    the cost is that of the number of segments, whatever the rounds and GPUs.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id`` and ``completed``
    segments : Segments
    lanes_per_gpu : int
    types : ndarray of int, shape (n_gpus,)
        Index of the type of each GPU.
    in_system : pair of ndarray of int, shape (n_jobs,)
        See `records_in_system`.
    edges_h : ndarray of float64, shape (n_rounds + 1,)
        Simulated hours at the start of each record, and at the end of the last.
    unknown : ndarray of bool, shape (n_rounds,)
        Records in which the file does not say who holds the GPUs.
    """
    n_jobs, n_rounds, n_types = len(jobs), len(edges_h) - 1, int(types.max(initial=-1)) + 1
    rows, segments = _rows_of(jobs["job_id"], segments)
    since, until = in_system
    lengths_h = edges_h[segments.stop] - edges_h[segments.start]
    gpu_rounds = np.bincount(rows, segments.rounds, n_jobs) / lanes_per_gpu
    gpu_hours = np.bincount(rows, lengths_h, n_jobs) / lanes_per_gpu

    gpu = segments.lane // lanes_per_gpu
    start, stop = segments.start, segments.stop
    if lanes_per_gpu > 1:
        rows, gpu, start, stop = _merge(rows, gpu, start, stop, n_rounds, len(types))
    # A set of GPUs as the sum of a random number for each: other sets have other sums but for a chance of 2 ** -64.
    marks = np.random.default_rng(0).integers(2**64, size=len(types), dtype=np.uint64)
    ones = np.ones(len(rows), np.int64)
    by_type = [(types[gpu] == t).astype(np.int64) for t in range(n_types)]
    job, record, (held, gpus, *held_by_type) = _state_after(
        rows, start, stop, n_rounds, [ones, marks[gpu].view(np.int64), *by_type]
    )
    running = held > 0
    span = np.where(running, np.diff(record, append=0), 0)
    hours = np.where(running, edges_h[np.append(record[1:], 0)] - edges_h[record], 0.0)
    run_rounds = np.bincount(job, span, n_jobs).astype(np.int32)
    run_time_h = np.bincount(job, hours, n_jobs)
    type_rounds = (
        np.stack([np.bincount(job, span * (n > 0), n_jobs) for n in held_by_type], axis=1) if n_types else None
    )
    type_mask = sum(((n > 0).astype(np.int64) << t for t, n in enumerate(held_by_type)), np.zeros(len(job), np.int64))

    first_start = np.full(n_jobs, n_rounds, np.int32)
    np.minimum.at(first_start, job, record)
    first_start[first_start == n_rounds] = NEVER
    last_record = np.full(n_jobs, NEVER, np.int32)
    np.maximum.at(last_record, job, record - 1)

    stops = np.bincount(job[~running], minlength=n_jobs)
    ends_well = jobs["completed"] | (last_record == n_rounds - 1)
    return JobTimelines(
        known=np.cumsum(np.append(0, unknown))[until] == np.cumsum(np.append(0, unknown))[since],
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
        type_migrations=_changes(job, running, type_mask, n_jobs),
        type_rounds=np.zeros((n_jobs, 0), np.int32) if type_rounds is None else type_rounds.astype(np.int32),
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
    rows, _, start, stop = _merge(rows, np.zeros(len(rows), np.int64), segments.start, segments.stop, n_rounds, 1)
    return rows, start, stop


def records_in_system(
    jobs: np.ndarray, round_numbers: np.ndarray, at_first: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Records ``[from, until)`` in which each job is in the system, ends included: int64, shape (n_jobs,) each.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id``, ``arrival_round``, ``completion_round``, ``completed``
    round_numbers : ndarray of int, shape (n_rounds,), not decreasing
    at_first : ndarray of int
        Ids of the jobs in the system in the first record: its number does not tell those that came before it from
        those that came right after.
    """
    since = np.searchsorted(round_numbers, jobs["arrival_round"], side="right")
    since[np.isin(jobs["job_id"], at_first)] = 0
    until = np.searchsorted(round_numbers, jobs["completion_round"], side="right")
    until = np.where(jobs["completed"] & (jobs["completion_round"] > 0), until, len(round_numbers))
    return since, np.maximum(since, until)


def edges_of_records(sim_time_s: np.ndarray) -> np.ndarray:
    """Simulated hours at the start of each record and at the end of the last: float64, shape (n_rounds + 1,).

    The last record is taken to last as long as the median one.
    """
    start_h = sim_time_s.astype(np.float64) / SECONDS_PER_HOUR
    steps = np.diff(start_h)
    steps = steps[steps > 0]
    return np.append(start_h, (start_h[-1] if len(start_h) else 0.0) + (float(np.median(steps)) if len(steps) else 0.0))


def _rows_of(job_ids: np.ndarray, segments: Segments) -> tuple[np.ndarray, Segments]:
    """Row of the job of each segment in the job records, and the segments whose job has a record."""
    order = np.argsort(job_ids, kind="stable")
    known = job_ids[order]
    place = np.searchsorted(known, segments.job_id).clip(max=max(0, len(known) - 1))
    has_record = known[place] == segments.job_id if len(known) else np.zeros(len(segments), bool)
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
        sums.append(np.cumsum(np.add.reduceat(change, first)) if len(first) else change)
    return key[first] // (n_rounds + 1), key[first] % (n_rounds + 1), sums


def _merge(
    row: np.ndarray, gpu: np.ndarray, start: np.ndarray, stop: np.ndarray, n_rounds: int, n_gpus: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Stretches in which a job holds any quarter of a GPU."""
    pair, record, (held,) = _state_after(
        row.astype(np.int64) * n_gpus + gpu, start, stop, n_rounds, [np.ones(len(row), np.int64)]
    )
    begins = (held > 0) & (np.append(0, held[:-1]) == 0)
    ends = held == 0
    return pair[begins] // n_gpus, pair[begins] % n_gpus, record[begins], record[ends]


def _changes(job: np.ndarray, running: np.ndarray, state: np.ndarray, n_jobs: int) -> np.ndarray:
    """How often the state of each job is another than when it last ran: int32, shape (n_jobs,)."""
    job, state = job[running], state[running]
    changed = (job[1:] == job[:-1]) & (state[1:] != state[:-1])
    return np.bincount(job[1:][changed], minlength=n_jobs).astype(np.int32)
