"""When the jobs of a run came, first ran and went, and how long its records last."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gavel_dash.analysis.jct import SECONDS_PER_HOUR

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
    until = np.where(jobs["completed"], until, len(round_numbers))
    return since, np.maximum(since, until)


def edges_of_records(sim_time_s: np.ndarray) -> np.ndarray:
    """Simulated hours at the start of each record and at the end of the last: float64, shape (n_rounds + 1,).

    The last record is taken to last as long as the median one.
    """
    start_h = sim_time_s.astype(np.float64) / SECONDS_PER_HOUR
    steps = np.diff(start_h)
    steps = steps[steps > 0]
    return np.append(start_h, (start_h[-1] if len(start_h) else 0.0) + (float(np.median(steps)) if len(steps) else 0.0))
