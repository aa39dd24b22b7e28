"""CSV of everything under /api: what a page shows, as text that pandas reads back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask

from gavel_dash.analysis.facets import FACETS, RUN, TEXT, apply_filters
from gavel_dash.analysis.measures import DEFAULT_MEASURE
from gavel_dash.analysis.saturation import DEFAULT_K, METHODS, STABILITY
from gavel_dash.analysis.stability import CONFIDENCE
from gavel_dash.errors import UsageError
from gavel_dash.figures.saturation import ChartOptions, SaturationData
from gavel_dash.pages.node_sizes import parse_node_sizes
from gavel_dash.pages.saturation.data import collect
from gavel_dash.pages.saturation.gain_content import gain_table, paper_error_table
from gavel_dash.pages.saturation.pairs_content import pairs_table
from gavel_dash.web.csv_route import csv_route, index_argument, number_argument, text_argument

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import LiveSweep, Sweep


def register_api(server: flask.Flask, live: LiveSweep) -> None:
    """Add the CSV routes.

    ``/api/runs.csv``, ``/api/curves.csv?measure=mean_jct_h`` and ``/api/saturation.csv?k=2`` take the Sweep page's
    filters as query arguments (``figure, policy, setting, rate, seed, cluster, status, q`` and ``run``, each
    repeatable) and ``confidence``. So do ``/api/gain.csv?gain_of=&gain_against=&measure=``, ``/api/paper_error.csv``
    and ``/api/pairs.csv?method=&nodes=``, where ``nodes`` is as ``k80:4,v100:8``.
    ``/api/runs/<name>/rounds.csv``, ``/jobs.csv`` and ``/queue.csv?round_index=&nodes=`` are of one run.
    """

    @server.route("/api/<path:rest>")
    def no_such_table(rest: str) -> flask.Response:
        return flask.Response(f"there is no table at /api/{rest}\n", status=404, mimetype="text/plain")

    @server.route("/api/runs.csv")
    @csv_route("runs")
    def runs_csv() -> pd.DataFrame:
        return _filtered(live.now)

    @server.route("/api/curves.csv")
    @csv_route("curves")
    def curves_csv() -> pd.DataFrame:
        return live.now.curves(_filtered(live.now)["run"], text_argument("measure", DEFAULT_MEASURE), _confidence())

    @server.route("/api/saturation.csv")
    @csv_route("saturation")
    def saturation_csv() -> pd.DataFrame:
        return live.now.saturation(number_argument("k", DEFAULT_K), _filtered(live.now)["run"], _confidence())

    @server.route("/api/gain.csv")
    @csv_route("gain")
    def gain_csv() -> pd.DataFrame:
        return gain_table(_page_data(live.now), text_argument("gain_of", ""), text_argument("gain_against", ""))

    @server.route("/api/paper_error.csv")
    @csv_route("paper_error")
    def paper_error_csv() -> pd.DataFrame:
        return paper_error_table(_page_data(live.now))

    @server.route("/api/pairs.csv")
    @csv_route("pairs")
    def pairs_csv() -> pd.DataFrame:
        method = text_argument("method", STABILITY)
        if method not in METHODS:
            raise UsageError(f"no method is named {method!r}; there are {', '.join(METHODS)}")
        return pairs_table(live.now, _page_data(live.now), method, parse_node_sizes(text_argument("nodes", "")))

    @server.route("/api/runs/<path:name>/rounds.csv")
    @csv_route("rounds")
    def rounds_csv(name: str) -> pd.DataFrame:
        return live.now[name].rounds()

    @server.route("/api/runs/<path:name>/jobs.csv")
    @csv_route("jobs")
    def jobs_csv(name: str) -> pd.DataFrame:
        return live.now[name].jobs()

    @server.route("/api/runs/<path:name>/queue.csv")
    @csv_route("queue")
    def queue_csv(name: str) -> pd.DataFrame:
        return live.now[name].queue_table(index_argument("round_index"), parse_node_sizes(text_argument("nodes", "")))


def _filters() -> dict[str, list[str]]:
    return {key: flask.request.args.getlist(key) for key in [*(facet.key for facet in FACETS), TEXT, RUN]}


def _filtered(sweep: Sweep) -> pd.DataFrame:
    return apply_filters(sweep.runs(_confidence()), _filters())


def _page_data(sweep: Sweep) -> SaturationData:
    """What the Saturation page shows under the same arguments."""
    options = ChartOptions(
        measure=text_argument("measure", DEFAULT_MEASURE), k=number_argument("k", DEFAULT_K), confidence=_confidence()
    )
    return collect(sweep, _filters(), options)


def _confidence() -> float:
    return number_argument("confidence", CONFIDENCE, 0.0, 1.0)
