"""Quantiles of JCT where some jobs never completed: Kaplan-Meier, as `scipy.stats.ecdf` estimates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy


@dataclass(frozen=True)
class Quantile:
    """A quantile in the unit of its times; a lower bound where too few jobs completed to say more."""

    value: float
    is_lower_bound: bool


def censored_quantiles(completed: np.ndarray, unfinished: np.ndarray, shares: Sequence[float]) -> list[Quantile]:
    """Least time by which a share of the jobs had completed, for each of `shares`.

    Kaplan and Meier, "Nonparametric estimation from incomplete observations", JASA 53 (1958), 457-481. Where the
    estimate never gets as far as a share, the longest time that was seen is a lower bound of the quantile.

    Parameters
    ----------
    completed : ndarray of float, shape (n,)
        Times of the jobs that completed.
    unfinished : ndarray of float, shape (m,)
        Times that the other jobs had been in the system when the run ended. n + m must be at least 1.
    shares : sequence of float in (0, 1)
    """
    survival = scipy.stats.ecdf(scipy.stats.CensoredData(uncensored=completed, right=unfinished)).sf
    longest = max(completed.max(initial=0.0), unfinished.max(initial=0.0))
    quantiles = []
    for share in shares:
        # The survival function is made of products, so 1 - 0.95 is met only up to rounding.
        reached = np.flatnonzero(survival.probabilities <= 1 - share + 1e-12)
        value = float(survival.quantiles[reached[0]]) if len(reached) else float(longest)
        quantiles.append(Quantile(value, not len(reached)))
    return quantiles
