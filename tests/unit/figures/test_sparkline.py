"""The small chart of jobs in the system and the evidence on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from gavel_dash.analysis.phases import Phases
from gavel_dash.analysis.stability import Estimate, Evidence
from gavel_dash.figures.sparkline import MAX_POINTS, build_sparkline, thin_out

EVIDENCE = Evidence(
    start_h=2.0,
    stop_h=10.0,
    batch_time_h=(3.0, 5.0, 7.0, 9.0),
    batch_jobs=(10.0, 14.0, 15.0, 21.0),
    slope=Estimate(1.8, 0.5, 3),
    throughput=Estimate(4.0, 0.1, 4),
)
HOURS, JOBS = np.arange(11.0), np.arange(11) * 2


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def test_thinning_keeps_ends_peaks_and_dips() -> None:
    values = np.full(40_000, 10)
    values[12_345], values[23_456] = 99, 0
    kept = thin_out(values, MAX_POINTS)
    assert {0, 12_345, 23_456, 39_999} <= set(kept.tolist())
    assert len(kept) <= MAX_POINTS + 2


def test_short_runs_are_drawn_whole() -> None:
    assert thin_out(np.arange(50), MAX_POINTS).tolist() == list(range(50))


def test_the_round_and_the_measurement_phase_are_marked() -> None:
    figure = build_sparkline(np.arange(10) / 10, np.arange(10), Phases(2, 8), 5, "light")
    phase, warm_up, now = figure["layout"]["shapes"]
    assert (phase["x0"], phase["x1"], warm_up["x0"], now["x0"]) == (0.2, 0.8, 0.2, 0.5)
    assert figure["data"][-1]["customdata"].tolist() == list(range(10))


def test_a_run_without_a_window_has_no_phase() -> None:
    figure = build_sparkline(np.arange(3.0), np.arange(3), None, 0, "dark")
    assert [shape["type"] for shape in figure["layout"]["shapes"]] == ["line"]
    assert figure["layout"]["annotations"] == []


def test_the_slope_goes_through_the_centroid_of_the_batch_means() -> None:
    figure = build_sparkline(HOURS, JOBS, None, 0, "light", EVIDENCE)
    slope = trace(figure, "slope")
    assert slope["x"].tolist() == [2.0, 10.0]
    assert np.interp(6.0, slope["x"], slope["y"]) == pytest.approx(15.0)
    assert np.diff(slope["y"]) / 8 == pytest.approx(1.8)
    dots = trace(figure, "batch means")
    assert (tuple(dots["x"]), tuple(dots["y"])) == (EVIDENCE.batch_time_h, EVIDENCE.batch_jobs)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_band_lies_between_the_ends_of_the_interval(confidence: float) -> None:
    band = trace(build_sparkline(HOURS, JOBS, None, 0, "light", EVIDENCE, confidence), "interval of the slope")
    half = stats.t.ppf((1 + confidence) / 2, 2) * 0.5
    assert band["x"].tolist() == [2.0, 10.0, 10.0, 2.0]
    expected = [15 - (1.8 - half) * 4, 15 + (1.8 - half) * 4, 15 + (1.8 + half) * 4, 15 - (1.8 + half) * 4]
    assert band["y"] == pytest.approx(expected)


def test_the_ends_of_warm_up_are_named_in_rows_of_their_own() -> None:
    figure = build_sparkline(HOURS, JOBS, Phases(2, 9), 0, "light", EVIDENCE, mser_cut_h=8.0)
    labels = figure["layout"]["annotations"]
    assert [(label["text"], label["x"], label["xanchor"]) for label in labels] == [
        ("warm-up ends", 2.0, "left"),
        ("MSER-5 cut", 8.0, "right"),
    ]
    assert labels[0]["yshift"] != labels[1]["yshift"]
    assert {shape["x0"] for shape in figure["layout"]["shapes"] if shape["type"] == "line"} == {2.0, 8.0, 0.0}


def test_a_window_that_never_came_marks_no_end_of_warm_up() -> None:
    figure = build_sparkline(HOURS, JOBS, Phases(11, 11), 0, "light", None, mser_cut_h=3.0)
    assert [label["text"] for label in figure["layout"]["annotations"]] == ["MSER-5 cut"]


def test_only_the_line_answers_to_the_pointer() -> None:
    figure = build_sparkline(HOURS, JOBS, None, 0, "light", EVIDENCE, queued=JOBS - 1)
    assert [trace.get("hoverinfo") for trace in figure["data"]] == ["skip", "skip", "skip", None]
    assert figure["data"][-1]["text"][5] == "9 of them queued<br>"


def test_a_wide_band_does_not_stretch_the_axes() -> None:
    wide = Evidence(2.0, 10.0, (3.0, 9.0), (10.0, 12.0), Estimate(0.3, 400.0, 2), Estimate(1, 1, 2))
    figure = build_sparkline(HOURS, JOBS, None, 0, "light", wide)
    assert figure["layout"]["xaxis"]["range"] == [0.0, 10.0]
    assert figure["layout"]["yaxis"]["range"] == [0, pytest.approx(21.2)]


def test_one_round_is_enough() -> None:
    figure = build_sparkline(np.array([3.0]), np.array([0]), None, 0, "light", mser_cut_h=3.0)
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < high
