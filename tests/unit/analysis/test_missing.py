"""Missing runs: the rates of a curve times the seeds of the sweep, minus what is there."""

from __future__ import annotations

from gavel_dash.analysis.missing import find_missing
from tests.unit.analysis.test_facets import make_rows


def test_seeds_of_the_sweep_are_asked_for_at_every_rate_of_a_curve() -> None:
    runs = make_rows(
        {"policy": "a", "arrival_rate_jph": 1.0, "seed": 0},
        {"policy": "a", "arrival_rate_jph": 1.0, "seed": 1},
        {"policy": "a", "arrival_rate_jph": 2.0, "seed": 0},
        {"policy": "b", "arrival_rate_jph": 3.0, "seed": 1, "status": "damaged"},
    )
    missing = find_missing(runs)
    assert list(zip(missing["policy"], missing["arrival_rate_jph"], missing["seed"], strict=True)) == [
        ("a", 2.0, 1),
        ("b", 3.0, 0),
    ]
    assert set(missing["status"]) == {"missing"}
    assert missing["run"].isna().all()


def test_runs_without_a_rate_or_a_policy_ask_for_nothing() -> None:
    runs = make_rows({"policy": "a", "seed": 0}, {"arrival_rate_jph": 1.0, "seed": 1})
    assert find_missing(runs).empty


def test_runs_without_seeds_miss_nothing() -> None:
    assert find_missing(make_rows({"policy": "a", "arrival_rate_jph": 1.0})).empty
