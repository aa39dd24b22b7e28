"""Every per-round field of a run, those that the file holds and those that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.tables import rounds_table
from gavel_dash.model import Cluster
from gavel_dash.schema.rounds import ROUNDS

DEFAULT_JCT_COMPLETIONS, DEFAULT_RATE_H = 100, 24.0


@dataclass(frozen=True)
class RunRecords:
    """What the fields of a run are computed from.

    Attributes
    ----------
    heads : structured ndarray, shape (n_rounds,), with the fields of a round record
    gpus_used : ndarray of int, shape (n_rounds, n_types), GPUs in use per type
    cluster : Cluster
        Types in the order of the columns of `gpus_used`.
    time_h : ndarray of float64, shape (n_rounds,), simulated hours, not decreasing
    completed_at : ndarray of int, shape (n_known,)
        Record that is the first to show each completion whose job is known, not decreasing.
    jct_s : ndarray of float64, shape (n_known,), seconds
        JCT of those jobs.
    wall_time_s : ndarray of float64, shape (n_rounds,), or None
        Seconds the simulator had been running; None where the file does not say.
    """

    heads: np.ndarray
    gpus_used: np.ndarray
    cluster: Cluster
    time_h: np.ndarray
    completed_at: np.ndarray
    jct_s: np.ndarray
    wall_time_s: np.ndarray | None = None


def order_completions(jobs: np.ndarray, jct_s: np.ndarray, round_numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First record that shows each completion, and the JCT, in the order of completion; of one round, by job id.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id``, ``completed`` and ``completion_round``
        A job whose record has no completion is left out: its round is not known.
    jct_s : ndarray of float64, shape (n_jobs,), seconds, NaN where not known
    round_numbers : ndarray of int, shape (n_rounds,), not decreasing
    """
    known = jobs["completed"].astype(bool) & np.isfinite(jct_s)
    at = np.searchsorted(round_numbers, jobs["completion_round"][known], side="right")
    order = np.lexsort((jobs["job_id"][known], at))
    return at[order], jct_s[known][order]


def compute_field(records: RunRecords, name: str, jct_completions: int, rate_h: float) -> np.ndarray | None:
    """Values of a field in every record.

    Parameters
    ----------
    records : RunRecords
    name : str
        A key of `schema.telemetry_columns`.
    jct_completions : int
        N of `windowed_jct_h`.
    rate_h : float, hours
        W of the windowed rates.

    Returns
    -------
    ndarray of float64, shape (n_rounds,), NaN where a record has no value; None where the run has no such field.
    """
    if name in _IN_ROUNDS:
        table = rounds_table(records.heads, records.gpus_used, records.cluster, None)
        return table[name].to_numpy(np.float64)
    if name == "wall_time_min":
        return None if records.wall_time_s is None else records.wall_time_s / 60
    if name == "gpus_free":
        return records.cluster.gpus - records.gpus_used.sum(axis=1, dtype=np.float64)
    if name == "windowed_jct_h":
        return _windowed_jct_h(records, jct_completions)
    if name == "windowed_completion_rate_jph":
        return windowed_rate(records.heads["jobs_completed"], records.time_h, rate_h)
    if name == "arrivals":
        return _arrivals(records.heads)
    if name == "windowed_arrival_rate_jph":
        return windowed_rate(_arrivals(records.heads), records.time_h, rate_h)
    return _of_type(records, name)


_IN_ROUNDS = {column.name for column in ROUNDS if column.dtype != "str"}


def _arrivals(heads: np.ndarray) -> np.ndarray:
    """Jobs that came, whether still there or gone. Job records do not tell it in all files: some hold none."""
    return heads["jobs_running"].astype(np.float64) + heads["jobs_queued"] + heads["jobs_completed"]


def _of_type(records: RunRecords, name: str) -> np.ndarray | None:
    gpu_type, _, kind = name.rpartition("_")
    names = [known.name for known in records.cluster.gpu_types]
    if gpu_type not in names:
        return None
    column = names.index(gpu_type)
    count, used = records.cluster.gpu_types[column].count, records.gpus_used[:, column].astype(np.float64)
    if kind == "used":
        return used
    if kind == "free":
        return count - used
    return used / count if kind == "share" and count else None


def _windowed_jct_h(records: RunRecords, completions: int) -> np.ndarray | None:
    """Mean JCT of the last `completions` jobs; None where the file does not say which job completed when."""
    if not len(records.jct_s) or len(records.jct_s) < int(records.heads["jobs_completed"].max(initial=0)):
        return None
    means = pd.Series(records.jct_s).rolling(completions, min_periods=1).mean().to_numpy() / SECONDS_PER_HOUR
    n_done = np.searchsorted(records.completed_at, np.arange(len(records.heads)), side="right")
    return np.where(n_done > 0, means[n_done - 1], np.nan)


def windowed_rate(counts: np.ndarray, time_h: np.ndarray, rate_h: float) -> np.ndarray:
    """Events per hour since the last record that lies `rate_h` hours back or more; NaN where there is none.

    Parameters
    ----------
    counts : ndarray, shape (n_rounds,)
        Events since the start.
    time_h : ndarray of float64, shape (n_rounds,), hours, not decreasing
    rate_h : float, hours, above 0
    """
    # Times are float32 in the file: a record exactly that far back must not be missed by a rounding.
    rounding_h = 2 * np.spacing(np.float32(time_h[-1] if len(time_h) else 0.0))
    since = np.searchsorted(time_h, time_h - max(rate_h - rounding_h, rate_h / 2), side="right") - 1
    counts = np.asarray(counts, np.float64)
    rate = np.full(len(counts), np.nan)
    known = since >= 0
    rate[known] = (counts[known] - counts[since[known]]) / (time_h[known] - time_h[since[known]])
    return rate


def moving_mean(values: np.ndarray, time_h: np.ndarray, width_h: float) -> np.ndarray:
    """Mean of the values within half of `width_h` either side, of those that exist; NaN where the value itself is NaN.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rounds,)
    time_h : ndarray of float64, shape (n_rounds,), hours, not decreasing
    width_h : float, hours
    """
    known = np.isfinite(values)
    total = np.append(0.0, np.cumsum(np.where(known, values, 0.0)))
    count = np.append(0, np.cumsum(known))
    first = np.searchsorted(time_h, time_h - width_h / 2, side="left")
    last = np.searchsorted(time_h, time_h + width_h / 2, side="right")
    mean = (total[last] - total[first]) / np.maximum(count[last] - count[first], 1)
    return np.where(known, mean, np.nan)
