"""The chart over time in words and numbers: its key, what cannot be computed, and the table of who waits for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import numpy as np
from dash import html
from dash.development.base_component import Component

from gavel_dash.analysis.blocked_demand import UNKNOWN
from gavel_dash.analysis.fragmentation_rounds import RunRounds
from gavel_dash.figures.fragmentation_rows import WHY, WHY_WORDS, why_of
from gavel_dash.figures.run_style import RunStyle

#: SVG dash patterns as Plotly draws them.
_DASHES = {"solid": "none", "dash": "6 4", "dashdot": "6 3 1.5 3", "longdash": "9 4", "longdashdot": "9 3 1.5 3"}
_MEANINGS = {
    "could_start": "Free GPUs could hold the job, and the scheduler let it wait. Jobs that just came are among these.",
    "scattered": "Enough GPUs of a type are free, but no node holds them.",
    "no_gpus": "No GPU type has enough free GPUs.",
    "unknown": "The file does not say how many GPUs the job asks for.",
}
DASH = "–"
#: What a tooltip and a click are of: lines are drawn through fewer points than there are rounds.
HOVER_NOTE = (
    "A tooltip gives the nearest drawn point of a line, with the hour of its round; of long runs not every round is "
    "drawn, unless you zoom in. A click gives the exact round: its number, and its counts beside the chart."
)


def build_key(shown: Sequence[RunRounds], styles: Mapping[str, RunStyle]) -> list[Component]:
    """One entry per run: its line, and what it is called."""
    return [html.Span([_swatch(styles[r.name]), styles[r.name].label], title=r.name) for r in shown]


def _swatch(style: RunStyle) -> Component:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="10"><path d="M0 5H24" stroke-width="2" '
        f'stroke="{style.color}" stroke-dasharray="{_DASHES.get(style.dash, "none")}"/></svg>'
    )
    return html.Img(src=f"data:image/svg+xml,{quote(svg)}", alt="")


def notes_of(shown: Sequence[RunRounds], styles: Mapping[str, RunStyle]) -> list[str]:
    """What cannot be computed and why, each sentence once with the runs it holds for."""
    said: dict[str, list[str]] = {}
    for rounds in shown:
        for sentence in _limits(rounds):
            said.setdefault(sentence, []).append(styles[rounds.name].label)
    notes = [
        sentence
        if len(labels) == len(shown)
        else f"{sentence} ({', '.join(labels[:4])}{' ...' if len(labels) > 4 else ''})"
        for sentence, labels in said.items()
    ]
    if shown:
        notes.append(HOVER_NOTE)
    if shown and shown[0].phases is not None:
        whose = f" of {styles[shown[0].name].label}" if len(shown) > 1 else ""
        notes.append(f"Shaded: the measurement phase{whose}.")
    return notes


def _limits(rounds: RunRounds) -> list[str]:
    fragmentation = rounds.fragmentation
    sentences = []
    types = fragmentation.cluster.gpu_types
    unknown = [t.name for t in types if t.gpus_per_node is None]
    single = [t.name for t in types if t.gpus_per_node == 1]
    if unknown:
        sentences.append(
            f"No node size is known for {', '.join(unknown)}: as far as the file says nothing can fragment there. "
            "Set GPUs per node above."
        )
    if single:
        sentences.append(f"Nodes of {', '.join(single)} have one GPU: nothing can fragment there.")
    sentences += _spanning(rounds)
    if fragmentation.constrained.any() and not fragmentation.classes:
        sentences.append("The file does not say how many GPUs jobs ask for: fragmentation cannot be computed.")
    n_unseen = int((~fragmentation.known).sum())
    if n_unseen:
        where = "The" if n_unseen == rounds.n_rounds else f"In {n_unseen:,} of {rounds.n_rounds:,} rounds the"
        sentences.append(
            f"{where} file does not say which GPUs are busy: fragmentation, largest blocks and occupied nodes cannot "
            "be computed; free GPUs are as the simulator counted."
        )
    if not rounds.queue_known.all():
        n_lost = int((~rounds.queue_known).sum())
        sentences.append(
            f"In {n_lost:,} rounds the file does not say which jobs wait: pending demand is left out there."
        )
    if UNKNOWN in rounds.blocked.scale_factors:
        sentences.append("Of some waiting jobs the file does not say how many GPUs they ask for: these are not split.")
    return sentences


def _spanning(rounds: RunRounds) -> list[str]:
    """Task classes that no node of a type can hold, which the two measures take differently."""
    fragmentation = rounds.fragmentation
    types: dict[int, list[str]] = {}
    for gpu_type, size in zip(fragmentation.cluster.gpu_types, fragmentation.node_sizes, strict=True):
        if size is not None and any(g > size for g in fragmentation.classes):
            types.setdefault(size, []).append(gpu_type.name)
    return [
        f"Jobs of {', '.join(str(g) for g in fragmentation.classes if g > size)} GPUs are larger than the {size}-GPU "
        f"nodes of {', '.join(names)} and span nodes: they are never scattered there, while fragmentation (FGD) counts "
        "every free GPU there as fragmented for them."
        for size, names in types.items()
    ]


def build_why(rounds: RunRounds, cursor: int | None) -> list[Component]:
    """What stands in the way of the waiting jobs, at the cursor and over the measurement phase, with the free GPUs."""
    start, stop = rounds.stretch
    parts: list[Component] = []
    if cursor is None:
        parts.append(html.P("Click the chart to see one round.", className="gd-muted"))
    else:
        head = f"Round {int(rounds.round_numbers[cursor]):,} at {rounds.time_h[cursor]:,.1f} h"
        parts += [_split_table(head, rounds, lambda y: float(y[cursor]), lambda n: f"{n:,.0f}")]
    phase = "whole run" if rounds.phases is None else "measurement phase"
    parts.append(
        _split_table(
            f"Mean over the {phase}, {stop - start:,} rounds", rounds, _mean(start, stop), lambda n: f"{n:,.2f}"
        )
    )
    parts.append(_free_table(rounds, cursor))
    if not rounds.blocked.knows_nodes:
        parts.append(
            html.P("No placement constraint is known: who could start goes by GPU type.", className="gd-muted")
        )
    return parts


def _mean(start: int, stop: int) -> Callable[[np.ndarray], float]:
    def mean(y: np.ndarray) -> float:
        part = y[start:stop]
        said = part[np.isfinite(part)]
        return float(said.mean()) if len(said) else float("nan")

    return mean


def _split_table(
    head: str, rounds: RunRounds, of: Callable[[np.ndarray], float], text: Callable[[float], str]
) -> Component:
    columns = ("could_start", "scattered", "no_gpus")
    heads = [html.Th("Size", scope="col"), html.Th("Waiting", scope="col", title="Jobs that hold no GPU")]
    heads += [
        html.Th([_sign(part), WHY_WORDS[part]], scope="col", title=_MEANINGS[part], className=f"fragmentation-{part}")
        for part in columns
    ]
    rows = [_split_row(rounds, size, of, text) for size in rounds.blocked.scale_factors if size != UNKNOWN]
    rows.append(_total_row(rounds, of, text))
    return html.Table(
        [html.Caption(head), html.Thead(html.Tr(heads)), html.Tbody(rows)], className="fragmentation-table"
    )


def _split_row(
    rounds: RunRounds, size: int, of: Callable[[np.ndarray], float], text: Callable[[float], str]
) -> Component:
    why = {part: of(y) for part, y in why_of(rounds, size).items()}
    place = rounds.blocked.scale_factors.index(size)
    waiting = of(np.where(rounds.queue_known, rounds.blocked.queued[:, place], np.nan))
    return _row(f"{size} GPU{'' if size == 1 else 's'}", waiting, why, text)


def _total_row(rounds: RunRounds, of: Callable[[np.ndarray], float], text: Callable[[float], str]) -> Component:
    why = {part: of(y) for part, y in why_of(rounds, 0).items()}
    return _row("All", of(rounds.values["jobs_queued"]), why, text, className="fragmentation-total")


def _row(
    name: str, waiting: float, why: Mapping[str, float], text: Callable[[float], str], **properties: str
) -> Component:
    cells = [waiting, *(why.get(part, float("nan")) for part in ("could_start", "scattered", "no_gpus"))]
    shown = [text(n) if np.isfinite(n) else DASH for n in cells]
    return html.Tr([html.Th(name, scope="row"), *(html.Td(cell) for cell in shown)], **properties)


def _sign(part: str) -> Component:
    return html.Span(WHY[part][2], className="fragmentation-sign", **{"aria-hidden": "true"})


def _free_table(rounds: RunRounds, cursor: int | None) -> Component:
    """Free GPUs, largest block and occupied nodes by type, at the cursor or as means."""
    fragmentation = rounds.fragmentation
    start, stop = rounds.stretch
    of = _mean(start, stop) if cursor is None else (lambda y: float(y[cursor]))
    spec = ",.2f" if cursor is None else ",.0f"
    rows = []
    for gpu_type, n_nodes in zip(fragmentation.cluster.gpu_types, fragmentation.n_nodes, strict=True):
        free, block, occupied, fragmented = (
            of(rounds.values[f"{name}_{gpu_type.name}"])
            for name in ("free_gpus", "largest_free_block", "occupied_nodes", "fragmented_gpus")
        )
        cells = [
            f"{format(free, spec)} of {gpu_type.count:,}" if np.isfinite(free) else DASH,
            format(block, spec) if np.isfinite(block) else DASH,
            f"{format(fragmented, ',.2f')}" if np.isfinite(fragmented) else DASH,
            f"{format(occupied, spec)} of {n_nodes:,}" if np.isfinite(occupied) else DASH,
        ]
        rows.append(html.Tr([html.Th(gpu_type.name, scope="row"), *(html.Td(cell) for cell in cells)]))
    heads = [
        ("Type", None),
        ("Free GPUs", "GPUs that no job holds"),
        ("Largest block", "Free GPUs on the node that has most of them"),
        ("Fragmented", "Free GPUs on nodes that a task class cannot use, expected over the task classes"),
        ("Occupied nodes", "Nodes with at least one GPU in use"),
    ]
    when = "mean over the same rounds" if cursor is None else "in that round"
    return html.Table(
        [
            html.Caption(f"Free GPUs, {when}"),
            html.Thead(html.Tr([html.Th(name, scope="col", title=hint) for name, hint in heads])),
            html.Tbody(rows),
        ],
        className="fragmentation-table",
    )
