"""`gavel-dash jobs`: every job of a run, one row each."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command, add_csv_option, read_run, write_csv


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "jobs", "list the jobs of a run", "gavel-dash jobs sweep/run.viz.bin --csv jobs.csv"
    )
    parser.add_argument("file", help="a .viz.bin file, also packed (.packed, .zst or .gz)")
    add_csv_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table of jobs."""
    write_csv(read_run(args.file, lambda run: run.jobs()), args.csv)
    return 0
