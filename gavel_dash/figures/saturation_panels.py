"""Small multiples: one panel per value of a dimension the reader chooses, all on the same scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from gavel_dash.analysis.saturation import ESTIMATED, NOT_REACHED
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import DIMENSIONS, CurveStyle
from gavel_dash.figures.flags import CHARACTER_PX, text_width
from gavel_dash.figures.saturation import (
    LEFT_PX,
    NARROW_PX,
    RIGHT_PX,
    ChartOptions,
    Figure,
    SaturationData,
    chosen_rows,
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
#: Lines of estimates under a panel's name.
TITLE_LINES = 2
TOP_PX, BOTTOM_PX = 60, 32


def panel_names(curves: pd.DataFrame, dimension: str) -> list[str]:
    """One panel per value of the dimension; of figures, runs of none are grouped by setting."""
    nameless = _nameless(dimension)
    return sorted(set(_panel_of(curves, dimension)), key=lambda name: (name == nameless, natural_order(name)))


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
    margin = {"l": LEFT_PX, "r": RIGHT_PX, "t": TOP_PX, "b": BOTTOM_PX}
    layout |= {"shapes": shapes, "annotations": annotations, "modebar": {"orientation": "v"}}
    layout = look.layout(theme, height=height, margin=margin, **layout)
    layout["uirevision"] = f"{data.measure.name} {options.log} {options.panel}"
    return {"data": traces, "layout": layout}


def _part(data: SaturationData, names: set[str]) -> SaturationData:
    curves, runs, saturation = (
        frame[frame["curve"].isin(names)] for frame in (data.curves, data.runs, data.saturation)
    )
    styles = {name: style for name, style in data.styles.items() if name in names}
    return replace(data, curves=curves, runs=runs, saturation=saturation, styles=styles)


def _panel_of(curves: pd.DataFrame, dimension: str) -> list[str]:
    """Name of each row's panel."""
    if dimension not in DIMENSIONS:
        return ["all runs"] * len(curves)
    values = curves[dimension].astype("object")
    if dimension == "figure":
        values = values.where(values.notna(), curves["setting"].astype("object"))
    return [str(value) for value in values.fillna("all runs" if values.isna().all() else _nameless(dimension))]


def _nameless(dimension: str) -> str:
    """Name of the panel of curves without a value."""
    return f"no {dimension}"


def _domains(i: int, n_columns: int, n_rows: int) -> tuple[list[float], list[float]]:
    column, row = i % n_columns, i // n_columns
    gap_x, gap_y = 0.04, 0.16
    width, height = (1 - gap_x * (n_columns - 1)) / n_columns, (1 - gap_y * (n_rows - 1)) / n_rows
    left, top = column * (width + gap_x), 1 - row * (height + gap_y)
    return [left, min(left + width, 1)], [max(top - height, 0), top]


def _panel_title(
    name: str, part: SaturationData, options: ChartOptions, x_domain: list[float], y_domain: list[float], theme: str
) -> dict[str, Any]:
    width_px = (x_domain[1] - x_domain[0]) * (NARROW_PX - LEFT_PX - RIGHT_PX)
    lines = _wrap(_estimate_texts(part, options), width_px)
    fits = int((width_px - text_width("")) / CHARACTER_PX)
    shown = name if len(name) <= fits else f"{name[: fits - 1]}…"
    return {
        "x": x_domain[0],
        "y": y_domain[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "text": "<br>".join([f"<b>{look.escape(shown)}</b>", *map(look.escape, lines)]),
        **({"hovertext": look.escape(name)} if shown != name else {}),
        "font": {"size": 12, "color": look.token(theme, "text")},
    }


def _estimate_texts(part: SaturationData, options: ChartOptions) -> list[str]:
    """What the chosen method says of each curve of a panel; of all in one word where it is the same for all."""
    rows = rows_of(chosen_rows(part, options))
    words = [
        f"{row.estimate_jph:.2f}"
        if row.status == ESTIMATED
        else "not reached"
        if row.status == NOT_REACHED
        else "cannot be told"
        for row in rows
    ]
    if not any(row.status == ESTIMATED for row in rows) and len(set(words)) == 1:
        return words[:1]
    names = _names_in_panel(part.styles)
    return [f"{names[row.curve]} {word}" for row, word in zip(rows, words, strict=True)]


def _names_in_panel(styles: dict[str, CurveStyle]) -> dict[str, str]:
    """Labels without the words that all curves of the panel share, where they still tell them apart."""
    words = {curve: style.label.split() for curve, style in styles.items()}
    shared = set.intersection(*map(set, words.values()))
    short = {curve: " ".join(word for word in label if word not in shared) for curve, label in words.items()}
    apart = all(short.values()) and len(set(short.values())) == len(short)
    return short if apart else {curve: style.label for curve, style in styles.items()}


def _wrap(texts: list[str], width_px: float) -> list[str]:
    """Texts in lines of a width, as many as a title has room for; then how many more there are."""
    lines: list[str] = []
    for i, text in enumerate(texts):
        joined = f"{lines[-1]}, {text}" if lines else text
        if lines and text_width(joined) <= width_px:
            lines[-1] = joined
        elif len(lines) < TITLE_LINES:
            lines.append(text)
        else:
            lines[-1] += f", +{len(texts) - i}"
            break
    return lines
