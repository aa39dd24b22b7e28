"""``/api/live``: what a page in the browser asks every few seconds to see whether it is still up to date."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import flask
import orjson

from gavel_dash.sweep import LiveSweep, Sweep
from gavel_dash.ui import query_values
from gavel_dash.ui.words import count_runs

LIVE_ROUTE = "/api/live"
#: Where a browser keeps the version of the sweep that it was told of; `assets/live.js` sets it.
VERSION_COOKIE = "gavel-dash-version"
#: Runs that one page asks after; none shows more.
MOST_RUNS = 64


def register_live(server: flask.Flask, live: LiveSweep) -> None:
    """Add the route. Its query names the runs on screen as a page's does; 304 where the browser knows it all."""

    @server.before_request
    def keep_up() -> None:
        # Another process may have told this browser of news that are not known here yet.
        if told := flask.request.cookies.get(VERSION_COOKIE):
            live.hear_of(told)

    @server.route(LIVE_ROUTE)
    def tell() -> flask.Response:
        sweep = live.now
        state = state_of_page(sweep, flask.request.args.to_dict(flat=False))
        state |= {"words": count_runs(sweep), "problem": live.problem}
        response = flask.Response(orjson.dumps(state), mimetype="application/json")
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        response.make_conditional(flask.request)
        return response


def state_of_page(sweep: Sweep, query: Mapping[str, object]) -> dict[str, Any]:
    """What a page is made from, as words to compare; its query names its runs as ``run`` or ``at``.

    ``version`` is another one when anything has changed, ``results`` when a run has that is not running, ``names`` when
    other runs can be opened; ``shown`` tells the state of each run by name, empty where there is no such run.
    """
    names = dict.fromkeys([*query_values(query, "run"), *query_values(query, "at")])
    return {
        "version": sweep.version,
        "results": sweep.results_version,
        "names": sweep.names_version,
        "shown": {name: sweep.state_of_run(name) for name in islice(names, MOST_RUNS)},
    }
