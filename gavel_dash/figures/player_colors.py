"""Colourings of the player: a palette, a legend, and the rule by which the browser turns a job into a code of it.

Code 0 is idle in every palette. What a rule's fields mean is read by `assets/player/worker/coloring.mjs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from gavel_dash.figures.heatmap_colors import category_codes, category_legend, category_palette
from gavel_dash.figures.theme import token

#: Colourings in the order of the keys 1-6, with their names on screen.
COLOR_BY: dict[str, str] = {
    "category": "Job category",
    "scale_factor": "Scale factor",
    "job": "Job",
    "waited": "Wait before start",
    "on_gpu": "Time on this GPU",
    "remaining": "Time to completion",
}
#: Upper edges of the classes of the colourings by time, hours; a last class lies above them.
HOUR_EDGES = (1, 5, 20, 100, 500)
#: One path from dark to light (viridis), ordered also in grey and for colour-blind readers.
_TIMES = ("#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#c5e021")
_UNKNOWN = "#98a2b3"
#: Largest scale factor of each class and its colour.
_SCALE = ((1, "#4f5bb5"), (2, "#2b83a8"), (4, "#22a884"), (8, "#86cf49"), (16, "#fde725"), (255, "#fff3a3"))
#: Eight hues in three shades; neighbouring job ids differ in hue.
_HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A6FC9", "#B8A53A")
_SHADES = (0.0, 0.38, -0.3)
#: Busy share of a node: up to a quarter, half, three quarters, below full, full.
_SHARE_EDGES = (0.25, 0.5, 0.75)
_SHARE_LABELS = ("1–25% busy", "26–50%", "51–75%", "76–99%", "all busy")
_SHARES = {
    "light": ("#cfe3f7", "#8fbfe8", "#4a94d4", "#1c6cb5", "#0a3d73"),
    "dark": ("#1d3a57", "#24598c", "#2f7fc4", "#5aa9ff", "#c4e0ff"),
}
_DIFFERENCE = (
    ("Same job", "#7d8796"),
    ("Different jobs", "#E69F00"),
    ("Busy here only", "#56B4E9"),
    ("Busy in A only", "#CC79A7"),
)


def player_coloring(
    color_by: str, theme: str, categories: Sequence[str], scale_factors: Sequence[int]
) -> dict[str, Any]:
    """Palette, legend and rule of a colouring; an unknown one is by category.

    Parameters
    ----------
    color_by : str
        A key of `COLOR_BY`.
    theme : str
        "light" or "dark".
    categories, scale_factors : sequence
        Those of the runs on screen: what the legend lists.

    Returns
    -------
    dict
        ``palette``: CSS colours by code; ``legend``: list of ``[codes, label, colour]``; ``rule``: kind and its fields.
    """
    if color_by in ("waited", "on_gpu", "remaining"):
        colors: tuple[str, ...] = (*_TIMES, _UNKNOWN)
        labels = [*_hour_labels(), "never in this run" if color_by == "remaining" else "unknown"]
        entries = list(zip(range(1, len(colors) + 1), labels, colors, strict=True))
        return _look(theme, colors, entries, {"kind": color_by, "edges_h": HOUR_EDGES, "unknown": len(colors)})
    if color_by == "job":
        colors = tuple(_mixed(hue, shade) for shade in _SHADES for hue in _HUES)
        look = _look(theme, colors, [], {"kind": "job", "colors": len(colors)})
        every = [[*range(1, len(colors) + 1)], f"Jobs ({len(colors)} colours in turn)", colors[0]]
        return look | {"legend": [every, *look["legend"]]}
    if color_by == "scale_factor":
        colors = (*(color for _, color in _SCALE), _UNKNOWN)
        codes = sorted({_scale_code(factor) for factor in scale_factors})
        entries = [(code, _scale_label(code, scale_factors), colors[code - 1]) for code in codes]
        steps = [[largest, code] for code, (largest, _) in enumerate(_SCALE, start=1)]
        return _look(theme, colors, entries, {"kind": "scale_factor", "steps": steps, "unknown": len(colors)})
    rule = {"kind": "category", "codes": category_codes()}
    return _look(theme, category_palette(theme)[1:], category_legend(categories), rule)


def share_coloring(theme: str) -> dict[str, Any]:
    """Busy share of a node, where GPUs are too small to be seen one by one."""
    colors = _SHARES["dark" if theme == "dark" else "light"]
    entries = list(zip(range(1, len(colors) + 1), _SHARE_LABELS, colors, strict=True))
    return _look(theme, colors, entries, {"kind": "share", "edges": _SHARE_EDGES})


def difference_coloring(theme: str) -> dict[str, Any]:
    """GPU by GPU, what a run does differently from run A."""
    entries = [(code, label, color) for code, (label, color) in enumerate(_DIFFERENCE, start=1)]
    return _look(theme, tuple(color for _, color in _DIFFERENCE), entries, {"kind": "difference"})


def _look(
    theme: str, colors: tuple[str, ...], entries: Sequence[tuple[int, str, str]], rule: dict[str, Any]
) -> dict[str, Any]:
    idle = token(theme, "panel")
    legend = [[[code], label, color] for code, label, color in entries]
    return {"palette": [idle, *colors], "legend": [*legend, [[0], "Idle", idle]], "rule": rule}


def _hour_labels() -> list[str]:
    spans = [f"{a:,}–{b:,} h" for a, b in pairwise(HOUR_EDGES)]
    return [f"under {HOUR_EDGES[0]:,} h", *spans, f"{HOUR_EDGES[-1]:,} h or more"]


def _scale_code(factor: int) -> int:
    if factor < 1:
        return len(_SCALE) + 1
    return next(code for code, (largest, _) in enumerate(_SCALE, start=1) if factor <= largest)


def _scale_label(code: int, factors: Sequence[int]) -> str:
    """The factors of a class that the runs have: "2 GPUs", "3-4 GPUs"."""
    if code > len(_SCALE):
        return "unknown"
    own = sorted(factor for factor in factors if factor > 0 and _scale_code(factor) == code)
    span = str(own[0]) if own[0] == own[-1] else f"{own[0]}–{own[-1]}"
    return f"{span} GPU{'' if span == '1' else 's'}"


def _mixed(color: str, shade: float) -> str:
    """Lighter (towards white) for a positive shade, darker for a negative one."""
    target = 255 if shade > 0 else 0
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part + (target - part) * abs(shade)):02x}" for part in parts)
