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
_MORE_KEY = (
    _c("cluster", "str", "", "Cluster", "GPUs of each type"),
    _c(
        "placement",
        "str",
        "",
        "Placement",
        "how the GPUs of a job are chosen, where a source says it apart from the policy",
    ),
    _c("trace", "str", "", "Trace", "where the jobs come from, where a source says it"),
)
_RATE = _c("arrival_rate_jph", "float", "jobs/h", "Rate (jph)", "arrival rate of jobs")
_N_WINDOW = _c("n_window", "int", "jobs", "Window jobs", "jobs in the measurement window")
_N_COMPLETED = _c("n_completed", "int", "jobs", "Completed", "window jobs that completed in the run")
_OCCUPANCY = _c("mean_occupancy", "float", "fraction", "Occupancy", "mean over rounds of GPUs in use / GPUs")

_BATCHES = "mean difference of batch means"


def _quantile(stem: str, label: str, words: str) -> tuple[Column, Column]:
    bound = f"true where the {words} lies beyond what was seen of the unfinished jobs"
    return (
        _c(f"{stem}_jct_h", "float", "h", f"{label} JCT (h)", f"{words} of JCT over window jobs, Kaplan-Meier"),
        _c(f"{stem}_jct_is_lower_bound", "bool", "", f"{label} bound", bound),
    )


RUNS = (
    _c("run", "str", "", "Run", "name of the run, unique in the sweep"),
    *_CURVE_KEY,
    _RATE,
    _c("seed", "int", "", "Seed", "random seed of the run"),
    *_MORE_KEY,
    _c("gpus", "int", "GPUs", "GPUs", "number of GPUs"),
    _c("rounds", "int", "rounds", "Rounds", "scheduling rounds recorded"),
    _c("jobs", "int", "jobs", "Jobs", "jobs that arrived"),
    _c("window", "str", "job ids", "Window", "measured job ids, start:end (end not included)"),
    _N_WINDOW,
    _N_COMPLETED,
    _c("mean_jct_h", "float", "h", "Mean JCT (h)", "mean completion minus arrival of completed window jobs"),
    _c("mean_jct_is_lower_bound", "bool", "", "Lower bound", "true where window jobs are missing from the mean"),
    *_quantile("median", "Median", "median"),
    *_quantile("p95", "p95", "95th percentile"),
    *_quantile("p99", "p99", "99th percentile"),
    _c(
        "unfinished_share",
        "float",
        "fraction",
        "Unfinished",
        "share of the window jobs that did not complete in the run",
    ),
    _c(
        "verdict",
        "str",
        "",
        "Verdict",
        "stable, unstable or undecided, from slope and throughput; empty without rounds",
    ),
    _c(
        "slope_jobs_per_h",
        "float",
        "jobs/h",
        "Slope (jobs/h)",
        f"growth of jobs in the system after warm-up, {_BATCHES}",
    ),
    _c("slope_low_jobs_per_h", "float", "jobs/h", "Slope low", "lower end of the slope's t interval"),
    _c("slope_high_jobs_per_h", "float", "jobs/h", "Slope high", "upper end of the slope's t interval"),
    _c(
        "throughput_jph", "float", "jobs/h", "Throughput (jph)", "completions per hour in the second half after warm-up"
    ),
    _c("throughput_over_rate", "float", "", "X / rate", "throughput over arrival rate"),
    _c("throughput_over_rate_low", "float", "", "X / rate low", "lower end of its t interval, batch means"),
    _c("throughput_over_rate_high", "float", "", "X / rate high", "upper end of its t interval, batch means"),
    _c("n_batches", "int", "", "Batches", "batches behind the slope; fewer than 10 leave a run undecided"),
    _c(
        "warm_up_h",
        "float",
        "h",
        "Warm-up (h)",
        "simulated time of the window's first arrival; empty where it never came",
    ),
    _c(
        "mser_cut_h",
        "float",
        "h",
        "MSER-5 cut (h)",
        "simulated time at which MSER-5 cuts the warm-up off jobs in the system",
    ),
    _c(
        "mser_steady",
        "bool",
        "",
        "Steady state",
        "false where the MSER-5 cut falls in the second half: no steady state",
    ),
    _OCCUPANCY,
    _c(
        "effective_utilization",
        "float",
        "fraction",
        "Eff. utilization",
        "the scheduler's busy fraction since the start",
    ),
    _c("mean_queue", "float", "jobs", "Mean queue", "mean over rounds of jobs that hold no GPU"),
    _c("status", "str", "", "Status", "complete, censored, unmeasured, table, unconverted or damaged"),
    _c("findings", "int", "", "Findings", "number of findings about the run's files"),
    _c("note", "str", "", "Note", "why a run is damaged or unconverted, and what to do"),
    _c(
        "curve",
        "str",
        "",
        "Curve",
        "the curve that the run is a point of, by what tells it from the others of the sweep",
    ),
)


