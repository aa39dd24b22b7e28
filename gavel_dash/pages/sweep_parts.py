"""Pieces of the Sweep page: rail of facets, headline counts, table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.analysis.facets import FACETS, TEXT, FacetValue, apply_filters, count_filters, facet_counts
from gavel_dash.analysis.missing import find_missing
from gavel_dash.figures.theme import STATUS, VERDICT
from gavel_dash.ui import column_defs, grid, panel, row_data
from gavel_dash.ui.controls import button
from gavel_dash.ui.words import plural

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

#: Texts that pass, by query key. JSON in a Store, so lists and not sets.
Filters = dict[str, list[str]]

#: A taller map scrolls inside its panel, so that the table stays in sight.
MAP_MAX_PX = 300
#: Columns shown at first; the others are one click away under "Columns".
SHOWN_COLUMNS = (
    "run",
    "status",
    "mean_jct_h",
    "arrival_rate_jph",
    "seed",
    "verdict",
    "slope_jobs_per_h",
    "throughput_over_rate",
    "warm_up_h",
    "mser_cut_h",
    "n_completed",
    "mean_occupancy",
    "rounds",
    "jobs",
    "findings",
    "note",
)
#: Always named in the headline, also when there are none.
#: Pages that the ticked runs can be opened in, and which they take.
OPENED_IN = {
    "saturation": "the ticked runs",
    "cluster": "up to four ticked runs side by side",
    "telemetry": "up to 50 ticked runs",
    "jobs": "up to 50 ticked runs",
    "fragmentation": "up to 50 ticked runs",
}
HEADLINE = ("complete", "censored", "damaged", "unconverted")


def build_problems(sweep: Sweep) -> list[Component]:
    """What of the sweep could not be read, and what its tables say oddly; nothing where all is well."""
    sentences = [*sweep.problems, *(f"{finding.sentence} ({finding.count:,})" for finding in sweep.table_findings)]
    if not sentences:
        return []
    summary = f"{plural(len(sentences), 'remark')} about the files of this sweep"
    return [html.Details([html.Summary(summary), html.Ul([html.Li(s) for s in sentences])], className="sweep-problems")]


def table_rows(sweep: Sweep, matching: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the table for some of a sweep's runs. All are made once: a sweep does not change."""
    rows = sweep.memory.get("table rows", lambda: {row["run"]: row for row in row_data(sweep.runs())})
    return [rows[name] for name in matching["run"]]


def build_counts(sweep: Sweep, matching: pd.DataFrame, filters: Filters) -> list[Component]:
    """The headline: how many runs match, and how many of each status. Its signs are the map's legend."""
    total = plural(len(sweep.names), "run")
    head = total if len(matching) == len(sweep.names) else f"{len(matching):,} of {total}"
    counts = matching["status"].value_counts()
    shown = [s for s in schema.STATUSES if s in HEADLINE or counts.get(s, 0)]
    items = [
        html.Span(
            [html.Span(STATUS[s][1], className=f"sweep-sign sweep-sign-{s}"), f" {counts.get(s, 0):,} {s}"],
            title=schema.STATUSES[s],
        )
        for s in shown
    ]
    all_missing = sweep.memory.get("missing runs", lambda: find_missing(sweep.runs()))
    missing = len(apply_filters(all_missing, filters))
    hint = "a seed of the sweep that has no run at a rate where its curve has others"
    items.append(html.Span([html.Span("·", className="sweep-sign"), f" {missing:,} missing"], title=hint))
    return [html.Strong(head), *items]


def build_rail(runs: pd.DataFrame, filters: Filters) -> Component:
    """Search and facets; a facet with one value is folded, unless it filters."""
    counts = facet_counts(runs, filters)
    facets = [
        html.Details(
            [
                html.Summary(facet.label),
                dcc.Checklist(
                    id={"type": "sweep-facet", "key": facet.key},
                    options=_options(facet.key, counts[facet.key]),
                    value=filters.get(facet.key, []),
                    className="sweep-checklist",
                    labelClassName="sweep-option",
                ),
            ],
            open=len(counts[facet.key]) > 1 or bool(filters.get(facet.key)),
            className="sweep-facet",
        )
        for facet in FACETS
    ]
    search = dcc.Input(
        id="sweep-search",
        type="search",
        value=" ".join(filters.get(TEXT, [])),
        placeholder="Name, policy, note",
        debounce=0.25,
        className="gd-input sweep-search",
    )
    clear = button("sweep-clear", "Clear", "Take back all filters", disabled=not count_filters(filters))
    return html.Aside(
        [
            html.Div(
                [html.Label("Search runs", htmlFor="sweep-search", className="gd-label"), clear], className="sweep-head"
            ),
            search,
            *facets,
        ],
        className="sweep-rail",
        **{"aria-label": "Filters"},
    )


def checklist_options(runs: pd.DataFrame, filters: Filters) -> list[list[dict[str, Any]]]:
    """Options of every facet's checklist, in the order of `FACETS`."""
    counts = facet_counts(runs, filters)
    return [_options(facet.key, counts[facet.key]) for facet in FACETS]


def _options(key: str, values: list[FacetValue]) -> list[dict[str, Any]]:
    return [{"label": _option_label(key, value), "value": value.text} for value in values]


