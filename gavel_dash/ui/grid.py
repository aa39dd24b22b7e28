"""Tables: one AG Grid with the house's look, and columns made from the schema's units and meanings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash.schema import Column

#: Quartz with the page's own colour variables, so that the theme switch needs no callback.
GRID_THEME = {
    "function": """themeQuartz.withParams({
        fontFamily: "inherit", fontSize: 13, headerFontSize: 12, headerFontWeight: 600, spacing: 6,
        backgroundColor: "var(--gd-background)", foregroundColor: "var(--gd-text)", borderColor: "var(--gd-border)",
        headerBackgroundColor: "var(--gd-panel)", headerTextColor: "var(--gd-text)",
        chromeBackgroundColor: "var(--gd-panel)", accentColor: "var(--gd-accent)",
        rowHoverColor: "var(--gd-hover)", selectedRowBackgroundColor: "var(--gd-selected)",
        menuBackgroundColor: "var(--gd-background)", inputBackgroundColor: "var(--gd-background)",
        tooltipBackgroundColor: "var(--gd-panel)", tooltipTextColor: "var(--gd-text)",
        wrapperBorderRadius: 8, rowHeight: 30, headerHeight: 34
    })"""
}

#: How numbers of a unit are shown (d3-format), and what stands behind them.
_NUMBER_FORMATS = {
    "fraction": (".1%", ""),
    "h": (",.1f", " h"),
    "jobs/h": (".3~f", ""),
    "": (",", ""),
}


def format_function(column: Column) -> dict[str, str] | None:
    """The grid's formatter of a column, or None for text; an empty cell stays empty."""
    if column.dtype not in ("int", "float"):
        return None
    spec, suffix = _NUMBER_FORMATS.get(column.unit, (",", ""))
    if column.dtype == "float" and spec == ",":
        spec = ",.3~f"
    if f"({column.unit})" in column.label:
        suffix = ""  # the header says it
    if column.name in ("seed", "job_id"):
        spec = ""  # names, not quantities: no thousands separators
    return {"function": f"params.value == null ? '' : d3.format('{spec}')(params.value) + '{suffix}'"}


def column_defs(
    columns: Sequence[Column], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Column definitions from the schema; `overrides` are by column name.

    Numbers are right-aligned, formatted by unit and filtered as numbers; the header's tooltip is the column's
    meaning with its unit.
    """
    definitions = []
    for column in columns:
        unit = f" ({column.unit})" if column.unit else ""
        definition: dict[str, Any] = {
            "field": column.name,
            "headerName": column.label,
            "headerTooltip": f"{column.meaning}{unit}",
        }
        formatter = format_function(column)
        if formatter is None:
            definition |= {"filter": "agTextColumnFilter", "tooltipField": column.name}
        else:
            definition |= {"type": "rightAligned", "filter": "agNumberColumnFilter", "valueFormatter": formatter}
        definitions.append({**definition, **(overrides or {}).get(column.name, {})})
    return definitions


def row_data(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as the grid takes it: one dict per row, None where a value is missing."""
    cells = frame.astype(object)
    return cells.where(frame.notna(), None).to_dict("records")


def grid(
    id: str,
    columns: list[dict[str, Any]],
    rows: list[dict[str, Any]] | None,
    row_id: str,
    label: str,
    options: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Component:
    """A virtualised table that fills its container, which gives it its height.

    Parameters
    ----------
    id : str
        Id of the component.
    columns : list of dict
        Column definitions, see `column_defs`.
    rows : list of dict or None
        Rows, see `row_data`; None where the browser asks for those in view.
    row_id : str
        Field that is unique in a row; it must read as a plain name.
    label : str
        What the table is, for screen readers.
    options : mapping, optional
        Further grid options.
    **properties
        Further properties of the component.
    """
    table = dag.AgGrid(
        id=id,
        columnDefs=columns,
        **({} if rows is None else {"rowData": rows}),
        getRowId=f"'' + params.data.{row_id}",  # AG Grid wants a string
        defaultColDef={"sortable": True, "resizable": True, "minWidth": 70},
        dashGridOptions={
            "theme": GRID_THEME,
            "animateRows": False,
            "tooltipShowDelay": 300,
            "enableCellTextSelection": True,
            **(options or {}),
        },
        style={"height": "100%", "width": "100%"},
        **properties,
    )
    return html.Div(table, role="region", className="gd-grid", **{"aria-label": label})
