"""One job's page: its life, its GPUs, its numbers and its neighbours. Reached from the table of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, dcc, html, no_update
from dash.development.base_component import Component

from gavel_dash.errors import UsageError
from gavel_dash.figures.job_lane import LEAST_PX, build_job_lane, lay_out_rows
from gavel_dash.pages.job_content import (
    build_neighbors,
    build_tiles,
    cluster_href,
    describe,
    job_href,
    limits,
    tell_moment,
    tell_unmarked,
)
from gavel_dash.pages.job_view import JobView, open_job
from gavel_dash.pages.node_sizes import tidy_node_sizes
from gavel_dash.pages.selection import asked_round
from gavel_dash.schema.job_stretches import JOB_STRETCHES
from gavel_dash.sweep import RunMemory
from gavel_dash.ui import (
    LIVE_SHOWN,
    chart_panel,
    column_defs,
    csv_link,
    empty_state,
    grid,
    page_header,
    panel,
    row_data,
)

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import LiveSweep, Sweep

PATH = "/job"
TITLE = "Job"
#: Not in the top bar: without a job there is nothing to show.
NAV = False
KEYS = (
    ("← →", "the moment a round back or on, where the life has the focus"),
    ("Shift ← →", "ten rounds"),
)
LANE = "job-lane"
#: Jobs that are kept open.
REMEMBERED = 8
_WIDTHS = {"event": 170, "gpus": 160, "gpu_types": 120}
_HIDDEN = ("stop_round_index", "start_round_index")


def layout(sweep: Sweep, **query: object) -> Component:
    """The page as its query says; where there is no such job, the sentence that says why."""
    found = open_job(sweep, query)
    view = found if isinstance(found, JobView) else None
    index = None if view is None else view.moment(asked_round(query))
    who = None if view is None else {"run": view.run.name, "job": view.job_id}
    return html.Div(
        [
            dcc.Store(id="job-who", data=who),
            dcc.Store(id="job-cursor", data=index),
            dcc.Store(id="job-moved"),
            page_header(*_heading(view), _links(view)),
            html.Div(
                empty_state(found, dcc.Link("Go to the jobs", href="/jobs")) if isinstance(found, str) else None,
                hidden=view is not None,
            ),
            html.Div(_content(view), hidden=view is None, className="job-content"),
            html.Div(id="job-quiet", hidden=True),
        ],
        className="job-page",
    )


def _heading(view: JobView | None) -> tuple[str, str]:
    return (TITLE, "What became of one job?") if view is None else (f"Job {view.job_id}", describe(view))


def _links(view: JobView | None) -> list[Component]:
    """The run's jobs, and the jobs before and after."""
    if view is None:
        return []
    run = view.run.name
    links: list[Component] = [
        dcc.Link(run, href="/jobs?" + urlencode({"run": run}), className="gd-button", title="Jobs of this run")
    ]
    for job_id, sign, what in zip(view.neighbors, ("‹ Job {}", "Job {} ›"), ("before", "after"), strict=True):
        if job_id is not None:
            hint = f"The job {what} this one in the run"
            links.append(dcc.Link(sign.format(job_id), href=job_href(run, job_id), className="gd-button", title=hint))
    return links


def _content(view: JobView | None) -> list[Component]:
    said = [] if view is None else [html.P(sentence) for sentence in limits(view)]
    height = LEAST_PX if view is None else _rows(view).height_px
    lane = chart_panel(
        LANE,
        "Life",
        height=f"{height}px",
        controls=html.Span("Click sets the moment; drag zooms, double-click shows all", className="gd-muted"),
        hint="Rows of states and GPU types, and below each GPU it ever held; phases are shaded",
        below=html.P("" if view is None else tell_unmarked(view), className="gd-muted job-unmarked"),
    )
    return [
        html.Div(said, className="gd-run-problems"),
        html.Div([] if view is None else build_tiles(view), id="job-tiles", className="job-tiles"),
        html.Div(
            lane,
            id="job-lane-box",
            tabIndex=0,
            role="group",
            hidden=view is None or not view.stretches,
            **{"aria-label": "Life of the job over simulated time; arrow keys move the moment by a round"},
        ),
        html.Div([_moment_panel(), _stretches_panel(view)], className="job-columns"),
    ]


def _moment_panel() -> Component:
    return panel(
        [
            html.P(id="job-moment", className="job-moment", **{"aria-live": "polite"}),
            html.Div(id="job-neighbors", className="job-neighbors"),
        ],
        "At this moment",
        dcc.Link("Open in Cluster", id="job-open-cluster", href="/cluster", className="gd-button gd-button-primary"),
    )


