"""What stands on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.facets import apply_filters
from gavel_dash.figures import theme as look
from gavel_dash.figures.paper import load_paper_curves, paper_source
from gavel_dash.figures.saturation import OVERLAY_HEIGHT_PX, ChartOptions, SaturationData
from gavel_dash.figures.saturation_panels import panel_names, panels_height
from gavel_dash.pages.saturation.data import collect, restore_selection
from gavel_dash.pages.saturation.point_panel import build_panel
from gavel_dash.pages.saturation.state import K_HIGHEST, K_LOWEST, LINEAR, LOG, PAPER, SEEDS, Filters, PageState
from gavel_dash.pages.saturation.table import build_key, build_table, notes_of, why_empty
from gavel_dash.ui import csv_link, empty_state, labelled, page_header, panel

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

SENTENCE = "Where does it break? Mean job completion time against load; click a point to see the cluster behind it."


def build_page(sweep: Sweep, query: dict[str, object]) -> Component:
    """The page as its query says it was left. Holds every id of the callbacks, also when there is nothing to draw."""
    state = PageState.from_query(query)
    data = collect(sweep, state.filters, state.options.k)
    selection = restore_selection(sweep, data, state)
    empty = data.curves.empty
    left = html.Div([_chart(data, state), _points(data, state), _panels(data)], hidden=empty)
    body = html.Div([left, html.Div(build_panel(data, selection), hidden=empty)], className="saturation-columns")
    return html.Div(
        [
            page_header("Saturation", SENTENCE),
            _filter_line(sweep, data, state.filters),
            _unknown_line(sweep, state.selected_run),
            _nothing(sweep, state.filters) if empty else None,
            body,
            dcc.Store(id="saturation-filters", data=state.filters),
            dcc.Store(id="saturation-selection", data=selection),
            dcc.Store(id="saturation-url"),
        ],
        className="saturation",
    )


def csv_query(filters: Filters, **more: object) -> str:
    """Query of a CSV route for the same runs as are shown; empty or with its question mark."""
    pairs = [(key, text) for key, texts in filters.items() for text in texts]
    text = urlencode([*pairs, *more.items()])
    return f"?{text}" if text else ""


def _chart(data: SaturationData, state: PageState) -> Component:
    actions = csv_link(
        "saturation-curves-csv",
        f"/api/curves.csv{csv_query(state.filters)}",
        hint="Download the points of the chart as CSV",
    )
    return panel(
        [
            _controls(data, state.options),
            html.Div(build_key(data), className="saturation-key"),
            _graph(
                "saturation-overlay-figure",
                OVERLAY_HEIGHT_PX,
                "Mean JCT in hours against arrival rate in jobs per hour, all curves",
            ),
            html.Div(
                id="saturation-notes", children=[html.P(note) for note in notes_of(data)], className="saturation-notes"
            ),
        ],
        title="Mean JCT against arrival rate",
        actions=actions,
    )


def _controls(data: SaturationData, options: ChartOptions) -> Component:
    k = dcc.Input(
        id="saturation-k",
        type="number",
        min=K_LOWEST,
        max=K_HIGHEST,
        step=0.1,
        value=options.k,
        debounce=0.4,
        className="saturation-k",
    )
    axis = dcc.RadioItems(
        id="saturation-axis",
        options=[{"label": LINEAR, "value": LINEAR}, {"label": LOG, "value": LOG}],
        value=LOG if options.log else LINEAR,
        inline=True,
    )
    ours = {str(figure) for figure in data.curves["figure"].dropna()}
    has_paper = any(curve.figure in ours for curve in load_paper_curves())
    choices = [{"label": "seeds", "value": SEEDS}]
    if has_paper:
        choices.insert(0, {"label": "the paper's curves (dotted)", "value": PAPER, "title": paper_source()})
    shown = [name for name, on in ((PAPER, options.paper), (SEEDS, options.seeds)) if on]
    show = dcc.Checklist(id="saturation-show", options=choices, value=shown, inline=True)
    hint = (
        f"A curve saturates where its mean JCT crosses k times its low-load plateau; k is {K_LOWEST:g} to {K_HIGHEST:g}"
    )
    return html.Div(
        [
            labelled("Saturated at k =", k, hint, inline=True),
            _group("JCT axis", axis),
            _group("Show", show),
        ],
        className="saturation-controls",
    )


def _group(label: str, control: Component) -> Component:
    return html.Div(
        [html.Span(label, className="gd-label", **{"aria-hidden": "true"}), control],
        className="gd-labelled gd-labelled-inline",
        role="group",
        **{"aria-label": label},
    )


def _points(data: SaturationData, state: PageState) -> Component:
    href = f"/api/saturation.csv{csv_query(state.filters, k=f'{state.options.k:g}')}"
    return panel(
        html.Div(
            build_table(data) if len(data.saturation) else [], id="saturation-table", className="saturation-table-box"
        ),
        title="Saturation points",
        actions=csv_link("saturation-points-csv", href),
    )


def _panels(data: SaturationData) -> Component:
    names = panel_names(data.curves)
    graph = _graph(
        "saturation-panels-figure",
        panels_height(data.curves),
        "The same curves, one panel per figure, on one scale of hours",
    )
    # One panel would only repeat the chart above.
    return html.Div(panel(graph, title="Figure by figure"), hidden=len(names) < 2)


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
