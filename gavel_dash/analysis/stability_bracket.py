"""Saturation by stability: between the highest rate whose runs are stable and the lowest whose runs are unstable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.stability import STABLE, UNSTABLE, pool_verdicts

RESAMPLES = 1000


@dataclass(frozen=True)
class Bracket:
    """Ends of the bracket in jobs per hour; NaN where that end was not found.

    Attributes
    ----------
    low_jph : float
        Highest stable rate that has no unstable rate below it.
    high_jph : float
        Lowest unstable rate that has no stable rate above it.
    """

    low_jph: float
    high_jph: float

    @property
    def middle_jph(self) -> float:
        """The estimate; NaN where an end is missing."""
        return (self.low_jph + self.high_jph) / 2


def find_bracket(rates_jph: np.ndarray, verdicts: Sequence[str | None]) -> Bracket:
    """Bracket of a curve. Where verdicts contradict each other (unstable below stable) it spans all of them.

    Parameters
    ----------
    rates_jph : ndarray of float, shape (n,), ascending
    verdicts : sequence of n verdicts, one per rate
    """
    stable = np.array([verdict == STABLE for verdict in verdicts], dtype=bool)
    unstable = np.array([verdict == UNSTABLE for verdict in verdicts], dtype=bool)
    unstable_so_far = np.logical_or.accumulate(unstable)
    stable_from_here = np.logical_or.accumulate(stable[::-1])[::-1]
    low = rates_jph[stable & ~unstable_so_far]
    high = rates_jph[unstable & ~stable_from_here]
    return Bracket(float(low[-1]) if len(low) else np.nan, float(high[0]) if len(high) else np.nan)


def bracket_interval(
    rates_jph: np.ndarray, verdicts_by_rate: Sequence[Sequence[str | None]], confidence: float
) -> tuple[float, float]:
    """Bootstrap over seeds of the bracket's ends: low quantile of the lower, high quantile of the upper ends.

    The estimate is known no better than its bracket, so the interval is never narrower than that. NaN where a rate
    of the bracket has one seed. A resample that loses an end counts as the lowest rate, or as infinity: open.

    Parameters
    ----------
    rates_jph : ndarray of float, shape (n,), ascending
    verdicts_by_rate : sequence of n sequences, the verdicts of the seeds at each rate
    confidence : float
    """
    bracket = find_bracket(rates_jph, [pool_verdicts(verdicts) for verdicts in verdicts_by_rate])
    if np.isnan(bracket.middle_jph):
        return np.nan, np.nan
    at_ends = np.isin(rates_jph, (bracket.low_jph, bracket.high_jph)).tolist()
    if min(len(verdicts) for verdicts, at_end in zip(verdicts_by_rate, at_ends, strict=True) if at_end) < 2:
        return np.nan, np.nan
    rng = np.random.default_rng(0)  # a fixed seed: the same sweep gives the same interval
    resampled = [
        [
            pool_verdicts(verdicts[i] for i in row)
            for row in rng.integers(0, len(verdicts), (RESAMPLES, len(verdicts))).tolist()
        ]
        for verdicts in verdicts_by_rate
    ]
    brackets = [find_bracket(rates_jph, verdicts) for verdicts in zip(*resampled, strict=True)]
    lows = np.nan_to_num([b.low_jph for b in brackets], nan=float(rates_jph[0]))
    highs = np.nan_to_num([b.high_jph for b in brackets], nan=np.inf, posinf=np.inf)
    tail = (1 - confidence) / 2
    low, high = np.quantile(lows, tail, method="nearest"), np.quantile(highs, 1 - tail, method="nearest")
    return float(low), float(high)
