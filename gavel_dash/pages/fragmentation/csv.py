"""The page's tables, as its CSV routes give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.blocked_demand import UNKNOWN
from gavel_dash.analysis.fragmentation_curves import RATE, fragmentation_measure, summarize_fragmentation
from gavel_dash.analysis.fragmentation_rounds import RunRounds
from gavel_dash.errors import GavelDashError, UsageError
from gavel_dash.pages.fragmentation.data import means_of_run, read_rounds, runs_of_curves
from gavel_dash.pages.node_sizes import parse_node_sizes
from gavel_dash.schema.fragmentation import BLOCKED_DEMAND, NODE_FRAGMENTATION, fragmentation_columns

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep


def fragmentation_table(sweep: Sweep, name: str, nodes: str = "") -> pd.DataFrame:
    """Every round of a run: `schema.fragmentation.fragmentation_columns`. `nodes` is such as ``k80:4,v100:8``."""
    rounds = read_rounds(sweep[name], parse_node_sizes(nodes))
    columns = fragmentation_columns(
        [gpu_type.name for gpu_type in rounds.fragmentation.cluster.gpu_types], rounds.fragmentation.classes
    )
    frame = pd.DataFrame({**_clock(rounds), **rounds.values})
    frame["jobs_queued"] = frame["jobs_queued"].astype("Int64")
    return frame[schema.names(columns)]


def blocked_demand_table(sweep: Sweep, name: str, nodes: str = "") -> pd.DataFrame:
    """Waiting jobs of every round by size, and what stands in their way: `schema.fragmentation.BLOCKED_DEMAND`."""
    rounds = read_rounds(sweep[name], parse_node_sizes(nodes))
    blocked = rounds.blocked
    n_sizes = len(blocked.scale_factors)
    sizes = np.tile(np.array(blocked.scale_factors, np.int64), rounds.n_rounds)
    split = np.repeat(blocked.known, n_sizes) & (sizes != UNKNOWN)
    scattered = split & blocked.knows_nodes
    frame = pd.DataFrame({key: np.repeat(np.asarray(of), n_sizes) for key, of in _clock(rounds).items()})
    return frame.assign(
        scale_factor=_counts(sizes, sizes != UNKNOWN),
        queued=_counts(blocked.queued.ravel(), np.repeat(rounds.queue_known, n_sizes)),
        no_gpus=_counts(blocked.no_gpus.ravel(), split),
        scattered=_counts(blocked.scattered.ravel(), scattered),
        could_start=_counts(blocked.could_start.ravel(), split),
    )[schema.names(BLOCKED_DEMAND)]


def node_fragmentation_table(
    sweep: Sweep, name: str, nodes: str = "", start: int = 0, stop: int | None = None
) -> pd.DataFrame:
    """Means by node over the records ``[start, stop)``: `schema.fragmentation.NODE_FRAGMENTATION`."""
    run = sweep[name]
    stop = run.n_rounds if stop is None else min(stop, run.n_rounds)
    if not 0 <= start < stop:
        raise UsageError(f"{name}: no rounds from {start} to {stop}; it has rounds 0 to {run.n_rounds - 1}")
    means = run.node_fragmentation(start, stop, parse_node_sizes(nodes))
    types = np.array([gpu_type.name for gpu_type in run.cluster.gpu_types], dtype=object)
    return pd.DataFrame(
        {
            "gpu_type": types[means.type_index],
            "node": means.node,
            "free_gpus": means.free,
            "fragmented_gpus": means.expected,
        }
    )[schema.names(NODE_FRAGMENTATION)]


def fragmentation_curves_table(
    sweep: Sweep, by: str = RATE, measure: str = "fragmentation_rate", nodes: str = ""
) -> pd.DataFrame:
    """The curves of the sweep: `schema.fragmentation.fragmentation_curve_columns`. Computes runs not yet known."""
    column = fragmentation_measure(measure)
    runs = runs_of_curves(sweep)
    sizes = parse_node_sizes(nodes)
    means = {}
    for name in runs["run"]:
        try:
            means[name] = means_of_run(sweep, name, sizes)
        except GavelDashError:
            continue  # a damaged run is a row of the table of runs, with its reason
    return summarize_fragmentation(runs, means, column, by)


def _clock(rounds: RunRounds) -> Mapping[str, object]:
    phases = rounds.phases
    return {
        "round_index": np.arange(rounds.n_rounds),
        "round": rounds.round_numbers,
        "sim_time_h": rounds.time_h,
        "phase": [""] * rounds.n_rounds if phases is None else phases.labels(rounds.n_rounds),
    }


def _counts(values: np.ndarray, known: np.ndarray) -> pd.Series:
    return pd.Series(values).astype("Int64").where(known)
