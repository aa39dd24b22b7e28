"""GPUs per node of each GPU type, where a file does not say: set by the user, remembered by the browser.

The store `node-sizes` in the shell holds ``{type: GPUs per node}``; the query key `nodes` spells it as
``k80:4,v100:8``. What a run's own config says comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from gavel_dash.errors import GavelDashError

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

MOST_PER_NODE = 65_535
_NODE_SIZE = "node-size"

NodeSizes = dict[str, int]


def parse_node_sizes(text: str | None) -> NodeSizes:
    """Node sizes as a query spells them; what is no type with a size above 0 is left out."""
    sizes: NodeSizes = {}
    for part in (text or "").split(","):
        name, _, size = part.rpartition(":")
        if name and size.isdecimal() and len(size) < 6 and 0 < int(size) <= MOST_PER_NODE:
            sizes[name] = int(size)
    return sizes


def format_node_sizes(sizes: Mapping[str, object] | None) -> str:
    """Node sizes as a query spells them; empty where none is set."""
    return ",".join(f"{name}:{size}" for name, size in sorted((sizes or {}).items()) if size)


def tidy_node_sizes(stored: Mapping[str, object] | None) -> NodeSizes:
    """What the browser remembered, as far as it is sizes of nodes."""
    return parse_node_sizes(format_node_sizes(stored))


def types_without_nodes(sweep: Sweep) -> list[str]:
    """Names of the GPU types whose node size no file says, by a run of each cluster of the sweep."""
    runs = sweep.runs()
    runs = runs[runs["run"].map(sweep.is_converted).astype(bool)]
    found: set[str] = set()
    for name in runs["run"][~runs["cluster"].duplicated()]:
        try:
            found |= {t.name for t in sweep[name].cluster.gpu_types if t.gpus_per_node is None}
        except GavelDashError:
            continue  # its reason is said where the run itself is shown
    return sorted(found)


def build_node_sizes(page: str, gpu_types: Sequence[str]) -> Component:
    """One number per GPU type; empty where nothing is set."""
    fields = [
        html.Label(
            [
                html.Span(name, className="gd-label"),
                dcc.Input(
                    id={"type": f"{page}-{_NODE_SIZE}", "gpu_type": name},
                    type="number",
                    min=1,
                    max=MOST_PER_NODE,
                    step=1,
                    placeholder="?",
                    className="gd-node-size",
                ),
            ],
            className="gd-labelled gd-labelled-inline",
        )
        for name in gpu_types
    ]
    return html.Div(
        [html.Span("GPUs per node", className="gd-label"), *fields],
        className="gd-node-sizes",
        role="group",
        title="How many GPUs a node of each type has, for runs whose file does not say. Remembered in this browser; "
        "with 1 nothing can fragment.",
        **{"aria-label": "GPUs per node, by GPU type"},
    )


def register_node_sizes(app: Dash, page: str) -> None:
    """Show what is remembered in a page's fields, and remember what is typed there."""
    fields = {"type": f"{page}-{_NODE_SIZE}", "gpu_type": ALL}
    app.clientside_callback(
        ClientsideFunction("shell", "rememberNodeSizes"),
        Output("node-sizes", "data", allow_duplicate=True),
        Input(fields, "value"),
        State(fields, "id"),
        State("node-sizes", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("shell", "showNodeSizes"),
        Output(fields, "value"),
        Input("node-sizes", "data"),
        State(fields, "id"),
        State(fields, "value"),
    )
