"""GPUs by rounds: who held what when, coloured as the cluster's heatmap. Plain dicts, no Dash."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gavel_dash.analysis.gantt import GanttCells
from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.gantt_axes import MARGIN, STRIP_PX, frames, phase_names, phase_strip, plot_px, x_axis, y_axis
from gavel_dash.figures.gantt_view import GanttView
from gavel_dash.figures.heatmap_colors import codes_of_categories, stepped_colorscale
from gavel_dash.figures.heatmap_marks import legend_entry
from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.figures.theme import hatching, layout, token
from gavel_dash.model import Cluster

#: Colourings that do not depend on the round.
GANTT_COLOR_BY = {key: COLOR_BY[key] for key in ("category", "scale_factor", "job")}
#: Cells at least this large get lines where the job changes.
_EDGES_FROM_PX = 5
_DIMMED = 0.16
UNKNOWN_LABEL = "No allocation data"


def codes_of_jobs(
    rule: Mapping[str, Any], job_ids: np.ndarray, categories: np.ndarray, scale_factors: np.ndarray
) -> np.ndarray:
    """Palette code of jobs under a rule of `player_colors.player_coloring`: uint8, shape (n_jobs,).

    A job without a record has an empty category and the scale factor 0.
    """
    if rule["kind"] == "job":
        return (1 + job_ids % rule["colors"]).astype(np.uint8)
    if rule["kind"] == "scale_factor":
        largest, codes = (np.array(part) for part in zip(*rule["steps"], strict=True))
        steps = codes[np.searchsorted(largest, scale_factors).clip(max=len(codes) - 1)]
        return np.where(scale_factors < 1, rule["unknown"], steps).astype(np.uint8)
    return codes_of_categories(categories).astype(np.uint8)


def codes_of_cells(cells: GanttCells, job_codes: np.ndarray, n_colors: int, is_selecting: bool) -> np.ndarray:
    """Palette code of each cell: 0 idle, `n_colors` unknown, ``n_colors + 1 + code`` dimmed.

    Parameters
    ----------
    job_codes : ndarray of uint8, shape of the cells
        Code of each cell's longest job, or of the selected one where it is there.
    n_colors : int
        Length of the colouring's palette.
    is_selecting : bool
        Whether cells without the selected job are dimmed.
    """
    shown = np.where((cells.stored == 0) | (cells.is_mostly_idle & ~cells.has_selected), 0, job_codes)
    if is_selecting:
        shown = np.where(cells.has_selected, shown, n_colors + 1 + shown)
    return np.where(cells.size == 0, n_colors, shown).astype(np.uint8)


def build_gantt_figure(
    view: GanttView,
    cells: GanttCells,
    codes: np.ndarray,
    look: Mapping[str, Any],
    cluster: Cluster,
    busy_share: np.ndarray,
    edges_h: np.ndarray,
    phases: Phases | None,
    theme: str,
    height: int,
    run_name: str,
) -> dict[str, Any]:
    """The figure of what is in view.

    Parameters
    ----------
    codes : ndarray of uint8, shape of the cells
        From `codes_of_cells`.
    look : mapping
        From `player_colors.player_coloring`.
    busy_share : ndarray of float, shape (n_types,), fraction
        GPUs of each type in use in the rounds in view, as the simulator counted.
    edges_h : ndarray of float, shape (n_rounds + 1,), hours
        Simulated time at the record edges.
    height : int
        Pixels of the whole figure.
    run_name : str
        Another run forgets the zoom.

    Returns
    -------
    dict
        Plotly figure: a heatmap of codes per band in view, then hatching, lines between jobs, the outline of the
        selected job, and the legend's entries. ``layout.meta`` has the ranges of the whole run.
    """
    palette = full_palette(look["palette"], theme)
    splits = np.cumsum([rows.n_rows for rows in view.rows])[:-1]
    parts = list(
        zip(
            view.bands,
            view.rows,
            *(np.split(matrix, splits) for matrix in (codes, cells.stored, cells.has_selected)),
            strict=True,
        )
        if view.rows
        else ()
    )
    heatmaps, job_edges, outlines = [], [], []
    scale = stepped_colorscale(palette)
    for band, rows, band_codes, stored, has_selected in parts:
        top, step = view.lane_top(band, rows.start), rows.per_row / view.lanes_per_gpu
        heatmaps.append(_heatmap(view, top, step, band_codes, scale))
        at = (view.start, view.per_column, top, step)
        outlines.append(_outline(np.pad(has_selected, 1).astype(np.int8), at))
        if min(view.record_px * view.per_column, view.gpu_px * step) >= _EDGES_FROM_PX:
            job_edges.append(_outline(np.pad(stored, 1, mode="edge").astype(np.int64), at))
    entries = [*look["legend"]]
    if (cells.size == 0).any():
        entries.append([[], UNKNOWN_LABEL, palette[len(look["palette"])]])
    return {
        "data": [
            *heatmaps,
            _hatching(view, cells, theme),
            _lines(job_edges, {"color": token(theme, "panel"), "width": 1}),
            _lines(outlines, {"color": token(theme, "text"), "width": 1.5}),
            *(legend_entry(label, {"color": color, "symbol": "square"}, theme) for _, label, color in entries),
        ],
        "layout": layout(
            theme,
            height=height,
            margin=MARGIN,
            showlegend=True,
            legend={
                "orientation": "h",
                "x": 0,
                "y": 1 + (STRIP_PX + 4) / plot_px(height),
                "yanchor": "bottom",
                "font": {"size": 12},
                "itemclick": False,
                "itemdoubleclick": False,
                "bgcolor": "rgba(0,0,0,0)",
            },
            meta={"x": [0, view.n_rounds], "y": [view.grid.height, 0]},
            uirevision=run_name,
            xaxis=x_axis(view, edges_h),
            yaxis=y_axis(view, cluster, busy_share, theme),
            shapes=[*phase_strip(phases, view, height, theme), *frames(view, theme)],
            annotations=phase_names(phases, view, height, theme),
        ),
    }


def full_palette(palette: Sequence[str], theme: str) -> list[str]:
    """A colouring's colours, the one of unknown cells, and all colours dimmed towards the panel."""
    panel = token(theme, "panel")
    return [*palette, token(theme, "border"), *(_towards(panel, color) for color in palette)]


