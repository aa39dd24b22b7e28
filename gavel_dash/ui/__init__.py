"""Shared controls: the only place where the look of a button, a panel, a table or an empty state is decided."""

from gavel_dash.ui.controls import (
    button,
    chart_panel,
    csv_link,
    drawer,
    empty_state,
    error_state,
    grouped,
    labelled,
    page_header,
    panel,
    picture_button,
    tile,
)
from gavel_dash.ui.grid import column_defs, grid, row_data
from gavel_dash.ui.keep_zoom import keep_zoom
from gavel_dash.ui.live import LIVE_NAMES, LIVE_PAGE, LIVE_RESULTS, LIVE_SHOWN, LIVE_STORES, LIVE_VERSION, do_again
from gavel_dash.ui.query import query_number, query_value, query_values

__all__ = [
    "LIVE_NAMES",
    "LIVE_PAGE",
    "LIVE_RESULTS",
    "LIVE_SHOWN",
    "LIVE_STORES",
    "LIVE_VERSION",
    "button",
    "chart_panel",
    "column_defs",
    "csv_link",
    "do_again",
    "drawer",
    "empty_state",
    "error_state",
    "grid",
    "grouped",
    "keep_zoom",
    "labelled",
    "page_header",
    "panel",
    "picture_button",
    "query_number",
    "query_value",
    "query_values",
    "row_data",
    "tile",
]
