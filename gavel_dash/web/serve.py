"""Serve a sweep: settings, sweep, app, socket."""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gavel_dash.errors import GavelDashError, UsageError
from gavel_dash.progress import ProgressLine
from gavel_dash.settings import Settings, is_loopback, read_settings

if TYPE_CHECKING:
    import flask

    from gavel_dash.sweep import Sweep

PORTS_TO_TRY = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """`python app.py`: serve until interrupted. Bad usage or a sweep that cannot be opened: one line, exit code 2."""
    try:
        return serve(read_settings(sys.argv[1:] if arguments is None else arguments, os.environ))
    except GavelDashError as error:
        print(f"gavel-dash: {error}", file=sys.stderr)
        return 2


def serve(settings: Settings) -> int:
    """Open the sweep and serve it until interrupted.

    Raises
    ------
    GavelDashError
        When the sweep cannot be opened or no port is free.
    """
    from werkzeug.serving import WSGIRequestHandler, make_server

    class RequestHandler(WSGIRequestHandler):
        def version_string(self) -> str:
            return "Gavel Dash"  # not which versions of Werkzeug and Python answer

    sweep, app = _open(settings)
    for problem in sweep.problems:
        _say(problem)
    if not sweep.names:
        _say(sweep.empty_sentence)  # served all the same: the page says it, and a sweep may be about to begin
    listener = bind(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    if settings.port not in (0, port):
        _say(f"port {settings.port} is taken, using {port}")
    if not is_loopback(settings.host) and not settings.token:
        _say(
            f"listening on {settings.host} without a token: everyone who can reach this machine can read the sweep; "
            "set GAVEL_DASH_TOKEN to ask for one"
        )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for each request
    with listener:
        server = make_server(host, port, app, threaded=True, request_handler=RequestHandler, fd=listener.fileno())
        print(f"Gavel Dash: {sweep.name} ({len(sweep.names):,} runs) on {address(host, port)}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
        finally:
            server.server_close()
    return 0


def build_server() -> flask.Flask:
    """The WSGI application, from the environment alone; a sweep that cannot be opened is said on every page."""
    settings = Settings()
    try:
        settings = read_settings([], os.environ)
        _, app = _open(settings)
        return app
    except GavelDashError as error:
        _say(str(error))
        return _apology(str(error), settings)


def _open(settings: Settings) -> tuple[Sweep, flask.Flask]:
    """The sweep, and the app over it."""
    # Loaded here, so that a mistake in the settings is said at once. What is loaded stays: the garbage collector would
    # look through it again and again, for a tenth of the time until the first page.
    gc.disable()
    try:
        from gavel_dash.sweep import open_sweep
        from gavel_dash.web.app import create_app
        from gavel_dash.web.failures import log_to_stderr
    finally:
        gc.freeze()
        gc.enable()
    log_to_stderr()
    with ProgressLine() as progress:
        sweep = open_sweep(settings.sweep, progress=progress)
    server = create_app(sweep, settings).server
    # Dash completes itself before its first request; where several come at once, one would see it half done.
    with server.test_request_context():
        server.preprocess_request()
    return sweep, server


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on `port` or the next free one; raises `UsageError` where there is none."""
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise UsageError(f"host {host!r} is not an address of this machine: {error.strerror}") from error
    for candidate in range(port, min(port + PORTS_TO_TRY, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((where[0], candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            reason = error
        else:
            return listener
    raise UsageError(f"cannot listen on {host} port {port} or the {PORTS_TO_TRY - 1} after it: {reason.strerror}")


def address(host: str, port: int) -> str:
    """The address to open in a browser; one that listens everywhere is reached on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
    return f"http://{shown}:{port}"


def _apology(sentence: str, settings: Settings) -> flask.Flask:
    import flask

    from gavel_dash.web.health import register_no_health
    from gavel_dash.web.security import secure

    server = flask.Flask(__name__)
    secure(server, settings)
    register_no_health(server, sentence)

    @server.route("/", defaults={"path": ""})
    @server.route("/<path:path>")
    def explain(path: str) -> flask.Response:
        return flask.Response(f"Gavel Dash cannot show this sweep.\n{sentence}\n", status=503, mimetype="text/plain")

    return server


def _say(sentence: str) -> None:
    print(f"gavel-dash: {sentence}", file=sys.stderr, flush=True)
