"""Tables from the schema."""

from __future__ import annotations

import pandas as pd

from gavel_dash import schema
from gavel_dash.ui import column_defs, row_data
from gavel_dash.ui.grid import format_function


def formats(columns: tuple[schema.Column, ...]) -> dict[str, str | None]:
    functions = {column.name: format_function(column) for column in columns}
    return {name: function["function"] if function else None for name, function in functions.items()}


def test_numbers_are_shown_by_their_unit() -> None:
    shown = formats(schema.RUNS)
    assert shown["run"] is None
    assert "d3.format('.1%')" in str(shown["mean_occupancy"])
    assert "d3.format(',.1f')(params.value) + ''" in str(shown["mean_jct_h"])
    assert "d3.format(',')" in str(shown["rounds"])
    assert "d3.format('')" in str(shown["seed"])
    assert all(function is None or "params.value == null" in function for function in shown.values())


def test_definitions_carry_label_meaning_and_overrides() -> None:
    rate = next(
        d for d in column_defs(schema.RUNS, {"arrival_rate_jph": {"width": 7}}) if d["field"] == "arrival_rate_jph"
    )
    assert (rate["headerName"], rate["width"], rate["type"]) == ("Rate (jph)", 7, "rightAligned")
    assert rate["headerTooltip"] == "arrival rate of jobs (jobs/h)"


def test_missing_cells_are_none() -> None:
    frame = schema.build_frame([{"run": "a", "seed": 1}, {"run": "b", "mean_jct_h": 2.5}], schema.RUNS)
    rows = row_data(frame)
    assert [row["seed"] for row in rows] == [1, None]
    assert [row["mean_jct_h"] for row in rows] == [None, 2.5]
    assert not any(pd.isna(value) and value is not None for row in rows for value in row.values())
