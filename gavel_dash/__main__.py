"""`python -m gavel_dash`, also installed as `gavel-dash`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gavel_dash import __version__
from gavel_dash.errors import GavelDashError, UsageError

COMMANDS = ("serve", "convert", "runs", "curves", "saturation", "round", "rounds", "jobs", "info", "check", "bench")


def build_parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of every command, or of those asked for."""
    parser = argparse.ArgumentParser(
        prog="gavel-dash", description="Convert, list, analyse and browse sweeps of GPU cluster scheduling simulations."
    )
    parser.add_argument("--version", action="version", version=f"gavel-dash {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands:
        import_module(f"gavel_dash.cli.{command}").add_parser(subparsers)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; bad input and bad usage end in one sentence, never in a traceback."""
    arguments = sys.argv[1:] if argv is None else argv
    # A command that is named needs no other's module.
    named = [command for command in arguments[:1] if command in COMMANDS]
    args = build_parser(named or COMMANDS).parse_args(arguments)
    try:
        code = import_module(f"gavel_dash.cli.{args.command}").run(args)
        sys.stdout.flush()
        return int(code)
    except KeyboardInterrupt:
        print("gavel-dash: interrupted", file=sys.stderr)
        return 130
    except UsageError as error:
        print(f"gavel-dash: {error}", file=sys.stderr)
        return 2
    except (GavelDashError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # The reader of our output went away (`| head`); that is not an error of ours.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        sentence = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        print(f"gavel-dash: {sentence}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
