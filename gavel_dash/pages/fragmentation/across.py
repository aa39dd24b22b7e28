"""The curves across the sweep: from the means of the runs computed so far to figure, notes and links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from gavel_dash.analysis.fragmentation import is_constrained, with_node_sizes
from gavel_dash.analysis.fragmentation_curves import (
    DEMAND,
    RunMeans,
    complete_curves,
    fragmentation_measure,
    summarize_fragmentation,
)
from gavel_dash.figures.curve_style import style_curves
from gavel_dash.figures.fragmentation_curves import build_curves
from gavel_dash.pages.fragmentation.data import Progress, means_of_run, runs_of_curves, runs_without_rounds
from gavel_dash.pages.node_sizes import format_node_sizes
from gavel_dash.schema.fragmentation import FRAGMENTATION_RATE, FRAGMENTATION_SHARE, FREE_GPUS, OCCUPIED_NODES

if TYPE_CHECKING:
    from gavel_dash.model import Cluster
    from gavel_dash.sweep import Sweep


@dataclass(frozen=True)
class Across:
    """What the section shows."""

    figure: dict[str, Any]
    notes: list[str]
    #: Reason by name of each run that has no part in the curves.
    left_out: dict[str, str]
    csv_href: str


def build_across(
    sweep: Sweep, progress: Progress, sizes: Mapping[str, int], by: str, measure: str, theme: str
) -> Across:
    """The curves of which every run is computed, and what is missing.

    Parameters
    ----------
    progress : dict
        Of the work on the runs of `runs_of_curves`, see `data.advance`; runs that are done are remembered.
    sizes : mapping of GPU type to GPUs per node
    by : "rate" or "demand"
    measure : str
        A key of `MEASURES`.
    """
    runs = runs_of_curves(sweep)
    column = fragmentation_measure(measure)
    damaged = {name: reason for name, reason in progress["problems"]}
    done = [name for name in runs["run"][: progress["done"]] if name not in damaged]
    means = {name: means_of_run(sweep, name, sizes) for name in done}
    readable = runs[~runs["run"].isin(set(damaged))]
    ready = readable[readable["curve"].isin(complete_curves(readable, means))]
    curves = summarize_fragmentation(ready, means, column, by)
    notes = _notes(progress, runs["curve"].nunique(), ready["curve"].nunique())
    notes += _lacking(sweep, means, sizes, measure)
    nothing = _nothing(progress, len(runs), [means[name] for name in ready["run"]], measure, by)
    figure = build_curves(curves, style_curves(runs), column, by == DEMAND, theme, nothing)
    nodes = format_node_sizes(sizes)
    query = urlencode({"by": by, "measure": measure, **({"nodes": nodes} if nodes else {})})
    left_out = dict([*damaged.items(), *runs_without_rounds(sweep)])
    return Across(figure, notes, left_out, f"/api/fragmentation_curves.csv?{query}")


def tell_notes(across: Across) -> list[Component]:
    """The notes under the curves; runs left out as one sentence per reason, with their names folded away."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in across.left_out.items():
        by_reason.setdefault(reason, []).append(name)
    parts: list[Component] = [html.P(note) for note in across.notes]
    alone = {names[0]: reason for reason, names in by_reason.items() if len(names) == 1}
    if len(alone) == 1:
        parts += [html.P(f"{name} is left out: {reason}") for name, reason in alone.items()]
    elif alone:
        each = [f"{name}: {reason}" for name, reason in alone.items()]
        parts.append(_folded(f"{len(alone):,} runs are left out, each for a reason of its own.", each))
    shared = {reason: names for reason, names in by_reason.items() if len(names) > 1}
    parts += [_folded(f"{len(names):,} runs are left out: {reason}", names) for reason, names in shared.items()]
    return parts


def _folded(sentence: str, lines: Sequence[str]) -> Component:
    return html.Details([html.Summary(sentence), html.Ul([html.Li(line) for line in lines])])


def _nothing(progress: Progress, n_runs: int, ready: Sequence[RunMeans], measure: str, by: str) -> str:
    """Why no curve is drawn, where none is; `ready` are the runs of the complete curves."""
    if not n_runs:
        return "No run of this sweep has rounds to look at; the lines below say why."
    if not ready:
        if progress["done"] < progress["total"]:
            return f"No curve is complete yet: {progress['done']} of {progress['total']} runs are computed."
        return "No run can be read; the lines below say why."
    if not any(means.n_rounds(measure) for means in ready):
        return "No run has a value; the lines below say why."
    return f"No run with a value has {'a known demand' if by == DEMAND else 'an arrival rate'}."


def _notes(progress: Progress, n_curves: int, n_ready: int) -> list[str]:
    if progress["done"] >= progress["total"]:
        return []
    return [
        f"Partial: {n_ready} of {n_curves} curves are drawn; a curve appears when all of its runs are computed "
        f"({progress['done']} of {progress['total']} runs)."
    ]


def _lacking(sweep: Sweep, means: Mapping[str, RunMeans], sizes: Mapping[str, int], measure: str) -> list[str]:
    """How many of the computed runs have no value and why, and which rounds the means are over."""
    reasons = Counter(
        _why_without(of, sweep[name].cluster, sizes) for name, of in means.items() if not of.n_rounds(measure)
    )
    notes = [f"Without a value: {_whose(n, len(means))}: {reason}." for reason, n in reasons.items()]
    if measure == FRAGMENTATION_RATE.name:
        n_seen = sum(of.n_rounds(FRAGMENTATION_SHARE.name) for of in means.values())
        n_full = n_seen - sum(of.n_rounds(measure) for of in means.values())
        if n_seen:
            notes.append(
                "Rounds in which nothing is free have no fragmentation rate and are not in the mean: "
                f"{n_full:,} of {n_seen:,} rounds. A point's tooltip says over how many rounds it is a mean."
            )
    n_whole = sum(of.is_whole_run for of in means.values())
    if n_whole:
        notes.append(
            f"No measurement window is known of {_whose(n_whole, len(means))}: theirs are means over all rounds."
        )
    return notes


def _whose(n: int, n_all: int) -> str:
    return f"all {n_all:,} runs" if n == n_all > 1 else f"{n:,} of {n_all:,} runs"


def _why_without(means: RunMeans, cluster: Cluster, sizes: Mapping[str, int]) -> str:
    """Why a run has no value of a measure: the first thing that is lacking."""
    if not means.n_rounds(FREE_GPUS.name):
        return "no rounds in the measurement phase"
    if means.n_rounds(FRAGMENTATION_SHARE.name):
        return "no GPU on a node of several GPUs is free in any round"
    if not any(is_constrained(gpu_type) for gpu_type in with_node_sizes(cluster, sizes).gpu_types):
        return "no GPU type is known to have nodes of several GPUs (set GPUs per node above)"
    if not means.n_rounds(OCCUPIED_NODES.name):
        return "the file does not say which GPUs are busy"
    return "the file does not say how many GPUs jobs ask for"
