"""The drawer of the Sweep page: all that is known about one run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash import schema
from gavel_dash.analysis.facets import value_text
from gavel_dash.figures.theme import STATUS
from gavel_dash.model import Finding
from gavel_dash.ui import csv_link, empty_state, tile

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

IDENTITY = ("figure", "policy", "setting", "arrival_rate_jph", "seed", "cluster", "window")
#: Only these have been measured; of the others the note says what to do.
MEASURED = ("complete", "censored", "unmeasured")
#: The command in a note, its paths as `shlex.quote` writes them. Only this is copied, never the words around it.
_QUOTED = r"(?:[\w@%+=:,./-]|'[^']*'|\"'\")+"
CONVERT_COMMAND = re.compile(f"gavel-dash convert {_QUOTED} --out {_QUOTED}")


def build_drawer_body(sweep: Sweep, name: str | None) -> list[Component]:
    """Numbers, links, findings and the sources of the identity of a run; a sentence for a name that is none."""
    if not name:
        return []
    if name not in sweep:
        return [empty_state(f"There is no run named {name} in this sweep.", "Choose one in the table or on the map.")]
    runs = sweep.runs()
    run: dict[str, Any] = runs[runs["run"] == name].iloc[0].to_dict()
    return [
        _status(run),
        *_note(run),
        *(_numbers(run) if run["status"] in (*MEASURED, "table") else []),
        _links(run, sweep.has_rounds(name)),
        _identity(run, sweep.identity(name)),
        _findings(sweep.findings(name)),
    ]


def _status(run: dict[str, Any]) -> Component:
    status = run["status"]
    sign = html.Span(f"{STATUS[status][1]} {status}", className=f"sweep-sign-{status} sweep-drawer-status")
    return html.P([sign, html.Span(schema.STATUSES[status], className="gd-muted")])


def _note(run: dict[str, Any]) -> list[Component]:
    note = run["note"]
    if pd.isna(note) or not note:
        return []
    command = CONVERT_COMMAND.search(note)
    if command is None:
        return [html.P(note, className="sweep-note")]
    before, after = note[: command.start()].strip(" :"), note[command.end() :].strip(" ;")
    copy = dcc.Clipboard(content=command[0], title="Copy the command", className="sweep-copy")
    return [
        html.P(f"{before}:" if before else "", className="sweep-note"),
        html.Div([html.Code(command[0]), copy], className="sweep-command"),
        html.P(after, className="sweep-note"),
    ]


def _number(value: Any, text: str, unit: str = "") -> str:
    return "–" if pd.isna(value) else f"{value:{text}}{unit}"


def _numbers(run: dict[str, Any]) -> list[Component]:
    bound = "≥ " if run["mean_jct_is_lower_bound"] is True and not pd.isna(run["mean_jct_h"]) else ""
    completed = f"{_number(run['n_completed'], ',')} of {_number(run['n_window'], ',')}"
    return [
        html.Div(
            [
                tile("Mean JCT", bound + _number(run["mean_jct_h"], ",.1f", " h")),
                tile("Window jobs completed", completed),
                tile("Occupancy", _number(run["mean_occupancy"], ".1%")),
                tile("Effective utilization", _number(run["effective_utilization"], ".1%")),
                tile("Rounds", _number(run["rounds"], ",")),
                tile("Jobs", _number(run["jobs"], ",")),
            ],
            className="sweep-tiles",
        )
    ]


def _links(run: dict[str, Any], has_rounds: bool) -> Component:
    name, path = quote(run["run"], safe=""), quote(run["run"])
    links: list[Component] = []
    if has_rounds:
        links += [
            dcc.Link("Open in Cluster", href=f"/cluster?run={name}", className="gd-button gd-button-primary"),
            *(
                dcc.Link(page.capitalize(), href=f"/{page}?run={name}", className="gd-button")
                for page in ("telemetry", "jobs", "fragmentation")
            ),
        ]
    if run["status"] in (*MEASURED, "table"):
        links += [dcc.Link("Open in Saturation", href=f"/saturation?run={name}", className="gd-button")]
    if has_rounds:
        links += [
            csv_link("sweep-rounds-csv", f"/api/runs/{path}/rounds.csv", "Rounds CSV", "All rounds of this run"),
            csv_link("sweep-jobs-csv", f"/api/runs/{path}/jobs.csv", "Jobs CSV", "All jobs of this run"),
        ]
    return html.Div(links, className="gd-actions sweep-drawer-links")


def _identity(run: dict[str, Any], sources: dict[str, str]) -> Component:
    columns = {column.name: column for column in schema.RUNS}
    rows = [
        html.Tr(
            [
                html.Th(columns[field].label, scope="row", title=columns[field].meaning),
                html.Td(value_text(run[field]) if not pd.isna(run[field]) else "unknown"),
                html.Td("" if pd.isna(run[field]) else sources.get(field, "the data"), className="gd-muted"),
            ]
        )
        for field in IDENTITY
    ]
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in ("Field", "Value", "Told by")]))
    return html.Section(
        [html.H3("Identity", className="gd-panel-title"), html.Table([head, html.Tbody(rows)], className="sweep-facts")]
    )


def _findings(findings: tuple[Finding, ...]) -> Component:
    title = html.H3("Findings", className="gd-panel-title")
    if not findings:
        return html.Section([title, html.P("Nothing odd was noticed in this run's files.", className="gd-muted")])
    rows = [
        html.Li(
            [
                html.Div([html.Code(finding.code), html.Span(f"{finding.count:,} ×", className="gd-muted")]),
                html.Div(finding.sentence),
            ]
        )
        for finding in findings
    ]
    return html.Section([title, html.Ul(rows, className="sweep-findings")])
