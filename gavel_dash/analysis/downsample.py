"""Fewer points that draw the same line: of each column of pixels the first, lowest, highest and last (M4).

Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014: a line through these points
covers the same pixels as the line through all.
"""

from __future__ import annotations

import numpy as np

#: Share of the points that is spent on the part in view; the rest draws what a pan or a zoom out brings in.
IN_VIEW = 0.8


def downsample(
    x: np.ndarray, y: np.ndarray, n_points: int, view: tuple[float, float] | None = None, log_x: bool = False
) -> np.ndarray:
    """Which records to draw: at most about `n_points`, with every peak and dip of each column.

    Where x never goes back, a column is an equal part of the x axis, and its first, lowest, highest and last y stay.
    Elsewhere it is a block of equally many records, of which the extremes of x stay too. A gap (x or y is NaN) stays a
    gap: of each column with one its first record is kept.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
    n_points : int
    view : (low, high) or None
        Range of x in view, which gets `IN_VIEW` of the points; None: all.
    log_x : bool
        Whether the columns are equal on a logarithmic axis.

    Returns
    -------
    ndarray of int, shape (m,), increasing
    """
    n = len(x)
    gap = ~(np.isfinite(x) & np.isfinite(y))
    if n <= n_points:
        return np.arange(n)
    monotone = is_monotone(x)
    per_column = (4 if monotone else 6) + bool(gap.any())
    n_columns = max(1, n_points // per_column)
    place = _place_on_axis(x, view, log_x) if monotone else _place_among_records(x, view)
    column = np.minimum((place * n_columns).astype(np.int64), n_columns - 1)
    kept = np.zeros(n, bool)
    drawn = np.flatnonzero(~gap)
    _keep_extremes(kept, drawn, column[drawn], [y] if monotone else [x, y])
    _keep_first(kept, np.flatnonzero(gap), column[gap])
    return np.flatnonzero(kept)


def is_monotone(x: np.ndarray) -> bool:
    """Whether x never goes back, leaving out where it is NaN."""
    known = x[np.isfinite(x)]
    return bool((known[1:] >= known[:-1]).all())


def _place_on_axis(x: np.ndarray, view: tuple[float, float] | None, log_x: bool) -> np.ndarray:
    """Position of each record along the axis, 0 to 1, stretched in the view."""
    if log_x:
        x = np.log10(np.where(x > 0, x, np.nan))
        view = None if view is None or view[0] <= 0 else (float(np.log10(view[0])), float(np.log10(view[1])))
    known = np.isfinite(x)
    if not known.any():
        return np.zeros(len(x))
    low, high = float(x[known].min()), float(x[known].max())
    # A record without x lies where the last one with an x does, so that columns stay in order.
    filled = np.maximum.accumulate(np.where(known, x, -np.inf))
    filled = np.where(np.isfinite(filled), filled, low)
    if view is None or not low < view[1] or not high > view[0]:
        return (filled - low) / max(high - low, np.finfo(float).tiny)
    left, right = max(view[0], low), min(view[1], high)
    outside = (left - low) + (high - right)
    rest = (1 - IN_VIEW) if outside > 0 else 0.0
    at_left = rest * (left - low) / outside if outside > 0 else 0.0
    at_right = at_left + 1 - rest
    return np.interp(filled, [low, left, right, high], [0.0, at_left, at_right, 1.0])


def _place_among_records(x: np.ndarray, view: tuple[float, float] | None) -> np.ndarray:
    """Position of each record in time, 0 to 1, stretched where x is in view."""
    in_view = np.ones(len(x), bool) if view is None else (x >= view[0]) & (x <= view[1])
    n_in, n_out = int(in_view.sum()), int((~in_view).sum())
    if not n_in or not n_out:
        return np.arange(len(x)) / len(x)
    weight = np.where(in_view, IN_VIEW / n_in, (1 - IN_VIEW) / n_out)
    return np.cumsum(weight) - weight


def _keep_extremes(kept: np.ndarray, records: np.ndarray, column: np.ndarray, series: list[np.ndarray]) -> None:
    """Mark the first, last, lowest and highest record of each column; `column` does not decrease."""
    if not len(records):
        return
    starts = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    sizes = np.diff(np.append(starts, len(records)))
    kept[records[starts]] = True
    kept[records[starts + sizes - 1]] = True
    for values in series:
        of_column = values[records]
        for extreme in (np.minimum, np.maximum):
            reached = of_column == np.repeat(extreme.reduceat(of_column, starts), sizes)
            _keep_first(kept, records[reached], column[reached])


def _keep_first(kept: np.ndarray, records: np.ndarray, column: np.ndarray) -> None:
    """Mark of each column the first of the records."""
    if len(records):
        kept[records[np.append(True, column[1:] != column[:-1])]] = True
