"""The rows of the chart over time: which lines and areas each has, of which runs. Numbers in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.blocked_demand import UNKNOWN
from gavel_dash.analysis.fragmentation_rounds import BY_TYPE, RunRounds, split_fragmentation
from gavel_dash.figures.curve_style import FURTHER, PATTERNS
from gavel_dash.figures.run_style import RunStyle

NO_SPLIT = "none"
ALL_SIZES = 0
#: What stands in the way of a waiting job: colour, fill pattern and sign. The word stands beside them.
WHY: dict[str, tuple[str, str, str]] = {
    "no_gpus": ("#D55E00", "x", "✕"),
    "scattered": ("#E69F00", "/", "◪"),
    "could_start": ("#009E73", "", "●"),
    "unknown": ("#8a94a6", ".", "?"),
}
WHY_WORDS = {
    "no_gpus": "no GPUs",
    "scattered": "scattered",
    "could_start": "could start",
    "unknown": "size unknown",
}
_SIZE_PATTERNS = ("", "/", "x", "-", "\\", "|", "+", ".")


@dataclass(frozen=True)
class Line:
    """One line of a row: y over the records of a run."""

    label: str
    rounds: RunRounds
    y: np.ndarray
    color: str
    dash: str = "solid"
    width: float = 1.4


@dataclass(frozen=True)
class Area:
    """One part of a stack over the records of a run."""

    label: str
    y: np.ndarray
    color: str
    pattern: str
    sign: str = "■"


@dataclass(frozen=True)
class Row:
    """A small chart of its own: lines of runs, or a stack of one run."""

    title: str
    meaning: str
    unit: str
    lines: tuple[Line, ...] = ()
    stacked: RunRounds | None = None
    areas: tuple[Area, ...] = ()

    @property
    def series(self) -> list[np.ndarray]:
        """What is drawn."""
        return [line.y for line in self.lines] + [area.y for area in self.areas]

    @property
    def is_share(self) -> bool:
        """Whether the row is in percent."""
        return self.unit == "%"


def build_rows(
    shown: Sequence[RunRounds], styles: Mapping[str, RunStyle], one: RunRounds, split: str, size: int
) -> list[Row]:
    """The rows that the runs have numbers for, from the top.

    Parameters
    ----------
    shown : sequence of RunRounds, at least one
    styles : mapping of run name to RunStyle
    one : RunRounds
        The run of the stacked rows, and of a split.
    split : "none", "class" or "type"
    size : int
        Scale factor of the waiting jobs of the stacked row; 0: all.
    """
    with_nodes = [rounds for rounds in shown if rounds.fragmentation.can_fragment]
    placed = [rounds for rounds in shown if rounds.fragmentation.constrained.any()]
    rows = []
    if with_nodes:
        rows += _fragmentation_rows(with_nodes, styles, one, split)
    rows.append(_free_row(shown, styles, one, split))
    rows.append(_why_row(one, size))
    rows.append(_pending_row(one))
    if placed:
        occupied = "occupied_nodes"
        rows.append(
            Row("Occupied nodes", "nodes with a GPU in use", "nodes", _lines(placed, styles, occupied, one, split))
        )
    return rows


def _fragmentation_rows(
    shown: Sequence[RunRounds], styles: Mapping[str, RunStyle], one: RunRounds, split: str
) -> list[Row]:
    parts = {} if split == NO_SPLIT else split_fragmentation(one.fragmentation, split)
    rows = []
    for place, (name, of) in enumerate((("rate", "free"), ("share", "all"))):
        if split == NO_SPLIT:
            lines = tuple(
                Line(
                    styles[r.name].label,
                    r,
                    r.values[f"fragmentation_{name}"],
                    styles[r.name].color,
                    styles[r.name].dash,
                )
                for r in shown
            )
        else:
            lines = tuple(Line(label, one, pair[place], *_look(i)) for i, (label, pair) in enumerate(parts.items()))
        rows.append(Row(f"Fragmentation {name}", f"fragmented / {of} GPUs", "%", lines))
    return rows


def _free_row(shown: Sequence[RunRounds], styles: Mapping[str, RunStyle], one: RunRounds, split: str) -> Row:
    by_type = split == BY_TYPE
    free = _lines(shown, styles, "free_gpus", one, split)
    has_blocks = [r for r in ([one] if by_type else shown) if r.fragmentation.constrained.any()]
    blocks = tuple(
        Line(f"{line.label}, largest block", line.rounds, line.y, line.color, "dot", 1.6)
        for line in _lines(has_blocks, styles, "largest_free_block", one, split)
        if np.isfinite(line.y).any()
    )
    meaning = "no job holds them; dotted: free GPUs on one node at most" if blocks else "no job holds them"
    return Row("Free GPUs", meaning, "GPUs", (*free, *blocks))


def _lines(
    shown: Sequence[RunRounds], styles: Mapping[str, RunStyle], column: str, one: RunRounds, split: str
) -> tuple[Line, ...]:
    if split == BY_TYPE:
        names = [gpu_type.name for gpu_type in one.fragmentation.cluster.gpu_types]
        return tuple(Line(name, one, one.values[f"{column}_{name}"], *_look(i)) for i, name in enumerate(names))
    return tuple(
        Line(styles[r.name].label, r, r.values[column], styles[r.name].color, styles[r.name].dash) for r in shown
    )


def _look(place: int) -> tuple[str, str]:
    return FURTHER[place % len(FURTHER)][0], PATTERNS[place % len(PATTERNS)]


def why_of(rounds: RunRounds, size: int) -> dict[str, np.ndarray]:
    """Waiting jobs by what stands in their way: float64, shape (n_rounds,) each, NaN where the file does not say.

    Only the parts that a run can have: "scattered" needs a known node size, "unknown" jobs of unknown size. `size` is
    a scale factor, or 0 for all jobs.
    """
    blocked = rounds.blocked
    sizes = np.array(blocked.scale_factors, np.int64)
    chosen = (sizes != UNKNOWN) & ((sizes == size) | (size == ALL_SIZES))
    parts = ["no_gpus", *(["scattered"] if blocked.knows_nodes else []), "could_start"]
    counts = {part: getattr(blocked, part)[:, chosen].sum(axis=1) for part in parts}
    why = {part: np.where(blocked.known, n, np.nan) for part, n in counts.items()} if chosen.any() else {}
    if size == ALL_SIZES and (sizes == UNKNOWN).any():
        unknown = blocked.queued[:, sizes == UNKNOWN].sum(axis=1)
        why["unknown"] = np.where(rounds.queue_known, unknown, np.nan)
    return why


def _why_row(one: RunRounds, size: int) -> Row:
    of = "Waiting jobs" if size == ALL_SIZES else f"Waiting {size}-GPU jobs"
    areas = tuple(
        Area(WHY_WORDS[part], y, color, pattern, sign)
        for part, y in why_of(one, size).items()
        for color, pattern, sign in [WHY[part]]
    )
    return Row(of, "by what stands in their way", "jobs", stacked=one, areas=areas)


def _pending_row(one: RunRounds) -> Row:
    asked = one.blocked.pending_gpus
    areas = tuple(
        Area(f"{size}-GPU", np.where(one.queue_known, asked[:, c], np.nan), _look(c)[0], _SIZE_PATTERNS[c % 8])
        for c, size in enumerate(one.blocked.scale_factors)
        if size != UNKNOWN
    )
    return Row("Pending demand", "GPUs that waiting jobs ask for", "GPUs", stacked=one, areas=areas)
