"""The charts of mean JCT against rate: what is drawn, what a click opens, what is said of censored points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.curves import curve_names, summarize_curves
from gavel_dash.analysis.measures import MEASURES
from gavel_dash.analysis.saturation import PLATEAU_FACTOR, summarize_saturation
from gavel_dash.figures.curve_style import style_curves
from gavel_dash.figures.saturation import ChartOptions, SaturationData, build_overlay, point_of, x_end_of, y_bounds
from gavel_dash.figures.saturation_panels import build_panels, panel_names

#: The points have no rounds: only the plateau factor finds where they saturate.
PLATEAU = ChartOptions(method=PLATEAU_FACTOR)
Point = tuple[str, str, str, float, int, float | None]
#: Figure, policy, setting, rate, seed, mean JCT in hours: two multi-GPU curves that meet at 1 jph, one single-GPU.
POINTS: list[Point] = [
    ("fig10", "max_min_fairness", "multi", 0.5, 0, 20.0),
    ("fig10", "max_min_fairness", "multi", 1.0, 0, 21.0),
    ("fig10", "max_min_fairness", "multi", 2.0, 0, 39.0),
    ("fig10", "max_min_fairness", "multi", 2.0, 1, 49.0),
    ("fig10", "max_min_fairness_perf", "multi", 0.5, 0, 15.0),
    ("fig10", "max_min_fairness_perf", "multi", 1.0, 0, 21.0),
    ("fig10", "max_min_fairness_perf", "multi", 2.0, 0, 22.0),
    ("fig9", "max_min_fairness", "single", 3.0, 0, 25.0),
]


def make_data(
    points: list[Point], k: float = 2.0, measure: str = "mean_jct_h", **columns: dict[int, Any]
) -> SaturationData:
    """Data of a chart; `columns` changes a column of the runs by position."""
    rows = [
        {
            "run": f"{figure}_{policy}_{rate}_s{seed}",
            "figure": figure,
            "policy": policy,
            "setting": setting,
            "arrival_rate_jph": rate,
            "seed": seed,
            "cluster": "8a",
            "window": "600:1000",
            "n_window": 400,
            "n_completed": 400,
            "mean_jct_h": jct,
            "mean_jct_is_lower_bound": False,
            "status": "complete",
        }
        for figure, policy, setting, rate, seed, jct in points
    ]
    for column, values in columns.items():
        for i, value in values.items():
            rows[i][column] = value
    runs = schema.build_frame(rows, schema.RUNS)
    curves = summarize_curves(runs, MEASURES[measure])
    runs = runs.assign(curve=curve_names(runs))
    groups = runs.groupby(["curve", "arrival_rate_jph"])
    runs = runs.assign(n_at_point=groups[measure].transform("count"))
    curves = curves.merge(groups["run"].first().rename("first_run").reset_index(), on=["curve", "arrival_rate_jph"])
    return SaturationData(curves, runs, summarize_saturation(runs, k), style_curves(curves), MEASURES[measure])


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"]}


def test_each_mean_opens_its_own_run_where_two_policies_share_a_rate_and_a_jct() -> None:
    drawn = traces(build_overlay(make_data(POINTS), ChartOptions(), None, "light"))
    baseline, gavel = drawn["baseline multi"], drawn["Gavel multi"]
    assert baseline["y"][1] == gavel["y"][1] == 21.0
    assert baseline["customdata"][1] == "fig10_max_min_fairness_1.0_s0"
    assert gavel["customdata"][1] == "fig10_max_min_fairness_perf_1.0_s0"


def test_seeds_are_drawn_only_where_there_are_several() -> None:
    drawn = traces(build_overlay(make_data(POINTS), ChartOptions(), None, "light"))
    seeds = drawn["baseline multi, seeds"]
    assert seeds["y"].tolist() == [39.0, 49.0]
    assert seeds["customdata"] == ["fig10_max_min_fairness_2.0_s0", "fig10_max_min_fairness_2.0_s1"]
    assert "Gavel multi, seeds" not in drawn
    hidden = traces(build_overlay(make_data(POINTS), ChartOptions(seeds=False), None, "light"))
    assert "baseline multi, seeds" not in hidden


def test_one_seed_has_no_error_bar() -> None:
    bars = traces(build_overlay(make_data(POINTS), ChartOptions(), None, "light"))["baseline multi"]["error_y"]
    assert np.isnan(bars["array"][:2]).all()
    assert bars["array"][2] == pytest.approx(12.706 * 5, rel=1e-3)
    assert bars["arrayminus"][2] <= 44.0, "an interval is drawn no further down than the axis"


def test_every_reached_saturation_point_has_a_line_and_a_number() -> None:
    figure = build_overlay(make_data(POINTS), PLATEAU, None, "light")
    (line,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    (flag,) = [a for a in figure["layout"]["annotations"] if a.get("showarrow")]
    assert line["x0"] == line["x1"] == flag["x"] == pytest.approx(1 + (40 - 21) / (44 - 21))
    assert flag["text"] == "baseline multi 1.83 jph"


def test_a_lower_bound_is_hollow_marked_and_said() -> None:
    data = make_data(POINTS, mean_jct_is_lower_bound={1: True}, n_completed={1: 398})
    drawn = traces(build_overlay(data, ChartOptions(), None, "light"))["baseline multi"]
    assert drawn["marker"]["color"] == ["#D55E00", "#ffffff", "#D55E00"]
    assert drawn["text"] == ["", "↑", ""]
    assert "≥ 21.0 h (lower bound)" in drawn["hovertext"][1]
    assert "398 of 400 window jobs completed" in drawn["hovertext"][1]


def test_another_window_is_marked_and_said() -> None:
    drawn = traces(build_overlay(make_data(POINTS, window={1: "2000:2400"}), ChartOptions(), None, "light"))
    assert drawn["baseline multi"]["text"] == ["", "†", ""]
    assert "window: jobs 2000:2400" in drawn["baseline multi"]["hovertext"][1]


def test_tooltips_name_n_interval_and_runs_as_text() -> None:
    data = make_data(POINTS, run={2: "<b>odd</b>"})
    drawn = traces(build_overlay(data, ChartOptions(), None, "light"))["baseline multi"]
    assert "n = 1: no interval" in drawn["hovertext"][0]
    assert "n = 2: 95% interval" in drawn["hovertext"][2]
    assert "&lt;b&gt;odd&lt;/b&gt;" in drawn["hovertext"][2]


def test_a_point_without_a_mean_is_at_the_top_edge_and_can_be_clicked() -> None:
    points = [*POINTS, ("fig9", "max_min_fairness", "single", 6.0, 0, None)]
    data = make_data(points)
    drawn = traces(build_overlay(data, ChartOptions(), "fig9_max_min_fairness_6.0_s0", "light"))
    beyond = drawn["baseline single, no Mean JCT (h)"]
    assert beyond["customdata"] == ["fig9_max_min_fairness_6.0_s0"]
    assert beyond["x"].tolist() == [6.0]
    assert drawn["selected"]["y"] == beyond["y"].tolist()
    assert len(drawn["baseline single"]["x"]) == 1


def test_the_ring_is_around_the_point_and_its_seed() -> None:
    data = make_data(POINTS)
    ring = traces(build_overlay(data, ChartOptions(), "fig10_max_min_fairness_2.0_s1", "light"))["selected"]
    assert (ring["x"], ring["y"]) == ([2.0, 2.0], [44.0, 49.0])
    assert point_of(data, "fig10_max_min_fairness_2.0_s1") == ("fig10 max_min_fairness multi", 2.0)
    assert traces(build_overlay(data, ChartOptions(), "no such run", "light"))["selected"]["x"] == []


def test_the_papers_lines_are_dotted_and_open_nothing() -> None:
    drawn = traces(build_overlay(make_data(POINTS), ChartOptions(), None, "light"))
    paper = drawn["Paper, fig10, Gavel"]
    assert (paper["line"]["dash"], paper["line"]["color"]) == ("dot", "#0072B2")
    assert "customdata" not in paper
    assert "Paper, fig10, Gavel" not in traces(
        build_overlay(make_data(POINTS), ChartOptions(paper=False), None, "light")
    )


def test_panels_share_the_scale_and_follow_the_figures() -> None:
    data = make_data(POINTS)
    figure = build_panels(data, ChartOptions(), None, "light")
    assert panel_names(data.curves, "figure") == ["fig9", "fig10"]
    assert figure["layout"]["yaxis"]["range"] == figure["layout"]["yaxis2"]["range"]
    assert figure["layout"]["yaxis2"]["matches"] == "y"
    assert {trace["xaxis"] for trace in figure["data"] if trace["name"] == "Gavel multi"} == {"x2"}


def test_runs_of_no_figure_are_grouped_by_setting() -> None:
    nameless = {i: None for i in range(len(POINTS))}
    assert panel_names(make_data(POINTS, figure=nameless).curves, "figure") == ["multi", "single"]


def test_a_logarithmic_axis_starts_above_zero() -> None:
    data = make_data(POINTS)
    low, high = y_bounds(data, ChartOptions(log=True))
    axis = build_overlay(data, ChartOptions(log=True), None, "dark")["layout"]["yaxis"]
    assert 0 < low < 15
    assert axis["range"] == pytest.approx([np.log10(low), np.log10(high)])


def test_nothing_to_draw_is_an_empty_chart() -> None:
    empty = SaturationData(
        pd.DataFrame(columns=[*schema.names(schema.curve_columns(MEASURES["mean_jct_h"])), "first_run"]),
        pd.DataFrame(columns=[*schema.names(schema.RUNS), "curve", "n_at_point"]),
        pd.DataFrame(columns=schema.names(schema.SATURATION)),
        {},
        MEASURES["mean_jct_h"],
    )
    assert len(build_overlay(empty, ChartOptions(), None, "light")["data"]) == 1
    assert len(build_panels(empty, ChartOptions(log=True), None, "light")["data"]) == 0


def test_a_curve_without_any_mean_does_not_stretch_the_axis() -> None:
    data = make_data([*POINTS, ("x", "q", "single", 360.0, 0, None)])
    assert x_end_of(data, ChartOptions(paper=False)) == pytest.approx(3.15)
    assert x_end_of(make_data([("x", "q", "single", 360.0, 0, None)]), ChartOptions(paper=False)) > 360


def test_a_share_is_written_in_percent_and_has_no_paper_lines() -> None:
    data = make_data(POINTS, measure="mean_occupancy", mean_occupancy={0: 0.25, 1: 0.5})
    figure = build_overlay(data, ChartOptions(measure="mean_occupancy"), None, "light")
    drawn = traces(figure)
    assert figure["layout"]["yaxis"]["tickformat"] == ".0%"
    assert drawn["baseline multi"]["y"].tolist() == [0.25, 0.5]
    assert "occupancy 25.0%" in drawn["baseline multi"]["hovertext"][0]
    assert not any(name.startswith("Paper") for name in drawn)


def test_a_bracket_is_a_band_and_said_at_its_line() -> None:
    verdict = {0: "stable", 1: "stable", 2: "unstable", 3: "unstable"}
    figure = build_overlay(make_data(POINTS, verdict=verdict), ChartOptions(), None, "light")
    (flag,) = [a for a in figure["layout"]["annotations"] if a.get("showarrow")]
    assert flag["text"] == "baseline multi 1.50 (1 to 2) jph"
    bands = [(shape["x0"], shape["x1"]) for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert bands == [(1.0, 2.0)]
