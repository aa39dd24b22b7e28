"""The Jobs page: what became of the jobs? Their table, how their times are spread, and who held which GPU when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from gavel_dash.figures.run_style import style_runs
from gavel_dash.pages.jobs.data import (
    RunJobs,
    collect_jobs,
    collect_outcomes,
    read_job_filters,
    select_jobs,
    select_states,
)
from gavel_dash.pages.jobs.distribution_panel import (
    FIGURE,
    DistributionOptions,
    build_distribution_panel,
    needs_rounds,
    read_distribution_options,
    show_distribution,
)
from gavel_dash.pages.jobs.gantt_panel import build_gantt, register_gantt
from gavel_dash.pages.jobs.grid_rows import answer_request, arrange
from gavel_dash.pages.jobs.table_panel import (
    GRID,
    build_filters,
    build_table_panel,
    count_text,
    filter_options,
    read_grid_state,
)
from gavel_dash.pages.selection import asked_runs, build_picker, choose_runs, register_picker
from gavel_dash.sweep import RunMemory
from gavel_dash.ui import page_header, query_values

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import LiveSweep, Sweep

PATH = "/jobs"
TITLE = "Jobs"
KEYS = (("Enter", "open the job under the table's cursor"),)
#: Selections of runs whose table of jobs is kept.
REMEMBERED = 4

#: The filters as the address spells them: what a Store holds.
Query = Mapping[str, object]


def layout(sweep: Sweep, **query: object) -> Component:
    """The page as its query says."""
    selection = asked_runs(sweep, query)
    filters = read_job_filters(query)
    model, order, problems = read_grid_state(query)
    return html.Div(
        [
            dcc.Store(id="jobs-filters", data=_filter_query(query, selection.names)),
            page_header(
                TITLE, "What became of the jobs? Every job of the chosen runs, and how their times are spread."
            ),
            build_picker(sweep, "jobs", selection),
            build_filters(filters),
            html.Div([html.P(problem) for problem in problems], className="gd-run-problems"),
            html.Div(id="jobs-problems", className="gd-run-problems", role="status"),
            html.Div(
                [
                    build_table_panel(model, order, len(selection.names)),
                    build_distribution_panel(read_distribution_options(query)),
                ],
                className="jobs-columns",
            ),
            build_gantt(sweep, selection, query),
            html.Div(id="jobs-quiet", hidden=True),
        ],
        className="jobs-page",
    )


def _filter_query(query: Query, names: tuple[str, ...]) -> dict[str, object]:
    """What the browser collects from the filters, as it is when the page opens."""
    filters = read_job_filters(query)
    return {
        "run": list(names),
        "jobs": None if filters.only_window else "all",
        "q": filters.words or None,
        "scale": list(filters.scale_factors),
        "category": list(filters.categories),
        "state": list(filters.states),
    }


def rows_of(jobs: RunJobs, runs: pd.DataFrame, query: Query, request: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Rows the table asks for, each with the short `label` of its run, and how many of the jobs it has in all."""
    filters = read_job_filters(query)
    chosen = select_states(select_jobs(jobs.table, filters), filters)
    shown = arrange(chosen, request.get("filterModel") or {}, request.get("sortModel") or [])
    answer, styles = answer_request(shown, request), style_runs(runs, jobs.table["run"].unique(), "run")
    for row in answer["rowData"]:
        row["label"] = styles[row["run"]].label
    return answer, count_text(len(shown), len(jobs.table))


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""

    jobs_of = _remember(live, collect_jobs)
    outcomes_of = _remember(live, collect_outcomes)

    register_picker(app, live, "jobs")
    register_gantt(app, live)
    _register_browser(app)

    @app.callback(
        Output(GRID, "getRowsResponse"),
        Output("jobs-count", "children"),
        Input(GRID, "getRowsRequest"),
        State("jobs-filters", "data"),
        prevent_initial_call=True,
    )
    def give_rows(request: dict[str, Any] | None, query: Query) -> tuple[dict[str, Any], str]:
        return rows_of(jobs_of(query_values(query, "run")), live.now.runs(), query, request or {})

    @app.callback(
        Output("jobs-scale", "options"),
        Output("jobs-category", "options"),
        Output("jobs-problems", "children"),
        Input("jobs-runs", "value"),
    )
    def fill_menus(names: list[str] | None) -> tuple[Any, Any, list[Component]]:
        jobs = outcomes_of(names or [])
        return *filter_options(jobs), [html.P(problem) for problem in jobs.problems]

    @app.callback(
        Output(FIGURE, "figure"),
        Output("jobs-distribution-notes", "children"),
        Output("jobs-quantiles", "children"),
        Input("jobs-filters", "data"),
        Input("jobs-measure", "value"),
        Input("jobs-split", "value"),
        Input("jobs-axis", "value"),
        Input("theme", "data"),
    )
    def draw_distribution(query: Query, measure: str, split: str, axis: str, theme: str) -> tuple[Any, Any, Any]:
        options = DistributionOptions(measure, split, axis)
        # The first chart need not wait until the rounds of fifty runs are read.
        jobs = (jobs_of if needs_rounds(options) else outcomes_of)(query_values(query, "run"))
        return show_distribution(jobs, live.now.runs(), read_job_filters(query), options, theme)


def _remember(
    live: LiveSweep, collect: Callable[[Sweep, Sequence[str]], RunJobs]
) -> Callable[[Sequence[str]], RunJobs]:
    """Jobs of the last selections. The callbacks of a new one come at once: the first reads, the others get that."""
    memory = RunMemory(REMEMBERED)

    def jobs_of(names: Sequence[str]) -> RunJobs:
        sweep = live.now
        chosen = choose_runs(sweep, names).names
        return memory.get(sweep, chosen, None, lambda: collect(sweep, chosen))

    return jobs_of


def _register_browser(app: Dash) -> None:
    """Callbacks that run in the browser, in assets/jobs.js."""
    app.clientside_callback(
        ClientsideFunction("jobs", "collectFilters"),
        Output("jobs-filters", "data"),
        Input("jobs-runs", "value"),
        Input("jobs-window", "value"),
        Input("jobs-search", "value"),
        Input("jobs-scale", "value"),
        Input("jobs-category", "value"),
        Input("jobs-state", "value"),
        State("jobs-filters", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jobs", "askAgain"),
        Output("jobs-quiet", "title"),
        Input("jobs-filters", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jobs", "openJob"),
        Output("jobs-quiet", "lang"),
        Input(GRID, "cellClicked"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jobs", "writeUrl"),
        Output("jobs-csv", "href"),
        Output("jobs-distribution-csv", "href"),
        Output("jobs-quantiles-csv", "href"),
        Input("jobs-filters", "data"),
        Input(GRID, "getRowsRequest"),
        Input("jobs-measure", "value"),
        Input("jobs-split", "value"),
        Input("jobs-axis", "value"),
    )
