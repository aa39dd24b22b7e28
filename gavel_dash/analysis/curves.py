"""Runs to curves: one curve per figure, policy, setting, cluster, placement and trace; one point per arrival rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from gavel_dash import schema
from gavel_dash.analysis.measures import DEFAULT_MEASURE, MEASURES, lower_bounds
from gavel_dash.analysis.stability import CONFIDENCE, pool_verdicts
from gavel_dash.model import natural_order

CURVE_KEY = ["figure", "policy", "setting", "cluster", "placement", "trace"]
#: Always part of a curve's name; the rest of the key only where the sweep has several.
NAMED = ["figure", "policy", "setting"]


def mean_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student-t interval of a mean, sample deviation (ddof 1); NaN where n < 2.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean, error = float(values.mean()), float(scipy.stats.sem(values))
    if error == 0:
        return mean, mean
    low, high = scipy.stats.t.interval(confidence, n - 1, mean, error)
    return float(low), float(high)


def curve_clusters(runs: pd.DataFrame) -> pd.Series:
    """Cluster of each run; one that nobody knows is the only known cluster of its otherwise equal runs."""
    others = [name for name in CURVE_KEY if name != "cluster"]
    clusters = runs.groupby(others, dropna=False)["cluster"]
    only_known = clusters.transform("first").where(clusters.transform("nunique") == 1)
    return runs["cluster"].fillna(only_known)


def curve_names(runs: pd.DataFrame) -> pd.Series:
    """Name of each run's curve: what is known of figure, policy and setting; the rest where it tells curves apart."""
    if runs.empty:
        return pd.Series([], index=runs.index, dtype="str")
    parts = runs[CURVE_KEY].astype("object").assign(cluster=curve_clusters(runs))
    parts = parts.where(parts.notna(), "")
    named = parts[NAMED].apply(tuple, axis=1)
    # A missing value is a value beside others of the same name: two different curves never share one.
    several = [
        name
        for name in CURVE_KEY
        if name not in NAMED
        and (parts[name].groupby(named).nunique().max() > 1 or parts[name][parts[name] != ""].nunique() > 1)
    ]
    return parts[[*NAMED, *several]].apply(lambda row: " ".join(filter(None, row)) or "unnamed", axis=1)


def select_points(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that are points of a curve, with their curve's name in a `curve` column.

    A run needs an arrival rate, and one that has not been measured a mean JCT from elsewhere (a results table).
    """
    unreadable = runs["status"].isin(schema.NOT_MEASURED) & runs["mean_jct_h"].isna()
    runs = runs[runs["arrival_rate_jph"].notna() & ~unreadable]
    # A sweep names its curves once, so that a filter does not change what a curve is called.
    return runs.assign(cluster=curve_clusters(runs), curve=runs["curve"].fillna(curve_names(runs)))


def per_seed(runs: pd.DataFrame, column: str = "mean_jct_h") -> np.ndarray:
    """Value of each seed of a point, by seed: repeated runs of one seed are one sample, not several.

    Runs without a seed count one each; runs without a value are left out.
    """
    measured = runs[runs[column].notna()]
    seeds = measured["seed"].astype("object").where(measured["seed"].notna(), measured["run"])
    return measured[column].groupby(seeds, sort=False).mean().to_numpy(dtype=float)


def in_curve_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with curves in natural order (fig9 before fig10), otherwise in the order they had."""
    return frame.sort_values("curve", key=lambda names: names.map(natural_order), kind="stable", ignore_index=True)


def summarize_curves(
    runs: pd.DataFrame, measure: schema.Column = MEASURES[DEFAULT_MEASURE], confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """A measure per curve and arrival rate: mean over seeds with a t interval.

    Every run of a point counts: overloaded seeds are never dropped. A run without a value (no window job
    completed, no rounds) is in `n_runs` but not in `n_seeds`.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS`
    measure : Column
        One of `measures.MEASURES`.
    confidence : float in (0, 1)
        Level of the intervals.

    Returns
    -------
    DataFrame with the columns `schema.curve_columns(measure)`, ordered by curve and rate. Runs without a rate are
    left out.
    """
    points = select_points(runs)
    points = points.assign(is_lower_bound=lower_bounds(points, measure))
    groups = points.groupby(["curve", *CURVE_KEY, "arrival_rate_jph"], dropna=False, sort=True)
    rows = [_point(key, group, measure, confidence) for key, group in groups]
    return in_curve_order(schema.build_frame(rows, schema.curve_columns(measure)))


def _point(key: tuple[object, ...], runs: pd.DataFrame, measure: schema.Column, confidence: float) -> dict[str, object]:
    runs = runs.sort_values(["seed", "run"])
    values = per_seed(runs, measure.name)
    low, high = mean_interval(values, confidence)
    low_name, high_name = schema.interval_names(measure.name)
    windows = sorted(set(runs["window"].dropna()), key=lambda window: int(window.split(":")[0]))
    return {
        **dict(zip(["curve", *CURVE_KEY, "arrival_rate_jph"], key, strict=True)),
        "n_seeds": len(values),
        "n_runs": len(runs),
        measure.name: float(values.mean()) if len(values) else np.nan,
        low_name: low,
        high_name: high,
        "confidence": confidence,
        "is_lower_bound": bool(runs["is_lower_bound"].any()),
        "verdict": pool_verdicts(runs["verdict"].astype("object")),
        "n_completed": runs["n_completed"].sum(min_count=1),
        "n_window": runs["n_window"].sum(min_count=1),
        "window": " ".join(windows) or None,
        "seeds": " ".join(str(int(seed)) for seed in runs["seed"].dropna().unique()),
        "runs": " ".join(runs["run"]),
    }
