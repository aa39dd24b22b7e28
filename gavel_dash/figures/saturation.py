"""Where does it break? A measure against arrival rate, all curves in one chart, with their saturation points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.measures import DEFAULT_MEASURE
from gavel_dash.analysis.saturation import DEFAULT_K, STABILITY
from gavel_dash.analysis.stability import CONFIDENCE
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.curve_traces import mean_trace, paper_trace, ring_trace, seed_trace, unmeasured_trace
from gavel_dash.figures.flags import ROW_PX, Box, place_at_ends, stagger, text_width
from gavel_dash.figures.paper import PaperCurve, paper_curve
from gavel_dash.schema import Column, interval_names

Figure = dict[str, Any]

OVERLAY_HEIGHT_PX = 480
LEFT_PX, RIGHT_PX, BOTTOM_PX = 56, 36, 48
#: The chart is as wide as its column, which the server does not know: labels must fit the narrowest and the widest.
NARROW_PX, WIDE_PX = 560, 900


@dataclass(frozen=True)
class SaturationData:
    """What the charts show.

    Attributes
    ----------
    curves : DataFrame, `schema.curve_columns(measure)` and `first_run`, the run that a click on the point opens
    runs : DataFrame, `schema.RUNS` with `curve` and `n_at_point`, the runs with a value at its point
    saturation : DataFrame, `schema.SATURATION`, a row per curve and method
    styles : dict of curve name to CurveStyle
    measure : Column
        What is on the vertical axis.
    """

    curves: pd.DataFrame
    runs: pd.DataFrame
    saturation: pd.DataFrame
    styles: dict[str, CurveStyle]
    measure: Column


@dataclass(frozen=True)
class ChartOptions:
    """What the reader chose."""

    measure: str = DEFAULT_MEASURE
    k: float = DEFAULT_K
    confidence: float = CONFIDENCE
    method: str = STABILITY
    log: bool = False
    paper: bool = True
    seeds: bool = True
    color: str = "policy"
    line: str = "setting"
    panel: str = "figure"


def chosen_rows(data: SaturationData, options: ChartOptions) -> pd.DataFrame:
    """Rows of `schema.SATURATION` of the chosen method, one per curve."""
    return data.saturation[data.saturation["method"] == options.method]


def estimated_rows(data: SaturationData, options: ChartOptions) -> pd.DataFrame:
    """The chosen method's rows that have an estimate."""
    rows = chosen_rows(data, options)
    return rows[rows["estimate_jph"].notna()]


def build_overlay(data: SaturationData, options: ChartOptions, selected_run: str | None, theme: str) -> Figure:
    """All curves in one chart, each saturation point a vertical line with its number at the top.

    Parameters
    ----------
    data : SaturationData
    options : ChartOptions
    selected_run : str or None
        The point of this run is ringed.
    theme : "light" or "dark"
    """
    bounds = y_bounds(data, options)
    reached = estimated_rows(data, options)
    x_end = x_end_of(data, options)
    estimates = reached["estimate_jph"].to_numpy(dtype=float)
    texts = [_flag_text(row, data.styles[row.curve].label) for row in rows_of(reached)]
    rows = _flag_rows(estimates, texts, x_end)
    top_px = 12 + ROW_PX * (max(rows, default=-1) + 1)
    shapes, annotations = [], []
    for row, text, level in zip(rows_of(reached), texts, rows, strict=True):
        color = data.styles[row.curve].color
        shapes += saturation_shapes(row, color, "x", "paper")
        annotations.append(_flag(row.estimate_jph, text, level, x_end, color, theme))
    annotations += _end_names(data, options, bounds, OVERLAY_HEIGHT_PX - top_px - BOTTOM_PX, theme)
    return {
        "data": curve_traces(data, options, bounds, selected_run, theme),
        "layout": look.layout(
            theme,
            height=OVERLAY_HEIGHT_PX,
            margin={"l": LEFT_PX, "r": RIGHT_PX, "t": top_px, "b": BOTTOM_PX},
            xaxis={"range": [0, x_end], "title": {"text": "Arrival rate (jobs per hour, jph)"}, "automargin": False},
            yaxis=y_axis(bounds, data.measure, options.log),
            shapes=shapes,
            annotations=annotations,
            modebar={"orientation": "v"},  # beside the plot, not over the flags
            # Another scale is another chart: only then is the zoom given up.
            uirevision=f"{data.measure.name} {options.log}",
        ),
    }


