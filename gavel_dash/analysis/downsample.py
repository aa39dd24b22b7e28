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
    if n <= n_points:
        return np.arange(n)
    known = np.isfinite(x)
    drawn = np.isfinite(y)
    drawn &= known
    monotone, has_gaps = is_monotone(x), not drawn.all()
    n_columns = max(1, n_points // ((4 if monotone else 6) + has_gaps))
    begins = _begins(_place_on_axis(x, known, view, log_x) if monotone else _place_among_records(x, view), n_columns)
    series = [y] if monotone else [x, y]
    if not has_gaps:
        kept = _extremes(series, begins)
    else:
        records, gaps = np.flatnonzero(drawn), np.flatnonzero(~drawn)
        extremes = _extremes([values[records] for values in series], records.searchsorted(begins))
        first_gaps, _ = _filled_columns(gaps.searchsorted(begins), len(gaps))
        kept = np.concatenate([records[extremes], gaps[first_gaps]])
    kept.sort()
    is_new = np.ones(len(kept), bool)
    np.greater(kept[1:], kept[:-1], out=is_new[1:])
    return kept[is_new]


def is_monotone(x: np.ndarray) -> bool:
    """Whether x never goes back, leaving out where it is NaN."""
    if (x[1:] >= x[:-1]).all():  # nowhere NaN, most often
        return True
    known = x[np.isfinite(x)]
    return bool((known[1:] >= known[:-1]).all())


def _place_on_axis(x: np.ndarray, known: np.ndarray, view: tuple[float, float] | None, log_x: bool) -> np.ndarray:
    """Position of each record along the axis, 0 to 1, stretched in the view; `known` is where x is finite."""
    if log_x:
        known = known & (x > 0)
        x = np.log10(np.where(known, x, 1.0))
        view = None if view is None or view[0] <= 0 else (float(np.log10(view[0])), float(np.log10(view[1])))
    if known.all():
        low, high, filled = float(x[0]), float(x[-1]), x
    elif not known.any():
        return np.zeros(len(x))
    else:
        low, high = float(x[known].min()), float(x[known].max())
        # A record without x lies where the last one with an x does, so that columns stay in order.
        filled = np.maximum.accumulate(np.where(known, x, -np.inf))
        filled = np.where(np.isfinite(filled), filled, low)
    if view is None or not low < view[1] or not high > view[0]:
        place = filled - low
        place /= max(high - low, np.finfo(float).tiny)
        return place
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


def _begins(place: np.ndarray, n_columns: int) -> np.ndarray:
    """Position of the first record of each column or, where it has none, of the next one; `place` never goes back.

    `place` is changed and, best, let go of here: with one large array at a time the heap neither grows nor shrinks, and
    the whole takes half the time.
    """
    place *= n_columns
    return place.searchsorted(np.arange(n_columns))


def _extremes(series: list[np.ndarray], begins: np.ndarray) -> np.ndarray:
    """Positions of the first, last, lowest and highest value of each column; of several alike the earliest."""
    n = len(series[0])
    firsts, ends = _filled_columns(begins, n)
    if not len(firsts):
        return firsts
    sizes, found = ends - firsts, [firsts, ends - 1]
    # How much of the series is left: of equal values the earliest has the most.
    left = np.arange(n, 0, -1, dtype=np.int32)
    for values in series:
        for extreme in (np.minimum, np.maximum):
            is_extreme = values == extreme.reduceat(values, firsts).repeat(sizes)
            found.append(n - np.maximum.reduceat(left * is_extreme, firsts))
    return np.concatenate(found)


def _filled_columns(begins: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each column that has any of `n` values begins, and where it ends."""
    ends = np.append(begins[1:], n)
    filled = ends > begins
    return begins[filled], ends[filled]
