"""What stands on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.fragmentation_curves import DEMAND, MEASURES, RATE
from gavel_dash.analysis.fragmentation_rounds import BY_CLASS, BY_TYPE
from gavel_dash.figures.fragmentation import chart_height_px
from gavel_dash.figures.fragmentation_curves import HEIGHT_PX as CURVES_HEIGHT_PX
from gavel_dash.figures.fragmentation_nodes import HEIGHT_PX as NODES_HEIGHT_PX
from gavel_dash.figures.fragmentation_rows import NO_SPLIT
from gavel_dash.pages.node_sizes import build_node_sizes, parse_node_sizes, types_without_nodes
from gavel_dash.pages.selection import asked_round, asked_runs, build_picker
from gavel_dash.ui import chart_panel, csv_link, labelled, page_header, panel, query_number, query_value

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

SENTENCE = "Are the free GPUs where the waiting jobs could use them?"
TIME, SWEEP = "time", "sweep"
#: Text of each choice by the value it has in the address; the first is the default.
CHOICES: dict[str, dict[str, str]] = {
    "tab": {TIME: "Over time", SWEEP: "Across the sweep"},
    "split": {NO_SPLIT: "whole cluster", BY_CLASS: "task class", BY_TYPE: "GPU type"},
    "by": {RATE: "arrival rate", DEMAND: "demand"},
    "measure": {name: column.label for name, column in MEASURES.items()},
}
#: Rows of the chart before it is known which there are.
ROWS_EXPECTED = 6


def chosen(query: Mapping[str, object], key: str) -> str:
    """A choice as the query says it, else its default."""
    asked = query_value(query, key)
    return asked if asked is not None and asked in CHOICES[key] else next(iter(CHOICES[key]))


def asked_view(query: Mapping[str, object]) -> dict[str, object] | None:
    """The hours in view, `from` and `to`, as the page's store holds them; None: all of them."""
    low, high = (query_number(query, key, float("nan")) for key in ("from", "to"))
    return {"range": [low, high], "drawn": False} if low < high else None


def build_page(sweep: Sweep, query: Mapping[str, object]) -> Component:
    """The page as its query says it was left."""
    selection = asked_runs(sweep, query)
    names = list(selection.names)
    asked_of = query_value(query, "of")
    of = asked_of if asked_of in names else next(iter(names), None)
    tab = chosen(query, "tab")
    size = query_value(query, "size") or ""
    types = types_without_nodes(sweep)
    return html.Div(
        [
            page_header("Fragmentation", SENTENCE, _tabs(tab)),
            html.Div(
                [
                    html.Div(
                        build_picker(sweep, "fragmentation", selection), id="fragmentation-picker", hidden=tab != TIME
                    ),
                    html.Div(id="fragmentation-work", className="fragmentation-work", role="status"),
                ],
                className="fragmentation-top",
            ),
            html.Div(
                [
                    build_node_sizes("fragmentation", types) if types else None,
                    html.Div(
                        _time_controls(query, names, of, size), id="fragmentation-time-controls", hidden=tab != TIME
                    ),
                    html.Div(_sweep_controls(query), id="fragmentation-sweep-controls", hidden=tab != SWEEP),
                ],
                className="fragmentation-controls",
            ),
            html.Div(_over_time(), id="fragmentation-time", hidden=tab != TIME),
            html.Div(_across(), id="fragmentation-sweep", hidden=tab != SWEEP),
            dcc.Store(id="fragmentation-cursor", data=asked_round(query)),
            dcc.Store(id="fragmentation-asked-nodes", data=parse_node_sizes(query_value(query, "nodes"))),
            dcc.Store(id="fragmentation-view", data=asked_view(query)),
            dcc.Store(id="fragmentation-picked"),
            dcc.Store(id="fragmentation-progress"),
            dcc.Store(id="fragmentation-tick"),
            dcc.Store(id="fragmentation-quiet"),
            dcc.Store(id="fragmentation-url"),
        ],
        className="fragmentation",
    )


