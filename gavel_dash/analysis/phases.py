"""Warm-up, measurement and cool-down of a run, from its own window and never from constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gavel_dash.model import JobWindow

WARM_UP, MEASUREMENT, COOL_DOWN = "warm-up", "measurement", "cool-down"


@dataclass(frozen=True)
class Phases:
    """Record indexes ``[start, end)`` of the measurement phase; warm-up before it, cool-down from `end` on."""

    measurement_start: int
    measurement_end: int

    def of(self, index: int) -> str:
        """Name of the phase that holds a record index."""
        if index < self.measurement_start:
            return WARM_UP
        return MEASUREMENT if index < self.measurement_end else COOL_DOWN

    def labels(self, n_rounds: int) -> np.ndarray:
        """Phase name of every record, shape (n_rounds,)."""
        labels = np.full(n_rounds, MEASUREMENT, dtype=object)
        labels[: self.measurement_start] = WARM_UP
        labels[self.measurement_end :] = COOL_DOWN
        return labels


def compute_phases(
    window: JobWindow | None,
    job_ids: np.ndarray,
    arrival_rounds: np.ndarray,
    completion_rounds: np.ndarray,
    completed: np.ndarray,
    round_numbers: np.ndarray,
) -> Phases | None:
    """Phases of a run: measurement runs from the window's first arrival to its last completion.

    When a window job never completed the measurement lasts to the run's end. None where there is no window, or
    none of its jobs arrived: then nothing can be told apart.

    Parameters
    ----------
    job_ids, arrival_rounds, completion_rounds : ndarray of int, shape (n_jobs,)
        Rounds are the last one recorded before the event.
    completed : ndarray of bool, shape (n_jobs,)
    round_numbers : ndarray of int, shape (n_rounds,), not decreasing
    """
    if window is None:
        return None
    in_window = (job_ids >= window.start_job_id) & (job_ids < window.end_job_id)
    if not in_window.any():
        return None
    n_rounds = len(round_numbers)
    first_arrival = int(arrival_rounds[in_window].min())
    # The event follows its round record, so the first record that shows it is the next one. A job present
    # from the very first record is stored with that record's number.
    start = int(np.searchsorted(round_numbers, first_arrival, side="right" if first_arrival else "left"))
    all_done = int(in_window.sum()) == window.n_jobs and bool(completed[in_window].all())
    if all_done:
        last_completion = int(completion_rounds[in_window].max())
        end = int(np.searchsorted(round_numbers, last_completion, side="right"))
    else:
        end = n_rounds
    start = min(start, n_rounds)
    return Phases(start, max(start, min(end, n_rounds)))
