"""What the commands share: where a table goes, and how a file argument becomes a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import Run, Sweep

Read = TypeVar("Read")


def add_command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    """A subcommand whose help ends with an example."""
    return subparsers.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_csv_option(parser: argparse.ArgumentParser) -> None:
    """The `--csv FILE` option; `-`, the default, is standard output."""
    parser.add_argument("--csv", metavar="FILE", default="-", help="where the CSV goes; - is standard output (default)")


def add_confidence_option(parser: argparse.ArgumentParser) -> None:
    """The `--confidence LEVEL` option of intervals and verdicts."""

    def level(text: str) -> float:
        value = float(text)
        if not 0 < value < 1:
            raise argparse.ArgumentTypeError(f"a fraction between 0 and 1, not {text}")
        return value

    parser.add_argument(
        "--confidence", metavar="LEVEL", type=level, default=0.95, help="level of intervals and verdicts (default 0.95)"
    )


def read_run(path: str, read: Callable[[Run], Read]) -> Read:
    """What is read of the run in a file; a `FileChangedError` where that changes meanwhile."""
    from gavel_dash.kernel.mapped_files import unchanged_files
    from gavel_dash.sweep import open_run

    with unchanged_files():
        return read(open_run(path))


def write_csv(frame: pd.DataFrame, target: str) -> None:
    """Write a table to a file (beside it first, then renamed) or, for `-`, to standard output."""
    from gavel_dash.formats.table_csv import write_table_csv
    from gavel_dash.whole_files import write_atomically

    text = write_table_csv(frame)
    if target == "-":
        sys.stdout.write(text)
    else:
        write_atomically(Path(target), lambda file: file.write(text.encode()))


def open_sweep_for(path: str) -> Sweep:
    """Open a sweep; what could not be read goes to standard error, and a sweep without runs is an error."""
    from gavel_dash.errors import UsageError
    from gavel_dash.progress import ProgressLine
    from gavel_dash.sweep import open_sweep

    with ProgressLine() as progress:
        sweep = open_sweep(path, progress=progress)
    for problem in sweep.problems:
        print(f"gavel-dash: {problem}", file=sys.stderr)
    if not sweep.names:
        raise UsageError(sweep.empty_sentence)
    return sweep
