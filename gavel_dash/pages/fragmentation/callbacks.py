"""What the page does. Callbacks unpack, call one plain function, return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, html, no_update

from gavel_dash.pages.fragmentation.across import build_across, tell_notes
from gavel_dash.pages.fragmentation.content import (
    blocked_href,
    build_nodes,
    build_time,
    compute_slice,
    cursor_at,
    cursor_record,
    cursor_shapes_of,
    of_choices,
    sizes_of,
    tell_why,
    work_line,
)
from gavel_dash.pages.fragmentation.data import Progress, is_worth_drawing
from gavel_dash.pages.fragmentation.layout import SWEEP, TIME, size_options
from gavel_dash.pages.node_sizes import register_node_sizes, tidy_node_sizes
from gavel_dash.pages.selection import register_picker
from gavel_dash.ui import LIVE_RESULTS, do_again

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep

Sizes = dict[str, int] | None
Names = list[str] | None


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""
    register_picker(app, live, "fragmentation")
    do_again(app, LIVE_RESULTS, "fragmentation-tick", "data")
    register_node_sizes(app, "fragmentation")
    _register_work(app, live)
    _register_time(app, live)
    _register_choices(app, live)
    _register_cursor(app, live)
    _register_across(app, live)
    _register_clientside(app)


def _register_work(app: Dash, live: LiveSweep) -> None:
    @app.callback(
        Output("fragmentation-progress", "data"),
        Output("fragmentation-work", "children"),
        Input("fragmentation-runs", "value"),
        Input("fragmentation-tab", "value"),
        Input("node-sizes", "data"),
        Input("fragmentation-tick", "data"),
        State("fragmentation-progress", "data"),
    )
    def work(names: Names, tab: str, sizes: Sizes, _tick: int | None, before: Progress | None) -> tuple[Any, ...]:
        progress = compute_slice(live.now, tab, names or [], tidy_node_sizes(sizes), before)
        return progress, work_line(progress)


def _register_time(app: Dash, live: LiveSweep) -> None:
    @app.callback(
        Output("fragmentation-figure", "figure"),
        Output("fragmentation-figure", "style"),
        Output("fragmentation-key", "children"),
        Output("fragmentation-notes", "children"),
        Output("fragmentation-csv", "href"),
        Input("fragmentation-progress", "data"),
        Input("fragmentation-of", "value"),
        Input("fragmentation-split", "value"),
        Input("fragmentation-size", "value"),
        Input("fragmentation-view", "data"),
        Input("theme", "data"),
        State("fragmentation-cursor", "data"),
        prevent_initial_call=True,
    )
    def draw(
        progress: Progress | None, of: str | None, split: str, size: int, view: Any, theme: str, cursor: int | None
    ) -> tuple[Any, ...]:
        if not progress or progress["tab"] != TIME or not is_worth_drawing(progress):
            return (no_update,) * 5
        chart = build_time(live.now, progress, of, split, size, view, theme, cursor)
        notes = [html.P(note) for note in chart.notes]
        return chart.figure, {"height": f"{chart.height_px}px"}, chart.key, notes, chart.csv_href

    @app.callback(
        Output("fragmentation-nodes-figure", "figure"),
        Output("fragmentation-nodes", "hidden"),
        Output("fragmentation-nodes-csv", "href"),
        Output("fragmentation-nodes-notes", "children"),
        Input("fragmentation-progress", "data"),
        Input("fragmentation-of", "value"),
        Input("fragmentation-view", "data"),
        Input("theme", "data"),
        prevent_initial_call=True,
    )
    def draw_nodes(progress: Progress | None, of: str | None, view: Any, theme: str) -> tuple[Any, ...]:
        if not progress or progress["tab"] != TIME or progress["done"] < progress["total"]:
            return (no_update,) * 4
        figure, hidden, href, words = build_nodes(live.now, progress, of, view, theme)
        return figure, hidden, href, html.P(words)


def _register_choices(app: Dash, live: LiveSweep) -> None:
    @app.callback(
        Output("fragmentation-of", "options"),
        Output("fragmentation-of", "value"),
        Input("fragmentation-runs", "value"),
        State("fragmentation-of", "value"),
    )
    def offer_runs(names: Names, of: str | None) -> tuple[Any, ...]:
        return of_choices(live.now, names or [], of)

    @app.callback(
        Output("fragmentation-size", "options"),
        Output("fragmentation-size", "value"),
        Input("fragmentation-of", "value"),
        State("fragmentation-size", "value"),
    )
    def offer_sizes(of: str | None, size: int) -> tuple[Any, ...]:
        sizes = sizes_of(live.now, of)
        return size_options(sizes), size if size in sizes else 0


def _register_cursor(app: Dash, live: LiveSweep) -> None:
    @app.callback(
        Output("fragmentation-cursor", "data"),
        Input("fragmentation-picked", "data"),
        State("fragmentation-runs", "value"),
        prevent_initial_call=True,
    )
    def set_cursor(hour: float | None, names: Names) -> Any:
        return cursor_at(live.now, names or [], hour)

    @app.callback(
        Output("fragmentation-figure", "figure", allow_duplicate=True),
        Input("fragmentation-cursor", "data"),
        State("fragmentation-progress", "data"),
        State("theme", "data"),
        prevent_initial_call=True,
    )
    def move_cursor(cursor: int | None, progress: Progress | None, theme: str) -> Any:
        if not progress or progress["tab"] != TIME:
            return no_update
        patch = Patch()
        patch["layout"]["shapes"] = cursor_shapes_of(live.now, progress, cursor, theme)
        return patch

    @app.callback(
        Output("fragmentation-why", "children"),
        Output("fragmentation-blocked-csv", "href"),
        Input("fragmentation-cursor", "data"),
        Input("fragmentation-progress", "data"),
        Input("fragmentation-of", "value"),
        prevent_initial_call=True,
    )
    def tell(cursor: int | None, progress: Progress | None, of: str | None) -> tuple[Any, ...]:
        if not progress or progress["tab"] != TIME:
            return no_update, no_update
        record = cursor_record(live.now, progress, of, cursor)
        return tell_why(live.now, progress, of, record), blocked_href(progress, of)


def _register_across(app: Dash, live: LiveSweep) -> None:
    @app.callback(
        Output("fragmentation-curves-figure", "figure"),
        Output("fragmentation-curve-notes", "children"),
        Output("fragmentation-curves-csv", "href"),
        Input("fragmentation-progress", "data"),
        Input("fragmentation-by", "value"),
        Input("fragmentation-measure", "value"),
        Input("theme", "data"),
        State("node-sizes", "data"),
        prevent_initial_call=True,
    )
    def draw_curves(progress: Progress | None, by: str, measure: str, theme: str, sizes: Sizes) -> tuple[Any, ...]:
        if not progress or progress["tab"] != SWEEP:
            return (no_update,) * 3
        across = build_across(live.now, progress, tidy_node_sizes(sizes), by, measure, theme)
        return across.figure, tell_notes(across), across.csv_href


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("fragmentation", "goOn"),
        Output("fragmentation-quiet", "data"),
        Input("fragmentation-progress", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("fragmentation", "follow"),
        Output("fragmentation-quiet", "data", allow_duplicate=True),
        Input("fragmentation-figure", "relayoutData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("fragmentation", "pick"),
        Output("fragmentation-figure", "clickData"),
        Input("fragmentation-figure", "clickData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("fragmentation", "adoptNodes"),
        Output("node-sizes", "data", allow_duplicate=True),
        Input("fragmentation-asked-nodes", "data"),
        State("node-sizes", "data"),
        prevent_initial_call="initial_duplicate",
    )
    app.clientside_callback(
        ClientsideFunction("fragmentation", "showTab"),
        Output("fragmentation-picker", "hidden"),
        Output("fragmentation-time", "hidden"),
        Output("fragmentation-time-controls", "hidden"),
        Output("fragmentation-sweep", "hidden"),
        Output("fragmentation-sweep-controls", "hidden"),
        Input("fragmentation-tab", "value"),
    )
    app.clientside_callback(
        ClientsideFunction("fragmentation", "openPoint"),
        Output("fragmentation-runs", "value", allow_duplicate=True),
        Output("fragmentation-tab", "value"),
        Output("fragmentation-curves-figure", "clickData"),
        Input("fragmentation-curves-figure", "clickData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("fragmentation", "writeUrl"),
        Output("fragmentation-url", "data"),
        Input("fragmentation-runs", "value"),
        Input("fragmentation-cursor", "data"),
        Input("fragmentation-view", "data"),
        Input("node-sizes", "data"),
        *(Input(f"fragmentation-{key}", "value") for key in ("tab", "split", "of", "size", "by", "measure")),
        prevent_initial_call=True,
    )
