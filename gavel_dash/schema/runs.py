"""The table of runs."""

from __future__ import annotations

from gavel_dash.schema.columns import CURVE_KEY, MORE_KEY, N_COMPLETED, N_WINDOW, OCCUPANCY, RATE, Column, col

#: The status of a run whose log is still being written, and of one whose log waits for its conversion.
RUNNING, UNCONVERTED = "running", "unconverted"
#: What a run's `status` can be, and what it means.
STATUSES = {
    "complete": "every job of the measurement window completed",
    "censored": "some window jobs never completed: the mean JCT is a lower bound",
    "unmeasured": "no window is known, or no job of it completed: there is no JCT",
    "table": "known from a results table only: no rounds to look at",
    RUNNING: "the simulator still writes its log: what there is so far is shown",
    UNCONVERTED: "a simulator log that has not been converted yet",
    "damaged": "the run's file cannot be read; the note says why",
}
#: Statuses of runs whose rounds and jobs have not been measured.
NOT_MEASURED = ("damaged", RUNNING, UNCONVERTED)

_BATCHES = "mean difference of batch means"


def _quantile(stem: str, label: str, words: str) -> tuple[Column, Column]:
    bound = f"true where the {words} lies beyond what was seen of the unfinished jobs"
    return (
        col(f"{stem}_jct_h", "float", "h", f"{label} JCT (h)", f"{words} of JCT over window jobs, Kaplan-Meier"),
        col(f"{stem}_jct_is_lower_bound", "bool", "", f"{label} bound", bound),
    )


RUNS = (
    col("run", "str", "", "Run", "name of the run, unique in the sweep"),
    *CURVE_KEY,
    RATE,
    col("seed", "int", "", "Seed", "random seed of the run"),
    *MORE_KEY,
    col("gpus", "int", "GPUs", "GPUs", "number of GPUs"),
    col("rounds", "int", "rounds", "Rounds", "scheduling rounds recorded"),
    col("jobs", "int", "jobs", "Jobs", "jobs that arrived"),
    col("window", "str", "job ids", "Window", "measured job ids, start:end (end not included)"),
    N_WINDOW,
    N_COMPLETED,
    col("mean_jct_h", "float", "h", "Mean JCT (h)", "mean completion minus arrival of completed window jobs"),
    col("mean_jct_is_lower_bound", "bool", "", "Lower bound", "true where window jobs are missing from the mean"),
    *_quantile("median", "Median", "median"),
    *_quantile("p95", "p95", "95th percentile"),
    *_quantile("p99", "p99", "99th percentile"),
    col(
        "unfinished_share",
        "float",
        "fraction",
        "Unfinished",
        "share of the window jobs that did not complete in the run",
    ),
    col(
        "verdict",
        "str",
        "",
        "Verdict",
        "stable, unstable or undecided, from slope and throughput; empty without rounds",
    ),
    col(
        "slope_jobs_per_h",
        "float",
        "jobs/h",
        "Slope (jobs/h)",
        f"growth of jobs in the system after warm-up, {_BATCHES}",
    ),
    col("slope_low_jobs_per_h", "float", "jobs/h", "Slope low", "lower end of the slope's t interval"),
    col("slope_high_jobs_per_h", "float", "jobs/h", "Slope high", "upper end of the slope's t interval"),
    col(
        "throughput_jph", "float", "jobs/h", "Throughput (jph)", "completions per hour in the second half after warm-up"
    ),
    col("throughput_over_rate", "float", "", "X / rate", "throughput over arrival rate"),
    col("throughput_over_rate_low", "float", "", "X / rate low", "lower end of its t interval, batch means"),
    col("throughput_over_rate_high", "float", "", "X / rate high", "upper end of its t interval, batch means"),
    col("n_batches", "int", "", "Batches", "batches behind the slope; fewer than 10 leave a run undecided"),
    col(
        "warm_up_h",
        "float",
        "h",
        "Warm-up (h)",
        "simulated time of the window's first arrival; empty where it never came",
    ),
    col(
        "mser_cut_h",
        "float",
        "h",
        "MSER-5 cut (h)",
        "simulated time at which MSER-5 cuts the warm-up off jobs in the system",
    ),
    col(
        "mser_steady",
        "bool",
        "",
        "Steady state",
        "false where the MSER-5 cut falls in the second half: no steady state",
    ),
    OCCUPANCY,
    col(
        "effective_utilization",
        "float",
        "fraction",
        "Eff. utilization",
        "the scheduler's busy fraction since the start",
    ),
    col("mean_queue", "float", "jobs", "Mean queue", "mean over rounds of jobs that hold no GPU"),
    col("status", "str", "", "Status", "complete, censored, unmeasured, table, running, unconverted or damaged"),
    col("findings", "int", "", "Findings", "number of findings about the run's files"),
    col("note", "str", "", "Note", "why a run is damaged or unconverted, and what to do"),
    col(
        "curve",
        "str",
        "",
        "Curve",
        "the curve that the run is a point of, by what tells it from the others of the sweep",
    ),
)
