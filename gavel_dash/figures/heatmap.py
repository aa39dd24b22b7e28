"""The cluster in one round: every GPU a cell, a band of rows per GPU type in worker order. Plain dicts, no Dash.

This is the still picture beside a curve; `player_frame` is what the player draws rounds into.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gavel_dash.figures.heatmap_bands import Grid, arrange
from gavel_dash.figures.heatmap_colors import category_palette, codes_of_categories, stepped_colorscale
from gavel_dash.figures.heatmap_hover import hover_texts
from gavel_dash.figures.heatmap_marks import cell_edges, hatch_trace, shared_trace
from gavel_dash.figures.round_cells import RoundCells
from gavel_dash.figures.theme import escape, layout, token

MARGIN = {"l": 108, "r": 0, "t": 4, "b": 8}
_LONGEST_NAME = 14


def build_heatmap(
    round_cells: RoundCells, theme: str, height: int = 360, columns: int | None = None, width: int = 960
) -> dict[str, Any]:
    """Heatmap of one round, coloured by job category.

    Rows go by GPU type in worker order, wrapped, with blank rows between the types; at the left each type's name,
    count and busy share (as the simulator counted). Idle cells have the panel's colour and a thin edge. GPUs in use
    by nobody the file names are hatched. A GPU with several tenants is drawn in quarters with a cross. There is no
    legend: who shows the figure has more room for it.

    Parameters
    ----------
    round_cells : RoundCells
        From `round_cells.cells_of_round(run, index)`.
    theme : str
        "light" or "dark".
    height : int
        Pixels of the whole figure; it is also set in the layout.
    columns : int or None
        GPUs in a row; None takes what makes cells nearly square at this height and width.
    width : int
        Pixels the figure is about to get. Only used to choose columns: the figure stretches to its container.

    Returns
    -------
    dict
        Plotly figure. Trace 0 is the heatmap; its z holds palette codes (0 idle), NaN where there is no GPU. One GPU is
        1 x 1 on the axes, see `heatmap_bands`.
    """
    area = {"height": max(1, height - MARGIN["t"] - MARGIN["b"]), "width": max(1, width - MARGIN["l"] - MARGIN["r"])}
    grid = arrange(round_cells.cluster, columns=columns, **area)
    x_axis, y_axis = cell_axes(grid, band_labels(round_cells), theme)
    return {
        "data": [
            _cell_trace(round_cells, grid, theme),
            shared_trace(round_cells, grid, theme),
            hatch_trace(round_cells, grid, theme),
        ],
        "layout": layout(
            theme,
            height=height,
            margin=MARGIN,
            xaxis=x_axis,
            yaxis=y_axis,
            shapes=cell_edges(grid, theme, min(area["width"] / grid.columns, area["height"] / grid.height)),
        ),
    }


def cell_axes(grid: Grid, labels: list[str], theme: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Axes in GPUs, y downwards, one label per band."""
    plain = {"showgrid": False, "showline": False, "automargin": False}
    x_axis = {**plain, "range": [0, grid.columns], "showticklabels": False, "ticks": ""}
    y_axis = {
        **plain,
        "range": [grid.height, 0],
        "ticks": "outside",
        "ticklen": 8,
        "tickcolor": "rgba(0,0,0,0)",
        "tickmode": "array",
        "tickvals": [band.label for band in grid.bands],
        "ticktext": labels,
        "tickfont": {"size": 12, "color": token(theme, "text")},
    }
    return x_axis, y_axis


def band_labels(cells: RoundCells) -> list[str]:
    """Name, count and busy share of each GPU type, as Plotly text."""
    labels = []
    for gpu_type, used in zip(cells.cluster.gpu_types, cells.gpus_used.tolist(), strict=True):
        name = gpu_type.name.upper()
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        busy = used / gpu_type.count if gpu_type.count else 0.0
        labels.append(f"<b>{escape(short)}</b> {gpu_type.count:,}<br>{busy:.1%} busy")
    return labels


def _tenants(cells: RoundCells, parts: int) -> np.ndarray:
    """Job in each part of each GPU: int64, shape (n_gpus, parts, parts), -1 idle."""
    tenants = np.repeat(cells.allocation, parts * parts).reshape(-1, parts, parts)
    if parts == 2:
        for gpu, quarters in cells.sharing.items():
            tenants[gpu] = quarters.reshape(2, 2)
    return tenants


def _cell_trace(cells: RoundCells, grid: Grid, theme: str) -> dict[str, Any]:
    parts = 2 if cells.may_share else 1
    tenants = _tenants(cells, parts)
    codes = np.concatenate([[0], codes_of_categories(cells.jobs.category)]).astype(np.float32)
    values: np.ndarray = codes[np.where(tenants < 0, 0, np.searchsorted(cells.jobs.job_id, tenants) + 1)]
    if not cells.has_allocation:
        values = np.full(tenants.shape, np.nan, np.float32)
    palette = category_palette(theme)
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": _on_grid(values, grid, np.nan).astype(np.float32),
        "x0": 0.5 / parts,
        "dx": 1 / parts,
        **row_coordinates(grid, parts),
        "zmin": -0.5,
        "zmax": len(palette) - 0.5,
        "colorscale": stepped_colorscale(palette),
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{text}<extra></extra>",
        "text": [],
        "hoverinfo": "skip",
    }
    if cells.has_allocation:
        trace["text"] = _on_grid(hover_texts(cells, tenants), grid, "").tolist()
        trace["hoverinfo"] = "text"
    return trace


def _on_grid(values: np.ndarray, grid: Grid, blank: Any) -> np.ndarray:
    """Values per part of each GPU laid out on the grid: shape (rows * parts, columns * parts)."""
    parts = values.shape[1]
    n_rows = len(grid.row_edges) - 1
    laid = np.full((n_rows, parts, grid.columns, parts), blank, dtype=values.dtype)
    rows, columns = grid.rows_and_columns()
    laid[rows, :, columns, :] = values
    return laid.reshape(n_rows * parts, grid.columns * parts)


def row_coordinates(grid: Grid, parts: int) -> dict[str, Any]:
    """Rows as start and step where they are equal (drawn faster), else by their edges."""
    if grid.is_uniform:
        return {"y0": 0.5 / parts, "dy": 1 / parts}
    steps = np.arange(parts) / parts
    inner = (grid.row_edges[:-1, None] + np.diff(grid.row_edges)[:, None] * steps).ravel()
    return {"y": np.append(inner, grid.row_edges[-1])}
