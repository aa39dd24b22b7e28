"""Small charts: one per value of the chosen dimension, titled with what the chosen method estimates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gavel_dash.figures.saturation import ChartOptions, SaturationData
from gavel_dash.figures.saturation_panels import build_panels, panel_names, panels_height
from tests.unit.figures.test_saturation import POINTS, make_data

PLATEAU = ChartOptions(method="plateau_factor")


def titles(data: SaturationData, options: ChartOptions) -> list[str]:
    figure = build_panels(data, options, None, "light")
    return [annotation["text"] for annotation in figure["layout"]["annotations"]]


def with_column(name: str, *values: Any) -> SaturationData:
    """The usual points; the column is that of fig10's baseline, fig10's Gavel and fig9's baseline."""
    of_point = (values[0],) * 4 + (values[1],) * 3 + (values[2],)
    return make_data(POINTS, **{name: dict(enumerate(of_point))})


def test_each_curve_is_in_the_panel_of_its_value() -> None:
    data = with_column("placement", "random", "fgd", None)
    figure = build_panels(data, replace(PLATEAU, panel="placement"), None, "light")
    assert panel_names(data.curves, "placement") == ["fgd", "random", "no placement"]
    axis_of = {trace["name"]: trace["xaxis"] for trace in figure["data"] if trace["name"] in {"Gavel multi"}}
    assert axis_of == {"Gavel multi": "x"}
    (line,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert line["xref"] == "x2"


def test_numbers_in_values_are_ordered_as_numbers() -> None:
    data = with_column("cluster", "108a", "36a", "6a")
    assert panel_names(data.curves, "cluster") == ["6a", "36a", "108a"]


def test_without_a_dimension_there_is_one_panel() -> None:
    data = make_data(POINTS)
    assert panel_names(data.curves, "none") == ["all runs"]
    assert len(titles(data, replace(PLATEAU, panel="none"))) == 1
    assert panels_height(data.curves, "none") == panels_height(data.curves, "figure")


def test_titles_say_what_the_chosen_method_estimates_of_every_curve() -> None:
    data = make_data(POINTS)
    assert titles(data, PLATEAU) == [
        "<b>fig9</b><br>cannot be told",
        "<b>fig10</b><br>baseline 1.83, Gavel not reached",
    ]
    assert titles(data, replace(PLATEAU, method="stability")) == [
        "<b>fig9</b><br>cannot be told",
        "<b>fig10</b><br>cannot be told",
    ]


def test_curves_of_a_panel_are_called_by_what_tells_them_apart() -> None:
    data = make_data(POINTS)
    (multi, _) = titles(data, replace(PLATEAU, panel="setting"))
    assert multi.startswith("<b>multi</b><br>baseline 1.83")
    (baseline, gavel) = titles(data, replace(PLATEAU, panel="policy"))
    assert "multi 1.83" in baseline
    assert gavel == "<b>max_min_fairness_perf</b><br>not reached"


def test_a_title_says_how_many_estimates_it_has_no_room_for() -> None:
    policies = [f"policy_number_{i}" for i in range(9)]
    points = [
        ("fig1", policy, "multi", rate, 0, jct) for policy in policies for rate, jct in ((1.0, 10.0), (2.0, 30.0))
    ]
    points += [("fig2", "p", "multi", 1.0, 0, 10.0), ("fig3", "p", "multi", 1.0, 0, 10.0)]
    title = titles(make_data(points), PLATEAU)[0]
    assert title.count("<br>") == 2
    assert title.endswith(", +7")


def test_a_long_value_is_cut_and_whole_in_the_tooltip() -> None:
    cluster = "4392G2-312G3-264P100-840T4-192V100M16-200V100M32"
    data = with_column("cluster", cluster, "6a", "8a")
    figure = build_panels(data, replace(PLATEAU, panel="cluster"), None, "light")
    (long,) = [a for a in figure["layout"]["annotations"] if "hovertext" in a]
    assert long["hovertext"] == cluster
    assert "…</b>" in long["text"]
    assert cluster not in long["text"]
