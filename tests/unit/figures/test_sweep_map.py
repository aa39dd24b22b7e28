"""The map of a sweep: a tick for every run and every missing one."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gavel_dash.figures.sweep_map import FADED, build_sweep_map, map_height, place_ticks
from tests.unit.analysis.test_facets import make_rows


@pytest.fixture
def runs() -> pd.DataFrame:
    return make_rows(
        {"policy": "a", "arrival_rate_jph": 1.0, "seed": 0, "mean_jct_h": 20.0, "n_window": 400, "n_completed": 400},
        {"policy": "a", "arrival_rate_jph": 1.0, "seed": 1, "status": "censored"},
        {"policy": "a", "arrival_rate_jph": 10.0, "seed": 0, "status": "damaged", "note": "<img src=x>"},
        {"policy": "b", "arrival_rate_jph": 2.0, "seed": 1},
        {"policy": "b"},
    )


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"] if "name" in trace}


def test_every_run_with_a_place_has_one_tick(runs: pd.DataFrame) -> None:
    drawn = traces(build_sweep_map(place_ticks(runs), {}, "light"))
    assert {name: trace["customdata"] for name, trace in drawn.items()} == {
        "complete": ["r0", "r3"],
        "censored": ["r1"],
        "damaged": ["r2"],
        "missing": [None, None],
    }


def test_ticks_stand_in_the_cell_of_their_rate_and_row(runs: pd.DataFrame) -> None:
    figure = build_sweep_map(place_ticks(runs), {}, "light")
    assert figure["layout"]["xaxis"]["ticktext"] == ["1", "2", "10"]
    complete = traces(figure)["complete"]
    assert [round(x) for x in complete["x"]] == [0, 1]
    assert complete["y"].tolist() == [0, 1]
    # Seed 0 stands left of seed 1.
    assert complete["x"][0] < 0 < traces(figure)["censored"]["x"][0]
    assert len(figure["layout"]["shapes"]) == 3


def test_what_does_not_pass_is_faded_and_rows_without_any_are_left_out(runs: pd.DataFrame) -> None:
    figure = build_sweep_map(place_ticks(runs), {"policy": ["a"], "status": ["censored"]}, "light")
    drawn = traces(figure)
    assert [text.strip() for text in figure["layout"]["yaxis"]["ticktext"]] == ["a"]
    assert drawn["censored"]["marker"]["opacity"].tolist() == [1.0]
    assert drawn["complete"]["marker"]["opacity"].tolist() == [FADED]
    assert drawn["missing"]["marker"]["opacity"].tolist() == [FADED]


def test_filters_move_no_column_and_no_row_height(runs: pd.DataFrame) -> None:
    before, after = (build_sweep_map(place_ticks(runs), f, "light")["layout"] for f in ({}, {"policy": ["b"]}))
    for name in ("range", "ticktext"):
        assert before["xaxis"][name] == after["xaxis"][name]
    assert (before["yaxis"]["range"], before["height"]) == (after["yaxis"]["range"], after["height"])
    assert before["margin"] == after["margin"]


def test_hover_says_value_unit_and_n_and_never_html_of_a_file(runs: pd.DataFrame) -> None:
    drawn = traces(build_sweep_map(place_ticks(runs), {}, "light"))
    assert "mean JCT 20.0 h, 400 of 400 window jobs" in drawn["complete"]["hovertext"][0]
    assert "&lt;img src=x&gt;" in drawn["damaged"]["hovertext"][0]


def test_the_selected_run_is_ringed(runs: pd.DataFrame) -> None:
    assert len(build_sweep_map(place_ticks(runs), {}, "light", "r3")["data"]) == 5
    assert len(build_sweep_map(place_ticks(runs), {}, "light", "no such run")["data"]) == 4


def test_long_names_and_many_rates_stay_inside() -> None:
    rows = [{"policy": "p" * 200, "arrival_rate_jph": rate / 10, "seed": 0} for rate in range(1, 81)]
    layout = build_sweep_map(place_ticks(make_rows(*rows)), {}, "dark")["layout"]
    assert len(layout["yaxis"]["ticktext"][0].strip()) <= 44
    assert layout["margin"]["l"] < 320
    assert len(layout["xaxis"]["ticktext"]) <= 25


def test_an_empty_sweep_draws_nothing() -> None:
    figure = build_sweep_map(place_ticks(make_rows()), {}, "dark")
    assert figure["data"] == []
    assert figure["layout"]["height"] == map_height(0)
