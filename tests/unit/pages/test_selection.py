"""Which runs a page looks at: from its address, by default, and by curve."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.pages import selection
from gavel_dash.pages.selection import add_curve, asked_round, asked_runs, build_picker
from gavel_dash.sweep import Sweep, open_sweep

EXPERIMENTS = Path(__file__).parents[3] / "experiments"


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return open_sweep(EXPERIMENTS)


def test_runs_of_the_address_in_its_order_and_each_once(sweep: Sweep) -> None:
    first, second = sweep.names[4], sweep.names[1]
    assert asked_runs(sweep, {"run": [first, second, first]}).names == (first, second)
    assert asked_runs(sweep, {"run": second}).names == (second,)


def test_what_cannot_be_shown_is_said(sweep: Sweep) -> None:
    found = asked_runs(sweep, {"run": ["nobody", sweep.names[0]]})
    assert found.names == (sweep.names[0],)
    assert found.problems == ("This sweep has no run named nobody.",)


def test_too_many_runs_are_cut_and_that_is_said(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_RUNS", 3)
    found = asked_runs(sweep, {"run": sweep.names[:5]})
    assert found.names == tuple(sweep.names[:3])
    assert "At most 3 runs" in found.problems[0]


def test_by_default_the_first_unstable_run_and_its_counterparts(sweep: Sweep) -> None:
    names = asked_runs(sweep, {}).names
    runs = sweep.runs().set_index("run")
    assert runs.loc[names[0], "verdict"] == "unstable"
    assert len(names) > 1
    for key in ("figure", "setting", "arrival_rate_jph", "seed"):
        assert runs.loc[list(names), key].nunique() == 1
    assert runs.loc[list(names), "policy"].is_unique


def test_a_sweep_without_rounds_says_so(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(
        "name,policy,jobs_per_hr,runtime_sec,jct_sec,utilization,saturated\nfig9_fifo_1jph_single_s0,fifo,1,1,3600,0.5,False\n"
    )
    empty = open_sweep(tmp_path)
    found = asked_runs(empty, {})
    assert (found.names, len(found.problems)) == ((), 1)
    assert "has no rounds" in asked_runs(empty, {"run": empty.names[0]}).problems[0]
    build_picker(empty, "page", found)


def test_a_curve_is_added_behind_what_is_chosen(sweep: Sweep) -> None:
    runs = sweep.runs()
    curve = runs["curve"].iloc[0]
    of_curve = runs["run"][runs["curve"] == curve].tolist()
    other = runs["run"][runs["curve"] != curve].iloc[0]
    assert add_curve(sweep, [other, of_curve[1]], curve) == [
        other,
        of_curve[1],
        *[n for n in of_curve if n != of_curve[1]],
    ]


@pytest.mark.parametrize(
    ("text", "index"), [("12", 12), ("0", 0), ("-1", None), ("1e3", None), ("9" * 30, None), ("", None)]
)
def test_the_round_under_the_cursor(text: str, index: int | None) -> None:
    assert asked_round({"round": text}) == index
