"""What the player draws rounds into: the cluster's heatmap without a round, and how to paint one. Plain dicts, no Dash.

The figure is a real Plotly heatmap: axes, zoom, theme and export are Plotly's. The browser paints the cells of each
round over it (`assets/player/renderer/renderer.mjs`) and hands the heatmap its z when playing pauses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gavel_dash.figures.heatmap import cell_axes, row_coordinates
from gavel_dash.figures.heatmap_bands import Grid, arrange
from gavel_dash.figures.heatmap_colors import edge_color
from gavel_dash.figures.heatmap_marks import cell_edges_path, legend_entry
from gavel_dash.figures.player_colors import difference_coloring, player_coloring, share_coloring
from gavel_dash.figures.theme import escape, layout, token
from gavel_dash.model import Cluster, GpuType

MARGIN = {"l": 104, "r": 8, "t": 8, "b": 8}
#: Below this a GPU is too small to be told from its neighbour: nodes are shown. The browser has the same number.
SMALLEST_CELL_PX = 3.0
#: What stands for a node where the file does not know any.
BLOCK_GPUS = 8
_LONGEST_NAME = 12
#: The legend of a drawing that is taken away: above the cells.
_LEGEND: dict[str, Any] = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1,
    "yanchor": "bottom",
    "font": {"size": 12},
    "itemwidth": 30,
    "bgcolor": "rgba(0,0,0,0)",
}


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
                legend=_LEGEND,
                xaxis=x_axis,
                yaxis={**y_axis, "showticklabels": False},  # the page writes them, with each round's busy shares
            ),
        },
        "grid": _plain_grid(cluster, grid, parts),
        "looks": {"jobs": look, "share": share_coloring(theme), "difference": difference_coloring(theme)},
        "edges": {"path": edges, "color": edge_color(theme)},
        "nodes": {"path": _node_edges_path(cluster, grid), "color": token(theme, "muted")},
    }


def _arrange(cluster: Cluster, height: int, width: int) -> Grid:
    """Cells as square as they get; where they are too small to be seen, nodes are."""
    grid = arrange(cluster, height, width)
    if min(width / grid.columns, height / grid.height) >= SMALLEST_CELL_PX:
        return grid
    size = max([1, *(min(t.gpus_per_node or BLOCK_GPUS, t.count) for t in cluster.gpu_types)])
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
    """Lines between nodes and around them, where nodes are known and hold more than one GPU."""
    path: list[str] = []
    for band, gpu_type in zip(grid.bands, cluster.gpu_types, strict=True):
        size, columns = gpu_type.gpus_per_node or 1, min(grid.columns, band.count)
        if size == 1 or columns == 0:
            continue
        nodes = np.full((band.rows + 2, columns + 2), -1)  # -1: no GPU, and all around
        places = np.arange(band.count)
        nodes[1 + places // columns, 1 + places % columns] = places // size
        across = nodes[1:-1, 1:] != nodes[1:-1, :-1]
        along = nodes[1:, 1:-1] != nodes[:-1, 1:-1]
        path += [f"M{column},{band.top + a:.6g}V{band.top + b:.6g}" for column, a, b in _runs(across.T)]
        path += [f"M{a},{band.top + row:.6g}H{b}" for row, a, b in _runs(along)]
    return "".join(path)


def _runs(marks: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Stretches of True in each line of a matrix: line, start, stop."""
    steps = np.diff(np.pad(marks.astype(np.int8), ((0, 0), (1, 1))))
    lines, starts = np.nonzero(steps == 1)
    stops = np.nonzero(steps == -1)[1]
    return zip(lines.tolist(), starts.tolist(), stops.tolist(), strict=True)
