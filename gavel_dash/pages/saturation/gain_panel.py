"""The gain panel: one curve against another seed by seed, or ours against the paper's, under the chart above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from gavel_dash.analysis.gain import twin_pairs
from gavel_dash.errors import UsageError
from gavel_dash.figures import theme as look
from gavel_dash.figures.gain import GAIN_HEIGHT_PX, build_gain, build_paper_error, pair_label
from gavel_dash.figures.saturation import Figure, SaturationData, x_end_of
from gavel_dash.pages.saturation.gain_content import (
    build_gain_table,
    build_paper_table,
    gain_notes,
    gain_table,
    pairs_of,
    paper_error_table,
    paper_lines,
    paper_notes,
)
from gavel_dash.pages.saturation.state import (
    GAIN,
    HOURS,
    PAPER_ERROR,
    PERCENT,
    Controls,
    Filters,
    csv_query,
    options_of,
)
from gavel_dash.pages.saturation.table import swatch
from gavel_dash.ui import csv_link, grouped, labelled, panel

DataOf = Callable[[Filters, Controls], SaturationData]
#: The chart is drawn anew, and a zoom given up, only when one of these changes.
DRAWN_BY = ("measure", "confidence", "paper", "color", "line", "gain_of", "gain_against", "gain_unit", "gain_view")


@dataclass(frozen=True)
class GainContent:
    """What stands in the panel besides the chart."""

    key: list[Component]
    table: Component | None
    notes: list[str]


def build_gain_panel(data: SaturationData, controls: Controls) -> Component:
    """The panel with its controls as they were left; its content comes by the callbacks."""
    graph = dcc.Graph(
        id="saturation-gain-figure",
        figure={"data": [], "layout": _blank("light")},
        config=look.GRAPH_CONFIG,
        style={"height": f"{GAIN_HEIGHT_PX}px"},
    )
    table = html.Div(
        id="saturation-gain-table",
        className="saturation-gain-table-box",
        tabIndex="0",
        role="region",
        **{"aria-label": "Gain in numbers"},
    )
    return panel(
        [
            _controls(data, controls),
            html.Div(id="saturation-gain-key", className="saturation-key"),
            html.Div(graph, role="img", **{"aria-label": "Gain against arrival rate; the table below has its numbers"}),
            html.Div(id="saturation-gain-notes", className="saturation-notes"),
            table,
            dcc.Store(id="saturation-gain-drawn"),
        ],
        title="Gain",
        actions=csv_link("saturation-gain-csv", gain_href({}, controls)),
    )


def register_gain(app: Dash, data_of: DataOf) -> None:
    """Register the panel's callbacks on an app."""

    @app.callback(
        Output("saturation-gain-figure", "figure"),
        Output("saturation-gain-drawn", "data"),
        Input("saturation-options", "data"),
        Input("theme", "data"),
        State("saturation-filters", "data"),
        State("saturation-gain-drawn", "data"),
    )
    def draw_gain(controls: Controls, theme: str, filters: Filters, drawn: list[object] | None) -> tuple[Figure, Any]:
        drawing = [theme, *(controls[key] for key in DRAWN_BY)]
        if drawing == drawn:
            raise PreventUpdate
        return draw(data_of(filters, controls), controls, theme), drawing

    @app.callback(
        Output("saturation-gain-key", "children"),
        Output("saturation-gain-table", "children"),
        Output("saturation-gain-notes", "children"),
        Output("saturation-gain-pair", "hidden"),
        Output("saturation-gain-second", "hidden"),
        Output("saturation-gain-unit", "options"),
        Output("saturation-gain-csv", "href"),
        Input("saturation-options", "data"),
        State("saturation-filters", "data"),
    )
    def tell_gain(controls: Controls, filters: Filters) -> tuple[Any, ...]:
        data = data_of(filters, controls)
        content = tell(data, controls)
        hides = controls["gain_view"] == PAPER_ERROR, not controls["gain_of"]
        notes = [html.P(note) for note in content.notes]
        return content.key, content.table, notes, *hides, unit_options(data), gain_href(filters, controls)


def draw(data: SaturationData, controls: Controls, theme: str) -> Figure:
    """The chart that the controls ask for; without traces where they ask for what there is not."""
    percent, x_end = controls["gain_unit"] == PERCENT, x_end_of(data, options_of(controls))
    try:
        if controls["gain_view"] == PAPER_ERROR:
            return build_paper_error(paper_error_table(data), data.styles, percent, x_end, theme)
        return build_gain(gain_table(data, *_pair(controls)), data.styles, data.measure, percent, x_end, theme)
    except UsageError:  # the panel says it in words, see `tell`
        return {"data": [], "layout": _blank(theme)}


