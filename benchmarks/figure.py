"""How far every row is from its goal, as one SVG that needs nothing else to be seen.

Bars start at the goal: to the right by how many times a row is better than it, to the left by how many times it is
missed. Side, colour and the words at the end say the same, so no reader depends on colour; the picture follows the
reader's light or dark setting.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.measure import Row

_WIDTH, _LABEL_WIDTH, _WORDS_WIDTH = 1180, 540, 165
_ROW_HEIGHT, _TOP, _BOTTOM = 20, 62, 14
_LONGEST_LABEL = 78
# A row that just reaches its goal, or just misses it, still shows its colour.
_THINNEST_BAR = 2.0
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #222 }
  .title { font-size: 15px; font-weight: 600 }
  .axis { fill: #555 }
  .area { font-weight: 600 }
  .paper { fill: #fff }
  .grid { stroke: #ddd }
  .goal { stroke: #222; stroke-width: 1.5 }
  .reached { fill: #0072b2 }
  .missed { fill: #d55e00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e6e6 }
    .axis { fill: #aaa }
    .paper { fill: #16181c }
    .grid { stroke: #3a3d44 }
    .goal { stroke: #e6e6e6 }
    .reached { fill: #56b4e9 }
    .missed { fill: #e69f00 }
  }
"""


def times_better(row: Row) -> float:
    """How many times better than its goal a row is: 1 is just reached, 0.5 is missed by a factor of two."""
    if row.at_least:
        return row.ratio / row.limit
    return row.limit / row.ratio if row.ratio else math.inf


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis from ``10 ** low`` to ``10 ** high``; what lies outside is drawn at its end."""

    low: int
    high: int

    @classmethod
    def around(cls, values: Sequence[float]) -> Scale:
        """Whole decades around the values and 1, at most three to either side."""
        logs = [math.log10(value) for value in values if 0 < value < math.inf]
        return cls(max(-3, math.floor(min([*logs, -0.1]))), min(3, math.ceil(max([*logs, 0.1]))))

    def x(self, value: float) -> float:
        """Where a value is drawn, in pixels."""
        clipped = min(max(value, 10.0**self.low), 10.0**self.high)
        share = (math.log10(clipped) - self.low) / (self.high - self.low)
        return _LABEL_WIDTH + share * (_WIDTH - _LABEL_WIDTH - _WORDS_WIDTH)


def draw_rows(rows: Sequence[Row]) -> str:
    """The figure as SVG, one bar per row, grouped by area in the order in which areas come."""
    areas = list(dict.fromkeys(row.area for row in rows))
    times = Counter((row.area, row.work) for row in rows)
    scale = Scale.around([times_better(row) for row in rows])
    height = _TOP + _ROW_HEIGHT * (len(rows) + len(areas)) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{sum(row.reached for row in rows)} of {len(rows)} goals reached">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        _text(12, 22, "Times better than the goal (logarithmic)", "title"),
    ]
    for power in range(scale.low, scale.high + 1):
        x, css = scale.x(10.0**power), "goal" if power == 0 else "grid"
        label = "goal" if power == 0 else f"{10**power}x" if power > 0 else f"1/{10**-power}"
        parts.append(f'<line class="{css}" x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - _BOTTOM}"/>')
        parts.append(_text(x, _TOP - 14, label, "axis", "middle"))
    y = _TOP
    for area in areas:
        parts.append(_text(12, y + 14, area, "area"))
        for row in (row for row in rows if row.area == area):
            y += _ROW_HEIGHT
            parts += _bar(row, y, scale, times[row.area, row.work] > 1)
        y += _ROW_HEIGHT
    return "\n".join([*parts, "</svg>", ""])


def _bar(row: Row, y: float, scale: Scale, is_one_of_several: bool) -> list[str]:
    """A row: its label (with the reference, where several rows have one work), its bar, and ratio and goal in words."""
    goal = scale.x(1.0)
    width = max(abs(scale.x(times_better(row)) - goal), _THINNEST_BAR)
    left = goal if row.reached else goal - width
    label = f"{row.work}: {row.against}" if is_one_of_several else row.work
    short = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
    css = "reached" if row.reached else "missed"
    words = f"{row.ratio:.3g}x ({'at least' if row.at_least else 'at most'} {row.limit:g}x)"
    return [
        f"<g><title>{escape(f'{row.work}, against {row.against}')}</title>",
        _text(_LABEL_WIDTH - 10, y + 14, short, "label", "end"),
        f'<rect class="{css}" x="{left:.1f}" y="{y + 4}" width="{width:.1f}" height="{_ROW_HEIGHT - 8}"/>',
        _text(_WIDTH - _WORDS_WIDTH + 8, y + 14, words, "words"),
        "</g>",
    ]


def _text(x: float, y: float, text: str, css: str, anchor: str = "start") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
