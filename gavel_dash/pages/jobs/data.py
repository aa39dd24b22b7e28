"""The jobs of the runs on the page, and which of them its filters let through. Plain values, no Dash."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.facets import NONE
from gavel_dash.errors import GavelDashError
from gavel_dash.kernel.mapped_files import unchanged_files
from gavel_dash.schema.columns import col
from gavel_dash.ui import query_value, query_values

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

#: Columns of the table: the run, then those of its jobs.
JOBS_OF_RUNS = (col("run", "str", "", "Run", "the run the job is of"), *schema.JOBS)
COMPLETED, UNFINISHED, NEVER_STARTED = "completed", "unfinished", "never started"
#: What became of a job, with what it means.
STATES = {
    COMPLETED: "completed in the run",
    UNFINISHED: "had started, or may have, when the run ended",
    NEVER_STARTED: "held no GPU in any round until the run ended",
}


@dataclass(frozen=True)
class RunJobs:
    """Jobs of some runs: `JOBS_OF_RUNS`, ``time_in_system_h``, ``state``; and a sentence per run without any."""

    table: pd.DataFrame
    problems: tuple[str, ...]


@dataclass(frozen=True)
class JobFilters:
    """The quick filters: what a job is (`only_window`, words, scale factors, categories), and what became of it."""

    only_window: bool = True
    words: str = ""
    scale_factors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


def collect_outcomes(sweep: Sweep, names: Sequence[str]) -> RunJobs:
    """Jobs of all runs named with what is known without reading the rounds: `run` and `schema.OUTCOMES`."""
    parts, problems = _collect(sweep, names, lambda run: run.outcomes())
    return RunJobs(_joined(parts, [JOBS_OF_RUNS[0], *schema.OUTCOMES]), problems)


def collect_jobs(sweep: Sweep, names: Sequence[str]) -> RunJobs:
    """Jobs of all runs named, run by run.

    ``time_in_system_h`` is the JCT of a completed job, and of any other the time from its arrival until the run's end.
    """
    # Most of the time goes into sorting, which lets another thread compute meanwhile.
    parts, problems = _collect(sweep, names, lambda run: run.jobs())
    table = _joined(parts, JOBS_OF_RUNS)
    never = ~table["completed"].astype(bool) & table["first_start_round"].isna() & table["queueing_time_h"].notna()
    state = np.where(table["completed"].astype(bool), COMPLETED, np.where(never, NEVER_STARTED, UNFINISHED))
    return RunJobs(table.assign(state=state), problems)


def _collect(
    sweep: Sweep, names: Sequence[str], jobs_of: Callable[[Run], pd.DataFrame]
) -> tuple[list[pd.DataFrame], tuple[str, ...]]:
    """A table per run, and a sentence for each that has none."""

    def read(name: str) -> pd.DataFrame | str:
        try:
            with unchanged_files():
                run = sweep[name]
                jobs = jobs_of(run)
                end_h = float(run.time_h[-1]) if run.n_rounds else float("nan")
        except GavelDashError as error:
            return f"{name} has no jobs to show: {error}"
        so_far = np.maximum(end_h - jobs["arrival_time_h"], 0)
        jobs["time_in_system_h"] = jobs["jct_h"].where(jobs["completed"], so_far)
        jobs.insert(0, "run", pd.Series(name, index=jobs.index, dtype="str"))
        return jobs

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = list(pool.map(read, names))
    return [part for part in found if not isinstance(part, str)], tuple(part for part in found if isinstance(part, str))


def _joined(parts: Sequence[pd.DataFrame], columns: Sequence[schema.Column]) -> pd.DataFrame:
    if parts:
        return pd.concat(parts, ignore_index=True)
    return schema.build_frame([], tuple(columns)).assign(time_in_system_h=np.empty(0))


def read_job_filters(query: Mapping[str, object]) -> JobFilters:
    """Quick filters of a query string; unknown values let nothing more through and are no error."""
    return JobFilters(
        query_value(query, "jobs") != "all",
        query_value(query, "q") or "",
        tuple(query_values(query, "scale")),
        tuple(query_values(query, "category")),
        tuple(state for state in query_values(query, "state") if state in STATES),
    )


def select_jobs(jobs: pd.DataFrame, filters: JobFilters) -> pd.DataFrame:
    """Jobs by what they are: the window's, of a type, scale factor and category. The distribution is over these.

    The window lets all jobs of a run through where none is measured.
    """
    chosen = np.ones(len(jobs), bool)
    if filters.only_window:
        measured = jobs["in_window"].astype(bool)
        chosen &= (measured | ~measured.groupby(jobs["run"]).transform("any").astype(bool)).to_numpy()
    for word in filters.words.lower().split():
        in_type = jobs["job_type"].fillna("").str.lower().str.contains(word, regex=False)
        chosen &= (in_type | (jobs["job_id"].astype(str) == word)).to_numpy(bool)
    for column, values in (("scale_factor", filters.scale_factors), ("category", filters.categories)):
        if values:
            chosen &= texts_of(jobs[column]).isin(values).to_numpy()
    return jobs[chosen]


def select_states(jobs: pd.DataFrame, filters: JobFilters) -> pd.DataFrame:
    """Jobs by what became of them; choosing so would bend a distribution, so that only the table does."""
    return jobs[jobs["state"].isin(filters.states)] if filters.states else jobs


def texts_of(values: pd.Series) -> pd.Series:
    """Scale factors or categories as they read in a list and in a query."""
    return values.astype("string").fillna(NONE)