def _towards(panel: str, color: str) -> str:
    pairs = ((int(panel[i : i + 2], 16), int(color[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(back + (part - back) * _DIMMED):02x}" for back, part in pairs)


def _heatmap(view: GanttView, top: float, step: float, codes: np.ndarray, scale: list[Any]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": {
            "dtype": "u1",
            "bdata": b64encode(np.ascontiguousarray(codes).tobytes()).decode(),
            "shape": f"{codes.shape[0]}, {codes.shape[1]}",
        },
        "x0": view.start + view.per_column / 2,
        "dx": view.per_column,
        "y0": top + step / 2,
        "dy": step,
        "zmin": -0.5,
        "zmax": len(scale) / 2 - 0.5,
        "colorscale": scale,
        "showscale": False,
        "hoverinfo": "none",  # the text comes from the server, of one cell
    }


def _stretches(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stretches of True in each row of a matrix: row, start, stop."""
    steps = np.diff(np.pad(marks.astype(np.int8), ((0, 0), (1, 1))))
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def _outline(padded: np.ndarray, at: tuple[float, float, float, float]) -> np.ndarray:
    """Lines between unequal cells of a matrix with one more cell on each side: f8, shape (n, 2, 2), start and end.

    `at` is x and width of the first column, y and height of the first row.
    """
    x0, dx, y0, dy = at
    column, top, bottom = _stretches((padded[1:-1, 1:] != padded[1:-1, :-1]).T)
    row, left, right = _stretches(padded[1:, 1:-1] != padded[:-1, 1:-1])
    upright = np.stack([x0 + dx * column, y0 + dy * top, x0 + dx * column, y0 + dy * bottom], axis=1)
    level = np.stack([x0 + dx * left, y0 + dy * row, x0 + dx * right, y0 + dy * row], axis=1)
    return np.concatenate([upright, level]).reshape(-1, 2, 2)


def _lines(parts: Sequence[np.ndarray], line: dict[str, Any]) -> dict[str, Any]:
    ends = np.concatenate([np.empty((0, 2, 2)), *parts])
    points = np.concatenate([ends, np.full((len(ends), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _typed(points[:, 0]),
        "y": _typed(points[:, 1]),
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _typed(values: np.ndarray) -> dict[str, str]:
    return {"dtype": "f8", "bdata": b64encode(values.astype("<f8").tobytes()).decode()}


def _hatching(view: GanttView, cells: GanttCells, theme: str) -> dict[str, Any]:
    """Hatched boxes over the columns in which nothing is known, so that they do not look idle."""
    x: list[float | None] = []
    y: list[float | None] = []
    unknown = (cells.size == 0).all(axis=0)[None, :] if view.rows else np.zeros((1, 0), bool)
    for left, right in np.stack(_stretches(unknown)[1:], axis=1).tolist():
        low, high = view.start + left * view.per_column, min(view.n_rounds, view.start + right * view.per_column)
        for band in view.bands:
            x += [low, high, high, low, low, None]
            y += [band.top, band.top, band.top + band.count, band.top + band.count, band.top, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"width": 0},
        **hatching(theme),
        "hoverinfo": "skip",
        "showlegend": False,
    }
