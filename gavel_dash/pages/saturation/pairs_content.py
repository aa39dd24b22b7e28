"""What explains the ratio of a pair: what two runs did with their GPUs, as numbers, tables and one plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.analysis.blocked_demand import Contention
from gavel_dash.analysis.pairs import (
    SIDES,
    Work,
    account_work,
    factorise,
    nearest_run,
    stretch_after_warm_up,
    summarize_pairs,
    target_rate,
)
from gavel_dash.errors import GavelDashError
from gavel_dash.figures.saturation import SaturationData, rows_of

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

#: Throughputs nearer than this to each other have no factor between them worth explaining.
EQUAL_WITHIN = 0.05
UNKNOWN = "–"


@dataclass(frozen=True)
class RunFacts:
    """What the GPUs of a run did after warm-up, and who waited."""

    run: str
    work: Work
    contention: Contention


#: Gives the facts of a run by name, or a sentence that says why there are none.
FactsOf = Callable[[str], RunFacts | str]


def read_facts(sweep: Sweep, name: str, node_sizes: Mapping[str, int] | None = None) -> RunFacts | str:
    """Read a run's rounds; a sentence where that gives nothing. `node_sizes` hold where its file says none."""
    try:
        run = sweep[name]
        start, stop = stretch_after_warm_up(run.phases, run.n_rounds)
        viz = run.viz
        work = account_work(viz.round_heads, viz.gpus_used, viz.jobs, viz.n_gpus, start, stop)
        if work is None:
            return f"{name}: no simulated time passes in its rounds."
        return RunFacts(name, work, run.contention(start, stop, node_sizes))
    except (GavelDashError, OSError) as error:
        return f"{name}: its rounds cannot be read: {error}"


def runs_of_pair(data: SaturationData, pair: Any) -> tuple[str | None, ...]:
    """Name of the run with rounds nearest to each side's saturation point; None where there is none.

    `pair` is a row of `schema.PAIRS`.
    """
    chosen = []
    for side in SIDES:
        rate = target_rate(pair, side)
        runs = data.runs[(data.runs["curve"] == getattr(pair, f"{side}_curve")) & data.runs["has_rounds"]]
        chosen.append(None if rate is None else nearest_run(runs, rate))
    return tuple(chosen)


