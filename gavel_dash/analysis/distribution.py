"""How a quantity is spread over jobs: its cumulative distribution, mean and quantiles, split by what a job is.

Times that end with an event (JCT ends with the completion, the wait with the first start) are right-censored for jobs
the run ended before; they are estimated by Kaplan and Meier. Of every other quantity only completed jobs are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from gavel_dash import schema
from gavel_dash.analysis.facets import NONE
from gavel_dash.analysis.survival import Quantile, censored_quantiles
from gavel_dash.model import natural_order
from gavel_dash.schema.distribution import DISTRIBUTION, QUANTILES, quantile_columns

#: Share of the window jobs that are short.
SHORT_SHARE = 0.8
SHORT, LONG, UNDECIDED = "short", "long", "unfinished, short or long"
ALL = "all jobs"
#: By what jobs can be split, with its name on screen.
SPLITS: dict[str, str] = {
    "run": "Run",
    "duration": "Short / long",
    "scale_factor": "Scale factor",
    "category": "Category",
    "none": "Nothing",
}


@dataclass(frozen=True)
class JobMeasure:
    """A quantity of each job: its label, unit, and what it means where the label does not say it.

    `event` says what ends it where jobs that had not come so far are censored and not left out. `is_count` where it is
    a whole number of each job.
    """

    label: str
    unit: str
    meaning: str
    event: str = ""
    is_count: bool = False


#: What can be measured of a job, by its column in `schema.JOBS`.
JOB_MEASURES: dict[str, JobMeasure] = {
    "jct_h": JobMeasure("JCT", "h", "completion minus arrival", "completed"),
    "wait_to_start_h": JobMeasure(
        "Wait to start",
        "h",
        "whole rounds in the system before the first on a GPU; 0 where it starts in the first round after its arrival",
        "started",
    ),
    "queueing_time_h": JobMeasure("Queueing time", "h", "all time in the system without a GPU"),
    "run_time_h": JobMeasure("Run time", "h", "time on at least one GPU"),
    "gpu_hours": JobMeasure("GPU-hours", "GPU h", "GPUs held, summed over time"),
    "stretch": JobMeasure(
        "JCT / run time",
        "",
        "time in the system over time on GPUs; a slowdown would need the time a job takes alone, which these logs lack",
    ),
    "preemptions": JobMeasure("Preemptions", "", "how often a job lost all its GPUs before it was done", is_count=True),
    "migrations": JobMeasure(
        "Migrations", "", "how often a job ran on other GPUs than when it last ran", is_count=True
    ),
    "type_migrations": JobMeasure(
        "Type migrations", "", "how often a job ran on other GPU types than when it last ran", is_count=True
    ),
}


@dataclass(frozen=True)
class Distribution:
    """Distribution of a measure over a group of jobs.

    Attributes
    ----------
    group : str
    values, shares : ndarray of float64, shape (k,)
        The steps of the cumulative distribution: share of the jobs at or below each value. Empty without jobs.
    longest : float
        Largest value seen, censored ones too: where the curve ends. NaN without jobs.
    n_observed, n_censored, n_left_out : int
        Jobs with a value, jobs known to be above one, and jobs of which nothing is known.
    quantiles : dict of str to Quantile
        By the stems of `schema.distribution.QUANTILES`; empty where no job has a value.
    mean : Quantile or None
        Mean over `n` jobs. A lower bound where jobs are censored, which count with the time they had come to. None
        where no job has a value.
    """

    group: str
    values: np.ndarray
    shares: np.ndarray
    longest: float
    n_observed: int
    n_censored: int
    n_left_out: int
    quantiles: dict[str, Quantile]
    mean: Quantile | None

    @property
    def n(self) -> int:
        """Jobs behind the curve."""
        return self.n_observed + self.n_censored


def split_values(jobs: pd.DataFrame, measure: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Values of a measure: those observed, those censored, and how many jobs have neither.

    Parameters
    ----------
    jobs : DataFrame
        `schema.JOBS` and ``time_in_system_h``, the time from arrival until completion or the run's end.
    measure : str
        A key of `JOB_MEASURES`.
    """
    values = _values(jobs, measure)
    completed, known = jobs["completed"].to_numpy(bool), np.isfinite(values)
    so_far = jobs["time_in_system_h"].to_numpy(float)
    if measure == "jct_h":
        observed, censored = known & completed, ~completed & np.isfinite(so_far)
    elif measure == "wait_to_start_h":
        # A job that is known to have queued all the time has not started; of others it may just not be seen.
        never = ~completed & ~known & jobs["queueing_time_h"].notna().to_numpy()
        observed, censored = known, never & np.isfinite(so_far)
    else:
        observed, censored = known & completed, np.zeros(len(jobs), bool)
    return values[observed], so_far[censored], int((~observed & ~censored).sum())


