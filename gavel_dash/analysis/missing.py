"""What a sweep lacks: seeds without a run at the rates of their curve."""

from __future__ import annotations

import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.curves import CURVE_KEY, curve_names

#: The `status` of a run that does not exist.
MISSING = "missing"


def find_missing(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that the sweep's grid asks for and that are not there.

    A run is missing where the sweep has its seed, its curve has its rate, and no run has both.

    Parameters
    ----------
    runs : DataFrame
        All runs of the sweep, with the columns of `schema.RUNS`. Those without policy or rate ask for nothing.

    Returns
    -------
    DataFrame
        Columns of `schema.RUNS`, one row per missing run, with a curve's key, rate, seed and the status "missing".
    """
    placed = runs[runs["arrival_rate_jph"].notna() & runs["policy"].notna()]
    if placed.empty:
        return runs[:0]
    placed = placed.assign(curve=curve_names(placed))
    seeds = sorted(set(placed["seed"].dropna()))
    known = set(zip(placed["curve"], placed["arrival_rate_jph"], placed["seed"], strict=True))
    points = placed.drop_duplicates(["curve", "arrival_rate_jph"])
    rows = [
        {
            **{name: point[name] for name in CURVE_KEY},
            "arrival_rate_jph": point["arrival_rate_jph"],
            "seed": seed,
            "status": MISSING,
        }
        for point in points.to_dict("records")
        for seed in seeds
        if (point["curve"], point["arrival_rate_jph"], seed) not in known
    ]
    return schema.build_frame(rows, schema.RUNS)
