"""The rounds of a run that matter for its backlog: where it is highest, and from where on it only grows."""

from __future__ import annotations

import numpy as np

#: A backlog that comes back to its minimum in this last share of the stretch does not grow for good.
LAST_SHARE = 0.05


def highest_backlog(jobs_queued: np.ndarray, start: int) -> int | None:
    """Record index with most queued jobs from `start` on, the first of equals; None where there is no such record.

    Parameters
    ----------
    jobs_queued : ndarray of int, shape (n_rounds,), jobs in the system that hold no GPU
    start : int
        Record index of the end of warm-up.
    """
    after = jobs_queued[start:]
    return start + int(np.argmax(after)) if len(after) else None


def start_of_growth(jobs_queued: np.ndarray, start: int, stop: int) -> int | None:
    """First record of ``[start, stop)`` whose backlog never comes back: all later records of it have more queued jobs.

    That is the last record with the fewest queued jobs. Every later record has more, by being later than the last
    with the fewest. And no earlier record ``s`` has the property, because the number at ``s`` is at least the fewest,
    which comes after it.

    The last record of any stretch has the property with nothing after it, so one in the last twentieth says only that
    the backlog had come back by then: None, as for an empty stretch.

    Parameters
    ----------
    jobs_queued : ndarray of int, shape (n_rounds,), jobs in the system that hold no GPU
    start, stop : int
        Record indexes: end of warm-up, and one beyond the last that still has arrivals.
    """
    stretch = jobs_queued[start:stop]
    if len(stretch) == 0:
        return None
    last_of_fewest = len(stretch) - 1 - int(np.argmin(stretch[::-1]))
    return start + last_of_fewest if last_of_fewest < len(stretch) * (1 - LAST_SHARE) else None
