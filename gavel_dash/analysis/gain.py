"""How much better is one curve than another, seed by seed at each arrival rate? How far is it from the paper's?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.curves import CURVE_KEY, mean_interval
from gavel_dash.analysis.measures import lower_bounds
from gavel_dash.analysis.stability import CONFIDENCE

#: Ends the name of a heterogeneity-aware policy, the twin of the policy without it.
AWARE = "_perf"


@dataclass(frozen=True)
class _Sample:
    """Value of one seed: the mean of its runs."""

    value: float
    is_lower_bound: bool
    windows: frozenset[str]
    runs: tuple[str, ...]


def twin_pairs(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """Names of the curves of every policy `X_perf`, each with that of its twin `X`.

    Twins agree in figure, setting, cluster, placement and trace.

    Parameters
    ----------
    curves : DataFrame with the columns `curve` and `CURVE_KEY`
    """
    keys = curves.drop_duplicates("curve").set_index("curve")[CURVE_KEY].astype("object")
    keys = keys.where(keys.notna(), "")
    name_of = {tuple(key): str(name) for name, *key in keys.itertuples(name=None)}
    aware = keys["policy"].str.endswith(AWARE)
    twins = keys.assign(policy=keys["policy"].str.removesuffix(AWARE))[aware]
    found = [(str(name), name_of.get(tuple(key))) for name, *key in twins.itertuples(name=None)]
    return [(name, twin) for name, twin in found if twin is not None]


def default_pairs(curves: pd.DataFrame) -> list[tuple[str, str]]:
    """What to compare unasked, as (of, against): all twins; where there are none, the first two curves, if any."""
    first = [str(name) for name in curves["curve"].unique()[:2]]
    return twin_pairs(curves) or ([(first[0], first[1])] if len(first) == 2 else [])


def summarize_gain(
    runs: pd.DataFrame, of: str, against: str, measure: schema.Column, confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Seed-paired difference of two curves at each arrival rate both have.

    A pair is one seed that has a value in both curves; runs of the same seed are averaged first. For measures of
    which less is better (completion times, queue, unfinished jobs) the gain is `against` minus `of`: positive means
    that `of` is lower. For the others (throughput, occupancy, utilization) it is a difference, `of` minus `against`:
    positive means that `of` is higher. The share is the mean of each pair's own share of its `against`, not the
    quotient of the two means, so that its t interval is that of a mean like the other. Runs without a seed make a
    pair only where each curve has exactly one run at the rate.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS` and `curve`, see `curves.select_points`
    of, against : str
        Names of curves.
    measure : Column
        One of `measures.MEASURES`.
    confidence : float in (0, 1)
        Level of the Student-t intervals over the pairs, n - 1 degrees of freedom.

    Returns
    -------
    DataFrame with the columns `schema.gain_columns(measure)`, by rate. A rate without a pair has a row without values.
    """
    columns = ["curve", "arrival_rate_jph", "seed", "run", "window", measure.name]
    points = runs[columns].assign(is_lower_bound=lower_bounds(runs, measure)).sort_values(["seed", "run"])
    sides = [dict(list(points[points["curve"] == curve].groupby("arrival_rate_jph"))) for curve in (of, against)]
    rows = [
        {"of": of, "against": against, "arrival_rate_jph": rate, "confidence": confidence}
        | _compare(sides[0][rate], sides[1][rate], measure, confidence)
        for rate in sorted(sides[0].keys() & sides[1].keys())
    ]
    return schema.build_frame(rows, schema.gain_columns(measure))


def _compare(of: pd.DataFrame, against: pd.DataFrame, measure: schema.Column, confidence: float) -> dict[str, Any]:
    """One row: the runs of both curves at one rate."""
    # Of one run on each side it is clear which belong together, although a seed is not known.
    alone = len(of) == len(against) == 1 and bool(of["seed"].isna().any() or against["seed"].isna().any())
    if alone:
        of, against = of.assign(seed=0), against.assign(seed=0)
    first, second = _by_seed(of, measure), _by_seed(against, measure)
    seeds = [seed for seed in first if seed in second]
    pairs = [(first[seed], second[seed]) for seed in seeds]
    a, b = (np.array([pair[side].value for pair in pairs], dtype=float) for side in (0, 1))
    gain = b - a if schema.is_saving(measure) else a - b
    share = gain / b if b.all() else np.empty(0)
    row: dict[str, Any] = {"n_pairs": len(pairs), "n_of": len(first), "n_against": len(second)}
    if pairs:
        row[f"of_{measure.name}"], row[f"against_{measure.name}"] = float(a.mean()), float(b.mean())
    for name, values in zip(schema.gain_names(measure), (gain, share), strict=True):
        low, high = schema.interval_names(name)
        row[name] = float(values.mean()) if len(values) else np.nan
        row[low], row[high] = mean_interval(values, confidence)
    return row | {
        "of_is_lower_bound": any(pair[0].is_lower_bound for pair in pairs),
        "against_is_lower_bound": any(pair[1].is_lower_bound for pair in pairs),
        "of_window": _windows([pair[0] for pair in pairs]),
        "against_window": _windows([pair[1] for pair in pairs]),
        "windows_differ": _windows_differ(pairs),
        "seeds": None if alone else " ".join(str(seed) for seed in seeds) or None,
        "of_runs": " ".join(run for pair in pairs for run in pair[0].runs) or None,
        "against_runs": " ".join(run for pair in pairs for run in pair[1].runs) or None,
        "note": _note(of, against, first, second, alone),
    }


