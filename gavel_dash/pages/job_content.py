"""Pieces of a job's page: its numbers, and who was on its GPUs at a moment of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.distribution import JOB_MEASURES
from gavel_dash.analysis.job_life import RUNNING, UNKNOWN, Neighbor, Stretch, find_neighbors, find_sharers
from gavel_dash.figures.heatmap_colors import category_label
from gavel_dash.figures.job_lane import unmarked_events
from gavel_dash.model import Cluster
from gavel_dash.pages.job_view import JobView
from gavel_dash.ui import tile

UNSAID = "unknown"


def job_href(run: str, job_id: int) -> str:
    """Address of a job's page."""
    return "/job?" + urlencode({"run": run, "job": job_id})


def cluster_href(view: JobView, index: int) -> str:
    """Address of the Cluster page at a moment of the job."""
    return "/cluster?" + urlencode({"run": view.run.name, "round": index, "job": view.job_id})


def describe(view: JobView) -> str:
    """What the job is, in one line."""
    row = view.row
    scale = row["scale_factor"]
    asks = "asks for an unknown number of GPUs" if scale is None else f"asks for {scale} GPU{'' if scale == 1 else 's'}"
    measured = "measured" if row["in_window"] else "not measured"
    return f"{row['job_type']} · {category_label(row['category'])} · {asks} · {measured}"


def limits(view: JobView) -> list[str]:
    """What the file does not say of the job, a sentence each."""
    said = []
    n_unknown = sum(s.stop - s.start for s in view.stretches if s.state == UNKNOWN)
    if n_unknown:
        said.append(f"In {n_unknown:,} of its rounds the file does not say which jobs hold the GPUs.")
    if not view.stretches:
        said.append("It was in the system in no recorded round, so that there is no life to show.")
    elif not view.ever_ran:
        since = "where the file says who holds the GPUs" if n_unknown else "until the run ended"
        if view.row["completed"]:
            since = "though it completed: the file says nothing about when it ran"
        said.append(f"Job {view.job_id} was never seen on a GPU, {since}.")
    elif view.row["preemptions"] is None and not n_unknown:
        said.append("The file does not tell its times on and off GPUs.")
    return said


def tell_unmarked(view: JobView) -> str:
    """What the chart of the life does not mark; empty where it marks all events."""
    found = unmarked_events(view.stretches)
    if not found:
        return ""
    which = ", ".join(f"{words} ({count:,}×)" for words, count in found.items())
    return (
        f"Too many events to mark each: only the first has a mark in the chart for {which}, however far it is zoomed "
        "in. The rows show them all, and the table of stretches lists them."
    )


def build_tiles(view: JobView) -> list[Component]:
    """The job in numbers; what is not known says so."""
    row = view.row
    completed = row["completed"]
    so_far = max(0.0, float(view.run.time_h[-1]) - row["arrival_time_h"]) if view.run.n_rounds else None
    jct = tile("JCT", _hours(row["jct_h"]), "completed") if completed else None
    if jct is None:
        jct = tile("JCT", UNSAID if so_far is None else f"> {_hours(so_far)}", "not completed when the run ended")
    started = row["first_start_time_h"]
    never = not completed and started is None and row["queueing_time_h"] is not None
    start_detail = "never started" if never else None if started is None else f"first start at {_hours(started)}"
    share = None
    if row["run_time_h"] and row["jct_h"]:
        share = f"JCT / run time {row['jct_h'] / row['run_time_h']:,.2f}"
    return [
        tile("Arrival", _hours(row["arrival_time_h"]), f"round {row['arrival_round']:,}"),
        tile(
            "Wait to start",
            f"> {_hours(so_far)}" if never else _hours(row["wait_to_start_h"]),
            start_detail,
            title=_sentence(JOB_MEASURES["wait_to_start_h"].meaning),
        ),
        tile("Queueing", _hours(row["queueing_time_h"]), "all time without a GPU"),
        tile("Run time", _hours(row["run_time_h"]), share or "time on GPUs"),
        jct,
        tile("GPU-hours", _number(row["gpu_hours"], 1), None),
        tile("Preemptions", _number(row["preemptions"]), None),
        tile("Migrations", _number(row["migrations"]), _types_moved(row["type_migrations"])),
        tile("GPU types", (row["gpu_types"] or "none") if row["gpu_types"] is not None else UNSAID, "it ran on"),
    ]


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _types_moved(count: int | None) -> str | None:
    return None if count is None else f"{count:,} to other types"


def _hours(value: float | None) -> str:
    if value is None:
        return UNSAID
    return f"{value:,.2f} h" if abs(value) < 10 else f"{value:,.1f} h"


def _number(value: float | None, digits: int = 0) -> str:
    return UNSAID if value is None else f"{value:,.{digits}f}"


def tell_moment(view: JobView, index: int) -> str:
    """When the moment is, and what the job does then."""
    run = view.run
    when = f"{run.time_h[index]:,.2f} h, round {int(run.viz.round_heads['round'][index]):,} "
    when += f" (record {index + 1:,} of {run.n_rounds:,})"
    stretch = view.stretch_at(index)
    if stretch is None:
        started = bool(view.stretches) and index >= view.stretches[-1].stop
        return f"{when}: {'no longer' if started else 'not yet'} in the system"
    doing = "the file does not say" if stretch.state == UNKNOWN else stretch.state
    rounds = stretch.stop - stretch.start
    return f"{when}: {doing}, for {rounds:,} round{'' if rounds == 1 else 's'} until {run.edges_h[stretch.stop]:,.2f} h"


