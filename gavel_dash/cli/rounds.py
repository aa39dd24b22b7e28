"""`gavel-dash rounds`: every round of a run, one row each."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command, add_csv_option, read_run, write_csv


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "rounds", "list the rounds of a run", "gavel-dash rounds sweep/run.viz.bin --csv rounds.csv"
    )
    parser.add_argument("file", help="a .viz.bin file, also packed (.packed, .zst or .gz)")
    add_csv_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table of rounds."""
    write_csv(read_run(args.file, lambda run: run.rounds()), args.csv)
    return 0
