"""A run's rounds, jobs and queue as tables in the field's units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.blocked_demand import UNKNOWN, reasons_to_wait
from gavel_dash.analysis.fragmentation import Fragmentation
from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.job_timelines import JobTimelines
from gavel_dash.analysis.phases import Phases
from gavel_dash.analysis.timeline import NEVER, edges_of_records, jct_of_jobs
from gavel_dash.model import Cluster, JobWindow


def rounds_table(heads: np.ndarray, gpus_used: np.ndarray, cluster: Cluster, phases: Phases | None) -> pd.DataFrame:
    """Table of all rounds.

    Parameters
    ----------
    heads : structured ndarray, shape (n_rounds,), with the fields of a round record
    gpus_used : ndarray of int, shape (n_rounds, n_types), GPUs in use per type
    cluster : Cluster
        Types in the order of the columns of `gpus_used`.
    phases : Phases or None
        None where no window is known: the column is then empty.

    Returns
    -------
    DataFrame with the columns of `schema.ROUNDS` and one `<type>_used` per GPU type.
    """
    n_rounds = len(heads)
    used = gpus_used.astype(np.int64)
    total = used.sum(axis=1)
    running, queued = heads["jobs_running"].astype(np.int64), heads["jobs_queued"].astype(np.int64)
    avg_jct_h = heads["avg_jct_s"].astype(np.float64) / SECONDS_PER_HOUR
    rate_jph = heads["completion_rate_jph"].astype(np.float64)
    columns: dict[str, object] = {
        "round_index": np.arange(n_rounds),
        "round": heads["round"].astype(np.int64),
        "sim_time_h": heads["sim_time_s"].astype(np.float64) / SECONDS_PER_HOUR,
        "phase": pd.Series(phases.labels(n_rounds) if phases else [None] * n_rounds, dtype="str"),
        "occupancy": total / max(cluster.gpus, 1),
        "effective_utilization": heads["effective_utilization"].astype(np.float64),
        "gpus_used": total,
        "jobs_running": running,
        "jobs_queued": queued,
        "jobs_in_system": running + queued,
        "jobs_completed": heads["jobs_completed"].astype(np.int64),
        "avg_jct_h": np.where(avg_jct_h > 0, avg_jct_h, np.nan),
        "completion_rate_jph": np.where(rate_jph > 0, rate_jph, np.nan),
    }
    for i, gpu_type in enumerate(cluster.gpu_types):
        columns[f"{gpu_type.name}_used"] = used[:, i]
    return pd.DataFrame(columns)


def outcomes_table(
    jobs: np.ndarray,
    job_types: Mapping[int, tuple[str, str]],
    window: JobWindow | None,
    round_numbers: np.ndarray,
    sim_time_s: np.ndarray,
    exact_jct_s: Mapping[int, float],
) -> pd.DataFrame:
    """Table of all jobs without what only the rounds tell: `schema.OUTCOMES`.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), the job records of a run
    job_types : mapping of type id to (name, category)
    window : JobWindow or None
    round_numbers : ndarray of int, shape (n_rounds,), not decreasing
    sim_time_s : ndarray of float, shape (n_rounds,), seconds
    exact_jct_s : mapping of job id to JCT in seconds
        From the completions file; see `timeline.jct_of_jobs`.
    """
    ids = jobs["job_id"].astype(np.int64)
    jct_s = jct_of_jobs(jobs, exact_jct_s)
    # A record of the older generation holds no completion; the completions file may still know it, but not its round.
    recorded = jobs["completed"].astype(bool)
    completed = recorded | np.isfinite(jct_s)
    names = [job_types.get(int(t), (f"type {int(t)}", "other")) for t in jobs["type_id"]]
    scale = pd.Series(jobs["scale_factor"].astype(np.int64), dtype="Int64")
    in_window = (ids >= window.start_job_id) & (ids < window.end_job_id) if window else np.zeros(len(ids), dtype=bool)
    return pd.DataFrame(
        {
            "job_id": ids,
            "job_type": pd.Series([name for name, _ in names], dtype="str"),
            "category": pd.Series([category for _, category in names], dtype="str"),
            "scale_factor": scale.mask(scale == 0),
            "arrival_round": jobs["arrival_round"].astype(np.int64),
            "arrival_time_h": time_of_rounds(jobs["arrival_round"], round_numbers, sim_time_s) / SECONDS_PER_HOUR,
            "completion_round": pd.Series(jobs["completion_round"].astype(np.int64), dtype="Int64").mask(~recorded),
            "jct_h": jct_s / SECONDS_PER_HOUR,
            "completed": completed,
            "in_window": in_window,
            "censored": in_window & ~completed,
        },
        columns=schema.names(schema.OUTCOMES),
    )


def jobs_table(
    outcomes: pd.DataFrame, timelines: JobTimelines, cluster: Cluster, round_numbers: np.ndarray, sim_time_s: np.ndarray
) -> pd.DataFrame:
    """Table of all jobs, `schema.JOBS`: their outcomes, and what the rounds tell.

    Parameters
    ----------
    outcomes : DataFrame, `schema.OUTCOMES`
    timelines : JobTimelines
        In the order of `outcomes`. What is not known there is empty.
    cluster : Cluster
        Types in the order of `timelines.type_rounds`.
    round_numbers : ndarray of int, shape (n_rounds,), not decreasing
    sim_time_s : ndarray of float, shape (n_rounds,), seconds
    """
    edges_h = edges_of_records(sim_time_s)
    first, known, stay_known = timelines.first_start, timelines.known, timelines.stay_known
    ran = known & (first != NEVER)
    start_h = np.where(ran, edges_h[first], np.nan)
    first_round = pd.Series(round_numbers[first].astype(np.int64) if len(round_numbers) else first, dtype="Int64")
    recorded = outcomes["completion_round"].notna()

    def where(told: np.ndarray, counts: np.ndarray) -> pd.Series:
        return pd.Series(counts.astype(np.int64), dtype="Int64").mask(~told)

    told_by_rounds = {
        "first_start_round": first_round.mask(~ran),
        "first_start_time_h": start_h,
        "completion_time_h": np.where(recorded, edges_h[timelines.in_system_until], np.nan),
        "wait_to_start_h": np.where(
            first >= timelines.in_system_from, start_h - edges_h[timelines.in_system_from], np.nan
        ),
        "queueing_time_h": np.where(stay_known, timelines.queueing_time_h, np.nan),
        "run_time_h": np.where(known, timelines.run_time_h, np.nan),
        "gpu_hours": np.where(known, timelines.gpu_hours, np.nan),
        "preemptions": where(stay_known, timelines.preemptions),
        "migrations": where(known, timelines.migrations),
        "type_migrations": where(known, timelines.type_migrations),
        "gpu_types": pd.Series(_type_names(timelines, cluster), dtype="str"),
    }
    return outcomes.assign(**told_by_rounds)[schema.names(schema.JOBS)]


def _type_names(timelines: JobTimelines, cluster: Cluster) -> list[str | None]:
    """Names of the GPU types each job ran on, None where the file does not say."""
    names = [gpu_type.name for gpu_type in cluster.gpu_types]
    return [
        " ".join(name for name, n in zip(names, rounds, strict=False) if n) if known else None
        for known, rounds in zip(timelines.known, timelines.type_rounds.tolist(), strict=True)
    ]


def time_of_rounds(rounds: np.ndarray, round_numbers: np.ndarray, sim_time_s: np.ndarray) -> np.ndarray:
    """Simulated time of the last record at or before each round number, seconds; NaN where there are no records."""
    if len(round_numbers) == 0:
        return np.full(len(rounds), np.nan)
    index = np.searchsorted(round_numbers, rounds, side="right") - 1
    return sim_time_s.astype(np.float64)[np.maximum(index, 0)]


def queue_table(
    job_ids: np.ndarray, jobs: pd.DataFrame, sim_time_h: float, fragmentation: Fragmentation, record: int
) -> pd.DataFrame:
    """Table of the jobs waiting in a round, `schema.QUEUE`, in the order of `job_ids`.

    Parameters
    ----------
    job_ids : ndarray of int, shape (n_queued,)
    jobs : DataFrame with the columns of `schema.OUTCOMES`
    sim_time_h : float
        Simulated time of the round, hours.
    fragmentation : Fragmentation
        What is free in the record `record`: it says why each job waits.
    """
    known = jobs.drop_duplicates("job_id").set_index("job_id").reindex(job_ids).reset_index()
    known["time_in_system_h"] = sim_time_h - known["arrival_time_h"]
    sizes = known["scale_factor"].fillna(UNKNOWN).to_numpy(np.int64)
    known["why"] = pd.Series(reasons_to_wait(sizes, fragmentation, record), dtype="str")
    return known[schema.names(schema.QUEUE)]
