"""The Cluster page: what did it look like? One run, round by round.

The query holds `run`, `round` and `color`. `round` is the record index, counted from 0: it is unique in a file and the
whole package seeks by it, while the simulator's round numbers, which the page shows, may repeat or have gaps.

The browser keeps the time (`assets/cluster.js`): it asks for a round only when the one before is drawn, so a slow
server or a large cluster shows fewer rounds and never a late clock. `cluster-view` is the round asked for,
`cluster-shown` the one drawn, `cluster-settled` follows it at rest, or once a second while playing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from gavel_dash.pages.cluster_layout import TRANSPORT, build_layout
from gavel_dash.pages.cluster_view import (
    Shown,
    View,
    build_frame,
    csv_links,
    first_view,
    open_view,
    problem_links,
    queue_of_round,
    scrubber_figure,
)

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

PATH = "/cluster"
TITLE = "Cluster"
KEYS = (
    ("Space", "play or pause"),
    ("← →", "one round back or on"),
    ("Shift ← →", "ten rounds"),
    ("Home End", "first or last round"),
    ("1 – 3", "colour by category, scale factor, job"),
)


def layout(sweep: Sweep, **query: object) -> Component:
    """The page, restored from its query."""
    return build_layout(sweep, query)


def register_callbacks(app: Dash, sweep: Sweep) -> None:
    """Register the page's callbacks on an app."""
    _register_browser_callbacks(app)

    @app.callback(
        Output("cluster-info", "data"),
        Output("cluster-view", "data"),
        Output("cluster-message", "children"),
        Output("cluster-message", "hidden"),
        Output("cluster-viewer", "hidden"),
        Output("cluster-downloads", "hidden"),
        Output("cluster-slider", "max"),
        Input("cluster-run", "value"),
        prevent_initial_call=True,
    )
    def open_run(name: str | None) -> tuple[Any, ...]:
        opened = open_view(sweep, name)
        if opened.info is None:
            return None, None, problem_links(opened.problem), False, True, True, no_update
        return opened.info, first_view(opened.info), [], True, False, False, opened.info["n_rounds"] - 1

    @app.callback(
        Output("cluster-heatmap", "figure"),
        Output("cluster-tiles", "children"),
        Output("cluster-now", "children"),
        Output("cluster-note", "children"),
        Output("cluster-shown", "data"),
        Input("cluster-view", "data"),
        Input("cluster-color", "value"),
        Input("theme", "data"),
        State("cluster-shown", "data"),
    )
    def show_round(view: View | None, color: str, theme: str | None, shown: Shown | None) -> tuple[Any, ...]:
        if view is None:
            return no_update, no_update, no_update, no_update, None
        frame = build_frame(sweep, view, color, theme or "light", shown)
        figure = no_update if frame.figure is None else frame.figure
        return figure, frame.tiles, frame.now, frame.note, {**view, "color": color, "theme": theme or "light"}

    @app.callback(
        Output("cluster-scrubber", "figure"),
        Output("cluster-rounds-csv", "href"),
        Output("cluster-jobs-csv", "href"),
        Input("cluster-info", "data"),
        Input("theme", "data"),
    )
    def show_run(info: dict[str, Any] | None, theme: str | None) -> tuple[Any, ...]:
        if info is None:
            return no_update, no_update, no_update
        rounds, jobs, _queue = csv_links(info["run"], info["index"])
        return scrubber_figure(sweep[info["run"]], theme or "light"), rounds, jobs

    @app.callback(
        Output("cluster-queue", "rowData"),
        Output("cluster-queue-summary", "children"),
        Output("cluster-queue-csv", "href"),
        Output("cluster-live", "children"),
        Input("cluster-settled", "data"),
        prevent_initial_call=True,
    )
    def show_queue(view: View | None) -> tuple[Any, ...]:
        if view is None:
            return [], [], no_update, ""
        queue = queue_of_round(sweep[view["run"]], view["index"])
        # Screen readers hear where it stands, not every round that passes.
        live = no_update if view["playing"] else queue.spoken
        return queue.rows, queue.summary, csv_links(view["run"], view["index"])[2], live


def _register_browser_callbacks(app: Dash) -> None:
    """Clock, transport, scrubber and address bar: all in the browser."""
    # Only a callback with an output is called when the page appears.
    app.clientside_callback(
        ClientsideFunction("cluster", "load"), Output("cluster-quiet", "title"), Input("cluster-info", "data")
    )
    functions: dict[str, tuple[Input, ...]] = {
        "press": tuple(Input(f"cluster-{name}", "n_clicks") for name in TRANSPORT),
        "setSpeed": (Input("cluster-speed", "value"),),
        "slide": (Input("cluster-slider", "value"),),
        "click": (Input("cluster-scrubber", "clickData"),),
        "drawn": (Input("cluster-shown", "data"),),
        "writeQuery": (Input("cluster-settled", "data"), Input("cluster-color", "value")),
    }
    for function, arguments in functions.items():
        app.clientside_callback(ClientsideFunction("cluster", function), *arguments)
