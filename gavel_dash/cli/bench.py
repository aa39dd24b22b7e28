"""`gavel-dash bench`: the benchmarks of the source tree, each beside its reference."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from gavel_dash.cli.output import add_command
from gavel_dash.errors import UsageError

_SOURCE_TREE = Path(__file__).parents[2]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    summary = "measure this installation on this machine, every row beside its reference and its goal"
    add_options(add_command(subparsers, "bench", summary, "gavel-dash bench --areas convert,index --json bench.json"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options, which `python -m benchmarks.run` has too."""
    parser.add_argument("--areas", metavar="A,B", help="which areas to measure (default: all)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write machine and rows as JSON")
    parser.add_argument("--figure", metavar="FILE", type=Path, help="draw how far each row is from its goal, as SVG")
    parser.add_argument(
        "--markdown",
        metavar="FILE",
        type=Path,
        help="write the table as Markdown, between the marks in an existing file",
    )


def run(args: argparse.Namespace) -> int:
    """Measure. Exit code 1 when something could not be measured; a goal that is not reached is only marked."""
    if not (_SOURCE_TREE / "benchmarks" / "run.py").is_file():
        raise UsageError(
            f"no benchmarks in {_SOURCE_TREE}: they come with the source tree, not with the installed package"
        )
    sys.path.insert(0, str(_SOURCE_TREE))
    return int(import_module("benchmarks.run").run(args))
