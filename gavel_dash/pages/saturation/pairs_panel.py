"""Single against multi-GPU jobs: the ratio of their saturation points, and in numbers what makes it.

The ratio comes with the page. What explains it is read from the rounds of two runs per pair, after the page is up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.pairs import FROM_INTERVALS, LESS_THAN, MORE_THAN, RATIO_ESTIMATED, SIDES, summarize_pairs
from gavel_dash.analysis.saturation import METHODS
from gavel_dash.figures.saturation import SaturationData, rows_of
from gavel_dash.pages.node_sizes import format_node_sizes, parse_node_sizes, tidy_node_sizes
from gavel_dash.pages.saturation.pairs_content import FactsOf, RunFacts, build_explanation, read_facts
from gavel_dash.pages.saturation.state import Controls, Filters, csv_query, options_of
from gavel_dash.sweep import RunMemory
from gavel_dash.ui import csv_link, empty_state, panel

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep

DataOf = Callable[[Filters, Controls], SaturationData]
#: Runs whose facts are kept.
REMEMBERED = 64
WHY = "saturation-pairs-why"
NEEDED = "A pair is one policy with single-GPU and with multi-GPU jobs, on the same cluster."


def build_pairs_panel(data: SaturationData, controls: Controls) -> Component:
    """The panel with its ratios; their explanation comes by a callback."""
    return panel(
        [
            html.Div(
                build_ratios(data, options_of(controls).method),
                id="saturation-pairs-table",
                className="saturation-table-box",
            ),
            # What was there stays, dimmed, while rounds are read.
            dcc.Loading(
                html.Div(id=WHY, className=WHY, **{"aria-live": "polite"}),
                custom_spinner=html.Div("Reading rounds ...", className="saturation-pairs-state", role="status"),
                overlay_style={"visibility": "visible", "opacity": 0.45},
                delay_show=100,
            ),
        ],
        title="Single against multi-GPU",
        actions=csv_link("saturation-pairs-csv", pairs_href({}, controls)),
    )


def register_pairs(app: Dash, live: LiveSweep, data_of: DataOf) -> None:
    """Register the panel's callbacks on an app."""

    memory = RunMemory(REMEMBERED)

    def facts_of(run: str, nodes: str) -> RunFacts | str:
        sweep = live.now
        return memory.get(sweep, run, nodes, lambda: read_facts(sweep, run, parse_node_sizes(nodes)))

    @app.callback(
        Output("saturation-pairs-table", "children"),
        Output("saturation-pairs-csv", "href"),
        Input("saturation-options", "data"),
        Input("node-sizes", "data"),
        State("saturation-filters", "data"),
    )
    def tell_ratios(controls: Controls, sizes: dict[str, Any] | None, filters: Filters) -> tuple[Component, str]:
        ratios = build_ratios(data_of(filters, controls), options_of(controls).method)
        return ratios, pairs_href(filters, controls, format_node_sizes(tidy_node_sizes(sizes)))

    @app.callback(
        Output(WHY, "children"),
        Input("saturation-options", "data"),
        # Rounds are read when the charts are there, not beside them.
        Input("saturation-drawn", "data"),
        Input("node-sizes", "data"),
        State("saturation-filters", "data"),
    )
    def explain_ratios(
        controls: Controls, _drawn: str, sizes: dict[str, Any] | None, filters: Filters
    ) -> list[Component]:
        nodes = format_node_sizes(tidy_node_sizes(sizes))
        facts = partial(facts_of, nodes=nodes)
        return build_explanations(data_of(filters, controls), options_of(controls).method, facts)


def pairs_href(filters: Filters, controls: Controls, nodes: str = "") -> str:
    """Address of the pairs as CSV."""
    asked = {key: controls[key] for key in ("method", "k", "confidence")}
    return f"/api/pairs.csv{csv_query(filters, **asked, **({'nodes': nodes} if nodes else {}))}"


def build_explanations(data: SaturationData, method: str, facts_of: FactsOf) -> list[Component]:
    """What explains the ratio of each pair; empty where there is no pair."""
    return [build_explanation(data, pair, facts_of) for pair in rows_of(summarize_pairs(data.saturation, method))]


