"""CSV that pandas reads back as it was, and that no spreadsheet executes."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from gavel_dash.formats.table_csv import write_table_csv


def test_numbers_read_back_exactly() -> None:
    frame = pd.DataFrame({"rate_jph": [0.1 + 0.2, 1e-9, -3.5, np.nan], "n": [1, 2, 3, 4]})
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(write_table_csv(frame))), frame)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "\uff1d1", "\uff0b1"])
def test_text_that_begins_like_a_formula_is_neutralised(cell: str) -> None:
    text = write_table_csv(pd.DataFrame({"note": [cell], cell: [0]}))
    back = pd.read_csv(io.StringIO(text))
    neutral = "'" + cell.replace("\r", "\n")
    assert back["note"].tolist() == [neutral]
    assert back.columns.tolist() == ["note", neutral]


def test_negative_numbers_are_not_text() -> None:
    assert write_table_csv(pd.DataFrame({"gain_h": [-2.5]})) == "gain_h\n-2.5\n"


def test_missing_values_are_empty() -> None:
    frame = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "note": ["a", None]})
    assert write_table_csv(frame) == "n,note\n1,a\n,\n"