def pairs_table(
    sweep: Sweep, data: SaturationData, method: str, node_sizes: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """All pairs with what explains them, `schema.PAIRS`. Reads the rounds of two runs per pair."""
    rows = []
    for pair in rows_of(summarize_pairs(data.saturation, method)):
        columns, found = pair._asdict(), []
        for side, run in zip(SIDES, runs_of_pair(data, pair), strict=True):
            facts = None if run is None else read_facts(sweep, run, node_sizes)
            if isinstance(facts, RunFacts):
                columns |= {f"{side}_{name}": value for name, value in _columns_of(data, facts).items()}
                found.append(facts.work)
        factors = factorise(*found) if len(found) == len(SIDES) else None
        if factors is not None:
            columns |= {
                "throughput_ratio": factors.throughput,
                "gpu_hours_factor": factors.demand,
                "occupancy_factor": factors.occupancy,
            }
        rows.append(columns)
    return schema.build_frame(rows, schema.PAIRS)


def _columns_of(data: SaturationData, facts: RunFacts) -> dict[str, Any]:
    work, seen = facts.work, facts.contention
    return {
        "run": facts.run,
        "run_rate_jph": _row_of(data, facts.run).arrival_rate_jph,
        "throughput_jph": work.throughput_jph,
        "occupancy": work.occupancy,
        "gpu_hours_per_job": work.gpu_hours_per_job,
        "mean_scale_factor": work.mean_scale_factor,
        "rounds_waiting": seen.n_waiting,
        "free_gpus": seen.free_gpus,
        "free_while_waiting": seen.free_while_waiting,
        "queued": _total(seen, "n_queued"),
        "queued_no_gpus": _total(seen, "no_gpus"),
        "queued_scattered": _total(seen, "scattered"),
        "queued_could_start": _total(seen, "could_start"),
    }


def _total(seen: Contention, part: str) -> float:
    """Queued jobs of one kind over all scale factors; NaN where that of any is not known, or no job waits."""
    values = [getattr(demand, part) for demand in seen.queued]
    return float(sum(values)) if values and None not in values else float("nan")


def _row_of(data: SaturationData, run: str) -> Any:
    return rows_of(data.runs[data.runs["run"] == run])[0]


def build_explanation(data: SaturationData, pair: Any, facts_of: FactsOf) -> Component:
    """The explanation of a pair at the runs nearest to its saturation points. `pair` is a row of `schema.PAIRS`."""
    facts = [
        f"The {side}-GPU curve has {_why_no_run(pair, side)}." if run is None else facts_of(run)
        for side, run in zip(SIDES, runs_of_pair(data, pair), strict=True)
    ]
    single, multi = facts
    if isinstance(single, str) or isinstance(multi, str):
        return _section(pair, [html.P(sentence) for sentence in facts if isinstance(sentence, str)])
    return _section(
        pair,
        [
            html.P(explain(single, multi), className="saturation-pairs-sentence"),
            html.Div(_numbers(data, single, multi), className="saturation-table-box"),
            html.Div(_queues(single, multi), className="saturation-table-box"),
            html.P(limits(single, multi), className="saturation-note"),
        ],
    )


def _why_no_run(pair: Any, side: str) -> str:
    return "no saturation point to look at" if target_rate(pair, side) is None else "no run with rounds to look at"


def _section(pair: Any, children: list[Any]) -> Component:
    return html.Section([html.H3(pair.policy, className="saturation-pairs-policy"), *children])


def explain(single: RunFacts, multi: RunFacts) -> str:
    """What the numbers of a pair of runs say, in plain words."""
    one, several = single.work, multi.work
    factors = factorise(one, several)
    if factors is None:
        return "In one of the two runs no job completes after warm-up: there is no throughput to compare."
    lead = f"In these runs single-GPU throughput is {factors.throughput:.2f} times multi-GPU throughput"
    hours = f"(multi {several.gpu_hours_per_job:.1f}, single {one.gpu_hours_per_job:.1f})"
    demand = f"A multi-GPU job takes {factors.demand:.2f} times the GPU-hours {hours}"
    occupancy = f"Occupancy is {several.occupancy:.1%} (multi) and {one.occupancy:.1%} (single)"
    if abs(factors.throughput - 1) < EQUAL_WITHIN:
        return f"{lead}: there is no factor to explain. {demand}. {occupancy}. {_waiting(single, multi)}"
    parts = [("the GPU-hours per job", demand, factors.demand), ("occupancy", occupancy, factors.occupancy)]
    if factors.gpus != 1:
        sizes = f"The clusters have {several.n_gpus:,} (multi) and {one.n_gpus:,} (single) GPUs"
        parts.append(("the number of GPUs", sizes, factors.gpus))
    shares = [factors.share(factor) for _, _, factor in parts]
    mostly = parts[int(np.argmax(shares))][0]
    said = " ".join(f"{text}: {_share_text(share)}." for (_, text, _), share in zip(parts, shares, strict=True))
    return f"{lead}, mostly through {mostly}. {said} {_waiting(single, multi)}"


def _share_text(share: float) -> str:
    """Part of a factor (of its logarithm) in words."""
    return f"{share:.0%} of the factor" if share > -0.005 else f"against the factor, by {-share:.0%} of it"


def _waiting(single: RunFacts, multi: RunFacts) -> str:
    """What stands in the way of the queued jobs of the multi-GPU run, and how many GPUs are free beside them."""
    seen, other = multi.contention, single.contention
    if seen.n_waiting == 0:
        return "In the multi-GPU run no job waits after warm-up."
    beside = "" if other.n_waiting == 0 else f" ({other.free_gpus:.1f} in the single-GPU run)"
    text = f"While multi-GPU jobs wait, {seen.free_gpus:.1f} of {multi.work.n_gpus:,} GPUs are free on average{beside}"
    queued = _total(seen, "n_queued")
    parts = [
        f"{total / queued:.0%} {words}"
        for part, words in (
            ("no_gpus", "find no GPU type with enough free GPUs"),
            ("scattered", "find enough, but on no one node"),
            ("could_start", "could have started"),
        )
        if not np.isnan(total := _total(seen, part))
    ]
    return f"{text}; of the {queued:,.1f} queued jobs {', '.join(parts)}." if parts else f"{text}."


def limits(single: RunFacts, multi: RunFacts) -> str:
    """What the numbers rest on and what they leave open."""
    sentences = [
        "These are the runs with rounds nearest to the saturation points, so the ratio of their throughputs is not "
        "that of the points. GPU-hours and completions are of all rounds after warm-up. Shares of the factor are of "
        "its logarithm, so that they add up to 100%. In an overloaded run the GPU-hours hold work on jobs that did not "
        "complete."
    ]
    sentences.append("Queued jobs and free GPUs are means over the rounds in which a job waits.")
    if not multi.contention.knows_nodes:
        sentences.append(
            "No placement constraint is known (no node size, neither in the files nor set on the Fragmentation page): "
            "the split goes by GPU type only."
        )
    return " ".join(sentences)


def _numbers(data: SaturationData, single: RunFacts, multi: RunFacts) -> Component:
    factors = factorise(single.work, multi.work)
    works, seen = (single.work, multi.work), (single.contention, multi.contention)
    free_hint = "mean over the rounds in which at least one job waits"
    share_hint = "share of the rounds after warm-up with at least one free GPU and at least one waiting job"
    rows = [
        ("Throughput (jph)", "completions per hour", [f"{w.throughput_jph:.2f}" for w in works], "throughput"),
        ("GPU-hours per job", "GPU-hours in use / completions", [_or(w.gpu_hours_per_job) for w in works], "demand"),
        ("Occupancy", "GPU-hours in use / GPU-hours there were", [f"{w.occupancy:.1%}" for w in works], "occupancy"),
        ("Mean scale factor", "of the jobs that completed", [_or(w.mean_scale_factor, 2) for w in works], None),
        ("Free GPUs while jobs wait", free_hint, [_or(s.free_gpus) for s in seen], None),
        ("Rounds with free GPUs and waiting jobs", share_hint, [f"{s.free_while_waiting:.0%}" for s in seen], None),
    ]
    heads = [html.Th("", scope="col")]
    for side, facts in zip(SIDES, (single, multi), strict=True):
        row = _row_of(data, facts.run)
        verdict = "" if pd.isna(row.verdict) else f", {row.verdict}"
        at = html.Div(f"at {row.arrival_rate_jph:g} jph{verdict}", className="gd-muted", title=facts.run)
        heads.append(html.Th([f"{side.capitalize()}-GPU", at], scope="col", className="saturation-number"))
    heads.append(
        html.Th("Factor", title="throughput is the product of the others", scope="col", className="saturation-number")
    )
    body = [
        html.Tr(
            [
                html.Th(label, scope="row", title=hint),
                *(html.Td(cell, className="saturation-number") for cell in cells),
                html.Td(
                    f"{getattr(factors, name):.2f}" if factors and name else "",
                    className="saturation-number",
                ),
            ]
        )
        for label, hint, cells, name in rows
    ]
    runs = f"Single-GPU: {single.run}; multi-GPU: {multi.run}"
    return html.Table(
        [html.Caption(runs), html.Thead(html.Tr(heads)), html.Tbody(body)],
        className="saturation-table saturation-pairs-numbers",
    )


def _or(value: float, digits: int = 1) -> str:
    return UNKNOWN if np.isnan(value) else f"{value:,.{digits}f}"


def _queues(single: RunFacts, multi: RunFacts) -> Component:
    heads = (
        ("Queued jobs", "mean number of waiting jobs of the scale factor"),
        ("No GPUs", "no GPU type has that many free GPUs"),
        ("Scattered", "some type has enough free GPUs, but no node holds them; unknown without node sizes"),
        ("Could start", "free GPUs could hold the job; the scheduler let it wait, or it had just come"),
    )
    body = []
    for side, facts in zip(SIDES, (single, multi), strict=True):
        for demand in facts.contention.queued:
            size = "size unknown" if demand.scale_factor is None else f"{demand.scale_factor} GPU"
            plural = "s" if demand.scale_factor is not None and demand.scale_factor > 1 else ""
            cells = (demand.n_queued, demand.no_gpus, demand.scattered, demand.could_start)
            body.append(
                html.Tr(
                    [
                        html.Th(f"{side.capitalize()}-GPU, jobs of {size}{plural}", scope="row"),
                        *(html.Td(_jobs(cell), className="saturation-number") for cell in cells),
                    ]
                )
            )
    if not body:
        return html.P("No job waits in the rounds looked at.", className="saturation-note")
    columns = [html.Th(text, title=hint, scope="col", className="saturation-number") for text, hint in heads]
    return html.Table(
        [html.Thead(html.Tr([html.Th("Queue", scope="col"), *columns])), html.Tbody(body)],
        className="saturation-table saturation-pairs-queue",
    )


def _jobs(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    # A mean that would round to zero is not zero: some job waited in some round.
    return "< 0.01" if 0 < value < 0.01 else f"{value:,.2f}"
