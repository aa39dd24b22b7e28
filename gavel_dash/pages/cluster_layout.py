"""The Cluster page's components: heatmap and scrubber at the left, the round's numbers and queue at the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.figures.heatmap_colors import COLOR_BY
from gavel_dash.figures.scrubber import HEIGHT_PX as SCRUBBER_HEIGHT_PX
from gavel_dash.figures.scrubber import MARGIN as SCRUBBER_MARGIN
from gavel_dash.figures.theme import GRAPH_CONFIG
from gavel_dash.pages.cluster_view import (
    HEATMAP_HEIGHT_PX,
    csv_links,
    first_view,
    initial_color,
    open_view,
    problem_links,
    run_options,
)
from gavel_dash.ui import button, column_defs, csv_link, grid, labelled, page_header, panel, query_value

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

#: The transport's buttons, in order, with their tooltips.
TRANSPORT = {
    "first": "First round (Home)",
    "previous": "One round back (←)",
    "play": "Play or pause (Space)",
    "next": "One round on (→)",
    "last": "Last round (End)",
}
#: Multiples of five rounds a second.
SPEEDS = (0.5, 1, 2, 5, 10, 50)
#: Dragging zooms and a double click resets; a picture and a way back are enough.
_TOO_MANY_BUTTONS = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "select2d", "lasso2d"]


def build_layout(sweep: Sweep, query: Mapping[str, object]) -> Component:
    """The page as its query says: run, record index and colouring."""
    opened = open_view(sweep, query_value(query, "run"), query_value(query, "round"))
    info = opened.info
    name = info["run"] if info else query_value(query, "run")
    # Right from the start: a link without an address would download the page itself.
    rounds_href, jobs_href, queue_href = csv_links(info["run"], info["index"]) if info else ("", "", "")
    return html.Div(
        [
            dcc.Store(id="cluster-info", data=info),
            dcc.Store(id="cluster-view", data=first_view(info) if info else None),
            dcc.Store(id="cluster-shown"),
            dcc.Store(id="cluster-settled"),
            page_header(
                "Cluster",
                "What did it look like? Every GPU of one run, round by round.",
                html.Div(
                    [
                        csv_link(
                            "cluster-rounds-csv", rounds_href, "Rounds CSV", "Download all rounds of this run as CSV"
                        ),
                        csv_link("cluster-jobs-csv", jobs_href, "Jobs CSV", "Download all jobs of this run as CSV"),
                    ],
                    id="cluster-downloads",
                    className="gd-actions",
                    hidden=info is None,
                ),
            ),
            _controls(run_options(sweep), name, initial_color(query)),
            html.Div(
                problem_links(opened.problem) if info is None else [],
                id="cluster-message",
                className="gd-empty",
                role="status",
                hidden=info is not None,
            ),
            html.Div(
                [
                    html.Div([_heatmap_panel(), _scrubber_panel(info)], className="cluster-main"),
                    html.Div(
                        [panel([html.Div(id="cluster-tiles")], className="cluster-tiles"), _queue_panel(queue_href)]
                    ),
                ],
                id="cluster-viewer",
                className="cluster-viewer",
                hidden=info is None,
            ),
            html.Div(id="cluster-quiet", hidden=True),
            html.Div(id="cluster-live", className="visually-hidden", role="status", **{"aria-live": "polite"}),
        ],
        className="cluster-page",
    )


def _controls(names: list[str], name: str | None, color: str) -> Component:
    runs = dcc.Dropdown(
        id="cluster-run",
        options=names,
        value=name if name in names else None,
        clearable=False,
        placeholder="Choose a run",
        maxHeight=420,
    )
    colors = dcc.RadioItems(
        id="cluster-color",
        options=[{"label": label, "value": value} for value, label in COLOR_BY.items()],
        value=color,
        inline=True,
        className="cluster-colors",
    )
    return html.Div(
        [
            html.Div(labelled("Run", runs, inline=True), className="cluster-run"),
            labelled("Colour by", colors, inline=True),
        ],
        className="cluster-controls",
    )


def _heatmap_panel() -> Component:
    graph = dcc.Graph(
        id="cluster-heatmap",
        config={**GRAPH_CONFIG, "displayModeBar": "hover", "modeBarButtonsToRemove": _TOO_MANY_BUTTONS},
        style={"height": f"{HEATMAP_HEIGHT_PX}px"},
    )
    return panel(
        [
            html.Div(
                graph,
                role="img",
                style={"height": f"{HEATMAP_HEIGHT_PX}px"},
                **{"aria-label": "Heatmap: every GPU by type, coloured by what runs on it in this round"},
            ),
            html.P(id="cluster-note", className="cluster-note"),
        ],
        className="cluster-heatmap-panel",
    )


def _scrubber_panel(info: Mapping[str, Any] | None) -> Component:
    graph = dcc.Graph(
        id="cluster-scrubber",
        config={**GRAPH_CONFIG, "displayModeBar": False},
        style={"height": f"{SCRUBBER_HEIGHT_PX}px"},
    )
    slider = dcc.Input(
        id="cluster-slider",
        type="range",
        min=0,
        max=info["n_rounds"] - 1 if info else 0,
        step=1,
        value=info["index"] if info else 0,
        className="cluster-slider",
    )
    edges = {"left": f"{SCRUBBER_MARGIN['l']}px", "right": f"{SCRUBBER_MARGIN['r']}px"}
    return panel(
        [
            html.Div(
                [
                    html.Span("Occupancy", className="cluster-key-occupancy"),
                    html.Span("Jobs in the system", className="cluster-key-jobs"),
                ],
                className="cluster-key",
            ),
            html.Div(
                [
                    html.Div(
                        graph,
                        role="img",
                        **{"aria-label": "Occupancy and jobs in the system over the run, with its phases"},
                    ),
                    html.Div(
                        html.Div(id="cluster-playhead", className="cluster-playhead"),
                        className="cluster-track",
                        style=edges,
                    ),
                ],
                className="cluster-chart",
                style={"height": f"{SCRUBBER_HEIGHT_PX}px"},
            ),
            html.Div(
                [html.Label("Round", htmlFor="cluster-slider", className="visually-hidden"), slider],
                className="cluster-slider-box",
                style={"paddingLeft": edges["left"], "paddingRight": edges["right"]},
            ),
            _transport(),
        ],
        className="cluster-scrubber-panel",
    )


def _transport() -> Component:
    buttons = [
        button(
            f"cluster-{name}",
            html.Span(className=f"cluster-icon cluster-icon-{name}"),
            hint,
            className="cluster-key-button",
        )
        for name, hint in TRANSPORT.items()
    ]
    speed = dcc.Dropdown(
        id="cluster-speed",
        options=[{"label": f"{speed:g}×", "value": speed} for speed in SPEEDS],
        value=1,
        clearable=False,
        searchable=False,
    )
    return html.Div(
        [
            html.Div(
                buttons, id="cluster-buttons", className="cluster-buttons", role="group", **{"aria-label": "Playback"}
            ),
            html.Div(id="cluster-now", className="cluster-now"),
            html.Div(labelled("Speed", speed, "1× is five rounds per second", inline=True), className="cluster-speed"),
        ],
        className="cluster-transport",
    )


def _queue_panel(href: str) -> Component:
    overrides: dict[str, dict[str, Any]] = {
        "job_id": {"width": 62, "minWidth": 56},
        "job_type": {"flex": 1, "minWidth": 90},
        "scale_factor": {"width": 58, "minWidth": 50, "headerName": "GPUs"},
        "time_in_system_h": {"width": 78, "headerName": "Age (h)"},
    }
    columns = [column for column in schema.QUEUE if column.name in overrides]
    definitions = [{**column, "filter": False} for column in column_defs(columns, overrides)]
    return panel(
        [
            html.Div(id="cluster-queue-summary", className="cluster-queue-summary"),
            html.Div(
                grid(
                    "cluster-queue",
                    definitions,
                    [],
                    "key",
                    "Jobs waiting in this round",
                    {"suppressNoRowsOverlay": True},
                ),
                className="cluster-queue-box",
            ),
        ],
        "Queue",
        csv_link("cluster-queue-csv", href, "CSV", "Download the queue of this round as CSV"),
        className="cluster-queue-panel",
    )
