"""Failures: one structured line each in the server's log, and one plain sentence for whoever asked."""

from __future__ import annotations

import logging
import re
import sys
import traceback
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import flask
import orjson

from gavel_dash.errors import FileChangedError, GavelDashError, UsageError

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep

REQUEST_ID_HEADER = "X-Request-ID"
UPDATE_ROUTE = "/_dash-update-component"
#: Of what a request holds, no more than this goes into a line.
MOST_RUNS, MOST_OUTPUTS, MOST_CHARACTERS = 20, 20, 300
_EXTENSION = "gavel_dash.failures"
_SECRETS = re.compile(r"(?i)((?:token|password|secret)=)[^&\s\"']+")
_log = logging.getLogger(__name__)


class JsonLine(logging.Formatter):
    """A record as one line of JSON: time, level, event, and what the failure is."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), **getattr(record, "failure", {})}
        return _SECRETS.sub(r"\1...", orjson.dumps(line, default=str).decode())


class _StandardError(logging.Handler):
    """Writes to what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except (OSError, ValueError):
            self.handleError(record)  # a log that cannot be written is no reason not to answer


def log_to_stderr() -> None:
    """Write a line of JSON to standard error for every failure from now on."""
    handler = _StandardError()
    handler.setFormatter(JsonLine())
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)


def register_failures(server: flask.Flask, live: LiveSweep) -> None:
    """Answer every error that a view or callback raises with one sentence of plain text, and log it.

    404 for what this package says about its input, 503 where that changed while it was read, 500 for everything else.
    The answer's `X-Request-ID` is in the log.
    """
    server.extensions[_EXTENSION] = live

    @server.errorhandler(Exception)
    def answer(error: Exception) -> flask.Response:
        log_failure(error, "callback_failed" if flask.request.path.endswith(UPDATE_ROUTE) else "route_failed")
        status = 503 if isinstance(error, FileChangedError) else 404 if isinstance(error, GavelDashError) else 500
        headers = {REQUEST_ID_HEADER: request_id()}
        return flask.Response(f"{sentence_of(error)}\n", status=status, mimetype="text/plain", headers=headers)


def sentence_of(error: Exception) -> str:
    """What a user reads of an error: our own errors as they are, of others the type and the first line."""
    if isinstance(error, GavelDashError):
        return str(error)
    first = (str(error).splitlines() or [""])[0][:MOST_CHARACTERS]
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return f"{said}. The server's log has the details."


def log_failure(error: Exception, event: str = "route_failed") -> None:
    """Log an error of the request at hand.

    Asking for what is not there is information, a file that cannot be read a warning; all else is an error, with its
    traceback.
    """
    fields: dict[str, Any] = {"event": event, "request_id": request_id(), **_place(), "runs": _runs_asked()}
    fields |= {"error": type(error).__name__, "message": str(error)}
    if isinstance(error, GavelDashError):
        level = logging.INFO if isinstance(error, UsageError) else logging.WARNING
    else:
        level = logging.ERROR
        fields["traceback"] = "".join(traceback.format_exception(error))
    _log.log(level, "%s: %s", event, error, extra={"failure": fields})


def request_id() -> str:
    """The request's name in the log: as a proxy gave it, or one of our own."""
    given = flask.request.headers.get(REQUEST_ID_HEADER, "")
    if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given):
        return given
    if "request_id" not in flask.g:
        flask.g.request_id = uuid.uuid4().hex[:12]
    return str(flask.g.request_id)


def _place() -> dict[str, Any]:
    """The route without its query, which may hold secrets; of a callback its outputs, too."""
    place: dict[str, Any] = {"route": flask.request.path[:MOST_CHARACTERS]}
    output = _body().get("output")
    if isinstance(output, str):
        outputs = [part for part in re.split(r"\.\.\.|^\.\.|\.\.$", output) if part]
        place["outputs"] = [re.sub(r"@[0-9a-f]+$", "", part)[:MOST_CHARACTERS] for part in outputs[:MOST_OUTPUTS]]
    return place


def _runs_asked() -> list[str]:
    """Runs that the request names: in its path, its query, or the values of a callback."""
    sweep = flask.current_app.extensions[_EXTENSION].known  # looking again might be what failed
    body = _body()
    asked = (flask.request.view_args, flask.request.args.to_dict(flat=False), body.get("inputs"), body.get("state"))
    names = dict.fromkeys(text for text in _texts(asked) if text in sweep)
    return list(names)[:MOST_RUNS]


def _texts(value: Any) -> Iterator[str]:
    """All texts in nested lists and dicts, and in those that are addresses also the values of their query."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            if "?" in item[:2048]:
                waiting += [value for _, value in parse_qsl(urlsplit(item[:8192]).query)]
        elif isinstance(item, dict):
            waiting += reversed(item.values())
        elif isinstance(item, list | tuple):
            waiting += reversed(item)


def _body() -> dict[str, Any]:
    """A callback's request; empty where the request is none."""
    body = flask.request.get_json(silent=True) if flask.request.path.endswith(UPDATE_ROUTE) else None
    return body if isinstance(body, dict) else {}
