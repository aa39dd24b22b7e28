"""From runs to lines: fields of each run kept ready, and as many of their points as are to be drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gavel_dash.analysis.downsample import downsample, is_monotone
from gavel_dash.analysis.fields import RunRecords, compute_field, moving_mean, order_completions
from gavel_dash.errors import GavelDashError, UsageError
from gavel_dash.figures.telemetry_data import Line, TelemetryData
from gavel_dash.figures.telemetry_marks import RunMarks
from gavel_dash.pages.selection import MOST_RUNS
from gavel_dash.pages.telemetry.state import Options, View
from gavel_dash.schema import Column
from gavel_dash.schema.telemetry import telemetry_columns
from gavel_dash.sweep import RunMemory

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

#: Points of all lines of the page, of those of one chart, and of one line. A point takes 5 to 6 bytes on the wire.
PAGE_POINTS, CHART_POINTS, LINE_POINTS = 100_000, 50_000, 4_000
#: Runs whose rounds are kept (1 MB at 20,000 rounds), and fields (160 kB).
KEPT_RUNS, KEPT_FIELDS = MOST_RUNS, 256
WINDOWED = {"windowed_jct_h": (True, False), "windowed_completion_rate_jph": (False, True)} | {
    "windowed_arrival_rate_jph": (False, True)
}


_records, _fields, _marks_of = RunMemory(KEPT_RUNS), RunMemory(KEPT_FIELDS), RunMemory(KEPT_FIELDS)


def read_records(sweep: Sweep, name: str) -> RunRecords:
    """What the fields of a run are computed from, in memory of its own: rounds lie far apart in a file."""
    return _records.get(sweep, name, None, lambda: _read_records(sweep[name]))


def _read_records(run: Run) -> RunRecords:
    # Late: this module of NumPy takes as long to load as the rest of the page.
    from numpy.lib.recfunctions import repack_fields

    heads = repack_fields(run.viz.round_heads)
    completed_at, jct_s = order_completions(run.viz.jobs, run.jct_s, heads["round"])
    wall_time_s = getattr(run, "wall_time_s", None)  # no format holds it yet
    return RunRecords(heads, run.viz.gpus_used, run.cluster, run.time_h, completed_at, jct_s, wall_time_s)


def read_field(sweep: Sweep, name: str, field: str, options: Options) -> np.ndarray | None:
    """Values of a field in every record of a run, float64, shape (n_rounds,); None where the run has none."""
    return _field(sweep, name, field, *_windows(field, options))


def _windows(field: str, options: Options) -> tuple[int, float]:
    """Which of the options a field depends on: completions of the mean JCT and hours of the rates, else 0."""
    by_jct, by_rate = WINDOWED.get(field, (False, False))
    return options.jct_completions * by_jct, options.rate_h * by_rate


def _field(sweep: Sweep, name: str, field: str, jct_completions: int, rate_h: float) -> np.ndarray | None:
    def compute() -> np.ndarray | None:
        values = compute_field(read_records(sweep, name), field, jct_completions, rate_h)
        if values is not None:
            values.setflags(write=False)  # all requests share it
        return values

    return _fields.get(sweep, name, (field, jct_completions, rate_h), compute)


def open_runs(sweep: Sweep, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the runs whose rounds can be read, and a sentence for each of the others."""
    opened, problems = [], []
    for name in names[:MOST_RUNS]:
        try:
            read_records(sweep, name)
        except GavelDashError as error:
            problems.append(f"{name} cannot be shown: {error}")
        else:
            opened.append(name)
    return opened, problems


def known_fields(sweep: Sweep, names: Sequence[str]) -> dict[str, Column]:
    """Every field that any of the runs has, by name."""
    records = [read_records(sweep, name) for name in names]
    types = dict.fromkeys(gpu_type.name for record in records for gpu_type in record.cluster.gpu_types)
    fields = telemetry_columns(list(types))
    if all(record.wall_time_s is None for record in records):
        del fields["wall_time_min"]
    return fields


