"""The run from end to end: every record counts, phases where they are, ticks in hours."""

from __future__ import annotations

import numpy as np

from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.scrubber import MOST_POINTS, build_scrubber


def build(n: int, phases: Phases | None) -> dict:
    index = np.arange(n)
    return build_scrubber(index % 2, index, index * 0.1, index + 5, phases, "light")


def test_short_run_is_drawn_record_by_record() -> None:
    figure = build(10, Phases(2, 8))
    assert figure["data"][0]["x"].tolist() == list(range(10))
    assert figure["data"][1]["y"].tolist() == list(range(10))
    assert "Round 5 · 0.0 h" in figure["data"][0]["text"][0]


def test_long_run_is_drawn_as_means_and_says_so() -> None:
    n = 20_003
    figure = build(n, None)
    assert len(figure["data"][0]["x"]) == MOST_POINTS
    assert abs(figure["data"][1]["y"].mean() - (n - 1) / 2) < 1
    assert "mean" in figure["data"][0]["text"][7]
    assert figure["layout"]["xaxis"]["range"] == [-0.5, n - 0.5]
    assert "no measurement phase" in figure["layout"]["annotations"][0]["text"]


def test_phases_are_shaded_and_named() -> None:
    layout = build(100, Phases(30, 98))["layout"]
    assert [(shape["x0"], shape["x1"]) for shape in layout["shapes"]] == [(-0.5, 29.5), (29.5, 97.5), (97.5, 99.5)]
    assert [note["text"] for note in layout["annotations"]] == ["warm-up", "measurement"]  # cool-down is too short


def test_ticks_stand_at_round_hours() -> None:
    axis = build(200, None)["layout"]["xaxis"]
    assert axis["ticktext"][1] == "5 h"
    assert axis["tickvals"][1] == 50


def test_runs_of_no_or_one_record() -> None:
    assert build(0, None)["data"][0]["x"].tolist() == []
    assert build(1, Phases(0, 1))["layout"]["xaxis"]["tickvals"] == [0]
