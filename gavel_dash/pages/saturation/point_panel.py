"""The right third: the cluster at the clicked point, one round of one of its runs, and what speaks for its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from gavel_dash.figures import theme as look
from gavel_dash.figures.saturation import SaturationData
from gavel_dash.figures.sparkline import HEIGHT_PX as SPARKLINE_HEIGHT_PX
from gavel_dash.pages.saturation.data import Selection, point_choice, point_options, seed_options, select
from gavel_dash.pages.saturation.point_evidence import build_evidence
from gavel_dash.pages.saturation.point_here import here_options, here_value, run_to_open
from gavel_dash.pages.saturation.point_round import (
    HEATMAP_HEIGHT_PX,
    describe,
    draw_round,
    moment_at,
    moment_options,
)
from gavel_dash.pages.saturation.state import Controls, Filters, options_of
from gavel_dash.ui import csv_link, labelled, panel

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep, Sweep

STEPS = (
    (-10, "−10", "Ten rounds back"),
    (-1, "−1", "One round back"),
    (1, "+1", "One round on"),
    (10, "+10", "Ten rounds on"),
)
CHART_KEY = "Jobs in the system; dots: batch means; line and band: their slope and its interval."


def build_panel(sweep: Sweep, data: SaturationData, selection: Selection) -> Component:
    """The panel's frame with every id its callbacks fill."""
    moments = moment_options(sweep, selection)
    return panel(
        [
            labelled(
                "Point",
                dcc.Dropdown(
                    id="saturation-choice",
                    options=point_options(data),
                    value=point_choice(data, selection["run"]),
                    clearable=False,
                    maxHeight=320,
                    className="saturation-choice",
                ),
                "Click a point of a chart, or choose one here",
                inline=True,
            ),
            _radio_row("here", html.Span(id="saturation-here-label"), [], None, "Points at the clicked place"),
            html.Div(id="saturation-point-heading", className="saturation-point-heading"),
            dcc.RadioItems(
                id="saturation-seed",
                options=seed_options(data, selection["run"]),
                value=selection["run"],
                className="saturation-seeds",
                inline=True,
            ),
            html.Div(id="saturation-evidence", className="saturation-evidence"),
            html.P(id="saturation-no-rounds", className="saturation-no-rounds", hidden=True, role="status"),
            html.Div(_round(moments, selection), id="saturation-round"),
            dcc.Store(id="saturation-click"),
        ],
        title="The cluster at this point",
        className="saturation-point",
        id="saturation-point",
    )


def _round(moments: list[dict[str, Any]], selection: Selection) -> list[Component]:
    cluster = html.A(
        "Open in Cluster", id="saturation-open-cluster", href="/cluster", className="gd-button gd-button-primary"
    )
    return [
        html.Div(id="saturation-round-heading", className="saturation-round-heading", **{"aria-live": "polite"}),
        html.Div([*(_step_button(*step) for step in STEPS), cluster], className="saturation-steps"),
        _radio_row("moment", "Go to", moments, moment_at(moments, selection["round"]), "Rounds that matter"),
        _graph(
            "saturation-jobs-figure",
            SPARKLINE_HEIGHT_PX,
            "Jobs in the system over the run with their slope; the thick line is the round shown",
        ),
        html.Div(
            [CHART_KEY, csv_link("saturation-rounds-csv", "", hint="Download all rounds of this run as CSV")],
            className="saturation-chart-key gd-muted",
        ),
        _graph("saturation-heatmap-figure", HEATMAP_HEIGHT_PX, "GPUs of the cluster in this round, by type"),
        html.Div(id="saturation-round-facts"),
    ]


def _choice_of_point(sweep: Sweep, data: SaturationData, run: str, here: list[dict[str, str]]) -> tuple[Any, ...]:
    """All that changes when another run is opened, in the order of the callback's outputs."""
    selection = select(sweep, run)
    at = here_value(data, here, run)
    here = here if len(here) > 1 and at is not None else []
    moments = moment_options(sweep, selection)
    return (
        selection,
        seed_options(data, run),
        run,
        point_choice(data, run),
        f"{len(here)} points here:" if here else "",
        here,
        at,
        moments,
        moment_at(moments, selection["round"]),
    )


