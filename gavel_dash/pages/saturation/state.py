"""The page's state as its address spells it: what the controls say, the filters, and the point that is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pandas as pd

from gavel_dash.analysis.facets import FACETS, RUN, TEXT
from gavel_dash.analysis.measures import MEASURES
from gavel_dash.analysis.saturation import METHODS, PLATEAU_FACTOR, STABILITY
from gavel_dash.figures.saturation import ChartOptions
from gavel_dash.ui.query import query_number, query_value, query_values

K_LOWEST, K_HIGHEST = 1.2, 5.0
CONFIDENCES = (0.8, 0.9, 0.95, 0.99)
FILTER_KEYS = (*(facet.key for facet in FACETS), TEXT, RUN)
LINEAR, LOG = "linear", "log"
HOURS, PERCENT = "hours", "percent"
GAIN, PAPER_ERROR = "gain", "paper_error"

Filters = dict[str, list[str]]
#: Values of all controls by the key they have in the address.
Controls = dict[str, object]

DEFAULTS: Controls = {
    "measure": ChartOptions().measure,
    "method": ChartOptions().method,
    "k": ChartOptions().k,
    "confidence": ChartOptions().confidence,
    "axis": LINEAR,
    "paper": "1",
    "seeds": "1",
    "color": ChartOptions().color,
    "line": ChartOptions().line,
    "panel": ChartOptions().panel,
    "gain_of": "",
    "gain_against": "",
    "gain_unit": HOURS,
    "gain_view": GAIN,
}
#: Which texts a control may have; of others (the dimensions and curves of a sweep) any text may be one.
CHOICES: dict[str, tuple[str, ...]] = {
    "measure": tuple(MEASURES),
    "method": tuple(METHODS),
    "axis": (LINEAR, LOG),
    "paper": ("0", "1"),
    "seeds": ("0", "1"),
    "gain_unit": (HOURS, PERCENT),
    "gain_view": (GAIN, PAPER_ERROR),
}


@dataclass(frozen=True)
class PageState:
    """What a query restores.

    Attributes
    ----------
    controls : dict
        Values of all controls.
    filters : dict of facet key to texts, as the Sweep page writes them; `run` restricts to named runs
    selected_run : str or None, query key `at`
        The run whose cluster is shown; its point is ringed.
    round_index : int or None, query key `round`
        Position of the record in the run's file; None: the middle of the measurement phase.
    """

    controls: Controls
    filters: Filters = field(default_factory=dict)
    selected_run: str | None = None
    round_index: int | None = None

    @property
    def options(self) -> ChartOptions:
        """The controls as the charts take them."""
        return options_of(self.controls)

    @classmethod
    def from_query(cls, query: Mapping[str, object], defaults: Controls) -> PageState:
        """Read a query; what it does not say or says wrongly is at its default."""
        controls = dict(defaults)
        for key, default in defaults.items():
            text = query_value(query, key)
            if isinstance(default, float):
                controls[key] = query_number(query, key, default)
            elif text is not None and text in CHOICES.get(key, (text,)):
                controls[key] = text
        filters = {key: query_values(query, key) for key in FILTER_KEYS if query_values(query, key)}
        round_text = query_value(query, "round") or ""
        round_index = int(round_text) if round_text.isdecimal() and len(round_text) < 10 else None
        return cls(tidy(controls), filters, query_value(query, "at"), round_index)


def defaults_for(runs: pd.DataFrame) -> Controls:
    """What the controls say before anybody touches them: stability where any run has rounds to judge it by.

    Parameters
    ----------
    runs : DataFrame, `schema.RUNS`
    """
    return {**DEFAULTS, "method": STABILITY if runs["verdict"].notna().any() else PLATEAU_FACTOR}


def tidy(controls: Mapping[str, object]) -> Controls:
    """Controls with their numbers within what the page allows."""
    k, confidence = float(str(controls["k"])), float(str(controls["confidence"]))
    return {
        **controls,
        "k": min(max(k, K_LOWEST), K_HIGHEST),
        "confidence": confidence if 0.5 <= confidence < 1 else DEFAULTS["confidence"],
    }


def options_of(controls: Mapping[str, object]) -> ChartOptions:
    """The controls as the charts take them."""
    return ChartOptions(
        measure=str(controls["measure"]),
        k=float(str(controls["k"])),
        confidence=float(str(controls["confidence"])),
        method=str(controls["method"]),
        log=controls["axis"] == LOG,
        paper=controls["paper"] == "1",
        seeds=controls["seeds"] == "1",
        color=str(controls["color"]),
        line=str(controls["line"]),
        panel=str(controls["panel"]),
    )


def csv_query(filters: Filters, **more: object) -> str:
    """Query of a CSV route for the same runs as are shown; empty or with its question mark."""
    pairs = [(key, text) for key, texts in filters.items() for text in texts]
    text = urlencode([*pairs, *more.items()])
    return f"?{text}" if text else ""
