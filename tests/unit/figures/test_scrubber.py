"""The scrubber's frame: everything that has a colour or a place, and no data."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.scrubber import MARGIN, build_scrubber
from gavel_dash.figures.theme import token


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"]}


def test_one_run_has_an_occupancy_area_and_no_badge() -> None:
    figure = build_scrubber(100, None, "light")
    parts = ["occupancy-range-A", "jobs-range-A", "occupancy-A", "jobs-A", "completions-A"]
    assert list(traces(figure)) == parts
    assert all(trace["x"] == [] and trace["y"] == [] for trace in figure["data"])
    assert traces(figure)["occupancy-A"]["fill"] == "tozeroy"
    assert figure["layout"]["yaxis3"]["ticktext"] == []


def test_several_runs_are_told_apart_by_badge_and_dash_not_by_colour() -> None:
    figure = build_scrubber(100, None, "dark", n_runs=4)
    lines = [traces(figure)[f"jobs-{badge}"]["line"] for badge in "ABCD"]
    assert [line["dash"] for line in lines] == ["solid", "dash", "dot", "dashdot"]
    assert {line["color"] for line in lines} == {token("dark", "text")}
    assert "fill" not in traces(figure)["occupancy-B"]
    assert ["range" in name for name in traces(figure)] == [True] * 8 + [False] * 13  # ranges below every line
    assert figure["layout"]["yaxis3"]["ticktext"] == ["A", "B", "C", "D"]
    assert traces(figure)["badges"]["mode"] == "text"


@pytest.mark.parametrize("n_runs", [0, 5])
def test_other_numbers_of_runs_are_refused(n_runs: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 4"):
        build_scrubber(100, None, "light", n_runs=n_runs)


def test_phases_are_shaded_and_named_from_the_runs_own_window() -> None:
    layout = build_scrubber(100, Phases(30, 98), "light")["layout"]
    assert [(shape["name"], shape["x0"], shape["x1"]) for shape in layout["shapes"]] == [
        ("warm-up", -0.5, 29.5),
        ("measurement", 29.5, 97.5),
        ("cool-down", 97.5, 99.5),
    ]
    assert [(note["name"], note["x"]) for note in layout["annotations"]] == [
        ("warm-up", -0.5),
        ("measurement", 29.5),
        ("cool-down", 97.5),
    ]
    assert layout["shapes"][1]["fillcolor"].endswith(",0.08)")


def test_a_phase_without_rounds_is_not_shown() -> None:
    layout = build_scrubber(100, Phases(0, 100), "light")["layout"]
    assert [shape["name"] for shape in layout["shapes"]] == ["measurement"]


def test_a_run_without_its_window_says_so() -> None:
    layout = build_scrubber(100, None, "light")["layout"]
    assert layout["shapes"] == []
    assert "no measurement phase" in layout["annotations"][0]["text"]


@pytest.mark.parametrize("n_runs", [1, 4])
def test_the_track_can_be_laid_over_the_plot_area(n_runs: int) -> None:
    layout = build_scrubber(100, None, "light", height=200, n_runs=n_runs)["layout"]
    axes = [layout[name] for name in ("xaxis", "yaxis", "yaxis2", "yaxis3")]
    assert layout["margin"] == MARGIN
    assert layout["height"] == 200
    assert all(axis["fixedrange"] and not axis["automargin"] for axis in axes)
    assert layout["yaxis"]["domain"][0] == layout["yaxis3"]["domain"][1] < 0.5  # curves above, completions below
    assert layout["xaxis"]["range"] == [-0.5, 99.5]


def test_a_timeline_without_a_position_still_has_an_axis() -> None:
    assert build_scrubber(0, None, "light")["layout"]["xaxis"]["range"] == [-0.5, 0.5]
