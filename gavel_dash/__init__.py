"""Gavel Dash as a library, for notebooks and scripts.

>>> import gavel_dash
>>> sweep = gavel_dash.open_sweep("experiments")        # doctest: +SKIP
>>> sweep.runs()                                        # doctest: +SKIP
>>> run = sweep["fig10_max_min_fairness_2.8jph_multi_s0"]  # doctest: +SKIP
>>> run.rounds(), run.jobs(), run.allocation(1200), run.queue(1200)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gavel_dash.ingest.convert import convert_log as convert_log
    from gavel_dash.sweep import open_run as open_run
    from gavel_dash.sweep import open_sweep as open_sweep

__all__ = ["convert_log", "open_run", "open_sweep"]
__version__ = "0.1.0"

_HOMES = {
    "open_sweep": "gavel_dash.sweep",
    "open_run": "gavel_dash.sweep",
    "convert_log": "gavel_dash.ingest.convert",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: converting a log must not pay for pandas, nor the command line's --help for either.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
