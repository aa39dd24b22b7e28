"""The Gantt on the Jobs page: GPUs by rounds for one of the selected runs, at the cursor that all pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from gavel_dash.errors import GavelDashError
from gavel_dash.figures.gantt import GANTT_COLOR_BY
from gavel_dash.figures.theme import GRAPH_CONFIG
from gavel_dash.pages.jobs.gantt_answers import csv_href, draw, first_name, pick, place, tell
from gavel_dash.pages.jobs.gantt_content import HEIGHT_PX, Asked, asked_view
from gavel_dash.pages.selection import Selection, asked_round
from gavel_dash.ui import LIVE_SHOWN, button, chart_panel, do_again, labelled, query_value

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep, Sweep

FIGURE = "jobs-gantt-figure"
#: In the order of the tab key; assets/gantt.js zooms.
_ZOOM = (
    ("in", "+", "Zoom in on the cursor, or the middle of what is in view"),
    ("out", "−", "Zoom out"),
    ("whole", "Whole run", "All rounds and GPUs (or double-click the chart)"),
)
_HELP = (
    "Drag over rounds and GPUs to zoom in, with Shift to move; double-click for the whole run. Click a cell to go to "
    "its round and pick out its job. Left and right step the round, with Shift by ten, while the panel has the focus "
    "(a click, or Tab)."
)
_HINT = "Columns are equal numbers of rounds; the hours below them say when. Busy shares are as the simulator counted."

_CSV_HINT = (
    "Download who held which GPU in the rounds in view, all GPUs, as CSV. Of a whole long run it can have over 200 MB: "
    "zoom in on fewer rounds to make it smaller"
)


def build_gantt(sweep: Sweep, selection: Selection, query: Mapping[str, object]) -> Component:
    """The panel at what the query asks for: `gantt` (run) and its `_rounds`, `_gpus`, `_color`; `job`, `round`."""
    name = query_value(query, "gantt")
    if name not in selection.names:
        name = first_name(selection.names)
    color = query_value(query, "gantt_color")
    job = query_value(query, "job") or ""
    built = chart_panel(
        FIGURE,
        "GPUs over time",
        "jobs-gantt-csv",
        csv_href(name, 0, None),
        height=f"{HEIGHT_PX}px",
        hint=_HINT,
        controls=_controls(selection.names, name, color if color in GANTT_COLOR_BY else "category"),
        below=_below(),
        id="jobs-gantt-panel",
        tabIndex=0,
        **{"aria-label": "GPUs over time; left and right step the round"},
    )
    built[FIGURE].config = {**GRAPH_CONFIG, "displayModeBar": False, "doubleClick": False, "showTips": False}
    built["jobs-gantt-csv"].title = _CSV_HINT
    built[FIGURE].clear_on_unhover = True
    stores = {
        "cursor": asked_round(query),
        "gantt-job": int(job) if job.isdecimal() and len(job) < 10 else None,
        "gantt-asked": _asked(sweep, name, query),
        "gantt-view": None,
        "gantt-shown": None,
        "gantt-pointed": None,
        "gantt-place": None,
    }
    return html.Div([built, *(dcc.Store(id=f"jobs-{key}", data=value) for key, value in stores.items())])


def _controls(names: tuple[str, ...], name: str | None, color: str) -> Component:
    run_menu = dcc.Dropdown(
        id="jobs-gantt-run", options=list(names), value=name, clearable=False, className="jobs-gantt-run"
    )
    color_menu = dcc.Dropdown(
        id="jobs-gantt-color",
        options=[{"label": label, "value": key} for key, label in GANTT_COLOR_BY.items()],
        value=color,
        clearable=False,
        searchable=False,
        className="jobs-gantt-color",
    )
    zoom = [button(f"jobs-gantt-{key}", sign, hint) for key, sign, hint in _ZOOM]
    return html.Div(
        [labelled("Run", run_menu, inline=True), labelled("Colour", color_menu, inline=True), *zoom],
        className="gd-actions",
    )


def _below() -> Component:
    return html.Div(
        [
            html.Div(id="jobs-gantt-cursor", className="jobs-gantt-cursor", hidden=True, **{"aria-hidden": "true"}),
            dcc.Tooltip(id="jobs-gantt-tooltip", loading_text="", className="jobs-gantt-tooltip"),
            html.Div(
                [
                    html.Div(id="jobs-gantt-card", role="status"),
                    button("jobs-gantt-clear", "Clear job", "Show all jobs alike again", hidden=True),
                ],
                className="jobs-gantt-card",
            ),
            html.Div(id="jobs-gantt-notes", className="gd-muted"),
            html.P(_HELP, className="gd-muted"),
        ]
    )


def _asked(sweep: Sweep, name: str | None, query: Mapping[str, object]) -> Asked | None:
    """The view of the address; without a run, or with a damaged one, there is none."""
    if name is None:
        return None
    try:
        return asked_view(sweep[name], query_value(query, "gantt_rounds"), query_value(query, "gantt_gpus"))
    except GavelDashError:
        return {"run": name, "x": None, "y": None, "width": None}


def register_gantt(app: Dash, live: LiveSweep) -> None:
    """Register the panel's callbacks on an app."""
    do_again(app, LIVE_SHOWN, "jobs-gantt-view", "data")

    @app.callback(
        Output(FIGURE, "figure"),
        Output("jobs-gantt-shown", "data"),
        Output("jobs-gantt-notes", "children"),
        Output("jobs-gantt-csv", "href"),
        Input("jobs-gantt-view", "data"),
        Input("jobs-gantt-color", "value"),
        Input("jobs-gantt-job", "data"),
        Input("theme", "data"),
        State("jobs-gantt-shown", "data"),
        prevent_initial_call=True,
    )
    def draw_gantt(view: Asked | None, color: str, job: int | None, theme: str, shown: Any) -> tuple[Any, ...]:
        return draw(live.now, view, color, job, theme, shown)

    @app.callback(
        Output("jobs-gantt-tooltip", "show"),
        Output("jobs-gantt-tooltip", "bbox"),
        Output("jobs-gantt-tooltip", "children"),
        Input("jobs-gantt-pointed", "data"),
        State("jobs-gantt-view", "data"),
        State("jobs-gantt-job", "data"),
        prevent_initial_call=True,
    )
    def tell_cell(point: dict[str, Any] | None, view: Asked | None, job: int | None) -> tuple[Any, ...]:
        return tell(live.now, view, point, job)

    @app.callback(
        Output("jobs-cursor", "data"),
        Output("jobs-gantt-job", "data"),
        Input(FIGURE, "clickData"),
        State("jobs-runs", "value"),
        State("jobs-gantt-view", "data"),
        State("jobs-gantt-job", "data"),
        prevent_initial_call=True,
    )
    def pick_cell(click: Any, names: list[str], view: Asked | None, job: int | None) -> tuple[Any, Any]:
        return pick(live.now, names, view, click and click["points"][0], job)

    @app.callback(
        Output("jobs-gantt-place", "data"),
        Output("jobs-gantt-card", "children"),
        Output("jobs-gantt-clear", "hidden"),
        Input("jobs-cursor", "data"),
        Input("jobs-gantt-job", "data"),
        Input("jobs-gantt-run", "value"),
        Input("jobs-runs", "value"),
    )
    def tell_place(cursor: int | None, job: int | None, name: str | None, names: list[str]) -> tuple[Any, ...]:
        return place(live.now, names, name, cursor, job)

    @app.callback(
        Output("jobs-gantt-run", "options"),
        Output("jobs-gantt-run", "value"),
        Input("jobs-runs", "value"),
        State("jobs-gantt-run", "value"),
        prevent_initial_call=True,
    )
    def offer_runs(names: list[str] | None, name: str | None) -> tuple[list[str], str | None]:
        return names or [], name if name in (names or []) else first_name(names)

    _register_clientside(app)


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("gantt", "look"),
        Output("jobs-gantt-view", "data"),
        Input(FIGURE, "relayoutData"),
        Input("jobs-gantt-run", "value"),
        State("jobs-gantt-asked", "data"),
        State("jobs-gantt-view", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("gantt", "point"), Output("jobs-gantt-pointed", "data"), Input(FIGURE, "hoverData")
    )
    app.clientside_callback(
        ClientsideFunction("gantt", "mark"),
        Output("jobs-gantt-cursor", "hidden"),
        Input("jobs-gantt-place", "data"),
        Input("jobs-cursor", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("gantt", "zoom"),
        Output("jobs-gantt-whole", "disabled"),
        *(Input(f"jobs-gantt-{key}", "n_clicks") for key, _, _ in _ZOOM),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        "function () { return null; }",
        Output("jobs-gantt-job", "data", allow_duplicate=True),
        Input("jobs-gantt-clear", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("gantt", "writeUrl"),
        Output("jobs-gantt-panel", "data-shown"),
        Input("jobs-gantt-shown", "data"),
        Input("jobs-gantt-color", "value"),
        Input("jobs-gantt-job", "data"),
        Input("jobs-cursor", "data"),
        State("jobs-runs", "value"),
    )