def tell(data: SaturationData, controls: Controls) -> GainContent:
    """The key of the chart, its numbers and its sentences; the one sentence of what is wrong where there is none."""
    try:
        if controls["gain_view"] == PAPER_ERROR:
            errors = paper_error_table(data)
            key = [_entry(data, str(curve), data.styles[str(curve)].label) for curve in errors["curve"].unique()]
            table = build_paper_table(errors, data) if len(errors) else None
            return GainContent(key, table, paper_notes(errors, data))
        gains = gain_table(data, *_pair(controls))
        key = [_entry(data, of, pair_label(of, a, data.styles)) for of, a in pairs_of(data, *_pair(controls))]
        table = build_gain_table(gains, data) if len(gains) else None
        return GainContent(key, table, gain_notes(gains, data, *_pair(controls)))
    except UsageError as error:
        sentence = str(error)
        return GainContent([], None, [f"{sentence[0].upper()}{sentence[1:]}."])


def gain_href(filters: Filters, controls: Controls) -> str:
    """Address of what the panel shows as CSV."""
    keys = ["confidence"]
    if controls["gain_view"] == GAIN:
        keys += ["measure", "gain_of", "gain_against"]
    route = "gain" if controls["gain_view"] == GAIN else "paper_error"
    return f"/api/{route}.csv{csv_query(filters, **{key: controls[key] for key in keys if controls[key] != ''})}"


def unit_options(data: SaturationData) -> list[dict[str, str]]:
    """The measure's own unit, or percent."""
    units = {"h": "hours", "jobs/h": "jph", "fraction": "percentage points"}
    return [
        {"label": units.get(data.measure.unit, data.measure.unit), "value": HOURS},
        {"label": "percent", "value": PERCENT},
    ]


def _pair(controls: Controls) -> tuple[str, str]:
    return str(controls["gain_of"]), str(controls["gain_against"])


def _entry(data: SaturationData, curve: str, label: str) -> Component:
    return html.Span([swatch(data.styles[curve]), label], className="saturation-key-entry", title=curve)


def _blank(theme: str) -> dict[str, Any]:
    return look.layout(theme, height=GAIN_HEIGHT_PX, xaxis={"visible": False}, yaxis={"visible": False})


def _controls(data: SaturationData, controls: Controls) -> Component:
    of, against = _pair(controls)
    curves = [{"label": style.label, "value": curve, "title": curve} for curve, style in data.styles.items()]
    # An address may ask for a curve that is not shown: listed, so that it can be taken back.
    curves += [
        {"label": name, "value": name} for name in dict.fromkeys((of, against)) if name and name not in data.styles
    ]
    has_twins = bool(twin_pairs(data.curves))
    every = {"label": "Gavel against baseline (all pairs)" if has_twins else "the first two curves", "value": ""}
    twin = {"label": "its twin, or the first other curve", "value": ""}
    pair = html.Div(
        [
            labelled("Compare", _dropdown("of", [every, *curves], of), "The first curve of the pair", inline=True),
            html.Div(
                labelled("with", _dropdown("against", [twin, *curves], against), "The second curve", inline=True),
                id="saturation-gain-second",
                hidden=not of,
            ),
        ],
        id="saturation-gain-pair",
        className="saturation-gain-pair",
        hidden=controls["gain_view"] == PAPER_ERROR,
    )
    has_views = bool(paper_lines(data)) or controls["gain_view"] != GAIN
    view = _radio(
        "view",
        [{"label": "one curve against another", "value": GAIN}]
        + [{"label": "ours against the paper", "value": PAPER_ERROR}] * has_views,
        controls,
    )
    unit = _radio("unit", unit_options(data), controls)
    return html.Div(
        [grouped("View", view, hidden=not has_views), pair, grouped("In", unit)], className="saturation-controls"
    )


def _dropdown(key: str, options: list[dict[str, str]], value: str) -> Component:
    return dcc.Dropdown(
        id=f"saturation-gain-{key}",
        options=options,
        value=value,
        clearable=False,
        searchable=False,
        className="saturation-dropdown saturation-gain-dropdown",
    )


def _radio(key: str, options: list[dict[str, str]], controls: Controls) -> Component:
    return dcc.RadioItems(id=f"saturation-gain-{key}", options=options, value=controls[f"gain_{key}"], inline=True)
