"""Points that are drawn: the budget, the view, gaps."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.downsample import downsample, is_monotone

N = 20_000


@pytest.fixture(scope="module")
def noise() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return np.arange(N) * 0.1, rng.normal(size=N)


def test_few_points_stay_as_they_are() -> None:
    x = np.arange(50.0)
    assert downsample(x, x, 100).tolist() == list(range(50))


@pytest.mark.parametrize("n_points", [100, 1000, 4000])
def test_the_budget_is_kept(noise: tuple[np.ndarray, np.ndarray], n_points: int) -> None:
    kept = downsample(*noise, n_points)
    assert n_points / 2 < len(kept) <= n_points


def test_a_single_spike_stays(noise: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = noise[0], np.zeros(N)
    y[12_345], y[777] = 9.0, -9.0
    kept = downsample(x, y, 200)
    assert {12_345, 777} <= set(kept.tolist())


def test_a_view_is_drawn_finer_and_the_rest_coarser(noise: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = noise
    kept = x[downsample(x, y, 1000, (100.0, 200.0))]
    in_view = ((kept >= 100) & (kept <= 200)).sum()
    assert in_view > 600
    assert 100 < len(kept) - in_view < 250
    assert kept[0] == x[0]
    assert kept[-1] == x[-1]


def test_a_narrow_view_has_all_its_points(noise: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = noise
    kept = x[downsample(x, y, 1000, (100.0, 110.0))]
    assert ((kept >= 100) & (kept <= 110)).sum() == 101


@pytest.mark.parametrize("view", [(-5.0, -1.0), (5000.0, 6000.0), (-1e9, 1e9), (0.0, 1e-9)])
def test_odd_views_do_no_harm(noise: tuple[np.ndarray, np.ndarray], view: tuple[float, float]) -> None:
    for log_x in (False, True):
        kept = downsample(*noise, 400, view, log_x)
        assert 0 < len(kept) <= 404


def test_log_columns_are_equal_on_the_axis(noise: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = noise[0] + 0.1, noise[1]
    kept = x[downsample(x, y, 400, log_x=True)]
    below, above = (kept < 10).sum(), (kept > 1000).sum()
    assert below > 50 > 0
    assert above < len(kept) / 2


def test_gaps_stay_gaps(noise: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = noise[0], noise[1].copy()
    y[5000:5003] = np.nan
    y[9000:12_000] = np.nan
    kept = downsample(x, y, 1000)
    gaps = kept[np.isnan(y[kept])]
    assert 5000 in gaps
    assert ((gaps >= 9000) & (gaps < 12_000)).any()
    assert len(kept) <= 1000


def test_nothing_to_draw_does_not_fail() -> None:
    nothing = np.full(500, np.nan)
    assert np.isnan(nothing[downsample(np.arange(500.0), nothing, 100)]).all()
    assert len(downsample(nothing, nothing, 100)) > 0
    assert len(downsample(np.empty(0), np.empty(0), 100)) == 0


def test_where_x_goes_back_its_extremes_stay_too() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=N), rng.normal(size=N)
    assert not is_monotone(x)
    kept = downsample(x, y, 600)
    assert len(kept) <= 600
    for values in (x, y):
        assert {int(values.argmin()), int(values.argmax())} <= set(kept.tolist())
    assert {0, N - 1} <= set(kept.tolist())
    assert len(downsample(x, y, 600, (2.0, 5.0))) <= 606