def _option_label(key: str, value: FacetValue) -> Component:
    """Value, "only" (appears on hover; a mouse's shortcut, so not in the tab order) and the count."""
    is_status = key == "status" and value.text in STATUS
    sign = [html.Span(STATUS[value.text][1], className=f"sweep-sign sweep-sign-{value.text}"), " "] if is_status else []
    only = html.Span(
        "only",
        className="sweep-only",
        title=f"Show only {value.text}",
        **{"data-facet": key, "data-value": value.text, "aria-hidden": "true"},
    )
    return html.Span(
        [
            html.Span([*sign, value.text], className="sweep-value"),
            only,
            html.Span(f"{value.count:,}", className="sweep-count"),
        ],
        className="sweep-option-label" if value.count else "sweep-option-label sweep-option-empty",
        title=value.text,
    )


def clear_label(filters: Filters) -> str:
    """What the button says that takes back all filters."""
    return f"Clear {plural(count_filters(filters), 'filter')}"


def empty_sentence(sweep: Sweep, filters: Filters) -> str:
    """Why there is nothing to show."""
    return "No runs match." if sweep.names else sweep.empty_sentence


def build_table_panel(rows: list[dict[str, Any]]) -> Component:
    """The table with what can be done with it."""
    by_name = {column.name: column for column in schema.RUNS if column.name != "mean_jct_is_lower_bound"}
    columns = [by_name[name] for name in dict.fromkeys([*SHOWN_COLUMNS, *by_name])]
    table = grid(
        "sweep-grid",
        _column_defs(columns),
        rows,
        "run",
        "Runs",
        options={
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False, "selectAll": "filtered"},
            "selectionColumnDef": {"pinned": "left", "width": 40, "resizable": False, "suppressHeaderMenuButton": True},
            "context": {
                "signs": {status: sign for status, (_, sign) in STATUS.items()},
                "verdicts": {verdict: sign for verdict, (sign, _) in VERDICT.items()},
            },
            "localeText": {"noRowsToShow": "No runs match the filters of the columns."},
        },
        eventListeners={"cellKeyDown": ["sweepOpenOnEnter(params, setEventData)"]},
        className="sweep-grid",
    )
    choose = html.Details(
        [
            html.Summary("Columns", className="gd-button"),
            html.Div(
                dcc.Checklist(
                    id="sweep-columns",
                    options=[{"label": c.label, "value": c.name} for c in columns if c.name != "run"],
                    value=[name for name in SHOWN_COLUMNS if name != "run"],
                    persistence=True,
                    persistence_type="local",
                    labelClassName="sweep-option",
                ),
                className="sweep-menu",
            ),
        ],
        className="sweep-choose",
    )
    actions = [
        html.Span("", id="sweep-selection", className="gd-muted", role="status"),
        html.Span("Open in", className="gd-muted"),
        *(
            html.A(page.capitalize(), id=f"sweep-open-{page}", className="gd-button", title=f"Show {which}")
            for page, which in OPENED_IN.items()
        ),
        choose,
        button("sweep-csv", "CSV", "Download the rows shown, in their order, with all columns"),
    ]
    return panel(html.Div(table, className="sweep-table"), "Runs", actions, className="sweep-table-panel")


def _with_interval(low: str, high: str, spec: str) -> dict[str, Any]:
    """How a value is written with its interval, which is in columns of its own."""
    number = f"d3.format('{spec}')"
    interval = f"' [' + {number}(params.data.{low}) + ', ' + {number}(params.data.{high}) + ']'"
    text = f"{number}(params.value) + (params.data.{low} == null ? '' : {interval})"
    return {"valueFormatter": {"function": f"params.value == null ? '' : {text}"}}


def _column_defs(columns: list[schema.Column]) -> list[dict[str, Any]]:
    widths = {
        "run": 330,
        "status": 136,
        "note": 420,
        "cluster": 180,
        "policy": 220,
        "window": 110,
        "seed": 78,
        "mean_jct_h": 132,
        "n_window": 118,
        "verdict": 116,
        "slope_jobs_per_h": 190,
        "throughput_over_rate": 160,
        "mser_cut_h": 128,
    }
    definitions = column_defs(
        columns,
        {
            "run": {"pinned": "left", "lockVisible": True},
            "n_completed": {
                "headerTooltip": "window jobs that completed / jobs in the measurement window",
                "valueFormatter": {
                    "function": "params.value == null ? '' : "
                    "d3.format(',')(params.value) + ' / ' + d3.format(',')(params.data.n_window)"
                },
            },
            "status": {
                "valueFormatter": {"function": "params.context.signs[params.value] + ' ' + params.value"},
                "cellClassRules": {"gd-bad": "params.value === 'damaged'"},
            },
            "verdict": {
                "valueFormatter": {
                    "function": "params.value ? (params.context.verdicts[params.value] + ' ' + params.value) : ''"
                }
            },
            "slope_jobs_per_h": _with_interval("slope_low_jobs_per_h", "slope_high_jobs_per_h", "+.3f"),
            "throughput_over_rate": _with_interval("throughput_over_rate_low", "throughput_over_rate_high", ".3f"),
            "mser_cut_h": {
                "valueFormatter": {
                    "function": "params.value == null ? '' : d3.format(',.1f')(params.value) + "
                    "(params.data.mser_steady ? '' : ' not steady')"
                }
            },
            "mean_jct_h": {
                "valueFormatter": {
                    "function": "params.value == null ? '' : "
                    "(params.data.mean_jct_is_lower_bound ? '≥ ' : '') + d3.format(',.1f')(params.value)"
                }
            },
        },
    )
    for definition in definitions:
        definition["width"] = widths.get(definition["field"], 104)
        definition["hide"] = definition["field"] not in SHOWN_COLUMNS
    return definitions
