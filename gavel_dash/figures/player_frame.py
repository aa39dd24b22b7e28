"""What the player draws rounds into: the cluster's heatmap without a round, and how to paint one. Plain dicts, no Dash.

The figure is a real Plotly heatmap: axes, zoom, theme and export are Plotly's. The browser paints the cells of each
round over it (`assets/player/renderer.mjs`) and hands the heatmap its z when playing pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gavel_dash.figures.heatmap import LEGEND, cell_axes, row_coordinates
from gavel_dash.figures.heatmap_bands import Grid, arrange
from gavel_dash.figures.heatmap_colors import edge_color
from gavel_dash.figures.heatmap_marks import cell_edges_path, legend_entry
from gavel_dash.figures.player_colors import difference_coloring, player_coloring, share_coloring
from gavel_dash.figures.theme import escape, layout, token
from gavel_dash.model import Cluster, GpuType

MARGIN = {"l": 104, "r": 8, "t": 8, "b": 8}
#: Below this a GPU is too small to be told from its neighbour: nodes are shown instead.
SMALLEST_CELL_PX = 3.0
#: What stands for a node where the file does not know any.
BLOCK_GPUS = 8
_LONGEST_NAME = 12


def build_player_frame(
    cluster: Cluster,
    theme: str,
    color_by: str,
    height: int,
    width: int,
    categories: Sequence[str] = (),
    scale_factors: Sequence[int] = (),
    may_share: bool = False,
) -> dict[str, Any]:
    """The frame of one run.

    Parameters
    ----------
    cluster : Cluster
        GPU types in worker order.
    theme, color_by : str
        See `player_colors.player_coloring`.
    height, width : int
        Pixels of the whole figure.
    categories, scale_factors : sequence
        Those of all runs on screen, so that their legends agree.
    may_share : bool
        Whether GPUs of the run are ever shared: each is then drawn as four quarters.

    Returns
    -------
    dict
        ``figure``: a Plotly figure whose heatmap has no z yet (codes, NaN between the bands).
        ``grid``: where each GPU goes: columns, parts (1, or 2 for quarters), total height in GPUs, and per GPU type its
        name, count, first GPU, rows, top, first row counting blank ones, GPUs per node and label.
        ``looks``: the colourings ``jobs``, ``share`` and ``difference``.
        ``edges``, ``nodes``: SVG paths in axis coordinates, with their colours.
    """
    area = {"height": max(1, height - MARGIN["t"] - MARGIN["b"]), "width": max(1, width - MARGIN["l"] - MARGIN["r"])}
    grid = _arrange(cluster, **area)
    parts = 2 if may_share else 1
    look = player_coloring(color_by, theme, categories, scale_factors)
    cell_px = min(area["width"] / grid.columns, area["height"] / grid.height)
    edges = cell_edges_path(grid)
    heatmap = {
        "type": "heatmap",
        "z": [],
        "x0": 0.5 / parts,
        "dx": 1 / parts,
        **row_coordinates(grid, parts),
        "showscale": False,
        "hoverinfo": "skip",
    }
    entries = [legend_entry(label, {"color": color, "symbol": "square"}, theme) for _, label, color in look["legend"]]
    x_axis, y_axis = cell_axes(grid, band_names(cluster), theme)
    return {
        "figure": {
            "data": [heatmap, *entries],
            "layout": layout(
                theme,
                height=height,
                margin=MARGIN,
                showlegend=False,
                legend=LEGEND,
                modebar={"orientation": "v"},
                xaxis=x_axis,
                yaxis={**y_axis, "showticklabels": False},  # the page writes them, with each round's busy shares
            ),
        },
        "grid": _plain_grid(cluster, grid, parts),
        "looks": {"jobs": look, "share": share_coloring(theme), "difference": difference_coloring(theme)},
        "node_view": cell_px < SMALLEST_CELL_PX,
        "edges": {"path": edges, "color": edge_color(theme)},
        "nodes": {"path": _node_edges_path(cluster, grid), "color": token(theme, "muted")},
    }


def _arrange(cluster: Cluster, height: int, width: int) -> Grid:
    """Cells as square as they get; where they are too small to be seen, nodes are."""
    grid = arrange(cluster, height, width)
    if min(width / grid.columns, height / grid.height) >= SMALLEST_CELL_PX:
        return grid
    size = max((t.gpus_per_node or BLOCK_GPUS for t in cluster.gpu_types), default=1)
    nodes = Cluster(tuple(GpuType(t.name, -(-t.count // size)) for t in cluster.gpu_types))
    return arrange(cluster, height, width, columns=size * arrange(nodes, height, width).columns)


def band_names(cluster: Cluster) -> list[str]:
    """Name and count of each GPU type, as Plotly text."""
    labels = []
    for gpu_type in cluster.gpu_types:
        name = gpu_type.name.upper()
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        labels.append(f"<b>{escape(short)}</b> {gpu_type.count:,}")
    return labels


def _plain_grid(cluster: Cluster, grid: Grid, parts: int) -> dict[str, Any]:
    bands = [
        {
            "name": band.name,
            "count": band.count,
            "first_gpu": band.first_gpu,
            "rows": band.rows,
            "top": band.top,
            "first_row": band.first_row,
            "label": band.label,
            "gpus_per_node": gpu_type.gpus_per_node,
            "block_gpus": gpu_type.gpus_per_node or BLOCK_GPUS,
        }
        for band, gpu_type in zip(grid.bands, cluster.gpu_types, strict=True)
    ]
    rows = len(grid.row_edges) - 1
    return {"columns": grid.columns, "parts": parts, "height": grid.height, "rows": rows, "bands": bands}


def _node_edges_path(cluster: Cluster, grid: Grid) -> str:
    """Lines around nodes, where nodes are known and hold more than one GPU."""
    path = []
    for band, gpu_type in zip(grid.bands, cluster.gpu_types, strict=True):
        size = gpu_type.gpus_per_node or 1
        if size == 1:
            continue
        if grid.columns % size == 0:
            last = band.count - (band.rows - 1) * grid.columns
            for column in range(0, min(band.count, grid.columns) + 1, size):
                bottom = band.top + band.rows - (column > last)
                path.append(f"M{column},{band.top:.6g}V{bottom:.6g}")
        else:
            starts = np.arange(0, band.count, size)
            rows, columns = starts // grid.columns, starts % grid.columns
            tops = band.top + rows
            path += [f"M{c},{t:.6g}V{t + 1:.6g}" for c, t in zip(columns.tolist(), tops.tolist(), strict=True)]
        for row in range(band.rows + 1):
            filled = min(band.count, grid.columns) if row < band.rows else band.count - (band.rows - 1) * grid.columns
            path.append(f"M0,{band.top + row:.6g}H{filled}")
    return "".join(path)
