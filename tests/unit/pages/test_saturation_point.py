"""The panel of the clicked point: what a click opens, the evidence in words, and the rounds that matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.figures.saturation import ChartOptions
from gavel_dash.pages.saturation.data import collect, select
from gavel_dash.pages.saturation.point_evidence import build_evidence, ratio_text, signed, slope_text, warm_up_text
from gavel_dash.pages.saturation.point_here import here_options, here_value, run_to_open
from gavel_dash.pages.saturation.point_round import draw_round, moment_at, moment_options
from gavel_dash.sweep import Sweep, open_sweep
from tests.make import write_run

ONE, TWO, SEED, NEXT = "fifo_s0", "las_s0", "fifo_s1", "fifo_next"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Two curves that meet at 2 jph, where one has two seeds; and a second rate of the first."""
    directory = tmp_path_factory.mktemp("sweep")
    for name, policy, rate, seed in ((ONE, "fifo", 2.0, 0), (SEED, "fifo", 2.0, 1), (TWO, "las", 2.0, 0)):
        experiment = {"policy": policy, "setting": "multi", "arrival_rate_jph": rate, "seed": seed}
        write_run(directory / f"{name}.viz.bin", experiment, n_jobs=60, every=3, n_rounds=200)
    experiment = {"policy": "fifo", "setting": "multi", "arrival_rate_jph": 2.1, "seed": 0}
    write_run(directory / f"{NEXT}.viz.bin", experiment, n_jobs=100, every=1, length=9, n_rounds=120)
    return open_sweep(directory)


@pytest.fixture(scope="module")
def data(sweep: Sweep) -> Any:
    return collect(sweep, {}, ChartOptions())


def text_of(component: Any) -> str:
    """All text in a component."""
    if isinstance(component, list | tuple):
        return " ".join(text_of(child) for child in component)
    if component is None or isinstance(component, str | int | float):
        return "" if component is None else str(component)
    return text_of(getattr(component, "children", None))


def row(**values: Any) -> pd.Series:
    """A run with evidence, as the table of runs has it."""
    run = {
        "run": "x",
        "arrival_rate_jph": 2.5,
        "verdict": "unstable",
        "slope_jobs_per_h": 0.4,
        "slope_low_jobs_per_h": 0.2,
        "slope_high_jobs_per_h": 0.6,
        "throughput_over_rate": 0.82,
        "throughput_over_rate_low": 0.79,
        "throughput_over_rate_high": 0.85,
        "n_batches": 20,
        "warm_up_h": 189.2,
        "mser_cut_h": 211.7,
        "mser_steady": True,
    }
    return schema.build_frame([run | values], schema.RUNS).assign(has_rounds=True).iloc[0]


def test_runs_at_a_place_are_one_choice_per_curve(data: Any) -> None:
    options = here_options(data, [TWO, SEED, ONE, NEXT, "gone"])
    assert [(option["label"], option["value"]) for option in options] == [
        ("fifo multi at 2 jph", SEED),
        ("las multi at 2 jph", TWO),
    ]
    assert here_value(data, options, ONE) == SEED  # another seed of that point
    assert here_value(data, options, NEXT) is None
    assert here_value(data, options, None) is None


def test_the_first_click_opens_the_clicked_run_and_further_ones_go_round(data: Any) -> None:
    place = [TWO, ONE, SEED]
    assert run_to_open(data, place, False, ONE) == TWO
    assert run_to_open(data, place, True, TWO) == ONE
    assert run_to_open(data, place, True, ONE) == TWO
    assert run_to_open(data, place, True, SEED) == TWO


def test_after_another_choice_the_clicked_run_is_opened_again(data: Any) -> None:
    assert run_to_open(data, [TWO, ONE], True, NEXT) == TWO


def test_a_lone_point_opens_with_every_click(data: Any) -> None:
    assert run_to_open(data, [SEED, ONE], True, ONE) == SEED
    assert run_to_open(data, ["gone"], False, ONE) is None


def test_the_rounds_that_matter_are_those_of_the_run(sweep: Sweep) -> None:
    selection = select(sweep, NEXT)
    middle, highest, grows = moment_options(sweep, selection)
    run = sweep[NEXT]
    queued = run.viz.round_heads["jobs_queued"].astype(int)
    assert middle["value"] == f"middle:{run.representative_round()}"
    assert (
        highest["value"]
        == f"highest:{run.phases.measurement_start + int(np.argmax(queued[run.phases.measurement_start :]))}"
    )
    at = int(grows["value"].split(":")[1])
    last_arrival = int(np.flatnonzero(run.viz.round_heads["round"] > run.viz.jobs["arrival_round"].max())[0])
    assert (queued[at + 1 : last_arrival + 1] > queued[at]).all()
    assert not grows["disabled"]
    assert moment_at([middle, highest, grows], selection["round"]) == middle["value"]
    assert moment_at([middle, highest, grows], at) == grows["value"]
    assert moment_at([middle, highest, grows], 1) is None


