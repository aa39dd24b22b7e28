"""Which runs a page looks at: read from the address, chosen with one picker on every page that shows several runs.

The query holds `run` (one per run) and `round`, the record index under the cursor in the first of them; other runs are
aligned with it by simulated time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from gavel_dash.ui import LIVE_NAMES, LIVE_SHOWN, do_again, query_value, query_values

if TYPE_CHECKING:
    from gavel_dash.sweep import LiveSweep, Sweep

MOST_RUNS = 50


@dataclass(frozen=True)
class Selection:
    """Names of the chosen runs, each once, and a sentence for each that cannot be shown, or not to its end."""

    names: tuple[str, ...]
    problems: tuple[str, ...] = ()


def asked_runs(sweep: Sweep, query: Mapping[str, object]) -> Selection:
    """The runs a query names, or those of `default_selection` where it names none."""
    return choose_runs(sweep, query_values(query, "run")) if query_values(query, "run") else default_selection(sweep)


def choose_runs(sweep: Sweep, names: Sequence[str]) -> Selection:
    """Of the runs named those that have rounds to look at, at most `MOST_RUNS`."""
    chosen: list[str] = []
    problems: list[str] = []
    asked = list(dict.fromkeys(names))
    for name in asked:
        if name not in sweep:
            problems.append(f"This sweep has no run named {name}.")
        elif not sweep.has_rounds(name):
            problems.append(f"{name} has no rounds to look at.")
        else:
            chosen.append(name)
            if sweep.is_running(name):
                problems.append(f"{name} is still running: what there is so far is shown.")
    if len(chosen) > MOST_RUNS:
        problems.append(f"At most {MOST_RUNS} runs can be shown at once: the first {MOST_RUNS} of {len(chosen)} are.")
    return Selection(tuple(chosen[:MOST_RUNS]), tuple(problems))


def default_selection(sweep: Sweep) -> Selection:
    """The first unstable run with jobs, else the first with jobs, else any; and those that differ in policy only."""
    runs = _with_rounds(sweep)
    converted = runs["run"].map(sweep.is_converted).astype(bool)
    runs = runs[converted] if converted.any() else runs
    if runs.empty:
        return Selection((), ("No run of this sweep has rounds to look at.",))
    unstable = runs[runs["verdict"] == "unstable"].sort_values("arrival_rate_jph", kind="stable")
    with_jobs = runs["jobs"].fillna(0) > 0
    ranked = (unstable[with_jobs[unstable.index]], runs[with_jobs], runs)
    first = next(table for table in ranked if len(table)).iloc[0]
    same = ["figure", "setting", "arrival_rate_jph", "seed", "cluster", "placement", "trace"]
    alike = pd.Series(True, runs.index)
    for key in same:
        alike &= (runs[key] == first[key]).fillna(False) | (runs[key].isna() & pd.isna(first[key]))
    others = [] if pd.isna(first["arrival_rate_jph"]) else [name for name in runs["run"][alike] if name != first["run"]]
    return Selection((str(first["run"]), *others[: MOST_RUNS - 1]))


def _with_rounds(sweep: Sweep) -> pd.DataFrame:
    runs = sweep.runs()
    return runs[runs["run"].map(sweep.has_rounds).astype(bool)]


def asked_round(query: Mapping[str, object]) -> int | None:
    """Record index under the cursor in the first run, as the query names it."""
    text = query_value(query, "round") or ""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def build_picker(sweep: Sweep, page: str, selection: Selection) -> Component:
    """The menu of runs (`<page>-runs`), and one that adds all runs of a curve at once (`<page>-add`)."""
    runs = _with_rounds(sweep)
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Runs", htmlFor=f"{page}-runs", className="gd-label"),
                    dcc.Dropdown(
                        id=f"{page}-runs",
                        options=runs["run"].tolist(),
                        value=list(selection.names),
                        multi=True,
                        placeholder="Choose runs",
                        className="gd-runs-menu",
                    ),
                ],
                className="gd-labelled gd-labelled-inline gd-runs",
            ),
            html.Div(
                [
                    html.Label("Add", htmlFor=f"{page}-add", className="gd-label"),
                    dcc.Dropdown(
                        id=f"{page}-add",
                        options=_curve_options(runs),
                        placeholder="all runs of a curve",
                        className="gd-runs-add",
                    ),
                ],
                className="gd-labelled gd-labelled-inline",
                title=f"Add every run of one curve to the selection; at most {MOST_RUNS} runs in all",
            ),
            html.Div(
                [html.P(problem) for problem in selection.problems],
                id=f"{page}-run-problems",
                className="gd-run-problems",
                role="status",
            ),
        ],
        className="gd-picker",
    )


def _curve_options(runs: pd.DataFrame) -> list[dict[str, str]]:
    counts = runs["curve"].value_counts(sort=False)
    return [{"label": f"{curve} ({n} run{'' if n == 1 else 's'})", "value": str(curve)} for curve, n in counts.items()]


def add_curve(sweep: Sweep, names: Sequence[str], curve: str) -> list[str]:
    """The selection with all runs of a curve that have rounds behind it, at most `MOST_RUNS`."""
    runs = sweep.runs()
    of_curve = [name for name in runs["run"][runs["curve"] == curve] if sweep.has_rounds(name)]
    return list(dict.fromkeys([*names, *of_curve]))[:MOST_RUNS]


def register_picker(app: Dash, live: LiveSweep, page: str) -> None:
    """Register what the picker of a page does by itself; what follows from its choice is done again as runs change."""
    do_again(app, LIVE_SHOWN, f"{page}-runs", "value")

    @app.callback(
        Output(f"{page}-runs", "options"),
        Output(f"{page}-add", "options"),
        Input(LIVE_NAMES, "data"),
        State(f"{page}-runs", "value"),
        prevent_initial_call=True,
    )
    def offer(_names: str, chosen: list[str] | None) -> tuple[list[str], list[dict[str, str]]]:
        runs = _with_rounds(live.now)
        # What is on screen stays there when its file goes.
        return list(dict.fromkeys([*runs["run"], *(chosen or [])])), _curve_options(runs)

    @app.callback(
        Output(f"{page}-runs", "value"),
        Output(f"{page}-add", "value"),
        Input(f"{page}-add", "value"),
        State(f"{page}-runs", "value"),
        prevent_initial_call=True,
    )
    def add(curve: str | None, names: list[str] | None) -> tuple[list[str], None]:
        return add_curve(live.now, names or [], curve) if curve else list(names or []), None

    @app.callback(
        Output(f"{page}-run-problems", "children"),
        Input(f"{page}-runs", "value"),
        prevent_initial_call=True,
    )
    def say_problems(names: list[str] | None) -> list[Component]:
        return [html.P(problem) for problem in choose_runs(live.now, names or []).problems]
