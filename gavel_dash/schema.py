"""Every column of every table: name, dtype, unit and one-line meaning. The project's glossary.

Tables are built, shown and exported through these tuples, so a column is spelled in one place.
Times are hours here (seconds only inside the code), rates jobs per hour (jph), fractions 0..1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

#: What a run's `status` can be, and what it means.
STATUSES = {
    "complete": "every job of the measurement window completed",
    "censored": "some window jobs never completed: the mean JCT is a lower bound",
    "unmeasured": "no window is known, or no job of it completed: there is no JCT",
    "table": "known from a results table only: no rounds to look at",
    "unconverted": "a simulator log that has not been converted yet",
    "damaged": "the run's file cannot be read; the note says why",
}


@dataclass(frozen=True)
class Column:
    """One column of a table. `unit` is empty for names, counts and ids."""

    name: str
    dtype: str
    unit: str
    meaning: str
    label: str


def _c(name: str, dtype: str, unit: str, label: str, meaning: str) -> Column:
    return Column(name, dtype, unit, meaning, label)


_CURVE_KEY = (
    _c("figure", "str", "", "Figure", "figure of the paper the run belongs to"),
    _c("policy", "str", "", "Policy", "scheduling policy; `_perf` is heterogeneity-aware (Gavel)"),
    _c("setting", "str", "", "Setting", "single: every job asks for one GPU; multi: some ask for several"),
)
_RATE = _c("arrival_rate_jph", "float", "jobs/h", "Rate (jph)", "arrival rate of jobs")
_CLUSTER = _c("cluster", "str", "", "Cluster", "GPUs of each type")
_N_WINDOW = _c("n_window", "int", "jobs", "Window jobs", "jobs in the measurement window")
_N_COMPLETED = _c("n_completed", "int", "jobs", "Completed", "window jobs that completed in the run")
_OCCUPANCY = _c("mean_occupancy", "float", "fraction", "Occupancy", "mean over rounds of GPUs in use / GPUs")

RUNS = (
    _c("run", "str", "", "Run", "name of the run, unique in the sweep"),
    *_CURVE_KEY,
    _RATE,
    _c("seed", "int", "", "Seed", "random seed of the run"),
    _CLUSTER,
    _c("gpus", "int", "GPUs", "GPUs", "number of GPUs"),
    _c("rounds", "int", "rounds", "Rounds", "scheduling rounds recorded"),
    _c("jobs", "int", "jobs", "Jobs", "jobs that arrived"),
    _c("window", "str", "job ids", "Window", "measured job ids, start:end (end not included)"),
    _N_WINDOW,
    _N_COMPLETED,
    _c("mean_jct_h", "float", "h", "Mean JCT (h)", "mean completion minus arrival of completed window jobs"),
    _c("mean_jct_is_lower_bound", "bool", "", "Lower bound", "true where window jobs are missing from the mean"),
    _OCCUPANCY,
    _c(
        "effective_utilization",
        "float",
        "fraction",
        "Eff. utilization",
        "the scheduler's busy fraction since the start",
    ),
    _c("status", "str", "", "Status", "complete, censored, unmeasured, table, unconverted or damaged"),
    _c("findings", "int", "", "Findings", "number of findings about the run's files"),
    _c("note", "str", "", "Note", "why a run is damaged or unconverted, and what to do"),
)

CURVES = (
    _c("curve", "str", "", "Curve", "figure, policy, setting and, where several, cluster"),
    *_CURVE_KEY,
    _CLUSTER,
    _RATE,
    _c("n_seeds", "int", "seeds", "n", "distinct seeds with a mean JCT behind the point"),
    _c("n_runs", "int", "runs", "Runs", "runs of the point, with or without a mean JCT"),
    _c("mean_jct_h", "float", "h", "Mean JCT (h)", "mean over seeds of their mean JCT"),
    _c("low_jct_h", "float", "h", "Low (h)", "lower end of the 95% Student-t interval; empty for n = 1"),
    _c("high_jct_h", "float", "h", "High (h)", "upper end of the 95% Student-t interval; empty for n = 1"),
    _c("censored", "bool", "", "Censored", "true where the mean is a lower bound in at least one run"),
    _N_COMPLETED,
    _N_WINDOW,
    _c("window", "str", "job ids", "Window", "measured job ids of the point's runs"),
    _OCCUPANCY,
    _c("seeds", "str", "", "Seeds", "seeds behind the point"),
    _c("runs", "str", "", "Run names", "names of the runs behind the point"),
)

SATURATION = (
    _c("curve", "str", "", "Curve", "figure, policy, setting and, where several, cluster"),
    *_CURVE_KEY,
    _CLUSTER,
    _c("method", "str", "", "Method", "how the estimate was made"),
    _c(
        "estimate_jph",
        "float",
        "jobs/h",
        "Saturation (jph)",
        "arrival rate at which the policy saturates; empty: not reached",
    ),
    _c("low_jph", "float", "jobs/h", "Low (jph)", "lower end of the 95% bootstrap interval over seeds"),
    _c("high_jph", "float", "jobs/h", "High (jph)", "upper end of the 95% bootstrap interval over seeds"),
    _c("plateau_jct_h", "float", "h", "Plateau (h)", "median mean JCT of the rates below half of the highest"),
    _c("k", "float", "", "k", "the crossing is at k times the plateau"),
    _c("n_rates", "int", "", "Rates", "arrival rates with a mean JCT"),
    _c("highest_rate_jph", "float", "jobs/h", "Highest rate (jph)", "highest arrival rate with a mean JCT"),
    _c("note", "str", "", "Note", "what limits the estimate"),
)

ROUNDS = (
    _c("round_index", "int", "", "Index", "position of the record in the file, from 0"),
    _c("round", "int", "", "Round", "the simulator's round number"),
    _c("sim_time_h", "float", "h", "Simulated time (h)", "simulated time at the start of the round"),
    _c("phase", "str", "", "Phase", "warm-up, measurement or cool-down, from the run's own window; empty if unknown"),
    _c("occupancy", "float", "fraction", "Occupancy", "GPUs in use now / GPUs"),
    _c(
        "effective_utilization",
        "float",
        "fraction",
        "Eff. utilization",
        "the scheduler's busy fraction since the start",
    ),
    _c("gpus_used", "int", "GPUs", "GPUs used", "GPUs in use in this round"),
    _c("jobs_running", "int", "jobs", "Running", "jobs that hold GPUs"),
    _c("jobs_queued", "int", "jobs", "Queued", "jobs in the system that hold none"),
    _c("jobs_in_system", "int", "jobs", "In system", "running and queued jobs"),
    _c("jobs_completed", "int", "jobs", "Completed", "jobs completed since the start"),
    _c(
        "avg_jct_h",
        "float",
        "h",
        "Mean JCT so far (h)",
        "running mean over completed window jobs, by the simulator; empty before",
    ),
    _c(
        "completion_rate_jph",
        "float",
        "jobs/h",
        "Completion rate (jph)",
        "the simulator's windowed rate; empty where unknown",
    ),
)

JOBS = (
    _c("job_id", "int", "", "Job", "id of the job, in order of arrival"),
    _c("job_type", "str", "", "Type", "model and batch size"),
    _c("category", "str", "", "Category", "family of the model"),
    _c("scale_factor", "int", "GPUs", "Scale factor", "GPUs the job asks for; empty where unknown"),
    _c("arrival_round", "int", "", "Arrival round", "last round recorded before the job arrived"),
    _c("arrival_time_h", "float", "h", "Arrival (h)", "simulated time of the arrival round"),
    _c("completion_round", "int", "", "Completion round", "last round recorded before the job completed"),
    _c("jct_h", "float", "h", "JCT (h)", "completion minus arrival; empty while not completed"),
    _c("completed", "bool", "", "Completed", "whether the job completed in the run"),
    _c("in_window", "bool", "", "In window", "whether the job is measured"),
)

QUEUE = (
    _c("job_id", "int", "", "Job", "id of the waiting job"),
    _c("job_type", "str", "", "Type", "model and batch size"),
    _c("category", "str", "", "Category", "family of the model"),
    _c("scale_factor", "int", "GPUs", "Scale factor", "GPUs the job asks for"),
    _c("time_in_system_h", "float", "h", "In system (h)", "simulated time since the job's arrival round"),
    _c("arrival_round", "int", "", "Arrival round", "last round recorded before the job arrived"),
)


def names(columns: tuple[Column, ...]) -> list[str]:
    """Column names, in order."""
    return [column.name for column in columns]


#: Nullable where a value can be missing, so that an unknown count stays an integer column.
_PANDAS_DTYPES = {"int": "Int64", "float": "float64", "bool": "boolean", "str": "str"}


def build_frame(rows: Iterable[Mapping[str, Any]], columns: tuple[Column, ...]) -> pd.DataFrame:
    """A typed table of these columns, in order; keys of a row that are no column are left out."""
    frame = pd.DataFrame(list(rows), columns=names(columns))
    return frame.astype({column.name: _PANDAS_DTYPES[column.dtype] for column in columns})
