"""One job as its page knows it: found in its run, or the sentence that says why not. Plain values, no Dash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.job_life import RUNNING, Stretch, find_life, stretches_table
from gavel_dash.analysis.segments import Segments
from gavel_dash.errors import GavelDashError, SourceError, UsageError
from gavel_dash.ui import query_value

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep


@dataclass(frozen=True)
class JobView:
    """A job of a run.

    Attributes
    ----------
    run : Run
    job_id : int
    row : dict
        Its row of `schema.JOBS`, None where a value is missing.
    stretches : list of Stretch
        Empty where it was in the system in no recorded round.
    nearby : Segments
        All segments of the records it was in the system in, and of one before and after.
    types : ndarray of int, shape (n_gpus,)
        Index of the type of each GPU.
    neighbors : tuple of int or None
        Ids of the run's jobs before and after it.
    """

    run: Run
    job_id: int
    row: dict[str, Any]
    stretches: list[Stretch]
    nearby: Segments
    types: np.ndarray
    neighbors: tuple[int | None, int | None]

    @property
    def ever_ran(self) -> bool:
        """Whether the job is seen on a GPU in some round."""
        return any(stretch.state == RUNNING for stretch in self.stretches)

    def moment(self, asked: int | None) -> int:
        """The record that is asked for, else that of its first start, else its first in the system."""
        if asked is not None:
            return max(0, min(asked, self.run.n_rounds - 1))
        if not self.stretches:
            return self.run.index_at(self.row["arrival_time_h"])
        first = next((s for s in self.stretches if s.state == RUNNING), self.stretches[0])
        return first.start

    def stretch_at(self, index: int) -> Stretch | None:
        """The stretch that holds a record; None before its arrival and after its completion."""
        return next((s for s in self.stretches if s.start <= index < s.stop), None)

    def table(self) -> pd.DataFrame:
        """Its stretches: `schema.job_stretches.JOB_STRETCHES`."""
        run = self.run
        return stretches_table(
            self.stretches, run.cluster, run.viz.lanes_per_gpu, run.edges_h, run.viz.round_heads["round"]
        )


def asked_job(query: Mapping[str, object]) -> int | None:
    """Job id of a query, None where it names none."""
    text = query_value(query, "job") or ""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def open_job(sweep: Sweep, query: Mapping[str, object]) -> JobView | str:
    """The job a query names by `run` and `job`, or one sentence that says why there is none."""
    name, text = query_value(query, "run"), query_value(query, "job")
    if name is None or text is None:
        return "This page shows one job: choose it in the table of the Jobs page, or on the Cluster page."
    job_id = asked_job(query)
    if job_id is None:
        return f"A job is named by its id, a whole number from 0, not {text[:40]!r}."
    if name not in sweep:
        return f"This sweep has no run named {name}."
    try:
        return view_job(sweep[name], job_id)
    except SourceError as error:
        return f"{name} says nothing of single jobs: {error.found if error.path == name else error}."
    except GavelDashError as error:
        return f"{error}."


def view_job(run: Run, job_id: int) -> JobView:
    """Find a job and its life; of an id that the file lists twice the first counts.

    Raises
    ------
    UsageError
        Where the run has no such job.
    """
    ids = run.viz.jobs["job_id"]
    places = np.flatnonzero(ids == job_id)
    if not len(places):
        raise UsageError(_no_such_job(run, ids, job_id))
    place = int(places[0])
    timelines, n_rounds = run.timelines, run.n_rounds
    since, until = int(timelines.in_system_from[place]), int(timelines.in_system_until[place])
    if timelines.first_start[place] >= 0:
        since = min(since, int(timelines.first_start[place]))
        until = max(until, int(timelines.last_record[place]) + 1)
    nearby = run.segments(max(0, since - 1), min(n_rounds, until + 1))
    types = np.repeat(np.arange(len(run.cluster.gpu_types)), [t.count for t in run.cluster.gpu_types])
    own = nearby.select(nearby.job_id == job_id)
    unknown, lanes_per_gpu = run.records_without_allocation, run.viz.lanes_per_gpu
    stretches = find_life(own, since, until, unknown, types, lanes_per_gpu) if since < until else []
    row = run.jobs().iloc[place]
    beside = np.unique(ids)
    at = int(np.searchsorted(beside, job_id))
    return JobView(
        run,
        job_id,
        {str(name): None if pd.isna(value) else value for name, value in row.items()},
        stretches,
        nearby,
        types,
        (
            int(beside[at - 1]) if at > 0 else None,
            int(beside[at + 1]) if at + 1 < len(beside) else None,
        ),
    )


def _no_such_job(run: Run, ids: np.ndarray, job_id: int) -> str:
    if not len(ids):
        return f"{run.name} lists no jobs, so that nothing is known of job {job_id}"
    return f"{run.name} has no job {job_id}; its {len(ids):,} jobs have the ids {ids.min()} to {ids.max()}"