def shown_stretch(view: JobView, index: int) -> Stretch | None:
    """The running stretch at a moment, else the next one, else the last before it."""
    running = [s for s in view.stretches if s.state == RUNNING]
    return next((s for s in running if s.stop > index), running[-1] if running else None)


def build_neighbors(view: JobView, index: int, node_sizes: Mapping[str, int]) -> list[Component]:
    """Who held the job's GPUs before and after it, and who was beside it, around a moment."""
    stretch = shown_stretch(view, index)
    if stretch is None:
        return [html.P("It is seen on no GPU, so that it has no neighbours.", className="gd-muted")]
    run, found = view.run, find_neighbors(view.nearby, view.job_id, stretch, view.run.records_without_allocation)
    parts: list[Component] = []
    if not stretch.start <= index < stretch.stop:
        parts.append(
            html.P(
                "It holds no GPU at this moment. These are the GPUs of its stretch from "
                f"{run.edges_h[stretch.start]:,.2f} to {run.edges_h[stretch.stop]:,.2f} h.",
                className="gd-muted",
            )
        )
    heads = ("GPU", "Before", "This job from", "to", "After")
    parts.append(
        html.Table(
            [
                html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])),
                html.Tbody([_neighbor_row(view, neighbor) for neighbor in found]),
            ],
            className="job-neighbors-table",
        )
    )
    return [*parts, *_sharing(view, stretch, node_sizes)]


def _neighbor_row(view: JobView, neighbor: Neighbor) -> Component:
    run, lanes_per_gpu = view.run, view.run.viz.lanes_per_gpu
    gpu = neighbor.lane // lanes_per_gpu
    name = f"{run.cluster.gpu_types[view.types[gpu]].name} {gpu}"
    if lanes_per_gpu > 1:
        name += f", quarter {neighbor.lane % lanes_per_gpu + 1}"
    before, after = (neighbor.before, neighbor.before_known), (neighbor.after, neighbor.after_known)
    return html.Tr(
        [
            html.Th(name, scope="row"),
            html.Td(_holder(run.name, *before, "the run begins here" if neighbor.start == 0 else UNSAID)),
            html.Td(f"{run.edges_h[neighbor.start]:,.2f} h"),
            html.Td(f"{run.edges_h[neighbor.stop]:,.2f} h"),
            html.Td(_holder(run.name, *after, "the run ends here" if neighbor.stop == run.n_rounds else UNSAID)),
        ]
    )


def _holder(run: str, job_id: int | None, known: bool, otherwise: str) -> Any:
    if job_id is not None:
        return dcc.Link(f"job {job_id}", href=job_href(run, job_id))
    return html.Span("idle" if known else otherwise, className="gd-muted")


def _sharing(view: JobView, stretch: Stretch, node_sizes: Mapping[str, int]) -> list[Component]:
    """Who was on the same GPUs (where they are shared) and on the same nodes (where their size is known)."""
    parts, lanes_per_gpu = [], view.run.viz.lanes_per_gpu
    gpu_of_lane = np.arange(len(view.types) * lanes_per_gpu) // lanes_per_gpu
    if lanes_per_gpu > 1:
        on_gpu = find_sharers(view.nearby, view.job_id, stretch, gpu_of_lane)
        parts.append(_sharers(view, "On the same GPUs", {f"GPU {gpu}": jobs for gpu, jobs in on_gpu.items()}))
    nodes, names = node_of_gpu(view.run.cluster, node_sizes)
    lanes = [lane for lane in stretch.lanes if nodes[gpu_of_lane[lane]] >= 0]
    unsized = {
        view.run.cluster.gpu_types[view.types[lane // lanes_per_gpu]].name for lane in set(stretch.lanes) - set(lanes)
    }
    if lanes:
        sized = Stretch(stretch.start, stretch.stop, stretch.state, stretch.event, tuple(lanes))
        on_node = find_sharers(view.nearby, view.job_id, sized, nodes[gpu_of_lane])
        parts.append(_sharers(view, "On the same nodes", {names[node]: jobs for node, jobs in on_node.items()}))
    if unsized:
        sentence = f"How many GPUs a node of {', '.join(sorted(unsized))} has is not known, nor who shared it."
        parts.append(html.P(sentence, className="gd-muted"))
    return parts


def _sharers(view: JobView, title: str, found: Mapping[str, list[int]]) -> Component:
    lines = []
    for name, jobs in found.items():
        links: list[Any] = []
        for job_id in jobs[:30]:
            links += [dcc.Link(str(job_id), href=job_href(view.run.name, job_id)), ", "]
        more = f" and {len(jobs) - 30:,} more" if len(jobs) > 30 else ""
        lines.append(html.Li([f"{name}: ", *(["jobs ", *links[:-1], more] if jobs else ["no other job"])]))
    return html.Div([html.H3(f"{title} during this stretch", className="job-subtitle"), html.Ul(lines)])


def node_of_gpu(cluster: Cluster, node_sizes: Mapping[str, int]) -> tuple[np.ndarray, list[str]]:
    """Node of each GPU, shape (n_gpus,), -1 where its type's node size is unknown or 1; and the nodes' names.

    What the file says of a type comes first, then `node_sizes`.
    """
    nodes, names = np.full(cluster.gpus, -1), list[str]()
    for gpu_type, first in zip(cluster.gpu_types, cluster.first_gpus, strict=True):
        size = gpu_type.gpus_per_node or node_sizes.get(gpu_type.name) or 1
        if size > 1:
            nodes[first : first + gpu_type.count] = len(names) + np.arange(gpu_type.count) // size
            names += [f"{gpu_type.name} node {n}" for n in range(-(-gpu_type.count // size))]
    return nodes, names
