"""What became of each job of a run, from what it held: when it ran and waited, how often it was stopped or moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.job_holdings import Lanes, follow_holdings
from gavel_dash.analysis.timeline import NEVER


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
    lanes: Lanes,
    in_system: tuple[np.ndarray, np.ndarray],
    edges_h: np.ndarray,
    unknown: np.ndarray,
    end_known: np.ndarray,
) -> JobTimelines:
    """Timelines of all jobs over a whole run.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id`` and ``completed``
    lanes : Lanes
    in_system : pair of ndarray of int, shape (n_jobs,)
        See `timeline.records_in_system`.
    edges_h : ndarray of float64, shape (n_rounds + 1,)
        Simulated hours at the start of each record, and at the end of the last.
    unknown : ndarray of bool, shape (n_rounds,)
        Records in which the file does not say who holds the GPUs.
    end_known : ndarray of bool, shape (n_jobs,)
        Whether the file says when the job completed, or that it did not.
    """
    held = follow_holdings(jobs["job_id"], lanes, edges_h)
    since, until = in_system
    n_unknown = np.append(0, np.cumsum(unknown))
    known = n_unknown[until] == n_unknown[since]
    runs_in_stay = (held.first_start == NEVER) | ((held.first_start >= since) & (held.last_record < until))
    ends_well = jobs["completed"] | (held.last_record == len(edges_h) - 2)
    return JobTimelines(
        known=known,
        stay_known=known & end_known & runs_in_stay,
        first_start=held.first_start,
        last_record=held.last_record,
        in_system_from=since.astype(np.int32),
        in_system_until=until.astype(np.int32),
        run_rounds=held.run_rounds,
        queued_rounds=(until - since - held.run_rounds).astype(np.int32),
        run_time_h=held.run_time_h,
        queueing_time_h=edges_h[until] - edges_h[since] - held.run_time_h,
        gpu_rounds=held.lane_rounds / lanes.per_gpu,
        gpu_hours=held.lane_hours / lanes.per_gpu,
        preemptions=(held.stops - ((held.stops > 0) & ends_well)).astype(np.int32),
        migrations=held.migrations,
        type_migrations=held.type_migrations,
        type_rounds=held.type_rounds,
    )
