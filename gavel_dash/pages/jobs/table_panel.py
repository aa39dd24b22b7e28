"""The filters over the page and the table of jobs, whose rows the browser asks for as they come into view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.errors import UsageError
from gavel_dash.model import natural_order
from gavel_dash.pages.jobs.data import JOBS_OF_RUNS, STATES, JobFilters, RunJobs, texts_of
from gavel_dash.pages.jobs.grid_rows import parse_filter_model, parse_sort
from gavel_dash.ui import column_defs, csv_link, grid, grouped, labelled, panel, query_value

GRID = "jobs-grid"
#: What tells most comes first; the rest follows as the schema has it, hours before rounds, which say the same again.
_FIRST = [
    *("run", "job_id", "job_type", "scale_factor", "arrival_time_h", "jct_h", "wait_to_start_h", "queueing_time_h"),
    *("run_time_h", "preemptions", "migrations", "gpu_types"),
]
_WIDTHS = {"run": 222, "job_id": 62, "job_type": 142, "category": 130, "gpu_types": 110}
_WIDTHS |= {"scale_factor": 68, "wait_to_start_h": 84, "queueing_time_h": 92, "preemptions": 114, "migrations": 104}
_WIDTH = 80
_SHOWN = sorted(
    JOBS_OF_RUNS,
    key=lambda c: (_FIRST.index(c.name) if c.name in _FIRST else len(_FIRST), c.name.endswith("_round")),
)
#: AG Grid cannot filter these: the quick filters do.
_NO_FILTER = ("completed", "in_window", "censored")
_YES_NO = {"function": "params.value == null ? '' : params.value ? 'yes' : 'no'"}


def build_filters(filters: JobFilters) -> Component:
    """The row of quick filters. Options of scale factor and category come with the runs' jobs."""
    window = dcc.RadioItems(
        id="jobs-window",
        options=[{"label": "Measured", "value": "window"}, {"label": "All", "value": "all"}],
        value="window" if filters.only_window else "all",
        inline=True,
        className="jobs-radio",
    )
    words = dcc.Input(
        id="jobs-search",
        type="search",
        value=filters.words,
        placeholder="Type or job id",
        debounce=0.25,
        className="gd-input jobs-search",
    )
    hint = "Measured: the jobs of each run's measurement window; all jobs of a run that has none"
    return html.Div(
        [
            html.Div(grouped("Jobs", window), title=hint),
            labelled("Search", words, "Words in the job's type, or a job id", inline=True),
            labelled("Scale factor", _choice("scale", filters.scale_factors), inline=True),
            labelled("Category", _choice("category", filters.categories), inline=True),
            labelled(
                "State",
                _choice("state", filters.states, [{"label": s, "value": s, "title": t} for s, t in STATES.items()]),
                "What became of the job; filters the table only",
                inline=True,
            ),
        ],
        className="jobs-filters",
    )


def _choice(key: str, values: Sequence[str], options: list[dict[str, str]] | None = None) -> Component:
    given = options or [{"label": value, "value": value} for value in values]
    return dcc.Dropdown(
        id=f"jobs-{key}", options=given, value=list(values), multi=True, placeholder="any", className=f"jobs-menu-{key}"
    )


def filter_options(jobs: RunJobs) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Options of the menus of scale factors and categories, with how many jobs each has."""
    return _options(jobs.table["scale_factor"]), _options(jobs.table["category"])


def _options(values: pd.Series) -> list[dict[str, str]]:
    counts = texts_of(values).value_counts()
    return [
        {"label": f"{text.replace('_', ' ')} ({counts[text]:,})", "value": text}
        for text in sorted(counts.index.tolist(), key=natural_order)
    ]


def read_grid_state(query: Mapping[str, object]) -> tuple[dict[str, Any], list[dict[str, str]], list[str]]:
    """Filters of the columns and the order a query asks for, and sentences about what of it makes no sense."""
    problems: list[str] = []
    model: dict[str, Any] = {}
    order: list[dict[str, str]] = []
    try:
        model = parse_filter_model(query_value(query, "filter"))
    except UsageError as error:
        problems.append(f"{error}.")
    try:
        order = parse_sort(query_value(query, "sort"))
    except UsageError as error:
        problems.append(f"{error}.")
    return model, order, problems


def build_table_panel(model: dict[str, Any], order: Sequence[Mapping[str, str]], n_runs: int) -> Component:
    """The table; its rows come by a callback."""
    table = grid(
        GRID,
        column_defs(_SHOWN, _overrides(order, n_runs)),
        None,
        "row",
        "Jobs of the runs chosen",
        {
            "rowModelType": "infinite",
            "cacheBlockSize": 200,
            "maxBlocksInCache": 10,
            "maxConcurrentDatasourceRequests": 1,
            "infiniteInitialRowCount": 1,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
        },
        rowModelType="infinite",
        filterModel=model,
        className="jobs-grid",
        eventListeners={"cellKeyDown": ["jobsOpenOnEnter(params)"]},
    )
    return panel(
        html.Div(table, className="jobs-table-box"),
        html.Span(["Jobs ", html.Span(id="jobs-count", className="gd-muted", **{"aria-live": "polite"})]),
        [
            html.Span("A row opens its job", className="gd-muted"),
            csv_link("jobs-csv", "/api/jobs.csv", hint="Download the table as filtered and sorted, all its rows"),
        ],
        className="jobs-table",
    )


def _overrides(order: Sequence[Mapping[str, str]], n_runs: int) -> dict[str, dict[str, Any]]:
    overrides: dict[str, dict[str, Any]] = {
        column.name: {
            "width": _WIDTHS.get(column.name, _WIDTH),
            "minWidth": 56,
            "floatingFilter": True,
            "suppressFloatingFilterButton": True,  # the header has one
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        }
        for column in JOBS_OF_RUNS
    }
    for name in _NO_FILTER:
        overrides[name] |= {"filter": False, "floatingFilter": False, "valueFormatter": _YES_NO}
    overrides["job_id"] |= {"cellClass": "jobs-link"}
    short = {"function": "params.data ? params.data.label : ''"}
    overrides["run"] |= {"hide": n_runs < 2, "pinned": "left", "cellClass": "jobs-run", "valueFormatter": short}
    for place, chosen in enumerate(order):
        overrides[chosen["colId"]] |= {"sort": chosen["sort"], "sortIndex": place}
    return overrides


def count_text(n_shown: int, n_jobs: int) -> str:
    """How many of the jobs the table has."""
    return f"{n_shown:,} jobs" if n_shown == n_jobs else f"{n_shown:,} of {n_jobs:,}"
