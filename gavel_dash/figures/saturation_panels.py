"""Small multiples: one panel per value of a dimension the reader chooses, all on the same scale."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import DIMENSIONS
from gavel_dash.figures.saturation import (
    LEFT_PX,
    RIGHT_PX,
    ChartOptions,
    Figure,
    SaturationData,
    curve_traces,
    estimated_rows,
    rows_of,
    saturation_shapes,
    x_end_of,
    y_axis,
    y_bounds,
)
from gavel_dash.model import natural_order

PANEL_HEIGHT_PX = 260
PANELS_PER_ROW = 3


def panel_names(curves: pd.DataFrame, dimension: str) -> list[str]:
    """One panel per value of the dimension; of figures, runs of none are grouped by setting."""
    return sorted(set(_panel_of(curves, dimension)), key=natural_order)


def panels_height(curves: pd.DataFrame, dimension: str) -> int:
    """Height of the small multiples in pixels."""
    return PANEL_HEIGHT_PX * _n_rows(panel_names(curves, dimension))


def _n_rows(names: list[str]) -> int:
    return max(1, -(-len(names) // PANELS_PER_ROW))


def build_panels(data: SaturationData, options: ChartOptions, selected_run: str | None, theme: str) -> Figure:
    """One small chart per value of the chosen dimension, all on the same scale."""
    bounds = y_bounds(data, options)
    names = panel_names(data.curves, options.panel)
    of_curve = dict(zip(data.curves["curve"], _panel_of(data.curves, options.panel), strict=True))
    n_rows = _n_rows(names)
    layout: dict[str, Any] = {}
    traces, shapes, annotations = [], [], []
    for i, name in enumerate(names):
        part = _part(data, {curve for curve, panel in of_curve.items() if panel == name})
        suffix = "" if i == 0 else str(i + 1)
        x_domain, y_domain = _domains(i, min(len(names), PANELS_PER_ROW), n_rows)
        layout[f"xaxis{suffix}"] = {
            "range": [0, x_end_of(part, options)],
            "domain": x_domain,
            "anchor": f"y{suffix}",
        }
        shared = y_axis(bounds, data.measure, options.log) | {
            "domain": y_domain,
            "anchor": f"x{suffix}",
            "title": {"text": ""},
        }
        layout[f"yaxis{suffix}"] = shared | ({"matches": "y", "showticklabels": i % PANELS_PER_ROW == 0} if i else {})
        for trace in curve_traces(part, options, bounds, selected_run, theme):
            traces.append(trace | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"})
        for row in rows_of(estimated_rows(part, options)):
            shapes += saturation_shapes(row, part.styles[row.curve].color, f"x{suffix}", f"y{suffix} domain")
        annotations.append(_panel_title(name, part, options, x_domain, y_domain, theme))
    height = panels_height(data.curves, options.panel)
    margin = {"l": LEFT_PX, "r": RIGHT_PX, "t": 44, "b": 32}
    layout |= {"shapes": shapes, "annotations": annotations, "modebar": {"orientation": "v"}}
    layout = look.layout(theme, height=height, margin=margin, **layout)
    layout["uirevision"] = f"{data.measure.name} {options.log} {options.panel}"
    return {"data": traces, "layout": layout}


def _part(data: SaturationData, names: set[str]) -> SaturationData:
    return SaturationData(
        data.curves[data.curves["curve"].isin(names)],
        data.runs[data.runs["curve"].isin(names)],
        data.saturation[data.saturation["curve"].isin(names)],
        {name: style for name, style in data.styles.items() if name in names},
        data.measure,
    )


def _panel_of(curves: pd.DataFrame, dimension: str) -> list[str]:
    if dimension not in DIMENSIONS:
        return ["all runs"] * len(curves)
    values = curves[dimension].astype("object")
    if dimension == "figure":
        values = values.where(values.notna(), curves["setting"].astype("object"))
    return [str(value) for value in values.fillna("all runs" if values.isna().all() else f"no {dimension}")]


def _domains(i: int, n_columns: int, n_rows: int) -> tuple[list[float], list[float]]:
    column, row = i % n_columns, i // n_columns
    gap_x, gap_y = 0.04, 0.16
    width, height = (1 - gap_x * (n_columns - 1)) / n_columns, (1 - gap_y * (n_rows - 1)) / n_rows
    left, top = column * (width + gap_x), 1 - row * (height + gap_y)
    return [left, min(left + width, 1)], [max(top - height, 0), top]


def _panel_title(
    name: str, part: SaturationData, options: ChartOptions, x_domain: list[float], y_domain: list[float], theme: str
) -> dict[str, Any]:
    estimates = [
        f"{part.styles[row.curve].label.split()[0]} {row.estimate_jph:.2f}"
        for row in rows_of(estimated_rows(part, options))
    ]
    numbers = "<br>" + look.escape(", ".join(estimates)) if estimates else "<br>not reached"
    return {
        "x": x_domain[0],
        "y": y_domain[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "text": f"<b>{look.escape(name)}</b>{numbers}",
        "font": {"size": 12, "color": look.token(theme, "text")},
    }
