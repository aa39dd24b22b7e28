"""Quantiles of JCT with unfinished jobs."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.survival import censored_quantiles


def test_without_unfinished_jobs_it_is_the_quantile_of_the_sample() -> None:
    times = np.arange(1.0, 101.0)
    found = censored_quantiles(times, np.empty(0), [0.5, 0.95, 0.99])
    assert [(quantile.value, quantile.is_lower_bound) for quantile in found] == [(50, False), (95, False), (99, False)]


def test_the_longest_jobs_unfinished_leave_the_median_and_bound_the_tail() -> None:
    times = np.random.default_rng(0).lognormal(2, 1, 400)
    slow = times > np.quantile(times, 0.8)
    whole = censored_quantiles(times, np.empty(0), [0.5])[0]
    median, tail = censored_quantiles(times[~slow], np.full(slow.sum(), 200.0), [0.5, 0.95])
    assert median.value == pytest.approx(whole.value, rel=0.05)
    assert not median.is_lower_bound
    assert (tail.value, tail.is_lower_bound) == (200.0, True)


def test_nothing_completed_is_a_lower_bound_only() -> None:
    assert censored_quantiles(np.empty(0), np.array([3.0, 9.0]), [0.5])[0].is_lower_bound
