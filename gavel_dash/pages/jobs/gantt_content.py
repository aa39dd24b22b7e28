"""What the Gantt shows of a run: the part in view, one cell in words, the job behind a click. Tested without an app."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

from gavel_dash.analysis.gantt import LaneRows, held_span, summarize_cells
from gavel_dash.figures.gantt import build_gantt_figure, codes_of_cells, codes_of_jobs
from gavel_dash.figures.gantt_axes import plot_px
from gavel_dash.figures.gantt_view import MOST_COLUMNS, GanttView, plan_view
from gavel_dash.figures.heatmap_colors import category_label
from gavel_dash.figures.player_colors import player_coloring
from gavel_dash.schema import build_frame
from gavel_dash.schema.segments import SEGMENTS

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

HEIGHT_PX = 520


class Asked(TypedDict):
    """What the browser asks to see: ranges on the axes (None: all), and the width of the plot area in pixels."""

    run: str
    x: list[float] | None
    y: list[float] | None
    width: float | None


@dataclass(frozen=True)
class JobFacts:
    """What a file says about a job; the type and category are empty and the scale factor 0 where it has no record."""

    job_id: int
    job_type: str
    category: str
    scale_factor: int

    @property
    def words(self) -> str:
        """Type, category and scale factor in one line."""
        if not self.job_type and not self.scale_factor:
            return "the file has no record of this job"
        asks = f"scale factor {self.scale_factor}" if self.scale_factor else ""
        return " · ".join(part for part in (self.job_type, category_label(self.category), asks) if part)


def view_of(run: Run, asked: Asked) -> GanttView:
    """Rounds and lanes to read for what a browser asks."""
    width = asked["width"] or MOST_COLUMNS
    return plan_view(
        run.cluster, run.viz.lanes_per_gpu, run.n_rounds, asked["x"], asked["y"], width, plot_px(HEIGHT_PX)
    )


def known_rounds(run: Run, start: int, stop: int) -> np.ndarray:
    """Records of ``[start, stop)`` whose allocation the file has: bool."""
    # Where only job 0 runs unseen the rest of the round is known.
    if not run.records_without_allocation[start:stop].any():
        return np.ones(stop - start, bool)
    return ~run.viz.records_without_allocation()[start:stop]


def draw_view(run: Run, asked: Asked, color: str, job_id: int | None, theme: str) -> dict[str, Any]:
    """The figure of the part in view; raises `GavelDashError` where the file is damaged there."""
    view, viz, cluster = view_of(run, asked), run.viz, run.cluster
    selected = 0 if job_id is None else job_id + viz.job_id_offset
    known = known_rounds(run, view.start, view.stop)
    cells = summarize_cells(viz.lanes, known, view.start, view.stop, view.per_column, view.rows, selected)
    table = viz.jobs_by_id
    types = {int(t): viz.job_types.get(int(t), ("", ""))[1] for t in np.unique(table["type_id"])}
    factors = [int(factor) for factor in np.unique(table["scale_factor"])]
    look = player_coloring(color, theme, [category for category in types.values()], factors)
    shown = np.where(cells.has_selected, selected, cells.stored.astype(np.int64)) - viz.job_id_offset
    rows = np.searchsorted(table["job_id"], shown).clip(max=max(0, len(table) - 1))
    if look["rule"]["kind"] == "job" or not len(table):
        codes = codes_of_jobs(look["rule"], shown.ravel(), np.full(shown.size, ""), np.zeros(shown.size, int))
        codes = codes.reshape(shown.shape)
    else:
        categories = np.array([types[t] for t in table["type_id"].tolist()], object)
        # One more code stands for jobs without a record.
        ids = np.append(table["job_id"], -1)
        of_record = codes_of_jobs(
            look["rule"], ids, np.append(categories, ""), np.append(table["scale_factor"].astype(np.int64), 0)
        )
        codes = of_record[np.where(table["job_id"][rows] == shown, rows, len(table))]
    used = viz.gpus_used[view.start : view.stop].mean(axis=0) if view.stop > view.start else np.zeros(0)
    counts = np.array([max(1, gpu_type.count) for gpu_type in cluster.gpu_types])
    return build_gantt_figure(
        view,
        cells,
        codes_of_cells(cells, codes, len(look["palette"]), job_id is not None),
        look,
        cluster,
        used / counts,
        run.edges_h,
        run.phases,
        theme,
        HEIGHT_PX,
        run.name,
    )


def notes_of(run: Run, asked: Asked) -> list[str]:
    """What a cell is, and what the file does not say about the part in view."""
    view = view_of(run, asked)
    rounds = f"{view.per_column:,} rounds" if view.per_column > 1 else "one round"
    per_row = max([rows.per_row for rows in view.rows], default=1)
    lanes = "one GPU" if view.lanes_per_gpu == 1 else "a quarter of a GPU"
    if per_row > 1:
        gpus = per_row // view.lanes_per_gpu
        lanes = f"{gpus:,} GPUs" if gpus > 1 else "one GPU"
    notes = [f"A cell is {rounds} of {lanes}."]
    if view.per_column > 1 or per_row > 1:
        notes.append(
            "It has the colour of the job that held it longest, and is idle where it was idle over half of it."
        )
    n = view.stop - view.start
    unsaid = int((~known_rounds(run, view.start, view.stop)).sum())
    hidden = int(run.records_without_allocation[view.start : view.stop].sum()) - unsaid
    if unsaid:
        notes.append(
            f"In {unsaid:,} of {n:,} rounds in view the file does not say who holds the GPUs (hatched: not idle)."
        )
    if hidden:
        notes.append(f"In {hidden:,} of {n:,} rounds in view job 0 holds GPUs that the file shows as idle.")
    return notes


def describe_job(run: Run, job_id: int) -> JobFacts:
    """What the file says about a job."""
    table = run.viz.jobs_by_id
    row = int(np.searchsorted(table["job_id"], job_id))
    if row == len(table) or table["job_id"][row] != job_id:
        return JobFacts(job_id, "", "", 0)
    name, category = run.viz.job_types.get(int(table["type_id"][row]), ("", ""))
    return JobFacts(job_id, name, category, int(table["scale_factor"][row]))


def tell_cell(run: Run, asked: Asked, x: float, y: float, job_id: int | None) -> list[str]:
    """One cell in lines of text, the first its heading; empty where there is no cell."""
    view = view_of(run, asked)
    cell = view.cell_at(x, y)
    if cell is None:
        return []
    start, stop, rows = cell
    where = [_name_lanes(run, rows), _name_rounds(run, start, stop)]
    if not known_rounds(run, start, stop).any():
        return ["No allocation data", *where, "the file does not say who holds the GPUs here"]
    if stop - start == 1 and rows.stop - rows.start == 1:
        return _tell_lane(run, start, rows.start, where)
    return _tell_stretch(run, start, stop, rows, where, job_id)


def _tell_lane(run: Run, record: int, lane: int, where: list[str]) -> list[str]:
    viz = run.viz
    stored = int(viz.lanes(record, record + 1)[0, lane])
    first, last = held_span(viz.lanes, run.n_rounds, lane, record)
    rounds = viz.round_heads["round"]
    until = "to the end of the run" if last == run.n_rounds else f"to round {int(rounds[last - 1]):,}"
    since = f"from round {int(rounds[first]):,} {until}: {record - first:,} rounds before, {last - 1 - record:,} after"
    if not stored:
        return ["Idle", *where, since]
    job = describe_job(run, stored - viz.job_id_offset)
    return [f"Job {job.job_id:,}", job.words, *where, f"holds it {since}"]


def _tell_stretch(run: Run, start: int, stop: int, rows: LaneRows, where: list[str], job_id: int | None) -> list[str]:
    viz = run.viz
    selected = 0 if job_id is None else job_id + viz.job_id_offset
    known = known_rounds(run, start, stop)
    cell = summarize_cells(viz.lanes, known, start, stop, stop - start, [rows])
    stored, size = int(cell.stored[0, 0]), int(cell.size[0, 0])
    lines = []
    if stored:
        job = describe_job(run, stored - viz.job_id_offset)
        lines = [f"Job {job.job_id:,}: {cell.held[0, 0] / size:.1%} of it", job.words]
    if cell.is_mostly_idle[0, 0]:
        lines = ["Mostly idle" if stored else "Idle", *([f"longest: {lines[0]}"] if lines else [])]
    jobs = int(cell.jobs[0, 0])
    lines += [*where, f"{cell.busy[0, 0] / size:.1%} busy, {jobs:,} job{'' if jobs == 1 else 's'}"]
    if selected and selected != stored:
        held = int((viz.lanes(start, stop)[:, rows.start : rows.stop] == selected).sum())
        if held:
            lines.append(f"Selected job {job_id:,}: {held / size:.1%} of it")
    if not known.all():
        lines.append(f"known in {int(known.sum()):,} of {stop - start:,} rounds")
    return lines


def _name_lanes(run: Run, rows: LaneRows) -> str:
    """GPU 41 (P100 5), or a range of them."""
    parts = run.viz.lanes_per_gpu
    first, last = rows.start // parts, (rows.stop - 1) // parts
    index = int(np.searchsorted(run.cluster.first_gpus, first, side="right")) - 1
    name, origin = run.cluster.gpu_types[index].name.upper(), run.cluster.first_gpus[index]
    if first != last:
        return f"GPUs {first:,}–{last:,} ({name} {first - origin:,}–{last - origin:,})"
    quarter = f", quarter {rows.start % parts + 1} of {parts}" if rows.stop - rows.start < parts else ""
    return f"GPU {first:,} ({name} {first - origin:,}){quarter}"


def _name_rounds(run: Run, start: int, stop: int) -> str:
    rounds, edges_h = run.viz.round_heads["round"], run.edges_h
    if stop - start == 1:
        return f"Round {int(rounds[start]):,} · {edges_h[start]:,.2f} h"
    return f"Rounds {int(rounds[start]):,}–{int(rounds[stop - 1]):,} · {edges_h[start]:,.2f}–{edges_h[stop]:,.2f} h"


def pick_cell(run: Run, asked: Asked, x: float, y: float, job_id: int | None) -> tuple[int, int | None] | None:
    """Record index and job behind a click; None where there is no cell.

    Of the rounds in which the job that the cell shows holds it, the one nearest to the click. No job where the cell is
    idle.
    """
    view, viz = view_of(run, asked), run.viz
    cell = view.cell_at(x, y)
    if cell is None:
        return None
    start, stop, rows = cell
    middle = max(start, min(floor(x), stop - 1))
    selected = 0 if job_id is None else job_id + viz.job_id_offset
    known = known_rounds(run, start, stop)
    summary = summarize_cells(viz.lanes, known, start, stop, stop - start, [rows], selected)
    stored = selected if summary.has_selected[0, 0] else int(summary.stored[0, 0])
    if not stored or (summary.is_mostly_idle[0, 0] and not summary.has_selected[0, 0]):
        return middle, None
    holds = start + np.flatnonzero((viz.lanes(start, stop)[:, rows.start : rows.stop] == stored).any(axis=1))
    return int(holds[np.argmin(np.abs(holds - middle))]), stored - viz.job_id_offset


def aligned_record(run: Run, other: Run, record: int) -> int:
    """The record of `other` at the simulated time of a record of `run`."""
    return record if run.name == other.name else other.index_at(float(run.time_h[record]))


def gpus_in_view(view: GanttView) -> tuple[int, int] | None:
    """First and last GPU in view; None where there is none."""
    if not view.rows:
        return None
    return view.rows[0].start // view.lanes_per_gpu, (view.rows[-1].stop - 1) // view.lanes_per_gpu


def asked_view(run: Run, rounds: str | None, gpus: str | None) -> Asked:
    """The view that an address names by its first and last record and GPU; what makes no sense is the whole."""
    asked: Asked = {"run": run.name, "x": None, "y": None, "width": None}
    span = _span(rounds, run.n_rounds)
    if span is not None:
        asked["x"] = [span[0], span[1] + 1]
    span = _span(gpus, run.cluster.gpus)
    if span is not None:
        bands = view_of(run, asked).grid.bands
        top = next(b.top + span[0] - b.first_gpu for b in reversed(bands) if b.first_gpu <= span[0])
        bottom = next(b.top + span[1] + 1 - b.first_gpu for b in reversed(bands) if b.first_gpu <= span[1])
        asked["y"] = [top, bottom]
    return asked


def _span(text: str | None, end: int) -> tuple[int, int] | None:
    """``"3-17"`` as numbers within ``[0, end)``."""
    first, _, last = (text or "").partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(text or "") < 24):
        return None
    low, high = int(first), min(int(last), end - 1)
    return (low, high) if low <= high else None


def segments_table(sweep: Sweep, name: str, start: int = 0, stop: int | None = None) -> pd.DataFrame:
    """Stretches of the records ``[start, stop)`` in which a GPU, or a quarter of one, has one job: `SEGMENTS`."""
    run = sweep[name]
    viz, parts = run.viz, run.viz.lanes_per_gpu
    held = run.segments(start, stop)
    gpus = held.lane // parts
    types = np.array([gpu_type.name for gpu_type in run.cluster.gpu_types], object)
    type_index = np.searchsorted(run.cluster.first_gpus, gpus, side="right") - 1
    rounds = pd.Series(viz.round_heads["round"].astype(np.int64), dtype="Int64")
    columns: dict[str, Any] = {
        "gpu": gpus,
        "gpu_type": types[type_index] if len(types) else np.empty(0, object),
        "quarter": held.lane % parts if parts > 1 else pd.array([pd.NA] * len(held), dtype="Int64"),
        "job_id": held.job_id,
        "start_round": rounds.reindex(held.start).array,
        "stop_round": rounds.reindex(held.stop).array,
        "start_time_h": run.edges_h[held.start],
        "stop_time_h": run.edges_h[held.stop],
        "rounds": held.rounds,
    }
    return pd.DataFrame(columns).astype(build_frame([], SEGMENTS).dtypes.to_dict())
