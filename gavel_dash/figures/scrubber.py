"""The frame of the chart under the heatmap: axes, phases and styled traces without data. Plain dicts, no Dash.

`assets/player/renderer/scrubber.mjs` fills it, for whatever part of the runs is in view. x is the position: the record
index of the longest run, which is what one seeks by (the first rounds of a log share a time); ticks say hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gavel_dash.figures.theme import PHASE, layout, rgba, token

if TYPE_CHECKING:
    from gavel_dash.analysis.phases import Phases

HEIGHT_PX = 150
#: Fixed, because the track (pointer, playhead, loop) is laid over the plot area.
MARGIN = {"l": 56, "r": 56, "t": 22, "b": 26}
#: Runs are told apart by badge and dash, in this order, and never by colour.
BADGES = ("A", "B", "C", "D")
_DASHES = ("solid", "dash", "dot", "dashdot")
#: Heights of a row of completions: a lone run needs no room for its badge.
_RUG_ROW_PX = {"alone": 9, "badged": 13}


def build_scrubber(
    n_positions: int, phases: Phases | None, theme: str, height: int = HEIGHT_PX, n_runs: int = 1
) -> dict[str, Any]:
    """Empty chart of 1-4 runs over one timeline.

    Traces carry their part and the run's badge as a name. Left axis: ``occupancy-A`` (mean), ``occupancy-range-A``
    (least to most). Right axis: ``jobs-A``, ``jobs-range-A`` (jobs in the system). Below: a row of ticks,
    ``completions-A``. Several runs also have ``badges``, the labels of their lines. A phase's shape and label share
    its name.

    Parameters
    ----------
    n_positions : int
        Length of the timeline: records of the longest run.
    phases : Phases or None
        Of run A, in positions. None where it has no window that could be told apart.
    theme : str
        "light" or "dark".
    height : int
        Of the whole chart, pixels.
    n_runs : int
        1 to 4. Occupancy is an area for one run and lines for more.
    """
    if not 1 <= n_runs <= len(BADGES):
        raise ValueError(f"n_runs: expected 1 to {len(BADGES)}, found {n_runs}")
    shapes, annotations = _phases(phases, n_positions, theme)
    badges = BADGES[:n_runs]
    runs = [_run_traces(badge, n_runs, theme) for badge in badges]
    return {
        "data": [
            *(trace for part in zip(*runs, strict=True) for trace in part),
            *([_badge_labels(theme)] if n_runs > 1 else []),
        ],
        "layout": layout(
            theme,
            height=height,
            margin=MARGIN,
            hovermode=False,
            dragmode=False,
            **_axes(n_positions, badges, height, theme),
            shapes=shapes,
            annotations=annotations,
        ),
    }


def _run_traces(badge: str, n_runs: int, theme: str) -> list[dict[str, Any]]:
    """Ranges first: the figure has part after part, so that no run's line is below another's range."""
    accent, text = token(theme, "accent"), token(theme, "text")
    dash = _DASHES[BADGES.index(badge)]
    area = {"fill": "tozeroy", "fillcolor": rgba(accent, 0.22)} if n_runs == 1 else {}
    return [
        _trace("occupancy-range", badge, "y", {"color": rgba(accent, 0.45), "width": 0.5})
        | {"fill": "toself", "fillcolor": rgba(accent, 0.25 if n_runs == 1 else 0.12)},
        _trace("jobs-range", badge, "y2", {"color": rgba(text, 0.35), "width": 0.5})
        | {"fill": "toself", "fillcolor": rgba(text, 0.2 if n_runs == 1 else 0.1)},
        # Every stretch of records is as wide as its records, and a value holds until the next record.
        _trace("occupancy", badge, "y", {"color": accent, "width": 1, "dash": dash, "shape": "hv"}) | area,
        _trace("jobs", badge, "y2", {"color": text, "width": 1.5, "dash": dash, "shape": "hv"}),
        _trace("completions", badge, "y3", {"color": token(theme, "muted"), "width": 1}),
    ]


def _trace(part: str, badge: str, yaxis: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": f"{part}-{badge}",
        "x": [],
        "y": [],
        "yaxis": yaxis,
        "mode": "lines",
        "line": line,
        "hoverinfo": "skip",
    }


def _badge_labels(theme: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": "badges",
        "x": [],
        "y": [],
        "text": [],
        "yaxis": "y2",
        "mode": "text",
        "textposition": "top center",
        "textfont": {"size": 12, "weight": 600, "color": token(theme, "text")},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _axes(n_positions: int, badges: tuple[str, ...], height: int, theme: str) -> dict[str, dict[str, Any]]:
    """Positions below, occupancy left, jobs right, and a strip of completions, one row per run, at the bottom."""
    axis = {"automargin": False, "fixedrange": True, "showgrid": False, "showline": False, "ticks": ""}
    rows_px = len(badges) * _RUG_ROW_PX["alone" if len(badges) == 1 else "badged"]
    strip = min(0.5, rows_px / max(1, height - MARGIN["t"] - MARGIN["b"]))
    named = len(badges) > 1
    return {
        "xaxis": {
            **axis,
            "anchor": "y3",
            "range": [-0.5, max(n_positions, 1) - 0.5],
            "tickmode": "array",
            "tickvals": [],
            "ticktext": [],
        },
        "yaxis": {
            **axis,
            "domain": [strip, 1],
            "range": [0, 1.02],
            "tickvals": [0.5, 1],
            "ticktext": ["50%", "100%"],
            "tickfont": {"size": 12, "color": token(theme, "accent")},
        },
        "yaxis2": {
            **axis,
            "overlaying": "y",
            "side": "right",
            "range": [0, 1],
            "tickmode": "array",
            "tickvals": [],
            "ticktext": [],
            "tickfont": {"size": 12, "color": token(theme, "text")},
        },
        "yaxis3": {
            **axis,
            "domain": [0, strip],
            "range": [len(badges) - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": list(range(len(badges))) if named else [],
            "ticktext": list(badges) if named else [],
            "tickfont": {"size": 12, "color": token(theme, "text")},
        },
    }


def _phases(phases: Phases | None, n: int, theme: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A shade and a label per phase that has rounds; the browser hides a label that has no room."""
    if phases is None:
        note = _label("no measurement phase: no job of a measurement window is recorded", theme)
        return [], [note | {"x": 0, "xref": "paper"}]
    start, end = phases.measurement_start, phases.measurement_end
    spans = [("warm-up", 0, start), ("measurement", start, end), ("cool-down", end, n)]
    spans = [span for span in spans if span[2] > span[1]]
    shapes = [_shade(name, first, stop, theme) for name, first, stop in spans]
    labels = [_label(name, theme) | {"name": name, "x": first - 0.5, "xref": "x"} for name, first, _ in spans]
    return shapes, labels


def _shade(phase: str, first: int, stop: int, theme: str) -> dict[str, Any]:
    measured = phase == "measurement"
    return {
        "type": "rect",
        "name": phase,
        "xref": "x",
        "yref": "paper",
        "x0": first - 0.5,
        "x1": stop - 0.5,
        "y0": 0,
        "y1": 1,
        "fillcolor": rgba(token(theme, "accent") if measured else PHASE[phase], 0.08 if measured else 0.14),
        "line": {"width": 0},
        "layer": "below",
    }


def _label(text: str, theme: str) -> dict[str, Any]:
    return {
        "text": text,
        "xanchor": "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": token(theme, "muted")},
    }
