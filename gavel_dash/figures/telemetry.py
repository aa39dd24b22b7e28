"""Fields of several runs, stacked on one x axis or as a small chart per run, as one linked Plotly figure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import LOOKS, SHAPES
from gavel_dash.figures.run_style import RunStyle
from gavel_dash.figures.telemetry_marks import RunMarks, cursor_shapes, phase_labels, phase_shapes
from gavel_dash.figures.telemetry_panels import MOST_IN_LEGEND, RUNS_PER_LEGEND_ROW, Grid, Panel, lay_out
from gavel_dash.schema import Column

#: Up to so many lines the tooltip names all at one x; of more, the nearest.
MOST_NAMED_LINES = 6
#: How often a line carries the symbol that tells it apart beside its colour.
SYMBOLS_PER_LINE = 10
_NUMBER_FORMATS = {"fraction": ".1%", "h": ",.1f", "min": ",.1f", "jobs/h": ",.3~f"}
_TICK_FORMATS = {"fraction": ".0%"}


@dataclass(frozen=True)
class Line:
    """One field of one run as it is drawn.

    Attributes
    ----------
    run, field : str
    index : ndarray of int, shape (n_points,)
        Record of each point.
    x, y : ndarray of float64, shape (n_points,)
        NaN is a gap.
    smoothed : bool
        Whether y is the moving mean.
    n_off_axis : int
        Records left out as they have no place on a logarithmic axis.
    n_rounds : int
        Records of the run.
    """

    run: str
    field: str
    index: np.ndarray
    x: np.ndarray
    y: np.ndarray
    smoothed: bool = False
    n_off_axis: int = 0
    n_rounds: int = 0


@dataclass(frozen=True)
class TelemetryData:
    """What is drawn, and what cannot be.

    Attributes
    ----------
    x : Column or None
        Field of the x axis; None where there is no run.
    fields : tuple of Column
        Fields of the charts, from the top.
    runs : tuple of str
        In the order of the selection; phases and cursor are those of the first.
    marks : dict of run to RunMarks
    lines : tuple of Line
        By field, then run; a raw line comes before its moving mean.
    problems : tuple of str
        Why runs cannot be read.
    missing : tuple of (field, run)
        Runs that have no such field.
    """

    x: Column | None
    fields: tuple[Column, ...]
    runs: tuple[str, ...]
    marks: dict[str, RunMarks]
    lines: tuple[Line, ...]
    problems: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Drawing:
    """How it is drawn: one small chart per run or all in one, axes, the part in view, "light" or "dark"."""

    multiples: bool = False
    log_x: bool = False
    log_y: bool = False
    view: tuple[float, float] | None = None
    theme: str = "light"


def build_telemetry(
    data: TelemetryData,
    styles: Mapping[str, RunStyle],
    drawing: Drawing,
    cursor: Mapping[tuple[str, str], tuple[float, float]],
) -> dict[str, Any]:
    """The figure: one trace per chart for the cursor, then one per line. All charts share one x axis, or match it.

    Parameters
    ----------
    data : TelemetryData
        With at least one run and field.
    styles : mapping of run to RunStyle
    drawing : Drawing
    cursor : mapping of (field, run) to (x, y)
        Where each run is at the time under the cursor; empty where there is no cursor.
    """
    grid = lay_out([field.name for field in data.fields], data.runs, drawing.multiples)
    theme = drawing.theme
    names_all = names_all_lines(data, drawing)
    return {
        "data": build_traces(data, styles, drawing, cursor),
        "layout": look.layout(
            theme,
            height=grid.height_px,
            margin={"l": 56, "r": 16, "t": grid.top_px, "b": 40, "autoexpand": False},
            hovermode="x" if names_all else "closest",
            hoversubplots="axis",
            hoverdistance=40,
            shapes=build_shapes(data, styles, drawing, cursor),
            annotations=build_annotations(data, styles, drawing),
            showlegend=grid.legend_px > 0,
            legend=_legend(theme, len(data.runs)),
            meta={"whole_x": whole_x(data, drawing.log_x)},
            **_axes(data, grid, drawing),
        ),
    }


def build_traces(
    data: TelemetryData,
    styles: Mapping[str, RunStyle],
    drawing: Drawing,
    cursor: Mapping[tuple[str, str], tuple[float, float]],
) -> list[dict[str, Any]]:
    """One trace of cursor points per chart, then all lines."""
    panels = lay_out([field.name for field in data.fields], data.runs, drawing.multiples).panels
    by_place = {(panel.field, run): panel for panel in panels for run in panel.runs}
    fields = {field.name: field for field in data.fields}
    smooths = any(line.smoothed for line in data.lines)
    symbols = {} if drawing.multiples else symbols_of(data.runs, styles)
    named = names_all_lines(data, drawing)
    traces = [
        {
            **_line(line, styles[line.run], by_place[line.field, line.run], smooths and not line.smoothed),
            **_marked(symbols.get(line.run), smooths and not line.smoothed),
            "legendgroup": line.run,
            "showlegend": line.field == data.fields[0].name and line.smoothed == smooths,
            "hovertemplate": _hover(line, fields[line.field], None if named else data.x, styles[line.run]),
        }
        for line in data.lines
        if (line.field, line.run) in by_place
    ]
    return [*build_cursors(data, styles, drawing, cursor), *traces]


def build_cursors(
    data: TelemetryData,
    styles: Mapping[str, RunStyle],
    drawing: Drawing,
    cursor: Mapping[tuple[str, str], tuple[float, float]],
) -> list[dict[str, Any]]:
    """One trace per chart: a ring on each line at the time under the cursor."""
    grid = lay_out([field.name for field in data.fields], data.runs, drawing.multiples)
    traces = []
    for panel in grid.panels:
        runs = [run for run in panel.runs if (panel.field, run) in cursor]
        points = [cursor[panel.field, run] for run in runs]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "cursor",
                "x": [x if np.isfinite(x) else None for x, _ in points],
                "y": [y if np.isfinite(y) else None for _, y in points],
                "xaxis": panel.x_axis,
                "yaxis": panel.y_axis,
                "hoverinfo": "skip",
                "showlegend": False,
                "marker": {
                    "symbol": "circle-open",
                    "size": 11,
                    "color": [styles[run].color for run in runs],
                    "line": {"width": 2},
                },
            }
        )
    return traces


def build_shapes(
    data: TelemetryData,
    styles: Mapping[str, RunStyle],
    drawing: Drawing,
    cursor: Mapping[tuple[str, str], tuple[float, float]],
) -> list[dict[str, Any]]:
    """Phases of each chart's first run, edges of the others', and the cursor."""
    panels = lay_out([field.name for field in data.fields], data.runs, drawing.multiples).panels
    shapes = [shape for panel in panels for shape in phase_shapes(panel, data.marks, styles, panel is panels[0])]
    return shapes + cursor_shapes(panels, data.marks, cursor, drawing.theme)


def typed_array(values: np.ndarray) -> dict[str, str]:
    """Numbers as Plotly reads them without parsing text: float32, base64."""
    return {"dtype": "f4", "bdata": base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()}


def label_with_unit(column: Column) -> str:
    """Such as ``Queued (jobs)``; a unit that the label says already, and that of a share, is left out."""
    return column.label if column.unit in ("", "fraction") or "(" in column.label else f"{column.label} ({column.unit})"


def names_all_lines(data: TelemetryData, drawing: Drawing) -> bool:
    """Whether the tooltip names every line at one x; else the nearest alone."""
    return len(data.runs) <= MOST_NAMED_LINES and not drawing.multiples


def symbols_of(runs: Sequence[str], styles: Mapping[str, RunStyle]) -> dict[str, dict[str, Any]]:
    """The marker that says the same as a run's colour; of a colour that has none, one by the run's position.

    Empty where there are more runs than the legend holds: markers would hide the lines.
    """
    if len(runs) > MOST_IN_LEGEND:
        return {}
    shapes = dict(LOOKS)
    return {
        run: {
            "symbol": shapes.get(styles[run].color, SHAPES[i % len(SHAPES)]),
            "size": 7,
            "maxdisplayed": SYMBOLS_PER_LINE,
        }
        for i, run in enumerate(runs)
    }


def _marked(symbol: dict[str, Any] | None, is_faint: bool) -> dict[str, Any]:
    return {} if symbol is None or is_faint else {"mode": "lines+markers", "marker": symbol}


def _line(line: Line, style: RunStyle, panel: Panel, is_faint: bool) -> dict[str, Any]:
    """A line; the raw one under a moving mean is faint and has no tooltip."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": look.escape(style.label),
        "meta": [line.run, line.field],
        "x": typed_array(line.x),
        "y": typed_array(line.y),
        "xaxis": panel.x_axis,
        "yaxis": panel.y_axis,
        "opacity": 0.3 if is_faint else 1,
        "line": {"color": style.color, "dash": style.dash, "width": 1 if is_faint else 1.4},
        **({"hoverinfo": "skip"} if is_faint else {}),
    }


