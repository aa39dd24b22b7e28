"""Facets: OR within one, AND between, counts under the others."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.facets import (
    FACETS,
    NONE,
    FacetValue,
    apply_filters,
    count_filters,
    facet_counts,
    natural_order,
    value_text,
)


def make_rows(*rows: dict[str, Any]) -> pd.DataFrame:
    """Runs with the given cells, named r0, r1 ... and complete unless they say otherwise."""
    return schema.build_frame(
        [{"run": f"r{i}", "status": "complete", **row} for i, row in enumerate(rows)], schema.RUNS
    )


@pytest.fixture
def runs() -> pd.DataFrame:
    return make_rows(
        {"figure": "fig9", "policy": "las", "arrival_rate_jph": 0.8, "seed": 0},
        {"figure": "fig9", "policy": "las_perf", "arrival_rate_jph": 0.8, "seed": 1, "status": "censored"},
        {"figure": "fig10", "policy": "las", "arrival_rate_jph": 12.0, "seed": 0, "note": "Cut in a Line"},
        {"policy": "fifo", "status": "damaged"},
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["r0", "r1", "r2", "r3"]),
        ({"figure": []}, ["r0", "r1", "r2", "r3"]),
        ({"figure": ["fig9"]}, ["r0", "r1"]),
        ({"figure": ["fig9", "fig10"]}, ["r0", "r1", "r2"]),
        ({"figure": ["fig9"], "policy": ["las"]}, ["r0"]),
        ({"rate": ["0.8"]}, ["r0", "r1"]),
        ({"rate": ["12"], "seed": ["0"]}, ["r2"]),
        ({"figure": [NONE]}, ["r3"]),
        ({"q": ["las CUT"]}, ["r2"]),
        ({"q": ["l.s"]}, []),
        ({"run": ["r3", "r0", "no such run"]}, ["r0", "r3"]),
        ({"unknown": ["x"]}, ["r0", "r1", "r2", "r3"]),
    ],
)
def test_filters(runs: pd.DataFrame, filters: dict[str, list[str]], expected: list[str]) -> None:
    assert apply_filters(runs, filters)["run"].tolist() == expected


def test_counts_reflect_the_other_facets_only(runs: pd.DataFrame) -> None:
    counts = facet_counts(runs, {"figure": ["fig9"], "policy": ["las"]})
    assert counts["figure"] == [FacetValue("fig9", 1), FacetValue("fig10", 1), FacetValue(NONE, 0)]
    assert counts["policy"] == [FacetValue("fifo", 0), FacetValue("las", 1), FacetValue("las_perf", 1)]
    assert counts["status"] == [FacetValue("complete", 1), FacetValue("censored", 0), FacetValue("damaged", 0)]


def test_counts_add_up_to_the_runs_that_pass(runs: pd.DataFrame) -> None:
    filters = {"q": ["las"]}
    counts = facet_counts(runs, filters)
    assert {key: sum(value.count for value in values) for key, values in counts.items()} == {
        facet.key: len(apply_filters(runs, filters)) for facet in FACETS
    }


def test_placement_and_trace_are_facets_like_the_others() -> None:
    runs = make_rows({"placement": "random", "trace": "philly"}, {"placement": "fgd", "trace": "philly"}, {})
    assert apply_filters(runs, {"placement": ["random", NONE], "trace": ["philly"]})["run"].tolist() == ["r0"]
    counts = facet_counts(runs, {"placement": ["fgd"]})
    assert counts["trace"] == [FacetValue("philly", 1), FacetValue(NONE, 0)]
    assert counts["placement"] == [FacetValue("fgd", 1), FacetValue("random", 1), FacetValue(NONE, 1)]


def test_a_chosen_value_that_no_run_has_can_be_taken_back(runs: pd.DataFrame) -> None:
    assert FacetValue("fig77", 0) in facet_counts(runs, {"figure": ["fig77"]})["figure"]


def test_no_runs_have_no_values() -> None:
    assert all(values == [] for values in facet_counts(make_rows(), {}).values())


def test_natural_order() -> None:
    assert sorted(["12", "fig10", "0.8", NONE, "fig9", "6.8"], key=natural_order) == [
        "0.8",
        "6.8",
        "12",
        "fig9",
        "fig10",
        NONE,
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (0.6000000000000001, "0.6"), (3, "3"), (None, NONE), (pd.NA, NONE), ("", NONE)]
)
def test_value_text(value: object, text: str) -> None:
    assert value_text(value) == text


def test_words_are_one_filter_and_each_value_is_one() -> None:
    assert count_filters({"q": ["two words"], "figure": ["fig9", "fig10"], "seed": []}) == 3