def collect(
    sweep: Sweep, names: Sequence[str], options: Options, view: View | None, all_points: bool = False
) -> TelemetryData:
    """Lines of all runs, of each field in turn, with what has to be said about them.

    Parameters
    ----------
    sweep : Sweep
    names : sequence of str
        Runs, the first of which the others are aligned with.
    options : Options
    view : (low, high) or None
        Range of x in view.
    all_points : bool
        Every record instead of those that are to be drawn.

    Raises
    ------
    UsageError
        When no field has the name asked for.
    """
    data = survey(sweep, names, options)
    n_runs, n_charts = max(1, len(data.runs)), max(1, len(data.fields))
    n_points = min(LINE_POINTS, CHART_POINTS // n_runs, PAGE_POINTS // (n_runs * n_charts))
    n_points = sys.maxsize if all_points else n_points // (2 if options.smooth_h else 1)
    x_of = {name: read_field(sweep, name, options.x, options) for name in data.runs}
    lines: list[Line] = []
    for field in data.fields:
        for name, x in x_of.items():
            y = read_field(sweep, name, field.name, options)
            if x is not None and y is not None:
                time_h = read_records(sweep, name).time_h
                lines += _lines_of(name, field.name, x, y, time_h, options, view, n_points)
    return replace(data, lines=tuple(lines))


def survey(sweep: Sweep, names: Sequence[str], options: Options) -> TelemetryData:
    """All of `collect` but the lines.

    Raises
    ------
    UsageError
        When no field has the name asked for.
    """
    opened, problems = open_runs(sweep, names)
    if not opened:
        return TelemetryData(None, (), (), {}, (), tuple(problems))
    fields = known_fields(sweep, opened)
    for name in (options.x, *options.y):
        if name not in fields:
            raise UsageError(f"No field of these runs is named {name}.")
    marks = {name: _marks(sweep, name, options) for name in opened}
    return TelemetryData(
        x=fields[options.x],
        fields=tuple(fields[name] for name in options.y),
        runs=tuple(opened),
        marks={name: of_run for name, of_run in marks.items() if of_run is not None},
        lines=(),
        problems=tuple(problems),
        missing=tuple(
            (field, name)
            for field in dict.fromkeys((options.x, *options.y))
            for name in opened
            if read_field(sweep, name, field, options) is None
        ),
    )


def _lines_of(
    name: str,
    field: str,
    x: np.ndarray,
    y: np.ndarray,
    time_h: np.ndarray,
    options: Options,
    view: View | None,
    n_points: int,
) -> list[Line]:
    """The line of a run's field, and before it the raw one where it is smoothed."""
    pairs = [(x, y, False)]
    if options.smooth_h:
        # A path through two fields is smoothed in both.
        smooth_x = x if is_monotone(x) else moving_mean(x, time_h, options.smooth_h)
        pairs.append((smooth_x, moving_mean(y, time_h, options.smooth_h), True))
    lines = []
    for at, values, smoothed in pairs:
        drawn_x, drawn_y, n_off_axis = _on_axes(at, values, options)
        kept = downsample(drawn_x, drawn_y, n_points, view, options.log_x)
        lines.append(Line(name, field, kept, drawn_x[kept], drawn_y[kept], smoothed, n_off_axis, len(x)))
    return lines


def _on_axes(x: np.ndarray, y: np.ndarray, options: Options) -> tuple[np.ndarray, np.ndarray, int]:
    """A gap in x and y where they have no place on a logarithmic axis, and in how many records."""
    if not options.log_x and not options.log_y:
        return x, y, 0
    off_axis = (options.log_y & (y <= 0)) | (options.log_x & (x <= 0))
    n_off_axis = int((off_axis & np.isfinite(x) & np.isfinite(y)).sum())
    return (
        np.where(x > 0, x, np.nan) if options.log_x else x,
        np.where(y > 0, y, np.nan) if options.log_y else y,
        n_off_axis,
    )


def _marks(sweep: Sweep, name: str, options: Options) -> RunMarks | None:
    key = options.x, *_windows(options.x, options), options.log_x
    return _marks_of.get(sweep, name, key, lambda: _find_marks(sweep, name, options))


def _find_marks(sweep: Sweep, name: str, options: Options) -> RunMarks | None:
    """Where the phases of a run begin on an x axis that never goes back; None where it has no such field."""
    x = read_field(sweep, name, options.x, options)
    if x is None:
        return None
    known = np.flatnonzero(np.isfinite(x) & ((x > 0) | (not options.log_x)))
    phases = sweep[name].phases
    if not len(known) or not is_monotone(x):
        return RunMarks(False, None)
    if phases is None:
        return RunMarks(True, None)
    first, last = float(x[known[0]]), float(x[known[-1]])

    def at(index: int) -> float:
        later = known.searchsorted(index)
        return float(x[known[later]]) if later < len(known) else last

    return RunMarks(True, (first, at(phases.measurement_start), at(phases.measurement_end), last))


def cursor_points(
    sweep: Sweep, data: TelemetryData, options: Options, cursor: int | None
) -> dict[tuple[str, str], tuple[float, float]]:
    """Where each run is at the simulated time of a record of the first: x and y by field and run.

    A run that has not begun or has ended by then is left out.
    """
    if cursor is None or not data.runs or not 0 <= cursor < sweep[data.runs[0]].n_rounds:
        return {}
    time_h = float(sweep[data.runs[0]].time_h[cursor])
    points = {}
    for name in data.runs:
        run = sweep[name]
        x = read_field(sweep, name, options.x, options)
        if x is None or not run.edges_h[0] <= time_h <= run.edges_h[-1]:
            continue
        index = cursor if name == data.runs[0] else run.index_at(time_h)
        for field in options.y:
            y = read_field(sweep, name, field, options)
            if y is not None:
                points[(field, name)] = (float(x[index]), float(y[index]))
    return points


def find_cursor(sweep: Sweep, names: Sequence[str], options: Options, picked: dict[str, object]) -> int | None:
    """Record index in the first run at the simulated time of a clicked point: its `run`, `field`, `x` and `y`."""
    opened, _ = open_runs(sweep, names)
    name, field = str(picked["run"]), str(picked["field"])
    if name not in opened:
        return None
    x, y = read_field(sweep, name, options.x, options), read_field(sweep, name, field, options)
    if x is None or y is None:
        return None
    # Points travel as float32; of several records at one x it is the one whose y is nearest.
    clicked_x, clicked_y = float(str(picked["x"])), float(str(picked["y"]))
    near_x = np.abs(x - clicked_x)
    nearest = np.flatnonzero(near_x <= max(np.nanmin(near_x), abs(clicked_x) * 1e-6))
    away = np.abs(y[nearest] - clicked_y)
    index = int(nearest[0] if np.isnan(away).all() else nearest[np.nanargmin(away)])
    return move_cursor(sweep, name, opened[0], index)


def move_cursor(sweep: Sweep, of_run: str, to_run: str, index: int) -> int:
    """The record of another run at the same simulated time."""
    return index if of_run == to_run else sweep[to_run].index_at(float(sweep[of_run].time_h[index]))
