"""What the Cluster page's server side knows: which runs to play, and the frames their rounds are drawn into.

Plain values, tested without an app. The rounds themselves never pass here: the browser reads them from
`web/player_api.py` and does the rest (`assets/player/`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.analysis.phases import Phases
from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.figures.player_frame import build_player_frame
from gavel_dash.figures.scrubber import build_scrubber
from gavel_dash.figures.theme import token
from gavel_dash.formats.vizbin_layout import MAX_GPUS
from gavel_dash.model import Cluster, GpuType
from gavel_dash.ui import query_value, query_values

if TYPE_CHECKING:
    from gavel_dash.sweep import Run, Sweep

#: Runs side by side.
MOST_RUNS = 4
#: Largest figure a browser may ask for, in pixels: what it sends is not trusted.
_MOST_PX = 8192


class RunInfo(TypedDict):
    """What the browser needs to play a run of the sweep; `running` tells how far one is that still runs."""

    name: str
    base: str
    version: str
    n_bytes: int
    index: int
    order: list[int]
    phases: list[int] | None
    running: str


@dataclass(frozen=True)
class Opened:
    """A run that can be played, or the sentence that says why not."""

    info: RunInfo | None
    problem: str = ""


def run_options(sweep: Sweep) -> list[str]:
    """Names of the runs that have rounds to look at, in the order of the run table."""
    return [name for name in sweep.names if sweep.has_rounds(name)]


def _first_run(sweep: Sweep) -> str | None:
    """The run to begin with: one that need not be converted first, where there is one."""
    options = run_options(sweep)
    return next((name for name in options if sweep.is_converted(name)), next(iter(options), None))


def asked_runs(query: Mapping[str, object]) -> list[str]:
    """The runs a query names, each once: A, then those beside it."""
    return list(dict.fromkeys(query_values(query, "run")))[:MOST_RUNS]


def open_view(sweep: Sweep, run_name: str | None, asked_round: str | None = None) -> Opened:
    """Open a run at a round, as the query string asks.

    Parameters
    ----------
    sweep : Sweep
        Where the run is looked up.
    run_name : str or None
        None takes the first run that has rounds.
    asked_round : str or None
        Record index (a run's round numbers need not be unique); one that is none gives the middle of the measurement
        phase, one behind the end the last record.
    """
    if run_name is None:
        run_name = _first_run(sweep)
        if run_name is None:
            return Opened(None, "No run of this sweep has rounds to look at.")
    if run_name not in sweep:
        return Opened(None, f"This sweep has no run named {run_name}.")
    try:
        run = sweep[run_name]
        if not run.n_rounds:
            return Opened(None, f"{run_name} has no rounds: nothing was recorded.")
        index = run.representative_round()
        if asked_round is not None and asked_round.isdecimal():
            index = min(int(asked_round), run.n_rounds - 1)
        return Opened(_describe(run, index, sweep.progress_of_run(run_name)))
    except GavelDashError as error:
        reason = error.found if isinstance(error, SourceError) and error.path == run_name else error
        return Opened(None, f"{run_name} cannot be shown: {reason}")


def _describe(run: Run, index: int, running: str) -> RunInfo:
    phases = run.phases
    return {
        "name": run.name,
        "base": f"/api/runs/{quote(run.name, safe='')}",
        "version": run.viz.content_id,
        "n_bytes": run.viz.n_bytes,
        "index": index,
        "order": list(run.viz.type_order.order),
        "phases": None if phases is None else [phases.measurement_start, phases.measurement_end],
        "running": running,
    }


def open_runs(sweep: Sweep, names: Sequence[str | None], asked_round: str | None = None) -> list[Opened]:
    """Open run A and those beside it, each run once; A at the round that is asked for."""
    first, *beside = names or [None]
    opened = [open_view(sweep, first, asked_round)]
    shown = {opened[0].info["name"]} if opened[0].info else set()
    for name in beside:
        if name is not None and name not in shown and len(opened) < MOST_RUNS:
            shown.add(name)
            opened.append(open_view(sweep, name))
    return opened


def initial_color(query: Mapping[str, object]) -> str:
    """The colouring of a query; by category where it names none."""
    color = query_value(query, "color")
    return color if color in COLOR_BY else "category"


def build_frames(request: Mapping[str, Any], color: str, theme: str) -> dict[str, Any]:
    """The frames of the runs a browser shows.

    Parameters
    ----------
    request : mapping
        ``runs``: per run its ``key``, ``gpu_types`` (name, count, gpus_per_node), ``may_share``, ``width`` and
        ``height``; ``categories`` and ``scale_factors`` of all of them; ``n_positions`` and ``phases`` of the timeline.
    color, theme : str
        See `figures.player_colors`.
    """
    frames = {
        run["key"]: build_player_frame(
            _cluster(run["gpu_types"]),
            theme,
            color,
            height=_pixels(run["height"]),
            width=_pixels(run["width"]),
            categories=[str(category) for category in request["categories"]],
            scale_factors=[int(factor) for factor in request["scale_factors"]],
            may_share=bool(run["may_share"]),
        )
        for run in request["runs"][:MOST_RUNS]
    }
    phases = None if request["phases"] is None else Phases(*(int(edge) for edge in request["phases"]))
    scrubber = build_scrubber(int(request["n_positions"]), phases, theme, n_runs=max(1, len(frames)))
    return {
        "frames": frames,
        "scrubber": scrubber,
        "background": token(theme, "background"),
        "serial": request["serial"],
    }


def _cluster(gpu_types: Sequence[Mapping[str, Any]]) -> Cluster:
    types = tuple(
        GpuType(str(t["name"]), max(0, int(t["count"])), max(0, int(t["gpus_per_node"] or 0)) or None)
        for t in gpu_types
    )
    cluster = Cluster(types)
    if cluster.gpus > MAX_GPUS:
        raise ValueError(f"at most {MAX_GPUS:,} GPUs, not {cluster.gpus:,}")
    return cluster


def _pixels(size: float) -> int:
    return max(40, min(_MOST_PX, int(size)))


def csv_links(run_name: str) -> tuple[str, str]:
    """Addresses of the run's rounds and its jobs as CSV."""
    base = f"/api/runs/{quote(run_name, safe='')}"
    return f"{base}/rounds.csv", f"{base}/jobs.csv"


def problem_links(problem: str) -> list[Component]:
    """The sentence and where to go from it."""
    return [
        html.P(problem, className="gd-empty-sentence"),
        html.Div(
            ["Choose another run above, or see ", dcc.Link("what this sweep holds", href="/"), "."],
            className="gd-empty-next",
        ),
    ]
