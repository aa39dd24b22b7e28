"""What stands over and beside the heatmap's cells: edges, crosses, hatching, entries of a legend."""

from __future__ import annotations

from typing import Any

import numpy as np

from gavel_dash.figures.heatmap_bands import Grid
from gavel_dash.figures.heatmap_colors import edge_color
from gavel_dash.figures.round_cells import RoundCells
from gavel_dash.figures.theme import escape, hatching, token

_EDGES_FROM_PX = 4.0


def shared_trace(cells: RoundCells, grid: Grid, theme: str) -> dict[str, Any]:
    """A cross through every GPU with several tenants, so that it never looks like one with a single job."""
    rows, columns = grid.rows_and_columns()
    gpus = np.fromiter(cells.sharing, dtype=np.int64, count=len(cells.sharing))
    x, y, gap = columns[gpus] + 0.5, grid.row_edges[rows[gpus]] + 0.5, np.full(len(gpus), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.stack([x - 0.5, x + 0.5, gap, x, x, gap], axis=1).ravel(),
        "y": np.stack([y, y, gap, y - 0.5, y + 0.5, gap], axis=1).ravel(),
        "line": {"color": token(theme, "background"), "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def hatch_trace(cells: RoundCells, grid: Grid, theme: str) -> dict[str, Any]:
    """Hatching over all bands where the file does not say who holds the GPUs."""
    x: list[float | None] = []
    y: list[float | None] = []
    for band in () if cells.has_allocation else grid.bands:
        right, top, bottom = min(band.count, grid.columns), band.top, band.top + band.rows
        x += [0, right, right, 0, 0, None]
        y += [top, top, bottom, bottom, top, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": edge_color(theme), "width": 1},
        **hatching(theme),
        "hoverinfo": "skip",
        "showlegend": False,
    }


def legend_entry(label: str, marker: dict[str, Any], theme: str) -> dict[str, Any]:
    """A trace without points that stands in the legend."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "name": escape(label),
        "marker": {"size": 11, "line": {"width": 1, "color": edge_color(theme)}, **marker},
        "hoverinfo": "skip",
        "showlegend": True,
    }


def cell_edges(grid: Grid, theme: str, cell_px: float) -> list[dict[str, Any]]:
    """Lines between cells as one shape: a gap per cell costs 22 ms a frame at 6,200 GPUs, this nothing."""
    if cell_px < _EDGES_FROM_PX:
        return []
    line = {"color": edge_color(theme), "width": 1 if cell_px >= 8 else 0.5}
    return [{"type": "path", "path": cell_edges_path(grid), "line": line, "layer": "above"}]


def cell_edges_path(grid: Grid) -> str:
    """Lines between cells as an SVG path in axis coordinates."""
    path = []
    for band in grid.bands:
        filled = min(band.count, grid.columns)
        last = band.count - (band.rows - 1) * grid.columns
        bottom = band.top + band.rows
        for row in range(band.rows + 1):
            path.append(f"M0,{band.top + row:.6g}H{last if row == band.rows else filled}")
        for column in range(filled + 1):
            path.append(f"M{column},{band.top:.6g}V{bottom if column <= last else bottom - 1:.6g}")
    return "".join(path)
