"""Fields of several runs, stacked on one x axis or as a small chart per run, as one linked Plotly figure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import LOOKS, SHAPES
from gavel_dash.figures.run_style import RunStyle
from gavel_dash.figures.telemetry_axes import build_annotations, build_axes, number_format, whole_x
from gavel_dash.figures.telemetry_data import Drawing, Line, TelemetryData
from gavel_dash.figures.telemetry_marks import cursor_shapes, phase_shapes
from gavel_dash.figures.telemetry_panels import MOST_IN_LEGEND, RUNS_PER_LEGEND_ROW, Panel, lay_out
from gavel_dash.schema import Column

#: Up to so many lines the tooltip names all at one x; of more, the nearest.
MOST_NAMED_LINES = 6
#: How often a line carries the symbol that tells it apart beside its colour.
SYMBOLS_PER_LINE = 10


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
    names_all, whole = names_all_lines(data, drawing), whole_x(data, drawing.log_x)
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
            meta={"whole_x": whole},
            **build_axes(data, grid, drawing, whole),
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
    smooths = any(line.smoothed for line in data.lines)
    symbols = {} if drawing.multiples else symbols_of(data.runs, styles)
    x_named = None if names_all_lines(data, drawing) else data.x
    hovers = {(f.name, smoothed): _hover(f, smoothed, x_named) for f in data.fields for smoothed in (False, True)}
    labels = {run: look.escape(styles[run].label) for run in data.runs}
    traces = [
        {
            **_line(line, styles[line.run], by_place[line.field, line.run], smooths and not line.smoothed),
            "name": labels[line.run],
            **_marked(symbols.get(line.run), smooths and not line.smoothed),
            "legendgroup": line.run,
            "showlegend": line.field == data.fields[0].name and line.smoothed == smooths,
            "hovertemplate": f"{labels[line.run]}<br>{hovers[line.field, line.smoothed]}",
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
    return {"dtype": "f4", "bdata": base64.b64encode(values.astype("<f4").data).decode("ascii")}


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
        "meta": [line.run, line.field],
        "x": typed_array(line.x),
        "y": typed_array(line.y),
        "xaxis": panel.x_axis,
        "yaxis": panel.y_axis,
        "opacity": 0.3 if is_faint else 1,
        "line": {"color": style.color, "dash": style.dash, "width": 1 if is_faint else 1.4},
        **({"hoverinfo": "skip"} if is_faint else {}),
    }


def _hover(field: Column, smoothed: bool, x: Column | None) -> str:
    """Field, value with its unit, and x where the axis does not say it."""
    at = "" if x is None else f"<br>{_bare_label(x)} %{{x:{number_format(x)}}}{_suffix(x)}"
    mean = ", moving mean" if smoothed else ""
    return f"{_bare_label(field)}{mean} %{{y:{number_format(field)}}}{_suffix(field)}{at}<extra></extra>"


def _bare_label(column: Column) -> str:
    return look.escape(column.label.split(" (")[0])


def _suffix(column: Column) -> str:
    return {"": "", "fraction": "", "jobs/h": " jph"}.get(column.unit, f" {column.unit}")


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
