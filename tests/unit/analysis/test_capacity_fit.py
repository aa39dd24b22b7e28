"""The fitted capacity: exact on its own model, honest where the model is not that of the points."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.capacity_fit import capacity_interval, fit_capacity, jct_model
from tests.queues import SERVICE_RATE_JPH, steady_jct_h

RATES = np.arange(1.0, 4.6, 0.5)


def test_points_of_the_model_give_its_capacity() -> None:
    jct_h = jct_model(RATES, 15.0, 3.0, 5.0)
    fit = fit_capacity(RATES, jct_h)
    assert fit.capacity_jph == pytest.approx(5, rel=1e-3)
    assert capacity_interval(RATES, jct_h, 0.95) == pytest.approx((5, 5), rel=1e-2)


def test_noise_widens_the_interval_around_the_capacity() -> None:
    noise = 1 + 0.02 * np.random.default_rng(5).normal(size=len(RATES))
    jct_h = jct_model(RATES, 5.0, 10.0, 5.0) * noise
    low, high = capacity_interval(RATES, jct_h, 0.95)
    assert low < 5 < high
    assert high - low > 0.1
    tighter = capacity_interval(RATES, jct_h, 0.5)
    assert low < tighter[0] < tighter[1] < high


def test_the_interval_knows_that_the_queue_is_not_the_model() -> None:
    """Exact means of an M/M/4 queue: the t interval of one fit alone misses the capacity."""
    capacity = 4 * SERVICE_RATE_JPH
    rates = np.arange(0.3, 0.951, 0.025) * capacity
    jct_h = np.array([steady_jct_h(rate, 4) for rate in rates])
    alone = fit_capacity(rates, jct_h).interval(0.95)
    assert not alone[0] <= capacity <= alone[1]
    low, high = capacity_interval(rates, jct_h, 0.95)
    assert low <= alone[0] < alone[1] <= high
    assert high - low > 3 * (alone[1] - alone[0])


def test_three_rates_cannot_be_fitted() -> None:
    fit = fit_capacity(np.repeat([1.0, 2.0, 3.0], 5), np.repeat([10.0, 11.0, 20.0], 5))
    assert np.isnan(fit.capacity_jph)
    assert "a fit needs 4" in fit.reason


def test_four_rates_give_a_capacity_without_an_interval() -> None:
    rates = RATES[-4:]
    jct_h = jct_model(rates, 5.0, 10.0, 5.0)
    assert fit_capacity(rates, jct_h).capacity_jph == pytest.approx(5, rel=1e-3)
    assert np.isnan(capacity_interval(rates, jct_h, 0.95)).all()


@pytest.mark.parametrize("jct_h", [np.full(8, 20.0), np.linspace(30, 20, 8)], ids=["flat", "falling"])
def test_without_a_bend_the_capacity_lies_beyond(jct_h: np.ndarray) -> None:
    fit = fit_capacity(RATES, jct_h)
    assert not fit.bends
    assert "does not bend" in fit.reason


def test_a_bend_that_only_the_highest_rate_shows_opens_the_interval() -> None:
    jct_h = np.array([20.0, 20.1, 19.9, 20.0, 20.1, 20.0, 19.9, 40.0])
    rates = np.arange(1.0, 9.0)
    low, high = capacity_interval(rates, jct_h, 0.95)
    assert low <= 8
    assert high == float("inf")


@pytest.mark.parametrize("value", [0.0, -3.0, np.inf, np.nan])
def test_a_jct_that_cannot_be_is_left_out(value: float) -> None:
    jct_h = jct_model(RATES, 5.0, 10.0, 5.0)
    jct_h[0] = value
    assert fit_capacity(RATES, jct_h).capacity_jph == pytest.approx(5, rel=1e-3)
