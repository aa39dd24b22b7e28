"""`gavel-dash round`: who sits where in one round, as JSON."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command


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

    from gavel_dash.sweep import open_run

    opened = open_run(args.file)
    head = opened.viz.round_heads[opened.check_round(args.index)]
    cluster = opened.cluster
    allocation = [None if job_id < 0 else job_id for job_id in opened.allocation(args.index).tolist()]
    shared = {
        str(gpu): [None if job_id < 0 else job_id for job_id in quarters.tolist()]
        for gpu, quarters in opened.viz.sharing(args.index).items()
    }
    document = {
        "round": int(head["round"]),
        "sim_time_s": float(head["sim_time_s"]),
        "gpu_types": [
            {"name": gpu_type.name, "first_gpu": first, "count": gpu_type.count}
            for gpu_type, first in zip(cluster.gpu_types, cluster.first_gpus, strict=True)
        ],
        "allocation": allocation,
        "queue": opened.queue(args.index).tolist(),
        "has_allocation": opened.viz.has_allocation(args.index),
        **({"sharing": shared} if shared else {}),
    }
    print(orjson.dumps(document).decode())
    return 0
