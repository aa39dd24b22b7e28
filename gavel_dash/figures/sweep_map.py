"""The map of a sweep: one row per curve, one column per arrival rate, one tick per seed in each cell."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from gavel_dash.analysis.curves import curve_names
from gavel_dash.analysis.facets import apply_filters, natural_order, value_text
from gavel_dash.analysis.missing import MISSING, find_missing
from gavel_dash.figures import theme as look

ROW_PX = 22
MIN_ROWS = 3
LABELS_PX = 30
#: Width of the characters of a row's name, on the safe side, and how many are shown; hovering shows them all.
CHARACTER_PX, WIDE_PX = 6.8, 8.4
MAX_NAME = 42
#: Width of a rate's label. Where columns are narrower, every second (third ...) has one.
RATE_PX = 28
FADED = 0.22
#: Width of a cell that ticks are spread over, and the size limits of a tick.
SPREAD = 0.72
MAX_TICK_PX, MIN_TICK_PX = 9.0, 4.0
#: Width the ticks must share, whatever the window: the map is never drawn narrower.
PLOT_PX = 520


def map_height(n_rows: int) -> int:
    """Height in pixels of a map of `n_rows` curves."""
    return max(MIN_ROWS, n_rows) * ROW_PX + LABELS_PX


def build_sweep_map(
    ticks: pd.DataFrame, filters: Mapping[str, Collection[str]], theme: str, selected: str | None = None
) -> dict[str, Any]:
    """Draw which runs of a sweep are complete, censored, damaged or missing.

    Parameters
    ----------
    ticks : DataFrame
        All runs of the sweep that have a place on the map, as of `place_ticks`.
    filters : mapping of str to collection of str
        As in `facets.apply_filters`. Rows where nothing passes are left out; other runs that do not are faded.
    theme : str
        "light" or "dark".
    selected : str, optional
        Name of the run that is ringed.

    Returns
    -------
    dict
        A Plotly figure; `customdata` of a tick is the run's name, None where a run is missing. Columns and the
        height of rows do not depend on the filters, so that nothing moves sideways.
    """
    rates, n_rows = sorted(set(ticks["arrival_rate_jph"])), ticks["curve"].nunique()
    labels_px = max((_width_px(_shorten(curve)) for curve in set(ticks["curve"])), default=0.0) + 12
    step = math.ceil(len(rates) * RATE_PX / PLOT_PX) if rates else 1
    ticks = ticks.assign(passes=ticks.index.isin(apply_filters(ticks, filters).index))
    ticks = ticks[ticks["curve"].isin(set(ticks.loc[ticks["passes"], "curve"]))]
    rows = sorted(set(ticks["curve"]), key=natural_order)
    ticks = ticks.assign(y=[rows.index(curve) for curve in ticks["curve"]])
    size = _tick_size(len(rates), ticks["n_slots"].max() if len(ticks) else 1)
    data = [_trace(str(status), group, theme, size) for status, group in ticks.groupby("status", sort=False)]
    ring = ticks[ticks["run"] == selected] if selected else ticks[:0]
    data += [_ring(ring, theme, size)] if len(ring) else []
    layout = look.layout(
        theme,
        height=map_height(n_rows),
        margin={"l": labels_px, "r": 8, "t": LABELS_PX - 4, "b": 4},
        xaxis={
            "side": "top",
            "tickvals": list(range(0, len(rates), step)),
            "ticktext": [value_text(rate) for rate in rates[::step]],
            "tickangle": 0,
            "range": [-0.5, len(rates) - 0.5],
            "showgrid": False,
            "showline": False,
            "ticks": "",
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [f"{look.escape(_shorten(row))}  " for row in rows],
            "tickfont": {"color": look.token(theme, "text")},
            "automargin": False,
            "range": [max(n_rows, MIN_ROWS) - 0.5, -0.5],
            "showgrid": False,
            "showline": False,
            "ticks": "",
            "fixedrange": True,
        },
        shapes=_cells(ticks, rates, theme),
        dragmode=False,
    )
    return {"data": data, "layout": layout}


def place_ticks(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs and missing runs that have a place on the map, with `curve`, `x` and `n_slots`.

    `x` is the position of the rate among all rates, moved by the place of the seed in the cell.
    """
    ticks = pd.concat([runs, find_missing(runs)], ignore_index=True)
    ticks = ticks[ticks["arrival_rate_jph"].notna() & ticks["policy"].notna()].copy()
    ticks["curve"] = curve_names(ticks)
    slots: list[Any] = sorted(set(ticks["seed"].dropna()))
    slots += [None] if ticks["seed"].isna().any() else []
    place = {seed: SPREAD * ((i + 0.5) / len(slots) - 0.5) for i, seed in enumerate(slots)}
    column = {rate: i for i, rate in enumerate(sorted(set(ticks["arrival_rate_jph"])))}
    ticks["x"] = [
        column[rate] + place[None if pd.isna(seed) else seed]
        for rate, seed in zip(ticks["arrival_rate_jph"], ticks["seed"], strict=True)
    ]
    ticks["n_slots"] = len(slots)
    return ticks


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 20]}…{name[-19:]}"


