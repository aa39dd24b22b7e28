"""The Sweep page: what do I have?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from gavel_dash.analysis.facets import FACETS, TEXT, apply_filters, count_filters
from gavel_dash.figures.sweep_map import build_sweep_map, map_height, place_ticks
from gavel_dash.figures.theme import GRAPH_CONFIG
from gavel_dash.formats.table_csv import write_table_csv
from gavel_dash.pages.sweep_drawer import build_drawer_body
from gavel_dash.pages.sweep_parts import (
    MAP_MAX_PX,
    OPENED_IN,
    Filters,
    build_counts,
    build_problems,
    build_rail,
    build_table_panel,
    checklist_options,
    clear_label,
    empty_sentence,
    table_rows,
)
from gavel_dash.ui import LIVE_RESULTS, LIVE_VERSION, drawer, empty_state, page_header, panel, query_value, query_values
from gavel_dash.ui.controls import button

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep, Sweep

PATH = "/"
TITLE = "Sweep"
KEYS = (("Enter", "open the run under the table's cursor"),)


def read_filters(query: Mapping[str, object]) -> Filters:
    """The page's filters in a query: those of the facets, and the words searched for."""
    keys = [*(facet.key for facet in FACETS), TEXT]
    return {key: values for key in keys if (values := query_values(query, key))}


def layout(sweep: Sweep, **query: object) -> Component:
    """The page as its query says: filters, words and the selected run."""
    runs, filters = sweep.runs(), read_filters(query)
    selected = query_value(query, "run")
    matching = apply_filters(runs, filters)
    none = matching.empty
    return html.Div(
        [
            dcc.Store(id="sweep-filters", data=filters),
            dcc.Store(id="sweep-selected", data=selected),
            dcc.Download(id="sweep-download"),
            page_header(TITLE, "What do I have? Every run found, what is known about it, and what is missing."),
            html.Div(build_problems(sweep), id="sweep-problems"),
            html.Div(
                [
                    build_rail(runs, filters),
                    html.Div(
                        [
                            html.Div(
                                build_counts(sweep, matching, filters), id="sweep-counts", className="sweep-counts"
                            ),
                            html.Div(
                                empty_state(
                                    empty_sentence(sweep, filters),
                                    button(
                                        "sweep-clear-empty",
                                        clear_label(filters),
                                        "Show all runs again",
                                        hidden=not sweep.names,
                                    ),
                                ),
                                id="sweep-empty",
                                hidden=not none,
                            ),
                            html.Div(
                                [_map_panel(sweep), build_table_panel(table_rows(sweep, matching))],
                                id="sweep-content",
                                className="sweep-content",
                                hidden=none,
                            ),
                        ],
                        className="sweep-centre",
                    ),
                ],
                className="sweep-page",
            ),
            drawer(
                "sweep-drawer",
                selected or "",
                html.Div(build_drawer_body(sweep, selected), id="sweep-drawer-body"),
            ),
            html.Div(id="sweep-quiet", hidden=True),
        ],
        className="sweep-root",
    )


def _ticks(sweep: Sweep) -> pd.DataFrame:
    """Places of a sweep's runs on its map. A sweep does not change."""
    return sweep.memory.get("ticks", lambda: place_ticks(sweep.runs()))


