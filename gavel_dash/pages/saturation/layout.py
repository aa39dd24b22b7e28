"""What stands on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.facets import apply_filters
from gavel_dash.analysis.measures import MEASURES
from gavel_dash.analysis.saturation import METHODS
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import color_choices, line_choices, panel_choices
from gavel_dash.figures.paper import load_paper_curves, paper_source
from gavel_dash.figures.saturation import OVERLAY_HEIGHT_PX, SaturationData
from gavel_dash.figures.saturation_panels import panel_names, panels_height
from gavel_dash.pages.saturation.data import collect, restore_selection
from gavel_dash.pages.saturation.gain_panel import build_gain_panel
from gavel_dash.pages.saturation.pairs_panel import build_pairs_panel
from gavel_dash.pages.saturation.point_panel import build_panel
from gavel_dash.pages.saturation.state import (
    CONFIDENCES,
    DEFAULTS,
    K_HIGHEST,
    K_LOWEST,
    LINEAR,
    LOG,
    Controls,
    Filters,
    PageState,
    csv_query,
    defaults_for,
)
from gavel_dash.pages.saturation.table import build_key, build_table, notes_of, why_empty
from gavel_dash.ui import csv_link, empty_state, grouped, labelled, page_header, panel

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

SENTENCE = "Where does it break, and how sure is that? Click a point to see the cluster behind it."


def build_page(sweep: Sweep, query: dict[str, object]) -> Component:
    """The page as its query says it was left. Holds every id of the callbacks, also when there is nothing to draw."""
    defaults = defaults_for(sweep.runs())
    state = PageState.from_query(query, defaults)
    data = collect(sweep, state.filters, state.options)
    selection = restore_selection(sweep, data, state)
    empty = data.curves.empty
    left = html.Div(
        [
            _chart(data, state),
            _points(data, state),
            _panels(data, state),
            build_pairs_panel(data, state.controls),
            build_gain_panel(data, state.controls),
        ],
        hidden=empty,
    )
    body = html.Div([left, html.Div(build_panel(sweep, data, selection), hidden=empty)], className="saturation-columns")
    return html.Div(
        [
            page_header("Saturation", SENTENCE),
            _filter_line(sweep, data, state.filters),
            _unknown_line(sweep, state.selected_run),
            _nothing(sweep, state.filters) if empty else None,
            body,
            dcc.Store(id="saturation-filters", data=state.filters),
            dcc.Store(id="saturation-defaults", data=defaults),
            dcc.Store(id="saturation-options", data=state.controls),
            dcc.Store(id="saturation-drawn"),
            dcc.Store(id="saturation-selection", data=selection),
            dcc.Store(id="saturation-url"),
        ],
        className="saturation",
    )


def curves_href(filters: Filters, controls: Controls) -> str:
    """Address of the points of the chart as CSV."""
    return f"/api/curves.csv{csv_query(filters, measure=controls['measure'], confidence=controls['confidence'])}"


def points_href(filters: Filters, controls: Controls) -> str:
    """Address of the table of saturation points as CSV."""
    return f"/api/saturation.csv{csv_query(filters, k=controls['k'], confidence=controls['confidence'])}"


def chart_title(data: SaturationData) -> str:
    """What the chart shows, in words."""
    return f"{data.measure.label.split(' (')[0]} against arrival rate"


def _chart(data: SaturationData, state: PageState) -> Component:
    actions = csv_link(
        "saturation-curves-csv",
        curves_href(state.filters, state.controls),
        hint="Download the points of the chart as CSV",
    )
    return panel(
        [
            _controls(data, state.controls),
            html.Div(build_key(data), id="saturation-key", className="saturation-key"),
            _graph("saturation-overlay-figure", OVERLAY_HEIGHT_PX, "All curves against arrival rate in jobs per hour"),
            html.Div(
                id="saturation-notes",
                children=[html.P(note) for note in notes_of(data, state.options)],
                className="saturation-notes",
            ),
        ],
        title=html.Span(chart_title(data), id="saturation-title"),
        actions=actions,
    )


def _controls(data: SaturationData, controls: Controls) -> Component:
    measure = _dropdown("measure", [(name, column.label) for name, column in MEASURES.items()], controls)
    method = _dropdown("method", list(METHODS.items()), controls)
    confidence = _dropdown("confidence", _confidence_choices(controls), controls)
    k = dcc.Input(
        id="saturation-k",
        type="number",
        min=K_LOWEST,
        max=K_HIGHEST,
        step=0.1,
        value=controls["k"],
        debounce=0.4,
        className="saturation-k",
    )
    axis = dcc.RadioItems(
        id="saturation-axis",
        options=[{"label": LINEAR, "value": LINEAR}, {"label": LOG, "value": LOG}],
        value=controls["axis"],
        inline=True,
    )
    ours = {str(figure) for figure in data.curves["figure"].dropna()}
    choices = [{"label": "seeds", "value": "seeds"}]
    if any(curve.figure in ours for curve in load_paper_curves()):
        choices.insert(0, {"label": "the paper's curves (dotted)", "value": "paper", "title": paper_source()})
    shown = [name for name in ("paper", "seeds") if controls[name] == "1"]
    show = dcc.Checklist(id="saturation-show", options=choices, value=shown, inline=True)
    k_hint = f"Plateau factor: saturated where mean JCT crosses k times its plateau; k is {K_LOWEST:g} to {K_HIGHEST:g}"
    return html.Div(
        [
            labelled("Show", measure, "What is plotted against the arrival rate", inline=True),
            labelled("Saturation by", method, "How the vertical lines are estimated", inline=True),
            labelled("k", k, k_hint, inline=True),
            labelled("Confidence", confidence, "Level of every interval and verdict on the page", inline=True),
            grouped("Axis", axis),
            grouped("With", show),
            _grouping(data, controls),
        ],
        className="saturation-controls",
    )


def _grouping(data: SaturationData, controls: Controls) -> Component:
    """Which dimension is told by colour, by line and by panel; folded away, as the defaults suit most sweeps."""
    parts = [
        ("Colour and marker", "color", color_choices(data.curves), "What a curve's colour and marker tell"),
        ("Line", "line", line_choices(data.curves), "What a curve's line pattern tells"),
        ("Panels", "panel", panel_choices(data.curves), "What has a small chart of its own"),
    ]
    dropdowns = [
        labelled(label, _dropdown(key, choices, controls), hint, inline=True) for label, key, choices, hint in parts
    ]
    changed = any(controls[key] != DEFAULTS[key] for _, key, _, _ in parts)
    return html.Details(
        [html.Summary("Grouping"), html.Div(dropdowns, className="saturation-controls")],
        open=changed,
        className="saturation-grouping",
    )


def _dropdown(key: str, choices: list[tuple[Any, str]], controls: Controls) -> Component:
    value = controls[key]
    # An address may ask for what this sweep does not have: shown, so that it can be taken back.
    known = choices if any(value == choice for choice, _ in choices) else [*choices, (value, str(value))]
    return dcc.Dropdown(
        id=f"saturation-{key}",
        options=[{"label": label, "value": choice} for choice, label in known],
        value=value,
        clearable=False,
        searchable=False,
        className=f"saturation-dropdown saturation-{key}-dropdown",
    )


def _confidence_choices(controls: Controls) -> list[tuple[float, str]]:
    levels = sorted({*CONFIDENCES, float(str(controls["confidence"]))})
    return [(level, f"{level * 100:g}%") for level in levels]


def _points(data: SaturationData, state: PageState) -> Component:
    return panel(
        html.Div(build_table(data, state.options), id="saturation-table", className="saturation-table-box"),
        title="Saturation points",
        actions=csv_link("saturation-points-csv", points_href(state.filters, state.controls)),
    )


def _panels(data: SaturationData, state: PageState) -> Component:
    graph = _graph(
        "saturation-panels-figure",
        panels_height(data.curves, state.options.panel),
        "The same curves in small charts, on one scale",
    )
    return html.Div(
        panel(graph, title="Panel by panel"), id="saturation-panels", hidden=hides_panels(data, state.options.panel)
    )


def hides_panels(data: SaturationData, dimension: str) -> bool:
    """One panel would only repeat the chart above."""
    return len(panel_names(data.curves, dimension)) < 2


def _filter_line(sweep: Sweep, data: SaturationData, filters: Filters) -> Component:
    if not filters:
        return html.Div()
    shown, n_all = len(data.runs), len(sweep.names)
    chosen = ", ".join(
        f"{key} {' or '.join(texts)}" if key != "run" else f"{len(texts)} chosen runs" for key, texts in filters.items()
    )
    return html.Div(
        [f"Only {shown} of {n_all} runs: {chosen}. ", dcc.Link("Show all", href="/saturation")],
        className="saturation-filter-line",
        role="status",
    )


def _unknown_line(sweep: Sweep, asked: str | None) -> Component | None:
    if asked is None or asked in sweep:
        return None
    sentence = f"There is no run named {asked} in this sweep; a point beyond saturation is shown instead."
    return html.Div(sentence, className="saturation-filter-line", role="status")


def _nothing(sweep: Sweep, filters: Filters) -> Component:
    runs = sweep.runs()
    next_step = dcc.Link("Show all runs", href="/saturation") if filters else dcc.Link("Go to the sweep", href="/")
    return empty_state(why_empty(apply_filters(runs, filters), len(runs)), next_step)


def _graph(id: str, height_px: int, label: str) -> Component:
    figure = {
        "data": [],
        "layout": look.layout("light", height=height_px, xaxis={"visible": False}, yaxis={"visible": False}),
    }
    graph = dcc.Graph(id=id, figure=figure, config=look.GRAPH_CONFIG, style={"height": f"{height_px}px"})
    return html.Div(graph, role="img", **{"aria-label": label})
