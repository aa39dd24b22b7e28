"""Series against a loop over the rounds of each stretch."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.series import SERIES_ROWS, SeriesColumns, collect_columns, summarize_series
from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE

COUNTS = np.array([36, 40_000, 25_000])


def random_rounds(n_rounds: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_rounds)
    heads = np.zeros(n_rounds, ROUND_HEAD_DTYPE)
    heads["sim_time_s"] = np.cumsum(rng.integers(0, 500, n_rounds))
    heads["jobs_completed"] = np.cumsum(rng.integers(0, 2**21, n_rounds)) % 2**32
    heads["jobs_running"] = rng.integers(0, 2**16, n_rounds)
    heads["jobs_queued"] = rng.integers(0, 2**16, n_rounds)
    return heads, rng.integers(0, COUNTS + 1, (n_rounds, 3)).astype(np.int32)


def plain_series(heads: np.ndarray, used: np.ndarray, start: int, stop: int, bins: int) -> list[list[float]]:
    """The same with Python's numbers, one column per stretch."""
    n, columns = min(bins, stop - start), []
    for i in range(n):
        first, end = start + i * (stop - start) // n, start + (i + 1) * (stop - start) // n
        occupancies = [sum(used[r].tolist()) / int(COUNTS.sum()) for r in range(first, end)]
        jobs = [int(heads["jobs_running"][r]) + int(heads["jobs_queued"][r]) for r in range(first, end)]
        columns.append(
            [
                first,
                float(heads["sim_time_s"][first]) / 3600,
                *(min(occupancies), max(occupancies), sum(occupancies) / (end - first)),
                *(min(jobs), max(jobs), sum(jobs) / (end - first)),
                int(heads["jobs_completed"][end - 1]),
                *(sum(used[:first, gpu_type].tolist()) for gpu_type in range(3)),
            ]
        )
    return columns


def columns_of(heads: np.ndarray, used: np.ndarray) -> SeriesColumns:
    return collect_columns(heads, used, int(COUNTS.sum()))


@pytest.mark.parametrize(
    ("n_rounds", "start", "stop", "bins"),
    [
        (1000, 0, 1000, 1000),
        (1000, 0, 1000, 7),
        (1000, 0, 1000, 4000),
        (1000, 313, 998, 100),
        (1000, 999, 1000, 100),
        (1001, 0, 1001, 1000),
        (997, 1, 997, 1),
        (1, 0, 1, 1000),
    ],
)
def test_stretches(n_rounds: int, start: int, stop: int, bins: int) -> None:
    heads, used = random_rounds(n_rounds)

    matrix = summarize_series(columns_of(heads, used), start, stop, bins)

    assert (matrix.dtype, matrix.shape) == (np.float64, (len(SERIES_ROWS) + 3, min(bins, stop - start)))
    assert matrix.flags.c_contiguous
    np.testing.assert_allclose(matrix.T, plain_series(heads, used, start, stop, bins), rtol=1e-12)
    exact = [SERIES_ROWS.index(name) for name in ("start_index", "time_h", "jobs_min", "jobs_max", "completed")]
    exact += [9, 10, 11]
    assert matrix[exact].T.tolist() == [[c[k] for k in exact] for c in plain_series(heads, used, start, stop, bins)]


def test_no_rounds() -> None:
    assert summarize_series(columns_of(*random_rounds(0)), 0, 0, 1000).shape == (12, 0)


def test_a_cluster_without_gpus() -> None:
    heads, _used = random_rounds(10)
    matrix = summarize_series(collect_columns(heads, np.empty((10, 0), np.int32), 0), 0, 10, 4)
    assert matrix.shape == (9, 4)
    assert not matrix[2:5].any()


def test_sums_of_a_million_full_rounds_are_exact() -> None:
    n_rounds, n_gpus = 1_000_000, 65_535
    used = np.full((n_rounds, 1), n_gpus, np.int32)
    heads = np.zeros(n_rounds, ROUND_HEAD_DTYPE)
    heads["jobs_queued"] = heads["jobs_running"] = 65_535
    matrix = summarize_series(collect_columns(heads, used, n_gpus), 0, n_rounds, 10)
    assert matrix[9].tolist() == [n_gpus * r for r in range(0, n_rounds, 100_000)]
    assert set(matrix[4]) == {1.0}
    assert set(matrix[7]) == {131_070.0}
