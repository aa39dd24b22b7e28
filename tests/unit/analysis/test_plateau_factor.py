"""The interval of the plateau factor's crossing: what three seeds can and cannot say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gavel_dash.analysis.plateau_factor import crossing_interval, plateau_factor
from tests.queues import SERVICE_RATE_JPH, steady_jct_h

RATES = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
MEANS = np.array([10.0, 10.0, 12.0, 18.0, 40.0])


def seeds(spread: float, n: int = 3) -> list[np.ndarray]:
    """Seeds at each rate, around the same mean."""
    return [mean * (1 + spread * np.linspace(-1, 1, n)) for mean in MEANS]


def test_seeds_that_agree_leave_no_doubt() -> None:
    estimate = plateau_factor(RATES, MEANS).rate_jph
    assert crossing_interval(RATES, seeds(0.0), 2.0, 0.95) == pytest.approx((estimate, estimate))


def test_the_ends_are_quantiles_of_student_t_not_of_the_seeds() -> None:
    """Only the rate above the crossing varies, so its quantiles can be carried over: 4 + 2 / (mean - 18)."""
    values = seeds(0.0)
    values[4] = MEANS[4] + np.sqrt(3) * np.array([-1.0, 0.0, 1.0])  # standard error 1
    error_h = stats.t.ppf(0.975, 2)
    low, high = crossing_interval(RATES, values, 2.0, 0.95)
    estimate = 4 + 2 / (MEANS[4] - 18)
    assert estimate - low == pytest.approx(estimate - (4 + 2 / (MEANS[4] + error_h - 18)), rel=0.2)
    assert high - estimate == pytest.approx(4 + 2 / (MEANS[4] - error_h - 18) - estimate, rel=0.2)


def test_the_same_seeds_give_the_same_interval() -> None:
    assert crossing_interval(RATES, seeds(0.05), 2.0, 0.95) == crossing_interval(RATES, seeds(0.05), 2.0, 0.95)


@pytest.mark.parametrize("rate_index", [3, 4])
def test_one_seed_beside_the_crossing_gives_no_interval(rate_index: int) -> None:
    values = seeds(0.05)
    values[rate_index] = values[rate_index][:1]
    assert np.isnan(crossing_interval(RATES, values, 2.0, 0.95)).all()


def test_one_seed_elsewhere_is_taken_at_its_word() -> None:
    values = seeds(0.02)
    values[2] = values[2][:1]
    assert np.isfinite(crossing_interval(RATES, values, 2.0, 0.95)).all()


def test_draws_that_never_cross_open_the_interval_upwards() -> None:
    values = seeds(0.02)
    values[4] = np.array([15.0, 24.0, 25.0])  # barely above the threshold of 20
    assert crossing_interval(RATES, values, 2.0, 0.95)[1] == float("inf")


def test_a_curve_that_does_not_cross_has_no_interval() -> None:
    assert np.isnan(crossing_interval(RATES[:3], seeds(0.02)[:3], 2.0, 0.95)).all()


def test_the_curve_of_a_queue_is_crossed_where_erlang_says() -> None:
    rates = np.arange(0.5, 0.98, 0.01) * 4 * SERVICE_RATE_JPH
    jct_h = np.array([steady_jct_h(rate, 4) for rate in rates])
    crossing = plateau_factor(rates, jct_h)
    assert crossing.rate_jph is not None
    assert crossing.plateau_jct_h is not None
    assert steady_jct_h(crossing.rate_jph, 4) == pytest.approx(2 * crossing.plateau_jct_h, rel=0.01)


def test_the_mean_jct_of_one_server_is_that_of_the_textbook() -> None:
    rate = 0.8 * SERVICE_RATE_JPH
    assert steady_jct_h(rate, 1) == pytest.approx(1 / (SERVICE_RATE_JPH - rate))
