"""What a cell's colour means where a round is drawn without the player: its job's category.

A round is a matrix of palette codes; code 0 is idle. `player_colors` holds all colourings of the player.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gavel_dash.figures.theme import CATEGORY, rgba, token

_CATEGORIES = tuple(CATEGORY)
_CATEGORY_LABELS = {"resnet": "ResNet", "cyclegan": "CycleGAN", "a3c": "A3C"}


def category_palette(theme: str) -> tuple[str, ...]:
    """Colour of each code: idle, then the categories in their fixed order."""
    return (token(theme, "panel"), *CATEGORY.values())


def category_codes() -> dict[str, int]:
    """Palette code of each category that has a colour of its own; any other has that of "other"."""
    return {category: code for code, category in enumerate(_CATEGORIES, start=1)}


def codes_of_categories(categories: np.ndarray) -> np.ndarray:
    """Palette code of each category as a file names it: ndarray of int, of the shape of `categories`."""
    values, which = np.unique(categories.astype(str), return_inverse=True)
    return np.array([_code(category) for category in values.tolist()], dtype=np.int64)[which]


def category_legend(categories: Iterable[str]) -> list[tuple[int, str, str]]:
    """Code, name and colour of those of the fixed categories that a run has; several names may share one."""
    codes = sorted({_code(category) for category in categories})
    return [(code, category_label(_CATEGORIES[code - 1]), CATEGORY[_CATEGORIES[code - 1]]) for code in codes]


def category_label(category: str) -> str:
    """A category as people write it: "language_model" is a language model."""
    name = category.lower().replace("_", " ")
    return _CATEGORY_LABELS.get(name, name.capitalize() or "Other")


def stepped_colorscale(palette: Iterable[str]) -> list[list[float | str]]:
    """A Plotly colour scale with hard steps, for integer codes between -0.5 and ``len(palette) - 0.5``."""
    colors = list(palette)
    return [[(i + side) / len(colors), color] for i, color in enumerate(colors) for side in (0, 1)]


def edge_color(theme: str) -> str:
    """Lines between cells: thin, and just visible around idle ones."""
    return rgba("#8a94a6", 0.45) if theme != "dark" else rgba("#5b6679", 0.6)


def _code(category: str) -> int:
    name = category.lower().replace("_", " ")
    return 1 + _CATEGORIES.index(name if name in CATEGORY else "other")
