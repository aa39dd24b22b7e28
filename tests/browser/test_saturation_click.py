"""Clicks on the Saturation page in a real browser: points on each other, rounds that matter, the small chart."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from gavel_dash.pages.saturation.point_round import moment_options
from gavel_dash.sweep import Sweep, open_sweep
from tests.browser.charts import LOCATE, OVERLAY, click_point, locate
from tests.make import write_run

pytestmark = pytest.mark.browser

#: Plotly takes two presses within 300 ms for a double click.
NOT_A_DOUBLE_CLICK_MS = 400


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Two policies with equal results at 2 jph, where more arrives than can run, and apart at 1 jph."""
    directory = tmp_path_factory.mktemp("twins")
    for policy, length in (("fifo", 4), ("las", 8)):
        busy = {"policy": policy, "setting": "multi", "arrival_rate_jph": 2.0, "seed": 0}
        write_run(directory / f"{policy}_busy.viz.bin", busy, (20, 60), n_jobs=100, every=1, length=9, n_rounds=120)
        calm = busy | {"arrival_rate_jph": 1.0}
        write_run(directory / f"{policy}_calm.viz.bin", calm, (20, 30), n_jobs=40, every=3, length=length, n_rounds=150)
    return open_sweep(directory)


@pytest.fixture(scope="module")
def address(start_server: Callable[[Path], str], twins: Sweep) -> str:
    return start_server(twins.path)


def open_page(page: Page, address: str, query: str = "?at=fifo_calm") -> None:
    page.goto(f"{address}/saturation{query}")
    page.wait_for_selector(f"#{OVERLAY} .scatterlayer .point")
    page.wait_for_selector("#saturation-heatmap-figure .heatmaplayer image", state="attached")
    expect(page.locator("#saturation-round-heading")).not_to_be_empty()


def shown_run(page: Page) -> Locator:
    return page.locator(".saturation-run")


def here(page: Page) -> Locator:
    return page.locator("#saturation-here")


def mean_jct_h(sweep: Sweep, run: str) -> float:
    return float(sweep.runs().set_index("run").loc[run, "mean_jct_h"])


def click_again(page: Page, rate_jph: float, jct_h: float) -> None:
    page.wait_for_timeout(NOT_A_DOUBLE_CLICK_MS)
    click_point(page, rate_jph, jct_h)


def test_two_points_on_each_other_are_reached_by_clicking_again(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address)
    jct_h = mean_jct_h(twins, "fifo_busy")
    assert jct_h == mean_jct_h(twins, "las_busy")
    click_point(page, 2.0, jct_h)
    expect(shown_run(page)).to_have_text(re.compile("_busy$"))
    first = shown_run(page).inner_text()
    other = {"fifo_busy": "las_busy", "las_busy": "fifo_busy"}[first]
    expect(page.locator("#saturation-here-label")).to_have_text("2 points here:")
    expect(here(page).locator("label")).to_have_text(["fifo multi at 2 jph", "las multi at 2 jph"])
    expect(here(page).locator(f"input[value={first}]")).to_be_checked()
    for run in (other, first, other):
        click_again(page, 2.0, jct_h)
        expect(shown_run(page)).to_have_text(run)
        expect(here(page).locator(f"input[value={run}]")).to_be_checked()
        expect(page).to_have_url(re.compile(f"at={run}&"))


def test_the_points_here_by_keyboard_and_their_end(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address)
    click_point(page, 2.0, mean_jct_h(twins, "fifo_busy"))
    expect(here(page).locator("input")).to_have_count(2)
    here(page).locator("input[value=fifo_busy]").focus()
    page.keyboard.press("Space")
    expect(shown_run(page)).to_have_text("fifo_busy")
    page.keyboard.press("ArrowDown")
    expect(shown_run(page)).to_have_text("las_busy")
    expect(here(page).locator("input[value=las_busy]")).to_be_checked()
    click_again(page, 1.0, mean_jct_h(twins, "fifo_calm"))
    expect(shown_run(page)).to_have_text("fifo_calm")
    expect(here(page).locator("input")).to_have_count(0)
    expect(page.locator("#saturation-here-label")).to_be_hidden()


