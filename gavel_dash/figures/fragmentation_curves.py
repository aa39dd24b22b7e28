"""Fragmentation of a sweep: one curve per policy or placement against arrival rate or against demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gavel_dash.analysis.fragmentation_curves import DEMAND_STEP
from gavel_dash.figures import theme as look
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.schema import Column, interval_names

HEIGHT_PX = 520
TITLES = {
    "fragmentation_rate": "Fragmented GPUs (% of free GPUs)",
    "fragmentation_share": "Fragmented GPUs (% of all GPUs)",
    "free_gpus": "Unallocated GPUs",
    "occupied_nodes": "Occupied nodes",
}


def build_curves(
    curves: pd.DataFrame,
    styles: Mapping[str, CurveStyle],
    measure: Column,
    by_demand: bool,
    theme: str,
    nothing: str = "",
) -> dict[str, Any]:
    """Curves with their intervals over seeds; the first run behind a point is its customdata.

    Parameters
    ----------
    curves : DataFrame with the columns `fragmentation_curve_columns(measure, by_demand)`
    styles : mapping of curve name to CurveStyle
    measure : Column
    by_demand : bool
        Against stretches of demand, at their middles, instead of arrival rate.
    theme : "light" or "dark"
    nothing : str
        Why there is no curve, where there is none.
    """
    title = (
        "Demand: GPUs in use and asked for by waiting jobs (% of all GPUs)" if by_demand else "Arrival rate (jobs/h)"
    )
    return {
        "data": [
            _curve(rows, styles[str(curve)], measure, by_demand) for curve, rows in curves.groupby("curve", sort=False)
        ],
        "layout": look.layout(
            theme,
            height=HEIGHT_PX,
            margin={"l": 64, "r": 16, "t": 24, "b": 48},
            showlegend=True,
            annotations=[_nothing(nothing, theme)] if curves.empty else [],
            legend={
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 12},
            },
            xaxis={"title": {"text": title}, "rangemode": "tozero", **({"ticksuffix": "%"} if by_demand else {})},
            yaxis={
                "title": {"text": TITLES[measure.name]},
                "rangemode": "tozero",
                **({"ticksuffix": "%"} if measure.unit == "fraction" else {}),
            },
        ),
    }


def _nothing(why: str, theme: str) -> dict[str, Any]:
    return {
        "text": look.escape(why),
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": 14, "color": look.token(theme, "muted")},
    }


def _curve(rows: pd.DataFrame, style: CurveStyle, measure: Column, by_demand: bool) -> dict[str, Any]:
    scale = 100 if measure.unit == "fraction" else 1
    value = rows[measure.name].to_numpy(float) * scale
    low, high = (rows[name].to_numpy(float) * scale for name in interval_names(measure.name))
    x = (
        (rows["demand_low"].to_numpy(float) + DEMAND_STEP / 2) * 100
        if by_demand
        else rows["arrival_rate_jph"].to_numpy(float)
    )
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": look.escape(style.label),
        "x": x,
        "y": value,
        "customdata": [str(names).split()[0] for names in rows["runs"]],
        "line": {"color": style.color, "dash": style.dash, "width": 1.8},
        "marker": {"symbol": style.symbol, "size": 8, "color": style.color},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": np.nan_to_num(high - value),
            "arrayminus": np.nan_to_num(value - low),
            "thickness": 1,
            "width": 3,
            "color": style.color,
        },
        "hovertext": [_tooltip(row, style, measure, by_demand) for row in rows.to_dict("records")],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def value_text(value: float, measure: Column) -> str:
    """A value with its unit, such as ``14.8%`` or ``6.2 GPUs``."""
    return f"{value * 100:.2f}%" if measure.unit == "fraction" else f"{value:,.1f} {measure.unit}"


def _tooltip(row: Mapping[Any, Any], style: CurveStyle, measure: Column, by_demand: bool) -> str:
    low, high = (row[name] for name in interval_names(measure.name))
    if by_demand:
        top = "and more" if pd.isna(row["demand_high"]) else f"to {row['demand_high'] * 100:.0f}%"
        where = f"demand {row['demand_low'] * 100:.0f}% {top}"
    else:
        where = f"{row['arrival_rate_jph']:g} jph"
    n = int(row["n_seeds"])
    spread = (
        f"n = {n} seed{'' if n == 1 else 's'}: no interval"
        if pd.isna(low)
        else f"{row['confidence'] * 100:g}% interval {value_text(low, measure)} to {value_text(high, measure)}, n = {n}"
    )
    rounds, runs = int(row["n_rounds"]), int(row["n_runs"])
    of_rounds = "rounds with a free GPU" if measure.name == "fragmentation_rate" else "rounds"
    return "<br>".join(
        [
            f"<b>{look.escape(style.label)}</b>, {where}",
            f"{measure.label}: {value_text(row[measure.name], measure)}",
            spread,
            f"mean over {rounds:,} {of_rounds} of {runs} run{'' if runs == 1 else 's'}",
        ]
    )
