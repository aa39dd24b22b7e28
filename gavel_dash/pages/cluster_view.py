"""What the Cluster page shows of a run and a round: plain values and components, tested without an app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

import numpy as np
from dash import Patch, dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.figures.heatmap import build_heatmap, changing_parts, parts_without_zoom
from gavel_dash.figures.heatmap_colors import COLOR_BY
from gavel_dash.figures.round_cells import MOST_CELLS_BACK, RoundCells, cells_of_round
from gavel_dash.figures.scrubber import build_scrubber
from gavel_dash.ui import query_value, row_data, tile

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

HEATMAP_HEIGHT_PX = 400
#: Up to here every frame carries its hover texts; above, only a round that stands still does.
HOVER_WHILE_PLAYING_GPUS = 1500


class View(TypedDict):
    """The round asked for: record `index` of `run`."""

    run: str
    index: int
    playing: bool


class RunInfo(TypedDict):
    """What the browser needs to know to play a run."""

    run: str
    index: int
    n_rounds: int


class Shown(TypedDict):
    """What the heatmap in the browser shows now."""

    run: str
    index: int
    color: str
    theme: str
    playing: bool


@dataclass(frozen=True)
class Opened:
    """A run that can be played, or the sentence that says why not."""

    info: RunInfo | None
    problem: str = ""


@dataclass(frozen=True)
class Frame:
    """One round for the page; `figure` is None where the round cannot be read."""

    figure: dict[str, Any] | Patch | None
    tiles: list[Component]
    now: str
    note: str


def run_options(sweep: Sweep) -> list[str]:
    """Names of the runs that have rounds to look at, in the order of the run table."""
    return [name for name in sweep.names if sweep.has_rounds(name)]


def open_view(sweep: Sweep, run_name: str | None, asked_round: str | None = None) -> Opened:
    """Open a run at a round, as the query string asks.

    Parameters
    ----------
    sweep : Sweep
        Where the run is looked up.
    run_name : str or None
        None takes the first run that has rounds.
    asked_round : str or None
        Record index (a run's round numbers need not be unique); one that is none gives the middle of the measurement
        phase, one behind the end the last record.
    """
    if run_name is None:
        options = run_options(sweep)
        if not options:
            return Opened(None, "No run of this sweep has rounds to look at.")
        run_name = options[0]
    if run_name not in sweep:
        return Opened(None, f"This sweep has no run named {run_name}.")
    try:
        run = sweep[run_name]
        if not run.n_rounds:
            return Opened(None, f"{run_name} has no rounds: nothing was recorded.")
        index = run.representative_round()
    except GavelDashError as error:
        reason = error.found if isinstance(error, SourceError) and error.path == run_name else error
        return Opened(None, f"{run_name} cannot be shown: {reason}")
    if asked_round is not None and asked_round.isdecimal():
        index = min(int(asked_round), run.n_rounds - 1)
    return Opened({"run": run_name, "index": index, "n_rounds": run.n_rounds})


def initial_color(query: Mapping[str, object]) -> str:
    """The colouring of a query; by category where it names none."""
    color = query_value(query, "color")
    return color if color in COLOR_BY else "category"


def first_view(info: RunInfo) -> View:
    """The view a run opens with."""
    return {"run": info["run"], "index": info["index"], "playing": False}


def build_frame(sweep: Sweep, view: View, color: str, theme: str, shown: Shown | None) -> Frame:
    """One round: its figure, or only what changes where the browser shows the same run (a zoom then stays)."""
    run = sweep[view["run"]]
    hover = not view["playing"] or run.cluster.gpus <= HOVER_WHILE_PLAYING_GPUS
    try:
        cells = cells_of_round(run, view["index"], MOST_CELLS_BACK if hover else 0)
    except GavelDashError as error:
        return Frame(None, round_tiles(run, view["index"]), now_line(run, view["index"]), f"Damaged round: {error}")
    figure = build_heatmap(cells, theme, color, height=HEATMAP_HEIGHT_PX, width=1040, hover=hover)
    if shown is None or shown["run"] != view["run"]:
        sent: dict[str, Any] | Patch = figure
    elif (shown["color"], shown["theme"]) == (color, theme):
        sent = _patch(changing_parts(figure))
    else:
        sent = _patch(parts_without_zoom(figure))
    return Frame(
        figure=sent,
        tiles=round_tiles(run, view["index"]),
        now=now_line(run, view["index"]),
        note=difference_note(cells),
    )


def _patch(parts: list[tuple[tuple[str | int, ...], Any]]) -> Patch:
    patch = Patch()
    for path, value in parts:
        target = patch
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value
    return patch


def now_line(run: Run, index: int) -> str:
    """Where in the run the round is: number, time, phase, and its place in the file."""
    head = run.viz.round_heads[index]
    phase = f" · {run.phases.of(index)}" if run.phases is not None else ""
    hours = float(head["sim_time_s"]) / SECONDS_PER_HOUR
    return f"Round {int(head['round']):,} · {hours:,.1f} h{phase} · record {index + 1:,} of {run.n_rounds:,}"


def round_tiles(run: Run, index: int) -> list[Component]:
    """The round in numbers."""
    head, used = run.viz.round_heads[index], run.viz.gpus_used[index]
    gpus, busy = run.cluster.gpus, int(used.sum())
    mean_jct_h = float(head["avg_jct_s"]) / SECONDS_PER_HOUR
    running, queued = int(head["jobs_running"]), int(head["jobs_queued"])
    rate_jph = float(head["completion_rate_jph"])
    counted = "as the simulator counts" if run.phases is None else "of window jobs"
    types = zip(run.cluster.gpu_types, used.tolist(), strict=True)
    return [
        tile("Occupancy", _percent(busy, gpus), f"{busy:,} of {gpus:,} GPUs"),
        tile("Free GPUs", f"{max(0, gpus - busy):,}", _waiting(queued)),
        tile("Running", f"{running:,}", "jobs on GPUs"),
        tile("Queued", f"{queued:,}", f"{running + queued:,} in the system"),
        tile("Completed", f"{int(head['jobs_completed']):,}", "jobs since the start"),
        tile("Completion rate", f"{rate_jph:,.2f} jph" if rate_jph > 0 else "–", "by the simulator"),
        tile("Mean JCT so far", f"{mean_jct_h:,.1f} h" if mean_jct_h > 0 else "–", counted),
        tile("Eff. utilization", f"{float(head['effective_utilization']):.1%}", "since the start"),
        html.Div([_type_share(t.name, n, t.count) for t, n in types], className="cluster-types"),
    ]


def _waiting(queued: int) -> str:
    return {0: "nobody waits", 1: "1 job waits"}.get(queued, f"{queued:,} jobs wait")


def _type_share(name: str, used: int, count: int) -> Component:
    return html.Div(
        [html.Span(name.upper(), className="cluster-type-name"), html.Span(_percent(used, count))],
        className="cluster-type",
        title=f"{name}: {used:,} of {count:,} GPUs in use",
    )


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def difference_note(cells: RoundCells) -> str:
    """What to say where the cells and the simulator's count of GPUs in use do not agree."""
    if not cells.has_allocation:
        return ""
    visible, used = int(np.count_nonzero(cells.allocation >= 0)), int(cells.gpus_used.sum())
    if visible == used:
        return ""
    return f"The file counts {used:,} GPUs in use but names jobs on {visible:,}: busy shares follow the count."


def scrubber_figure(run: Run, theme: str) -> dict[str, Any]:
    """The chart of the whole run."""
    heads = run.viz.round_heads
    return build_scrubber(
        run.viz.gpus_used.sum(axis=1) / max(1, run.cluster.gpus),
        heads["jobs_running"].astype(np.int64) + heads["jobs_queued"],
        heads["sim_time_s"].astype(np.float64) / SECONDS_PER_HOUR,
        heads["round"],
        run.phases,
        theme,
    )


@dataclass(frozen=True)
class QueueOfRound:
    """Who waits in a round: rows for the table, the count by size, and the round in one sentence."""

    rows: list[dict[str, Any]]
    summary: list[Component]
    spoken: str


def queue_of_round(run: Run, index: int) -> QueueOfRound:
    """The queue of a round; a sentence in its place where the file is damaged there."""
    try:
        table = run.queue_table(index)
    except GavelDashError as error:
        return QueueOfRound([], [html.Span(f"Damaged queue: {error}")], now_line(run, index))
    sizes = table["scale_factor"]
    summary = queue_summary(sizes.value_counts().to_dict(), int(sizes.isna().sum()))
    listed, counted = len(table), int(run.viz.round_heads[index]["jobs_queued"])
    if listed != counted:
        summary.append(html.Div(f"The file lists {listed:,} of {counted:,} queued jobs.", className="gd-muted"))
    busy = _percent(int(run.viz.gpus_used[index].sum()), run.cluster.gpus)
    rows = row_data(table.assign(key=table["job_id"].astype(str)))  # the grid wants a text as the row's id
    return QueueOfRound(rows, summary, f"{now_line(run, index)} · occupancy {busy} · {counted:,} queued")


def queue_summary(scale_factors: Mapping[int, int], unknown: int) -> list[Component]:
    """How many jobs wait, by the GPUs they ask for."""
    total = sum(scale_factors.values()) + unknown
    if not total:
        return [html.Span("No waiting job is listed in this round.", className="gd-muted")]
    parts = [f"{n:,} × {factor} GPU{'' if factor == 1 else 's'}" for factor, n in sorted(scale_factors.items())]
    parts += [f"{unknown:,} of unknown size"] if unknown else []
    return [html.Strong(f"{total:,} wait"), *(html.Span(part, className="cluster-queue-part") for part in parts)]


def csv_links(run_name: str, index: int) -> tuple[str, str, str]:
    """Addresses of the run's rounds, its jobs, and the queue of a round as CSV."""
    base = f"/api/runs/{quote(run_name, safe='')}"
    return f"{base}/rounds.csv", f"{base}/jobs.csv", f"{base}/queue.csv?round_index={index}"


def problem_links(problem: str) -> list[Component]:
    """The sentence and where to go from it."""
    return [
        html.P(problem, className="gd-empty-sentence"),
        html.Div(
            ["Choose another run above, or see ", dcc.Link("what this sweep holds", href="/"), "."],
            className="gd-empty-next",
        ),
    ]
