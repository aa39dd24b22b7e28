"""`gavel-dash serve`: the sweep in the browser."""

from __future__ import annotations

import argparse
import os

from gavel_dash.cli.output import add_command
from gavel_dash.settings import add_arguments, resolve_settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    add_arguments(
        add_command(subparsers, "serve", "show a sweep in the browser", "gavel-dash serve experiments --port 8050")
    )


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from gavel_dash.web.serve import serve

    return serve(resolve_settings(args, os.environ))