def _stretches_panel(view: JobView | None) -> Component:
    overrides: dict[str, dict[str, Any]] = {c.name: {"width": _WIDTHS.get(c.name, 105)} for c in JOB_STRETCHES}
    for name in _HIDDEN:
        overrides[name] |= {"hide": True}
    rows = [] if view is None else row_data(view.table())
    href = "" if view is None else f"/api/runs/{quote(view.run.name, safe='')}/job_stretches.csv?job={view.job_id}"
    table = grid(
        "job-stretches", column_defs(JOB_STRETCHES, overrides), rows, "start_round_index", "Stretches of the job's life"
    )
    return panel(
        html.Div(table, className="job-stretches-box"),
        html.Span(_stretches_title(len(rows)), id="job-stretches-title"),
        csv_link("job-stretches-csv", href, hint="Download the stretches as CSV"),
    )


def _stretches_title(count: int) -> str:
    return f"Stretches ({count:,})"


def _rows(view: JobView) -> Any:
    names = [gpu_type.name for gpu_type in view.run.cluster.gpu_types]
    return lay_out_rows(view.stretches, names, view.types, view.run.viz.lanes_per_gpu)


def draw_life(view: JobView, index: int, theme: str) -> dict[str, Any]:
    """The chart of the job's life; empty where it has none."""
    if not view.stretches:
        return {"data": [], "layout": {}}
    run = view.run
    return build_job_lane(
        view.stretches, _rows(view), view.types, run.viz.lanes_per_gpu, run.edges_h, run.phases, index, theme
    )


def next_moment(view: JobView, index: int, moved: Mapping[str, float]) -> int:
    """The record that a click (`hour`), a row of the table (`index`) or a key (`step`) leads to."""
    if "hour" in moved:
        return view.run.index_at(float(moved["hour"]))
    return view.moment(int(moved["index"]) if "index" in moved else index + int(moved.get("step", 0)))


def stretches_table(sweep: Sweep, name: str, query: Mapping[str, object]) -> pd.DataFrame:
    """Stretches of the job that a query names by `job`; raises `UsageError` where there is none."""
    found = open_job(sweep, {**query, "run": name})
    if isinstance(found, str):
        raise UsageError(found)
    return found.table()


def register_callbacks(app: Dash, live: LiveSweep) -> None:
    """Register the page's callbacks on an app."""

    memory = RunMemory(REMEMBERED)

    def open_again(run: str, job_id: int) -> JobView:
        sweep = live.now
        found = memory.get(sweep, run, job_id, lambda: open_job(sweep, {"run": run, "job": str(job_id)}))
        if isinstance(found, str):
            raise UsageError(found)
        return found

    @app.callback(
        Output(LANE, "figure"),
        Input("theme", "data"),
        Input(LIVE_SHOWN, "data"),
        State("job-who", "data"),
        State("job-cursor", "data"),
    )
    def draw(theme: str, _shown: object, who: dict[str, Any] | None, index: int) -> Any:
        return no_update if who is None else draw_life(open_again(who["run"], who["job"]), index, theme)

    @app.callback(
        Output("job-tiles", "children"),
        Output("job-stretches", "rowData"),
        Output("job-stretches-title", "children"),
        Input(LIVE_SHOWN, "data"),
        State("job-who", "data"),
        prevent_initial_call=True,
    )
    def refresh(_shown: object, who: dict[str, Any] | None) -> Any:
        if who is None:
            return no_update, no_update, no_update
        view = open_again(who["run"], who["job"])
        rows = row_data(view.table())
        return build_tiles(view), rows, _stretches_title(len(rows))

    @app.callback(
        Output("job-cursor", "data"),
        Output(LANE, "figure", allow_duplicate=True),
        Input("job-moved", "data"),
        State("job-who", "data"),
        State("job-cursor", "data"),
        prevent_initial_call=True,
    )
    def move(moved: dict[str, float] | None, who: dict[str, Any] | None, index: int) -> Any:
        if who is None or not moved:
            return no_update, no_update
        view, line = open_again(who["run"], who["job"]), Patch()
        index = next_moment(view, index, moved)
        line["data"][-1]["x"] = [float(view.run.time_h[index])] * 2
        return index, line

    @app.callback(
        Output("job-moment", "children"),
        Output("job-neighbors", "children"),
        Output("job-open-cluster", "href"),
        Input("job-cursor", "data"),
        Input("node-sizes", "data"),
        State("job-who", "data"),
    )
    def tell(index: int | None, sizes: Any, who: dict[str, Any] | None) -> Any:
        if who is None or index is None:
            return no_update, no_update, no_update
        view = open_again(who["run"], who["job"])
        return tell_moment(view, index), build_neighbors(view, index, tidy_node_sizes(sizes)), cluster_href(view, index)

    app.clientside_callback(
        ClientsideFunction("job", "writeUrl"),
        Output("job-quiet", "title"),
        Input("job-cursor", "data"),
        State("job-who", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("job", "goToStretch"),
        Output("job-moved", "data"),
        Input("job-stretches", "cellClicked"),
        prevent_initial_call=True,
    )
