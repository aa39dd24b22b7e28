"""`gavel-dash runs`: the index, or the headers alone."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.__main__ import main
from gavel_dash.schema.headers import HEADERS
from tests.make import write_run


@pytest.mark.parametrize(
    ("option", "columns", "n_rows"), [([], schema.RUNS, 1), (["--headers"], HEADERS, 2)], ids=["index", "headers"]
)
def test_files_of_one_name_are_one_run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: list[str],
    columns: tuple[schema.Column, ...],
    n_rows: int,
) -> None:
    (tmp_path / "older").mkdir()
    write_run(tmp_path / "a.viz.bin")
    write_run(tmp_path / "older" / "a.viz.bin", n_rounds=18)
    assert main(["runs", str(tmp_path), *option]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table.columns.tolist() == schema.names(columns)
    assert table["rounds"].tolist() == [60, 18][:n_rows]
