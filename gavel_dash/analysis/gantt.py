"""Who held which lane when, at the size of a screen: stretches of rounds by lanes, and the job that held each longest.

A lane is a GPU; in files with shared GPUs it is a quarter of one (see `segments`). Only the part in view is read, in
blocks, so that memory does not grow with the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

#: Lanes x rounds that are worked on at once; small enough for the processor's caches.
_BLOCK_CELLS = 2**18
#: Up to so many values a cell is counted by comparing them; of 17 that takes a fifth of the time of sorting.
_FEW = 96
_LOW_32 = np.uint64(2**32 - 1)
#: Stored ids of the records ``[start, stop)``: unsigned int, shape (stop - start, n_lanes), 0 = idle.
ReadLanes = Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class LaneRows:
    """Neighbouring lanes ``[start, stop)`` as rows of `per_row` lanes each; the last row may have fewer."""

    start: int
    stop: int
    per_row: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return ceil((self.stop - self.start) / self.per_row)

    @property
    def lanes_of_rows(self) -> np.ndarray:
        """Lanes in each row: int32, shape (n_rows,)."""
        return np.diff(np.append(np.arange(self.start, self.stop, self.per_row), self.stop)).astype(np.int32)


@dataclass(frozen=True)
class GanttCells:
    """Cells of a Gantt. Arrays have the shape (n_rows, n_columns), the rows of all `rows` one below the other.

    What is counted are lanes x rounds, and only rounds whose allocation is known.

    Attributes
    ----------
    start, stop : int
        Record indexes in view: ``[start, stop)``.
    per_column : int
        Records of a column; the last column may have fewer.
    rows : tuple of LaneRows
    stored : ndarray of uint32
        Stored id of the job that held the cell longest, of equals the one with the lowest id; 0 where none did.
    held, busy, size : ndarray of int32
        Lanes x rounds of that job, of all jobs, and of the cell; `size` is 0 where the file does not say who held it.
    jobs : ndarray of int32
        Distinct jobs in the cell.
    has_selected : ndarray of bool
        Whether the selected job is among them.
    """

    start: int
    stop: int
    per_column: int
    rows: tuple[LaneRows, ...]
    stored: np.ndarray
    held: np.ndarray
    busy: np.ndarray
    size: np.ndarray
    jobs: np.ndarray
    has_selected: np.ndarray

    @property
    def is_mostly_idle(self) -> np.ndarray:
        """Cells whose lanes were idle in more than half of the known rounds: ndarray of bool."""
        return (self.size > 0) & (2 * self.busy < self.size)


def summarize_cells(
    read: ReadLanes,
    known: np.ndarray,
    start: int,
    stop: int,
    per_column: int,
    rows: Sequence[LaneRows],
    selected: int = 0,
) -> GanttCells:
    """Cells of the records ``[start, stop)`` and the lanes of `rows`, exactly, from every round in view.

    Parameters
    ----------
    read : callable
        See `ReadLanes`; all lanes of the run.
    known : ndarray of bool, shape (stop - start,)
        Rounds of which the file says who holds the GPUs; in others all lanes are idle, and none is counted.
    per_column : int
        Records of a column, at least 1.
    selected : int
        Stored id of a job to look for; 0 for none.
    """
    n_lanes = max(1, sum(group.stop - group.start for group in rows))
    step = per_column * max(1, _BLOCK_CELLS // (per_column * n_lanes))
    n_rows = sum(group.n_rows for group in rows)
    parts = [np.empty((5, n_rows, 0 if n_rows else ceil((stop - start) / per_column)), np.uint32)]
    if n_rows:
        for first in range(start, stop, step):
            stored = read(first, min(first + step, stop))
            parts.append(np.concatenate([_summarize(stored, group, per_column, selected) for group in rows], axis=1))
    cells = np.concatenate(parts, axis=2)
    known_rounds = np.add.reduceat(known, np.arange(0, stop - start, per_column), dtype=np.int32)
    lanes = np.concatenate([np.empty(0, np.int32), *(group.lanes_of_rows for group in rows)])
    held, busy, jobs = cells[1:4].astype(np.int32)
    size = lanes[:, None] * known_rounds[None, :]
    return GanttCells(start, stop, per_column, tuple(rows), cells[0], held, busy, size, jobs, cells[4] > 0)


def _summarize(stored: np.ndarray, group: LaneRows, per_column: int, selected: int) -> np.ndarray:
    """Longest job, its, all jobs' lanes x rounds, jobs, selected: u4, shape (5, n_rows, n_columns)."""
    n_rounds, n_lanes = len(stored), group.stop - group.start
    n_columns, n_rows, per_row = ceil(n_rounds / per_column), group.n_rows, group.per_row
    filled = np.zeros((n_columns * per_column, n_rows * per_row), np.uint32)  # what is beyond the edge is idle
    filled[:n_rounds, :n_lanes] = stored[:, group.start : group.stop]
    blocks = filled.reshape(n_columns, per_column, n_rows, per_row)
    result = np.empty((5, n_columns * n_rows), np.uint32)
    if per_column * per_row <= _FEW:
        cells = blocks.transpose(1, 3, 0, 2).reshape(-1, n_columns * n_rows)
        result[:4] = _longest_of_few(cells)
        result[4] = (cells == selected).any(axis=0) if selected else 0
    else:
        cells = blocks.transpose(0, 2, 1, 3).reshape(n_columns * n_rows, -1)
        result[:4] = _longest_of_many(cells)
        result[4] = (cells == selected).any(axis=1) if selected else 0
    return result.reshape(5, n_columns, n_rows).transpose(0, 2, 1)