def _hover(line: Line, field: Column, x: Column | None, style: RunStyle) -> str:
    """Run, field, value with its unit, and x where the axis does not say it."""
    at = "" if x is None else f"<br>{_bare_label(x)} %{{x:{_number_format(x)}}}{_suffix(x)}"
    mean = ", moving mean" if line.smoothed else ""
    value = f"{_bare_label(field)}{mean} %{{y:{_number_format(field)}}}{_suffix(field)}"
    return f"{look.escape(style.label)}<br>{value}{at}<extra></extra>"


def _bare_label(column: Column) -> str:
    return look.escape(column.label.split(" (")[0])


def _number_format(column: Column) -> str:
    return "," if column.dtype == "int" else _NUMBER_FORMATS.get(column.unit, ",.3~f")


def _suffix(column: Column) -> str:
    return {"": "", "fraction": "", "jobs/h": " jph"}.get(column.unit, f" {column.unit}")


def whole_x(data: TelemetryData, log_x: bool) -> list[float] | None:
    """Ends of all lines on the x axis as its range takes them; None where there is nothing to span.

    Plotly's own range would leave a margin for the markers.
    """
    values = [line.x[np.isfinite(line.x) & np.isfinite(line.y)] for line in data.lines]
    known = np.concatenate([np.empty(0), *values])
    known = known[known > 0] if log_x else known
    if not len(known) or known.min() == known.max():
        return None
    low, high = float(known.min()), float(known.max())
    return [float(np.log10(low)), float(np.log10(high))] if log_x else [low, high]


