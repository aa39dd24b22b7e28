"""Plateau factor: the paper's curves, and the ways a curve can refuse to saturate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.saturation import plateau_factor, summarize_saturation


def make_runs(points: list[tuple[float, int, float | None]], **columns: object) -> pd.DataFrame:
    """Rows of `schema.RUNS` for (rate, seed, mean JCT) of one curve."""
    rows = [
        {
            "run": f"r{rate}_{seed}",
            "policy": "p",
            "setting": "multi",
            "arrival_rate_jph": rate,
            "seed": seed,
            "mean_jct_h": jct,
            "mean_jct_is_lower_bound": False,
            "n_window": 400,
            "n_completed": 400,
            "status": "complete",
            **columns,
        }
        for rate, seed, jct in points
    ]
    return schema.build_frame(rows, schema.RUNS)


@pytest.mark.parametrize(
    ("figure", "curve", "expected_jph"),
    [
        ("fig9", "baseline", 4.8),
        ("fig9", "gavel", 5.6),
        ("fig10", "baseline", 2.4),
        ("fig10", "gavel", 2.6),
        ("fig11", "baseline", 2.5),
        ("fig11", "gavel", 2.7),
    ],
)
def test_paper_curves_saturate_where_the_paper_says(figure: str, curve: str, expected_jph: float) -> None:
    path = Path(__file__).parents[3] / "gavel_dash" / "data" / "paper_curves.json"
    document = json.loads(path.read_text())["figures"][figure]
    mean_jct_h = np.array([np.nan if v is None else v for v in document[f"{curve}_mean_jct_h"]], dtype=float)
    known = np.isfinite(mean_jct_h)
    rates = np.array(document["arrival_rate_jph"])[known]

    assert plateau_factor(rates, mean_jct_h[known]).rate_jph == pytest.approx(expected_jph, abs=0.1)


def test_crossing_is_interpolated_between_the_two_rates() -> None:
    crossing = plateau_factor(np.array([1.0, 2.0, 4.0, 5.0]), np.array([10.0, 10.0, 15.0, 35.0]))
    assert crossing.plateau_jct_h == 10
    assert crossing.rate_jph == pytest.approx(4.25)


def test_larger_k_never_saturates_earlier() -> None:
    rates, jct = np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 11.0, 25.0, 60.0])
    found = [plateau_factor(rates, jct, k).rate_jph for k in (1.5, 2.0, 3.0, 5.0)]
    assert found == sorted(found)


def test_curve_that_never_crosses_says_beyond_the_highest_rate() -> None:
    row = summarize_saturation(make_runs([(0.4, 0, 20.0), (1.2, 0, 21.0), (3.2, 0, 25.0)])).iloc[0]
    assert pd.isna(row["estimate_jph"])
    assert "not reached, > 3.2 jph" in row["note"]


def test_single_seed_gives_an_estimate_without_an_interval() -> None:
    row = summarize_saturation(make_runs([(1, 0, 20.0), (2, 0, 20.0), (4, 0, 30.0), (5, 0, 90.0)])).iloc[0]
    assert 4 < row["estimate_jph"] < 5
    assert pd.isna(row["low_jph"])
    assert "no interval" in row["note"]


def test_interval_of_several_seeds_holds_the_estimate() -> None:
    points = [
        (rate, seed, jct + seed) for rate, jct in ((1, 20.0), (2, 20.0), (4, 30.0), (5, 90.0)) for seed in range(3)
    ]
    row = summarize_saturation(make_runs(points)).iloc[0]
    assert row["low_jph"] <= row["estimate_jph"] <= row["high_jph"]
    assert row["low_jph"] < row["high_jph"]


def test_runs_that_never_reached_their_window_do_not_make_a_low_rate_saturated() -> None:
    points = [(0.2, 0, None), (0.4, 0, 20.0), (1.0, 0, 20.0), (2.0, 0, 22.0), (3.0, 0, 80.0)]
    row = summarize_saturation(make_runs(points)).iloc[0]
    assert row["estimate_jph"] > 2


def test_one_rate_is_not_a_curve() -> None:
    row = summarize_saturation(make_runs([(0.8, 0, 20.0)])).iloc[0]
    assert pd.isna(row["estimate_jph"])
    assert "one rate" in row["note"]
