"""`gavel-dash check`: read files to the last byte and say which are damaged."""

from __future__ import annotations

import argparse
import sys

from gavel_dash.cli.output import add_command


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "check",
        "say of each file whether it is sound; exit 1 when any is damaged",
        "gavel-dash check experiments sweep/run.viz.bin",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, or directories to look through")


def run(args: argparse.Namespace) -> int:
    """Print one line per file."""
    from gavel_dash.sweep.check import check_paths

    damaged = 0
    for result in check_paths(args.paths):
        damaged += result.error is not None
        print(result.line)
    if damaged:
        print(f"gavel-dash: {damaged} damaged", file=sys.stderr)
    return 1 if damaged else 0
