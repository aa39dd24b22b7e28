"""At which arrival rate a curve saturates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.curves import CURVE_KEY, in_curve_order, per_seed_jct_h, select_points

PLATEAU_FACTOR = "plateau_factor"
DEFAULT_K = 2.0
BOOTSTRAP_RESAMPLES = 1000


@dataclass(frozen=True)
class Crossing:
    """Where mean JCT crosses k times its low-load plateau; `rate_jph` is None where it does not."""

    rate_jph: float | None
    plateau_jct_h: float | None


def plateau_factor(rates_jph: np.ndarray, mean_jct_h: np.ndarray, k: float = DEFAULT_K) -> Crossing:
    """Rate, linearly interpolated, at which mean JCT first crosses `k` times its plateau.

    The plateau is the median mean JCT of the rates below half of the highest (the lowest rate where none is).

    Parameters
    ----------
    rates_jph : ndarray of float, shape (n,), ascending
    mean_jct_h : ndarray of float, shape (n,), finite
    k : float, above 1
    """
    if len(rates_jph) == 0:
        return Crossing(None, None)
    low_load = mean_jct_h[rates_jph < rates_jph[-1] / 2]
    plateau = float(np.median(low_load)) if len(low_load) else float(mean_jct_h[0])
    threshold = k * plateau
    above = np.flatnonzero(mean_jct_h >= threshold)
    if len(above) == 0 or above[0] == 0:
        return Crossing(None, plateau)
    i = int(above[0])
    share = (threshold - mean_jct_h[i - 1]) / (mean_jct_h[i] - mean_jct_h[i - 1])
    return Crossing(float(rates_jph[i - 1] + share * (rates_jph[i] - rates_jph[i - 1])), plateau)


def summarize_saturation(runs: pd.DataFrame, k: float = DEFAULT_K) -> pd.DataFrame:
    """Saturation point of every curve by the plateau factor, with a bootstrap interval over seeds.

    Parameters
    ----------
    runs : DataFrame with the columns of `schema.RUNS`
        Never looks at a `saturated` flag: that only says that the simulator left early.
    k : float
        The crossing is at `k` times the plateau.

    Returns
    -------
    DataFrame with the columns of `schema.SATURATION`, one row per curve.
    """
    curves = select_points(runs).groupby(["curve", *CURVE_KEY], dropna=False, sort=True)
    rows = [{**dict(zip(["curve", *CURVE_KEY], key, strict=True)), **_estimate(group, k)} for key, group in curves]
    return in_curve_order(schema.build_frame(rows, schema.SATURATION))


def _estimate(runs: pd.DataFrame, k: float) -> dict[str, object]:
    measured = runs[runs["mean_jct_h"].notna()]
    by_rate = [(float(rate), per_seed_jct_h(group)) for rate, group in measured.groupby("arrival_rate_jph", sort=True)]
    rates = np.array([rate for rate, _ in by_rate])
    crossing = plateau_factor(rates, np.array([jct.mean() for _, jct in by_rate]), k)
    low, high = _bootstrap_interval(by_rate, k) if crossing.rate_jph is not None else (np.nan, np.nan)
    return {
        "method": PLATEAU_FACTOR,
        "estimate_jph": np.nan if crossing.rate_jph is None else crossing.rate_jph,
        "low_jph": low,
        "high_jph": high,
        "plateau_jct_h": np.nan if crossing.plateau_jct_h is None else crossing.plateau_jct_h,
        "k": k,
        "n_rates": len(rates),
        "highest_rate_jph": rates[-1] if len(rates) else np.nan,
        "note": _note(runs, by_rate, crossing, k),
    }


def _bootstrap_interval(by_rate: list[tuple[float, np.ndarray]], k: float) -> tuple[float, float]:
    """95% percentile interval of the crossing over resampled seeds; NaN where any bracketing rate has one seed.

    Seeds can be resampled only where there are several: with one seed at the crossing the resamples would all
    agree and promise a certainty that is not there.
    """
    rates = np.array([rate for rate, _ in by_rate])
    means = np.array([jct.mean() for _, jct in by_rate])
    estimate = plateau_factor(rates, means, k).rate_jph
    assert estimate is not None
    upper = int(np.searchsorted(rates, estimate, side="left"))
    if min(len(by_rate[upper][1]), len(by_rate[max(upper - 1, 0)][1])) < 2:
        return np.nan, np.nan
    rng = np.random.default_rng(0)  # a fixed seed: the same sweep gives the same interval
    resampled = np.column_stack(
        [rng.choice(jct, size=(BOOTSTRAP_RESAMPLES, len(jct))).mean(axis=1) for _, jct in by_rate]
    )
    crossings = [plateau_factor(rates, row, k).rate_jph for row in resampled]
    # A resample that never crosses saturates beyond the swept range, so it counts as the highest rate.
    values = [rates[-1] if c is None else c for c in crossings]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _note(runs: pd.DataFrame, by_rate: list[tuple[float, np.ndarray]], crossing: Crossing, k: float) -> str:
    notes = []
    if not by_rate:
        return "no run has a mean JCT"
    highest = by_rate[-1][0]
    if len(by_rate) == 1:
        notes.append(f"one rate only ({highest:g} jph): not a curve")
    elif crossing.rate_jph is None:
        first_mean = float(by_rate[0][1].mean())
        if crossing.plateau_jct_h is not None and first_mean >= k * crossing.plateau_jct_h:
            notes.append(f"no low-load plateau: the lowest rate is already above {k:g} times the median")
        else:
            notes.append(f"not reached, > {highest:g} jph")
    else:
        bracket = [jct for rate, jct in by_rate if rate >= crossing.rate_jph][:1] + [
            jct for rate, jct in by_rate if rate < crossing.rate_jph
        ][-1:]
        if min(len(jct) for jct in bracket) < 2:
            notes.append("one seed at the crossing: no interval")
    unmeasured = runs[runs["mean_jct_h"].isna()]
    beyond = unmeasured[unmeasured["arrival_rate_jph"] > highest]
    if len(beyond):
        notes.append(f"{len(beyond)} runs at higher rates have no mean JCT")
    lower_bounds = runs["mean_jct_is_lower_bound"].fillna(False) & runs["mean_jct_h"].notna()
    if lower_bounds.any():
        rates = sorted(set(runs.loc[lower_bounds, "arrival_rate_jph"]))
        where = ", ".join(f"{rate:g}" for rate in rates) + " jph"
        if len(rates) > 4:
            where = f"{len(rates)} of {len(by_rate)} rates"
        notes.append(f"lower bounds at {where} (censored)")
    windows = sorted(set(runs["window"].dropna()), key=lambda window: int(window.split(":")[0]))
    if len(windows) > 1:
        notes.append("windows differ between rates: " + ", ".join(windows))
    return "; ".join(notes)
