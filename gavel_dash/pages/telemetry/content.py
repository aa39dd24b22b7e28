"""What the page shows of runs and options: the figure, its key, the notes under it, the line of the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd
from dash import Patch, dcc, html
from dash.development.base_component import Component

from gavel_dash.errors import UsageError
from gavel_dash.figures import theme as look
from gavel_dash.figures.run_style import RunStyle, default_color, style_runs
from gavel_dash.figures.telemetry import build_cursors, build_shapes, build_telemetry, build_traces
from gavel_dash.figures.telemetry_axes import build_annotations
from gavel_dash.figures.telemetry_data import Drawing, TelemetryData
from gavel_dash.figures.telemetry_marks import phase_edges
from gavel_dash.figures.telemetry_panels import MOST_IN_LEGEND, MOST_SMALL_RUNS
from gavel_dash.pages.telemetry.data import collect, cursor_points, open_runs, read_records, survey
from gavel_dash.pages.telemetry.state import MULTIPLES, Options, View
from gavel_dash.ui import empty_state

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

#: Figure, its style, key, notes, and what to say instead.
Drawn = tuple[dict[str, Any], dict[str, str], list[Component], list[Component], Component | None]
#: Names of runs a note lists before it only counts them.
MOST_LISTED = 3


def styles_of(sweep: Sweep, names: Sequence[str], options: Options) -> Mapping[str, RunStyle]:
    """Colour, pattern and label of each run, as the colour control says.

    A pattern's gaps swallow peaks: where it tells nothing (all runs have it, or each has its chart) lines are solid.
    """
    # Zooming and the cursor ask for the same ones again.
    asked = tuple(names), options.color, options.view == MULTIPLES
    return sweep.memory.get(("telemetry styles", *asked), lambda: _styles(sweep, *asked))


def _styles(sweep: Sweep, names: tuple[str, ...], color: str, multiples: bool) -> Mapping[str, RunStyle]:
    runs = sweep.runs()
    styles = style_runs(runs, names, color or default_color(runs, names))
    if len({style.dash for style in styles.values()}) > 1 and not multiples:
        return styles
    return {name: replace(style, dash="solid") for name, style in styles.items()}


def drawing_of(options: Options, view: View | None, theme: str) -> Drawing:
    """How the figure is drawn."""
    return Drawing(options.view == MULTIPLES, options.log_x, options.log_y, view, theme)


def draw(
    sweep: Sweep, names: Sequence[str], options: Options, view: View | None, cursor: int | None, theme: str
) -> Drawn:
    """Figure, its style, its key, notes, and what to say instead where there is nothing to draw."""
    try:
        data = collect(sweep, names, options, view)
    except UsageError as error:
        return _nothing(theme, str(error), "Choose a field of these runs.")
    if not data.runs:
        return _nothing(theme, " ".join(data.problems) or "No run is chosen.", "Choose runs above, or a whole curve.")
    if not data.fields:
        return _nothing(theme, "No field is chosen.", "Choose one to eight fields above, as y.")
    styles, drawing = styles_of(sweep, data.runs, options), drawing_of(options, view, theme)
    figure = build_telemetry(data, styles, drawing, cursor_points(sweep, data, options, cursor))
    style = {"height": f"{figure['layout']['height']}px"}
    in_figure = drawing.multiples or len(data.runs) <= MOST_IN_LEGEND
    key = [] if in_figure else build_key(data, styles)
    notes = [html.P(note) for note in (*data.problems, *notes_of(data, options))]
    return figure, style, key, notes, None


def refine(
    sweep: Sweep, names: Sequence[str], options: Options, view: View | None, cursor: int | None, theme: str
) -> Patch:
    """The lines for another part of x in view; axes and their zoom stay as they are."""
    data, drawing = collect(sweep, names, options, view), drawing_of(options, view, theme)
    styles, points = styles_of(sweep, data.runs, options), cursor_points(sweep, data, options, cursor)
    patch = Patch()
    patch["data"] = build_traces(data, styles, drawing, points)
    patch["layout"]["annotations"] = build_annotations(data, styles, drawing)
    return patch


def place_cursor(
    sweep: Sweep, names: Sequence[str], options: Options, view: View | None, cursor: int | None, theme: str
) -> Patch:
    """The cursor in the figure as it stands."""
    data, drawing = survey(sweep, names, options), drawing_of(options, view, theme)
    styles, points = styles_of(sweep, data.runs, options), cursor_points(sweep, data, options, cursor)
    patch = Patch()
    for i, trace in enumerate(build_cursors(data, styles, drawing, points)):
        patch["data"][i] = trace
    patch["layout"]["shapes"] = build_shapes(data, styles, drawing, points)
    return patch


def _nothing(theme: str, sentence: str, next_step: str) -> Drawn:
    axes = {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return {"data": [], "layout": look.layout(theme, **axes)}, {}, [], [], empty_state(sentence, next_step)


def build_key(data: TelemetryData, styles: Mapping[str, RunStyle]) -> list[Component]:
    """Which line is which run."""
    css = {"solid": "solid", "dot": "dotted"}
    return [
        html.Span(
            [
                html.Span(
                    className="telemetry-swatch",
                    style={"borderTopColor": styles[run].color, "borderTopStyle": css.get(styles[run].dash, "dashed")},
                ),
                styles[run].label,
            ],
            className="telemetry-key-entry",
            title=run,
        )
        for run in data.runs
    ]


def notes_of(data: TelemetryData, options: Options) -> list[str]:
    """What has to be known to read the charts, and what is not drawn."""
    notes = [_phases_note(data, options)]
    if options.view == MULTIPLES and len(data.runs) > MOST_SMALL_RUNS and len(data.fields) > 1:
        notes.append(f"Of more than {MOST_SMALL_RUNS} runs the small charts show the first field only.")
    labels = {field.name: field.label for field in data.fields}
    if data.x is not None:
        labels |= {data.x.name: data.x.label}
    for name in dict.fromkeys(name for name, _ in data.missing):
        runs = [run for missing, run in data.missing if missing == name]
        notes.append(f"{labels[name]} is not drawn for {_list(runs)}: {_why_missing(name)}.")
    for field in data.fields:
        mine = [line for line in data.lines if line.field == field.name and not line.smoothed]
        off_axis = [line for line in mine if line.n_off_axis]
        if off_axis:
            total = sum(line.n_off_axis for line in off_axis)
            notes.append(
                f"{total:,} rounds of {field.label} have no place on a logarithmic axis, being 0 or less there: gaps."
            )
        empty = [line.run for line in mine if not line.n_off_axis and not (line.y == line.y).any()]
        if empty:
            notes.append(f"{field.label} has no value in any round of {_list(empty)}.")
    if any(len(line.index) < line.n_rounds for line in data.lines):
        n_points = max(len(line.index) for line in data.lines)
        notes.append(
            f"Lines are drawn with up to {n_points:,} of their rounds, every peak and dip among them; zooming in draws "
            "more."
        )
    if options.smooth_h:
        notes.append(
            f"The strong line is the mean of the rounds within {options.smooth_h / 2:g} h before and after; the faint "
            "one is as recorded."
        )
    return [note for note in notes if note]


def _phases_note(data: TelemetryData, options: Options) -> str:
    first = data.runs[0]
    marks = data.marks.get(first)
    if marks is None:
        return ""
    if not marks.is_monotone:
        return "Phases are not shaded: along this x a run goes back and forth."
    edges = phase_edges(data.marks, first)
    if options.view == MULTIPLES:
        unknown = [run for run in data.runs if phase_edges(data.marks, run) is None]
        shaded = "Shaded: warm-up (grey), measurement (blue) and cool-down (grey) of each run's own window."
        return f"{shaded} No window is known of {_list(unknown)}." if unknown else shaded
    if edges is None:
        return f"Phases are not shaded: no measurement window with arrivals is known of {first}, the first run."
    others = [run for run in data.runs[1:] if phase_edges(data.marks, run) not in (None, edges)]
    ticks = " Ticks at the top: where the measurement of the others begins and ends." if others else ""
    return f"Shaded: warm-up, measurement and cool-down of {first}, the first run.{ticks}"


def _why_missing(field: str) -> str:
    if field == "windowed_jct_h":
        return "the file does not say which job completed when"
    return "it has no GPUs of that type" if field.rpartition("_")[2] in ("used", "free", "share") else "no such field"


def _list(runs: Sequence[str]) -> str:
    if len(runs) <= MOST_LISTED:
        return ", ".join(runs)
    return f"{', '.join(runs[:MOST_LISTED])} and {len(runs) - MOST_LISTED} more runs"


def cursor_line(sweep: Sweep, names: Sequence[str], cursor: int | None) -> list[Component | str]:
    """Where the cursor is, in words, and the way to the cluster there."""
    opened, _ = open_runs(sweep, names)
    if not opened:
        return []
    if cursor is None or not 0 <= cursor < sweep[opened[0]].n_rounds:
        return ["Click a line to put the cursor there; drag to zoom, double-click for all."]
    records = read_records(sweep, opened[0])
    query = urlencode([*(("run", name) for name in opened[:4]), ("round", cursor)])
    number, time_h = int(records.heads["round"][cursor]), float(records.time_h[cursor])
    return [
        f"Cursor at {time_h:,.1f} h, round {number:,} of {opened[0]}. ",
        dcc.Link("Open in Cluster", href=f"/cluster?{query}"),
    ]


def telemetry_table(
    sweep: Sweep, names: Sequence[str], options: Options, view: View | None, all_points: bool
) -> pd.DataFrame:
    """What the charts show: a row per run and record that is drawn in any of them, a column per field.

    A field is empty in a record that its line leaves out. Columns are `run`, `round_index`, `sim_time_h`, the field of
    the x axis and those of the charts, with `_smoothed` behind the moving means.
    """
    data = collect(sweep, names, options, view, all_points)
    columns = {line.field + ("_smoothed" if line.smoothed else ""): None for line in data.lines}
    tables = []
    for run in data.runs:
        mine = [line for line in data.lines if line.run == run]
        series: dict[str, pd.Series] = {}
        for line in mine:
            at = options.x + ("_smoothed" if line.smoothed and not data.marks[run].is_monotone else "")
            y = pd.Series(line.y, index=line.index)
            x = pd.Series(line.x, index=line.index)
            series[at] = x if at not in series else series[at].combine_first(x)
            series[line.field + ("_smoothed" if line.smoothed else "")] = y
        table = pd.DataFrame(series)
        time_h = read_records(sweep, run).time_h[table.index.to_numpy(int)]
        # A field may be on both axes; what is drawn of it then is the same.
        table = table.drop(columns=["round_index", "sim_time_h"], errors="ignore")
        table.insert(0, "sim_time_h", time_h)
        table.insert(0, "round_index", table.index)
        table.insert(0, "run", run)
        tables.append(table)
    lead = ["run", "round_index", "sim_time_h", options.x, f"{options.x}_smoothed", *columns]
    if not tables:
        return pd.DataFrame(columns=list(dict.fromkeys(name for name in lead if not name.endswith("_smoothed"))))
    whole = pd.concat(tables, ignore_index=True)
    return whole[[name for name in dict.fromkeys(lead) if name in whole]]
