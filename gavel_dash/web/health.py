"""`/healthz`: whether the app serves its sweep, for those who watch over it. Cheap enough to be asked every second."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask

from gavel_dash import __version__
from gavel_dash.kernel import kernel_state
from gavel_dash.settings import cache_dir
from gavel_dash.sweep.catalogue import catalogue_file

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep

HEALTH_ROUTE = "/healthz"
#: Damaged runs that are named; all are counted.
MOST_NAMES = 20


def register_health(server: flask.Flask, live: LiveSweep) -> None:
    """Add the route: 200 and `health_of` as JSON."""
    started_s = time.monotonic()

    @server.route(HEALTH_ROUTE)
    def healthz() -> flask.Response:
        return _answer(200, health_of(live, time.monotonic() - started_s))


def register_no_health(server: flask.Flask, sentence: str) -> None:
    """Add the route to an app without a sweep: 503 and why there is none, as JSON."""

    @server.route(HEALTH_ROUTE)
    def healthz() -> flask.Response:
        return _answer(503, {"status": "failed", "version": __version__, "error": sentence})


def health_of(live: LiveSweep, uptime_s: float) -> dict[str, Any]:
    """Version, runs, damaged runs, and the state of the cache.

    `problem` is why the sweep could not be looked at the last time, empty where it could. `uptime_s` is that of this
    process; several serve one sweep behind gunicorn.
    """
    sweep = live.now
    runs = sweep.runs()
    damaged = runs.loc[runs["status"] == "damaged", "run"]
    return {
        "status": "ok",
        "version": __version__,
        "uptime_s": round(uptime_s, 1),
        "sweep": sweep.name,
        "runs": len(runs),
        "damaged_runs": {"count": len(damaged), "names": damaged.head(MOST_NAMES).tolist()},
        "problem": live.problem,
        "cache": _cache_state(sweep.path),
    }


def _cache_state(root: Path) -> dict[str, Any]:
    """Where the cache is and what of it is there; `catalogue_age_s` is null where it has no catalogue of the sweep."""
    directory = cache_dir()
    there = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    try:
        # Its time of modification is its seal.
        age_s = round(time.time() - catalogue_file(root).stat().st_ctime, 1)
    except OSError:
        age_s = None
    return {
        "directory": str(directory),
        "writable": there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        "catalogue_age_s": age_s,
        "kernel": kernel_state(),
    }


def _answer(status: int, health: dict[str, Any]) -> flask.Response:
    answer = flask.jsonify(health)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer
