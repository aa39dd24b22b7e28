"""The distribution beside the table: its controls, its curves, the quantiles of each group, and what limits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.analysis.distribution import (
    JOB_MEASURES,
    SPLITS,
    UNDECIDED,
    Distribution,
    JobMeasure,
    distributions,
    short_threshold,
)
from gavel_dash.analysis.survival import Quantile
from gavel_dash.figures.jct_distribution import build_jct_distribution, style_groups
from gavel_dash.figures.run_style import RunStyle
from gavel_dash.pages.jobs.data import JobFilters, RunJobs, select_jobs
from gavel_dash.schema.distribution import QUANTILES
from gavel_dash.ui import chart_panel, csv_link, labelled, query_value

if TYPE_CHECKING:
    import pandas as pd

FIGURE = "jobs-distribution-figure"
LOG, LINEAR = "log", "linear"
_QUANTILE_BOUND = "Lower bound: too few jobs came so far before the run ended"
_MEAN_BOUND = "Lower bound: censored jobs count with the time they had come to when the run ended"
#: Between chart and quantiles, where it never scrolls out of sight.
_FILTERS_NOTE = "Filters in the table's head change the table only."


@dataclass(frozen=True)
class DistributionOptions:
    """What is measured, by what the jobs are split, and the axis."""

    measure: str = "jct_h"
    split: str = "run"
    axis: str = LOG


def read_distribution_options(query: Mapping[str, object]) -> DistributionOptions:
    """Options of a query string; what is none is the default."""
    measure, split, axis = (query_value(query, key) or "" for key in ("measure", "split", "axis"))
    default = DistributionOptions()
    return DistributionOptions(
        measure if measure in JOB_MEASURES else default.measure,
        split if split in SPLITS else default.split,
        axis if axis in (LOG, LINEAR) else default.axis,
    )


def build_distribution_panel(options: DistributionOptions) -> Component:
    """The panel; its chart and table come by a callback."""
    controls = html.Div(
        [
            labelled(
                "Of", _menu("measure", {k: m.label for k, m in JOB_MEASURES.items()}, options.measure), inline=True
            ),
            labelled("by", _menu("split", SPLITS, options.split), "What the jobs are split by", inline=True),
            labelled("axis", _menu("axis", {LOG: "Log", LINEAR: "Linear"}, options.axis), inline=True),
        ],
        className="jobs-distribution-controls",
    )
    below = [
        html.P(_FILTERS_NOTE, className="jobs-filters-note"),
        html.Div(id="jobs-distribution-notes", className="jobs-notes", **{"aria-live": "polite"}),
        html.Div(
            id="jobs-quantiles", className="jobs-quantiles", tabIndex=0, role="region", **{"aria-label": "Quantiles"}
        ),
    ]
    return html.Div(
        [
            controls,
            chart_panel(
                FIGURE,
                "Distribution",
                "jobs-distribution-csv",
                "/api/distribution.csv",
                height="300px",
                controls=csv_link(
                    "jobs-quantiles-csv", "/api/quantiles.csv", "Quantiles CSV", "Download the table below"
                ),
                hint="Share of the jobs at or below each value. Follows the filters by window, type, scale factor and "
                "category, not those by state or column: what became of a job would bend its distribution.",
                below=html.Div(below, className="jobs-below"),
            ),
        ],
        className="jobs-distribution",
    )


def _menu(key: str, labels: Mapping[str, str], value: str) -> Component:
    options = [{"label": label, "value": name} for name, label in labels.items()]
    return dcc.Dropdown(
        id=f"jobs-{key}", options=options, value=value, clearable=False, searchable=False, className=f"jobs-menu-{key}"
    )


def needs_rounds(options: DistributionOptions) -> bool:
    """Whether what is measured is told by the rounds only: else the jobs' outcomes are enough."""
    return options.measure not in schema.names(schema.OUTCOMES)


def distributions_of(
    jobs: RunJobs, filters: JobFilters, options: DistributionOptions
) -> tuple[list[Distribution], Quantile | None]:
    """Distributions over the chosen jobs, and the threshold of short jobs where that splits them.

    The threshold is over all window jobs of the runs, whatever the filters choose of them.
    """
    threshold = short_threshold(jobs.table) if options.split == "duration" and len(jobs.table) else None
    chosen = select_jobs(jobs.table, filters)
    return distributions(chosen, options.measure, options.split, threshold), threshold


