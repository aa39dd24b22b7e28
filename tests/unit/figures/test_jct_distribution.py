"""The chart of a distribution."""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd

from gavel_dash.analysis.distribution import LONG, SHORT, distribute
from gavel_dash.figures.jct_distribution import MOST_MARKED, MOST_POINTS, build_jct_distribution, style_groups


def values_of(typed: dict[str, str]) -> list[float]:
    """Numbers of a typed array."""
    return np.frombuffer(base64.b64decode(typed["bdata"]), f"<{typed['dtype']}").astype(float).tolist()


def draw(observed: list[float], censored: list[float], log_x: bool) -> dict:
    found = [distribute("g", np.array(observed), np.array(censored))]
    return build_jct_distribution(found, style_groups(["g"], "none", pd.DataFrame()), "jct_h", log_x, "light")


def test_the_curve_begins_at_zero_and_steps() -> None:
    line = draw([1, 2, 2, 4], [], False)["data"][0]
    assert (values_of(line["x"]), values_of(line["y"])) == ([0, 1, 2, 4], [0, 0.25, 0.75, 1])
    assert line["line"]["shape"] == "hv"


def test_a_censored_end_goes_on_to_the_longest_time_and_is_marked() -> None:
    line, end, marks = draw([1, 2], [9], False)["data"]
    assert values_of(line["x"])[-1] == 9
    assert (end["x"], end["marker"]["symbol"]) == ([9.0], "circle-open")
    assert marks["text"] == ["p50"]  # the others are lower bounds


def test_on_a_log_axis_zeros_lift_where_the_curve_begins() -> None:
    figure = draw([0, 0, 5, 10], [], True)
    line = figure["data"][0]
    assert min(values_of(line["x"])) > 0
    assert values_of(line["y"]) == [0.5, 0.75, 1]
    assert figure["layout"]["xaxis"]["type"] == "log"
    assert values_of(draw([0, 0], [], True)["data"][0]["y"]) == [1.0]


def test_many_values_are_thinned_to_points_of_the_curve() -> None:
    observed = np.random.default_rng(0).lognormal(2, 1, 20_000)
    line = draw(observed.tolist(), [], False)["data"][0]
    x, y = np.array(values_of(line["x"])), np.array(values_of(line["y"]))
    assert len(x) <= MOST_POINTS + 2
    exact = np.searchsorted(np.sort(observed), x[1:] * (1 + 1e-6), side="right") / len(observed)
    assert np.abs(exact - y[1:]).max() < 1e-3
    assert np.diff(y).max() < 0.005
    assert y[-1] == 1


def test_many_curves_have_no_marks_and_nothing_draws_nothing() -> None:
    names = [str(i) for i in range(MOST_MARKED + 1)]
    found = [distribute(name, np.array([1.0, 2.0]), np.empty(0)) for name in names]
    styles = style_groups(names, "scale_factor", pd.DataFrame())
    assert len(build_jct_distribution(found, styles, "jct_h", True, "dark")["data"]) == len(names)
    assert build_jct_distribution([distribute("g", np.empty(0), np.empty(0))], {}, "jct_h", True, "light")["data"] == []


def test_colour_is_never_the_only_sign() -> None:
    short, long = style_groups([SHORT, LONG], "duration", pd.DataFrame()).values()
    assert short.dash != long.dash
    groups = style_groups(["1", "2", "4"], "scale_factor", pd.DataFrame())
    assert len({style.dash for style in groups.values()}) == 3
    assert groups["1"].label == "1 GPU"