def curve_columns(measure: Column) -> tuple[Column, ...]:
    """Columns of the table of curves when `measure`, a column of `RUNS`, is on the vertical axis."""
    low, high = interval_names(measure.name)
    of = f"of {measure.label}"
    return (
        _c("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
        *_CURVE_KEY,
        *_MORE_KEY,
        _RATE,
        _c("n_seeds", "int", "seeds", "n", "distinct seeds with a value behind the point"),
        _c("n_runs", "int", "runs", "Runs", "runs of the point, with or without a value"),
        _c(measure.name, measure.dtype, measure.unit, measure.label, f"mean over seeds: {measure.meaning}"),
        _c(low, "float", measure.unit, "Low", f"lower end of the Student-t interval {of}; empty for n = 1"),
        _c(high, "float", measure.unit, "High", f"upper end of the Student-t interval {of}; empty for n = 1"),
        _c("confidence", "float", "fraction", "Confidence", "level of the interval"),
        _c("is_lower_bound", "bool", "", "Lower bound", "true where the value is a lower bound in at least one run"),
        _c(
            "verdict",
            "str",
            "",
            "Verdict",
            "verdict of the point's runs: that of more than half of them, else undecided",
        ),
        _N_COMPLETED,
        _N_WINDOW,
        _c("window", "str", "job ids", "Window", "measured job ids of the point's runs"),
        _c("seeds", "str", "", "Seeds", "seeds behind the point"),
        _c("runs", "str", "", "Run names", "names of the runs behind the point"),
    )


def interval_names(name: str) -> tuple[str, str]:
    """Names of a value's interval: ``mean_jct_h`` has ``mean_jct_low_h`` and ``mean_jct_high_h``."""
    stem, unit = next(((name.removesuffix(end), end) for end in ("_h", "_jph") if name.endswith(end)), (name, ""))
    return f"{stem}_low{unit}", f"{stem}_high{unit}"


SATURATION = (
    _c("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
    *_CURVE_KEY,
    *_MORE_KEY,
    _c("method", "str", "", "Method", "stability, plateau_factor or capacity_fit"),
    _c(
        "estimate_jph",
        "float",
        "jobs/h",
        "Saturation (jph)",
        "arrival rate at which the policy saturates; empty: see the status",
    ),
    _c(
        "low_jph",
        "float",
        "jobs/h",
        "Low (jph)",
        "lower end of the interval: over seeds, or over fits without the highest rates",
    ),
    _c("high_jph", "float", "jobs/h", "High (jph)", "upper end of the interval"),
    _c("confidence", "float", "fraction", "Confidence", "level of the interval and of the verdicts"),
    _c("status", "str", "", "Status", "estimated, not reached, or impossible (see the note)"),
    _c(
        "bracket_low_jph",
        "float",
        "jobs/h",
        "Stable at (jph)",
        "stability: highest rate whose runs are stable, below the bracket's upper end",
    ),
    _c(
        "bracket_high_jph",
        "float",
        "jobs/h",
        "Unstable at (jph)",
        "stability: lowest rate whose runs are unstable, above the bracket's lower end",
    ),
    _c(
        "plateau_jct_h",
        "float",
        "h",
        "Plateau (h)",
        "plateau factor: median mean JCT of the rates below half of the highest",
    ),
    _c("k", "float", "", "k", "plateau factor: the crossing is at k times the plateau"),
    _c("n_rates", "int", "", "Rates", "arrival rates the method could use"),
    _c("highest_rate_jph", "float", "jobs/h", "Highest rate (jph)", "highest arrival rate the method could use"),
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


#: Measures of which more is no loss; of every other less is better, and a gain is what is saved.
_MORE_IS_NO_LOSS = ("throughput_jph", "mean_occupancy", "effective_utilization")
_UNIT_SUFFIX = {"h": "_h", "jobs/h": "_jph"}


def is_saving(measure: Column) -> bool:
    """Whether less of a measure is better: then `against` - `of` is a gain, else `of` - `against` a difference."""
    return measure.name not in _MORE_IS_NO_LOSS


def gain_names(measure: Column) -> tuple[str, str]:
    """Names of a gain and of its share of `against`: ``gain_h`` and ``relative_gain``, or ``difference_jph`` ..."""
    stem = "gain" if is_saving(measure) else "difference"
    return stem + _UNIT_SUFFIX.get(measure.unit, ""), f"relative_{stem}"


def gain_columns(measure: Column) -> tuple[Column, ...]:
    """Columns of the table that compares the curve `of` with the curve `against` in `measure`, a column of `RUNS`."""
    gain, relative = gain_names(measure)
    (low, high), (relative_low, relative_high) = interval_names(gain), interval_names(relative)
    signed = "against - of, positive: of is lower" if is_saving(measure) else "of - against, positive: of is higher"
    label = "Lower by" if is_saving(measure) else "Higher by"
    interval = "of its Student-t interval over the pairs; empty for n = 1"
    return (
        _c("of", "str", "", "Of", "curve that is compared"),
        _c("against", "str", "", "Against", "curve it is compared with"),
        _RATE,
        _c("n_pairs", "int", "seeds", "n", "seeds with a value in both curves: the pairs"),
        _c("n_of", "int", "seeds", "n of", "seeds of `of` with a value, paired or not"),
        _c("n_against", "int", "seeds", "n against", "seeds of `against` with a value, paired or not"),
        _c(f"of_{measure.name}", "float", measure.unit, "Of", f"{measure.label}: mean over the pairs, curve `of`"),
        _c(
            f"against_{measure.name}",
            "float",
            measure.unit,
            "Against",
            f"{measure.label}: mean over the pairs, curve `against`",
        ),
        _c(gain, "float", measure.unit, label, f"{measure.label}: mean over the pairs of {signed}"),
        _c(low, "float", measure.unit, "Low", f"lower end {interval}"),
        _c(high, "float", measure.unit, "High", f"upper end {interval}"),
        _c(
            relative,
            "float",
            "fraction",
            f"{label} (share)",
            "mean over the pairs of each pair's gain or difference / its `against`; empty where an `against` is 0",
        ),
        _c(relative_low, "float", "fraction", "Low", f"lower end {interval}"),
        _c(relative_high, "float", "fraction", "High", f"upper end {interval}"),
        _c("confidence", "float", "fraction", "Confidence", "level of the intervals"),
        _c("of_is_lower_bound", "bool", "", "Of bound", "true where `of` is a lower bound: the gain is at most this"),
        _c(
            "against_is_lower_bound",
            "bool",
            "",
            "Against bound",
            "true where `against` is a lower bound: the gain is at least this; with both it may be either way",
        ),
        _c("of_window", "str", "job ids", "Window of", "measured job ids of the paired runs of `of`"),
        _c("against_window", "str", "job ids", "Window against", "measured job ids of the paired runs of `against`"),
        _c(
            "windows_differ",
            "bool",
            "",
            "Windows differ",
            "true where the runs of a pair measure different jobs; missing where a window is not known",
        ),
        _c("seeds", "str", "", "Seeds", "seeds of the pairs"),
        _c("of_runs", "str", "", "Runs of", "names of the paired runs of `of`"),
        _c("against_runs", "str", "", "Runs against", "names of the paired runs of `against`"),
        _c("note", "str", "", "Note", "what limits the comparison"),
    )


_PAPER_T = "from the Student-t interval of our mean; empty for n = 1"
PAPER_ERROR = (
    _c("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
    _RATE,
    _c("n_seeds", "int", "seeds", "n", "distinct seeds behind our mean"),
    _c("mean_jct_h", "float", "h", "Ours (h)", "mean JCT of our curve, mean over seeds"),
    _c("paper_mean_jct_h", "float", "h", "Paper (h)", "mean JCT in the paper at this rate"),
    _c("is_interpolated", "bool", "", "Interpolated", "true where the rate lies between two points of the paper"),
    _c("error_h", "float", "h", "Error (h)", "ours - paper; positive: ours is higher"),
    _c("error_low_h", "float", "h", "Low", f"lower end, {_PAPER_T}"),
    _c("error_high_h", "float", "h", "High", f"upper end, {_PAPER_T}"),
    _c("relative_error", "float", "fraction", "Error", "(ours - paper) / paper; positive: ours is higher"),
    _c("relative_error_low", "float", "fraction", "Low", f"lower end, {_PAPER_T}"),
    _c("relative_error_high", "float", "fraction", "High", f"upper end, {_PAPER_T}"),
    _c("confidence", "float", "fraction", "Confidence", "level of the intervals"),
    _c("is_lower_bound", "bool", "", "Lower bound", "true where ours is a lower bound: the error is at least this"),
    _c("window", "str", "job ids", "Window", "measured job ids of our runs"),
    _c("runs", "str", "", "Run names", "names of our runs behind the mean"),
)
PAPER_FIT = (
    _c("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
    _c("n_rates", "int", "", "Rates", "our rates within the paper's range"),
    _c("n_lower_bounds", "int", "", "Lower bounds", "of them, rates at which ours is a lower bound"),
    _c(
        "mean_absolute_relative_error",
        "float",
        "fraction",
        "Mean absolute error",
        "mean over the rates of |ours - paper| / paper (MAPE); lower bounds count as they are",
    ),
)


def _pair_point(side: str) -> tuple[Column, ...]:
    name = f"{side.capitalize()}-GPU"
    ends = "of its interval, or of its bracket where that is wider"
    return (
        _c(f"{side}_curve", "str", "", f"{name} curve", f"the policy's {side}-GPU curve"),
        _c(f"{side}_jph", "float", "jobs/h", f"{name} (jph)", f"saturation point of the {side}-GPU curve"),
        _c(
            f"{side}_low_jph",
            "float",
            "jobs/h",
            "Low (jph)",
            f"lower end {ends}; where not reached, it lies above this",
        ),
        _c(f"{side}_high_jph", "float", "jobs/h", "High (jph)", f"upper end {ends}"),
    )


def _pair_run(side: str) -> tuple[Column, ...]:
    def c(name: str, dtype: str, unit: str, label: str, meaning: str) -> Column:
        return _c(f"{side}_{name}", dtype, unit, f"{label}, {side}", meaning)

    waiting = "mean over the rounds looked at in which jobs wait"
    return (
        c("run", "str", "", "Run", f"the run nearest to the {side}-GPU saturation point, looked at after warm-up"),
        c("run_rate_jph", "float", "jobs/h", "Run's rate (jph)", "arrival rate of that run"),
        c("throughput_jph", "float", "jobs/h", "Throughput (jph)", "completions per hour after warm-up"),
        c("occupancy", "float", "fraction", "Occupancy", "GPU-hours in use / GPU-hours there were, after warm-up"),
        c("gpu_hours_per_job", "float", "GPU h", "GPU-hours per job", "GPU-hours in use per completed job"),
        c("mean_scale_factor", "float", "GPUs", "Mean scale factor", "of the jobs that completed after warm-up"),
        c("rounds_looked_at", "int", "rounds", "Rounds looked at", "evenly spaced rounds after warm-up"),
        c("free_gpus", "float", "GPUs", "Free GPUs", f"free GPUs while jobs wait: {waiting}"),
        c(
            "free_while_waiting",
            "float",
            "fraction",
            "Free while jobs wait",
            "share of the rounds looked at with a free GPU and a waiting job",
        ),
        c("queued", "float", "jobs", "Queued", f"waiting jobs: {waiting}"),
        c("queued_no_gpus", "float", "jobs", "No GPUs", f"of them, no GPU type has enough free GPUs: {waiting}"),
        c(
            "queued_scattered",
            "float",
            "jobs",
            "Scattered",
            f"of them, a type has enough free GPUs but no node holds them: {waiting}; empty where nodes are unknown",
        ),
        c("queued_could_start", "float", "jobs", "Could start", f"of them, free GPUs could hold them: {waiting}"),
    )


PAIRS = (
    next(column for column in _CURVE_KEY if column.name == "policy"),
    *_MORE_KEY,
    _c("method", "str", "", "Method", "stability, plateau_factor or capacity_fit"),
    *_pair_point("single"),
    *_pair_point("multi"),
    _c("ratio", "float", "", "Ratio", "single-GPU over multi-GPU saturation point; empty: see the status"),
    _c("ratio_low", "float", "", "Low", "lower end of the ratio's interval; alone, the ratio is more than this"),
    _c("ratio_high", "float", "", "High", "upper end of the ratio's interval; alone, the ratio is less than this"),
    _c("ratio_from", "str", "", "Ends from", "intervals of the points, or brackets (quotients of their outer ends)"),
    _c("status", "str", "", "Status", "estimated, more than, less than, or none (see the note)"),
    _c("note", "str", "", "Note", "what limits the ratio"),
    *_pair_run("single"),
    *_pair_run("multi"),
    _c("throughput_ratio", "float", "", "Throughput ratio", "single-GPU over multi-GPU throughput of the two runs"),
    _c("gpu_hours_factor", "float", "", "Factor of GPU-hours", "GPU-hours per job, multi over single"),
    _c("occupancy_factor", "float", "", "Factor of occupancy", "occupancy, single over multi"),
)
