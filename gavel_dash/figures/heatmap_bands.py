"""Where each GPU goes in the heatmap: one band of rows per GPU type, in worker order, wrapped to the space.

One GPU is 1 x 1, the first one at (0, 0), y downwards. Between the bands there are blank rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd, lcm, log

import numpy as np

from gavel_dash.model import Cluster

#: Height of a band's label: two lines of text.
LABEL_PX = 34
#: Between bands; where rows are thinner than this, a whole row: Plotly draws equal rows faster.
GAP_PX = 14
_LOWEST_PER_BAND_PX = 1.25 * LABEL_PX
_MOST_COLUMNS = 400


@dataclass(frozen=True)
class Band:
    """One GPU type's rows: GPUs `first_gpu` .. `first_gpu + count - 1` fill them in order.

    `top` is the upper edge, `label` the middle of the label, which may reach below a thin band, and `first_row` the
    first of its rows counting blank ones.
    """

    name: str
    count: int
    first_gpu: int
    rows: int
    first_row: int
    top: float
    label: float


@dataclass(frozen=True)
class Grid:
    """The whole heatmap: `row_edges` are the upper edges of all rows, blank ones too, and the lower of the last."""

    columns: int
    bands: tuple[Band, ...]
    row_edges: np.ndarray

    @property
    def height(self) -> float:
        """Height of all bands and what is between them, in GPUs."""
        return float(self.row_edges[-1])

    @property
    def is_uniform(self) -> bool:
        """Whether all rows, blank ones included, are one GPU high."""
        return bool((np.diff(self.row_edges) == 1).all())

    def rows_and_columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Row (blank ones counted) and column of every GPU: two ndarrays of int, shape (n_gpus,)."""
        within = [np.arange(band.count) for band in self.bands]
        rows = [band.first_row + i // self.columns for band, i in zip(self.bands, within, strict=True)]
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
        GPUs in a row; None takes what reads best, a multiple of the node size where that is known.
    """
    options = [columns] if columns else _column_options(cluster)
    return min((_stack(cluster, option, height) for option in options), key=lambda grid: _badness(grid, height, width))


def _column_options(cluster: Cluster) -> list[int]:
    nodes = [t.gpus_per_node or 1 for t in cluster.gpu_types]
    widest = max((t.count for t in cluster.gpu_types), default=1)
    step = min(lcm(*nodes), _MOST_COLUMNS)
    options = list(range(step, max(step, min(widest, _MOST_COLUMNS)) + 1, step))
    if step == 1:
        # Without nodes, rows that all end at the same column read best.
        shared = gcd(*(t.count for t in cluster.gpu_types))
        even = [option for option in options if shared % option == 0]
        options = even if len(even) > 2 else options
    return options


def _stack(cluster: Cluster, columns: int, height: float) -> Grid:
    rows = [max(1, ceil(t.count / columns)) for t in cluster.gpu_types]
    total, label, gap = float(sum(rows)), 0.0, 0.0
    # Gaps and labels need pixels: they take rows, and all rows get thinner. A few turns settle it, but only where the
    # labels fit: what is too low for them is arranged as if it were not, and they come to lie closer.
    height = max(height, _LOWEST_PER_BAND_PX * len(rows))
    for _ in range(5):
        row_px = height / max(total, 1.0)
        label, gap = LABEL_PX / row_px, GAP_PX / row_px
        if gap >= 1:
            label, gap = float(ceil(label)), 1.0
        total = sum(max(n + gap, label) for n in rows[:-1]) + max([label, *rows[-1:]])
    bands, edges = [], [0.0]
    for k, (gpu_type, first_gpu, n) in enumerate(zip(cluster.gpu_types, cluster.first_gpus, rows, strict=False)):
        top = edges[-1]
        bands.append(Band(gpu_type.name, gpu_type.count, first_gpu, n, len(edges) - 1, top, top + max(n, label) / 2))
        edges += [top + i for i in range(1, n + 1)]
        blank = max(n + gap, label) - n if k + 1 < len(rows) else max(0.0, label - n)
        edges += [edges[-1] + i for i in range(1, int(blank) + 1)] if gap == 1 else [edges[-1] + blank] * (blank > 0)
    return Grid(columns, tuple(bands), np.array(edges if len(edges) > 1 else [0.0, 1.0]))


def _badness(grid: Grid, height: float, width: float) -> float:
    """How badly a grid reads: cells far from square (wide is better than tall), last rows that are not filled."""
    shape = log((width / grid.columns) / (height / grid.height))
    used = sum(band.count for band in grid.bands) / max(1, grid.columns * sum(band.rows for band in grid.bands))
    return (shape / 2 if shape > 0 else -shape) + 5 * (1 - used)
