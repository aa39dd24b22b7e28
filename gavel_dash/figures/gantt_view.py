"""Which rounds and lanes a Gantt shows at its size in pixels, and where they lie on its axes.

x is the record index: record r lies between r and r + 1. y counts GPUs downwards through the bands of the GPU types,
with room between them, as `heatmap_bands` stacks them with one GPU per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

from gavel_dash.analysis.gantt import LaneRows
from gavel_dash.figures.heatmap_bands import Band, Grid, arrange
from gavel_dash.model import Cluster

#: More cells than this are not sent, however large the screen.
MOST_COLUMNS, MOST_ROWS = 1200, 500
_LEAST_PX = 40
Span = tuple[float, float]


@dataclass(frozen=True)
class GanttView:
    """What is in view.

    Attributes
    ----------
    grid : Grid
        All bands, one GPU per row.
    n_rounds, lanes_per_gpu : int
        Of the run.
    x, y : tuple of float
        Ranges in view: records, and GPUs from the top; low before high.
    start, stop, per_column : int
        Records ``[start, stop)`` to read, and how many make a column. Columns begin at multiples of `per_column`, so
        that moving the view does not change what a column holds.
    bands : tuple of Band
        Bands in view, beside `rows`: their lanes in view.
    rows : tuple of LaneRows
    gpu_px, record_px : float
        Pixels of a GPU and of a record.
    """

    grid: Grid
    n_rounds: int
    lanes_per_gpu: int
    x: Span
    y: Span
    start: int
    stop: int
    per_column: int
    bands: tuple[Band, ...]
    rows: tuple[LaneRows, ...]
    gpu_px: float
    record_px: float

    @property
    def is_whole(self) -> bool:
        """Whether all rounds and GPUs are in view."""
        return self.x == (0, self.n_rounds) and self.y == (0, self.grid.height)

    def lane_top(self, band: Band, lane: int) -> float:
        """Upper edge of a lane of a band on the y axis."""
        return band.top + lane / self.lanes_per_gpu - band.first_gpu

    def lane_at(self, y: float) -> int | None:
        """The lane at a height; None between the bands."""
        for band in self.grid.bands:
            if band.top <= y < band.top + band.count:
                return floor((band.first_gpu + y - band.top) * self.lanes_per_gpu)
        return None

    def cell_at(self, x: float, y: float) -> tuple[int, int, LaneRows] | None:
        """Records ``[start, stop)`` and lanes of the cell at a place; None where there is no cell."""
        lane = self.lane_at(y)
        if lane is None or not self.start <= x < self.stop:
            return None
        first = floor(x) - floor(x) % self.per_column
        for rows in self.rows:
            if rows.start <= lane < rows.stop:
                top = lane - (lane - rows.start) % rows.per_row
                last = min(top + rows.per_row, rows.stop)
                return first, min(first + self.per_column, self.n_rounds), LaneRows(top, last, rows.per_row)
        return None


@lru_cache(maxsize=16)
def _stack(cluster: Cluster, height: int) -> Grid:
    return arrange(cluster, height, MOST_COLUMNS, columns=1)


def plan_view(
    cluster: Cluster,
    lanes_per_gpu: int,
    n_rounds: int,
    x: Sequence[float] | None,
    y: Sequence[float] | None,
    width: float,
    height: float,
) -> GanttView:
    """Decide what to read.

    Parameters
    ----------
    x, y : sequence of two floats, or None
        Ranges asked for, on the axes; None is the whole run. What lies outside of it is cut off.
    width, height : float
        Pixels of the plot area.
    """
    columns = int(min(max(width, _LEAST_PX), MOST_COLUMNS))
    height_px = int(min(max(height, _LEAST_PX), MOST_ROWS))
    grid = _stack(cluster, height_px)
    x_span, y_span = _clip(x, float(n_rounds)), _clip(y, grid.height)
    per_column = max(1, ceil((x_span[1] - x_span[0]) / columns))
    start = floor(x_span[0]) // per_column * per_column
    stop = min(n_rounds, ceil(ceil(x_span[1]) / per_column) * per_column)
    per_row = max(1, ceil((y_span[1] - y_span[0]) * lanes_per_gpu / height_px))
    if per_row > 1:
        per_row = ceil(per_row / lanes_per_gpu) * lanes_per_gpu  # whole GPUs
    bands, rows = [], []
    for band in grid.bands:
        first = max(0, floor((y_span[0] - band.top) * lanes_per_gpu)) // per_row * per_row
        last = min(band.count * lanes_per_gpu, ceil((y_span[1] - band.top) * lanes_per_gpu / per_row) * per_row)
        if first < last:
            origin = band.first_gpu * lanes_per_gpu
            bands.append(band)
            rows.append(LaneRows(origin + first, origin + last, per_row))
    gpu_px, record_px = height_px / (y_span[1] - y_span[0]), columns / (x_span[1] - x_span[0])
    return GanttView(
        grid=grid,
        n_rounds=n_rounds,
        lanes_per_gpu=lanes_per_gpu,
        x=x_span,
        y=y_span,
        start=start,
        stop=stop,
        per_column=per_column,
        bands=tuple(bands),
        rows=tuple(rows),
        gpu_px=gpu_px,
        record_px=record_px,
    )


def _clip(asked: Sequence[float] | None, end: float) -> Span:
    """A range within [0, end], at least one round or GPU wide; the whole where nothing sensible is asked for."""
    if asked is None or len(asked) != 2:
        return 0, end
    low, high = sorted((max(0.0, min(float(asked[0]), end)), max(0.0, min(float(asked[1]), end))))
    if not high > low:  # also where one is no number
        return 0, end
    if high - low < 1:
        low = min(max(0.0, floor(low)), max(0.0, end - 1))
        high = min(end, low + 1)
    return low, high
