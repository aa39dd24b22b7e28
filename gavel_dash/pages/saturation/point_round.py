"""One round of the selected run: its words and numbers, its pictures, and the rounds that matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.measures import lower_bounds
from gavel_dash.analysis.phases import MEASUREMENT
from gavel_dash.analysis.stability import CONFIDENCE
from gavel_dash.analysis.turning_points import highest_backlog, start_of_growth
from gavel_dash.errors import GavelDashError
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_traces import measure_words, value_text
from gavel_dash.figures.heatmap import build_heatmap
from gavel_dash.figures.heatmap_colors import category_label
from gavel_dash.figures.round_cells import cells_of_round
from gavel_dash.figures.saturation import SaturationData
from gavel_dash.figures.sparkline import build_sparkline
from gavel_dash.pages.saturation.data import Selection

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

NOT_SAID = "Hatched: GPUs are in use in this round, but the file does not say by whom."
HEATMAP_HEIGHT_PX, HEATMAP_WIDTH_PX = 190, 420


@dataclass(frozen=True)
class PointTexts:
    """What the panel says of a selection."""

    heading: list[Any]
    why_no_rounds: str | None
    round_heading: list[Any]
    facts: list[Component]
    cluster_href: str
    rounds_href: str


def describe(sweep: Sweep, data: SaturationData, selection: Selection) -> PointTexts:
    """Everything in words and numbers about the selected run and round."""
    run_name, index = selection["run"], selection["round"]
    rows = data.runs[data.runs["run"] == run_name]
    if run_name is None or rows.empty:
        return PointTexts([], "Click a point of a chart to see the cluster behind it.", [], [], "/cluster", "")
    heading = _point_heading(rows, data)
    href = f"/cluster?{urlencode({'run': run_name} if index is None else {'run': run_name, 'round': index})}"
    if index is None:
        return PointTexts(heading, _why_no_rounds(sweep, rows.iloc[0]), [], [], href, "")
    run = sweep[run_name]
    rounds_href = f"/api/runs/{quote(run_name, safe='')}/rounds.csv"
    return PointTexts(heading, None, _round_heading(run, index), _round_facts(run, index), href, rounds_href)


def draw_round(
    run: Run, index: int, theme: str, confidence: float = CONFIDENCE
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Jobs in the system over the run with the evidence for its verdict, and the heatmap of the round."""
    heads = run.viz.round_heads
    queued = heads["jobs_queued"].astype("int64")
    in_system = heads["jobs_running"].astype("int64") + queued
    mser_cut_h = run.steadiness.mser_cut_h if run.steadiness is not None else None
    jobs = build_sparkline(
        _hours(run), in_system, run.phases, index, theme, run.evidence, confidence, mser_cut_h, queued
    )
    heatmap = build_heatmap(cells_of_round(run, index), theme, height=HEATMAP_HEIGHT_PX, width=HEATMAP_WIDTH_PX)
    return jobs, heatmap


def moment_options(sweep: Sweep, selection: Selection) -> list[dict[str, Any]]:
    """The rounds that matter as choices; a value ends with its record index, and one that is not there says why.

    Queued jobs are those the round counts, as in the chart and in the CSV of rounds; a file whose lists of waiting
    jobs differ from its counts has a finding that says so.
    """
    if selection["run"] is None or selection["round"] is None:
        return []
    run = sweep[selection["run"]]
    queued, evidence = run.viz.round_heads["jobs_queued"].astype("int64"), run.evidence
    start, growth = 0 if run.phases is None else run.phases.measurement_start, None
    why_no_growth = "There are too few rounds after warm-up to tell."
    if evidence is not None:
        hours = _hours(run)
        start = int(np.searchsorted(hours, evidence.start_h))
        stop = int(np.searchsorted(hours, evidence.stop_h, side="right"))
        growth = start_of_growth(queued, start, stop)
        why_no_growth = "The backlog does not grow for good: close to the last arrival it is at its lowest again."
    middle = "middle of the window" if run.phases is not None else "middle of the run"
    after = "After warm-up, the first round with the most queued jobs."
    grows = "After this round, and until the last arrival, the number of queued jobs never comes back to what it was."
    return [
        _moment("middle", middle, run.representative_round(), "The round that a click on a point opens.", ""),
        _moment("highest", "highest backlog", highest_backlog(queued, start), after, "No round is after warm-up."),
        _moment("grows", "backlog only grows from here", growth, grows, why_no_growth),
    ]


def moment_at(options: list[dict[str, Any]], index: int | None) -> str | None:
    """The first choice that is this record; None where none is."""
    return next((option["value"] for option in options if option["value"].endswith(f":{index}")), None)


def _moment(key: str, label: str, index: int | None, hint: str, why_not: str) -> dict[str, Any]:
    known = index is not None
    value = f"{key}:{index}" if known else key
    return {"label": label, "value": value, "disabled": not known, "title": hint if known else why_not}


