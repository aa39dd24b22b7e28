"""Gains between curves, our curves against the paper's, single-GPU curves against multi-GPU ones."""

from __future__ import annotations

from gavel_dash.schema.columns import CURVE_KEY, MORE_KEY, RATE, Column, col, interval_names

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
        col("of", "str", "", "Of", "curve that is compared"),
        col("against", "str", "", "Against", "curve it is compared with"),
        RATE,
        col("n_pairs", "int", "seeds", "n", "seeds with a value in both curves: the pairs"),
        col("n_of", "int", "seeds", "n of", "seeds of `of` with a value, paired or not"),
        col("n_against", "int", "seeds", "n against", "seeds of `against` with a value, paired or not"),
        col(f"of_{measure.name}", "float", measure.unit, "Of", f"{measure.label}: mean over the pairs, curve `of`"),
        col(
            f"against_{measure.name}",
            "float",
            measure.unit,
            "Against",
            f"{measure.label}: mean over the pairs, curve `against`",
        ),
        col(gain, "float", measure.unit, label, f"{measure.label}: mean over the pairs of {signed}"),
        col(low, "float", measure.unit, "Low", f"lower end {interval}"),
        col(high, "float", measure.unit, "High", f"upper end {interval}"),
        col(
            relative,
            "float",
            "fraction",
            f"{label} (share)",
            "mean over the pairs of each pair's gain or difference / its `against`; empty where an `against` is 0",
        ),
        col(relative_low, "float", "fraction", "Low", f"lower end {interval}"),
        col(relative_high, "float", "fraction", "High", f"upper end {interval}"),
        col("confidence", "float", "fraction", "Confidence", "level of the intervals"),
        col("of_is_lower_bound", "bool", "", "Of bound", "true where `of` is a lower bound: the gain is at most this"),
        col(
            "against_is_lower_bound",
            "bool",
            "",
            "Against bound",
            "true where `against` is a lower bound: the gain is at least this; with both it may be either way",
        ),
        col("of_window", "str", "job ids", "Window of", "measured job ids of the paired runs of `of`"),
        col("against_window", "str", "job ids", "Window against", "measured job ids of the paired runs of `against`"),
        col(
            "windows_differ",
            "bool",
            "",
            "Windows differ",
            "true where the runs of a pair measure different jobs; missing where a window is not known",
        ),
        col("seeds", "str", "", "Seeds", "seeds of the pairs"),
        col("of_runs", "str", "", "Runs of", "names of the paired runs of `of`"),
        col("against_runs", "str", "", "Runs against", "names of the paired runs of `against`"),
        col("note", "str", "", "Note", "what limits the comparison"),
    )


_PAPER_T = "from the Student-t interval of our mean; empty for n = 1"
PAPER_ERROR = (
    col("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
    RATE,
    col("n_seeds", "int", "seeds", "n", "distinct seeds behind our mean"),
    col("mean_jct_h", "float", "h", "Ours (h)", "mean JCT of our curve, mean over seeds"),
    col("paper_mean_jct_h", "float", "h", "Paper (h)", "mean JCT in the paper at this rate"),
    col("is_interpolated", "bool", "", "Interpolated", "true where the rate lies between two points of the paper"),
    col("error_h", "float", "h", "Error (h)", "ours - paper; positive: ours is higher"),
    col("error_low_h", "float", "h", "Low", f"lower end, {_PAPER_T}"),
    col("error_high_h", "float", "h", "High", f"upper end, {_PAPER_T}"),
    col("relative_error", "float", "fraction", "Error", "(ours - paper) / paper; positive: ours is higher"),
    col("relative_error_low", "float", "fraction", "Low", f"lower end, {_PAPER_T}"),
    col("relative_error_high", "float", "fraction", "High", f"upper end, {_PAPER_T}"),
    col("confidence", "float", "fraction", "Confidence", "level of the intervals"),
    col("is_lower_bound", "bool", "", "Lower bound", "true where ours is a lower bound: the error is at least this"),
    col("window", "str", "job ids", "Window", "measured job ids of our runs"),
    col("runs", "str", "", "Run names", "names of our runs behind the mean"),
)
PAPER_FIT = (
    col("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
    col("n_rates", "int", "", "Rates", "our rates within the paper's range"),
    col("n_lower_bounds", "int", "", "Lower bounds", "of them, rates at which ours is a lower bound"),
    col(
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
        col(f"{side}_curve", "str", "", f"{name} curve", f"the policy's {side}-GPU curve"),
        col(f"{side}_jph", "float", "jobs/h", f"{name} (jph)", f"saturation point of the {side}-GPU curve"),
        col(
            f"{side}_low_jph",
            "float",
            "jobs/h",
            "Low (jph)",
            f"lower end {ends}; where not reached, it lies above this",
        ),
        col(f"{side}_high_jph", "float", "jobs/h", "High (jph)", f"upper end {ends}"),
    )


def _pair_run(side: str) -> tuple[Column, ...]:
    def c(name: str, dtype: str, unit: str, label: str, meaning: str) -> Column:
        return col(f"{side}_{name}", dtype, unit, f"{label}, {side}", meaning)

    waiting = "mean over the rounds looked at in which jobs wait"
    return (
        c("run", "str", "", "Run", f"the run nearest to the {side}-GPU saturation point, looked at after warm-up"),
        c("run_rate_jph", "float", "jobs/h", "Run's rate (jph)", "arrival rate of that run"),
        c("throughput_jph", "float", "jobs/h", "Throughput (jph)", "completions per hour after warm-up"),
        c("occupancy", "float", "fraction", "Occupancy", "GPU-hours in use / GPU-hours there were, after warm-up"),
        c("gpu_hours_per_job", "float", "GPU h", "GPU-hours per job", "GPU-hours in use per completed job"),
        c("mean_scale_factor", "float", "GPUs", "Mean scale factor", "of the jobs that completed after warm-up"),
        c("rounds_waiting", "int", "rounds", "Rounds with a queue", "rounds after warm-up in which a job waits"),
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
    next(column for column in CURVE_KEY if column.name == "policy"),
    *MORE_KEY,
    col("method", "str", "", "Method", "stability, plateau_factor or capacity_fit"),
    *_pair_point("single"),
    *_pair_point("multi"),
    col("ratio", "float", "", "Ratio", "single-GPU over multi-GPU saturation point; empty: see the status"),
    col("ratio_low", "float", "", "Low", "lower end of the ratio's interval; alone, the ratio is more than this"),
    col("ratio_high", "float", "", "High", "upper end of the ratio's interval; alone, the ratio is less than this"),
    col("ratio_from", "str", "", "Ends from", "intervals of the points, or brackets (quotients of their outer ends)"),
    col("status", "str", "", "Status", "estimated, more than, less than, or none (see the note)"),
    col("note", "str", "", "Note", "what limits the ratio"),
    *_pair_run("single"),
    *_pair_run("multi"),
    col("throughput_ratio", "float", "", "Throughput ratio", "single-GPU over multi-GPU throughput of the two runs"),
    col("gpu_hours_factor", "float", "", "Factor of GPU-hours", "GPU-hours per job, multi over single"),
    col("occupancy_factor", "float", "", "Factor of occupancy", "occupancy, single over multi"),
)
