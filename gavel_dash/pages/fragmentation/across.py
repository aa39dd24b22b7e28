"""The curves across the sweep: from the means of the runs computed so far to figure, notes and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gavel_dash.analysis.fragmentation_curves import (
    DEMAND,
    RunMeans,
    complete_curves,
    fragmentation_measure,
    summarize_fragmentation,
)
from gavel_dash.figures.curve_style import style_curves
from gavel_dash.figures.fragmentation_curves import build_curves
from gavel_dash.pages.fragmentation.data import Progress, runs_of_curves, runs_without_rounds, sweep_means
from gavel_dash.pages.node_sizes import format_node_sizes

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep


@dataclass(frozen=True)
class Across:
    """What the section shows."""

    figure: dict[str, Any]
    notes: list[str]
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
    means = {name: sweep_means(sweep)(name, sizes) for name in done}
    readable = runs[~runs["run"].isin(set(damaged))]
    ready = readable[readable["curve"].isin(complete_curves(readable, means))]
    curves = summarize_fragmentation(ready, means, column, by)
    figure = build_curves(curves, style_curves(runs), column, by == DEMAND, theme)
    notes = _notes(progress, runs["curve"].nunique(), ready["curve"].nunique())
    notes += _lacking(readable["run"].tolist(), means, measure)
    notes += [f"{name} is left out: {reason}" for name, reason in [*damaged.items(), *runs_without_rounds(sweep)]]
    nodes = format_node_sizes(sizes)
    query = urlencode({"by": by, "measure": measure, **({"nodes": nodes} if nodes else {})})
    return Across(figure, notes, f"/api/fragmentation_curves.csv?{query}")


def _notes(progress: Progress, n_curves: int, n_ready: int) -> list[str]:
    if progress["done"] >= progress["total"]:
        return []
    return [
        f"Partial: {n_ready} of {n_curves} curves are drawn; a curve appears when all of its runs are computed "
        f"({progress['done']} of {progress['total']} runs)."
    ]


def _lacking(names: Sequence[str], means: Mapping[str, RunMeans], measure: str) -> list[str]:
    computed = [name for name in names if name in means]
    without = [name for name in computed if not means[name].n_rounds(measure)]
    notes = []
    if without:
        why = {
            "fragmentation_rate": "no node size above 1, no record of which GPUs are busy, or no GPU ever free",
            "free_gpus": "it has no rounds in its measurement phase",
        }.get(measure, "no node size above 1, or no record of which GPUs are busy")
        whose = "all runs" if len(without) == len(computed) else f"{len(without)} of {len(computed)} runs"
        notes.append(f"Without a value: {whose} ({why}).")
    whole = [name for name in computed if means[name].is_whole_run]
    if whole:
        notes.append(
            f"{len(whole)} of {len(computed)} runs have no measurement window: theirs are means over all rounds."
        )
    return notes
