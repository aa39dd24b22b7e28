"""The map of a sweep: one row per curve, one column per arrival rate, one tick per seed in each cell."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from gavel_dash.analysis.curves import curve_names
from gavel_dash.analysis.facets import natural_order, value_text
from gavel_dash.figures import theme as look

ROW_PX = 22
LABELS_PX = 52
FADED = 0.22
#: Width of a cell that ticks are spread over, and the size limits of a tick.
SPREAD = 0.72
MAX_TICK_PX, MIN_TICK_PX = 9.0, 4.0
#: Width the ticks must share, whatever the window: the map is never drawn narrower.
PLOT_PX = 640


def map_height(n_rows: int) -> int:
    """Height in pixels of a map of `n_rows` curves."""
    return max(2, n_rows) * ROW_PX + LABELS_PX


def build_sweep_map(
    runs: pd.DataFrame, matching: Collection[str], theme: str, selected: str | None = None
) -> dict[str, Any]:
    """Draw which runs of a sweep are complete, censored, damaged or missing.

    Parameters
    ----------
    runs : DataFrame
        All runs of the sweep, with the columns of `schema.RUNS`. Those without a policy or a
        rate have no place on the map.
    matching : collection of str
        Names of the runs that pass the filters. Rows without any are left out, other runs are faded.
    theme : str
        "light" or "dark".
    selected : str, optional
        Name of the run that is ringed.

    Returns
    -------
    dict
        A Plotly figure; `customdata` of a tick is the run's name, None where a seed is missing.
    """
    ticks = place_ticks(runs, matching)
    rows = sorted(set(ticks["curve"]), key=natural_order)
    rates = sorted(set(ticks["rate"]))
    size = _tick_size(len(rates), ticks["n_slots"].max() if len(ticks) else 1)
    data = [_trace(status, group, theme, size) for status, group in ticks.groupby("status", sort=False)]
    ring = ticks[ticks["run"] == selected] if selected else ticks[:0]
    data += [_ring(ring, theme, size)] if len(ring) else []
    layout = look.layout(
        theme,
        height=map_height(len(rows)),
        margin={"l": 8, "r": 8, "t": 4, "b": 40},
        xaxis={
            "tickvals": list(range(len(rates))),
            "ticktext": [value_text(rate) for rate in rates],
            "range": [-0.5, len(rates) - 0.5],
            "title": {"text": "arrival rate (jph)", "standoff": 6},
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [f"{look.escape(row)}  " for row in rows],
            "tickfont": {"color": look.token(theme, "text")},
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
        shapes=_cells(ticks, rows, rates, theme),
        dragmode=False,
    )
    return {"data": data, "layout": layout}


def place_ticks(runs: pd.DataFrame, matching: Collection[str]) -> pd.DataFrame:
    """One row per tick: every run of the curves that match, and every seed missing from their rates.

    Parameters
    ----------
    runs : DataFrame
        All runs of the sweep, with the columns of `schema.RUNS`.
    matching : collection of str
        Names of the runs that pass the filters.

    Returns
    -------
    DataFrame
        Columns `curve, rate, seed, run, status, x, y, faded, n_slots, text`. `x` and `y` are cell indexes, `x`
        moved by the seed's place in the cell. A seed is missing where the sweep has it, the curve has the rate,
        and there is no run of both.
    """
    placed = runs[runs["arrival_rate_jph"].notna() & runs["policy"].notna()].copy()
    placed["curve"] = curve_names(placed) if len(placed) else ""
    placed = placed.rename(columns={"arrival_rate_jph": "rate"})
    seeds = sorted(set(placed["seed"].dropna()))
    shown = set(placed.loc[placed["run"].isin(set(matching)), "curve"])
    placed = placed[placed["curve"].isin(shown)]
    columns = ["curve", "rate", "seed", "run", "status", "faded", "text"]
    records = [
        (run.curve, run.rate, run.seed, run.run, run.status, run.run not in matching, _run_text(run))
        for run in placed.itertuples()
    ]
    known = set(zip(placed["curve"], placed["rate"], placed["seed"], strict=True))
    for curve, rate in dict.fromkeys(zip(placed["curve"], placed["rate"], strict=True)):
        for seed in seeds:
            if (curve, rate, seed) not in known:
                text = f"<b>missing</b><br>{look.escape(curve)}<br>{rate:g} jph, seed {seed}"
                records.append((curve, rate, seed, None, "missing", False, text))
    ticks = pd.DataFrame(records, columns=columns)
    slots = [*seeds, None] if placed["seed"].isna().any() else seeds
    rows, rates = sorted(set(ticks["curve"]), key=natural_order), sorted(set(ticks["rate"]))
    place = {seed: (i + 0.5) / len(slots) - 0.5 for i, seed in enumerate(slots)}
    offsets = [SPREAD * place[None if pd.isna(seed) else seed] for seed in ticks["seed"]]
    ticks["x"] = [rates.index(rate) + offset for rate, offset in zip(ticks["rate"], offsets, strict=True)]
    ticks["y"] = [rows.index(curve) for curve in ticks["curve"]]
    ticks["n_slots"] = len(slots)
    return ticks


def _run_text(run: Any) -> str:
    """Hover text of a run: what, value with unit, n, where it comes from."""
    lines = [f"<b>{look.escape(run.run)}</b>", f"{look.STATUS[run.status][1]} {run.status}, {run.rate:g} jph"]
    if not pd.isna(run.seed):
        lines[-1] += f", seed {run.seed}"
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
    return max(MIN_TICK_PX, min(MAX_TICK_PX, PLOT_PX / max(1, n_rates) * SPREAD / max(1, n_slots) - 1))


def _trace(status: str, ticks: pd.DataFrame, theme: str, size: float) -> dict[str, Any]:
    symbol, _ = look.STATUS[status]
    missing = status == "missing"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": status,
        "x": ticks["x"].to_numpy(dtype=float),
        "y": ticks["y"].to_numpy(dtype=float),
        "customdata": ticks["run"].tolist(),
        "hovertext": ticks["text"].tolist(),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": symbol,
            "size": 3 if missing else size,
            "color": look.status_color(status, theme),
            "opacity": ticks["faded"].map({True: FADED, False: 1.0}).to_numpy(dtype=float),
            "line": {"width": 0 if missing else 1.5, "color": look.status_color(status, theme)},
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


def _cells(ticks: pd.DataFrame, rows: list[str], rates: list[float], theme: str) -> list[dict[str, Any]]:
    """A faint box behind every cell that is part of the sweep."""
    cells = dict.fromkeys(zip(ticks["curve"], ticks["rate"], strict=True))
    return [
        {
            "type": "rect",
            "layer": "below",
            "x0": rates.index(rate) - 0.46,
            "x1": rates.index(rate) + 0.46,
            "y0": rows.index(curve) - 0.42,
            "y1": rows.index(curve) + 0.42,
            "line": {"width": 0},
            "fillcolor": look.token(theme, "panel"),
        }
        for curve, rate in cells
    ]
