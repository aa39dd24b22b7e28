"""`gavel-dash saturation`: the saturation point of every curve, by three methods."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command, add_confidence_option, add_csv_option, open_sweep_for, write_csv
from gavel_dash.errors import UsageError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "saturation",
        "the arrival rate at which each curve saturates",
        "gavel-dash saturation experiments --k 2.5 --csv -",
    )
    parser.add_argument("sweep", help="directory of runs")
    parser.add_argument(
        "--k", type=float, default=2.0, help="saturated where mean JCT crosses k times its low-load plateau (default 2)"
    )
    add_confidence_option(parser)
    add_csv_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table of saturation points."""
    if not 1 < args.k < float("inf"):
        raise UsageError(f"--k must be above 1, found {args.k:g}")
    write_csv(open_sweep_for(args.sweep).saturation(k=args.k, confidence=args.confidence), args.csv)
    return 0
