"""What the callbacks show over time: the chosen runs, read as far as they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import numpy as np
from dash import html, no_update
from dash.development.base_component import Component

from gavel_dash.analysis.fragmentation_rounds import RunRounds
from gavel_dash.errors import GavelDashError
from gavel_dash.figures.fragmentation import build_over_time, chart_height_px, cursor_shapes
from gavel_dash.figures.fragmentation_nodes import build_node_bars
from gavel_dash.figures.run_style import RunStyle, default_color, style_runs
from gavel_dash.figures.theme import layout as empty_layout
from gavel_dash.pages.fragmentation.csv import node_fragmentation_table
from gavel_dash.pages.fragmentation.data import Progress, advance, means_of_run, read_rounds, runs_of_curves
from gavel_dash.pages.fragmentation.layout import SWEEP
from gavel_dash.pages.fragmentation.over_time import build_key, build_why, notes_of
from gavel_dash.pages.node_sizes import format_node_sizes, parse_node_sizes
from gavel_dash.pages.selection import choose_runs
from gavel_dash.ui import keep_zoom

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

#: Hours in view: ``range`` (low, high), and whether the browser has ``drawn`` it already. None: everything.
View = Mapping[str, Any] | None


def compute_slice(
    sweep: Sweep, tab: str, names: Sequence[str], sizes: Mapping[str, int], before: Progress | None
) -> Progress:
    """One slice of the work behind a tab: the chosen runs, or all of the sweep.

    Returns
    -------
    dict
        As `data.advance`, with `tab`, `nodes` (as a query spells node sizes) and the chosen runs under `names`.
    """
    nodes = format_node_sizes(sizes)
    if tab == SWEEP:
        chosen: list[str] = []
        progress = advance(
            runs_of_curves(sweep)["run"].tolist(),
            f"{tab} {nodes} {sweep.results_version}",
            before,
            lambda name: means_of_run(sweep, name, sizes),
        )
    else:
        chosen = list(choose_runs(sweep, names).names)
        key = " ".join([tab, nodes, *(f"{name}@{sweep.state_of_run(name)}" for name in chosen)])
        progress = advance(chosen, key, before, lambda name: read_rounds(sweep[name], sizes))
    return {**progress, "tab": tab, "nodes": nodes, "names": chosen}


def work_line(progress: Progress) -> list[Component]:
    """The bar of unfinished work; what went wrong with a chosen run."""
    done, total = progress["done"], progress["total"]
    line: list[Component] = []
    if done < total:
        words = f"computing {done + 1} of {total} runs"
        line = [html.Progress(value=str(done), max=str(total), **{"aria-label": words}), html.Span(words)]
    if progress["tab"] != SWEEP:
        line += [html.P(f"{name} cannot be shown: {reason}") for name, reason in progress["problems"]]
    return line


def computed(progress: Progress) -> list[str]:
    """The chosen runs that are read and can be shown."""
    damaged = {name for name, _ in progress["problems"]}
    return [name for name in progress["names"][: progress["done"]] if name not in damaged]


def rounds_of(sweep: Sweep, progress: Progress, name: str) -> RunRounds:
    """A computed run; the run itself remembers what takes long."""
    return read_rounds(sweep[name], parse_node_sizes(progress["nodes"]))


def one_of(progress: Progress, of: str | None) -> str | None:
    """The run of the stacks: the asked one, else the first computed."""
    names = computed(progress)
    return of if of in names else next(iter(names), None)


@dataclass(frozen=True)
class TimeChart:
    """What the left side shows."""

    figure: Any
    height_px: int
    key: list[Component]
    notes: list[str]
    csv_href: str


def build_time(
    sweep: Sweep,
    progress: Progress,
    of: str | None,
    split: str,
    size: int,
    view: View,
    theme: str,
    cursor: int | None,
) -> TimeChart:
    """The chart of the runs computed so far; a patch that keeps the zoom where there is one."""
    names = computed(progress)
    one_name = one_of(progress, of)
    if one_name is None:
        axes = {"visible": False}
        note = "Choose a run above." if not progress["names"] else "None of the chosen runs can be shown."
        empty = {"data": [], "layout": empty_layout(theme, xaxis=axes, yaxis=axes)}
        return TimeChart(empty, chart_height_px(1), [], [note], "")
    runs = {name: rounds_of(sweep, progress, name) for name in names}
    shown, one = list(runs.values()), runs[one_name]
    styles = styles_of(sweep, progress["names"])
    low_high = hours_in(view, shown)
    cursor_h = None if cursor is None else _hour(shown[0], cursor)
    figure = build_over_time(shown, styles, one, theme, split, size, low_high, cursor_h)
    return TimeChart(
        keep_zoom(figure, ("xaxis",)) if low_high and view and view["drawn"] else figure,
        figure["layout"]["height"],
        build_key(shown, styles),
        notes_of(shown, styles),
        run_href(one_name, "fragmentation", progress["nodes"]),
    )


def hours_in(view: View, shown: Sequence[RunRounds]) -> tuple[float, float] | None:
    """The part of a view in which any of the runs has rounds; None: everything."""
    if view is None:
        return None
    end_h = max((float(rounds.time_h[-1]) for rounds in shown if rounds.n_rounds), default=0.0)
    low, high = max(0.0, float(view["range"][0])), min(end_h, float(view["range"][1]))
    return (low, high) if low < high else None


def styles_of(sweep: Sweep, names: Sequence[str]) -> dict[str, RunStyle]:
    """Style of each chosen run, the same however many are computed; solid lines where the pattern tells nothing."""
    runs = sweep.runs()
    styles = style_runs(runs, names, default_color(runs, names))
    several = len({style.dash for style in styles.values()}) > 1
    return styles if several else {name: replace(style, dash="solid") for name, style in styles.items()}


def _hour(rounds: RunRounds, cursor: int) -> float | None:
    return float(rounds.time_h[min(max(cursor, 0), rounds.n_rounds - 1)]) if rounds.n_rounds else None


def run_href(name: str, kind: str, nodes: str, **query: int) -> str:
    """Address of one of a run's CSV tables."""
    arguments = {**({"nodes": nodes} if nodes else {}), **query}
    return f"/api/runs/{quote(name)}/{kind}.csv" + (f"?{urlencode(arguments)}" if arguments else "")


