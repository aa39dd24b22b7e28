"""Where the charts of a figure lie: stacked, or a small one per run and field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TITLE_PX, PHASES_PX, TICKS_PX, BOTTOM_PX = 18, 16, 20, 40
#: Up to so many runs stand in the figure's own legend, which its pictures keep.
MOST_IN_LEGEND, RUNS_PER_LEGEND_ROW, LEGEND_ROW_PX = 8, 4, 28
#: Height of all stacked charts by their number, without the margins; of each where there are more.
STACK_PX = {1: 392, 2: 404, 3: 412}
EACH_PX = 132
#: Small charts: in a row, height of each, and how many runs may have one per field.
MOST_IN_ROW, SMALL_PX, MOST_SMALL_RUNS = 4, 110, 12
_COLUMN_GAP = 0.025


@dataclass(frozen=True)
class Panel:
    """One chart: the runs and the field it shows, its axes, and where in the plot it lies (fractions)."""

    field: str
    runs: tuple[str, ...]
    x_axis: str
    y_axis: str
    x_domain: tuple[float, float]
    y_domain: tuple[float, float]
    is_lowest: bool
    is_leftmost: bool


@dataclass(frozen=True)
class Grid:
    """All charts of a figure, its height, its upper margin and in that the legend (0: there is none), in pixels."""

    panels: tuple[Panel, ...]
    height_px: int
    top_px: int
    legend_px: int = 0


def lay_out(fields: Sequence[str], runs: Sequence[str], multiples: bool) -> Grid:
    """Charts from the top left. Of more than `MOST_SMALL_RUNS` runs only the first field has small charts."""
    return _small(fields, runs) if multiples else _stacked(fields, runs)


def _stacked(fields: Sequence[str], runs: Sequence[str]) -> Grid:
    n = len(fields)
    plot_px = STACK_PX.get(n, n * EACH_PX)
    row, title = 1 / n, TITLE_PX / plot_px
    panels = [
        Panel(
            field=field,
            runs=tuple(runs),
            x_axis="x",
            y_axis=_axis("y", i),
            x_domain=(0.0, 1.0),
            # The first title lies in the margin.
            y_domain=(
                round(1 - (i + 1) * row + (0.03 if i < n - 1 else 0), 5),
                round(1 - i * row - (title if i else 0), 5),
            ),
            is_lowest=i == n - 1,
            is_leftmost=True,
        )
        for i, field in enumerate(fields)
    ]
    legend_px = LEGEND_ROW_PX * math.ceil(len(runs) / RUNS_PER_LEGEND_ROW) if len(runs) <= MOST_IN_LEGEND else 0
    top_px = TITLE_PX + PHASES_PX + legend_px
    return Grid(tuple(panels), plot_px + top_px + BOTTOM_PX, top_px, legend_px)


def _small(fields: Sequence[str], runs: Sequence[str]) -> Grid:
    shown = fields if len(runs) <= MOST_SMALL_RUNS else fields[:1]
    in_row = min(MOST_IN_ROW, len(runs))
    rows_each = math.ceil(len(runs) / in_row)
    n_rows = rows_each * len(shown)
    row_px = SMALL_PX + TITLE_PX + TICKS_PX
    plot_px = n_rows * row_px
    width = (1 - _COLUMN_GAP * (in_row - 1)) / in_row
    panels: list[Panel] = []
    for f, field in enumerate(shown):
        for i, run in enumerate(runs):
            row, column = f * rows_each + i // in_row, i % in_row
            left, top = column * (width + _COLUMN_GAP), 1 - row * row_px / plot_px
            number = len(panels)
            panels.append(
                Panel(
                    field=field,
                    runs=(run,),
                    x_axis=_axis("x", number),
                    y_axis=_axis("y", number),
                    x_domain=(round(left, 5), round(min(left + width, 1.0), 5)),
                    y_domain=(
                        round(max(top - (SMALL_PX + TITLE_PX) / plot_px, 0.0), 5),
                        round(top - TITLE_PX / plot_px, 5),
                    ),
                    is_lowest=True,
                    is_leftmost=column == 0,
                )
            )
    return Grid(tuple(panels), plot_px + BOTTOM_PX, 8)


def _axis(letter: str, number: int) -> str:
    return letter if number == 0 else f"{letter}{number + 1}"
