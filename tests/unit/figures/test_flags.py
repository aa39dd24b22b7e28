"""Labels in a chart: no overlap, no crossing, left out where there is no room."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavel_dash.figures.flags import Box, place_at_ends, stagger

LIMITS = Box(0, 0, 500, 300)


def spans(x: list[float], widths: list[float], left: float) -> list[tuple[float, float]]:
    starts = [max(pole - width, left) for pole, width in zip(x, widths, strict=True)]
    return [(start, start + width) for start, width in zip(starts, widths, strict=True)]


def test_flags_apart_share_the_lowest_row() -> None:
    assert stagger([150, 400], [100, 100], left_px=0) == [0, 0]


def test_a_flag_that_reaches_over_another_lies_above_it() -> None:
    assert stagger([150, 170, 190], [100, 100, 100], left_px=0) == [0, 1, 2]


def test_a_wide_flag_lies_above_all_it_reaches_over_even_where_a_lower_row_is_free() -> None:
    # The middle flag is in row 1; the last one does not touch row 0's flag, but would lie on the middle one's pole.
    assert stagger([110, 120, 225], [100, 100, 110], left_px=0)[2] == 2


@given(
    st.lists(st.tuples(st.floats(60, 500), st.floats(20, 200)), max_size=8, unique_by=lambda flag: flag[0]),
)
def test_no_two_flags_overlap_and_no_pole_crosses_a_flag_to_its_right(flags: list[tuple[float, float]]) -> None:
    x, widths = [flag[0] for flag in flags], [flag[1] for flag in flags]
    rows = stagger(x, widths, left_px=-1000)
    placed = spans(x, widths, -1000)
    for i, j in combinations(range(len(x)), 2):
        overlap = placed[i][0] < placed[j][1] and placed[j][0] < placed[i][1]
        assert not (overlap and rows[i] == rows[j])
    for i in range(len(x)):
        for j in range(len(x)):
            crosses = placed[j][0] < x[i] < placed[j][1] and rows[j] < rows[i]
            assert not crosses


def test_a_name_at_an_end_stands_beside_it_where_there_is_room() -> None:
    line = (np.array([0.0, 100.0]), np.array([0.0, 100.0]))
    assert place_at_ends([(100, 100)], ["alone"], [line], LIMITS) == [0.0]


def test_names_of_curves_that_end_together_move_apart() -> None:
    lines = [(np.array([0.0, 100.0]), np.array([100.0, 100.0])), (np.array([0.0, 100.0]), np.array([90.0, 104.0]))]
    first, second = place_at_ends([(100, 100), (100, 104)], ["first", "second"], lines, LIMITS)
    assert first is not None
    assert second is not None
    assert abs((100 + first) - (104 + second)) >= 16


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        pytest.param((495, 100), [], id="beyond the right edge"),
        pytest.param((100, 100), [(np.array([150.0, 150.0]), np.array([0.0, 300.0]))], id="on another line"),
    ],
)
def test_a_name_without_room_is_left_out(end: tuple[float, float], lines: list[tuple[np.ndarray, np.ndarray]]) -> None:
    assert place_at_ends([end], ["nowhere"], lines, LIMITS) == [None]
