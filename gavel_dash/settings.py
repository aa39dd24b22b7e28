"""What the server needs to know: command line before environment before default."""

from __future__ import annotations

import argparse
import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gavel_dash.errors import UsageError

#: The bundled sweep, wherever the app is started from.
DEFAULT_SWEEP = str(Path(__file__).parents[1] / "experiments")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8050


@dataclass(frozen=True)
class Settings:
    """Which sweep is served, and where.

    Attributes
    ----------
    sweep : str
        Directory of runs (``SWEEP``).
    host : str
        Address to listen on (``HOST``).
    port : int
        Port to listen on, 0 for any (``PORT``).
    token : str
        What visitors must give before they see anything (``GAVEL_DASH_TOKEN``); empty: nothing is asked.
    """

    sweep: str = DEFAULT_SWEEP
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    token: str = field(default="", repr=False)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def cache_dir() -> Path:
    """Where unpacked runs, catalogues and the kernel live: GAVEL_DASH_CACHE, else the user's cache directory."""
    explicit = os.environ.get("GAVEL_DASH_CACHE")
    if explicit:
        return Path(explicit)
    try:
        home_cache = Path.home() / ".cache"
    except RuntimeError:  # a user without a home directory, as in some containers: nothing can be made there
        home_cache = Path(os.devnull)
    return Path(os.environ.get("XDG_CACHE_HOME") or home_cache) / "gavel-dash"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line's share of the settings; what is not given is None."""
    parser.add_argument("sweep", nargs="?", help="directory of runs (default: $SWEEP, else the bundled sweep)")
    parser.add_argument("--port", help=f"port to listen on (default: $PORT, else {DEFAULT_PORT})")
    parser.add_argument("--host", help=f"address to listen on (default: $HOST, else {DEFAULT_HOST})")
    parser.add_argument(
        "--token",
        help="access token that visitors must give (default: $GAVEL_DASH_TOKEN, which other users cannot list)",
    )


def resolve_settings(args: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Settings from parsed arguments and an environment; raises `UsageError` for a port that is none."""
    return Settings(
        sweep=args.sweep or environ.get("SWEEP") or DEFAULT_SWEEP,
        host=args.host or environ.get("HOST") or DEFAULT_HOST,
        port=_port(args.port or environ.get("PORT") or str(DEFAULT_PORT)),
        token=args.token or environ.get("GAVEL_DASH_TOKEN") or "",
    )


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Settings from a command line (without the program's name) and an environment."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Serve a sweep of GPU cluster scheduling simulations.",
        epilog="example:\n  python app.py experiments --port 8050",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return resolve_settings(parser.parse_args(arguments), environ)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise UsageError(f"port {text!r} is not a number from 0 to 65535")
    return port
