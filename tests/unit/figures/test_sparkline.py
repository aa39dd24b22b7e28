"""The small chart of jobs in the system."""

from __future__ import annotations

import numpy as np

from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.sparkline import MAX_POINTS, build_sparkline, thin_out


def test_thinning_keeps_ends_peaks_and_dips() -> None:
    values = np.full(40_000, 10)
    values[12_345], values[23_456] = 99, 0
    kept = thin_out(values, MAX_POINTS)
    assert {0, 12_345, 23_456, 39_999} <= set(kept.tolist())
    assert len(kept) <= MAX_POINTS + 2


def test_short_runs_are_drawn_whole() -> None:
    assert thin_out(np.arange(50), MAX_POINTS).tolist() == list(range(50))


def test_the_round_and_the_measurement_phase_are_marked() -> None:
    hours = np.arange(10) / 10
    figure = build_sparkline(hours, np.arange(10), Phases(2, 8), 5, "light")
    phase, now = figure["layout"]["shapes"]
    assert (phase["x0"], phase["x1"], now["x0"]) == (0.2, 0.8, 0.5)
    assert figure["data"][0]["customdata"].tolist() == list(range(10))


def test_a_run_without_a_window_has_no_phase() -> None:
    figure = build_sparkline(np.arange(3.0), np.arange(3), None, 0, "dark")
    assert [shape["type"] for shape in figure["layout"]["shapes"]] == ["line"]