def _by_seed(runs: pd.DataFrame, measure: schema.Column) -> dict[int, _Sample]:
    """Sample of each seed with a value, by seed; runs without a seed are left out."""
    rows: dict[int, list[Any]] = {}
    for row in runs[runs["seed"].notna() & runs[measure.name].notna()].itertuples():
        rows.setdefault(int(row.seed), []).append(row)
    return {
        seed: _Sample(
            value=float(np.mean([getattr(row, measure.name) for row in own])),
            is_lower_bound=any(row.is_lower_bound for row in own),
            windows=frozenset(row.window for row in own if not pd.isna(row.window)),
            runs=tuple(row.run for row in own),
        )
        for seed, own in rows.items()
    }


def _windows(samples: list[_Sample]) -> str | None:
    windows = {window for sample in samples for window in sample.windows}
    return " ".join(sorted(windows, key=lambda window: int(window.split(":")[0]))) or None


def _windows_differ(pairs: list[tuple[_Sample, _Sample]]) -> bool | None:
    if any(first.windows and second.windows and first.windows != second.windows for first, second in pairs):
        return True
    known = bool(pairs) and all(first.windows and second.windows for first, second in pairs)
    return False if known else None


def _note(
    of: pd.DataFrame, against: pd.DataFrame, first: dict[int, _Sample], second: dict[int, _Sample], alone: bool
) -> str | None:
    """What limits the comparison, in words."""
    notes = []
    if alone and first and second:
        notes.append("paired without a seed: one run on each side")
    elif not first.keys() & second.keys():
        notes.append("no seed has a value on both sides")
    if not alone:
        unpaired = sorted(first.keys() ^ second.keys())
        if unpaired:
            numbers = " ".join(str(seed) for seed in unpaired)
            notes.append(f"without a partner: seed{'s' if len(unpaired) > 1 else ''} {numbers}")
        n_nameless = int(of["seed"].isna().sum() + against["seed"].isna().sum())
        if n_nameless:
            notes.append(f"left out: {n_nameless} run{'s' if n_nameless > 1 else ''} without a seed")
    return "; ".join(notes) or None


def summarize_paper_error(curves: pd.DataFrame, paper: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Error of our mean JCT against the paper's at each of our rates within the paper's range.

    Between its points the paper's curve is interpolated linearly; beyond them it is never extrapolated, so rates
    outside its range have no row, nor have points without a mean.

    Parameters
    ----------
    curves : DataFrame with the columns `schema.curve_columns` of mean JCT
    paper : mapping of a curve's name to (arrival_rate_jph, mean_jct_h)
        ndarrays of float, shape (n,), finite, positive, rates ascending.

    Returns
    -------
    DataFrame with the columns `schema.PAPER_ERROR`, in the order of `curves`.
    """
    points = curves[curves["curve"].isin(paper.keys()) & curves["mean_jct_h"].notna()]
    parts = [_paper_error(own, *paper[str(name)]) for name, own in points.groupby("curve", sort=False)]
    rows = [row for part in parts for row in part.to_dict("records")]
    return schema.build_frame(rows, schema.PAPER_ERROR)


def _paper_error(points: pd.DataFrame, rate_jph: np.ndarray, jct_h: np.ndarray) -> pd.DataFrame:
    points = points[points["arrival_rate_jph"].between(rate_jph.min(initial=np.inf), rate_jph.max(initial=-np.inf))]
    rates = points["arrival_rate_jph"].to_numpy(dtype=float)
    if len(rates) == 0:
        return points
    theirs = np.interp(rates, rate_jph, jct_h)
    points = points.assign(
        paper_mean_jct_h=theirs, is_interpolated=~np.isclose(rates[:, None], rate_jph[None, :]).any(axis=1)
    )
    for end in ("", "_low", "_high"):
        error_h = points[f"mean_jct{end}_h"].to_numpy(dtype=float) - theirs
        points = points.assign(**{f"error{end}_h": error_h, f"relative_error{end}": error_h / theirs})
    return points


def summarize_paper_fit(errors: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute relative error (MAPE) of each curve over its rates.

    Parameters
    ----------
    errors : DataFrame with the columns `schema.PAPER_ERROR`

    Returns
    -------
    DataFrame with the columns `schema.PAPER_FIT`, in the order of `errors`.
    """
    rows = [
        {
            "curve": name,
            "n_rates": len(own),
            "n_lower_bounds": int(own["is_lower_bound"].sum()),
            "mean_absolute_relative_error": own["relative_error"].abs().mean(),
        }
        for name, own in errors.groupby("curve", sort=False)
    ]
    return schema.build_frame(rows, schema.PAPER_FIT)
