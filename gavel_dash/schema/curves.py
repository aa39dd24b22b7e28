"""The table of curves and that of their saturation points."""

from __future__ import annotations

from gavel_dash.schema.columns import CURVE_KEY, MORE_KEY, N_COMPLETED, N_WINDOW, RATE, Column, col, interval_names


def curve_columns(measure: Column) -> tuple[Column, ...]:
    """Columns of the table of curves when `measure`, a column of `RUNS`, is on the vertical axis."""
    low, high = interval_names(measure.name)
    of = f"of {measure.label}"
    return (
        col("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
        *CURVE_KEY,
        *MORE_KEY,
        RATE,
        col("n_seeds", "int", "seeds", "n", "distinct seeds with a value behind the point"),
        col("n_runs", "int", "runs", "Runs", "runs of the point, with or without a value"),
        col(measure.name, measure.dtype, measure.unit, measure.label, f"mean over seeds: {measure.meaning}"),
        col(low, "float", measure.unit, "Low", f"lower end of the Student-t interval {of}; empty for n = 1"),
        col(high, "float", measure.unit, "High", f"upper end of the Student-t interval {of}; empty for n = 1"),
        col("confidence", "float", "fraction", "Confidence", "level of the interval"),
        col("is_lower_bound", "bool", "", "Lower bound", "true where the value is a lower bound in at least one run"),
        col(
            "verdict",
            "str",
            "",
            "Verdict",
            "verdict of the point's runs: that of more than half of them, else undecided",
        ),
        N_COMPLETED,
        N_WINDOW,
        col("window", "str", "job ids", "Window", "measured job ids of the point's runs"),
        col("seeds", "str", "", "Seeds", "seeds behind the point"),
        col("runs", "str", "", "Run names", "names of the runs behind the point"),
    )


SATURATION = (
    col("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
    *CURVE_KEY,
    *MORE_KEY,
    col("method", "str", "", "Method", "stability, plateau_factor or capacity_fit"),
    col(
        "estimate_jph",
        "float",
        "jobs/h",
        "Saturation (jph)",
        "arrival rate at which the policy saturates; empty: see the status",
    ),
    col(
        "low_jph",
        "float",
        "jobs/h",
        "Low (jph)",
        "lower end of the interval: over seeds, or over fits without the highest rates",
    ),
    col("high_jph", "float", "jobs/h", "High (jph)", "upper end of the interval"),
    col("confidence", "float", "fraction", "Confidence", "level of the interval and of the verdicts"),
    col("status", "str", "", "Status", "estimated, not reached, or impossible (see the note)"),
    col(
        "bracket_low_jph",
        "float",
        "jobs/h",
        "Stable at (jph)",
        "stability: highest rate whose runs are stable, below the bracket's upper end",
    ),
    col(
        "bracket_high_jph",
        "float",
        "jobs/h",
        "Unstable at (jph)",
        "stability: lowest rate whose runs are unstable, above the bracket's lower end",
    ),
    col(
        "plateau_jct_h",
        "float",
        "h",
        "Plateau (h)",
        "plateau factor: median mean JCT of the rates below half of the highest",
    ),
    col("k", "float", "", "k", "plateau factor: the crossing is at k times the plateau"),
    col("n_rates", "int", "", "Rates", "arrival rates the method could use"),
    col("highest_rate_jph", "float", "jobs/h", "Highest rate (jph)", "highest arrival rate the method could use"),
    col("note", "str", "", "Note", "what limits the estimate"),
)
