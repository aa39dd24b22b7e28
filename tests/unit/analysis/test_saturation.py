"""Plateau factor: the paper's curves, and the ways a curve can refuse to saturate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.plateau_factor import plateau_factor
from gavel_dash.analysis.saturation import PLATEAU_FACTOR, describe_disagreement, summarize_saturation


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


def plateau_row(runs: pd.DataFrame) -> pd.Series:
    table = summarize_saturation(runs)
    return table[table["method"] == PLATEAU_FACTOR].iloc[0]


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
    row = plateau_row(make_runs([(0.4, 0, 20.0), (1.2, 0, 21.0), (3.2, 0, 25.0)]))
    assert pd.isna(row["estimate_jph"])
    assert "not reached, > 3.2 jph" in row["note"]


def test_single_seed_gives_an_estimate_without_an_interval() -> None:
    row = plateau_row(make_runs([(1, 0, 20.0), (2, 0, 20.0), (4, 0, 30.0), (5, 0, 90.0)]))
    assert 4 < row["estimate_jph"] < 5
    assert pd.isna(row["low_jph"])
    assert "no interval" in row["note"]


def test_interval_of_several_seeds_holds_the_estimate() -> None:
    points = [
        (rate, seed, jct + seed) for rate, jct in ((1, 20.0), (2, 20.0), (4, 30.0), (5, 90.0)) for seed in range(3)
    ]
    row = plateau_row(make_runs(points))
    assert row["low_jph"] <= row["estimate_jph"] <= row["high_jph"]
    assert row["low_jph"] < row["high_jph"]


def test_runs_that_never_reached_their_window_do_not_make_a_low_rate_saturated() -> None:
    points = [(0.2, 0, None), (0.4, 0, 20.0), (1.0, 0, 20.0), (2.0, 0, 22.0), (3.0, 0, 80.0)]
    row = plateau_row(make_runs(points))
    assert row["estimate_jph"] > 2


def test_one_rate_is_not_a_curve() -> None:
    row = plateau_row(make_runs([(0.8, 0, 20.0)]))
    assert pd.isna(row["estimate_jph"])
    assert "one rate" in row["note"]


def judged(verdicts: dict[float, list[str]], **columns: object) -> pd.DataFrame:
    """Runs of one curve with the verdicts of their seeds, by rate."""
    runs = make_runs([(rate, seed, 20.0) for rate, seeds in verdicts.items() for seed in range(len(seeds))], **columns)
    return runs.assign(verdict=[verdict for seeds in verdicts.values() for verdict in seeds])


def stability_row(verdicts: dict[float, list[str]]) -> pd.Series:
    return summarize_saturation(judged(verdicts)).iloc[0]


def test_the_bracket_lies_between_stable_and_unstable_rates() -> None:
    row = stability_row({1.0: ["stable"], 2.0: ["stable"], 2.5: ["undecided"], 3.0: ["unstable"], 4.0: ["unstable"]})
    assert (row["bracket_low_jph"], row["estimate_jph"], row["bracket_high_jph"]) == (2.0, 2.5, 3.0)
    assert row["status"] == "estimated"
    assert "undecided at 2.5 jph" in row["note"]
    assert pd.isna(row["low_jph"]), "one seed gives no interval"


def test_contradicting_verdicts_widen_the_bracket() -> None:
    row = stability_row({1.0: ["stable"], 2.0: ["unstable"], 3.0: ["stable"], 4.0: ["unstable"]})
    assert (row["bracket_low_jph"], row["bracket_high_jph"]) == (1.0, 4.0)


def test_without_an_unstable_rate_saturation_is_not_reached() -> None:
    row = stability_row({1.0: ["stable"], 2.0: ["stable"], 3.0: ["undecided"]})
    assert (row["status"], row["bracket_low_jph"]) == ("not reached", 2.0)
    assert row["note"] == "not reached, > 2 jph; runs at 3 jph are undecided"
    assert pd.isna(row["estimate_jph"])


def test_without_a_stable_rate_there_is_no_bracket() -> None:
    row = stability_row({1.0: ["unstable"], 2.0: ["unstable"]})
    assert row["status"] == "impossible"
    assert row["note"] == "unstable already at the lowest rate, 1 jph"


def test_without_rounds_stability_says_so() -> None:
    row = summarize_saturation(make_runs([(1.0, 0, 20.0), (2.0, 0, 60.0)])).iloc[0]
    assert (row["method"], row["status"], row["note"]) == ("stability", "impossible", "no rounds to judge by")


def test_seeds_that_differ_give_the_bracket_an_interval() -> None:
    row = stability_row(
        {1.0: ["stable"] * 3, 2.0: ["stable", "stable", "undecided"], 3.0: ["unstable"] * 3, 4.0: ["unstable"] * 3}
    )
    assert (row["bracket_low_jph"], row["bracket_high_jph"]) == (2.0, 3.0)
    assert (row["low_jph"], row["high_jph"]) == (1.0, 3.0)


def test_the_fitted_capacity_is_that_of_the_curve() -> None:
    rates = (1.0, 2.0, 3.0, 4.0, 4.5)
    points = [(rate, 0, 5 + 10 / (1 - rate / 5)) for rate in rates]
    row = summarize_saturation(make_runs(points)).iloc[2]
    assert row["estimate_jph"] == pytest.approx(5, rel=1e-3)
    assert row["low_jph"] <= 5 <= row["high_jph"]


def test_unstable_and_censored_runs_are_not_fitted() -> None:
    points = [(rate, 0, 5 + 10 / (1 - rate / 5)) for rate in (1.0, 2.0, 3.0, 4.0, 4.5)]
    runs = make_runs([*points, (6.0, 0, 40.0), (7.0, 0, 41.0)])
    runs["verdict"] = [*["stable"] * 5, "unstable", None]
    runs.loc[6, "mean_jct_is_lower_bound"] = True
    row = summarize_saturation(runs).iloc[2]
    assert row["estimate_jph"] == pytest.approx(5, rel=1e-3)
    assert row["note"].startswith("2 runs left out")


def test_a_flat_curve_has_no_fitted_capacity() -> None:
    rng = np.random.default_rng(0)
    row = summarize_saturation(make_runs([(rate, 0, 20 + rng.normal()) for rate in np.arange(1.0, 7.0)])).iloc[2]
    assert row["status"] != "estimated"


def test_disagreement_is_said_and_agreement_is_not() -> None:
    runs = judged({1.0: ["stable"], 2.0: ["stable"], 3.0: ["stable"], 4.0: ["stable"]})
    runs["mean_jct_h"] = [10.0, 10.0, 30.0, 60.0]
    said = describe_disagreement(summarize_saturation(runs), "Gavel")
    assert said is not None
    assert said.startswith("The methods disagree on Gavel: stability beyond 4 jph, plateau factor 2.50 jph")
    runs["verdict"] = ["stable", "stable", "unstable", "unstable"]  # leaves two rates to fit a capacity to: too few
    assert describe_disagreement(summarize_saturation(runs), "Gavel") is None


def test_the_level_widens_the_interval_of_the_crossing() -> None:
    points = [
        (rate, seed, jct + seed) for rate, jct in ((1, 20.0), (2, 20.0), (4, 30.0), (5, 90.0)) for seed in range(3)
    ]
    widths = []
    for confidence in (0.8, 0.95):
        row = summarize_saturation(make_runs(points), confidence=confidence).iloc[1]
        widths.append(row["high_jph"] - row["low_jph"])
    assert widths[0] < widths[1]


def test_contradicting_verdicts_are_not_called_undecided() -> None:
    row = stability_row({1.0: ["stable"], 2.0: ["unstable"], 3.0: ["stable"], 4.0: ["undecided"], 5.0: ["unstable"]})
    assert "undecided at 4 jph;" in row["note"]
    assert "contradict each other at 2, 3 jph" in row["note"]


@pytest.mark.parametrize(
    ("verdicts", "note"),
    [
        (["stable", "unstable", "stable"], "verdicts contradict each other: unstable at 2 jph, stable at 1, 3 jph"),
        (["undecided", "undecided", "unstable"], "no rate is stable: unstable from 3 jph on, undecided below"),
        (["undecided"] * 3, "undecided at every rate, up to 3 jph"),
    ],
)
def test_what_cannot_be_bracketed_says_why(verdicts: list[str], note: str) -> None:
    row = stability_row({rate: [verdict] for rate, verdict in zip((1.0, 2.0, 3.0), verdicts, strict=True)})
    assert (row["status"], row["note"]) == ("impossible", note)


def test_a_lower_bound_does_not_say_that_a_rate_is_not_saturated() -> None:
    runs = make_runs([(1.0, 0, 20.0), (2.0, 0, 20.0), (3.0, 0, 22.0), (4.0, 0, 25.0)])
    runs.loc[3, "mean_jct_is_lower_bound"] = True
    row = plateau_row(runs)
    assert (row["status"], row["highest_rate_jph"]) == ("not reached", 3.0)
    assert row["note"].startswith("not reached, > 3 jph; lower bounds at 4 jph")
    runs["mean_jct_is_lower_bound"] = True
    assert plateau_row(runs)["status"] == "impossible"


def test_runs_of_one_seed_are_one_sample_of_the_fit() -> None:
    noise = (1.03, 0.97, 1.02, 0.98, 1.01)
    rates = (1.0, 2.0, 3.0, 4.0, 4.5)
    runs = make_runs([(rate, 0, (5 + 10 / (1 - rate / 5)) * f) for rate, f in zip(rates, noise, strict=True)])
    again = pd.concat([runs, runs.assign(run=runs["run"] + "_again")], ignore_index=True)
    interval = ["low_jph", "high_jph"]
    once, twice = (summarize_saturation(frame).iloc[2][interval].tolist() for frame in (runs, again))
    assert once == pytest.approx(twice)


def test_an_interval_that_is_open_upwards_does_not_disagree_with_what_lies_above() -> None:
    table = summarize_saturation(judged({1.0: ["stable"], 2.0: ["stable"], 3.0: ["stable"]}))  # beyond 3 jph
    table.loc[1, ["status", "estimate_jph", "low_jph", "high_jph"]] = ["estimated", 2.0, 1.5, 2.5]
    assert describe_disagreement(table, "Gavel") is not None
    table.loc[1, "high_jph"] = np.nan
    assert describe_disagreement(table, "Gavel") is None


def test_the_interval_of_the_fit_needs_rates_to_leave_out() -> None:
    points = [(rate, seed, 5 + 10 / (1 - rate / 5) + seed) for rate in (1.0, 2.0, 3.0, 4.0) for seed in range(3)]
    row = summarize_saturation(make_runs(points)).iloc[2]
    assert row["status"] == "estimated"
    assert pd.isna(row["low_jph"])
    assert row["note"] == "too few rates for an interval"
