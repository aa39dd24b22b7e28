"""Runs to curves: one curve per figure, policy, setting and cluster; one point per arrival rate, over its seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from gavel_dash import schema
from gavel_dash.model import natural_order

CURVE_KEY = ["figure", "policy", "setting", "cluster"]
CONFIDENCE = 0.95


def mean_interval(values: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student-t interval of a mean, sample deviation (ddof 1); NaN where n < 2.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    mean = float(values.mean())
    return mean - half, mean + half


def curve_clusters(runs: pd.DataFrame) -> pd.Series:
    """Cluster of each run; one that nobody knows is the only known cluster of its figure, policy and setting."""
    clusters = runs.groupby(CURVE_KEY[:-1], dropna=False)["cluster"]
    only_known = clusters.transform("first").where(clusters.transform("nunique") == 1)
    return runs["cluster"].fillna(only_known)


def curve_names(runs: pd.DataFrame) -> pd.Series:
    """Name of each run's curve: the parts of its key that are known; the cluster only where several differ."""
    if runs.empty:
        return pd.Series([], index=runs.index, dtype="str")
    parts = runs[["figure", "policy", "setting"]].astype("object")
    clusters = curve_clusters(runs)
    if clusters.nunique(dropna=True) > 1:
        parts["cluster"] = clusters
    return parts.apply(lambda row: " ".join(str(value) for value in row if not pd.isna(value)) or "unnamed", axis=1)


def select_points(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that are points of a curve, with their curve's name in a `curve` column.

    A run needs an arrival rate, and a damaged or unconverted one a mean JCT from elsewhere (a results table).
    """
    unreadable = runs["status"].isin(["damaged", "unconverted"]) & runs["mean_jct_h"].isna()
    runs = runs[runs["arrival_rate_jph"].notna() & ~unreadable]
    return runs.assign(cluster=curve_clusters(runs), curve=curve_names(runs))


def per_seed_jct_h(runs: pd.DataFrame) -> np.ndarray:
    """Mean JCT of each seed of a point, hours, by seed: repeated runs of one seed are one sample, not several.

    Runs without a seed count one each; runs without a mean JCT are left out.
    """
    measured = runs[runs["mean_jct_h"].notna()]
    seeds = measured["seed"].astype("object").where(measured["seed"].notna(), measured["run"])
    return measured["mean_jct_h"].groupby(seeds, sort=False).mean().to_numpy(dtype=float)


def in_curve_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with curves in natural order (fig9 before fig10), otherwise in the order they had."""
    return frame.sort_values("curve", key=lambda names: names.map(natural_order), kind="stable", ignore_index=True)


def summarize_curves(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean JCT per curve and arrival rate over its seeds, with a t interval.

    Every run of a point counts: overloaded seeds are never dropped. A run without any completed window job has
    no mean; it is in `n_runs` but not in `n_seeds`, and makes the point censored.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS`

    Returns
    -------
    DataFrame with the columns of `schema.CURVES`, ordered by curve and rate. Runs without a rate are left out.
    """
    points = select_points(runs).groupby(["curve", *CURVE_KEY, "arrival_rate_jph"], dropna=False, sort=True)
    rows = [_point(key, group) for key, group in points]
    return in_curve_order(schema.build_frame(rows, schema.CURVES))


def _point(key: tuple[object, ...], runs: pd.DataFrame) -> dict[str, object]:
    runs = runs.sort_values(["seed", "run"])
    jct_h = per_seed_jct_h(runs)
    low, high = mean_interval(jct_h)
    occupancy = runs["mean_occupancy"].to_numpy(dtype=float, na_value=np.nan)
    windows = sorted(set(runs["window"].dropna()), key=lambda window: int(window.split(":")[0]))
    return {
        **dict(zip(["curve", *CURVE_KEY, "arrival_rate_jph"], key, strict=True)),
        "n_seeds": len(jct_h),
        "n_runs": len(runs),
        "mean_jct_h": float(jct_h.mean()) if len(jct_h) else np.nan,
        "low_jct_h": low,
        "high_jct_h": high,
        "censored": bool(runs["mean_jct_is_lower_bound"].fillna(False).any()),
        "n_completed": runs["n_completed"].sum(min_count=1),
        "n_window": runs["n_window"].sum(min_count=1),
        "window": " ".join(windows) or None,
        "mean_occupancy": float(np.nanmean(occupancy)) if np.isfinite(occupancy).any() else np.nan,
        "seeds": " ".join(str(int(seed)) for seed in runs["seed"].dropna().unique()),
        "runs": " ".join(runs["run"]),
    }