def _hours(run: Run) -> np.ndarray:
    return run.viz.round_heads["sim_time_s"].astype(float) / SECONDS_PER_HOUR


def _point_heading(rows: pd.DataFrame, data: SaturationData) -> list[Any]:
    row, measure = rows.iloc[0], data.measure
    value, words = row[measure.name], measure_words(measure)
    is_bound = bool(lower_bounds(rows, measure).iloc[0])
    text = f"no {words}" if pd.isna(value) else f"{words} {value_text(value, measure, is_bound)}"
    of = ""
    if not pd.isna(row["n_window"]) and not pd.isna(row["n_completed"]):
        of = f", {row['n_completed']:,} of {row['n_window']:,} window jobs completed"
    curves = data.curves
    point = curves[(curves["curve"] == row["curve"]) & (curves["arrival_rate_jph"] == row["arrival_rate_jph"])]
    if row["n_at_point"] > 1 and len(point) and not pd.isna(point[measure.name].iloc[0]):
        # The chart's point is the mean over seeds; the panel is about one of them.
        if not pd.isna(row["seed"]):
            text = f"seed {row['seed']}: {text}"
        mean = value_text(point[measure.name].iloc[0], measure, bool(point["is_lower_bound"].iloc[0]))
        of += f"; mean of {point['n_seeds'].iloc[0]} seeds {mean}"
    return [html.Strong(text), of, html.Div(row["run"], className="saturation-run gd-muted")]


def _round_heading(run: Run, index: int) -> list[Any]:
    head = run.viz.round_heads[index]
    unknown = "no window is known" if run.window is None else "no window job arrived"
    phase = run.phases.of(index) if run.phases is not None else unknown
    badge = "saturation-phase" + (" saturation-phase-measured" if phase == MEASUREMENT else "")
    return [
        html.Span(
            [
                html.Strong(f"Round {int(head['round']):,}"),
                f" · {float(head['sim_time_s']) / SECONDS_PER_HOUR:,.1f} h · ",
                html.Span(phase, className=badge),
            ]
        ),
        html.Span(f"record {index + 1:,} of {run.n_rounds:,}", className="gd-muted saturation-record"),
    ]


def _round_facts(run: Run, index: int) -> list[Component]:
    head, used = run.viz.round_heads[index], run.viz.gpus_used[index]
    bars = [_bar(t.name, int(n), t.count) for t, n in zip(run.cluster.gpu_types, used, strict=True)]
    queue = run.queue_table(index)
    sizes = queue["scale_factor"].value_counts(dropna=False).sort_index()
    waiting = [html.Span(f"{_size(size)}: {n:,}", className="saturation-size") for size, n in sizes.items()]
    return [
        html.Div(_legend(run, index) if run.viz.has_allocation(index) else NOT_SAID, className="saturation-legend"),
        html.Div(bars, className="saturation-bars"),
        html.Div(
            [html.Strong(f"{int(head['jobs_running']):,}"), " running, ", html.Strong(f"{len(queue):,}"), " queued"]
        ),
        html.Div(
            waiting or [html.Span("nothing waits", className="gd-muted")],
            className="saturation-queue",
            title="Queued jobs by scale factor",
        ),
    ]


def _size(scale_factor: Any) -> str:
    if pd.isna(scale_factor):
        return "size unknown"
    return "1 GPU" if scale_factor == 1 else f"{scale_factor} GPUs"


def _legend(run: Run, index: int) -> list[Component]:
    categories = cells_of_round(run, index, most_cells_back=0).categories
    # Several names of one category share an entry.
    entries = dict.fromkeys(category_label(category) for category in categories)
    return [
        html.Span([html.Span(className="saturation-square", style={"background": color}), name])
        for name, color in [*((name, look.category_color(name)) for name in entries), ("Idle", "var(--gd-panel)")]
    ]


def _bar(name: str, used: int, count: int) -> Component:
    share = used / count if count else 0.0
    return html.Div(
        [
            html.Span(name.upper(), className="saturation-bar-name", title=name),
            html.Span(
                html.Span(style={"width": f"{min(share, 1):.1%}"}),
                className="saturation-bar",
                **{"aria-hidden": "true"},
            ),
            html.Span(f"{used:,} / {count:,}  {share:.1%}", className="saturation-bar-value"),
        ],
        className="saturation-bar-row",
    )


def _why_no_rounds(sweep: Sweep, row: pd.Series) -> str:
    if row["status"] == "table":
        return (
            "This run is known from a results table only: there are no rounds to look at. "
            "Its simulator log, converted beside the table, would bring them."
        )
    try:
        sweep[row["run"]].viz  # noqa: B018 (the reason is in the error it raises)
    except (GavelDashError, OSError) as error:
        return f"The rounds of this run cannot be shown: {error}"
    return "The file of this run holds no rounds."
