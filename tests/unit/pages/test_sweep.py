"""The Sweep page's plain functions."""

from __future__ import annotations

import io
import json
import shlex
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.analysis.facets import FACETS
from gavel_dash.errors import UsageError
from gavel_dash.model import Finding
from gavel_dash.pages import sweep as page
from gavel_dash.pages.sweep_drawer import CONVERT_COMMAND, build_drawer_body
from gavel_dash.pages.sweep_parts import build_counts, build_problems, clear_label, table_rows
from gavel_dash.sweep.memory import Memory
from gavel_dash.ui import row_data
from tests.unit.analysis.test_facets import make_rows


class FakeSweep(SimpleNamespace):
    """What the page needs of a sweep, over a table."""

    frame: pd.DataFrame

    @cached_property
    def memory(self) -> Memory:
        """What was made of the table."""
        return Memory(8)

    def runs(self) -> pd.DataFrame:
        """The table."""
        return self.frame.copy()

    @property
    def names(self) -> list[str]:
        """Names of the runs."""
        return self.frame["run"].tolist()

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def findings(self, name: str) -> tuple[Finding, ...]:
        """One finding for each run."""
        if name not in self:
            raise UsageError(name)
        return (Finding("job-zero", "job 0 was <b>drawn</b> idle", 1234),)

    def has_rounds(self, name: str) -> bool:
        """Runs with a number of rounds have them."""
        return bool(self.frame.set_index("run")["rounds"].notna()[name])

    def identity(self, _name: str) -> dict[str, str]:
        """Only the policy has a source."""
        return {"policy": "timing.json"}


@pytest.fixture
def sweep() -> Any:
    rows = make_rows(
        {"policy": "las", "arrival_rate_jph": 1.0, "seed": 0, "rounds": 900, "mean_jct_h": 20.25},
        {
            "policy": "las",
            "arrival_rate_jph": 3.0,
            "seed": 0,
            "status": "censored",
            "mean_jct_h": 90.0,
            "mean_jct_is_lower_bound": True,
            "n_window": 400,
            "n_completed": 388,
            "rounds": 1000,
        },
        {"policy": "las", "status": "unconverted", "note": "convert it: gavel-dash convert 'a: b' --out ."},
        {"status": "damaged", "note": "at byte 3: expected more"},
    )
    return FakeSweep(frame=rows, problems=(), table_findings=(), empty_sentence="holds no runs")


def text(component: Any) -> str:
    """Everything a component says, as JSON."""
    parts = component if isinstance(component, list) else [component]
    return json.dumps(
        [part.to_plotly_json() for part in parts], default=lambda c: c.to_plotly_json(), ensure_ascii=False
    )


def test_filters_of_a_query() -> None:
    query = {"figure": "fig9", "rate": ["1", "2"], "q": "las", "run": "r0", "other": "x"}
    assert page.read_filters(query) == {"figure": ["fig9"], "rate": ["1", "2"], "q": ["las"]}


def test_what_changes_with_the_filters(sweep: Any) -> None:
    _, options, empty_hidden, content_hidden, label, clear_off = page.show_matching(sweep, {"rate": ["3"]})
    assert (empty_hidden, content_hidden, label, clear_off) == (True, False, "Clear 1 filter", False)
    assert len(options) == len(FACETS)


def test_nothing_left_offers_to_clear(sweep: Any) -> None:
    filters = {"figure": ["x", "y"], "q": ["z"]}
    _, _, empty_hidden, content_hidden, label, _ = page.show_matching(sweep, filters)
    assert (empty_hidden, content_hidden, label) == (False, True, "Clear 3 filters")
    assert clear_label({}) == "Clear 0 filters"


def test_rows_are_those_of_the_table_of_runs_and_made_once(sweep: Any) -> None:
    runs = sweep.runs()
    matching = runs[runs["run"].isin(["r1", "r3"])]
    rows = table_rows(sweep, matching)
    assert rows == row_data(matching)
    assert rows[0] is table_rows(sweep, runs)[1]
    assert table_rows(sweep, runs[:0]) == []


def test_csv_is_the_rows_shown_in_their_order_with_all_columns(sweep: Any) -> None:
    shown = [{"run": "r2"}, {"run": "r0"}, {"run": "not a run"}]
    table = pd.read_csv(io.StringIO(page.table_csv(sweep, shown)))
    assert table["run"].tolist() == ["r2", "r0"]
    assert table.columns.tolist() == schema.names(schema.RUNS)
    assert pd.read_csv(io.StringIO(page.table_csv(sweep, None))).empty


def test_counts_name_what_matches(sweep: Any) -> None:
    runs = sweep.runs()
    said = text(build_counts(sweep, runs[:2], {"status": ["complete", "censored"]}))
    for part in ("2 of 4 runs", " 1 complete", " 1 censored", " 0 damaged", " 0 unconverted", " 0 missing"):
        assert part in said


def test_layout_restores_filters_and_the_selected_run(sweep: Any) -> None:
    said = text(page.layout(sweep, rate="3", q="las", run="r1"))
    assert '"data": {"rate": ["3"], "q": ["las"]}' in said
    assert '"data": "r1"' in said
    assert "≥ 90.0 h" in said


def test_drawer_of_a_measured_run(sweep: Any) -> None:
    said = text(build_drawer_body(sweep, "r1"))
    for part in ("388 of 400", "/cluster?run=r1", "/saturation?run=r1", "/api/runs/r1/jobs.csv", "timing.json"):
        assert part in said
    assert "job 0 was <b>drawn</b> idle" in said
    assert "1,234" in said


def test_drawer_of_an_unconverted_run_has_the_command_and_no_rounds(sweep: Any) -> None:
    said = text(build_drawer_body(sweep, "r2"))
    assert "\"gavel-dash convert 'a: b' --out .\"" in said
    assert "/cluster" not in said


@pytest.mark.parametrize("path", ["logs/a.log", "it's; here/a b.log", "a;b $(reboot).log"])
def test_only_the_command_of_a_note_is_copied(path: str) -> None:
    command = f"gavel-dash convert {shlex.quote(path)} --out {shlex.quote('my sweep')}"
    found = CONVERT_COMMAND.search(f"convert it: {command}; mean JCT from timing.json")
    assert found is not None
    assert found[0] == command


def test_drawer_of_a_damaged_run_says_why(sweep: Any) -> None:
    said = text(build_drawer_body(sweep, "r3"))
    assert "at byte 3: expected more" in said
    assert "/api/" not in said


def test_drawer_of_nobody(sweep: Any) -> None:
    assert build_drawer_body(sweep, None) == []
    assert "There is no run named x" in text(build_drawer_body(sweep, "x"))


def test_problems_are_said_once(sweep: Any) -> None:
    assert build_problems(sweep) == []
    sweep.problems = ("a: cannot be listed",)
    sweep.table_findings = (Finding("bad-rows", "rows without a rate", 3),)
    said = text(build_problems(sweep))
    for part in ("2 remarks", "a: cannot be listed", "rows without a rate (3)"):
        assert part in said