def _longest_of_few(values: np.ndarray) -> np.ndarray:
    """The first four rows of `_summarize`, by comparing each value of a cell with those above it.

    Cells lie side by side, as numpy works along them: shape (values of a cell, n_cells).
    """
    before = np.zeros(values.shape, np.uint8)  # equal values above: of the last of them one less than there are
    for apart in range(1, len(values)):
        before[apart:] += (values[apart:] == values[:-apart]).view(np.uint8)
    is_busy = (values > 0).view(np.uint8)
    counts = (before + np.uint8(1)) * is_busy
    held = counts.max(axis=0)
    # All bits are set where a value is not one of those that held longest: several times faster than `where`.
    lowest = (values | -(counts != held).astype(np.uint32)).min(axis=0)
    jobs, busy = (np.add.reduce(part.view(np.uint8), axis=0, dtype=np.uint8) for part in (counts == 1, is_busy))
    return np.stack([lowest, held, busy, jobs], dtype=np.uint32)


def _longest_of_many(cells: np.ndarray) -> np.ndarray:
    """The same by sorting the cells in which something changes: equal ids then lie side by side.

    Cells lie below each other: shape (n_cells, values of a cell).
    """
    result = np.empty((4, len(cells)), np.uint32)
    result[0] = cells[:, 0]
    result[3] = result[0] > 0
    result[1] = result[2] = result[3] * cells.shape[1]
    is_mixed = (cells != cells[:, :1]).any(axis=1)
    if not is_mixed.any():
        return result
    ordered = np.sort(cells[is_mixed], axis=1)
    is_first = np.ones(ordered.shape, bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=is_first[:, 1:])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=ordered.size)
    ids = ordered.ravel()[starts]
    counts[ids == 0] = 0
    cell_starts = np.flatnonzero(starts % ordered.shape[1] == 0)
    # The count decides, then the lower id: both in one number, so that one pass finds the largest.
    ranks = (counts.astype(np.uint64) << np.uint64(32)) | (_LOW_32 - ids)
    top = np.maximum.reduceat(ranks, cell_starts)
    held = top >> np.uint64(32)
    busy, jobs = np.add.reduceat(counts, cell_starts), np.add.reduceat(ids > 0, cell_starts, dtype=np.int64)
    result[:, is_mixed] = np.stack([np.where(held > 0, _LOW_32 - (top & _LOW_32), 0), held, busy, jobs])
    return result


def held_span(read: ReadLanes, n_rounds: int, lane: int, record: int) -> tuple[int, int]:
    """Records ``[start, stop)`` around `record` in which a lane has the same stored id without a break."""
    wanted = int(read(record, record + 1)[0, lane])
    start, stop, step = record, record + 1, 64
    while start > 0:
        first = max(0, start - step)
        other = np.flatnonzero(read(first, start)[:, lane] != wanted)
        if len(other):
            start = first + int(other[-1]) + 1
            break
        start, step = first, 2 * step
    step = 64
    while stop < n_rounds:
        last = min(n_rounds, stop + step)
        other = np.flatnonzero(read(stop, last)[:, lane] != wanted)
        if len(other):
            stop += int(other[0])
            break
        stop, step = last, 2 * step
    return start, stop
