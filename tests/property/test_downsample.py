"""Whatever the values: each column of what is drawn has the first, lowest, highest and last of all its records."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.downsample import downsample


def columns_of(x: np.ndarray, n_points: int, per_column: int) -> np.ndarray:
    """Column of each record, computed one by one."""
    n_columns = max(1, n_points // per_column)
    low, high = float(x.min()), float(x.max())
    return np.array([min(int((value - low) / max(high - low, 1e-300) * n_columns), n_columns - 1) for value in x])


@pytest.mark.parametrize("seed", range(40))
def test_every_column_keeps_its_extremes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_points = int(rng.integers(200, 3000)), int(rng.integers(20, 150))
    x = np.cumsum(rng.choice([0.0, 0.1, 1.0, 30.0], size=n, p=[0.3, 0.4, 0.25, 0.05]))
    y = rng.integers(-5, 6, n).astype(float) if seed % 2 else rng.normal(size=n)
    if seed % 3 == 0:
        y[rng.integers(0, n, n // 10)] = np.nan
    kept = downsample(x, y, n_points)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= n_points + 4
    column = columns_of(x, n_points, 5 if np.isnan(y).any() else 4)
    for c in np.unique(column):
        mine = np.flatnonzero((column == c) & np.isfinite(y))
        drawn = kept[(column[kept] == c) & np.isfinite(y[kept])]
        if len(mine):
            assert drawn[0] == mine[0]
            assert drawn[-1] == mine[-1]
            assert y[drawn].min() == y[mine].min()
            assert y[drawn].max() == y[mine].max()
        if np.isnan(y[column == c]).any():
            assert np.isnan(y[kept[column[kept] == c]]).any()


@pytest.mark.parametrize("seed", range(20))
def test_a_walk_through_two_fields_keeps_the_extremes_of_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(500, 4000))
    x, y = np.cumsum(rng.normal(size=n)), np.cumsum(rng.normal(size=n))
    kept = downsample(x, y, 90)
    block = np.minimum(np.arange(n) / n * 15, 14).astype(int)
    for b in range(15):
        mine, drawn = np.flatnonzero(block == b), kept[block[kept] == b]
        for values in (x, y):
            assert values[drawn].min() == values[mine].min()
            assert values[drawn].max() == values[mine].max()