def show_distribution(
    jobs: RunJobs, runs: pd.DataFrame, filters: JobFilters, options: DistributionOptions, theme: str
) -> tuple[dict[str, Any], list[Component], Component]:
    """Figure, notes and table of quantiles."""
    found, threshold = distributions_of(jobs, filters, options)
    styles = style_groups([d.group for d in found], options.split, runs)
    figure = build_jct_distribution(found, styles, options.measure, options.axis == LOG, theme)
    notes = [html.P(note) for note in tell_notes(found, options, threshold, jobs.table["run"].nunique())]
    return figure, notes, build_quantiles(found, styles, JOB_MEASURES[options.measure])


def tell_notes(
    found: Sequence[Distribution], options: DistributionOptions, threshold: Quantile | None, n_runs: int
) -> list[str]:
    """What one must know to read the curves, a sentence each."""
    what = JOB_MEASURES[options.measure]
    n, n_censored, n_left_out = (sum(getattr(d, name) for d in found) for name in ("n", "n_censored", "n_left_out"))
    notes = []
    if not n:
        notes.append("No job to show: none passes the filters, or the files say nothing about it.")
    basis = f"Over {n:,} jobs"
    if n_censored:
        basis += f", {n_censored:,} of them not {what.event} when the run ended (censored; Kaplan-Meier)"
    elif not what.event:
        basis += " that completed"
    if n_runs > 1 and options.split != "run":
        basis += f", of {n_runs} runs together"
    notes.append(f"{basis}. {what.label}: {what.meaning}.")
    if n_left_out:
        why = "not completed, or the file does not say" if not what.event else "the file does not say"
        notes.append(f"{n_left_out:,} further jobs are left out: {why}.")
    if options.split == "duration":
        notes.append(_tell_threshold(threshold, any(d.group == UNDECIDED for d in found)))
    zeros = sum(_zero_jobs(d) for d in found)
    if options.axis == LOG and zeros:
        notes.append(
            f"About {zeros:,} jobs have the value 0, which a log axis cannot show: curves begin at their share."
        )
    return notes


def _zero_jobs(d: Distribution) -> int:
    at_zero = d.shares[d.values <= 0]
    return round(float(at_zero[-1]) * d.n) if len(at_zero) else 0


def _tell_threshold(threshold: Quantile | None, some_undecided: bool) -> str:
    if threshold is None:
        return "No measured job completed, so that short and long cannot be told apart."
    if threshold.is_lower_bound:
        return (
            f"Fewer than 80% of the measured jobs completed: the 80th percentile of their JCT is above "
            f"{threshold.value:,.1f} h, and short and long cannot be told apart."
        )
    undecided = " Unfinished jobs that are not in the system for so long yet are apart." if some_undecided else ""
    return (
        f"Short: JCT of at most {threshold.value:,.1f} h, the 80th percentile of JCT over the measured jobs of all "
        f"runs chosen (Kaplan-Meier).{undecided}"
    )


def build_quantiles(found: Sequence[Distribution], styles: Mapping[str, RunStyle], what: JobMeasure) -> Component:
    """Table of the groups: their line, how many jobs, mean and quantiles; a lower bound has a sign."""
    suffix = f" ({what.unit})" if what.unit else ""
    heads = [("Jobs", ""), ("n", "jobs"), ("censored", "jobs whose value is only known to be above a time")]
    heads.append((f"mean{suffix}", "mean over the n jobs; a lower bound where jobs are censored"))
    heads += [
        (f"{stem}{suffix}", f"least value that {share:.0%} of the jobs have reached")
        for stem, share in QUANTILES.items()
    ]
    rows = [
        html.Tr(
            [
                html.Th([_line_sign(styles[d.group]), styles[d.group].label], scope="row", title=d.group),
                html.Td(f"{d.n:,}"),
                html.Td(f"{d.n_censored:,}"),
                html.Td(_quantile_text(d.mean, 2 if what.is_count else None, _MEAN_BOUND)),
                *(html.Td(_quantile_text(d.quantiles.get(s), 0 if what.is_count else None)) for s in QUANTILES),
            ]
        )
        for d in found
    ]
    head = html.Tr([html.Th(text, scope="col", title=hint) for text, hint in heads])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="jobs-quantiles-table")


def _quantile_text(quantile: Quantile | None, digits: int | None = None, bound: str = _QUANTILE_BOUND) -> Any:
    if quantile is None:
        return "–"
    if digits is None:
        digits = 2 if quantile.value < 10 else 1
    value = f"{quantile.value:,.{digits}f}"
    if not quantile.is_lower_bound:
        return value
    return html.Span(f"> {value}", title=bound)


def _line_sign(style: RunStyle) -> Component:
    css = {"solid": "solid", "dash": "dashed", "longdash": "dashed", "dot": "dotted"}.get(style.dash, "dotted")
    return html.Span(className="jobs-line", style={"borderTop": f"2px {css} {style.color}"}, **{"aria-hidden": "true"})
