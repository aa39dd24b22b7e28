"""What a cell's colour means: job category, scale factor, or the job itself. Codes into a fixed palette.

Code 0 is idle. The palette depends on the colouring and the theme alone, so that a round is a matrix of codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gavel_dash.figures.round_cells import CellJobs, RoundCells
from gavel_dash.figures.theme import CATEGORY, rgba, token

#: Colourings in the order of the keys 1-3, with their names on screen.
COLOR_BY: dict[str, str] = {"category": "Job category", "scale_factor": "Scale factor", "job": "Job"}

_UNKNOWN = "#98a2b3"
_CATEGORIES = tuple(CATEGORY)
_CATEGORY_LABELS = {"resnet": "ResNet", "cyclegan": "CycleGAN", "a3c": "A3C"}
#: Largest scale factor of each class and its colour: one hue path from dark to light, ordered also in grey.
_SCALE = ((1, "#4f5bb5"), (2, "#2b83a8"), (4, "#22a884"), (8, "#86cf49"), (16, "#fde725"), (255, "#fff3a3"))
#: Eight hues in three shades; neighbouring job ids differ in hue.
_HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A6FC9", "#B8A53A")
_SHADES = (0.0, 0.38, -0.3)


@dataclass(frozen=True)
class Coloring:
    """A palette (its first colour is idle) and the legend: (label, colour) of what the run has."""

    palette: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]


def coloring(cells: RoundCells, theme: str, color_by: str) -> Coloring:
    """Palette and legend of a colouring; an unknown one is by category."""
    idle = token(theme, "panel")
    if color_by == "scale_factor":
        colors = [color for _, color in _SCALE]
        codes = sorted({_scale_code(factor) for factor in cells.scale_factors})
        legend = [(_scale_label(code, cells.scale_factors), [*colors, _UNKNOWN][code - 1]) for code in codes]
        return Coloring((idle, *colors, _UNKNOWN), tuple(legend))
    if color_by == "job":
        colors = [_mixed(hue, shade) for shade in _SHADES for hue in _HUES]
        return Coloring((idle, *colors), ())
    codes = sorted({_category_code(category) for category in cells.categories})
    legend = [(category_label(_CATEGORIES[code - 1]), CATEGORY[_CATEGORIES[code - 1]]) for code in codes]
    return Coloring((idle, *CATEGORY.values()), tuple(legend))


def codes_of_jobs(jobs: CellJobs, color_by: str) -> np.ndarray:
    """Palette code of each job, from 1: ndarray of int, in the order of `jobs`."""
    if color_by == "job":
        return 1 + jobs.job_id % (len(_HUES) * len(_SHADES))
    if color_by == "scale_factor":
        values, which = np.unique(jobs.scale_factor, return_inverse=True)
        codes = [_scale_code(factor) for factor in values.tolist()]
    else:
        values, which = np.unique(jobs.category.astype(str), return_inverse=True)
        codes = [_category_code(category) for category in values.tolist()]
    return np.array(codes, dtype=np.int64)[which]


def category_label(category: str) -> str:
    """A category as people write it: "language_model" is a language model."""
    name = category.lower().replace("_", " ")
    return _CATEGORY_LABELS.get(name, name.capitalize() or "Other")


def stepped_colorscale(palette: tuple[str, ...]) -> list[list[float | str]]:
    """A Plotly colour scale with hard steps, for integer codes between -0.5 and ``len(palette) - 0.5``."""
    n = len(palette)
    return [[(i + side) / n, color] for i, color in enumerate(palette) for side in (0, 1)]


def edge_color(theme: str) -> str:
    """Lines between cells: thin, and just visible around idle ones."""
    return rgba("#8a94a6", 0.45) if theme != "dark" else rgba("#5b6679", 0.6)


def _category_code(category: str) -> int:
    name = category.lower().replace("_", " ")
    return 1 + _CATEGORIES.index(name if name in CATEGORY else "other")


def _scale_code(factor: int) -> int:
    if factor < 1:
        return len(_SCALE) + 1
    return 1 + next(i for i, (largest, _) in enumerate(_SCALE) if factor <= largest)


def _scale_label(code: int, factors: Iterable[int]) -> str:
    """The factors of a class that the run has: "2 GPUs", "3-4 GPUs"."""
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
