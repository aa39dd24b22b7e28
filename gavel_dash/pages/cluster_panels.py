"""The Cluster page's panels around the heatmaps: scrubber with transport, queue, and the dialog that opens files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.figures.scrubber import HEIGHT_PX as SCRUBBER_HEIGHT_PX
from gavel_dash.figures.scrubber import MARGIN as SCRUBBER_MARGIN
from gavel_dash.ui import button, column_defs, grid, labelled, panel, query_value

#: The transport's buttons, in order, with their tooltips.
TRANSPORT = {
    "first": "First round (Home)",
    "previous": "One round back (←)",
    "play": "Play or pause (Space)",
    "next": "One round on (→)",
    "last": "Last round (End)",
}
#: Multiples of five rounds a second; `assets/player/controller/clock.mjs` has the same.
SPEEDS = (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100)

#: What the player says of each waiting job: `REASONS` of `assets/player/worker/blocks.mjs`.


def menu(name: str, options: Mapping[Any, str], value: Any, width_px: int) -> dcc.Dropdown:
    """A short list to choose one of."""
    return dcc.Dropdown(
        id=f"cluster-{name}",
        options=[{"label": label, "value": key} for key, label in options.items()],
        value=value,
        clearable=False,
        searchable=False,
        style={"width": f"{width_px}px"},
    )


def scrubber_panel(query: Mapping[str, object]) -> Component:
    """The chart of the whole run, the slider under it, and the transport."""
    edges = {"left": f"{SCRUBBER_MARGIN['l']}px", "right": f"{SCRUBBER_MARGIN['r']}px"}
    return panel(
        [
            html.Div(
                [
                    html.Span("Occupancy", className="cluster-key-occupancy"),
                    html.Span("Jobs in the system", className="cluster-key-jobs"),
                    html.Span("Loading …", id="cluster-now", className="cluster-now"),
                ],
                className="cluster-key",
            ),
            html.Div(
                [
                    html.Div(
                        id="cluster-scrubber",
                        role="img",
                        **{"aria-label": "Occupancy and jobs in the system over the run, with its phases"},
                    ),
                    html.Div(
                        id="cluster-track",
                        className="cluster-track",
                        style=edges,
                        title="Drag to go through the run, wheel to zoom, double click for all of it",
                    ),
                ],
                className="cluster-chart",
                style={"height": f"{SCRUBBER_HEIGHT_PX}px"},
            ),
            html.Div(
                html.Label("Round", htmlFor="cluster-slider", className="visually-hidden"),
                id="cluster-slider-box",
                className="cluster-slider-box",
                style={"paddingLeft": edges["left"], "paddingRight": edges["right"]},
            ),
            _transport(query),
        ],
        className="cluster-scrubber-panel",
    )


def _transport(query: Mapping[str, object]) -> Component:
    buttons = [
        button(
            f"cluster-{name}",
            html.Span(className=f"cluster-icon cluster-icon-{name}"),
            hint,
            className="cluster-key-button",
        )
        for name, hint in TRANSPORT.items()
    ]
    loop = [
        button("cluster-loop-from", "[", "Loop from this round ([)", className="cluster-key-button"),
        button("cluster-loop-to", "]", "Loop to this round (])", className="cluster-key-button"),
        button("cluster-loop-none", "×", "No loop (\\)", className="cluster-key-button", disabled=True),
    ]
    speeds = {speed: f"{speed:g}×" for speed in SPEEDS}
    asked = query_value(query, "speed") or "1"
    value = next((speed for speed in SPEEDS if f"{speed:g}" == asked), 1)
    return html.Div(
        [
            html.Div(
                buttons, id="cluster-buttons", className="cluster-buttons", role="group", **{"aria-label": "Playback"}
            ),
            html.Div(loop, className="cluster-buttons", role="group", **{"aria-label": "Loop"}),
            # The player puts the field in: Dash's own puts the caret back while one types fast.
            html.Div(
                html.Label("Go to", htmlFor="cluster-jump", className="gd-label"),
                id="cluster-jump-box",
                className="gd-labelled gd-labelled-inline",
                title="A round, an hour (250 h) or a job (job 38, job 38 start, job 38 end)",
            ),
            labelled("Speed", menu("speed", speeds, value, width_px=98), "1× is five rounds per second", inline=True),
        ],
        className="cluster-transport",
    )


def queue_panel() -> Component:
    """Who waits in the round."""
    overrides: dict[str, dict[str, Any]] = {
        "job_id": {"width": 56, "minWidth": 50, "cellRenderer": "ClusterJob"},
        "job_type": {"flex": 1, "minWidth": 46},
        "scale_factor": {"width": 50, "minWidth": 46, "headerName": "GPUs"},
        "time_in_system_h": {"width": 64, "headerName": "Age (h)"},
        "why": {"width": 92, "minWidth": 92},
    }
    columns = [column for column in schema.QUEUE if column.name in overrides]
    definitions = [{**column, "filter": False} for column in column_defs(columns, overrides)]
    table = grid(
        "cluster-queue",
        definitions,
        None,
        "key",
        "Jobs waiting in this round",
        {"suppressNoRowsOverlay": True, "cacheBlockSize": 100, "infiniteInitialRowCount": 1},
        rowModelType="infinite",
    )
    return panel(
        [
            html.Div(id="cluster-queue-summary", className="cluster-queue-summary"),
            html.Div(table, id="cluster-queue-box", className="cluster-queue-box"),
        ],
        "Queue",
        [
            html.Span(id="cluster-queue-round", className="gd-muted"),
            html.Div(id="cluster-queue-tabs", className="cluster-queue-tabs", role="group", **{"aria-label": "Run"}),
            html.A("CSV", id="cluster-queue-csv", href="", className="gd-button", title="Download this queue as CSV"),
        ],
        className="cluster-queue-panel",
    )


def open_dialog() -> Component:
    """Opening a file of this computer or at an address."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Open a file")),
            dbc.ModalBody(
                [
                    html.P(
                        "A .viz.bin of this computer is read in the browser and never uploaded. One on another server "
                        "is read piece by piece; that server must allow range requests from this page."
                    ),
                    html.Div(
                        [
                            button("cluster-open-choose", "Choose a file …", "Choose a .viz.bin of this computer"),
                            html.Span("or drop it anywhere on this page", className="gd-muted"),
                        ],
                        className="cluster-open-row",
                    ),
                    html.Div(
                        [
                            dcc.Input(
                                id="cluster-open-address",
                                type="url",
                                placeholder="https://…/run.viz.bin",
                                className="gd-input",
                            ),
                            button("cluster-open-go", "Open address", "Read the file at this address"),
                        ],
                        className="cluster-open-row",
                    ),
                    dcc.Checklist(
                        id="cluster-open-beside",
                        options=[{"label": "beside the run on screen, not in its place", "value": "beside"}],
                        value=[],
                    ),
                ]
            ),
        ],
        id="cluster-open-dialog",
        is_open=False,
    )
