"""Where each GPU goes in the heatmap: one band of rows per GPU type, in worker order, wrapped to the space."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd, lcm, log

import numpy as np

from gavel_dash.model import Cluster

#: Height of a band's label: two lines of text.
LABEL_PX = 34
_MOST_COLUMNS = 400


@dataclass(frozen=True)
class Band:
    """One GPU type's rows: `top` is its first row, GPUs `first_gpu` .. `first_gpu + count - 1` fill it in order.

    `label` is the row coordinate of the middle of its label, which may reach below a thin band.
    """

    name: str
    count: int
    first_gpu: int
    top: int
    rows: int
    label: float


@dataclass(frozen=True)
class Grid:
    """Rows and columns of the whole heatmap, with blank rows between the bands."""

    columns: int
    rows: int
    bands: tuple[Band, ...]

    def positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of every GPU: two ndarrays of int, shape (n_gpus,)."""
        within = [np.arange(band.count) for band in self.bands]
        rows = [band.top + i // self.columns for band, i in zip(self.bands, within, strict=True)]
        empty = [np.empty(0, int)]
        return np.concatenate(rows or empty), np.concatenate([i % self.columns for i in within] or empty)


def arrange(cluster: Cluster, height: float, width: float, columns: int | None = None) -> Grid:
    """Place a cluster's GPUs in an area of `width` x `height` pixels.

    Parameters
    ----------
    cluster : Cluster
        GPU types in worker order.
    height, width : float
        Pixels of the plot area. The width only decides how many columns read best; the figure may stretch.
    columns : int or None
        GPUs in a row; None takes the number that makes cells closest to square, a multiple of the node size.
    """
    options = [columns] if columns else _column_options(cluster)
    grids = [_stack(cluster, option, height) for option in options]
    return min(grids, key=lambda grid: _distance(grid, height, width))


def _column_options(cluster: Cluster) -> list[int]:
    nodes = [t.gpus_per_node or 1 for t in cluster.gpu_types]
    widest = max((t.count for t in cluster.gpu_types), default=1)
    step = min(lcm(*nodes) if nodes else 1, _MOST_COLUMNS)
    options = list(range(step, max(step, min(widest, _MOST_COLUMNS)) + 1, step))
    if step == 1 and widest > 1:
        # Without nodes, rows that all end at the same column read best.
        shared = gcd(*(t.count for t in cluster.gpu_types if t.count))
        even = [option for option in options if shared % option == 0]
        options = even if len(even) > 2 else options
    return options


def _stack(cluster: Cluster, columns: int, height: float) -> Grid:
    rows = [max(1, ceil(t.count / columns)) for t in cluster.gpu_types]
    total, label_rows = sum(rows) + max(0, len(rows) - 1), 1
    # A label needs its height: thin bands get more blank rows below, and all rows get thinner. A few turns settle it.
    for _ in range(5):
        label_rows = ceil(LABEL_PX * total / height)
        pitch = [max(n + 1, label_rows) for n in rows]
        total = max(1, sum(pitch[:-1]) + max([label_rows, *rows[-1:]]))
    tops = np.cumsum([0, *pitch[:-1]]).tolist()
    bands = tuple(
        Band(t.name, t.count, first, top, n, label=top - 0.5 + max(n, label_rows) / 2)
        for t, first, top, n in zip(cluster.gpu_types, cluster.first_gpus, tops, rows, strict=False)
    )
    return Grid(columns, total, bands)


def _distance(grid: Grid, height: float, width: float) -> float:
    """How badly a grid reads: cells far from square (wide is better than tall), last rows that are not filled."""
    shape = log((width / grid.columns) / (height / grid.rows))
    used = sum(band.count for band in grid.bands) / max(1, grid.columns * sum(band.rows for band in grid.bands))
    return (shape / 2 if shape > 0 else -shape) + 5 * (1 - used)
