"""Job completion times of the measured jobs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gavel_dash.model import JobWindow

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class WindowSummary:
    """Mean JCT of a window and how much of it is behind the mean.

    `mean_jct_s` is None when no window job completed. `censored` says that window jobs are missing, so
    the mean over the completed ones is a lower bound.
    """

    n_window: int
    n_completed: int
    mean_jct_s: float | None

    @property
    def censored(self) -> bool:
        """Whether some job of the window never completed."""
        return self.n_completed < self.n_window


def summarize_window(job_ids: np.ndarray, jct_s: np.ndarray, window: JobWindow) -> WindowSummary:
    """Mean JCT over the completed jobs of a window.

    Parameters
    ----------
    job_ids : ndarray of int, shape (n_completed_jobs,)
    jct_s : ndarray of float, shape (n_completed_jobs,), seconds
        Completion minus arrival of those jobs.
    window : JobWindow
        Ids in ``[start, end)`` are measured; jobs that never arrived count as not completed.
    """
    in_window = (job_ids >= window.start_job_id) & (job_ids < window.end_job_id)
    measured = np.asarray(jct_s, dtype=np.float64)[in_window]
    mean = float(measured.mean()) if measured.size else None
    return WindowSummary(window.n_jobs, int(measured.size), mean)
