"""CSV of the pages that look into runs: Telemetry, Jobs, Job and Fragmentation, under the query of their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask

from gavel_dash.pages import job
from gavel_dash.pages.fragmentation import csv as fragmentation
from gavel_dash.pages.jobs import csv as jobs
from gavel_dash.pages.jobs.gantt_content import segments_table
from gavel_dash.pages.telemetry import csv as telemetry
from gavel_dash.web.csv_route import csv_route, index_argument, text_argument

if TYPE_CHECKING:
    import pandas as pd

    from gavel_dash.sweep import LiveSweep, Sweep


def register_run_api(server: flask.Flask, live: LiveSweep) -> None:
    """Add the CSV routes.

    ``/api/telemetry.csv``, ``/api/jobs.csv``, ``/api/distribution.csv`` and ``/api/quantiles.csv`` take the query of
    their page's address, ``run`` repeatable. ``/api/fragmentation_curves.csv?by=&measure=&nodes=`` is of the sweep.

    Of one run, ``/api/runs/<name>/``: ``fragmentation.csv?nodes=``, ``blocked_demand.csv?nodes=``,
    ``node_fragmentation.csv?nodes=&start=&stop=``, ``segments.csv?start=&stop=``, ``job_stretches.csv?job=``; ``nodes``
    is as ``k80:4,v100:8``, ``start`` and ``stop`` are positions of rounds, ``stop`` not included.
    """
    for kind, table_of in {
        "telemetry": telemetry.table,
        "jobs": jobs.jobs_table,
        "distribution": jobs.distribution_table,
        "quantiles": jobs.quantiles_table,
    }.items():

        def of_page(table_of=table_of) -> pd.DataFrame:  # type: ignore[no-untyped-def]
            return table_of(live.now, flask.request.args.to_dict(flat=False))

        server.add_url_rule(f"/api/{kind}.csv", f"{kind}_of_runs_csv", csv_route(kind)(of_page))

    @server.route("/api/fragmentation_curves.csv")
    @csv_route("fragmentation_curves")
    def fragmentation_curves_csv() -> pd.DataFrame:
        asked = {key: flask.request.args[key] for key in ("by", "measure", "nodes") if key in flask.request.args}
        return fragmentation.fragmentation_curves_table(live.now, **asked)

    @server.route("/api/runs/<path:name>/fragmentation.csv")
    @csv_route("fragmentation")
    def fragmentation_csv(name: str) -> pd.DataFrame:
        return fragmentation.fragmentation_table(live.now, name, text_argument("nodes", ""))

    @server.route("/api/runs/<path:name>/blocked_demand.csv")
    @csv_route("blocked_demand")
    def blocked_demand_csv(name: str) -> pd.DataFrame:
        return fragmentation.blocked_demand_table(live.now, name, text_argument("nodes", ""))

    @server.route("/api/runs/<path:name>/node_fragmentation.csv")
    @csv_route("node_fragmentation")
    def node_fragmentation_csv(name: str) -> pd.DataFrame:
        return fragmentation.node_fragmentation_table(
            live.now, name, text_argument("nodes", ""), *_span(live.now, name)
        )

    @server.route("/api/runs/<path:name>/segments.csv")
    @csv_route("segments")
    def segments_csv(name: str) -> pd.DataFrame:
        return segments_table(live.now, name, *_span(live.now, name))

    @server.route("/api/runs/<path:name>/job_stretches.csv")
    @csv_route("job_stretches")
    def job_stretches_csv(name: str) -> pd.DataFrame:
        return job.stretches_table(live.now, name, flask.request.args.to_dict())


def _span(sweep: Sweep, name: str) -> tuple[int, int]:
    """Records ``[start, stop)`` that a query names; all where it names none."""
    return index_argument("start", 0), index_argument("stop", sweep[name].n_rounds)
