"""The run from end to end under the heatmap: occupancy, jobs in the system and the phases. Plain dicts, no Dash.

x is the record index, which is what one seeks by (the first rounds of a log share a time); ticks say hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gavel_dash.figures.theme import PHASE, layout, rgba, token

if TYPE_CHECKING:
    from gavel_dash.analysis.phases import Phases

HEIGHT_PX = 150
#: Fixed, because the playhead and the slider are laid over the chart.
MARGIN = {"l": 56, "r": 56, "t": 22, "b": 26}
MOST_POINTS = 1000
_NICE_STEPS = (1, 2, 5)
_PHASE_LABEL_SHARE = 0.07


def build_scrubber(
    occupancy: np.ndarray,
    jobs_in_system: np.ndarray,
    sim_time_h: np.ndarray,
    round_numbers: np.ndarray,
    phases: Phases | None,
    theme: str,
) -> dict[str, Any]:
    """Occupancy as an area (left axis) and jobs in the system as a line (right axis) over all records.

    Long runs are drawn as means of at most `MOST_POINTS` equal stretches of records; the hover text says so.

    Parameters
    ----------
    occupancy, jobs_in_system, sim_time_h, round_numbers : ndarray, shape (n_rounds,)
        Occupancy as a fraction, time in hours, not decreasing.
    phases : Phases or None
        None where the run has no window that could be told apart.
    theme : str
        "light" or "dark".
    """
    n = len(occupancy)
    starts, middles = _stretches(n)
    busy, in_system = _means(occupancy, starts), _means(jobs_in_system, starts)
    bounds = [*starts.tolist(), n]
    text = []
    for k, middle in enumerate(middles.tolist()):
        first, last = int(round_numbers[bounds[k]]), int(round_numbers[bounds[k + 1] - 1])
        rounds = f"Round {first:,}" if first == last else f"Rounds {first:,}–{last:,}, mean"
        text.append(
            f"{rounds} · {sim_time_h[middle]:,.1f} h<br>"
            f"occupancy {busy[k]:.1%}<br>{in_system[k]:,.4g} jobs in the system"
        )
    accent, line = token(theme, "accent"), token(theme, "text")
    ticks, labels = _hour_ticks(sim_time_h)
    shapes, annotations = _phase_shades(phases, n, theme)
    most_jobs = float(in_system.max()) if len(in_system) else 0.0
    axis = {"automargin": False, "fixedrange": True, "showgrid": False, "showline": False, "ticks": ""}
    return {
        "data": [
            {
                "type": "scatter",
                "x": middles,
                "y": busy,
                "mode": "lines",
                "line": {"color": accent, "width": 1},
                "fill": "tozeroy",
                "fillcolor": rgba(accent, 0.22),
                "text": text,
                "hovertemplate": "%{text}<extra></extra>",
            },
            {
                "type": "scatter",
                "x": middles,
                "y": in_system,
                "yaxis": "y2",
                "mode": "lines",
                "line": {"color": line, "width": 1.5},
                "hoverinfo": "skip",
            },
        ],
        "layout": layout(
            theme,
            height=HEIGHT_PX,
            margin=MARGIN,
            hovermode="x",
            dragmode=False,
            xaxis={
                **axis,
                "range": [-0.5, max(n, 1) - 0.5],
                "tickmode": "array",
                "tickvals": ticks,
                "ticktext": labels,
                "showspikes": True,
                "spikemode": "across",
                "spikesnap": "cursor",
                "spikethickness": 1,
                "spikedash": "solid",
                "spikecolor": token(theme, "muted"),
            },
            yaxis={
                **axis,
                "range": [0, 1.02],
                "tickvals": [0.5, 1],
                "ticktext": ["50%", "100%"],
                "tickfont": {"size": 12, "color": accent},
            },
            yaxis2={
                **axis,
                "overlaying": "y",
                "side": "right",
                "range": [0, max(1.0, most_jobs * 1.05)],
                "nticks": 3,
                "tickformat": ",~d",
                "tickfont": {"size": 12, "color": line},
            },
            shapes=shapes,
            annotations=annotations,
        ),
    }


def _stretches(n: int) -> tuple[np.ndarray, np.ndarray]:
    """First record of each stretch, and the record in its middle."""
    count = min(n, MOST_POINTS)
    edges = np.linspace(0, n, count + 1).astype(np.int64)
    return edges[:-1], (edges[:-1] + edges[1:] - 1) // 2


def _means(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    if not len(values):
        return np.empty(0)
    lengths = np.diff([*starts.tolist(), len(values)])
    means: np.ndarray = np.add.reduceat(np.asarray(values, dtype=np.float64), starts) / lengths
    return means


def _hour_ticks(sim_time_h: np.ndarray) -> tuple[list[int], list[str]]:
    """Record indexes at round hours, about eight of them, and their labels."""
    if not len(sim_time_h):
        return [], []
    first, last = float(sim_time_h[0]), float(sim_time_h[-1])
    if not last > first:
        return [0], [f"{first:,g} h"]
    raw = (last - first) / 8
    power = 10.0 ** np.floor(np.log10(raw))
    step = next((nice * power for nice in _NICE_STEPS if nice * power >= raw), 10 * power)
    hours = np.arange(np.ceil(first / step), np.floor(last / step) + 1) * step
    return np.searchsorted(sim_time_h, hours).tolist(), [f"{hour:,.6g} h" for hour in hours.tolist()]


def _phase_shades(phases: Phases | None, n: int, theme: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A shade and a label per phase; a phase too short for its label has the shade alone."""
    if phases is None:
        return [], [_label("no measurement phase: no job of a measurement window is recorded", 0, theme)]
    start, end = phases.measurement_start, phases.measurement_end
    spans = [("warm-up", 0, start), ("measurement", start, end), ("cool-down", end, n)]
    shapes, labels = [], []
    for name, first, stop in spans:
        if stop <= first:
            continue
        measured = name == "measurement"
        color = token(theme, "accent") if measured else PHASE[name]
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": first - 0.5,
                "x1": stop - 0.5,
                "y0": 0,
                "y1": 1,
                "fillcolor": rgba(color, 0.08 if measured else 0.14),
                "line": {"width": 0},
                "layer": "below",
            }
        )
        if (stop - first) / n >= _PHASE_LABEL_SHARE:
            labels.append(_label(name, first, theme))
    return shapes, labels


def _label(text: str, x: int, theme: str) -> dict[str, Any]:
    return {
        "text": text,
        "x": x - 0.5,
        "xref": "x",
        "xanchor": "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": token(theme, "muted")},
    }