def y_bounds(data: SaturationData, options: ChartOptions) -> tuple[float, float]:
    """Lowest and highest value of the axis, the same in the chart and all panels."""
    name = data.measure.name
    values = [data.curves[name], data.curves[interval_names(name)[1]]]
    if options.seeds:
        values.append(data.runs[name])
    shown = np.concatenate([v.to_numpy(dtype=float, na_value=np.nan) for v in values])
    shown = np.concatenate([shown, *[line.mean_jct_h for line in _paper_lines(data, options)]])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    if len(shown) == 0:
        top = 1.0 if data.measure.unit == "fraction" else 10.0
        return (top / 10, top) if options.log else (0.0, top)
    return (float(shown.min()) * 0.8, float(shown.max()) * 1.25) if options.log else (0.0, float(shown.max()) * 1.08)


def usual_window(points: pd.DataFrame) -> str | None:
    """The window most points of a curve were measured on; its others carry a sign."""
    windows = points["window"].dropna().value_counts()
    return None if windows.empty else str(windows.index[0])


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """Rows as named tuples; typed as anything, as the columns of a table are."""
    return list(frame.itertuples(index=False))


def point_of(data: SaturationData, run: str | None) -> tuple[str, float] | None:
    """Curve and arrival rate of the point that holds a run; None where no point does."""
    rows = data.runs[data.runs["run"] == run]
    return None if rows.empty else (str(rows["curve"].iloc[0]), float(rows["arrival_rate_jph"].iloc[0]))


def curve_traces(
    data: SaturationData, options: ChartOptions, bounds: tuple[float, float], selected_run: str | None, theme: str
) -> list[dict[str, Any]]:
    """All traces of a chart: the ring first, so that it lies under the markers, then the paper, then ours."""
    low, high = bounds
    name = data.measure.name
    traces = [_ring(data, options, selected_run, high, theme)]
    for row in _keys(data.curves) if shows_paper(data, options) else []:
        line = paper_curve(row.figure, row.policy)
        if line is not None:
            traces.append(paper_trace(line, data.styles[row.curve].color, options.k))
    for curve, style in data.styles.items():
        points, runs = data.curves[data.curves["curve"] == curve], data.runs[data.runs["curve"] == curve]
        if options.seeds and (runs["n_at_point"] > 1).any():
            traces.append(seed_trace(runs, data.measure, style))
        # Only a missing completion time is a large one; other measures are simply not known.
        if data.measure.unit == "h" and points[name].isna().any():
            traces.append(unmeasured_trace(points, data.measure, style, high / 1.03))
        traces.append(mean_trace(points, data.measure, style, usual_window(points), low, theme))
    return traces


def shows_paper(data: SaturationData, options: ChartOptions) -> bool:
    """Whether the paper's curves are drawn: they are of mean JCT."""
    return options.paper and data.measure.name == DEFAULT_MEASURE


def _ring(
    data: SaturationData, options: ChartOptions, selected_run: str | None, high: float, theme: str
) -> dict[str, Any]:
    at = point_of(data, selected_run)
    if at is None:
        return ring_trace([], theme)
    name = data.measure.name
    point = data.curves[(data.curves["curve"] == at[0]) & (data.curves["arrival_rate_jph"] == at[1])].iloc[0]
    if pd.isna(point[name]) and data.measure.unit != "h":
        return ring_trace([], theme)
    around = [(at[1], high / 1.03 if pd.isna(point[name]) else float(point[name]))]
    run = data.runs[data.runs["run"] == selected_run].iloc[0]
    if options.seeds and run["n_at_point"] > 1 and not pd.isna(run[name]):
        around.append((at[1], float(run[name])))
    return ring_trace(around, theme)


def _keys(curves: pd.DataFrame) -> list[Any]:
    return rows_of(curves.drop_duplicates("curve").fillna({"figure": "", "policy": ""}))


def x_end_of(data: SaturationData, options: ChartOptions) -> float:
    """Right end of the axis of rates; a curve without any value does not stretch it for the others."""
    measured = data.curves.groupby("curve")[data.measure.name].transform("count") > 0
    shown = data.curves[measured] if measured.any() else data.curves
    lines = (line.arrival_rate_jph for line in _paper_lines(data, options))
    highest = np.concatenate([shown["arrival_rate_jph"].to_numpy(dtype=float), *lines]).max(initial=0.0)
    return float(highest) * 1.05 or 1.0


def y_axis(bounds: tuple[float, float], measure: Column, log: bool) -> dict[str, Any]:
    """The axis of a measure between two bounds."""
    axis: dict[str, Any] = {"title": {"text": measure.label}, "automargin": False}
    percent = measure.unit == "fraction"
    if percent:
        axis["tickformat"] = ".0%" if bounds[1] > 0.1 else ".1%"
    if not log:
        return axis | {"type": "linear", "range": list(bounds)}
    # Ticks at 1, 2 and 5 times each power of ten, written out.
    ticks = [float(m * 10**e) for e in range(-4, 6) for m in (1, 2, 5)]
    texts = [f"{tick:.4g}" if not percent else f"{tick * 100:g}%" for tick in ticks]
    log_range = [float(np.log10(b)) for b in bounds]
    return axis | {"type": "log", "range": log_range, "tickvals": ticks, "ticktext": texts}


