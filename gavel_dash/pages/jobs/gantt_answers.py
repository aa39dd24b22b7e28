"""What the Gantt's callbacks answer: figure, tooltip, cursor and card. Plain functions, tested without an app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from dash import dcc, html, no_update
from dash.development.base_component import Component

from gavel_dash.errors import GavelDashError
from gavel_dash.figures.theme import layout
from gavel_dash.pages.jobs import gantt_content as content
from gavel_dash.pages.jobs.gantt_content import Asked
from gavel_dash.ui import keep_zoom

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep


def first_name(names: Sequence[str] | None) -> str | None:
    """The run whose records the cursor counts."""
    return next(iter(names or []), None)


def csv_href(name: str | None, start: int, stop: int | None) -> str:
    """Address of the stretches in view as CSV."""
    span = "" if stop is None else f"?start={start}&stop={stop}"
    return f"/api/runs/{quote(name or '', safe='')}/segments.csv{span}"


def draw(
    sweep: Sweep, view: Asked | None, color: str, job: int | None, theme: str | None, shown: dict[str, Any] | None
) -> tuple[Any, dict[str, Any] | None, list[Component], str]:
    """Figure (a patch that keeps the zoom where it shows the same run), what it shows, notes and the CSV's address."""
    empty = {"data": [], "layout": layout(theme or "light", xaxis={"visible": False}, yaxis={"visible": False})}
    if view is None:
        return empty, None, [html.P("No run is selected.")], csv_href(None, 0, None)
    try:
        run = sweep[view["run"]]
        if not run.n_rounds or not run.cluster.gpus:
            return (
                empty,
                None,
                [html.P(f"{run.name} has no rounds or no GPUs: nothing to show.")],
                csv_href(run.name, 0, 0),
            )
        figure = content.draw_view(run, view, color, job, theme or "light")
        notes: list[Component] = [html.P(" ".join(content.notes_of(run, view)))]
    except GavelDashError as error:
        return empty, None, [html.P(f"{view['run']} cannot be shown: {error}")], csv_href(view["run"], 0, None)
    now = what_is_shown(run, view)
    # A run that has grown is drawn to its new end, unless a part of it is in view.
    is_same = shown is not None and shown["run"] == run.name and (shown["of"] == now["of"] or view["x"] is not None)
    return keep_zoom(figure) if is_same else figure, now, notes, csv_href(run.name, now["start"], now["stop"])


def what_is_shown(run: Run, asked: Asked) -> dict[str, Any]:
    """Records and GPUs in view, as the address and the CSV name them; None where all are."""
    view = content.view_of(run, asked)
    start, stop = int(view.x[0]), min(run.n_rounds, -int(-view.x[1] // 1))
    gpus = content.gpus_in_view(view)
    return {
        "run": run.name,
        "of": run.n_rounds,
        "start": start,
        "stop": stop,
        "rounds": None if (start, stop) == (0, run.n_rounds) else f"{start}-{stop - 1}",
        "gpus": None if gpus is None or view.y == (0, view.grid.height) else f"{gpus[0]}-{gpus[1]}",
    }


def tell(sweep: Sweep, view: Asked | None, point: dict[str, Any] | None, job: int | None) -> tuple[Any, ...]:
    """Whether the tooltip shows, where, and its lines."""
    if view is None or point is None:
        return False, no_update, no_update
    lines = content.tell_cell(sweep[view["run"]], view, point["x"], point["y"], job)
    if not lines:
        return False, no_update, no_update
    return True, point["bbox"], [html.Strong(lines[0]), *(html.Div(line) for line in lines[1:])]


def pick(
    sweep: Sweep, names: list[str], view: Asked | None, point: dict[str, Any] | None, job: int | None
) -> tuple[Any, Any]:
    """Cursor and job after a click; an idle cell moves the cursor only."""
    if view is None or point is None:
        return no_update, no_update
    run = sweep[view["run"]]
    picked = content.pick_cell(run, view, point["x"], point["y"], job)
    if picked is None:
        return no_update, no_update
    record, of_job = picked
    first = sweep[first_name(names) or run.name]
    return content.aligned_record(run, first, record), no_update if of_job is None else of_job


def place(
    sweep: Sweep, names: list[str], name: str | None, cursor: int | None, job: int | None
) -> tuple[dict[str, Any] | None, list[Component], bool]:
    """Where the cursor is in the shown run, the card of its round and of the selected job, whether no job is."""
    if name is None or name not in sweep:
        return None, [], True
    try:
        run, first = sweep[name], sweep[first_name(names) or name]
        if not run.n_rounds or not first.n_rounds:
            return None, [], True
        at_cursor = None if cursor is None else min(cursor, first.n_rounds - 1)
        record = None if at_cursor is None else content.aligned_record(first, run, at_cursor)
        start = first.representative_round()
        where = {"record": record, "cursor": at_cursor, "n_rounds": first.n_rounds, "start": start}
        return where, _card(run, record, job), job is None
    except GavelDashError:
        return None, [], True  # the chart says it


def _card(run: Run, record: int | None, job: int | None) -> list[Component]:
    parts: list[Component] = []
    at = {} if record is None else {"round": record}
    if record is not None:
        head = run.viz.round_heads[record]
        where = f"Round {int(head['round']):,}, {run.time_h[record]:,.2f} h (record {record + 1:,} of {run.n_rounds:,})"
        beyond = {} if job is None else {"job": job}
        parts += [html.Span(where), dcc.Link("Open in Cluster", href=_href("/cluster", run=run.name, **at, **beyond))]
    if job is not None:
        facts = content.describe_job(run, job)
        words = [html.Strong(f"Job {job:,}"), f" {facts.words}"]
        parts += [html.Span(words), dcc.Link("Job's page", href=_href("/job", run=run.name, job=job, **at))]
    return parts or [html.Span("Click a cell for its round and job.")]


def _href(path: str, **query: Any) -> str:
    return f"{path}?{urlencode(query)}"
