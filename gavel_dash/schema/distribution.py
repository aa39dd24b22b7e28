"""The distribution of what is measured of jobs: its curve, its mean and its quantiles."""

from __future__ import annotations

from gavel_dash.schema.columns import Column, col

_KEY = (
    col("measure", "str", "", "Measure", "what is measured of each job"),
    col("split", "str", "", "Split by", "what the jobs are split by"),
    col("group", "str", "", "Jobs", "the group of jobs"),
)
#: In percent, with the stem of their columns.
QUANTILES: dict[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

DISTRIBUTION = (
    *_KEY,
    col("value", "float", "", "Value", "in the unit of the measure: hours, GPU-hours, or none for a ratio or a count"),
    col(
        "share", "float", "fraction", "Share", "of the group's jobs at or below the value; Kaplan-Meier where censored"
    ),
)


def quantile_columns() -> tuple[Column, ...]:
    """Columns of the table of quantiles, a row per group."""
    columns = [
        *_KEY,
        col("n", "int", "jobs", "n", "jobs of the group with a value or censored"),
        col("n_observed", "int", "jobs", "Observed", "of them, those whose value is known"),
        col("n_censored", "int", "jobs", "Censored", "of them, those whose value is only known to be above a time"),
        col("n_left_out", "int", "jobs", "Left out", "jobs of the group whose value nothing is known of"),
        col("unit", "str", "", "Unit", "unit of the mean and the quantiles"),
        col("mean", "float", "", "mean", "mean over the n jobs; censored ones count with the time they had come to"),
        col("mean_is_lower_bound", "bool", "", "mean is bound", "true where mean is a lower bound: jobs are censored"),
    ]
    for stem, share in QUANTILES.items():
        columns += [
            col(stem, "float", "", stem, f"least value by which {share:.0%} of the jobs are reached"),
            col(f"{stem}_is_lower_bound", "bool", "", f"{stem} is bound", f"true where {stem} is a lower bound"),
        ]
    return tuple(columns)