def _width_px(name: str) -> float:
    return sum(WIDE_PX if character.isupper() or character.isdigit() else CHARACTER_PX for character in name)


def _run_text(run: Any) -> str:
    """Hover text of a run: what, value with unit, n, where it comes from."""
    what = run.curve if run.status == MISSING else run.run
    lines = [f"<b>{look.escape(what)}</b>", f"{look.STATUS[run.status][1]} {run.status}, {run.arrival_rate_jph:g} jph"]
    if not pd.isna(run.seed):
        lines[-1] += f", seed {run.seed}"
    if run.status != MISSING and len(run.curve) > MAX_NAME:
        lines.append(look.escape(run.curve))
    if not pd.isna(run.mean_jct_h):
        bound = "≥ " if run.mean_jct_is_lower_bound is True else ""
        lines.append(f"mean JCT {bound}{run.mean_jct_h:.1f} h")
        if not pd.isna(run.n_window):
            lines[-1] += f", {run.n_completed:,} of {run.n_window:,} window jobs"
    if not pd.isna(run.note) and run.note:
        note = run.note if len(run.note) <= 120 else run.note[:119] + "…"
        lines.append(look.escape(note))
    return "<br>".join(lines)


def _tick_size(n_rates: int, n_slots: int) -> float:
    return max(MIN_TICK_PX, min(MAX_TICK_PX, PLOT_PX / max(1, n_rates) * SPREAD / max(1, n_slots) - 2))


def _trace(status: str, ticks: pd.DataFrame, theme: str, size: float) -> dict[str, Any]:
    symbol, _ = look.STATUS[status]
    missing = status == MISSING
    return {
        "type": "scatter",
        "mode": "markers",
        "name": status,
        "x": ticks["x"].to_numpy(dtype=float),
        "y": ticks["y"].to_numpy(dtype=float),
        "customdata": [None if missing else run for run in ticks["run"]],
        "hovertext": [_run_text(run) for run in ticks.itertuples()],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": symbol,
            "size": 3 if missing else size,
            "color": look.status_color(status, theme),
            "opacity": ticks["passes"].map({True: 1.0, False: FADED}).to_numpy(dtype=float),
            "line": {"width": 0 if symbol == "circle" else 1.5, "color": look.status_color(status, theme)},
        },
    }


def _ring(tick: pd.DataFrame, theme: str, size: float) -> dict[str, Any]:
    accent = look.token(theme, "accent")
    return {
        "type": "scatter",
        "mode": "markers",
        "x": tick["x"].to_numpy(dtype=float),
        "y": tick["y"].to_numpy(dtype=float),
        "hoverinfo": "skip",
        "marker": {"symbol": "circle-open", "size": size + 9, "color": accent, "line": {"width": 2, "color": accent}},
    }


def _cells(ticks: pd.DataFrame, rates: list[float], theme: str) -> list[dict[str, Any]]:
    """A faint box behind every cell that is part of the sweep."""
    cells = dict.fromkeys(zip(ticks["y"], ticks["arrival_rate_jph"], strict=True))
    return [
        {
            "type": "rect",
            "layer": "below",
            "x0": rates.index(rate) - 0.46,
            "x1": rates.index(rate) + 0.46,
            "y0": y - 0.42,
            "y1": y + 0.42,
            "line": {"width": 0},
            "fillcolor": look.token(theme, "panel"),
        }
        for y, rate in cells
    ]
