"""The charts of gains and of errors against the paper: signs, hollow markers, words that say which way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.measures import MEASURES
from gavel_dash.figures.curve_style import CurveStyle
from gavel_dash.figures.gain import build_gain, build_paper_error
from gavel_dash.figures.gain_text import AT_LEAST, AT_MOST, EITHER_WAY, worded

JCT, THROUGHPUT, OCCUPANCY = (MEASURES[name] for name in ("mean_jct_h", "throughput_jph", "mean_occupancy"))
STYLES = {
    "a": CurveStyle("Gavel", "#0072B2", "circle", "dash"),
    "b": CurveStyle("baseline", "#D55E00", "square", "solid"),
}


def make_gains(measure: schema.Column, *rows: dict[str, Any]) -> pd.DataFrame:
    gain, relative = schema.gain_names(measure)
    usual = {
        "of": "a",
        "against": "b",
        "arrival_rate_jph": 2.0,
        "n_pairs": 1,
        f"of_{measure.name}": 0.2,
        f"against_{measure.name}": 0.3,
        gain: 0.1,
        relative: 1 / 3,
        "confidence": 0.95,
        "of_is_lower_bound": False,
        "against_is_lower_bound": False,
        "of_window": "600:1000",
        "against_window": "600:1000",
        "windows_differ": False,
        "of_runs": "run_a",
        "against_runs": "<run_b>",
    }
    return schema.build_frame([{**usual, **row} for row in rows], schema.gain_columns(measure))


def draw(gains: pd.DataFrame, measure: schema.Column = JCT, percent: bool = False) -> dict[str, Any]:
    return build_gain(gains, STYLES, measure, percent, 5.0, "light")


def test_the_axis_of_rates_is_that_of_the_chart_above_and_zero_has_a_line() -> None:
    layout = draw(make_gains(JCT, {"gain_h": 8.0}, {"arrival_rate_jph": 3.0, "gain_h": 9.0}))["layout"]
    assert layout["xaxis"]["range"] == [0, 5.0]
    assert (layout["margin"]["l"], layout["margin"]["r"]) == (56, 36)
    assert [(s["y0"], s["y1"]) for s in layout["shapes"]] == [(0, 0)]
    assert layout["yaxis"]["range"][0] < 0 < 9 < layout["yaxis"]["range"][1]


def test_a_pair_looks_like_its_first_curve_and_one_pair_has_no_bar() -> None:
    (trace,) = draw(make_gains(JCT, {}))["data"]
    assert (trace["line"]["color"], trace["line"]["dash"], trace["marker"]["symbol"]) == ("#0072B2", "dash", "circle")
    assert np.isnan(trace["error_y"]["array"]).all()


def test_intervals_are_bars_and_stay_on_the_axis() -> None:
    figure = draw(make_gains(JCT, {"gain_h": 8.0, "gain_low_h": -4.0, "gain_high_h": 20.0, "n_pairs": 3}))
    bars = figure["data"][0]["error_y"]
    assert (bars["array"].tolist(), bars["arrayminus"].tolist()) == ([12.0], [12.0])
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < -4 < 20 < high
    assert "n = 3 seed pairs: 95% interval 4.0 h higher to 20.0 h lower" in figure["data"][0]["hovertext"][0]


@pytest.mark.parametrize(
    ("of", "against", "sign"), [(True, False, AT_MOST), (False, True, AT_LEAST), (True, True, EITHER_WAY)]
)
def test_a_lower_bound_on_either_side_is_hollow_with_the_way_it_errs(of: bool, against: bool, sign: str) -> None:
    exact = {"arrival_rate_jph": 3.0}
    (trace,) = draw(make_gains(JCT, {"of_is_lower_bound": of, "against_is_lower_bound": against}, exact))["data"]
    assert trace["marker"]["color"] == ["#ffffff", "#0072B2"]
    assert trace["text"] == [sign, ""]


def test_different_windows_carry_the_sign_and_unknown_ones_do_not() -> None:
    gains = make_gains(
        JCT,
        {"windows_differ": True, "against_window": "2000:2400"},
        {"arrival_rate_jph": 3.0, "windows_differ": None, "of_window": None},
    )
    (trace,) = draw(gains)["data"]
    assert trace["text"] == ["†", ""]
    assert "† the two measure different jobs" in trace["hovertext"][0]
    assert "Gavel 0.2 h, window not known" in trace["hovertext"][1]


def test_a_tooltip_says_what_how_much_n_and_where_from() -> None:
    gains = make_gains(JCT, {"of_mean_jct_h": 20.0, "against_mean_jct_h": 30.0, "gain_h": 10.0})
    assert draw(gains)["data"][0]["hovertext"][0].split("<br>") == [
        "<b>Gavel against baseline</b> at 2 jph",
        "mean JCT 10.0 h lower (33.3%)",
        "n = 1 seed pair: no interval",
        "Gavel 20.0 h, jobs 600:1000",
        "baseline 30.0 h, jobs 600:1000",
        "run_a",
        "&lt;run_b&gt;",
    ]


def test_worded_says_the_direction_and_turns_the_bound_with_it() -> None:
    assert worded(3.0, JCT, "lower") == "3.0 h lower"
    assert worded(-3.0, JCT, "lower") == "3.0 h higher"
    assert worded(3.0, JCT, "lower", AT_LEAST) == "at least 3.0 h lower"
    assert worded(-3.0, JCT, "lower", AT_LEAST) == "at most 3.0 h higher"
    assert worded(-3.0, JCT, "lower", AT_MOST) == "at least 3.0 h higher"
    assert worded(3.0, JCT, "lower", EITHER_WAY) == "3.0 h lower"
    assert worded(0.021, OCCUPANCY, "higher") == "2.1 percentage points higher"
    assert worded(-0.5, THROUGHPUT, "higher") == "0.50 jph lower"


@pytest.mark.parametrize(
    ("measure", "percent", "title", "y"),
    [
        (JCT, False, "Mean JCT lower by (h)", 0.1),
        (JCT, True, "Mean JCT lower by (%)", 100 / 3),
        (THROUGHPUT, False, "Throughput higher by (jph)", 0.1),
        (OCCUPANCY, False, "Occupancy higher by (points)", 10.0),
        (OCCUPANCY, True, "Occupancy higher by (%)", 100 / 3),
    ],
)
def test_the_axis_says_what_positive_means(measure: schema.Column, percent: bool, title: str, y: float) -> None:
    figure = draw(make_gains(measure, {}), measure, percent)
    assert figure["layout"]["yaxis"]["title"]["text"] == title
    assert figure["data"][0]["y"].tolist() == [pytest.approx(y)]


def test_rates_without_a_pair_are_not_drawn() -> None:
    gains = make_gains(JCT, {}, {"arrival_rate_jph": 3.0, "gain_h": None})
    assert draw(gains)["data"][0]["x"].tolist() == [2.0]
    assert draw(gains.iloc[1:])["data"] == draw(gains.iloc[:0])["data"] == []


def test_names_at_line_ends_cover_neither_lines_nor_the_zero_line() -> None:
    (name,) = draw(make_gains(JCT, {"gain_h": 9.0}, {"arrival_rate_jph": 3.0, "gain_h": 0.1}))["layout"]["annotations"]
    assert name["text"] == "Gavel"
    assert abs(name["yshift"]) >= 8
    (at_edge,) = [draw(make_gains(JCT, {"arrival_rate_jph": 4.9}))["layout"]["annotations"]]
    assert at_edge == []


def test_errors_against_the_paper_are_in_percent_or_hours() -> None:
    row = {
        "curve": "b",
        "arrival_rate_jph": 2.0,
        "n_seeds": 3,
        "mean_jct_h": 30.0,
        "paper_mean_jct_h": 40.0,
        "is_interpolated": True,
        "error_h": -10.0,
        "error_low_h": -12.0,
        "error_high_h": -8.0,
        "relative_error": -0.25,
        "relative_error_low": -0.3,
        "relative_error_high": -0.2,
        "confidence": 0.95,
        "is_lower_bound": True,
        "runs": "r0 r1 r2 r3 r4",
    }
    errors = schema.build_frame([row], schema.PAPER_ERROR)
    hours = build_paper_error(errors, STYLES, False, 5.0, "light")
    percent = build_paper_error(errors, STYLES, True, 5.0, "dark")
    assert (hours["data"][0]["y"].tolist(), percent["data"][0]["y"].tolist()) == ([-10.0], [-25.0])
    assert percent["layout"]["yaxis"]["title"]["text"] == "Above the paper by (%)"
    assert hours["data"][0]["marker"]["symbol"] == "square"
    assert hours["data"][0]["text"] == [AT_LEAST]
    assert hours["data"][0]["hovertext"][0].split("<br>") == [
        "<b>baseline</b> at 2 jph",
        "mean JCT at most 10.0 h lower than the paper's (25.0%)",
        "n = 3 seeds: 95% interval 12.0 h lower to 8.0 h lower",
        "ours ≥ 30.0 h (lower bound), paper 40.0 h, between two of its points",
        "digitised by eye from OSDI 2020",
        "r0",
        "r1",
        "r2",
        "r3",
        "and 1 more",
    ]