def _tabs(tab: str) -> Component:
    return dcc.RadioItems(
        id="fragmentation-tab", options=_options(CHOICES["tab"]), value=tab, inline=True, className="fragmentation-tabs"
    )


def _options(choices: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "value": value} for value, label in choices.items()]


def _dropdown(key: str, options: Sequence[Mapping[str, object]], value: object) -> Component:
    return dcc.Dropdown(
        id=f"fragmentation-{key}",
        options=options,
        value=value,
        clearable=False,
        searchable=False,
        className=f"fragmentation-menu fragmentation-{key}-menu",
    )


def _time_controls(query: Mapping[str, object], names: list[str], of: str | None, size: str) -> Component:
    split = _dropdown("split", _options(CHOICES["split"]), chosen(query, "split"))
    one = _dropdown("of", [{"label": name, "value": name} for name in names], of)
    # Which sizes there are is known when the run is open; an address may ask for any number.
    asked = int(size) if size.isdecimal() and len(size) < 6 else 0
    sizes = _dropdown("size", size_options([asked] if asked else []), asked)
    return html.Div(
        [
            labelled(
                "Split", split, "Fragmentation and free GPUs of the whole cluster, or of one run by part", inline=True
            ),
            labelled("Stacks of", one, "The run of the stacked charts, of a split and of the tables", inline=True),
            labelled("Waiting jobs", sizes, "Waiting jobs of which size", inline=True),
        ],
        className="fragmentation-controls",
    )


def _over_time() -> Component:
    chart = chart_panel(
        "fragmentation-figure",
        "Over simulated time",
        csv_id="fragmentation-csv",
        height=f"{chart_height_px(ROWS_EXPECTED)}px",
        hint="Click to set the cursor, drag to zoom, double click to zoom out",
        below=html.Div(id="fragmentation-notes", className="fragmentation-notes"),
        controls=html.Div(id="fragmentation-key", className="fragmentation-key"),
        className="fragmentation-chart",
    )
    why = panel(
        html.Div(id="fragmentation-why", className="fragmentation-why"),
        title="Why do they wait?",
        actions=csv_link("fragmentation-blocked-csv", "", hint="Download the waiting jobs of every round as CSV"),
    )
    nodes = html.Div(
        chart_panel(
            "fragmentation-nodes-figure",
            "By node",
            csv_id="fragmentation-nodes-csv",
            height=f"{NODES_HEIGHT_PX}px",
            hint="Of each node: its free GPUs, and those of them that are fragmented, as means over the rounds in view",
            below=html.Div(id="fragmentation-nodes-notes", className="fragmentation-notes"),
        ),
        id="fragmentation-nodes",
        hidden=True,
    )
    return html.Div([chart, html.Div([why, nodes], className="fragmentation-right")], className="fragmentation-columns")


def size_options(sizes: list[int]) -> list[dict[str, object]]:
    """Choices of the size of waiting jobs."""
    return [
        {"label": "all sizes", "value": 0},
        *({"label": f"{size} GPU{'' if size == 1 else 's'}", "value": size} for size in sizes),
    ]


def _sweep_controls(query: Mapping[str, object]) -> Component:
    return html.Div(
        [
            labelled("Show", _dropdown("measure", _options(CHOICES["measure"]), chosen(query, "measure")), inline=True),
            labelled(
                "Against",
                _dropdown("by", _options(CHOICES["by"]), chosen(query, "by")),
                "Demand: GPUs in use and GPUs that waiting jobs ask for / all GPUs, round by round, in steps of 10%",
                inline=True,
            ),
        ],
        className="fragmentation-controls",
    )


def _across() -> Component:
    return chart_panel(
        "fragmentation-curves-figure",
        "Mean over the measurement phase, then over seeds",
        csv_id="fragmentation-curves-csv",
        height=f"{CURVES_HEIGHT_PX}px",
        hint="Click a point to see its run over time",
        below=html.Div(id="fragmentation-curve-notes", className="fragmentation-notes"),
    )
