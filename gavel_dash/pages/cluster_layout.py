"""The Cluster page's components: heatmaps and scrubber at the left, the round's numbers and queue at the right.

What is empty here is filled by the player in the browser, by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.figures.theme import GRAPH_CONFIG, layout
from gavel_dash.pages.cluster_panels import menu, open_dialog, queue_panel, scrubber_panel
from gavel_dash.pages.cluster_view import (
    MOST_RUNS,
    asked_runs,
    csv_links,
    initial_color,
    open_runs,
    problem_links,
    run_options,
)
from gavel_dash.pages.node_sizes import build_node_sizes, types_without_nodes
from gavel_dash.ui import button, csv_link, labelled, page_header, panel, query_value

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

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
                html.Div(
                    _downloads(rounds_href, jobs_href),
                    id="cluster-downloads",
                    className="gd-actions",
                    hidden=first.info is None,
                ),
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
                    html.Div(
                        [_heatmap_panel(initial_color(query), types_without_nodes(sweep)), scrubber_panel(query)],
                        className="cluster-main",
                    ),
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
                            queue_panel(),
                        ],
                        className="cluster-side",
                    ),
                ],
                id="cluster-viewer",
                className="cluster-viewer",
                hidden=first.info is None,
            ),
            open_dialog(),
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
        _elsewhere(),
        csv_link("cluster-rounds-csv", rounds_href, "Rounds CSV", "Download all rounds of run A as CSV"),
        csv_link("cluster-jobs-csv", jobs_href, "Jobs CSV", "Download all jobs of run A as CSV"),
        menu,
    ]


def _elsewhere() -> Component:
    """The pages that show the same runs at the same round; the player knows which."""
    links = {"telemetry": "Telemetry", "jobs": "Jobs", "fragmentation": "Fragmentation"}
    return html.Nav(
        [
            html.Span("This round in", className="gd-muted"),
            *(dcc.Link(label, id=f"cluster-to-{name}", href=f"/{name}") for name, label in links.items()),
        ],
        id="cluster-elsewhere",
        className="cluster-elsewhere",
        hidden=True,
        **{"aria-label": "The same round on other pages"},
    )


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


def _heatmap_panel(color: str, gpu_types: list[str]) -> Component:
    colors = menu("color", {value: label for value, label in COLOR_BY.items()}, color, width_px=176)
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
    align = menu("align", ALIGNMENTS, "time", width_px=104)
    return panel(
        [
            html.Div(
                [
                    labelled("Colour by", colors, inline=True),
                    labelled(
                        "Detail",
                        menu("detail", DETAILS, "auto", width_px=132),
                        "Nodes show the share of their GPUs in use",
                        inline=True,
                    ),
                    toggles,
                    html.Div(
                        labelled(
                            "In step by",
                            align,
                            "Simulated time, record in the file, or jobs arrived",
                            inline=True,
                        ),
                        id="cluster-align-box",
                        hidden=True,
                    ),
                    build_node_sizes("cluster", gpu_types) if gpu_types else None,
                ],
                className="cluster-view-controls",
            ),
            html.Div(
                [
                    html.Div(id="cluster-legend", className="cluster-legend", role="group", **{"aria-label": "Legend"}),
                    button(
                        "cluster-whole", "Whole cluster", "Back to the whole cluster (0, or double click)", hidden=True
                    ),
                ],
                className="cluster-legend-row",
            ),
            html.Div([_slot(k) for k in range(MOST_RUNS)], id="cluster-slots", className="cluster-slots"),
        ],
        className="cluster-heatmap-panel",
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
    # Until the player has a frame for it: Plotly's own empty chart would be white, with axes.
    hidden_axis = {"visible": False}
    empty = {"data": [], "layout": layout("light", xaxis=hidden_axis, yaxis=hidden_axis)}
    graph = dcc.Graph(id=f"cluster-heatmap-{k}", figure=empty, config=config, className="cluster-graph")
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
            html.Div(id=f"cluster-nodes-{k}", className="cluster-nodes", role="group", **{"aria-label": "Nodes"}),
        ],
        id=f"cluster-slot-{k}",
        className="cluster-slot",
        hidden=k > 0,
    )