def test_a_run_that_keeps_up_says_why_its_backlog_does_not_grow(sweep: Sweep) -> None:
    grows = moment_options(sweep, select(sweep, ONE))[2]
    assert (grows["disabled"], grows["value"]) == (True, "grows")
    assert "does not grow" in grows["title"]


def test_a_short_run_says_that_it_is_too_short(tmp_path: Path) -> None:
    write_run(tmp_path / "x.viz.bin", {"policy": "fifo", "arrival_rate_jph": 1.0}, n_jobs=8, n_rounds=18)
    grows = moment_options(open_sweep(tmp_path), {"run": "x", "round": 3, "n_rounds": 18})[2]
    assert grows["disabled"]
    assert "too few rounds" in grows["title"]


def test_without_a_window_the_middle_is_that_of_the_run(tmp_path: Path) -> None:
    write_run(tmp_path / "x.viz.bin", {"policy": "fifo", "arrival_rate_jph": 1.0}, window=(500, 600))
    sweep = open_sweep(tmp_path)
    middle = moment_options(sweep, select(sweep, "x"))[0]
    assert (middle["label"], middle["value"]) == ("middle of the run", "middle:30")


def test_without_rounds_there_is_nowhere_to_go(sweep: Sweep) -> None:
    assert moment_options(sweep, {"run": ONE, "round": None, "n_rounds": 0}) == []
    assert moment_options(sweep, {"run": None, "round": None, "n_rounds": 0}) == []


def test_numbers_carry_their_unit_their_interval_and_their_share() -> None:
    assert slope_text(row()) == "+0.40 [+0.20, +0.60] jobs/h, +16% [+8%, +24%] of arrivals"
    assert ratio_text(row()) == "0.82 [0.79, 0.85] of the arrival rate"
    assert warm_up_text(row()) == "until 189 h (window), MSER-5 cut 212 h"


def test_no_steady_state_and_no_window_are_said() -> None:
    text = warm_up_text(row(mser_steady=False, warm_up_h=None))
    assert text == "no window; no steady state: the MSER-5 cut (212 h) falls in the second half"


def test_a_verdict_has_a_sign_a_word_and_its_level() -> None:
    shown = text_of(build_evidence(row(), 0.9))
    assert shown.startswith("▲ unstable 90% intervals, 20 batches")
    assert text_of(build_evidence(row(verdict="stable"), 0.95)).startswith("● stable")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param({"n_batches": 7}, "only 7 batches, 10 are needed", id="few batches"),
        pytest.param({"throughput_over_rate_high": 1.1}, "slope and throughput disagree", id="grows, keeps up"),
        pytest.param({"slope_low_jobs_per_h": -1}, "slope and throughput disagree", id="falls behind, does not grow"),
        pytest.param(
            {"slope_low_jobs_per_h": -1, "throughput_over_rate_high": 1.1}, "too wide to tell", id="wide interval"
        ),
    ],
)
def test_an_undecided_run_says_why(values: dict[str, Any], reason: str) -> None:
    shown = text_of(build_evidence(row(verdict="undecided", **values), 0.95))
    assert "◆ undecided" in shown
    assert reason in shown


def test_a_run_without_evidence_says_so_in_one_sentence() -> None:
    nothing = row(slope_jobs_per_h=None, verdict=None, warm_up_h=None, mser_cut_h=None, mser_steady=None)
    assert text_of(build_evidence(nothing, 0.95)) == "too few rounds after warm-up: no verdict"
    nothing["has_rounds"] = False
    assert text_of(build_evidence(nothing, 0.95)) == "no rounds: no verdict"


def test_a_run_without_a_rate_has_a_slope_and_no_verdict() -> None:
    unknown = row(arrival_rate_jph=0.0, verdict=None, throughput_over_rate=None)
    shown = text_of(build_evidence(unknown, 0.95))
    assert "no verdict" in shown
    assert slope_text(unknown) == "+0.40 [+0.20, +0.60] jobs/h"
    assert ratio_text(unknown) == "no arrival rate"


@pytest.mark.parametrize(
    ("value", "text"), [(0.004, "0.00"), (-0.004, "0.00"), (-1.256, "−1.26"), (1234.5, "+1,234.50")]
)
def test_signed_numbers(value: float, text: str) -> None:
    assert signed(value) == text


def test_the_small_chart_shows_the_evidence_at_the_asked_confidence(sweep: Sweep) -> None:
    run = sweep[NEXT]
    wide, narrow = (draw_round(run, 20, "light", level)[0]["data"][0]["y"] for level in (0.99, 0.8))
    assert np.abs(np.diff(wide)[0]) != np.abs(np.diff(narrow)[0])
    assert run.evidence is not None
    low, high = run.evidence.slope.interval(0.8)
    span = run.evidence.stop_h - run.evidence.start_h
    assert narrow[1] - narrow[0] == pytest.approx(low * span)
    assert narrow[2] - narrow[3] == pytest.approx(high * span)