def _map_styles(ticks: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Styles of the map and of the box it scrolls in."""
    height = map_height(ticks["curve"].nunique())
    return {"height": f"{height}px"}, {"height": f"{min(height, MAP_MAX_PX)}px"}


def _map_panel(sweep: Sweep) -> Component:
    runs = sweep.runs()
    whole, box = _map_styles(_ticks(sweep))
    unplaced = int((runs["arrival_rate_jph"].isna() | runs["policy"].isna()).sum())
    said = f"{unplaced} of the runs have no policy or no rate: they are in the table only" if unplaced else ""
    graph = dcc.Graph(id="sweep-map", config={**GRAPH_CONFIG, "displayModeBar": False}, style=whole)
    shown = html.Div(
        graph,
        id="sweep-map-box",
        role="img",
        className="sweep-map",
        style=box,
        **{"aria-label": "Map of the sweep: a row per policy, a column per arrival rate, a tick per seed"},
    )
    hint = html.Span(said or "One tick per seed; click one for its run", className="gd-muted")
    return panel(shown, "Policy × arrival rate (jph)", hint, className="sweep-map-panel")


def show_matching(sweep: Sweep, filters: Filters) -> tuple[Any, ...]:
    """What changes with the filters beside the rows: counts, options of the facets, what to say when none is left."""
    runs = sweep.runs()
    matching = apply_filters(runs, filters)
    return (
        build_counts(sweep, matching, filters),
        checklist_options(runs, filters),
        not matching.empty,
        matching.empty,
        clear_label(filters),
        not count_filters(filters),
    )


def table_csv(sweep: Sweep, shown: list[dict[str, Any]] | None) -> str:
    """CSV of the rows the table shows, in its order; all columns, hidden ones too."""
    runs = sweep.runs().set_index("run", drop=False)
    return write_table_csv(runs.loc[[row["run"] for row in shown or [] if row["run"] in runs.index]])


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""
    facet_values = Input({"type": "sweep-facet", "key": ALL}, "value")

    app.clientside_callback(
        ClientsideFunction("sweep", "collectFilters"),
        Output("sweep-filters", "data"),
        facet_values,
        Input("sweep-search", "value"),
        State({"type": "sweep-facet", "key": ALL}, "id"),
        State("sweep-filters", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("sweep", "clearFilters"),
        Output({"type": "sweep-facet", "key": ALL}, "value"),
        Output("sweep-search", "value"),
        Input("sweep-clear", "n_clicks"),
        Input("sweep-clear-empty", "n_clicks"),
        State({"type": "sweep-facet", "key": ALL}, "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("sweep", "selectRun"),
        Output("sweep-selected", "data"),
        Output("sweep-drawer", "is_open"),
        Output("sweep-map", "clickData"),
        Input("sweep-grid", "cellClicked"),
        Input("sweep-grid", "eventData"),
        Input("sweep-map", "clickData"),
        Input("sweep-drawer", "is_open"),
        State("sweep-selected", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("sweep", "writeUrl"),
        Output("sweep-quiet", "children"),
        Input("sweep-filters", "data"),
        Input("sweep-selected", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("sweep", "linkSelection"),
        *(Output(f"sweep-open-{page}", "href") for page in OPENED_IN),
        Output("sweep-selection", "children"),
        Input("sweep-grid", "selectedRows"),
    )
    app.clientside_callback(
        ClientsideFunction("sweep", "showColumns"),
        Output("sweep-quiet", "title"),
        Input("sweep-columns", "value"),
        State("sweep-columns", "options"),
    )

    # Rows by themselves: with components in the same answer, each cell would be looked at in Python.
    @app.callback(
        Output("sweep-grid", "rowData"),
        Input("sweep-filters", "data"),
        Input(LIVE_VERSION, "data"),
        prevent_initial_call=True,
    )
    def fill_table(filters: Filters, _version: str) -> list[dict[str, Any]]:
        sweep = live.now
        return table_rows(sweep, apply_filters(sweep.runs(), filters))

    @app.callback(
        Output("sweep-counts", "children"),
        Output({"type": "sweep-facet", "key": ALL}, "options"),
        Output("sweep-empty", "hidden"),
        Output("sweep-content", "hidden"),
        Output("sweep-clear-empty", "children"),
        Output("sweep-clear", "disabled"),
        Input("sweep-filters", "data"),
        Input(LIVE_VERSION, "data"),
        prevent_initial_call=True,
    )
    def show(filters: Filters, _version: str) -> tuple[Any, ...]:
        return show_matching(live.now, filters)

    @app.callback(
        Output("sweep-problems", "children"),
        Input(LIVE_RESULTS, "data"),
        prevent_initial_call=True,
    )
    def say_problems(_results: str) -> list[Component]:
        return build_problems(live.now)

    @app.callback(
        Output("sweep-map", "figure"),
        Output("sweep-map", "style"),
        Output("sweep-map-box", "style"),
        Input("sweep-filters", "data"),
        Input("theme", "data"),
        Input("sweep-selected", "data"),
        Input(LIVE_VERSION, "data"),
    )
    def draw_map(filters: Filters, theme: str, selected: str | None, _version: str) -> tuple[Any, ...]:
        ticks = _ticks(live.now)
        return build_sweep_map(ticks, filters, theme, selected), *_map_styles(ticks)

    @app.callback(
        Output("sweep-drawer", "title"),
        Output("sweep-drawer-body", "children"),
        Input("sweep-selected", "data"),
        Input(LIVE_VERSION, "data"),
        prevent_initial_call=True,
    )
    def fill_drawer(selected: str | None, _version: str) -> tuple[Any, Any]:
        # A drawer that closes keeps its text until it is out of sight.
        return (selected, build_drawer_body(live.now, selected)) if selected else (no_update, no_update)

    @app.callback(
        Output("sweep-download", "data"),
        Input("sweep-csv", "n_clicks"),
        State("sweep-grid", "virtualRowData"),
        prevent_initial_call=True,
    )
    def download(_clicks: int, shown: list[dict[str, Any]] | None) -> Any:
        return dcc.send_string(table_csv(live.now, shown), "runs.csv")
