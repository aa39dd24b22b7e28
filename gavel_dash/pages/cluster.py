"""The Cluster page: what did it look like? One to four runs, round by round, in step.

The server opens runs and builds the frames they are drawn into (`cluster_view`). Everything that moves is done in the
browser by `assets/player/`: `cluster-info` tells it which runs, it answers with `cluster-request` what frames it needs,
and gets them in `cluster-frames`.

The query holds `run` (one per run), `round`, `speed`, `color` and what else `assets/player/model/address.mjs` keeps
there. `round` is run A's record index, counted from 0: it is unique in a file and the whole package seeks by it, while
the simulator's round numbers, which the page shows, may repeat or have gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from gavel_dash.pages.cluster_layout import OPTIONS, build_layout
from gavel_dash.pages.cluster_view import build_frames, csv_links, open_runs, problem_links, run_options
from gavel_dash.pages.node_sizes import register_node_sizes
from gavel_dash.ui import LIVE_NAMES, LIVE_SHOWN, do_again

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep, Sweep

PATH = "/cluster"
TITLE = "Cluster"
KEYS = (
    ("Space", "play or pause"),
    ("← →", "one round back or on"),
    ("Shift ← →", "ten rounds"),
    ("Home End", "first or last round"),
    (", .", "slower or faster"),
    ("[ ]", "loop from here, loop to here"),
    ("\\", "no loop"),
    ("1 – 6", "colour by category, scale factor, job, wait, time on GPU, time to completion"),
    ("d", "difference to run A"),
    ("f", "flash who starts and who moves"),
    ("j", "jump to a round, an hour or a job"),
    ("0", "whole cluster"),
    ("Esc", "let go of the selected job"),
)


def layout(sweep: Sweep, **query: object) -> Component:
    """The page, restored from its query."""
    return build_layout(sweep, query)


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""
    _register_browser_callbacks(app)
    register_node_sizes(app, "cluster")
    do_again(app, LIVE_SHOWN, "cluster-run", "value")

    @app.callback(
        Output("cluster-run", "options"),
        Output("cluster-compare", "options"),
        Input(LIVE_NAMES, "data"),
        State("cluster-run", "value"),
        State("cluster-compare", "value"),
        prevent_initial_call=True,
    )
    def offer_runs(_names: str, name: str | None, beside: list[str] | None) -> tuple[list[str], list[str]]:
        # What is on screen stays there when its file goes.
        shown = [other for other in [name, *(beside or [])] if other]
        options = list(dict.fromkeys([*run_options(live.now), *shown]))
        return options, options

    @app.callback(
        Output("cluster-info", "data"),
        Output("cluster-message", "children"),
        Output("cluster-rounds-csv", "href"),
        Output("cluster-jobs-csv", "href"),
        Input("cluster-run", "value"),
        Input("cluster-compare", "value"),
        prevent_initial_call=True,
    )
    def choose_runs(name: str | None, beside: list[str] | None) -> tuple[Any, ...]:
        first, *others = open_runs(live.now, [name, *(beside or [])])
        if first.info is None:
            return [], problem_links(first.problem), no_update, no_update
        infos = [first.info, *(other.info or {"problem": other.problem} for other in others)]
        return infos, [], *csv_links(first.info["name"])

    @app.callback(
        Output("cluster-frames", "data"),
        Input("cluster-request", "data"),
        Input("cluster-color", "value"),
        Input("theme", "data"),
    )
    def frames(request: dict[str, Any] | None, color: str, theme: str | None) -> Any:
        return no_update if request is None else build_frames(request, color, theme or "light")


def _register_browser_callbacks(app: Dash) -> None:
    """What Dash tells the player: runs, frames and the values of the controls."""
    # Only a callback with an output is called when the page appears.
    app.clientside_callback(
        ClientsideFunction("cluster", "load"), Output("cluster-quiet", "title"), Input("cluster-info", "data")
    )
    app.clientside_callback(
        ClientsideFunction("cluster", "nodeSizes"), Output("cluster-quiet", "children"), Input("node-sizes", "data")
    )
    app.clientside_callback(ClientsideFunction("cluster", "frame"), Input("cluster-frames", "data"))
    app.clientside_callback(
        ClientsideFunction("cluster", "choose"), *(Input(f"cluster-{name}", "value") for name in OPTIONS)
    )
