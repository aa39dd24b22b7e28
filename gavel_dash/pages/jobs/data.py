"""The jobs of the runs on the page, and which of them its filters let through. Plain values, no Dash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.facets import NONE
from gavel_dash.errors import GavelDashError
from gavel_dash.schema.columns import col
from gavel_dash.ui import query_value, query_values

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

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


def collect_jobs(sweep: Sweep, names: Sequence[str]) -> RunJobs:
    """Jobs of all runs named, run by run.

    ``time_in_system_h`` is the JCT of a completed job, and of any other the time from its arrival until the run's end.
    """
    parts, problems = [], []
    for name in names:
        try:
            run = sweep[name]
            jobs = run.jobs()
            end_h = float(run.time_h[-1]) if run.n_rounds else float("nan")
        except GavelDashError as error:
            problems.append(f"{name} has no jobs to show: {error}")
            continue
        so_far = np.maximum(end_h - jobs["arrival_time_h"], 0)
        jobs["time_in_system_h"] = jobs["jct_h"].where(jobs["completed"], so_far)
        jobs.insert(0, "run", pd.Series(name, index=jobs.index, dtype="str"))
        parts.append(jobs)
    table = pd.concat(parts, ignore_index=True) if parts else _no_jobs()
    never = ~table["completed"].astype(bool) & table["first_start_round"].isna() & table["queueing_time_h"].notna()
    state = np.where(table["completed"].astype(bool), COMPLETED, np.where(never, NEVER_STARTED, UNFINISHED))
    return RunJobs(table.assign(state=state), tuple(problems))


def _no_jobs() -> pd.DataFrame:
    return schema.build_frame([], JOBS_OF_RUNS).assign(time_in_system_h=np.empty(0))


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