def _values(jobs: pd.DataFrame, measure: str) -> np.ndarray:
    if measure != "stretch":
        return jobs[measure].to_numpy(float, na_value=np.nan)
    run_time_h = jobs["run_time_h"].to_numpy(float, na_value=np.nan)
    return jobs["jct_h"].to_numpy(float) / np.where(run_time_h > 0, run_time_h, np.nan)


def distribute(group: str, observed: np.ndarray, censored: np.ndarray, n_left_out: int = 0) -> Distribution:
    """Distribution of one group; Kaplan-Meier where values are censored.

    Parameters
    ----------
    observed, censored : ndarray of float, shape (n,) and (m,)
    """
    seen = np.concatenate([observed, censored])
    if not len(observed):
        longest = float(seen.max()) if len(seen) else np.nan
        return Distribution(group, np.empty(0), np.empty(0), longest, 0, len(censored), n_left_out, {}, None)
    cdf = scipy.stats.ecdf(scipy.stats.CensoredData(uncensored=observed, right=censored)).cdf
    steps = np.diff(cdf.probabilities, prepend=0.0) > 0  # a censored value is no step
    quantiles = censored_quantiles(observed, censored, list(QUANTILES.values()))
    return Distribution(
        group,
        cdf.quantiles[steps],
        cdf.probabilities[steps],
        float(seen.max()),
        len(observed),
        len(censored),
        n_left_out,
        dict(zip(QUANTILES, quantiles, strict=True)),
        Quantile(float(seen.mean()), len(censored) > 0),
    )


def short_threshold(jobs: pd.DataFrame) -> Quantile | None:
    """JCT in hours up to which a job is short: the 80th percentile over the window jobs, by Kaplan-Meier.

    Over all jobs where no window is known. A lower bound where fewer than 80% completed; None where none did.
    """
    measured = jobs[jobs["in_window"].to_numpy(bool)] if jobs["in_window"].any() else jobs
    observed, censored, _ = split_values(measured, "jct_h")
    return censored_quantiles(observed, censored, [SHORT_SHARE])[0] if len(observed) else None


def group_jobs(jobs: pd.DataFrame, split: str, threshold: Quantile | None = None) -> dict[str, np.ndarray]:
    """Groups of a split in their order on screen: the mask of each group's jobs, shape (n_jobs,).

    An unfinished job that has been in the system no longer than the threshold may become short or long: a group of
    its own. Without a threshold that says more than a lower bound, duration splits nothing.
    """
    if split == "duration" and threshold is not None and not threshold.is_lower_bound:
        is_long = jobs["time_in_system_h"].to_numpy(float) > threshold.value
        completed = jobs["completed"].to_numpy(bool)
        groups = {SHORT: completed & ~is_long, LONG: is_long, UNDECIDED: ~completed & ~is_long}
        return {name: mask for name, mask in groups.items() if mask.any()}
    if split not in ("run", "scale_factor", "category"):
        return {ALL: np.ones(len(jobs), bool)} if len(jobs) else {}
    labels = jobs[split].astype("string").fillna(NONE)
    order = list(dict.fromkeys(labels)) if split == "run" else sorted(labels.unique().tolist(), key=natural_order)
    return {label: (labels == label).to_numpy(bool) for label in order}


def distributions(
    jobs: pd.DataFrame, measure: str, split: str, threshold: Quantile | None = None
) -> list[Distribution]:
    """Distribution of a measure over each group of a split."""
    return [
        distribute(group, *split_values(jobs[mask], measure))
        for group, mask in group_jobs(jobs, split, threshold).items()
    ]


def curve_table(found: Sequence[Distribution], measure: str, split: str) -> pd.DataFrame:
    """Every step of every curve: `schema.distribution.DISTRIBUTION`."""
    parts = [
        pd.DataFrame({"measure": measure, "split": split, "group": d.group, "value": d.values, "share": d.shares})
        for d in found
        if len(d.values)
    ]
    return pd.concat(parts, ignore_index=True) if parts else schema.build_frame([], DISTRIBUTION)


def quantile_table(found: Sequence[Distribution], measure: str, split: str) -> pd.DataFrame:
    """A row per group: `schema.distribution.quantile_columns`."""
    rows = []
    for d in found:
        row: dict[str, object] = {
            "measure": measure,
            "split": split,
            "group": d.group,
            "unit": JOB_MEASURES[measure].unit,
        }
        row |= {"n": d.n, "n_observed": d.n_observed, "n_censored": d.n_censored, "n_left_out": d.n_left_out}
        numbers = d.quantiles if d.mean is None else {"mean": d.mean, **d.quantiles}
        for stem, quantile in numbers.items():
            row |= {stem: quantile.value, f"{stem}_is_lower_bound": quantile.is_lower_bound}
        rows.append(row)
    return schema.build_frame(rows, quantile_columns())
