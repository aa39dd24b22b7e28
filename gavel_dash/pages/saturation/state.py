"""The page's state as its address spells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gavel_dash.analysis.facets import FACETS, RUN, TEXT
from gavel_dash.analysis.saturation import DEFAULT_K
from gavel_dash.figures.saturation import ChartOptions
from gavel_dash.ui.query import query_number, query_value, query_values

K_LOWEST, K_HIGHEST = 1.2, 5.0
FILTER_KEYS = (*(facet.key for facet in FACETS), TEXT, RUN)
#: What the checklist can show.
PAPER, SEEDS = "paper", "seeds"
LINEAR, LOG = "linear", "log"

Filters = dict[str, list[str]]


@dataclass(frozen=True)
class PageState:
    """What a query restores.

    Attributes
    ----------
    filters : dict of facet key to texts, as the Sweep page writes them; `run` restricts to named runs
    selected_run : str or None, query key `at`
        The run whose cluster is shown; its point is ringed.
    round_index : int or None, query key `round`
        Position of the record in the run's file; None: the middle of the measurement phase.
    """

    options: ChartOptions = field(default_factory=ChartOptions)
    filters: Filters = field(default_factory=dict)
    selected_run: str | None = None
    round_index: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, object]) -> PageState:
        """Read a query; what it does not say or says wrongly is at its default."""
        options = ChartOptions(
            k=clamp_k(query_number(query, "k", DEFAULT_K)),
            log=query_value(query, "axis") == LOG,
            paper=query_value(query, PAPER) != "0",
            seeds=query_value(query, SEEDS) != "0",
        )
        filters = {key: query_values(query, key) for key in FILTER_KEYS if query_values(query, key)}
        round_text = query_value(query, "round") or ""
        round_index = int(round_text) if round_text.isdecimal() else None
        return cls(options, filters, query_value(query, "at"), round_index)


def clamp_k(k: float) -> float:
    """`k` within what the control allows."""
    return min(max(k, K_LOWEST), K_HIGHEST)


def options_from_controls(k: float | None, axis: str, show: list[str]) -> ChartOptions | None:
    """Options as the controls say; None while `k` is empty or out of range."""
    if k is None or not K_LOWEST <= k <= K_HIGHEST:
        return None
    return ChartOptions(k=float(k), log=axis == LOG, paper=PAPER in show, seeds=SEEDS in show)
