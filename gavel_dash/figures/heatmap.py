"""The cluster in one round: every GPU a cell, a band of rows per GPU type in worker order. Plain dicts, no Dash.

`build_heatmap` makes the whole figure. While rounds play only `changing_parts` differ between two rounds of one run
with the same theme, colouring and size, so that a page can send those alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gavel_dash.figures.heatmap_bands import Grid, arrange
from gavel_dash.figures.heatmap_colors import (
    Coloring,
    codes_of_jobs,
    coloring,
    stepped_colorscale,
)
from gavel_dash.figures.heatmap_hover import hover_texts
from gavel_dash.figures.heatmap_marks import cell_edges, hatch_trace, legend_traces, no_allocation_note, shared_trace
from gavel_dash.figures.round_cells import RoundCells
from gavel_dash.figures.theme import escape, layout, token

MARGIN = {"l": 116, "r": 30, "t": 34, "b": 8}
_LONGEST_NAME = 14
_CELLS, _SHARED, _HATCH = 0, 1, 2  # positions of the traces; legend entries follow

#: What differs between two rounds of one run: paths into the figure.
CHANGING: tuple[tuple[str | int, ...], ...] = (
    ("data", _CELLS, "z"),
    ("data", _CELLS, "text"),
    ("data", _CELLS, "hoverinfo"),
    ("data", _SHARED, "x"),
    ("data", _SHARED, "y"),
    ("data", _HATCH, "x"),
    ("data", _HATCH, "y"),
    ("layout", "yaxis", "ticktext"),
    ("layout", "annotations"),
)


def build_heatmap(
    round_cells: RoundCells,
    theme: str,
    color_by: str = "category",
    height: int = 360,
    columns: int | None = None,
    width: int = 960,
    hover: bool = True,
) -> dict[str, Any]:
    """Heatmap of one round.

    Rows go by GPU type in worker order, wrapped, with blank rows between the types; at the left each type's name,
    count and busy share (as the simulator counted). Idle cells have the panel's colour and a thin edge. GPUs in use
    by nobody the file names are hatched, with a sentence. A GPU with several tenants is drawn in quarters with a cross.
    The legend lists what the run has, not the round, so it does not change from round to round.

    Parameters
    ----------
    round_cells : RoundCells
        From `round_cells.cells_of_round(run, index)`.
    theme : str
        "light" or "dark".
    color_by : str
        "category", "scale_factor" or "job"; anything else is by category.
    height : int
        Pixels of the whole figure; it is also set in the layout.
    columns : int or None
        GPUs in a row; None takes what makes cells nearly square at this height and width.
    width : int
        Pixels the figure is about to get. Only used to choose columns: the figure stretches to its container.
    hover : bool
        False leaves the hover texts out, which at thousands of GPUs cost more than all the rest.

    Returns
    -------
    dict
        Plotly figure. Trace 0 is the heatmap; its z holds palette codes (0 idle), NaN where there is no GPU. One GPU is
        1 x 1 on the axes, see `heatmap_bands`.
    """
    area = {"height": max(1, height - MARGIN["t"] - MARGIN["b"]), "width": max(1, width - MARGIN["l"] - MARGIN["r"])}
    grid = arrange(round_cells.cluster, columns=columns, **area)
    look = coloring(round_cells, theme, color_by)
    parts = 2 if round_cells.may_share else 1
    tenants = _tenants(round_cells, parts)
    figure = {
        "data": [
            _cell_trace(round_cells, grid, look, tenants, color_by, hover),
            shared_trace(round_cells, grid, theme),
            hatch_trace(round_cells, grid, theme),
            *legend_traces(look, round_cells, theme, color_by),
        ],
        "layout": layout(
            theme,
            height=height,
            margin=MARGIN,
            showlegend=True,
            modebar={"orientation": "v"},  # beside the cells, not over the legend
            legend={
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "itemclick": False,
                "itemdoubleclick": False,
                "font": {"size": 12},
                "itemwidth": 30,
                "bgcolor": "rgba(0,0,0,0)",
            },
            xaxis={
                "range": [0, grid.columns],
                "showgrid": False,
                "showline": False,
                "showticklabels": False,
                "ticks": "",
                "automargin": False,
            },
            yaxis={
                "range": [grid.height, 0],
                "showgrid": False,
                "showline": False,
                "ticks": "outside",
                "ticklen": 8,
                "tickcolor": "rgba(0,0,0,0)",
                "automargin": False,
                "tickmode": "array",
                "tickvals": [band.label for band in grid.bands],
                "ticktext": band_labels(round_cells),
                "tickfont": {"size": 12, "color": token(theme, "text")},
            },
            shapes=cell_edges(grid, theme, min(area["width"] / grid.columns, area["height"] / grid.height)),
            annotations=no_allocation_note(round_cells, theme),
        ),
    }
    return figure


def changing_parts(figure: dict[str, Any]) -> list[tuple[tuple[str | int, ...], Any]]:
    """The parts of a figure of `build_heatmap` that can differ between rounds: (path, value)."""
    parts = []
    for path in CHANGING:
        value: Any = figure
        for key in path:
            value = value[key]
        parts.append((path, value))
    return parts


def parts_without_zoom(figure: dict[str, Any]) -> list[tuple[tuple[str | int, ...], Any]]:
    """All of a figure of `build_heatmap` but the ranges of its axes: (path, value), for other colours of one run."""
    plain = [(("layout", name), value) for name, value in figure["layout"].items() if name not in ("xaxis", "yaxis")]
    axes = [
        (("layout", axis, name), value)
        for axis in ("xaxis", "yaxis")
        for name, value in figure["layout"][axis].items()
        if name != "range"
    ]
    return [(("data",), figure["data"]), *plain, *axes]


def band_labels(cells: RoundCells) -> list[str]:
    """Name, count and busy share of each GPU type, as Plotly text."""
    labels = []
    for gpu_type, used in zip(cells.cluster.gpu_types, cells.gpus_used.tolist(), strict=True):
        name = gpu_type.name.upper()
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        busy = used / gpu_type.count if gpu_type.count else 0.0
        labels.append(f"<b>{escape(short)}</b> {gpu_type.count:,}<br>{busy:.1%} busy")
    return labels


def describe_heatmap(cells: RoundCells) -> str:
    """The heatmap in one sentence, for screen readers."""
    shares = ", ".join(
        f"{gpu_type.name} {used} of {gpu_type.count}"
        for gpu_type, used in zip(cells.cluster.gpu_types, cells.gpus_used.tolist(), strict=True)
    )
    return f"Heatmap of GPUs in round {cells.round_number:,}: GPUs in use by type: {shares}"


def _tenants(cells: RoundCells, parts: int) -> np.ndarray:
    """Job in each part of each GPU: int64, shape (n_gpus, parts, parts), -1 idle."""
    tenants = np.repeat(cells.allocation, parts * parts).reshape(-1, parts, parts)
    if parts == 2:
        for gpu, quarters in cells.sharing.items():
            tenants[gpu] = quarters.reshape(2, 2)
    return tenants


def _cell_trace(
    cells: RoundCells, grid: Grid, look: Coloring, tenants: np.ndarray, color_by: str, hover: bool
) -> dict[str, Any]:
    parts = tenants.shape[1]
    codes = np.concatenate([[0], codes_of_jobs(cells.jobs, color_by)]).astype(np.float32)
    values: np.ndarray = codes[np.where(tenants < 0, 0, np.searchsorted(cells.jobs.job_id, tenants) + 1)]
    if not cells.has_allocation:
        values = np.full(tenants.shape, np.nan, np.float32)
    n = len(look.palette)
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": _on_grid(values, grid, np.nan).astype(np.float32),
        "x0": 0.5 / parts,
        "dx": 1 / parts,
        **_row_coordinates(grid, parts),
        "zmin": -0.5,
        "zmax": n - 0.5,
        "colorscale": stepped_colorscale(look.palette),
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{text}<extra></extra>",
        "text": [],
        "hoverinfo": "skip",
    }
    if hover and cells.has_allocation:
        trace["text"] = _on_grid(hover_texts(cells, tenants), grid, "").tolist()
        trace["hoverinfo"] = "text"
    return trace


def _on_grid(values: np.ndarray, grid: Grid, blank: Any) -> np.ndarray:
    """Values per part of each GPU laid out on the grid: shape (rows * parts, columns * parts)."""
    parts = values.shape[1]
    n_rows = len(grid.row_edges) - 1
    laid = np.full((n_rows, parts, grid.columns, parts), blank, dtype=values.dtype)
    rows, columns = grid.rows_and_columns()
    laid[rows, :, columns, :] = values
    return laid.reshape(n_rows * parts, grid.columns * parts)


def _row_coordinates(grid: Grid, parts: int) -> dict[str, Any]:
    """Rows as start and step where they are equal (drawn faster), else by their edges."""
    if grid.is_uniform:
        return {"y0": 0.5 / parts, "dy": 1 / parts}
    steps = np.arange(parts) / parts
    inner = (grid.row_edges[:-1, None] + np.diff(grid.row_edges)[:, None] * steps).ravel()
    return {"y": np.append(inner, grid.row_edges[-1])}
