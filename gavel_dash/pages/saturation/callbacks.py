"""What the page does. Callbacks unpack, call one plain function, return."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, Patch, State, ctx, html, no_update
from dash.exceptions import PreventUpdate

from gavel_dash.analysis.saturation import DEFAULT_K
from gavel_dash.figures.saturation import SaturationData, build_overlay
from gavel_dash.figures.saturation_panels import build_panels
from gavel_dash.pages.saturation.data import Selection, collect, point_choice, seed_options, select
from gavel_dash.pages.saturation.layout import csv_query
from gavel_dash.pages.saturation.point_panel import describe, draw_round
from gavel_dash.pages.saturation.state import Filters, options_from_controls
from gavel_dash.pages.saturation.table import build_table, notes_of

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

#: Different filters and k whose curves and bootstraps are kept.
REMEMBERED = 16


def register_callbacks(app: Dash, sweep: Sweep) -> None:
    """Register the page's callbacks on an app."""

    @lru_cache(maxsize=REMEMBERED)
    def remembered(filters: tuple[tuple[str, tuple[str, ...]], ...], k: float) -> SaturationData:
        return collect(sweep, {key: list(texts) for key, texts in filters}, k)

    def data_of(filters: Filters, k: float) -> SaturationData:
        return remembered(tuple(sorted((key, tuple(texts)) for key, texts in filters.items())), k)

    @app.callback(
        Output("saturation-overlay-figure", "figure"),
        Output("saturation-panels-figure", "figure"),
        Input("saturation-k", "value"),
        Input("saturation-axis", "value"),
        Input("saturation-show", "value"),
        Input("saturation-seed", "value"),
        Input("theme", "data"),
        State("saturation-filters", "data"),
    )
    def draw_charts(
        k: float | None, axis: str, show: list[str], run: str | None, theme: str, filters: Filters
    ) -> tuple[dict[str, Any] | Patch, dict[str, Any] | Patch]:
        options = options_from_controls(k, axis, show)
        if options is None:
            raise PreventUpdate
        data = data_of(filters, options.k)
        overlay = build_overlay(data, options, run, theme)
        panels = build_panels(data, options, run, theme)
        # Other layers or another scale are another chart; anything else keeps the zoom.
        if {"saturation-axis", "saturation-show", None} & {ctx.triggered_id}:
            return overlay, panels
        return keep_zoom(overlay), keep_zoom(panels)

    @app.callback(
        Output("saturation-table", "children"),
        Output("saturation-notes", "children"),
        Output("saturation-points-csv", "href"),
        Input("saturation-k", "value"),
        State("saturation-axis", "value"),
        State("saturation-filters", "data"),
        prevent_initial_call=True,
    )
    def tabulate(k: float | None, axis: str, filters: Filters) -> tuple[Any, list[Any], str]:
        options = options_from_controls(k, axis, [])
        if options is None:
            raise PreventUpdate
        data = data_of(filters, options.k)
        href = f"/api/saturation.csv{csv_query(filters, k=f'{options.k:g}')}"
        return build_table(data), [html.P(note) for note in notes_of(data)], href

    @app.callback(
        Output("saturation-selection", "data"),
        Output("saturation-seed", "options"),
        Output("saturation-seed", "value"),
        Output("saturation-choice", "value"),
        # Emptied, so that a second click on the same point is a click again.
        Output("saturation-overlay-figure", "clickData"),
        Output("saturation-panels-figure", "clickData"),
        Input("saturation-overlay-figure", "clickData"),
        Input("saturation-panels-figure", "clickData"),
        Input("saturation-seed", "value"),
        Input("saturation-choice", "value"),
        State("saturation-selection", "data"),
        State("saturation-filters", "data"),
        prevent_initial_call=True,
    )
    def choose(
        overlay_click: Any,
        panels_click: Any,
        seed: str | None,
        choice: str | None,
        selection: Selection,
        filters: Filters,
    ) -> tuple[Any, ...]:
        data = data_of(filters, DEFAULT_K)
        now = {"saturation-seed": selection["run"], "saturation-choice": point_choice(data, selection["run"])}
        asked = {"saturation-seed": seed, "saturation-choice": choice}
        run = asked.get(ctx.triggered_id, clicked_run(overlay_click or panels_click))
        if run is None or run == now.get(ctx.triggered_id):
            raise PreventUpdate
        return select(sweep, run), seed_options(data, run), run, point_choice(data, run), None, None

    @app.callback(
        Output("saturation-point-heading", "children"),
        Output("saturation-no-rounds", "children"),
        Output("saturation-no-rounds", "hidden"),
        Output("saturation-round", "hidden"),
        Output("saturation-round-heading", "children"),
        Output("saturation-round-facts", "children"),
        Output("saturation-open-cluster", "href"),
        Input("saturation-selection", "data"),
        State("saturation-filters", "data"),
    )
    def describe_point(selection: Selection, filters: Filters) -> tuple[Any, ...]:
        texts = describe(sweep, data_of(filters, DEFAULT_K), selection)
        missing = texts.why_no_rounds
        return (
            texts.heading,
            missing,
            missing is None,
            missing is not None,
            texts.round_heading,
            texts.facts,
            texts.cluster_href,
        )

    @app.callback(
        Output("saturation-jobs-figure", "figure"),
        Output("saturation-heatmap-figure", "figure"),
        Input("saturation-selection", "data"),
        Input("theme", "data"),
    )
    def draw_point(selection: Selection, theme: str) -> tuple[Any, Any]:
        run, index = selection["run"], selection["round"]
        if run is None or index is None:
            return no_update, no_update
        return draw_round(sweep[run], index, theme)

    _register_clientside(app)


def clicked_run(click: Any) -> str | None:
    """The run behind a clicked point: its customdata; None for what is not clickable, such as the paper's lines."""
    run = (click or {"points": []})["points"][:1]
    name = run[0].get("customdata") if run else None
    return name if isinstance(name, str) else None


def keep_zoom(figure: dict[str, Any]) -> Patch:
    """All of a figure but the ranges of its axes.

    Dash writes a zoomed range into the `figure` property, so that Plotly's `uirevision` cannot tell it from ours: a
    whole figure would reset the zoom.
    """
    patch = Patch()
    patch["data"] = figure["data"]
    for name, value in figure["layout"].items():
        if name.startswith(("xaxis", "yaxis")):
            for key in value.keys() - {"range"}:
                patch["layout"][name][key] = value[key]
        else:
            patch["layout"][name] = value
    return patch


def _register_clientside(app: Dash) -> None:
    # Steps are counted in the browser: ten quick clicks must be ten rounds, however slow the answers.
    app.clientside_callback(
        ClientsideFunction("saturation", "step"),
        Output("saturation-selection", "data", allow_duplicate=True),
        Output("saturation-jobs-figure", "clickData"),
        Input({"type": "saturation-step", "by": ALL}, "n_clicks"),
        Input("saturation-jobs-figure", "clickData"),
        State("saturation-selection", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("saturation", "writeUrl"),
        Output("saturation-url", "data"),
        Input("saturation-k", "value"),
        Input("saturation-axis", "value"),
        Input("saturation-show", "value"),
        Input("saturation-selection", "data"),
        prevent_initial_call=True,
    )
