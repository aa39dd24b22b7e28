"""Numbers with their nouns, as several parts of a page say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep


def plural(count: int, noun: str) -> str:
    """``1 run``, ``1,000 runs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def count_runs(sweep: Sweep) -> str:
    """How many runs a sweep has, and how many of them go on: ``46 runs, 2 running``."""
    running = sweep.n_running
    return plural(len(sweep.names), "run") + (f", {running:,} running" if running else "")
