"""Fragmentation, free GPUs and waiting jobs over simulated time: rows on one time axis."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gavel_dash.analysis.downsample import downsample
from gavel_dash.analysis.fragmentation_rounds import RunRounds
from gavel_dash.figures import theme as look
from gavel_dash.figures.fragmentation_rows import NO_SPLIT, Area, Line, Row, build_rows
from gavel_dash.figures.run_style import RunStyle

Figure = dict[str, Any]

ROW_PX, TITLE_PX, BOTTOM_PX = 84, 22, 44
#: Points of all lines of a row together, and of one line at least and at most.
ROW_POINTS, LEAST_POINTS, MOST_POINTS = 12_000, 240, 2_000
#: Up to so many runs the tooltip of a place lists all of them.
LISTED_RUNS = 2
#: A tooltip is of values no further from the pointer than this: beyond the end of a run there are none.
HOVER_PX = 20
MOST_STRETCHES = 20
#: Named in a row's heading at most.
NAMED = 6


def chart_height_px(n_rows: int) -> int:
    """Height of the chart with so many rows."""
    return max(1, n_rows) * (ROW_PX + TITLE_PX) + BOTTOM_PX


def build_over_time(
    shown: Sequence[RunRounds],
    styles: Mapping[str, RunStyle],
    one: RunRounds,
    theme: str,
    split: str = NO_SPLIT,
    size: int = 0,
    view: tuple[float, float] | None = None,
    cursor_h: float | None = None,
) -> Figure:
    """Every row the runs have numbers for, over simulated hours.

    Parameters
    ----------
    shown : sequence of RunRounds, at least one
        The first gives the shaded measurement phase.
    styles, one, split, size
        See `fragmentation_rows.build_rows`.
    theme : "light" or "dark"
    view : (low, high) or None, hours
        What is in view and drawn with most of the points.
    cursor_h : float or None, hours

    Returns
    -------
    Figure as a dict. Of lines with more points than pixels the extremes are kept.
    """
    rows = build_rows(shown, styles, one, split, size)
    height = chart_height_px(len(rows))
    end_h = max((float(r.time_h[-1]) for r in shown if r.n_rounds), default=1.0) or 1.0
    axes: dict[str, Any] = {}
    traces, notes = [], []
    for place, row in enumerate(rows):
        top = 1 - (place * (ROW_PX + TITLE_PX) + TITLE_PX) / (height - BOTTOM_PX)
        bottom = top - ROW_PX / (height - BOTTOM_PX)
        axes[f"yaxis{place + 1 if place else ''}"] = _y_axis(row, (max(0.0, bottom), top))
        y_axis = f"y{place + 1 if place else ''}"
        traces += _stack(row, y_axis, view) if row.stacked else _row_lines(row, y_axis, view)
        notes.append(_heading(row, styles, len(shown), top, theme))
        if not any(np.isfinite(y).any() for y in row.series):
            notes.append(_nothing(row, (top + bottom) / 2, theme))
    last = f"y{len(rows) if len(rows) > 1 else ''}"
    return {
        "data": traces,
        "layout": look.layout(
            theme,
            height=height,
            margin={"l": 58, "r": 12, "t": 0, "b": BOTTOM_PX},
            hovermode="x" if len(shown) <= LISTED_RUNS else "closest",
            hoversubplots="axis",
            hoverdistance=HOVER_PX,
            spikedistance=-1,
            shapes=cursor_shapes(shown[0], cursor_h, theme),
            annotations=notes,
            xaxis={
                "title": {"text": "Simulated time (h)"},
                "range": list(view or (0.0, end_h)),
                "minallowed": 0.0,
                "maxallowed": end_h * 1.001,
                "anchor": last,
                "showspikes": True,
                "spikemode": "across",
                "spikesnap": "cursor",
                "spikethickness": 1,
                "spikedash": "solid",
                "spikecolor": look.token(theme, "muted"),
                "hoverformat": ",.1f",
                "tickformat": ",",
                "ticksuffix": " h",
            },
            **axes,
        ),
    }


def cursor_shapes(first: RunRounds, cursor_h: float | None, theme: str) -> list[dict[str, Any]]:
    """The shapes of the chart: measurement phase of the first run, and the cursor."""
    return [*_measurement(first), *([_cursor(cursor_h, theme)] if cursor_h is not None else [])]


def typed(values: np.ndarray) -> dict[str, Any]:
    """Numbers as Plotly decodes them: float32, an eighth of the text."""
    data = np.ascontiguousarray(values, "<f4")
    return {"dtype": "f4", "bdata": base64.b64encode(data.tobytes()).decode(), "shape": str(len(data))}


def _y_axis(row: Row, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "anchor": "x",
        "fixedrange": True,
        "rangemode": "tozero",
        "nticks": 4,
        "automargin": False,
        **({"ticksuffix": "%"} if row.is_share else {"tickformat": ","}),
    }


def _row_lines(row: Row, y_axis: str, view: tuple[float, float] | None) -> list[dict[str, Any]]:
    n_points = int(np.clip(ROW_POINTS // max(1, len(row.lines)), LEAST_POINTS, MOST_POINTS))
    return [_line(row, line, y_axis, n_points, view) for line in row.lines if np.isfinite(line.y).any()]


def _line(row: Row, line: Line, y_axis: str, n_points: int, view: tuple[float, float] | None) -> dict[str, Any]:
    kept = downsample(line.rounds.time_h, line.y, n_points, view)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": look.escape(line.label),
        "meta": line.rounds.name,
        "x": typed(line.rounds.time_h[kept]),
        "y": typed(line.y[kept] * (100 if row.is_share else 1)),
        "yaxis": y_axis,
        "connectgaps": False,
        "line": {"color": line.color, "dash": line.dash, "width": line.width, "shape": "hv"},
        "hovertemplate": _hover(row, line.label),
    }


def _stack(row: Row, y_axis: str, view: tuple[float, float] | None) -> list[dict[str, Any]]:
    """One stack per stretch of known rounds, so that what is not known stays a gap instead of a zero."""
    rounds = row.stacked
    if rounds is None or not row.areas:
        return []
    traces = []
    for start, stop in known_stretches(np.array([area.y for area in row.areas]).sum(axis=0)):
        time_h, parts = rounds.time_h[start:stop], [area.y[start:stop] for area in row.areas]
        n_points = MOST_POINTS // (len(parts) + 1)
        total: np.ndarray = np.sum(parts, axis=0)
        # Areas share their points: where any of them, or their sum, has an extreme.
        kept = np.unique(np.concatenate([downsample(time_h, y, n_points, view) for y in [*parts, total]]))
        for area, y in zip(row.areas, parts, strict=True):
            traces.append(_area(row, area, time_h[kept], y[kept], y_axis, f"{y_axis} {start}"))
    return traces


def known_stretches(y: np.ndarray) -> list[tuple[int, int]]:
    """Records ``[start, stop)`` of the longest stretches without a NaN, at most `MOST_STRETCHES`, in order."""
    known = np.isfinite(y).astype(np.int8)
    edges = np.flatnonzero(np.diff(known, prepend=0, append=0)).reshape(-1, 2)
    longest = np.argsort(edges[:, 0] - edges[:, 1], kind="stable")[:MOST_STRETCHES]
    return [(int(start), int(stop)) for start, stop in edges[np.sort(longest)]]


def _area(row: Row, area: Area, x: np.ndarray, y: np.ndarray, y_axis: str, stack: str) -> dict[str, Any]:
    pattern = {"shape": area.pattern, "fgcolor": area.color, "bgcolor": look.rgba(area.color, 0.2), "size": 5}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": look.escape(area.label),
        "x": typed(x),
        "y": typed(y),
        "yaxis": y_axis,
        "stackgroup": stack,
        "line": {"color": area.color, "width": 0.8, "shape": "hv"},
        "fillcolor": look.rgba(area.color, 0.55),
        **({"fillpattern": pattern} if area.pattern else {}),
        "hovertemplate": _hover(row, area.label),
    }


def _hover(row: Row, label: str) -> str:
    """Row, line, value and the value's own time: the points of two lines are seldom of the same round."""
    value = "%{y:,.3~r}%" if row.is_share else f"%{{y:,}} {row.unit}"
    return f"{row.title}, {look.escape(label)}: {value} at %{{x:,.1f}} h<extra></extra>"


