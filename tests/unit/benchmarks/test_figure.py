"""The figure: well-formed, a bar to the right of the goal where it is reached, to the left where it is missed."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from benchmarks.figure import Scale, draw_rows, times_better
from benchmarks.measure import Row

REACHED = Row(
    "convert", "twice as good as <asked> & more", 1.0, 24.0, "s", "a plain converter", 24.0, 12.0, at_least=True
)
MISSED = Row("index", "half as good", 5.0, 1.0, "s", "C", 5.0, 2.5)
SVG = "{http://www.w3.org/2000/svg}"


def test_how_far_a_row_is_from_its_goal() -> None:
    assert times_better(REACHED) == 2.0
    assert times_better(MISSED) == 0.5
    assert times_better(replace(MISSED, ratio=0.0)) == math.inf


def test_bars_lie_on_their_side_of_the_goal() -> None:
    root = ElementTree.fromstring(draw_rows([REACHED, MISSED]))
    (goal,) = [float(line.get("x1", "")) for line in root.iter(f"{SVG}line") if line.get("class") == "goal"]
    bars = {
        bar.get("class"): (float(bar.get("x", "")), float(bar.get("width", "")))
        for bar in root.iter(f"{SVG}rect")
        if bar.get("class") in ("reached", "missed")
    }
    (right, right_width), (left, left_width) = bars["reached"], bars["missed"]
    assert right == pytest.approx(goal)
    assert left + left_width == pytest.approx(goal, abs=0.2)
    assert right_width == pytest.approx(left_width, abs=0.2)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "twice as good as <asked> & more" in texts
    assert "24x (at least 12x)" in texts


def test_rows_of_one_work_are_told_apart_by_their_reference() -> None:
    root = ElementTree.fromstring(draw_rows([REACHED, replace(REACHED, against="C"), MISSED]))
    labels = [text.text or "" for text in root.iter(f"{SVG}text") if text.get("class") == "label"]
    assert [label.rpartition(": ")[2] for label in labels] == ["a plain converter", "C", "half as good"]


def test_a_row_just_at_its_goal_still_shows_a_bar() -> None:
    root = ElementTree.fromstring(draw_rows([replace(MISSED, ratio=2.5001)]))
    (bar,) = [bar for bar in root.iter(f"{SVG}rect") if bar.get("class") == "missed"]
    assert float(bar.get("width", "")) >= 1


@pytest.mark.parametrize("value", [1e-9, 0.0, 1.0, 1e9, math.inf])
def test_every_value_has_a_place_on_the_axis(value: float) -> None:
    scale = Scale.around([value])
    assert scale.x(10.0**scale.low) <= scale.x(value) <= scale.x(10.0**scale.high)


def test_no_rows_are_an_empty_figure() -> None:
    assert ElementTree.fromstring(draw_rows([])).get("aria-label") == "0 of 0 goals reached"
