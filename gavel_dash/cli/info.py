"""`gavel-dash info`: header, config and findings of one `.viz.bin`."""

from __future__ import annotations

import argparse
from typing import Any

from gavel_dash.cli.output import add_command, read_run


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "info",
        "header, config and findings of a .viz.bin file",
        "gavel-dash info sweep/run.viz.bin --json",
    )
    parser.add_argument("file", help="a .viz.bin file, also packed (.packed, .zst or .gz)")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")


def run(args: argparse.Namespace) -> int:
    """Print what the file says of itself and what was noticed in it."""
    import orjson

    document = read_run(args.file, _describe)
    if args.json:
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _print_text(document)
    return 0


def _describe(opened: Any) -> dict[str, Any]:
    viz = opened.viz
    return {
        "run": opened.name,
        "version": viz.version,
        "rounds": viz.n_rounds,
        "jobs": viz.n_jobs,
        "gpus": viz.n_gpus,
        "policy": viz.policy,
        "window": str(viz.window) if viz.window else None,
        "gpu_types": [
            {"name": t.name, "first_gpu": first, "count": t.count, "gpus_per_node": t.gpus_per_node}
            for t, first in zip(viz.cluster.gpu_types, viz.cluster.first_gpus, strict=True)
        ],
        "config": viz.config,
        "findings": [{"code": f.code, "sentence": f.sentence, "count": f.count} for f in viz.findings],
    }


def _print_text(document: dict[str, Any]) -> None:
    for field in ("run", "version", "rounds", "jobs", "gpus", "policy", "window"):
        value = document[field]
        print(f"{field:<10}{'-' if value is None else value}")
    for gpu_type in document["gpu_types"]:
        last = gpu_type["first_gpu"] + gpu_type["count"] - 1
        node = f", {gpu_type['gpus_per_node']} per node" if gpu_type["gpus_per_node"] else ""
        print(f"{'type':<10}{gpu_type['name']}: GPUs {gpu_type['first_gpu']}-{last}{node}")
    if not document["findings"]:
        print(f"{'findings':<10}none")
    for finding in document["findings"]:
        print(f"{'finding':<10}{finding['code']}: {finding['sentence']}")
