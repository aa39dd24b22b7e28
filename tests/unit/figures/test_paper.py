"""The paper's curves against the known answers."""

from __future__ import annotations

import pytest

from gavel_dash.analysis.saturation import plateau_factor
from gavel_dash.figures.paper import load_paper_curves, paper_curve, paper_source


@pytest.mark.parametrize(
    ("figure", "policy", "expected_jph"),
    [
        ("fig9", "max_min_fairness", 4.8),
        ("fig9", "max_min_fairness_perf", 5.6),
        ("fig10", "max_min_fairness", 2.4),
        ("fig10", "max_min_fairness_perf", 2.6),
        ("fig11", "finish_time_fairness", 2.5),
        ("fig11", "finish_time_fairness_perf", 2.7),
    ],
)
def test_the_papers_curves_saturate_where_they_are_known_to(figure: str, policy: str, expected_jph: float) -> None:
    curve = paper_curve(figure, policy)
    assert curve is not None
    crossing = plateau_factor(curve.arrival_rate_jph, curve.mean_jct_h)
    assert crossing.rate_jph == pytest.approx(expected_jph, abs=0.1)


def test_points_the_paper_does_not_show_are_left_out() -> None:
    curve = paper_curve("fig9", "max_min_fairness")
    assert curve is not None
    assert 2.0 not in curve.arrival_rate_jph
    assert len(curve.arrival_rate_jph) == len(curve.mean_jct_h) == 11


def test_six_curves_and_their_source() -> None:
    assert len(load_paper_curves()) == 6
    assert "OSDI 2020" in paper_source()


def test_a_figure_of_another_paper_has_no_curve() -> None:
    assert paper_curve("fig12", "max_min_fairness") is None
