"""Labels inside a chart that never cover each other: flags on vertical lines, names at the ends of curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CHARACTER_PX = 6.7  # mean width of a character at 12 px in the system fonts, on the safe side
ROW_PX = 17
LABEL_HEIGHT_PX = 16


def text_width(text: str) -> float:
    """Estimated width of a label at 12 px."""
    return len(text) * CHARACTER_PX + 8


def stagger(x_px: Sequence[float], widths_px: Sequence[float], left_px: float) -> list[int]:
    """Row (0 = lowest) of each flag, so that no two overlap and no flag's pole crosses another flag.

    A flag lies to the left of its pole, because saturation lies in the right half of a chart, and above all flags
    and poles it reaches over.

    Parameters
    ----------
    x_px : pole positions, any order
    widths_px : flag widths
    left_px : where the space for flags begins; one that would leave it is moved right
    """
    rows = [0] * len(x_px)
    placed: list[tuple[float, int]] = []  # right end and row
    for i in sorted(range(len(x_px)), key=lambda i: (x_px[i], widths_px[i])):
        start = max(x_px[i] - widths_px[i], left_px)
        # Above every flag it reaches over, not in the first gap: else it would lie on the pole of that flag.
        rows[i] = max((row + 1 for end, row in placed if end > start), default=0)
        placed.append((start + widths_px[i], rows[i]))
    return rows


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Whether two rectangles share any area."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def holds_any(self, x_px: np.ndarray, y_px: np.ndarray) -> bool:
        """Whether any of the points lies inside."""
        inside = (x_px > self.left) & (x_px < self.right) & (y_px > self.bottom) & (y_px < self.top)
        return bool(inside.any())


def place_at_ends(
    ends_px: Sequence[tuple[float, float]],
    texts: Sequence[str],
    lines_px: Sequence[tuple[np.ndarray, np.ndarray]],
    limits: Box,
    gap_px: float = 10,
) -> list[float | None]:
    """Vertical shift of a name right of each curve's end, None where there is no room for it.

    Parameters
    ----------
    ends_px : (x, y) of the last point of each curve
    texts : names
    lines_px : x and y of every curve, shape (n,) each; a name may not cover any of them
    limits : Box
        The names stay inside.
    """
    x_all, y_all = _along(lines_px)
    taken: list[Box] = []
    shifts: list[float | None] = []
    for (x, y), text in zip(ends_px, texts, strict=True):
        placed = None
        for shift in (0, 12, -12, 22, -22):
            box = Box(
                x + gap_px,
                y + shift - LABEL_HEIGHT_PX / 2,
                x + gap_px + text_width(text),
                y + shift + LABEL_HEIGHT_PX / 2,
            )
            inside = box.right <= limits.right and box.bottom >= limits.bottom and box.top <= limits.top
            if inside and not box.holds_any(x_all, y_all) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                placed = float(shift)
                break
        shifts.append(placed)
    return shifts


def _along(lines_px: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Points every few pixels along the polylines."""
    xs, ys = [np.empty(0)], [np.empty(0)]
    for x, y in lines_px:
        steps = np.linspace(0, max(len(x) - 1, 0), num=max(len(x) - 1, 0) * 40 + 1)
        xs.append(np.interp(steps, np.arange(len(x)), x))
        ys.append(np.interp(steps, np.arange(len(y)), y))
    return np.concatenate(xs), np.concatenate(ys)