def _legend(theme: str, n_runs: int) -> dict[str, Any]:
    return {
        "orientation": "h",
        "x": 0,
        "y": 1,
        "xref": "paper",
        "yref": "container",
        "yanchor": "top",
        # A little less than its share: the gaps between entries count too.
        "entrywidth": 1 / min(n_runs, RUNS_PER_LEGEND_ROW) - 0.03,
        "entrywidthmode": "fraction",
        "font": {"size": 12, "color": look.token(theme, "text")},
    }


def _axes(data: TelemetryData, grid: Grid, drawing: Drawing) -> dict[str, Any]:
    """Every axis by its name in the layout."""
    axes: dict[str, Any] = {}
    fields = {field.name: field for field in data.fields}
    first_y: dict[str, str] = {}
    whole = whole_x(data, drawing.log_x)
    for panel in grid.panels:
        field = fields[panel.field]
        y: dict[str, Any] = {
            "domain": list(panel.y_domain),
            "anchor": panel.x_axis,
            "automargin": False,
            # Said, as Plotly would not scale y where matching x axes have a range.
            "autorange": True,
            "tickformat": _TICK_FORMATS.get(field.unit, ",~r" if drawing.log_y else ","),
            "nticks": 5,
            "type": "log" if drawing.log_y else "linear",
            **({} if drawing.log_y else {"rangemode": "tozero"}),
        }
        if panel.field in first_y:
            # Small charts of one field have one scale.
            y |= {"matches": first_y[panel.field], "showticklabels": panel.is_leftmost}
        first_y.setdefault(panel.field, panel.y_axis)
        axes[_layout_name(panel.y_axis)] = y
        # The last chart on an x axis carries its ticks.
        axes[_layout_name(panel.x_axis)] = _x_axis(data, panel, drawing, whole)
    return axes


def _x_axis(data: TelemetryData, panel: Panel, drawing: Drawing, whole: list[float] | None) -> dict[str, Any]:
    x = data.x
    axis: dict[str, Any] = {
        "domain": list(panel.x_domain),
        "anchor": panel.y_axis,
        "automargin": False,
        "type": "log" if drawing.log_x else "linear",
        "tickformat": "" if x is None else _TICK_FORMATS.get(x.unit, ",~r" if drawing.log_x else ","),
        "showticklabels": panel.is_lowest,
        "hoverformat": "" if x is None else _number_format(x),
    }
    if panel.x_axis != "x":
        axis["matches"] = "x"
    if drawing.view is not None and (not drawing.log_x or drawing.view[0] > 0):
        axis["range"] = [float(np.log10(v)) if drawing.log_x else v for v in drawing.view]
    elif whole is not None:
        axis["range"] = whole
    return axis


def _layout_name(axis: str) -> str:
    """``x3`` is ``xaxis3`` in a layout."""
    return f"{axis[0]}axis{axis[1:]}"


def build_annotations(data: TelemetryData, styles: Mapping[str, RunStyle], drawing: Drawing) -> list[dict[str, Any]]:
    """Title of each chart, and the names of the phases over the first."""
    grid = lay_out([field.name for field in data.fields], data.runs, drawing.multiples)
    fields = {field.name: field for field in data.fields}
    text, muted = look.token(drawing.theme, "text"), look.token(drawing.theme, "muted")
    base = {"xref": "paper", "yref": "paper", "showarrow": False, "borderpad": 0}
    titles = [
        {
            **base,
            "text": look.escape(label_with_unit(fields[panel.field]))
            + (f": {look.escape(styles[panel.runs[0]].label)}" if drawing.multiples else ""),
            "x": panel.x_domain[0],
            "y": panel.y_domain[1],
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12, "color": text},
        }
        for panel in grid.panels
    ]
    has_line = {(line.field, line.run) for line in data.lines if np.isfinite(line.y).any()}
    for panel in grid.panels:
        if not any((panel.field, run) in has_line for run in panel.runs):
            middle = {"x": sum(panel.x_domain) / 2, "y": sum(panel.y_domain) / 2, "font": {"size": 13, "color": muted}}
            titles.append({**base, **middle, "text": "no value to draw"})
    if data.x is not None:
        below = {"x": 0.5, "y": 0, "yanchor": "top", "yshift": -20, "font": {"size": 13, "color": text}}
        titles.append({**base, **below, "text": look.escape(label_with_unit(data.x))})
    return [
        *titles,
        *([] if drawing.multiples else phase_labels(data.marks, data.runs, drawing.view, muted, drawing.log_x)),
    ]
