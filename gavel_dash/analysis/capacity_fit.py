"""Saturation by a fitted capacity: JCT = a + b / (1 - rate / capacity)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

FEWEST_RATES = 4
#: A fit whose standard error is more than this share of the capacity has not found one.
LARGEST_ERROR = 0.25
#: The interval looks at the fits without up to this share of the rates, the highest first.
LEFT_OUT = 0.25


@dataclass(frozen=True)
class CapacityFit:
    """A fitted capacity with its standard error, jobs per hour; NaN with a `reason` where there is none.

    `bends` is False where the points could be used and show no bend: the capacity lies beyond them.
    """

    capacity_jph: float
    standard_error_jph: float
    degrees_of_freedom: int
    bends: bool
    reason: str = ""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided t interval of the capacity."""
        low, high = scipy.stats.t.interval(
            confidence, self.degrees_of_freedom, self.capacity_jph, self.standard_error_jph
        )
        return float(low), float(high)


def jct_model(rate_jph: np.ndarray, a: float, b: float, capacity_jph: float) -> np.ndarray:
    """JCT at an arrival rate: `a` beside `b` over the share of the capacity that is left, as in an M/M/1 queue."""
    return a + b / (1 - rate_jph / capacity_jph)


def fit_capacity(rates_jph: np.ndarray, jct_h: np.ndarray) -> CapacityFit:
    """Least squares by `scipy.optimize.curve_fit`, weighted by how well a run knows its mean.

    The deviation of a run's mean JCT grows as 1 / (1 - load)^2, the square of the mean itself: Whitt, "Planning
    queueing simulations", Management Science 35 (1989), 1341-1366.

    Parameters
    ----------
    rates_jph, jct_h : ndarray of float, shape (n,)
        Mean JCT of seeds in steady state: neither censored nor unstable or undecided. What is not a positive number
        is left out.
    """
    usable = np.isfinite(rates_jph) & np.isfinite(jct_h) & (jct_h > 0)
    rates_jph, jct_h = rates_jph[usable], jct_h[usable]
    n_rates = len(np.unique(rates_jph))
    if n_rates < FEWEST_RATES:
        reason = f"{n_rates} rates with a whole mean JCT of a stable run; a fit needs {FEWEST_RATES}"
        return CapacityFit(np.nan, np.nan, 0, True, reason)
    highest = float(rates_jph.max())
    lowest_jct = float(jct_h.min())
    # The model has a pole at the capacity, so the fit starts beyond all points and may not come among them.
    bounds = ([0, 0, highest * (1 + 1e-6)], [np.inf, np.inf, highest * 100])
    start = [lowest_jct * 0.9, lowest_jct * 0.1, highest * 1.1]
    try:
        fitted, covariance = scipy.optimize.curve_fit(
            jct_model, rates_jph, jct_h, p0=start, sigma=jct_h**2, bounds=bounds, max_nfev=10_000
        )
    except RuntimeError:
        return CapacityFit(np.nan, np.nan, 0, True, "the fit did not converge")
    if fitted[2] < highest * (1 + 1e-4):
        reason = f"the points do not follow the model: its capacity runs into the highest rate used, {highest:g} jph"
        return CapacityFit(np.nan, np.nan, 0, True, reason)
    capacity, error = float(fitted[2]), float(np.sqrt(covariance[2, 2]))
    if not np.isfinite(error) or error > LARGEST_ERROR * capacity or capacity > 10 * highest:
        return CapacityFit(np.nan, np.nan, 0, False, f"mean JCT does not bend enough up to {highest:g} jph to fit one")
    return CapacityFit(capacity, error, len(rates_jph) - 3, True)


def capacity_interval(rates_jph: np.ndarray, jct_h: np.ndarray, confidence: float) -> tuple[float, float]:
    """Interval of the fitted capacity: what the t intervals of fits to fewer rates span.

    The standard error of one fit is about noise alone. The model is not that of the queue, and near the capacity a
    finite run sees too little of its backlog: on M/M/c queues the 95% t interval held the capacity in 0 to 9% of the
    sweeps. So the highest rates are left out one by one, up to a quarter of them (`LEFT_OUT`), and all intervals count.
    An end of infinity: one of these fits sees no bend. NaN where there are too few rates to leave one out.

    Parameters
    ----------
    rates_jph, jct_h : ndarray of float, shape (n,)
        As for `fit_capacity`.
    confidence : float
        Level of each t interval.
    """
    rates = np.unique(rates_jph)
    most = max(1, int(LEFT_OUT * len(rates)))
    if len(rates) - most < FEWEST_RATES:
        return np.nan, np.nan
    lows, highs = [], []
    for highest in rates[::-1][: most + 1]:
        kept = rates_jph <= highest
        fit = fit_capacity(rates_jph[kept], jct_h[kept])
        low, high = (float(highest), float("inf")) if fit.reason else fit.interval(confidence)
        lows.append(max(low, 0.0))
        highs.append(high)
    return min(lows), max(highs)
