"""A run's occupancy and backlog in equal stretches of its rounds: a curve over any number of rounds, at any zoom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.jct import SECONDS_PER_HOUR

#: Rows of the matrix before the one row per GPU type.
SERIES_ROWS = (
    "start_index",
    "time_h",
    "occupancy_min",
    "occupancy_max",
    "occupancy_mean",
    "jobs_min",
    "jobs_max",
    "jobs_mean",
    "completed",
)


@dataclass(frozen=True)
class SeriesColumns:
    """What a series is made of, in memory of its own: rounds lie far apart in a file. 40 bytes a round at 3 types.

    Attributes
    ----------
    sim_time_s : ndarray of float32, shape (n_rounds,)
    used : ndarray of int32, shape (n_rounds,)
        GPUs in use, all types.
    jobs : ndarray of int32, shape (n_rounds,)
        Jobs in the system: running and queued.
    completed : ndarray of uint32, shape (n_rounds,)
    used_cumulative : ndarray of int64, shape (n_rounds + 1, n_types)
        GPUs of each type in use, summed over the records before record r.
    n_gpus : int
    """

    sim_time_s: np.ndarray
    used: np.ndarray
    jobs: np.ndarray
    completed: np.ndarray
    used_cumulative: np.ndarray
    n_gpus: int


def collect_columns(heads: np.ndarray, gpus_used: np.ndarray, n_gpus: int) -> SeriesColumns:
    """Copy out of the rounds what a series needs.

    Parameters
    ----------
    heads : structured ndarray, shape (n_rounds,), with the fields of a round record
    gpus_used : ndarray of int, shape (n_rounds, n_types), GPUs in use per type
    n_gpus : int
    """
    used_cumulative = np.zeros((len(heads) + 1, gpus_used.shape[1]), np.int64)
    np.cumsum(gpus_used, axis=0, out=used_cumulative[1:])
    return SeriesColumns(
        sim_time_s=heads["sim_time_s"].copy(),
        used=gpus_used.sum(axis=1, dtype=np.int32),
        jobs=heads["jobs_running"].astype(np.int32) + heads["jobs_queued"],
        completed=heads["jobs_completed"].copy(),
        used_cumulative=used_cumulative,
        n_gpus=n_gpus,
    )


def summarize_series(columns: SeriesColumns, start: int, stop: int, bins: int) -> np.ndarray:
    """Least, greatest and mean value in equal stretches of the records ``[start, stop)``.

    There are ``n = min(bins, stop - start)`` stretches; the i-th starts at ``start + floor(i (stop - start) / n)``.

    Returns
    -------
    ndarray of float64, shape (len(SERIES_ROWS) + n_types, n). Rows:
        start_index : record index at which the stretch starts
        time_h : simulated hours at its first record
        occupancy_min, occupancy_max, occupancy_mean : share of all GPUs in use, fraction
        jobs_min, jobs_max, jobs_mean : jobs in the system, running and queued
        completed : jobs completed at its last record
        one per GPU type : GPUs of that type in use, summed over all records of the run before the stretch
    """
    # No pyramid of coarser levels: a reduceat over 1,000,000 rounds takes 0.05 ms (a sum 0.2 ms), less than the answer
    # takes to travel, and a stretch need not fit a level.
    n = min(bins, stop - start)
    edges = start + np.arange(n + 1) * (stop - start) // max(n, 1)
    first, last = edges[:-1], edges[1:] - 1
    n_records, n_gpus = np.diff(edges), max(columns.n_gpus, 1)
    used, jobs = columns.used[start:stop], columns.jobs[start:stop]
    return np.vstack(
        [
            first,
            columns.sim_time_s[first].astype(np.float64) / SECONDS_PER_HOUR,
            np.minimum.reduceat(used, first - start) / n_gpus,
            np.maximum.reduceat(used, first - start) / n_gpus,
            np.diff(columns.used_cumulative[edges].sum(axis=1)) / (n_records * n_gpus),
            np.minimum.reduceat(jobs, first - start),
            np.maximum.reduceat(jobs, first - start),
            np.add.reduceat(jobs, first - start, dtype=np.int64) / n_records,
            columns.completed[last],
            *columns.used_cumulative[first].T,
        ]
    )
