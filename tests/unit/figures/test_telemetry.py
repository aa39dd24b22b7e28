"""The figure of the Telemetry page: lines, axes, phases, cursor."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gavel_dash.figures.run_style import RunStyle
from gavel_dash.figures.telemetry import build_cursors, build_telemetry, typed_array
from gavel_dash.figures.telemetry_axes import label_with_unit
from gavel_dash.figures.telemetry_data import Drawing, Line, TelemetryData
from gavel_dash.figures.telemetry_marks import RunMarks
from gavel_dash.figures.telemetry_panels import MOST_SMALL_RUNS, lay_out
from gavel_dash.schema.telemetry import telemetry_columns

COLUMNS = telemetry_columns(["k80"])
RUNS = ("one", "two <b>")
STYLES = {"one": RunStyle("one", "#0072B2", "solid"), "two <b>": RunStyle("two <b>", "#D55E00", "dash")}
FIELDS = ("occupancy", "jobs_queued")


def line(run: str, field: str, **more: Any) -> Line:
    return Line(run, field, np.arange(3), np.array([0.0, 1.0, 2.0]), np.array([1.0, np.nan, 3.0]), **more)


@pytest.fixture
def data() -> TelemetryData:
    return TelemetryData(
        x=COLUMNS["sim_time_h"],
        fields=tuple(COLUMNS[name] for name in FIELDS),
        runs=RUNS,
        marks={"one": RunMarks(True, (0.0, 1.0, 2.0, 2.0)), "two <b>": RunMarks(True, (0.0, 0.5, 1.5, 2.0))},
        lines=tuple(line(run, field) for field in FIELDS for run in RUNS),
    )


def lines_of(figure: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if "meta" in trace]


def test_numbers_travel_as_float32() -> None:
    sent = typed_array(np.array([0.1, np.nan, -3.0]))
    back = np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"])
    assert back.tolist()[::2] == pytest.approx([0.1, -3.0])
    assert np.isnan(back[1])


def test_charts_share_one_x_axis(data: TelemetryData) -> None:
    figure = build_telemetry(data, STYLES, Drawing(), {})
    assert [(t["xaxis"], t["yaxis"]) for t in lines_of(figure)] == [("x", "y"), ("x", "y"), ("x", "y2"), ("x", "y2")]
    assert figure["layout"]["hoversubplots"] == "axis"
    assert [name for name in figure["layout"] if name.startswith("xaxis")] == ["xaxis"]
    assert figure["layout"]["yaxis"]["domain"][0] > figure["layout"]["yaxis2"]["domain"][1]


def test_a_chart_per_run_has_the_same_scales(data: TelemetryData) -> None:
    layout = build_telemetry(data, STYLES, Drawing(multiples=True), {})["layout"]
    assert [layout[f"xaxis{i}"]["matches"] for i in (2, 3, 4)] == ["x", "x", "x"]
    assert layout["yaxis2"]["matches"] == "y"
    assert layout["yaxis4"]["matches"] == "y3"
    assert "matches" not in layout["yaxis3"]


def test_names_are_no_markup(data: TelemetryData) -> None:
    figure = build_telemetry(data, STYLES, Drawing(), {})
    assert all("<b>" not in trace["name"] for trace in lines_of(figure))
    assert all("two <b>" not in trace["hovertemplate"] for trace in lines_of(figure))
    assert lines_of(figure)[1]["meta"] == ["two <b>", "occupancy"]


def test_values_carry_their_unit(data: TelemetryData) -> None:
    occupancy, _, queued, _ = lines_of(build_telemetry(data, STYLES, Drawing(), {}))
    assert "%{y:.1%}" in occupancy["hovertemplate"]
    assert "%{y:,} jobs" in queued["hovertemplate"]
    assert label_with_unit(COLUMNS["jobs_queued"]) == "Queued (jobs)"
    assert label_with_unit(COLUMNS["avg_jct_h"]) == "Mean JCT so far (h)"
    assert label_with_unit(COLUMNS["occupancy"]) == "Occupancy"


def test_the_raw_line_under_a_moving_mean_is_faint_and_silent(data: TelemetryData) -> None:
    smooth = replace(data, lines=(line("one", "occupancy"), line("one", "occupancy", smoothed=True)))
    raw, mean = lines_of(build_telemetry(smooth, STYLES, Drawing(), {}))
    assert raw["opacity"] < 0.5 < mean["opacity"]
    assert raw["hoverinfo"] == "skip"
    assert (raw["showlegend"], mean["showlegend"]) == (False, True)


def test_phases_are_those_of_the_first_run_and_ticks_those_of_the_others(data: TelemetryData) -> None:
    layout = build_telemetry(data, STYLES, Drawing(), {})["layout"]
    boxes = [(s["x0"], s["x1"]) for s in layout["shapes"] if s["type"] == "rect" and s["yref"] == "y domain"]
    assert boxes == [(0.0, 1.0), (1.0, 2.0)]  # the cool-down lasts no time
    ticks = [s for s in layout["shapes"] if s["type"] == "path"]
    assert [s["line"]["color"] for s in ticks] == ["#D55E00"]
    assert "M 0.5," in ticks[0]["path"]
    assert "M 1.5," in ticks[0]["path"]
    names = {a["text"]: a["x"] for a in layout["annotations"]}
    assert (names["warm-up"], names["measurement"]) == (0.5, 1.5)
    assert "cool-down" not in names


def test_small_charts_shade_each_run_by_its_own_phases(data: TelemetryData) -> None:
    shapes = build_telemetry(data, STYLES, Drawing(multiples=True), {})["layout"]["shapes"]
    second = [(s["x0"], s["x1"]) for s in shapes if s["xref"] == "x2"]
    assert second == [(0.0, 0.5), (0.5, 1.5), (1.5, 2.0)]


def test_phase_names_stay_in_view(data: TelemetryData) -> None:
    annotations = build_telemetry(data, STYLES, Drawing(view=(1.2, 1.6)), {})["layout"]["annotations"]
    names = {a["text"]: a["x"] for a in annotations}
    assert names["measurement"] == pytest.approx(1.4)
    assert "warm-up" not in names


def test_no_phases_where_x_goes_back(data: TelemetryData) -> None:
    back = replace(data, marks={run: RunMarks(False, None) for run in RUNS})
    cursor = {("occupancy", "one"): (1.0, 0.5)}
    layout = build_telemetry(back, STYLES, Drawing(), cursor)["layout"]
    assert layout["shapes"] == []


def test_the_cursor_is_a_line_and_a_ring_on_every_run(data: TelemetryData) -> None:
    cursor = {("occupancy", "one"): (1.0, 0.5), ("occupancy", "two <b>"): (1.0, float("nan"))}
    figure = build_telemetry(data, STYLES, Drawing(), cursor)
    lines = [s for s in figure["layout"]["shapes"] if s["type"] == "line"]
    assert [(s["x0"], s["yref"]) for s in lines] == [(1.0, "y domain")]
    ring, none = build_cursors(data, STYLES, Drawing(), cursor)
    assert (ring["x"], ring["y"]) == ([1.0, 1.0], [0.5, None])
    assert none["x"] == []


def test_log_axes_take_the_view_as_logarithm(data: TelemetryData) -> None:
    layout = build_telemetry(data, STYLES, Drawing(log_x=True, log_y=True, view=(10.0, 100.0)), {})["layout"]
    assert layout["xaxis"]["range"] == [1.0, 2.0]
    assert layout["yaxis"]["type"] == layout["yaxis2"]["type"] == "log"


@pytest.mark.parametrize("n_fields", [1, 2, 3, 8])
def test_stacked_charts_do_not_overlap(n_fields: int) -> None:
    panels = lay_out([str(i) for i in range(n_fields)], RUNS, multiples=False).panels
    for upper, lower in pairwise(panels):
        assert upper.y_domain[0] > lower.y_domain[1]
    assert panels[-1].y_domain[0] == 0


@pytest.mark.parametrize("n_runs", [1, 3, 12, 50])
def test_small_charts_lie_within_the_plot(n_runs: int) -> None:
    panels = lay_out(["a", "b"], [str(i) for i in range(n_runs)], multiples=True).panels
    assert len(panels) == (2 * n_runs if n_runs <= MOST_SMALL_RUNS else n_runs)
    for panel in panels:
        assert 0 <= panel.x_domain[0] < panel.x_domain[1] <= 1
        assert 0 <= panel.y_domain[0] < panel.y_domain[1] <= 1
    assert len({(panel.x_domain, panel.y_domain) for panel in panels}) == len(panels)
