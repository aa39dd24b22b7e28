"""Where a backlog is highest, and from where on it only grows."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.turning_points import highest_backlog, start_of_growth


def test_the_first_of_equal_highest_after_warm_up() -> None:
    queued = np.array([99, 1, 7, 7, 3])
    assert highest_backlog(queued, 1) == 2
    assert highest_backlog(queued, 3) == 3


@pytest.mark.parametrize("start", [3, 7])
def test_without_a_record_after_warm_up_nothing_is_highest(start: int) -> None:
    assert highest_backlog(np.array([1, 2, 3]), start) is None


def test_growth_starts_after_the_last_return_to_the_fewest() -> None:
    # A warm-up with nothing queued must not count, nor the drain behind the last arrival.
    queued = np.array([0, 0, 4, 2, 5, 2, 3, 6, 5, 8, *range(9, 40), 1, 0])
    assert start_of_growth(queued, 2, 41) == 5


def test_later_rounds_have_more_queued_and_no_earlier_round_has_that() -> None:
    generator = np.random.default_rng(3)
    for _ in range(200):
        queued = np.maximum(np.cumsum(generator.integers(-3, 5, 80)), 0)
        start, stop = 10, 70
        found = start_of_growth(queued, start, stop)
        growing = [i for i in range(start, stop) if (queued[i + 1 : stop] > queued[i]).all()]
        assert found == (growing[0] if growing[0] - start < 57 else None)


def test_a_backlog_that_comes_back_at_the_end_does_not_grow() -> None:
    queued = np.arange(100) % 20
    queued[95] = 0  # 80 alone is not in the last twentieth
    assert start_of_growth(queued, 0, 100) is None
    queued[95] = 15
    assert start_of_growth(queued, 0, 100) == 80


def test_a_constant_backlog_does_not_grow() -> None:
    assert start_of_growth(np.full(50, 3), 0, 50) is None


def test_an_empty_stretch_has_no_growth() -> None:
    assert start_of_growth(np.array([1, 2]), 2, 2) is None


def test_unsigned_counts_as_files_store_them() -> None:
    assert start_of_growth(np.array([2, 0, *range(1, 30)], dtype=np.uint32), 0, 31) == 1
