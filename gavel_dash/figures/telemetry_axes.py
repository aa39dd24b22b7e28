"""Axes, titles and labels of the Telemetry page's figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gavel_dash.figures import theme as look
from gavel_dash.figures.run_style import RunStyle
from gavel_dash.figures.telemetry_data import Drawing, TelemetryData
from gavel_dash.figures.telemetry_marks import phase_labels
from gavel_dash.figures.telemetry_panels import Grid, Panel, lay_out
from gavel_dash.schema import Column

_NUMBER_FORMATS = {"fraction": ".1%", "h": ",.1f", "min": ",.1f", "jobs/h": ",.3~f"}
_TICK_FORMATS = {"fraction": ".0%"}


def whole_x(data: TelemetryData, log_x: bool) -> list[float] | None:
    """Ends of all lines on the x axis as its range takes them; None where there is nothing to span.

    Plotly's own range would leave a margin for the markers.
    """
    x, y = (np.concatenate([np.empty(0), *(getattr(line, axis) for line in data.lines)]) for axis in ("x", "y"))
    known = x[np.isfinite(x) & np.isfinite(y)]
    known = known[known > 0] if log_x else known
    if not len(known) or known.min() == known.max():
        return None
    low, high = float(known.min()), float(known.max())
    return [float(np.log10(low)), float(np.log10(high))] if log_x else [low, high]


def build_axes(data: TelemetryData, grid: Grid, drawing: Drawing, whole: list[float] | None) -> dict[str, Any]:
    """Every axis by its name in the layout; `whole` is `whole_x`, in view where the drawing names no part."""
    axes: dict[str, Any] = {}
    fields = {field.name: field for field in data.fields}
    first_y: dict[str, str] = {}
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
        "hoverformat": "" if x is None else number_format(x),
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


def label_with_unit(column: Column) -> str:
    """Such as ``Queued (jobs)``; a unit that the label says already, and that of a share, is left out."""
    return column.label if column.unit in ("", "fraction") or "(" in column.label else f"{column.label} ({column.unit})"


def number_format(column: Column) -> str:
    """How values of a column are spelled in tooltips (d3-format)."""
    return "," if column.dtype == "int" else _NUMBER_FORMATS.get(column.unit, ",.3~f")


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
    for panel in grid.panels:
        mine = (line for line in data.lines if line.field == panel.field and line.run in panel.runs)
        if not any(np.isfinite(line.y).any() for line in mine):
            middle = {"x": sum(panel.x_domain) / 2, "y": sum(panel.y_domain) / 2, "font": {"size": 13, "color": muted}}
            titles.append({**base, **middle, "text": "no value to draw"})
    if data.x is not None:
        below = {"x": 0.5, "y": 0, "yanchor": "top", "yshift": -20, "font": {"size": 13, "color": text}}
        titles.append({**base, **below, "text": look.escape(label_with_unit(data.x))})
    return [
        *titles,
        *([] if drawing.multiples else phase_labels(data.marks, data.runs, drawing.view, muted, drawing.log_x)),
    ]
