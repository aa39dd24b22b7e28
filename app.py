"""Serve a sweep: `python app.py [SWEEP] [--port N] [--host H]`, or `gunicorn app:server` with SWEEP set."""

from __future__ import annotations

import sys


def __getattr__(name: str) -> object:
    # A WSGI host asks for `app:server`; nobody else pays for opening the sweep.
    if name == "server":
        from gavel_dash.web.serve import build_server

        return build_server()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    from gavel_dash.web.serve import main

    sys.exit(main())
