"""What the page reads of runs: rounds of the chosen ones, means of all; long work in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.fragmentation_curves import RunMeans, average_rounds
from gavel_dash.analysis.fragmentation_rounds import RunRounds, measure_rounds, queue_known
from gavel_dash.errors import GavelDashError
from gavel_dash.pages.node_sizes import format_node_sizes
from gavel_dash.sweep import RunMemory

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

#: A slice of work ends with the run during which this is over.
SLICE_S = 0.8
#: Means of runs that are kept: a few numbers each.
REMEMBERED = 4096
#: How far a work in slices is, as a store holds it; see `advance`.
Progress = dict[str, Any]


def read_rounds(run: Run, sizes: Mapping[str, int]) -> RunRounds:
    """Everything of one run. Raises `GavelDashError` where its rounds cannot be read."""
    heads = run.viz.round_heads
    fragmentation, blocked = run.fragmentation(sizes), run.blocked_demand(sizes)
    queued = heads["jobs_queued"].astype(np.int64)
    values = measure_rounds(fragmentation, blocked, queued)
    known = queue_known(blocked, queued)
    return RunRounds(run.name, run.time_h, heads["round"], run.phases, fragmentation, blocked, values, known)


def average_run(run: Run, sizes: Mapping[str, int]) -> RunMeans:
    """Means over the measurement phase of a run."""
    rounds = read_rounds(run, sizes)
    return average_rounds(rounds.values, *rounds.stretch, is_whole_run=rounds.phases is None)


_means = RunMemory(REMEMBERED)


def means_of_run(sweep: Sweep, name: str, sizes: Mapping[str, int]) -> RunMeans:
    """Means of one run, remembered for the page and its CSV; raises `GavelDashError` where it cannot be read."""
    run = sweep[name]
    own = {t.name: sizes[t.name] for t in run.cluster.gpu_types if t.gpus_per_node is None and t.name in sizes}
    return _means.get(sweep, name, format_node_sizes(own), lambda: average_run(run, own))


def advance(
    names: Sequence[str], key: str, before: Progress | None, compute: Callable[[str], object], slice_s: float = SLICE_S
) -> Progress:
    """One slice of work: computes runs until time is over, at least one.

    Parameters
    ----------
    names : sequence of str
        All runs, in order.
    key : str
        What was asked; where it is not that of `before`, the work begins anew.
    before : dict or None
        What the last slice returned.
    compute : callable
        Called with a name; what it computes it remembers itself. A `GavelDashError` of it is a problem of that run.

    Returns
    -------
    dict
        ``key``, ``slices`` so far, ``done`` and ``total`` (runs), ``problems`` (pairs of name and reason).
    """
    carried = before if before is not None and before.get("key") == key else None
    done, problems = (0, []) if carried is None else (int(carried["done"]), list(carried["problems"]))
    slices = 1 if carried is None else int(carried["slices"]) + 1
    until = time.monotonic() + slice_s
    while done < len(names):
        try:
            compute(names[done])
        except GavelDashError as error:
            problems.append([names[done], str(error)])
        done += 1
        if time.monotonic() >= until:
            break
    return {"key": key, "slices": slices, "done": done, "total": len(names), "problems": problems}


def is_worth_drawing(progress: Progress) -> bool:
    """Whether to draw after a slice: the first, second, fourth ... and the last, as drawing takes time as well."""
    slices = int(progress["slices"])
    return bool(progress["done"] >= progress["total"] or slices & (slices - 1) == 0)


def runs_of_curves(sweep: Sweep) -> pd.DataFrame:
    """The runs whose rounds can be read at once, as curves take them."""
    runs = sweep.runs()
    return runs[[sweep.is_converted(name) for name in runs["run"]]]


def runs_without_rounds(sweep: Sweep) -> list[tuple[str, str]]:
    """Name and reason of every run whose rounds cannot be read at once."""
    runs = sweep.runs()
    lacking = runs[[not sweep.is_converted(name) for name in runs["run"]]]
    notes = lacking["note"].astype("object").where(lacking["note"].notna(), "it has no rounds to look at")
    return list(zip(lacking["run"], notes, strict=True))
