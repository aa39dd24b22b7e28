"""What stands on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.figures.run_style import COLOR_RUNS_BY
from gavel_dash.figures.telemetry_panels import lay_out
from gavel_dash.pages.selection import asked_round, asked_runs, build_picker
from gavel_dash.pages.telemetry.content import cursor_line
from gavel_dash.pages.telemetry.data import known_fields, open_runs
from gavel_dash.pages.telemetry.state import (
    AUTO,
    DEFAULTS,
    MULTIPLES,
    OVERLAY,
    Controls,
    controls_of,
    csv_href,
    list_of,
    options_of,
    seen_of,
    view_of,
)
from gavel_dash.ui import button, chart_panel, grouped, labelled, page_header

if TYPE_CHECKING:
    from gavel_dash.schema import Column
    from gavel_dash.sweep import Sweep

SENTENCE = "How did it go, round by round? Any field of the chosen runs against any other."


def build_page(sweep: Sweep, query: dict[str, object]) -> Component:
    """The page as its query says it was left. Holds every id of the callbacks, also when there is nothing to draw."""
    selection, controls, view = asked_runs(sweep, query), controls_of(query), view_of(query)
    opened, _ = open_runs(sweep, selection.names)
    cursor, options = asked_round(query), options_of(controls)
    height_px = lay_out(options.y or ("",), opened or ("",), options.view == MULTIPLES).height_px
    chart = chart_panel(
        "telemetry-figure",
        "Round by round",
        "telemetry-csv",
        csv_href(selection.names, controls, view),
        height=f"{height_px}px",
        controls=html.Div(
            [
                html.Span(cursor_line(sweep, selection.names, cursor), id="telemetry-cursor-line", role="status"),
                button(
                    "telemetry-uncursor",
                    "No cursor",
                    "Take the cursor away",
                    className="gd-button-link",
                    hidden=cursor is None,
                ),
            ],
            className="telemetry-cursor-line",
        ),
        below=html.Div(id="telemetry-notes", className="telemetry-notes"),
        id="telemetry-chart",
        className="telemetry-chart",
    )
    return html.Div(
        [
            page_header("Telemetry", SENTENCE),
            build_picker(sweep, "telemetry", selection),
            build_controls(known_fields(sweep, opened), controls),
            html.Div(id="telemetry-empty"),
            html.Div(id="telemetry-key", className="telemetry-key"),
            chart,
            dcc.Store(id="telemetry-defaults", data=DEFAULTS),
            dcc.Store(id="telemetry-options", data=controls),
            dcc.Store(id="telemetry-seen", data=seen_of(options, view)),
            dcc.Store(id="telemetry-picked"),
            dcc.Store(id="telemetry-cursor", data=cursor),
            dcc.Store(id="telemetry-cursor-run", data=opened[0] if opened else None),
            dcc.Store(id="telemetry-url"),
        ],
        className="telemetry",
    )


def build_controls(fields: dict[str, Column], controls: Controls) -> Component:
    """Which fields, and how they are drawn."""
    colors = {AUTO: "what tells them apart", **COLOR_RUNS_BY}
    views = {OVERLAY: "all in one chart", MULTIPLES: "a chart per run"}
    return html.Div(
        [
            labelled("x", _dropdown("x", field_options(fields, [str(controls["x"])]), controls), inline=True),
            labelled(
                "y",
                _dropdown("y", field_options(fields, list_of(controls["y"])), controls, multi=True),
                "One chart per field, one below the other",
                inline=True,
            ),
            labelled("Runs in", _dropdown("view", _choices(views), controls), inline=True),
            labelled("Colour by", _dropdown("color", _choices(colors), controls), inline=True),
            labelled(
                "Smooth over",
                _number("smooth", 0, controls),
                "Width of a moving mean in simulated hours; 0 draws the rounds as they are",
                inline=True,
            ),
            labelled("JCT of last", _number("n", 1, controls), "Jobs in the windowed mean JCT", inline=True),
            labelled("Rates over", _number("window", 0, controls), "Hours of the windowed rates", inline=True),
            grouped(
                "Log axis",
                dcc.Checklist(
                    id="telemetry-log",
                    options=[{"label": axis, "value": axis} for axis in ("x", "y")],
                    value=controls["log"],
                    inline=True,
                ),
            ),
        ],
        className="telemetry-controls",
    )


def field_options(fields: dict[str, Column], chosen: list[str]) -> list[dict[str, str]]:
    """Fields as a menu lists them; a chosen one that these runs do not have stays, so that it can be taken back."""
    known = [{"label": column.label, "value": name, "title": column.meaning} for name, column in fields.items()]
    return known + [{"label": name, "value": name} for name in chosen if name not in fields]


def _choices(labels: dict[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "value": value} for value, label in labels.items()]


def _dropdown(key: str, options: list[dict[str, str]], controls: Controls, multi: bool = False) -> Component:
    return dcc.Dropdown(
        id=f"telemetry-{key}",
        options=options,
        value=controls[key],
        multi=multi,
        clearable=False,
        searchable=key in ("x", "y"),
        className=f"telemetry-dropdown telemetry-{key}-dropdown",
    )


def _number(key: str, lowest: float, controls: Controls) -> Component:
    units: dict[str, Any] = {"smooth": "h", "n": "jobs", "window": "h"}
    field = dcc.Input(
        id=f"telemetry-{key}",
        type="number",
        min=lowest,
        step="any" if key != "n" else 1,
        value=controls[key],
        debounce=0.4,
        className="telemetry-number",
    )
    return html.Span([field, f" {units[key]}"], id=f"telemetry-{key}-box", className="telemetry-number-box")
