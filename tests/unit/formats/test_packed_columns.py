"""Columns: planes of bytes in their order, differences that wrap around, and an end that comes too early."""

from __future__ import annotations

import io

import numpy as np
import pytest

from gavel_dash.formats.packed_columns import column, steps, sums, take, take_column


def test_a_column_is_its_planes_lowest_first() -> None:
    values = np.array([0x0102, 0x0304, 0x0506], "<u2")
    assert column(values) == bytes([2, 4, 6, 1, 3, 5])
    assert take_column(io.BytesIO(column(values)), 3, values.dtype).tolist() == values.tolist()


def test_rows_of_several_numbers_come_back_in_their_shape() -> None:
    values = np.arange(6, dtype="<u2").reshape(2, 3) * 300
    assert take_column(io.BytesIO(column(values)), 2, values.dtype, (3,)).tolist() == values.tolist()


@pytest.mark.parametrize("order", [1, 2])
def test_differences_wrap_around_and_add_up_again(order: int) -> None:
    values = np.array([5, 2**32 - 1, 0, 7], "<u4")
    assert sums(steps(values, order), order).tolist() == values.tolist()
    assert steps(np.array([10, 20, 30, 40], "<u4"), 2).tolist() == [10, 0, 0, 0]


def test_too_few_bytes_are_an_error_whatever_is_asked_for() -> None:
    with pytest.raises(EOFError, match="too early"):
        take(io.BytesIO(b"abc"), 2**60)