def register_point(app: Dash, live: LiveSweep, data_of: Callable[[Filters, Controls], SaturationData]) -> None:
    """Register the panel's callbacks: what a click opens, what is said and drawn of it, and stepping."""

    @app.callback(
        Output("saturation-selection", "data"),
        Output("saturation-seed", "options"),
        Output("saturation-seed", "value"),
        Output("saturation-choice", "value"),
        Output("saturation-here-label", "children"),
        Output("saturation-here", "options"),
        Output("saturation-here", "value"),
        Output("saturation-moment", "options"),
        Output("saturation-moment", "value"),
        Input("saturation-click", "data"),
        Input("saturation-seed", "value"),
        Input("saturation-choice", "value"),
        Input("saturation-here", "value"),
        State("saturation-here", "options"),
        State("saturation-selection", "data"),
        State("saturation-filters", "data"),
        State("saturation-options", "data"),
        prevent_initial_call=True,
    )
    def choose(
        click: dict[str, Any] | None,
        seed: str | None,
        choice: str | None,
        here: str | None,
        shown: list[dict[str, str]],
        selection: Selection,
        filters: Filters,
        controls: Controls,
    ) -> tuple[Any, ...]:
        data, open_now = data_of(filters, controls), selection["run"]
        if ctx.triggered_id == "saturation-click":
            run = run_to_open(data, click["runs"], click["again"], open_now) if click else None
            shown = here_options(data, click["runs"]) if click else shown
        else:
            asked = {"saturation-seed": seed, "saturation-choice": choice, "saturation-here": here}
            current = {
                "saturation-seed": open_now,
                "saturation-choice": point_choice(data, open_now),
                "saturation-here": here_value(data, shown, open_now),
            }
            run = asked[ctx.triggered_id] if asked[ctx.triggered_id] != current[ctx.triggered_id] else None
        if run is None:
            raise PreventUpdate
        return _choice_of_point(live.now, data, run, shown)

    @app.callback(
        Output("saturation-evidence", "children"),
        Input("saturation-seed", "value"),
        Input("saturation-options", "data"),
        State("saturation-filters", "data"),
    )
    def judge_run(run: str | None, controls: Controls, filters: Filters) -> list[Component]:
        runs = data_of(filters, controls).runs
        row = runs[runs["run"] == run]
        return build_evidence(row.iloc[0], options_of(controls).confidence) if len(row) else []

    @app.callback(
        Output("saturation-point-heading", "children"),
        Output("saturation-no-rounds", "children"),
        Output("saturation-no-rounds", "hidden"),
        Output("saturation-round", "hidden"),
        Output("saturation-round-heading", "children"),
        Output("saturation-round-facts", "children"),
        Output("saturation-open-cluster", "href"),
        Output("saturation-rounds-csv", "href"),
        Input("saturation-selection", "data"),
        Input("saturation-options", "data"),
        State("saturation-filters", "data"),
    )
    def describe_point(selection: Selection, controls: Controls, filters: Filters) -> tuple[Any, ...]:
        texts = describe(live.now, data_of(filters, controls), selection)
        missing = texts.why_no_rounds
        hidden = missing is None, missing is not None
        return (
            texts.heading,
            missing,
            *hidden,
            texts.round_heading,
            texts.facts,
            texts.cluster_href,
            texts.rounds_href,
        )

    @app.callback(
        Output("saturation-jobs-figure", "figure"),
        Output("saturation-heatmap-figure", "figure"),
        Input("saturation-selection", "data"),
        Input("saturation-options", "data"),
        Input("theme", "data"),
    )
    def draw_point(selection: Selection, controls: Controls, theme: str) -> tuple[Any, Any]:
        run, index = selection["run"], selection["round"]
        if run is None or index is None:
            return no_update, no_update
        return draw_round(live.now[run], index, theme, options_of(controls).confidence)

    _register_clientside(app)


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("saturation", "pick"),
        Output("saturation-click", "data"),
        # Emptied, so that a second click on the same point is a click again.
        Output("saturation-overlay-figure", "clickData"),
        Output("saturation-panels-figure", "clickData"),
        Input("saturation-overlay-figure", "clickData"),
        Input("saturation-panels-figure", "clickData"),
        State("saturation-click", "data"),
        prevent_initial_call=True,
    )
    # Steps are counted in the browser: ten quick clicks must be ten rounds, however slow the answers.
    app.clientside_callback(
        ClientsideFunction("saturation", "step"),
        Output("saturation-selection", "data", allow_duplicate=True),
        Output("saturation-jobs-figure", "clickData"),
        Output("saturation-moment", "value", allow_duplicate=True),
        Input({"type": "saturation-step", "by": ALL}, "n_clicks"),
        Input("saturation-jobs-figure", "clickData"),
        Input("saturation-moment", "value"),
        State("saturation-selection", "data"),
        prevent_initial_call=True,
    )


def _radio_row(
    name: str, label: str | Component, options: list[dict[str, Any]], value: str | None, hint: str
) -> Component:
    radio = dcc.RadioItems(id=f"saturation-{name}", options=options, value=value, inline=True)
    return html.Div(
        [html.Div(label, className="gd-label"), radio],
        className="saturation-radio-row",
        role="group",
        **{"aria-label": hint},
    )


def _step_button(by: int, label: str, hint: str) -> Component:
    id = {"type": "saturation-step", "by": by}
    return html.Button(
        label, id=id, n_clicks=0, type="button", title=hint, className="gd-button", **{"aria-label": hint}
    )


def _graph(id: str, height_px: int, label: str) -> Component:
    empty = {
        "data": [],
        "layout": look.layout("light", height=height_px, xaxis={"visible": False}, yaxis={"visible": False}),
    }
    config = look.GRAPH_CONFIG | {"displayModeBar": False}
    graph = dcc.Graph(id=id, figure=empty, config=config, style={"height": f"{height_px}px"})
    return html.Div(graph, role="img", **{"aria-label": label})
