"""The Cluster page's components: heatmaps and scrubber at the left, the round's numbers and queue at the right.

What is empty here is filled by the player in the browser, by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.figures.scrubber import HEIGHT_PX as SCRUBBER_HEIGHT_PX
from gavel_dash.figures.scrubber import MARGIN as SCRUBBER_MARGIN
from gavel_dash.figures.theme import GRAPH_CONFIG
from gavel_dash.pages.cluster_view import (
    MOST_RUNS,
    asked_runs,
    csv_links,
    initial_color,
    open_runs,
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
#: Multiples of five rounds a second; `assets/player/clock.mjs` has the same.
SPEEDS = (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100)
DETAILS = {"auto": "Automatic", "gpus": "Every GPU", "nodes": "Nodes"}
ALIGNMENTS = {"time": "time", "round": "round", "arrivals": "arrivals"}
#: Controls whose values the player follows, in the order in which it gets them.
OPTIONS = ("speed", "detail", "align", "toggles")
#: What can be taken away, by id: label and what it is.
EXPORTS = {
    "png": ("Picture (PNG)", "The runs as they are on screen, with their numbers"),
    "svg": ("Drawing (SVG)", "The heatmap of run A"),
    "gif": ("Film (GIF)", "The loop, or the next 100 rounds, with the numbers"),
    "webm": ("Film (WebM)", "The loop, or the next 100 rounds, with the numbers"),
    "json": ("Round (JSON)", "Allocation, queue and numbers of this round"),
    "csv": ("Round (CSV)", "One row per GPU of this round"),
}


def build_layout(sweep: Sweep, query: Mapping[str, object]) -> Component:
    """The page as its query says."""
    asked = asked_runs(query)
    first, *others = open_runs(sweep, asked, query_value(query, "round"))
    infos = [first.info, *(other.info or {"problem": other.problem} for other in others)] if first.info else []
    name = first.info["name"] if first.info else next(iter(asked), None)
    # Right from the start: a link without an address would download the page itself.
    rounds_href, jobs_href = csv_links(name) if first.info and name else ("", "")
    return html.Div(
        [
            dcc.Store(id="cluster-info", data=infos),
            dcc.Store(id="cluster-request"),
            dcc.Store(id="cluster-frames"),
            page_header(
                "Cluster",
                "What did it look like? Every GPU, round by round, of one run or several in step.",
                _downloads(rounds_href, jobs_href),
            ),
            _run_controls(run_options(sweep), name, asked[1:]),
            html.Div(
                problem_links(first.problem) if first.info is None else [],
                id="cluster-message",
                className="gd-empty",
                role="status",
            ),
            html.Div(
                [
                    html.Div([_heatmap_panel(initial_color(query)), _scrubber_panel(query)], className="cluster-main"),
                    html.Div(
                        [
                            panel(
                                [
                                    html.Div(id="cluster-tiles-round", className="gd-muted"),
                                    html.Div(id="cluster-tiles"),
                                ],
                                className="cluster-tiles",
                                **{"aria-label": "The round in numbers"},
                            ),
                            panel([], className="cluster-card", id="cluster-card", hidden=True),
                            _queue_panel(),
                        ],
                        className="cluster-side",
                    ),
                ],
                id="cluster-viewer",
                className="cluster-viewer",
                hidden=first.info is None,
            ),
            _open_dialog(),
            html.Div(id="cluster-quiet", hidden=True),
            html.Div(id="cluster-live", className="visually-hidden", role="status", **{"aria-live": "polite"}),
        ],
        id="cluster-page",
        className="cluster-page",
    )


def _downloads(rounds_href: str, jobs_href: str) -> list[Component]:
    items = [
        html.Div(dbc.DropdownMenuItem(label, id=f"cluster-export-{kind}"), title=hint)
        for kind, (label, hint) in EXPORTS.items()
    ]
    menu = dbc.DropdownMenu(items, label="Export", id="cluster-export", align_end=True, toggle_class_name="gd-button")
    return [
        csv_link("cluster-rounds-csv", rounds_href, "Rounds CSV", "Download all rounds of run A as CSV"),
        csv_link("cluster-jobs-csv", jobs_href, "Jobs CSV", "Download all jobs of run A as CSV"),
        menu,
    ]


def _run_controls(names: list[str], name: str | None, beside: list[str]) -> Component:
    runs = dcc.Dropdown(
        id="cluster-run",
        options=names,
        value=name if name in names else None,
        clearable=False,
        placeholder="Choose a run",
        maxHeight=420,
    )
    compare = dcc.Dropdown(
        id="cluster-compare",
        options=names,
        value=[other for other in beside if other in names],
        multi=True,
        placeholder=f"Up to {MOST_RUNS - 1} more runs",
        maxHeight=420,
    )
    return html.Div(
        [
            html.Div(labelled("Run A", runs, inline=True), className="cluster-run"),
            html.Div(labelled("Beside it", compare, "Played in step with run A", inline=True), className="cluster-run"),
            button("cluster-open", "Open a file …", "Play a .viz.bin of this computer, without uploading it"),
        ],
        className="cluster-controls",
    )


def _heatmap_panel(color: str) -> Component:
    colors = _menu("color", {value: label for value, label in COLOR_BY.items()}, color, width_px=176)
    toggles = dcc.Checklist(
        id="cluster-toggles",
        options=[
            {"label": "Flash changes", "value": "flash", "title": "Mark who starts and who moves in the round (f)"},
            {"label": "Difference to A", "value": "difference", "title": "Compare GPU by GPU with run A (d)"},
        ],
        value=[],
        inline=True,
        className="cluster-toggles",
    )
    align = _menu("align", ALIGNMENTS, "time", width_px=104)
    return panel(
        [
            html.Div(
                [
                    labelled("Colour by", colors, inline=True),
                    labelled(
                        "Detail",
                        _menu("detail", DETAILS, "auto", width_px=132),
                        "Nodes show the share of their GPUs in use",
                        inline=True,
                    ),
                    toggles,
                    html.Div(
                        labelled(
                            "In step by",
                            align,
                            "Simulated time, round number in the file, or jobs arrived",
                            inline=True,
                        ),
                        id="cluster-align-box",
                        hidden=True,
                    ),
                ],
                className="cluster-view-controls",
            ),
            html.Div(id="cluster-legend", className="cluster-legend", role="group", **{"aria-label": "Legend"}),
            html.Div([_slot(k) for k in range(MOST_RUNS)], id="cluster-slots", className="cluster-slots"),
        ],
        className="cluster-heatmap-panel",
    )


def _menu(name: str, options: Mapping[Any, str], value: Any, width_px: int) -> dcc.Dropdown:
    return dcc.Dropdown(
        id=f"cluster-{name}",
        options=[{"label": label, "value": key} for key, label in options.items()],
        value=value,
        clearable=False,
        searchable=False,
        style={"width": f"{width_px}px"},
    )


def _slot(k: int) -> Component:
    """One run's heatmap; hidden until the player has a run for it."""
    config = {
        **GRAPH_CONFIG,
        "displayModeBar": False,
        "scrollZoom": True,
        "doubleClick": "reset",
        "showTips": False,
        "responsive": False,
    }
    graph = dcc.Graph(id=f"cluster-heatmap-{k}", config=config, className="cluster-graph")
    return html.Div(
        [
            html.Div(id=f"cluster-head-{k}", className="cluster-head"),
            html.Div(
                graph,
                className="cluster-stage",
                role="img",
                **{"aria-label": "Heatmap: every GPU by type, coloured by what runs on it in this round"},
            ),
            html.P(id=f"cluster-note-{k}", className="cluster-note"),
        ],
        id=f"cluster-slot-{k}",
        className="cluster-slot",
        hidden=k > 0,
    )


