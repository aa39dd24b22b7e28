"""The Jobs page's plain functions, on a small run and on the real odd files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gavel_dash.errors import UsageError
from gavel_dash.pages import jobs as page
from gavel_dash.pages.jobs import csv
from gavel_dash.pages.jobs.data import collect_jobs, read_job_filters
from gavel_dash.pages.jobs.distribution_panel import (
    DistributionOptions,
    build_distribution_panel,
    read_distribution_options,
    show_distribution,
)
from gavel_dash.pages.jobs.grid_rows import arrange, parse_filter_model, parse_sort
from gavel_dash.sweep import Sweep, open_sweep
from tests.make import write_run
from tests.unit.pages.test_sweep import text


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("jobs")
    write_run(folder / "a.viz.bin")
    write_run(folder / "b.viz.bin", n_rounds=14)
    return open_sweep(folder)


def rows(sweep: Sweep, query: dict[str, Any], request: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    jobs = collect_jobs(sweep, ["a", "b"])
    return page.rows_of(jobs, sweep.runs(), query, {"startRow": 0, "endRow": 100, **(request or {})})[0]["rowData"]


def test_measured_jobs_only_unless_all_are_asked_for(sweep: Sweep) -> None:
    assert {row["job_id"] for row in rows(sweep, {})} == set(range(2, 8))
    assert len(rows(sweep, {"jobs": "all"})) == 24


def test_words_scale_factor_category_and_state(sweep: Sweep) -> None:
    assert {row["category"] for row in rows(sweep, {"q": "resnet 64", "jobs": "all"})} == {"resnet"}
    assert [row["job_id"] for row in rows(sweep, {"q": "11", "jobs": "all"})] == [11, 11]
    assert {row["scale_factor"] for row in rows(sweep, {"scale": ["1", "3"]})} == {1, 3}
    unfinished = rows(sweep, {"state": ["unfinished", "never started"], "jobs": "all"})
    assert unfinished
    assert {row["run"] for row in unfinished} == {"b"}


def test_rows_come_in_order_a_block_at_a_time(sweep: Sweep) -> None:
    order = {"sortModel": [{"colId": "scale_factor", "sort": "desc"}, {"colId": "job_id", "sort": "asc"}]}
    whole = rows(sweep, {"jobs": "all"}, order)
    assert [row["scale_factor"] for row in whole] == sorted((row["scale_factor"] for row in whole), reverse=True)
    assert rows(sweep, {"jobs": "all"}, {**order, "startRow": 5, "endRow": 9}) == whole[5:9]
    assert len({row["row"] for row in whole}) == 24


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"filterType": "number", "type": "greaterThan", "filter": 5}, {6, 7}),
        ({"filterType": "number", "type": "inRange", "filter": 2, "filterTo": 5}, {3, 4}),
        ({"operator": "OR", "conditions": [{"type": "equals", "filter": 2}, {"type": "equals", "filter": 7}]}, {2, 7}),
        ({"type": "blank"}, set()),
    ],
)
def test_filters_of_columns(sweep: Sweep, condition: dict[str, Any], expected: set[int]) -> None:
    assert {row["job_id"] for row in rows(sweep, {}, {"filterModel": {"job_id": condition}})} == expected


@pytest.mark.parametrize(
    "model", ["[", "[1]", '{"nothing": {}}', '{"jct_h": {"type": "equals", "filter": "x"}}', '{"jct_h": 1}']
)
def test_a_filter_that_is_none_is_one_clear_error(sweep: Sweep, model: str) -> None:
    with pytest.raises(UsageError):
        arrange(collect_jobs(sweep, ["a"]).table, parse_filter_model(model), [])
    assert page.layout(sweep, filter=model) is not None


def test_a_sort_that_is_none_is_one_clear_error(sweep: Sweep) -> None:
    assert parse_sort("jct_h:desc,run:asc") == [{"colId": "jct_h", "sort": "desc"}, {"colId": "run", "sort": "asc"}]
    with pytest.raises(UsageError, match="sort must be"):
        parse_sort("jct_h:up")
    assert "sort must be" in text(page.layout(sweep, sort="x"))


def test_csv_is_the_filtered_table(sweep: Sweep) -> None:
    model = {"jct_h": {"type": "greaterThan", "filter": 0.4}}
    query = {"run": ["a", "b"], "jobs": ["all"], "scale": ["2"], "filter": [json.dumps(model)], "sort": ["jct_h:desc"]}
    table = csv.jobs_table(sweep, query)
    shown = rows(sweep, {"jobs": "all", "scale": ["2"]}, {"filterModel": model, "sortModel": parse_sort("jct_h:desc")})
    assert table[["run", "job_id"]].values.tolist() == [[row["run"], row["job_id"]] for row in shown]
    assert len(table)


def test_distribution_and_quantiles_follow_the_filters(sweep: Sweep) -> None:
    query = {"run": ["a", "b"], "split": "run", "measure": "jct_h"}
    quantiles = csv.quantiles_table(sweep, query).set_index("group")
    assert quantiles.loc["a", "n"] == 6
    assert quantiles.loc["a", "n_censored"] == 0
    assert quantiles.loc["b", "n_censored"] > 0
    curves = csv.distribution_table(sweep, {**query, "scale": "3"})
    assert curves[curves["group"] == "a"]["share"].max() == 1
    nonsense = {"measure": "x", "split": "y", "axis": "z"}
    assert csv.quantiles_table(sweep, {**query, **nonsense})["measure"].tolist() == ["jct_h", "jct_h"]


def test_layout_needs_no_arguments_and_says_what_is_missing(sweep: Sweep, tmp_path: Path) -> None:
    assert "jobs-grid" in text(page.layout(sweep))
    said = text(page.layout(sweep, run=["a", "gone"], jobs="all", q="lm"))
    assert "no run named gone" in said
    assert "jobs-grid" in text(page.layout(open_sweep(tmp_path)))


def test_real_odd_files_give_jobs_or_a_sentence(data_dir: Path) -> None:
    published = open_sweep(data_dir / "published")
    jobs = collect_jobs(published, published.names)
    shown = set(jobs.table["run"])
    empty = {name for name in published.names if published.has_rounds(name) and not len(published[name].viz.jobs)}
    assert shown | empty | {p.split(" ")[0] for p in jobs.problems} == set(published.names)
    assert isinstance(jobs.table, pd.DataFrame)


def test_which_run_preempts_more_is_in_the_table_and_its_csv(sweep: Sweep) -> None:
    query = {"run": ["a", "b"], "jobs": "all", "measure": "preemptions"}
    means = csv.quantiles_table(sweep, query).set_index("group")["mean"]
    for name in ("a", "b"):
        jobs = sweep[name].jobs()
        assert means[name] == pytest.approx(jobs[jobs["completed"]]["preemptions"].mean())
    options, filters = read_distribution_options(query), read_job_filters(query)
    shown = show_distribution(collect_jobs(sweep, ["a", "b"]), sweep.runs(), filters, options, "light")
    assert f"{means['b']:,.2f}" in text(shown[2])
    assert "mean over the n jobs" in text(shown[2])
    assert "change the table only" in text(build_distribution_panel(options))


def test_a_mean_with_censored_jobs_is_marked_as_a_lower_bound(sweep: Sweep) -> None:
    options, filters = DistributionOptions(), read_job_filters({})
    shown = text(show_distribution(collect_jobs(sweep, ["b"]), sweep.runs(), filters, options, "light")[2])
    assert "Lower bound: censored jobs count" in shown
    alone = text(show_distribution(collect_jobs(sweep, ["a"]), sweep.runs(), filters, options, "light")[2])
    assert "Lower bound" not in alone