def build_ratios(data: SaturationData, method: str) -> Component:
    """Ratio of every pair, or why there is no pair."""
    pairs = summarize_pairs(data.saturation, method)
    if pairs.empty:
        return empty_state(why_no_pair(data), NEEDED)
    heads = [
        html.Th("Policy", scope="col"),
        *(
            html.Th(
                f"{side.capitalize()}-GPU (jph)",
                title=f"saturation point by {METHODS[method]}, and the rates it may lie between",
                scope="col",
                className="saturation-number",
            )
            for side in SIDES
        ),
        html.Th("Ratio", title="single-GPU over multi-GPU", scope="col", className="saturation-number"),
    ]
    bodies = [html.Tbody(_rows(pair)) for pair in rows_of(pairs)]
    alone = without_partner(data, pairs)
    return html.Div(
        [
            html.Table([html.Thead(html.Tr(heads)), *bodies], className="saturation-table"),
            html.P(f"Without a partner: {', '.join(alone)}.", className="saturation-notes") if alone else None,
        ]
    )


def _rows(pair: Any) -> list[Component]:
    sides = [
        _cell(*point_text(getattr(pair, f"{s}_jph"), getattr(pair, f"{s}_low_jph"), getattr(pair, f"{s}_high_jph")))
        for s in SIDES
    ]
    parts = [pair.cluster, pair.placement, pair.trace]
    key = ", ".join(str(part) for part in parts if not pd.isna(part))
    numbers = html.Tr([html.Th(pair.policy, scope="row", title=key or None), *sides, _cell(*ratio_text(pair))])
    note = "" if pd.isna(pair.note) else pair.note
    return [numbers, html.Tr(html.Td(note, colSpan=4, className="saturation-note"))]


def _cell(value: str, detail: str) -> Component:
    return html.Td(
        [html.Strong(value), html.Div(detail, className="saturation-interval")], className="saturation-number"
    )


def point_text(estimate_jph: float, low_jph: float, high_jph: float) -> tuple[str, str]:
    """A saturation point, and between which rates it lies."""
    if pd.isna(estimate_jph):
        return ("–", "cannot be told") if pd.isna(low_jph) else (f"> {low_jph:g}", "not reached")
    if pd.isna(low_jph):
        return f"{estimate_jph:.2f}", "no interval"
    high = "…" if pd.isna(high_jph) else f"{high_jph:.2f}"
    return f"{estimate_jph:.2f}", f"{low_jph:.2f} to {high}"


def ratio_text(pair: Any) -> tuple[str, str]:
    """The ratio of a pair and its ends; a bound on one side is rounded so that it stays true."""
    if pair.status == MORE_THAN:
        return f"> {math.floor(pair.ratio_low * 100 + 1e-9) / 100:.2f}", "single not reached"
    if pair.status == LESS_THAN:
        return f"< {math.ceil(pair.ratio_high * 100 - 1e-9) / 100:.2f}", "multi not reached"
    if pair.status != RATIO_ESTIMATED:
        return "–", "cannot be told"
    ends = ["…" if pd.isna(end) else f"{end:.2f}" for end in (pair.ratio_low, pair.ratio_high)]
    if pd.isna(pair.ratio_from):
        return f"{pair.ratio:.2f}", "no interval"
    if pair.ratio_from == FROM_INTERVALS:
        return f"{pair.ratio:.2f}", f"[{ends[0]}, {ends[1]}]"
    return f"{pair.ratio:.2f}", f"{ends[0]} to {ends[1]}"


def without_partner(data: SaturationData, pairs: pd.DataFrame) -> list[str]:
    """Names on screen of the curves that are in no pair."""
    paired = {*pairs["single_curve"], *pairs["multi_curve"]}
    return [style.label for curve, style in data.styles.items() if curve not in paired]


def why_no_pair(data: SaturationData) -> str:
    """One sentence that says what is missing for a pair."""
    settings = {setting for setting in data.curves["setting"].dropna() if setting in SIDES}
    if not settings:
        return "No run says whether its jobs ask for one GPU or for several: there is no pair."
    if len(settings) == 1:
        return f"Only {settings.pop()}-GPU runs here: there is no pair."
    return "No policy has both a single-GPU and a multi-GPU curve on the same cluster: there is no pair."
