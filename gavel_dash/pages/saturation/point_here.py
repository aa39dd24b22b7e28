"""Several points at one place: which there are, and which of them a click opens."""

from __future__ import annotations

from gavel_dash.figures.saturation import SaturationData, point_of


def here_options(data: SaturationData, runs: list[str]) -> list[dict[str, str]]:
    """One choice per curve among the runs at a place, in the order of the curves.

    Parameters
    ----------
    runs : list of str
        Runs whose points or seeds lie there, the nearest first: the nearest of a curve stands for it.
    """
    nearest: dict[str, tuple[float, str]] = {}
    for run in runs:
        at = point_of(data, run)
        if at is not None:
            nearest.setdefault(at[0], (at[1], run))
    return [
        {"label": f"{style.label} at {nearest[curve][0]:g} jph", "value": nearest[curve][1]}
        for curve, style in data.styles.items()
        if curve in nearest
    ]


def here_value(data: SaturationData, options: list[dict[str, str]], run: str | None) -> str | None:
    """The choice whose point holds a run; None where none does."""
    at = point_of(data, run)
    if at is None:
        return None
    return next((option["value"] for option in options if point_of(data, option["value"]) == at), None)


def run_to_open(data: SaturationData, runs: list[str], again: bool, selected: str | None) -> str | None:
    """The run that a click opens: the clicked one, and with each further click there that of the next curve.

    Parameters
    ----------
    runs : list of str
        Runs at the clicked place, the clicked one first.
    again : bool
        Whether the last click was at the same place.
    selected : str or None
        The run that is open.
    """
    here = here_options(data, runs)
    current = here_value(data, here, selected)
    if again and len(here) > 1 and current is not None:
        values = [option["value"] for option in here]
        return values[(values.index(current) + 1) % len(values)]
    return next((run for run in runs if point_of(data, run) is not None), None)