def build_nodes(
    sweep: Sweep, progress: Progress, of: str | None, view: View, theme: str
) -> tuple[dict[str, Any], bool, str | None, str]:
    """Bars of the nodes over the rounds in view, whether there are none to show, their CSV, and what they are of."""
    name = one_of(progress, of)
    if name is None or not rounds_of(sweep, progress, name).fragmentation.can_fragment:
        return {"data": [], "layout": {}}, True, "", ""
    rounds = rounds_of(sweep, progress, name)
    label = styles_of(sweep, progress["names"])[name].label
    hours = hours_in(view, [rounds_of(sweep, progress, shown) for shown in computed(progress)])
    start, stop = 0, rounds.n_rounds
    if hours is not None:
        start, stop = rounds.index_at(hours[0]), rounds.index_at(hours[1]) + 1
        if hours[0] > rounds.time_h[-1]:
            axes = {"visible": False}
            empty = {"data": [], "layout": empty_layout(theme, xaxis=axes, yaxis=axes)}
            return empty, False, None, f"{label} has no rounds in view: it ends at {rounds.time_h[-1]:,.1f} h."
    table = node_fragmentation_table(sweep, name, progress["nodes"], start, stop)
    href = run_href(name, "node_fragmentation", progress["nodes"], start=start, stop=stop)
    return build_node_bars(table, theme), False, href, tell_stretch(rounds, label, start, stop)


def tell_stretch(rounds: RunRounds, label: str, start: int, stop: int) -> str:
    """Which rounds the bars of the nodes are means over, and what the two bars are."""
    first, last = (f"{int(rounds.round_numbers[record]):,}" for record in (start, stop - 1))
    known = int(rounds.fragmentation.known[start:stop].sum())
    unseen = f", of which {known:,} say which GPUs are busy" if known < stop - start else ""
    where = "in view" if stop - start < rounds.n_rounds else "of the run"
    return (
        f"Means over the {stop - start:,} rounds {where}{unseen}: "
        f"round {first} ({rounds.time_h[start]:,.1f} h) to {last} ({rounds.time_h[stop - 1]:,.1f} h) of {label}. "
        "Outline: free GPUs of the node. Filled: those of them that a task class "
        "cannot use there, expected over the task classes."
    )


def of_choices(sweep: Sweep, names: Sequence[str], of: str | None) -> tuple[list[dict[str, str]], str | None]:
    """Options and value of the menu that chooses one of the runs."""
    chosen = choose_runs(sweep, names).names
    styles = styles_of(sweep, chosen)
    options = [{"label": styles[name].label, "value": name, "title": name} for name in chosen]
    return options, of if of in chosen else next(iter(chosen), None)


def sizes_of(sweep: Sweep, name: str | None) -> list[int]:
    """Scale factors of a run's jobs, ascending; empty where it cannot be read."""
    if name is None or name not in sweep:
        return []
    try:
        sizes = np.unique(sweep[name].viz.jobs["scale_factor"])
    except GavelDashError:
        return []  # the page says why beside the picker
    return [int(size) for size in sizes if size > 0]


def cursor_at(sweep: Sweep, names: Sequence[str], hour: float | None) -> Any:
    """Record of the first chosen run at the clicked hour."""
    chosen = choose_runs(sweep, names).names
    if hour is None or not chosen:
        return no_update
    # The chart's hours are float32: the next one up is never before the record's own.
    return sweep[chosen[0]].index_at(float(np.nextafter(np.float32(hour), np.float32(np.inf))))


def cursor_record(sweep: Sweep, progress: Progress, of: str | None, cursor: int | None) -> int | None:
    """Record of the run of the stacks at the hour of the cursor, which is a record of the first run."""
    names, name = computed(progress), one_of(progress, of)
    if cursor is None or name is None:
        return None
    first = rounds_of(sweep, progress, names[0])
    hour = _hour(first, cursor)
    return None if hour is None else rounds_of(sweep, progress, name).index_at(hour)


def cursor_shapes_of(sweep: Sweep, progress: Progress, cursor: int | None, theme: str) -> list[dict[str, Any]]:
    """The chart's shapes with the cursor where it is now."""
    names = computed(progress)
    if not names:
        return []
    first = rounds_of(sweep, progress, names[0])
    return cursor_shapes(first, None if cursor is None else _hour(first, cursor), theme)


def tell_why(sweep: Sweep, progress: Progress, of: str | None, record: int | None) -> list[Component]:
    """The tables at the right, of the run of the stacks."""
    name = one_of(progress, of)
    if name is None:
        return [html.P("No run to look at.", className="gd-muted")]
    head = html.P(styles_of(sweep, progress["names"])[name].label, className="fragmentation-of", title=name)
    return [head, *build_why(rounds_of(sweep, progress, name), record)]


def blocked_href(progress: Progress, of: str | None) -> str:
    """Address of the waiting jobs as CSV."""
    name = one_of(progress, of)
    return "" if name is None else run_href(name, "blocked_demand", progress["nodes"])
