"""How runs are told apart: by curve, by rate, by run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.figures import theme
from gavel_dash.figures.run_style import COLOR_RUNS_BY, default_color, style_runs
from gavel_dash.sweep import Sweep, open_sweep

EXPERIMENTS = Path(__file__).parents[3] / "experiments"


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return open_sweep(EXPERIMENTS)


@pytest.mark.parametrize("color", COLOR_RUNS_BY)
def test_every_run_has_a_label_of_its_own(sweep: Sweep, color: str) -> None:
    styles = style_runs(sweep.runs(), sweep.names, color)
    assert list(styles) == sweep.names
    assert len({style.label for style in styles.values()}) == len(sweep.names)


def test_a_curve_has_the_colours_of_the_saturation_page(sweep: Sweep) -> None:
    runs = sweep.runs().set_index("run")
    for name, style in style_runs(sweep.runs(), sweep.names, "curve").items():
        assert style.color == theme.policy_color(runs.loc[name, "policy"])
        assert (style.dash == "solid") == (runs.loc[name, "setting"] == "single")


def test_by_run_no_two_look_alike(sweep: Sweep) -> None:
    looks = [(s.color, s.dash) for s in style_runs(sweep.runs(), sweep.names[:30], "run").values()]
    assert len(set(looks)) == 30


def test_by_rate_colour_goes_with_the_rate(sweep: Sweep) -> None:
    runs = sweep.runs().set_index("run")
    styles = style_runs(sweep.runs(), sweep.names, "rate")
    by_rate = {float(runs.loc[name, "arrival_rate_jph"]): style.color for name, style in styles.items()}
    assert len(set(by_rate.values())) == len(by_rate)


def test_the_default_tells_most(sweep: Sweep) -> None:
    runs = sweep.runs()
    one_curve = runs[runs["curve"] == runs["curve"].iloc[0]]
    assert default_color(runs, runs.drop_duplicates("curve")["run"].tolist()) == "curve"
    assert default_color(runs, one_curve.drop_duplicates("arrival_rate_jph")["run"].tolist()) == "rate"
    assert default_color(runs, runs["run"][:5].tolist()) == "run"
    assert default_color(runs, runs["run"].tolist()) == "curve"
    assert default_color(runs, [*one_curve["run"], *one_curve["run"]]) == "rate"


def test_a_run_that_is_not_in_the_table_gets_a_neutral_style(sweep: Sweep) -> None:
    (style,) = style_runs(sweep.runs(), ["elsewhere"], "rate").values()
    assert style.label == "elsewhere"
