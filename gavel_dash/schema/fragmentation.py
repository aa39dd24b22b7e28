"""Fragmentation and blocked demand: round by round, node by node, and across a sweep."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_dash.schema.columns import CURVE_KEY, MORE_KEY, RATE, Column, col, interval_names
from gavel_dash.schema.rounds import ROUNDS

_CLOCK = tuple(column for column in ROUNDS if column.name in ("round_index", "round", "sim_time_h", "phase"))

FRAGMENTATION_RATE = col(
    "fragmentation_rate",
    "float",
    "fraction",
    "Fragmentation rate",
    "free GPUs on nodes that a task class cannot use / free GPUs, expected over the classes' popularity; of the "
    "GPU types whose node size is known, over rounds with a free GPU",
)
FRAGMENTATION_SHARE = col(
    "fragmentation_share",
    "float",
    "fraction",
    "Fragmentation share",
    "free GPUs on nodes that a task class cannot use / all GPUs, expected over the classes' popularity; of the "
    "GPU types whose node size is known",
)
FREE_GPUS = col("free_gpus", "float", "GPUs", "Unallocated GPUs", "GPUs that no job holds")
OCCUPIED_NODES = col("occupied_nodes", "float", "nodes", "Occupied nodes", "nodes with at least one GPU in use")
LARGEST_BLOCK = col(
    "largest_free_block", "float", "GPUs", "Largest free block", "free GPUs on the node that has most of them"
)
PENDING_GPUS = col("pending_gpus", "float", "GPUs", "Pending demand", "GPUs that the waiting jobs ask for")
JOBS_QUEUED = next(column for column in ROUNDS if column.name == "jobs_queued")
DEMAND = col(
    "demand", "float", "fraction", "Demand", "GPUs in use and GPUs that waiting jobs ask for / all GPUs of the cluster"
)

#: What can be averaged over the measurement phase of a run.
FRAGMENTATION_MEASURES = (FRAGMENTATION_RATE, FRAGMENTATION_SHARE, FREE_GPUS, OCCUPIED_NODES)


def fragmentation_columns(types: Sequence[str], classes: Sequence[int]) -> tuple[Column, ...]:
    """Columns of the table of a run's rounds, for its GPU types and task classes (scale factors)."""
    by_type = [
        column
        for name in types
        for column in (
            col(f"free_gpus_{name}", "float", "GPUs", f"Free {name}", f"{name} GPUs that no job holds"),
            col(
                f"largest_free_block_{name}",
                "float",
                "GPUs",
                f"Largest block {name}",
                f"free GPUs on the {name} node that has most of them",
            ),
            col(
                f"occupied_nodes_{name}",
                "float",
                "nodes",
                f"Occupied nodes {name}",
                f"{name} nodes with at least one GPU in use",
            ),
            col(
                f"fragmented_gpus_{name}",
                "float",
                "GPUs",
                f"Fragmented {name}",
                f"expected free {name} GPUs on nodes that a task class cannot use",
            ),
        )
    ]
    by_class = [
        col(
            f"fragmented_gpus_class_{size}",
            "float",
            "GPUs",
            f"Fragmented for {size}-GPU jobs",
            f"free GPUs on nodes with fewer than {size} free GPUs",
        )
        for size in classes
    ]
    return (
        *_CLOCK,
        FRAGMENTATION_RATE,
        FRAGMENTATION_SHARE,
        FREE_GPUS,
        LARGEST_BLOCK,
        OCCUPIED_NODES,
        JOBS_QUEUED,
        PENDING_GPUS,
        DEMAND,
        *by_type,
        *by_class,
    )


BLOCKED_DEMAND = (
    *_CLOCK,
    col("scale_factor", "int", "GPUs", "Scale factor", "GPUs each of the jobs asks for; empty where unknown"),
    col("queued", "int", "jobs", "Waiting", "jobs in the system that hold no GPU"),
    col("no_gpus", "int", "jobs", "No GPUs", "waiting jobs for which no GPU type has enough free GPUs"),
    col(
        "scattered",
        "int",
        "jobs",
        "Scattered",
        "waiting jobs for which a GPU type has enough free GPUs, but no node of it; empty where no node size is known",
    ),
    col(
        "could_start",
        "int",
        "jobs",
        "Could start",
        "waiting jobs that free GPUs could hold; where no node size is known this goes by GPU type only",
    ),
)

NODE_FRAGMENTATION = (
    col("gpu_type", "str", "", "GPU type", "type of the node's GPUs"),
    col("node", "int", "", "Node", "position among the nodes of its type, from 0"),
    col("free_gpus", "float", "GPUs", "Free GPUs", "mean over rounds of GPUs of the node that no job holds"),
    col(
        "fragmented_gpus",
        "float",
        "GPUs",
        "Fragmented GPUs",
        "mean over rounds of the node's free GPUs that a task class cannot use, expected over the task classes",
    ),
)

#: What the curves across a sweep can be drawn against.
DEMAND_LOW = col("demand_low", "float", "fraction", "Demand from", "lower end of the stretch of demand")
DEMAND_HIGH = col(
    "demand_high", "float", "fraction", "Demand to", "upper end of the stretch of demand, not in it; empty: open"
)


def fragmentation_curve_columns(measure: Column, by_demand: bool) -> tuple[Column, ...]:
    """Columns of the curves of a measure against arrival rate, or against demand in stretches."""
    low, high = interval_names(measure.name)
    where = (DEMAND_LOW, DEMAND_HIGH) if by_demand else (RATE,)
    over = "rounds of that demand in the measurement phase" if by_demand else "rounds of the measurement phase"
    of = f"of {measure.label}"
    return (
        col("curve", "str", "", "Curve", "what tells the curve from the others of the sweep"),
        *CURVE_KEY,
        *MORE_KEY,
        *where,
        col("n_seeds", "int", "seeds", "n", "distinct seeds with a value behind the point"),
        col("n_runs", "int", "runs", "Runs", "runs with a value behind the point"),
        col("n_rounds", "int", "rounds", "Rounds", "rounds with a value behind the point"),
        col(measure.name, "float", measure.unit, measure.label, f"mean over seeds of the mean over {over}"),
        col(low, "float", measure.unit, "Low", f"lower end of the Student-t interval {of}; empty for n = 1"),
        col(high, "float", measure.unit, "High", f"upper end of the Student-t interval {of}; empty for n = 1"),
        col("confidence", "float", "fraction", "Confidence", "level of the interval"),
        col("runs", "str", "", "Run names", "names of the runs behind the point, most rounds first"),
    )
