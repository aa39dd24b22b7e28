"""CSV of everything under /api: what a page shows, as text that pandas reads back."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import flask

from gavel_dash.analysis.facets import FACETS, RUN, TEXT, apply_filters
from gavel_dash.analysis.measures import DEFAULT_MEASURE
from gavel_dash.analysis.saturation import DEFAULT_K, METHODS, STABILITY
from gavel_dash.analysis.stability import CONFIDENCE
from gavel_dash.errors import GavelDashError, UsageError
from gavel_dash.figures.saturation import ChartOptions, SaturationData
from gavel_dash.formats.table_csv import write_table_csv
from gavel_dash.pages.node_sizes import parse_node_sizes
from gavel_dash.pages.saturation.data import collect
from gavel_dash.pages.saturation.gain_content import gain_table, paper_error_table
from gavel_dash.pages.saturation.pairs_content import pairs_table

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import Sweep


def register_api(server: flask.Flask, sweep: Sweep) -> None:
    """Add the CSV routes.

    ``/api/runs.csv``, ``/api/curves.csv?measure=mean_jct_h`` and ``/api/saturation.csv?k=2`` take the Sweep page's
    filters as query arguments (``figure, policy, setting, rate, seed, cluster, status, q`` and ``run``, each
    repeatable) and ``confidence``. So do ``/api/gain.csv?gain_of=&gain_against=&measure=``, ``/api/paper_error.csv``
    and ``/api/pairs.csv?method=&nodes=``, where ``nodes`` is as ``k80:4,v100:8``.
    ``/api/runs/<name>/rounds.csv``, ``/jobs.csv`` and ``/queue.csv?round_index=`` are of one run.
    """

    @server.route("/api/runs.csv")
    @_csv("runs")
    def runs_csv() -> pd.DataFrame:
        return _filtered(sweep)

    @server.route("/api/curves.csv")
    @_csv("curves")
    def curves_csv() -> pd.DataFrame:
        return sweep.curves(_filtered(sweep)["run"], _text("measure", DEFAULT_MEASURE), _confidence())

    @server.route("/api/saturation.csv")
    @_csv("saturation")
    def saturation_csv() -> pd.DataFrame:
        return sweep.saturation(_number("k", DEFAULT_K), _filtered(sweep)["run"], _confidence())

    @server.route("/api/gain.csv")
    @_csv("gain")
    def gain_csv() -> pd.DataFrame:
        return gain_table(_page_data(sweep), _text("gain_of", ""), _text("gain_against", ""))

    @server.route("/api/paper_error.csv")
    @_csv("paper_error")
    def paper_error_csv() -> pd.DataFrame:
        return paper_error_table(_page_data(sweep))

    @server.route("/api/pairs.csv")
    @_csv("pairs")
    def pairs_csv() -> pd.DataFrame:
        method = _text("method", STABILITY)
        if method not in METHODS:
            raise UsageError(f"no method is named {method!r}; there are {', '.join(METHODS)}")
        return pairs_table(sweep, _page_data(sweep), method, parse_node_sizes(_text("nodes", "")))

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


def _filters() -> dict[str, list[str]]:
    return {key: flask.request.args.getlist(key) for key in [*(facet.key for facet in FACETS), TEXT, RUN]}


def _filtered(sweep: Sweep) -> pd.DataFrame:
    return apply_filters(sweep.runs(_confidence()), _filters())


def _page_data(sweep: Sweep) -> SaturationData:
    """What the Saturation page shows under the same arguments."""
    options = ChartOptions(
        measure=_text("measure", DEFAULT_MEASURE), k=_number("k", DEFAULT_K), confidence=_confidence()
    )
    return collect(sweep, _filters(), options)


def _text(name: str, default: str) -> str:
    return flask.request.args.get(name, default)


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
