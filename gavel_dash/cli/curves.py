"""`gavel-dash curves`: a measure against arrival rate, one row per curve and rate."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command, add_confidence_option, add_csv_option, open_sweep_for, write_csv


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "curves",
        "mean JCT or another measure against arrival rate, over seeds",
        "gavel-dash curves experiments --csv -",
    )
    parser.add_argument("sweep", help="directory of runs")
    parser.add_argument(
        "--measure", default="mean_jct_h", help="what to average: a column of the table of runs (default mean_jct_h)"
    )
    add_confidence_option(parser)
    add_csv_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table of curves."""
    write_csv(open_sweep_for(args.sweep).curves(measure=args.measure, confidence=args.confidence), args.csv)
    return 0