def _heading(row: Row, styles: Mapping[str, RunStyle], n_shown: int, top: float, theme: str) -> dict[str, Any]:
    """Title, meaning, and what its lines are called where that is not said beside the chart."""
    muted = look.token(theme, "muted")
    text = f"<b>{row.title}</b> <span style='color:{muted}'>{row.meaning}</span>"
    runs = {style.label for style in styles.values()}
    named = [line for line in row.lines if line.label not in runs and line.dash != "dot"]
    keys = [(area.sign, area.color, area.label) for area in row.areas] or [("━", n.color, n.label) for n in named]
    text += "".join(
        f"  <span style='color:{color}'>{sign}</span> {look.escape(label)}" for sign, color, label in keys[:NAMED]
    )
    one = row.stacked or (named[0].rounds if named else None)
    if one is not None and n_shown > 1:
        text += f"  <span style='color:{muted}'>({look.escape(styles[one.name].label)})</span>"
    return {
        "text": text,
        "x": 0,
        "y": top,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12},
        "borderpad": 1,
    }


def _nothing(row: Row, y: float, theme: str) -> dict[str, Any]:
    return {
        "text": f"{row.title}: the file does not say",
        "x": 0.5,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": 12, "color": look.token(theme, "muted")},
    }


def _measurement(first: RunRounds) -> list[dict[str, Any]]:
    if first.phases is None or not first.n_rounds:
        return []
    last = first.n_rounds - 1
    start, stop = first.stretch
    return [
        {
            "type": "rect",
            "x0": float(first.time_h[min(start, last)]),
            "x1": float(first.time_h[min(stop, last)]),
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"width": 0},
            "fillcolor": look.rgba(look.PHASE["measurement"], 0.08),
            "layer": "below",
        }
    ]


def _cursor(cursor_h: float, theme: str) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": cursor_h,
        "x1": cursor_h,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": look.token(theme, "accent"), "width": 2},
    }
