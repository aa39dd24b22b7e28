"""What happened to each job over a run, from the rounds themselves: when it first ran, how long it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

_BLOCK_CELLS = 2**15
NEVER = -1


def first_starts(
    job_ids: np.ndarray,
    allocation: np.ndarray,
    tenants: Callable[[int, int], tuple[np.ndarray, np.ndarray]] | None = None,
) -> np.ndarray:
    """First round record in which each job is on a GPU.

    Parameters
    ----------
    job_ids : ndarray of int, shape (n_jobs,)
        Ids as `allocation` stores them. 0 means idle there: a job of that id is never seen.
    allocation : ndarray of unsigned int, shape (n_rounds, n_gpus)
        Stored id on each GPU, 0 = idle. May be a view of a file; it is read once, in blocks.
    tenants : callable, optional
        Given record indexes ``start, stop``: the record index, shape (k,), and the stored ids in the quarters,
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
            record, ids = tenants(start, start + len(block))
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
