"""CSV of everything under /api: what a page shows, as text that pandas reads back."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import flask

from gavel_dash.analysis.facets import FACETS, RUN, TEXT, apply_filters
from gavel_dash.analysis.measures import DEFAULT_MEASURE
from gavel_dash.analysis.saturation import DEFAULT_K
from gavel_dash.analysis.stability import CONFIDENCE
from gavel_dash.errors import GavelDashError
from gavel_dash.formats.table_csv import write_table_csv

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import Sweep


def register_api(server: flask.Flask, sweep: Sweep) -> None:
    """Add the CSV routes.

    ``/api/runs.csv``, ``/api/curves.csv?measure=mean_jct_h`` and ``/api/saturation.csv?k=2`` take the Sweep page's
    filters as query arguments (``figure, policy, setting, rate, seed, cluster, status, q`` and ``run``, each
    repeatable) and ``confidence``.
    ``/api/runs/<name>/rounds.csv``, ``/jobs.csv`` and ``/queue.csv?round_index=`` are of one run.
    """

    @server.route("/api/runs.csv")
    @_csv("runs")
    def runs_csv() -> pd.DataFrame:
        return _filtered(sweep)

    @server.route("/api/curves.csv")
    @_csv("curves")
    def curves_csv() -> pd.DataFrame:
        measure = flask.request.args.get("measure", DEFAULT_MEASURE)
        return sweep.curves(_filtered(sweep)["run"], measure, _confidence())

    @server.route("/api/saturation.csv")
    @_csv("saturation")
    def saturation_csv() -> pd.DataFrame:
        return sweep.saturation(_number("k", DEFAULT_K), _filtered(sweep)["run"], _confidence())

    @server.route("/api/runs/<path:name>/rounds.csv")
    @_csv("rounds")
    def rounds_csv(name: str) -> pd.DataFrame:
        return sweep[name].rounds()

    @server.route("/api/runs/<path:name>/jobs.csv")
    @_csv("jobs")
    def jobs_csv(name: str) -> pd.DataFrame:
        return sweep[name].jobs()

    @server.route("/api/runs/<path:name>/queue.csv")
    @_csv("queue")
    def queue_csv(name: str) -> pd.DataFrame:
        return sweep[name].queue_table(_index("round_index"))


def _csv(kind: str) -> Callable[[Callable[..., pd.DataFrame]], Callable[..., flask.Response]]:
    """Make a route of a table: CSV under a telling file name, or 404 and a sentence."""

    def decorate(table: Callable[..., pd.DataFrame]) -> Callable[..., flask.Response]:
        @wraps(table)
        def answer(name: str | None = None) -> flask.Response:
            try:
                frame = table() if name is None else table(name)
            except GavelDashError as error:
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


def _filtered(sweep: Sweep) -> pd.DataFrame:
    keys = [*(facet.key for facet in FACETS), TEXT, RUN]
    return apply_filters(sweep.runs(_confidence()), {key: flask.request.args.getlist(key) for key in keys})


def _number(name: str, default: float, low: float = 1.0, high: float = float("inf")) -> float:
    text = flask.request.args.get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low < number < high:
        between = f"above {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        flask.abort(flask.Response(f"{name} must be a number {between}, not {text!r}\n", 400, mimetype="text/plain"))
    return number


def _confidence() -> float:
    return _number("confidence", CONFIDENCE, 0.0, 1.0)


def _index(name: str) -> int:
    text = flask.request.args.get(name, "")
    if not text.isdecimal():
        sentence = f"{name} must be the position of a round, from 0, not {text!r}\n"
        flask.abort(flask.Response(sentence, 400, mimetype="text/plain"))
    return int(text)