def test_the_tooltip_names_the_curve_below(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address)
    tooltip = page.locator(f"#{OVERLAY} .hoverlayer .hovertext")
    page.mouse.move(*locate(page, 2.0, mean_jct_h(twins, "fifo_busy")))
    expect(tooltip).to_contain_text(re.compile("also here: (fifo|las) multi .click again."))
    page.mouse.move(*locate(page, 1.0, mean_jct_h(twins, "fifo_calm")))
    expect(tooltip).to_contain_text("at 1 jph")
    expect(tooltip).not_to_contain_text("also here")


def test_a_second_click_on_a_lone_point_is_a_click_again(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address, "?at=fifo_busy")
    jct_h = mean_jct_h(twins, "fifo_calm")
    record = page.locator(".saturation-record")
    opened = f"record {twins['fifo_calm'].representative_round() + 1} of 150"
    click_point(page, 1.0, jct_h)
    expect(record).to_have_text(opened)
    page.get_by_role("button", name="Ten rounds back").click()
    expect(record).not_to_have_text(opened)
    click_again(page, 1.0, jct_h)
    expect(record).to_have_text(opened)
    expect(page.get_by_label("middle of the window")).to_be_checked()


def test_the_rounds_that_matter(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address, "?at=fifo_busy")
    record = page.locator(".saturation-record")
    expect(page.get_by_label("middle of the window")).to_be_checked()
    options = moment_options(twins, {"run": "fifo_busy", "round": 0, "n_rounds": 120})
    assert len({option["value"].split(":")[1] for option in options}) == 3
    for option in reversed(options):
        index = int(option["value"].split(":")[1])
        page.get_by_label(option["label"]).check()
        expect(record).to_have_text(f"record {index + 1} of 120")
        expect(page).to_have_url(re.compile(f"at=fifo_busy&round={index}$"))
    for _ in range(10):
        page.get_by_role("button", name="One round on").click()
    expect(record).to_have_text(f"record {index + 11} of 120")
    expect(page.locator("#saturation-moment input:checked")).to_have_count(0)
    page.get_by_label(options[0]["label"]).check()
    expect(record).to_have_text(f"record {index + 1} of 120")


def test_a_round_that_is_not_there_is_disabled_with_its_reason(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address, "?at=fifo_calm")
    expect(page.get_by_label("backlog only grows from here")).to_be_disabled()
    expect(page.locator("#saturation-moment").get_by_text("only grows")).to_have_attribute(
        "title", re.compile("does not grow for good")
    )


def test_a_click_on_the_small_chart_goes_to_that_round(page: Page, address: str) -> None:
    open_page(page, address, "?at=fifo_busy")
    chart = page.locator("#saturation-jobs-figure")
    chart.scroll_into_view_if_needed()
    x, y = page.evaluate(LOCATE, ["saturation-jobs-figure", 4.0, 20])  # rounds are 0.1 h apart
    page.mouse.move(x, y - 2)
    page.mouse.move(x, y)
    page.wait_for_selector("#saturation-jobs-figure .hoverlayer .hovertext", state="attached")
    page.mouse.click(x, y)
    expect(page.locator(".saturation-record")).to_have_text("record 41 of 120")
    expect(page.locator("#saturation-moment input:checked")).to_have_count(0)


def test_the_evidence_is_that_of_the_run(page: Page, address: str, twins: Sweep) -> None:
    open_page(page, address, "?at=fifo_busy")
    row = twins.runs().set_index("run").loc["fifo_busy"]
    evidence = page.locator("#saturation-evidence")
    expect(evidence.locator("strong")).to_have_text(row["verdict"])
    expect(evidence).to_contain_text(f"{row['throughput_over_rate']:.2f} [")
    expect(page.locator("#saturation-rounds-csv")).to_have_attribute("href", "/api/runs/fifo_busy/rounds.csv")
