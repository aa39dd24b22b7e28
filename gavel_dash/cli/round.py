"""`gavel-dash round`: who sits where in one round, as JSON."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gavel_dash.cli.output import add_command, read_run

if TYPE_CHECKING:
    from gavel_dash.sweep import Run


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "round",
        "the allocation and the queue of one round, as JSON",
        "gavel-dash round sweep/run.viz.bin 1200 --json",
    )
    parser.add_argument("file", help="a .viz.bin file, also packed (.packed, .zst or .gz)")
    parser.add_argument("index", type=int, help="position of the round record in the file, from 0")
    parser.add_argument("--json", action="store_true", help="JSON on standard output (the only form there is)")


def run(args: argparse.Namespace) -> int:
    """Print the round."""
    import orjson

    print(orjson.dumps(read_run(args.file, lambda opened: _describe(opened, args.index))).decode())
    return 0


def _describe(opened: Run, index: int) -> dict[str, Any]:
    head = opened.viz.round_heads[opened.check_round(index)]
    cluster = opened.cluster
    allocation = [None if job_id < 0 else job_id for job_id in opened.allocation(index).tolist()]
    shared = {
        str(gpu): [None if job_id < 0 else job_id for job_id in quarters.tolist()]
        for gpu, quarters in opened.viz.sharing(index).items()
    }
    return {
        "round": int(head["round"]),
        "sim_time_s": float(head["sim_time_s"]),
        "gpu_types": [
            {"name": gpu_type.name, "first_gpu": first, "count": gpu_type.count}
            for gpu_type, first in zip(cluster.gpu_types, cluster.first_gpus, strict=True)
        ],
        "allocation": allocation,
        "queue": opened.queue(index).tolist(),
        "has_allocation": opened.viz.has_allocation(index),
        **({"sharing": shared} if shared else {}),
    }