def _scrubber_panel(query: Mapping[str, object]) -> Component:
    edges = {"left": f"{SCRUBBER_MARGIN['l']}px", "right": f"{SCRUBBER_MARGIN['r']}px"}
    return panel(
        [
            html.Div(
                [
                    html.Span("Occupancy", className="cluster-key-occupancy"),
                    html.Span("Jobs in the system", className="cluster-key-jobs"),
                    html.Span(id="cluster-now", className="cluster-now"),
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
    ]
    jump = dcc.Input(
        id="cluster-jump",
        type="text",
        debounce=True,
        placeholder="1200, 250 h, job 38",
        className="gd-input cluster-jump",
        autoComplete="off",
    )
    speeds = {speed: f"{speed:g}×" for speed in SPEEDS}
    asked = query_value(query, "speed") or "1"
    value = next((speed for speed in SPEEDS if f"{speed:g}" == asked), 1)
    return html.Div(
        [
            html.Div(
                buttons, id="cluster-buttons", className="cluster-buttons", role="group", **{"aria-label": "Playback"}
            ),
            html.Div(loop, className="cluster-buttons", role="group", **{"aria-label": "Loop"}),
            labelled(
                "Go to", jump, "A round, an hour (250 h) or a job (job 38, job 38 start, job 38 end)", inline=True
            ),
            labelled("Speed", _menu("speed", speeds, value, width_px=98), "1× is five rounds per second", inline=True),
        ],
        className="cluster-transport",
    )


def _queue_panel() -> Component:
    overrides: dict[str, dict[str, Any]] = {
        "job_id": {"width": 66, "minWidth": 56},
        "job_type": {"flex": 1, "minWidth": 76},
        "scale_factor": {"width": 60, "minWidth": 50, "headerName": "GPUs"},
        "time_in_system_h": {"width": 78, "headerName": "Age (h)"},
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
            html.Div(table, className="cluster-queue-box"),
        ],
        "Queue",
        [
            html.Span(id="cluster-queue-round", className="gd-muted"),
            html.Div(id="cluster-queue-tabs", className="cluster-queue-tabs", role="group", **{"aria-label": "Run"}),
            html.A("CSV", id="cluster-queue-csv", href="", className="gd-button", title="Download this queue as CSV"),
        ],
        className="cluster-queue-panel",
    )


def _open_dialog() -> Component:
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
