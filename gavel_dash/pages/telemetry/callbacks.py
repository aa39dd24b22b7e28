"""What the page does. Callbacks unpack, call one plain function, return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from gavel_dash.pages.selection import register_picker
from gavel_dash.pages.telemetry.content import cursor_line, draw, place_cursor, refine
from gavel_dash.pages.telemetry.data import find_cursor, known_fields, move_cursor, open_runs
from gavel_dash.pages.telemetry.layout import field_options
from gavel_dash.pages.telemetry.state import Controls, csv_href, list_of, options_of, view_in

if TYPE_CHECKING:
    from dash.development.base_component import Component

    from gavel_dash.sweep import LiveSweep

Names = list[str] | None
Seen = dict[str, Any] | None
#: The controls in the order `collect` in assets/telemetry.js takes their values.
CONTROLS = ("x", "y", "view", "color", "log", "smooth", "n", "window")


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""
    register_picker(app, live, "telemetry")

    @app.callback(
        Output("telemetry-figure", "figure"),
        Output("telemetry-figure", "style"),
        Output("telemetry-key", "children"),
        Output("telemetry-notes", "children"),
        Output("telemetry-empty", "children"),
        Output("telemetry-chart", "hidden"),
        Input("telemetry-runs", "value"),
        Input("telemetry-options", "data"),
        Input("theme", "data"),
        State("telemetry-seen", "data"),
        State("telemetry-cursor", "data"),
    )
    def draw_charts(
        names: Names, controls: Controls, theme: str | None, seen: Seen, cursor: int | None
    ) -> tuple[Any, ...]:
        options = options_of(controls)
        drawn = draw(live.now, names or [], options, view_in(seen, options), cursor, theme or "light")
        return *drawn, drawn[-1] is not None

    @app.callback(
        Output("telemetry-figure", "figure", allow_duplicate=True),
        Input("telemetry-seen", "data"),
        Input("telemetry-cursor", "data"),
        State("telemetry-runs", "value"),
        State("telemetry-options", "data"),
        State("theme", "data"),
        State("telemetry-notes", "children"),
        prevent_initial_call=True,
    )
    def amend(
        seen: Seen, cursor: int | None, names: Names, controls: Controls, theme: str | None, notes: list[Any] | None
    ) -> Any:
        if notes is None:
            return no_update  # an empty store reports itself when it appears, before there is a figure
        options = options_of(controls)
        change = refine if "telemetry-seen" in ctx.triggered_prop_ids.values() else place_cursor
        return change(live.now, names or [], options, view_in(seen, options), cursor, theme or "light")

    _register_cursor(app, live)

    @app.callback(
        Output("telemetry-x", "options"),
        Output("telemetry-y", "options"),
        Input("telemetry-runs", "value"),
        State("telemetry-x", "value"),
        State("telemetry-y", "value"),
        prevent_initial_call=True,
    )
    def offer_fields(names: Names, x: str, y: list[str]) -> tuple[list[dict[str, str]], ...]:
        fields = known_fields(live.now, open_runs(live.now, names or [])[0])
        return field_options(fields, [x]), field_options(fields, list_of(y))

    @app.callback(
        Output("telemetry-csv", "href"),
        Input("telemetry-runs", "value"),
        Input("telemetry-options", "data"),
        Input("telemetry-seen", "data"),
        prevent_initial_call=True,
    )
    def link_csv(names: Names, controls: Controls, seen: Seen) -> str:
        return csv_href(names or [], controls, view_in(seen, options_of(controls)))

    _register_clientside(app)


def _register_cursor(app: Dash, live: LiveSweep) -> None:
    """Where the cursor is: set by a click, kept at its time when another run comes first."""

    @app.callback(
        Output("telemetry-cursor", "data", allow_duplicate=True),
        Input("telemetry-picked", "data"),
        State("telemetry-runs", "value"),
        State("telemetry-options", "data"),
        prevent_initial_call=True,
    )
    def pick(picked: dict[str, object] | None, names: Names, controls: Controls) -> Any:
        return no_update if not picked else find_cursor(live.now, names or [], options_of(controls), picked)

    @app.callback(
        Output("telemetry-cursor", "data", allow_duplicate=True),
        Output("telemetry-cursor-run", "data"),
        Input("telemetry-runs", "value"),
        State("telemetry-cursor", "data"),
        State("telemetry-cursor-run", "data"),
        prevent_initial_call=True,
    )
    def keep_time(names: Names, cursor: int | None, of_run: str | None) -> tuple[Any, Any]:
        first = next(iter(open_runs(live.now, names or [])[0]), None)
        if first is None or first == of_run:
            return no_update, no_update
        known = cursor is not None and of_run is not None and cursor < live.now[of_run].n_rounds
        return (move_cursor(live.now, str(of_run), first, cursor or 0) if known else None), first

    @app.callback(
        Output("telemetry-cursor-line", "children"),
        Output("telemetry-uncursor", "hidden"),
        Input("telemetry-cursor", "data"),
        Input("telemetry-runs", "value"),
        prevent_initial_call=True,
    )
    def say_cursor(cursor: int | None, names: Names) -> tuple[list[Component | str], bool]:
        return cursor_line(live.now, names or [], cursor), cursor is None


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("telemetry", "collect"),
        Output("telemetry-options", "data"),
        *(Input(f"telemetry-{control}", "value") for control in CONTROLS),
        State("telemetry-options", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("telemetry", "look"),
        Input("telemetry-figure", "relayoutData"),
        State("telemetry-options", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("telemetry", "pick"),
        Output("telemetry-figure", "clickData"),
        Input("telemetry-figure", "clickData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        "function (clicks) { return clicks ? null : window.dash_clientside.no_update; }",
        Output("telemetry-cursor", "data", allow_duplicate=True),
        Input("telemetry-uncursor", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("telemetry", "writeUrl"),
        Output("telemetry-url", "data"),
        Input("telemetry-runs", "value"),
        Input("telemetry-options", "data"),
        Input("telemetry-seen", "data"),
        Input("telemetry-cursor", "data"),
        State("telemetry-defaults", "data"),
        prevent_initial_call=True,
    )
