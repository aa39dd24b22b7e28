"""Routes that answer with a table as CSV, and how they read their query."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import flask

from gavel_dash.errors import GavelDashError
from gavel_dash.formats.table_csv import write_table_csv
from gavel_dash.web.failures import log_failure

if TYPE_CHECKING:
    import pandas as pd


def csv_route(kind: str) -> Callable[[Callable[..., pd.DataFrame]], Callable[..., flask.Response]]:
    """Make a route of a table: CSV under a telling file name, or 404 and a sentence."""

    def decorate(table: Callable[..., pd.DataFrame]) -> Callable[..., flask.Response]:
        @wraps(table)
        def answer(name: str | None = None) -> flask.Response:
            try:
                frame = table() if name is None else table(name)
            except GavelDashError as error:
                log_failure(error)
                return flask.Response(f"{error}\n", status=404, mimetype="text/plain")
            headers = {"Content-Disposition": f'attachment; filename="{_file_name(kind, name)}"'}
            return flask.Response(write_table_csv(frame), mimetype="text/csv", headers=headers)

        return answer

    return decorate


def _file_name(kind: str, name: str | None) -> str:
    """Such as ``runs.csv``, ``<run>_rounds.csv`` or ``<run>_queue_1200.csv``, with plain characters only."""
    index = flask.request.args.get("round_index") if kind == "queue" else None
    stem = "_".join(part for part in (name, kind, index) if part)
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", stem) + ".csv"


def text_argument(name: str, default: str) -> str:
    """A text of the query."""
    return flask.request.args.get(name, default)


def number_argument(name: str, default: float, low: float = 1.0, high: float = float("inf")) -> float:
    """A number of the query between two bounds; answers 400 with a sentence where it is none."""
    text = flask.request.args.get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low < number < high:
        between = f"above {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        flask.abort(flask.Response(f"{name} must be a number {between}, not {text!r}\n", 400, mimetype="text/plain"))
    return number


def index_argument(name: str, default: int | None = None) -> int:
    """A position or id of the query; answers 400 with a sentence where it is none, or missing without a default."""
    text = flask.request.args.get(name, "" if default is None else str(default))
    if not re.fullmatch("[0-9]{1,12}", text):
        sentence = f"{name} must be a whole number from 0, not {text!r}\n"
        flask.abort(flask.Response(sentence, 400, mimetype="text/plain"))
    return int(text)
