"""`gavel-dash runs`: the runs of a sweep, one row each."""

from __future__ import annotations

import argparse

from gavel_dash.cli.output import add_command, add_confidence_option, add_csv_option, open_sweep_for, write_csv


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(subparsers, "runs", "list the runs of a sweep", "gavel-dash runs experiments --csv runs.csv")
    parser.add_argument("sweep", help="directory of runs, or one run's file")
    parser.add_argument(
        "--headers",
        action="store_true",
        help="list the .viz.bin files at once, by header, config and last round; nothing is measured",
    )
    add_confidence_option(parser)
    add_csv_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table of runs, or of files."""
    if args.headers:
        from gavel_dash.progress import ProgressLine
        from gavel_dash.sweep.headers import list_headers

        with ProgressLine() as progress:
            table = list_headers(args.sweep, progress)
    else:
        table = open_sweep_for(args.sweep).runs(args.confidence)
    write_csv(table, args.csv)
    return 0
