"""What a curve can show against the arrival rate."""

from __future__ import annotations

import pandas as pd

from gavel_dash import schema
from gavel_dash.errors import UsageError

#: Columns of `schema.RUNS` by name, in the order of the menu.
MEASURES: dict[str, schema.Column] = {
    name: next(column for column in schema.RUNS if column.name == name)
    for name in (
        "mean_jct_h",
        "median_jct_h",
        "p95_jct_h",
        "p99_jct_h",
        "throughput_jph",
        "mean_occupancy",
        "effective_utilization",
        "mean_queue",
        "unfinished_share",
    )
}
DEFAULT_MEASURE = "mean_jct_h"


def measure_of(name: str) -> schema.Column:
    """The measure of that name; raises `UsageError` with the names there are."""
    if name not in MEASURES:
        raise UsageError(f"no measure is named {name!r}; there are {', '.join(MEASURES)}")
    return MEASURES[name]


def lower_bounds(runs: pd.DataFrame, measure: schema.Column) -> pd.Series:
    """Whether each run's value is a lower bound: boolean, never missing. Only completion times can be.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS`
    """
    column = f"{measure.name.removesuffix('_h')}_is_lower_bound"
    if column not in runs:
        return pd.Series(False, index=runs.index)
    return runs[column].fillna(False).astype(bool) & runs[measure.name].notna()
