"""The page's tables as CSV, of the same query keys as its address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gavel_dash import schema
from gavel_dash.analysis.distribution import curve_table, quantile_table
from gavel_dash.errors import UsageError
from gavel_dash.pages.jobs.data import (
    JOBS_OF_RUNS,
    RunJobs,
    collect_jobs,
    collect_outcomes,
    read_job_filters,
    select_jobs,
    select_states,
)
from gavel_dash.pages.jobs.distribution_panel import (
    DistributionOptions,
    distributions_of,
    needs_rounds,
    read_distribution_options,
)
from gavel_dash.pages.jobs.grid_rows import arrange, parse_filter_model, parse_sort
from gavel_dash.pages.selection import asked_runs
from gavel_dash.ui import query_value

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import Sweep


def jobs_table(sweep: Sweep, query: Mapping[str, object]) -> pd.DataFrame:
    """The filtered and sorted table of jobs: ``run, jobs, q, scale, category, state, filter, sort``."""
    filters = read_job_filters(query)
    shown = select_states(select_jobs(_asked_jobs(sweep, query, collect_jobs).table, filters), filters)
    model, order = parse_filter_model(query_value(query, "filter")), parse_sort(query_value(query, "sort"))
    return arrange(shown, model, order)[schema.names(JOBS_OF_RUNS)]


def distribution_table(sweep: Sweep, query: Mapping[str, object]) -> pd.DataFrame:
    """Every step of the curves shown: ``run, jobs, q, scale, category, measure, split``."""
    options = read_distribution_options(query)
    found, _ = distributions_of(_measured_jobs(sweep, query, options), read_job_filters(query), options)
    return curve_table(found, options.measure, options.split)


def quantiles_table(sweep: Sweep, query: Mapping[str, object]) -> pd.DataFrame:
    """Quantiles of each group shown; takes the same keys as `distribution_table`."""
    options = read_distribution_options(query)
    found, _ = distributions_of(_measured_jobs(sweep, query, options), read_job_filters(query), options)
    return quantile_table(found, options.measure, options.split)


def _measured_jobs(sweep: Sweep, query: Mapping[str, object], options: DistributionOptions) -> RunJobs:
    return _asked_jobs(sweep, query, collect_jobs if needs_rounds(options) else collect_outcomes)


def _asked_jobs(
    sweep: Sweep, query: Mapping[str, object], collect: Callable[[Sweep, Sequence[str]], RunJobs]
) -> RunJobs:
    """Jobs of the runs a query names; those that cannot be shown are left out, as on the page, unless none is left."""
    selection = asked_runs(sweep, query)
    jobs = collect(sweep, selection.names)
    problems = (*selection.problems, *jobs.problems)
    if problems and jobs.table.empty:
        raise UsageError(" ".join(problems))
    return jobs
