"""The right third: the cluster at the clicked point, one round of one of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.analysis.phases import MEASUREMENT
from gavel_dash.errors import GavelDashError
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_traces import jct_text
from gavel_dash.figures.heatmap import build_heatmap
from gavel_dash.figures.heatmap_colors import category_label
from gavel_dash.figures.round_cells import cells_of_round
from gavel_dash.figures.saturation import SaturationData
from gavel_dash.figures.sparkline import HEIGHT_PX as SPARKLINE_HEIGHT_PX
from gavel_dash.figures.sparkline import build_sparkline
from gavel_dash.pages.saturation.data import Selection, point_choice, point_options, seed_options
from gavel_dash.ui import labelled, panel

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

NOT_SAID = "Hatched: GPUs are in use in this round, but the file does not say by whom."
HEATMAP_HEIGHT_PX, HEATMAP_WIDTH_PX = 190, 420
STEPS = (
    (-10, "−10", "Ten rounds back"),
    (-1, "−1", "One round back"),
    (1, "+1", "One round on"),
    (10, "+10", "Ten rounds on"),
)


def build_panel(data: SaturationData, selection: Selection) -> Component:
    """The panel's frame with every id its callbacks fill; nothing in it changes its height."""
    return panel(
        [
            labelled(
                "Point",
                dcc.Dropdown(
                    id="saturation-choice",
                    options=point_options(data),
                    value=point_choice(data, selection["run"]),
                    clearable=False,
                    maxHeight=320,
                    className="saturation-choice",
                ),
                "Click a point of a chart, or choose one here",
                inline=True,
            ),
            html.Div(id="saturation-point-heading", className="saturation-point-heading"),
            dcc.RadioItems(
                id="saturation-seed",
                options=seed_options(data, selection["run"]),
                value=selection["run"],
                className="saturation-seeds",
                inline=True,
            ),
            html.P(id="saturation-no-rounds", className="saturation-no-rounds", hidden=True, role="status"),
            html.Div(
                [
                    html.Div(
                        id="saturation-round-heading", className="saturation-round-heading", **{"aria-live": "polite"}
                    ),
                    html.Div(
                        [
                            *(_step_button(*step) for step in STEPS),
                            html.A(
                                "Open in Cluster",
                                id="saturation-open-cluster",
                                href="/cluster",
                                className="gd-button gd-button-primary",
                            ),
                        ],
                        className="saturation-steps",
                    ),
                    _graph(
                        "saturation-jobs-figure",
                        SPARKLINE_HEIGHT_PX,
                        "Jobs in the system over the run; the line is the round shown",
                    ),
                    _graph(
                        "saturation-heatmap-figure", HEATMAP_HEIGHT_PX, "GPUs of the cluster in this round, by type"
                    ),
                    html.Div(id="saturation-round-facts"),
                ],
                id="saturation-round",
            ),
        ],
        title="The cluster at this point",
        className="saturation-point",
        id="saturation-point",
    )


@dataclass(frozen=True)
class PointTexts:
    """What the panel says of a selection."""

    heading: list[Any]
    why_no_rounds: str | None
    round_heading: list[Any]
    facts: list[Component]
    cluster_href: str


def describe(sweep: Sweep, data: SaturationData, selection: Selection) -> PointTexts:
    """Everything in words and numbers about the selected run and round."""
    run_name, index = selection["run"], selection["round"]
    rows = data.runs[data.runs["run"] == run_name]
    if run_name is None or rows.empty:
        return PointTexts([], "Click a point of a chart to see the cluster behind it.", [], [], "/cluster")
    row = rows.iloc[0]
    heading = _point_heading(row, data.curves)
    href = f"/cluster?{urlencode({'run': run_name} if index is None else {'run': run_name, 'round': index})}"
    if index is None:
        return PointTexts(heading, _why_no_rounds(sweep, row), [], [], href)
    run = sweep[run_name]
    return PointTexts(heading, None, _round_heading(run, index), _round_facts(run, index), href)


def draw_round(run: Run, index: int, theme: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Jobs in the system over the run, and the heatmap of the round."""
    heads = run.viz.round_heads
    hours = heads["sim_time_s"].astype(float) / SECONDS_PER_HOUR
    in_system = heads["jobs_running"].astype("int64") + heads["jobs_queued"].astype("int64")
    jobs = build_sparkline(hours, in_system, run.phases, index, theme)
    heatmap = build_heatmap(cells_of_round(run, index), theme, height=HEATMAP_HEIGHT_PX, width=HEATMAP_WIDTH_PX)
    return jobs, heatmap


def _point_heading(row: pd.Series, curves: pd.DataFrame) -> list[Any]:
    censored = not pd.isna(row["mean_jct_is_lower_bound"]) and bool(row["mean_jct_is_lower_bound"])
    jct = "no mean JCT" if pd.isna(row["mean_jct_h"]) else f"mean JCT {jct_text(row['mean_jct_h'], censored)}"
    of = ""
    if not pd.isna(row["n_window"]) and not pd.isna(row["n_completed"]):
        of = f", {row['n_completed']:,} of {row['n_window']:,} window jobs completed"
    point = curves[(curves["curve"] == row["curve"]) & (curves["arrival_rate_jph"] == row["arrival_rate_jph"])]
    if row["n_at_point"] > 1 and len(point) and not pd.isna(point["mean_jct_h"].iloc[0]):
        # The chart's point is the mean over seeds; the panel is about one of them.
        if not pd.isna(row["seed"]):
            jct = f"seed {row['seed']}: {jct}"
        of += f"; mean of {point['n_seeds'].iloc[0]} seeds {point['mean_jct_h'].iloc[0]:.1f} h"
    return [
        html.Strong(jct),
        of,
        html.Div(row["run"], className="saturation-run gd-muted"),
    ]


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


def _step_button(by: int, label: str, hint: str) -> Component:
    id = {"type": "saturation-step", "by": by}
    return html.Button(
        label, id=id, n_clicks=0, type="button", title=hint, className="gd-button", **{"aria-label": hint}
    )


def _graph(id: str, height_px: int, label: str) -> Component:
    empty = {
        "data": [],
        "layout": look.layout("light", height=height_px, xaxis={"visible": False}, yaxis={"visible": False}),
    }
    config = look.GRAPH_CONFIG | {"displayModeBar": False}
    graph = dcc.Graph(id=id, figure=empty, config=config, style={"height": f"{height_px}px"})
    return html.Div(graph, role="img", **{"aria-label": label})