def _flag_text(row: Any, label: str) -> str:
    if not pd.isna(row.low_jph):
        interval = f" [{row.low_jph:.2f}, {row.high_jph:.2f}]"
    elif not pd.isna(row.bracket_low_jph):
        interval = f" ({row.bracket_low_jph:g} to {row.bracket_high_jph:g})"
    else:
        interval = ""
    return f"{label} {row.estimate_jph:.2f}{interval} jph"


def _flag_rows(estimates: np.ndarray, texts: list[str], x_end: float) -> list[int]:
    plot_px = NARROW_PX - LEFT_PX - RIGHT_PX
    return stagger(list(estimates / x_end * plot_px), [text_width(text) for text in texts], -LEFT_PX)


def _flag(x: float, text: str, row: int, x_end: float, color: str, theme: str) -> dict[str, Any]:
    # Left of its pole; moved right where the narrowest chart would cut it.
    left_px = LEFT_PX + x / x_end * (NARROW_PX - LEFT_PX - RIGHT_PX) - text_width(text)
    return {
        "x": x,
        "y": 1,
        "yref": "paper",
        "text": look.escape(text),
        "font": {"size": 12, "color": look.token(theme, "text")},
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1.2,
        "arrowcolor": color,
        "ax": max(0.0, -left_px),
        "ay": -(row * ROW_PX + 3),
        "xanchor": "right",
        "yanchor": "bottom",
        "borderpad": 0,
    }


def saturation_shapes(row: Any, color: str, x_ref: str, y_ref: str) -> list[dict[str, Any]]:
    """The vertical line of an estimate, and the faint bands of its interval and its bracket."""
    base = {"xref": x_ref, "yref": y_ref, "y0": 0, "y1": 1, "layer": "below"}
    line = {"type": "line", "x0": row.estimate_jph, "x1": row.estimate_jph, "line": {"color": color, "width": 1.2}}
    bands = [
        {"type": "rect", "x0": low, "x1": high, "line": {"width": 0}, "fillcolor": look.rgba(color, 0.08)}
        for low, high in ((row.low_jph, row.high_jph), (row.bracket_low_jph, row.bracket_high_jph))
        if not pd.isna(low) and not pd.isna(high)
    ]
    return [*(base | band for band in bands), base | line]


def _end_names(
    data: SaturationData, options: ChartOptions, bounds: tuple[float, float], plot_height_px: float, theme: str
) -> list[dict[str, Any]]:
    """Names right of the curves' last points, where they cover nothing at the narrowest and the widest chart."""
    scale = np.log10 if options.log else np.asarray
    low, high = (float(scale(bound)) for bound in bounds)
    name = data.measure.name
    measured = data.curves[data.curves[name].notna() & ((data.curves[name] > 0) | (not options.log))]
    curves = [(style.label, measured[measured["curve"] == curve]) for curve, style in data.styles.items()]
    labels = [label for label, points in curves if len(points)]
    lines = [_xy(points["arrival_rate_jph"], points[name]) for _, points in curves if len(points)]
    # What else a name may not cover: the paper's lines and the saturation lines.
    others = [(line.arrival_rate_jph, line.mean_jct_h) for line in _paper_lines(data, options)]
    others += [(np.array([x, x]), np.array(bounds)) for x in estimated_rows(data, options)["estimate_jph"]]
    shifts: list[list[float | None]] = []
    for width in (NARROW_PX, WIDE_PX):
        plot_px = width - LEFT_PX - RIGHT_PX
        per_jph = plot_px / x_end_of(data, options)
        in_px = [(x * per_jph, (scale(y) - low) / (high - low) * plot_height_px) for x, y in lines + others]
        ends = [(float(x[-1]), float(y[-1])) for x, y in in_px[: len(lines)]]
        shifts.append(place_at_ends(ends, labels, in_px, Box(0, 0, plot_px + RIGHT_PX, plot_height_px)))
    return [
        {
            "x": float(x[-1]),
            "y": float(scale(y[-1])),
            "text": look.escape(label),
            "font": {"size": 12, "color": look.token(theme, "muted")},
            "showarrow": False,
            "xanchor": "left",
            "xshift": 9,
            "yshift": narrow,
        }
        for label, (x, y), narrow, wide in zip(labels, lines, *shifts, strict=True)
        if narrow is not None and narrow == wide
    ]


def _xy(x: pd.Series, y: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    return x.to_numpy(dtype=float), y.to_numpy(dtype=float)


def _paper_lines(data: SaturationData, options: ChartOptions) -> list[PaperCurve]:
    if not shows_paper(data, options):
        return []
    lines = (paper_curve(row.figure, row.policy) for row in _keys(data.curves))
    return [line for line in lines if line is not None]
