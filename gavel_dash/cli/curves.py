"""`gavel-dash curves`: mean JCT against arrival rate, one row per curve and rate."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command, add_csv_option, open_sweep_for, write_csv


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "curves", "mean JCT against arrival rate, over seeds", "gavel-dash curves experiments --csv -"
    )
    parser.add_argument("sweep", help="directory of runs")
    add_csv_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table of curves."""
    write_csv(open_sweep_for(args.sweep).curves(), args.csv)
    return 0
