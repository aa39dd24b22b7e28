"""What the page does. Callbacks unpack, call one plain function, return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, html

from gavel_dash.figures.saturation import SaturationData, build_overlay
from gavel_dash.figures.saturation_panels import build_panels, panels_height
from gavel_dash.pages.saturation.data import collect
from gavel_dash.pages.saturation.gain_panel import register_gain
from gavel_dash.pages.saturation.layout import chart_title, curves_href, hides_panels, points_href
from gavel_dash.pages.saturation.pairs_panel import register_pairs
from gavel_dash.pages.saturation.point_panel import register_point
from gavel_dash.pages.saturation.state import Controls, Filters, options_of
from gavel_dash.pages.saturation.table import build_key, build_table, notes_of
from gavel_dash.ui import LIVE_RESULTS, do_again, keep_zoom

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep

#: The controls in the order `collect` in assets/saturation.js takes their values.
CONTROLS = ("measure", "method", "k", "confidence", "axis", "show", "color", "line", "panel")
GAIN_CONTROLS = ("gain-of", "gain-against", "gain-unit", "gain-view")


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""

    def data_of(filters: Filters, controls: Controls) -> SaturationData:
        return collect(live.now, filters, options_of(controls))

    @app.callback(
        Output("saturation-overlay-figure", "figure"),
        Output("saturation-panels-figure", "figure"),
        Output("saturation-panels-figure", "style"),
        Output("saturation-panels", "hidden"),
        Output("saturation-drawn", "data"),
        Input("saturation-options", "data"),
        Input("saturation-seed", "value"),
        Input("theme", "data"),
        State("saturation-filters", "data"),
        State("saturation-drawn", "data"),
    )
    def draw_charts(
        controls: Controls, run: str | None, theme: str, filters: Filters, drawn: str | None
    ) -> tuple[Any, ...]:
        data, options = data_of(filters, controls), options_of(controls)
        overlay = build_overlay(data, options, run, theme)
        panels = build_panels(data, options, run, theme)
        # Other layers or another scale are another chart; anything else keeps the zoom.
        drawing = f"{options.measure} {options.log} {options.paper} {options.seeds} {options.panel}"
        if drawing == drawn:
            overlay, panels = keep_zoom(overlay), keep_zoom(panels)
        style = {"height": f"{panels_height(data.curves, options.panel)}px"}
        return overlay, panels, style, hides_panels(data, options.panel), drawing

    @app.callback(
        Output("saturation-title", "children"),
        Output("saturation-key", "children"),
        Output("saturation-table", "children"),
        Output("saturation-notes", "children"),
        Output("saturation-curves-csv", "href"),
        Output("saturation-points-csv", "href"),
        Input("saturation-options", "data"),
        State("saturation-filters", "data"),
        prevent_initial_call=True,
    )
    def tabulate(controls: Controls, filters: Filters) -> tuple[Any, ...]:
        data, options = data_of(filters, controls), options_of(controls)
        notes = [html.P(note) for note in notes_of(data, options)]
        table = build_table(data, options)
        hrefs = curves_href(filters, controls), points_href(filters, controls)
        return chart_title(data), build_key(data), table, notes, *hrefs

    register_point(app, live, data_of)
    register_gain(app, data_of)
    register_pairs(app, live, data_of)
    do_again(app, LIVE_RESULTS, "saturation-options", "data")
    _register_clientside(app)


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("saturation", "collect"),
        Output("saturation-options", "data"),
        *(Input(f"saturation-{control}", "value") for control in (*CONTROLS, *GAIN_CONTROLS)),
        State("saturation-options", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("saturation", "writeUrl"),
        Output("saturation-url", "data"),
        Input("saturation-options", "data"),
        Input("saturation-selection", "data"),
        State("saturation-defaults", "data"),
        prevent_initial_call=True,
    )
