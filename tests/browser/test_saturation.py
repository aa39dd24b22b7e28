"""The Saturation page in a real browser: a clicked point opens the cluster behind it, and the address keeps it all."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Sweep
from tests.browser.charts import OVERLAY, click_point, locate

pytestmark = pytest.mark.browser

RANGES = """() => {
  const layout = document.querySelector("#saturation-overlay-figure .js-plotly-plot")._fullLayout;
  return [...layout.xaxis.range, ...layout.yaxis.range];
}"""


def open_page(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/saturation{query}")
    page.wait_for_selector(f"#{OVERLAY} .scatterlayer .point")
    page.wait_for_selector("#saturation-heatmap-figure .heatmaplayer image", state="attached")
    expect(page.locator("#saturation-round-heading")).not_to_be_empty()


def mean_jct_h(sweep: Sweep, run: str) -> float:
    curves = sweep.curves()
    return float(curves.loc[curves["runs"].str.split().map(lambda names: run in names), "mean_jct_h"].iloc[0])


@pytest.mark.parametrize(
    "run",
    [
        "fig10_max_min_fairness_2.8jph_multi_s0",
        "fig10_max_min_fairness_perf_3.0jph_multi_s0",
        "fig9_max_min_fairness_3.2jph_single_s0",
        "fig9_max_min_fairness_perf_3.2jph_single_s0",
    ],
)
def test_a_click_opens_the_clicked_curve_at_the_clicked_rate(
    page: Page, bundled_address: str, sweep: Sweep, run: str
) -> None:
    open_page(page, bundled_address, "?paper=0&seeds=0&at=fig9_max_min_fairness_0.8jph_single_s0")
    row = sweep.runs().set_index("run").loc[run]
    click_point(page, row["arrival_rate_jph"], mean_jct_h(sweep, run))
    expect(page.locator(".saturation-run")).to_have_text(run)
    representative = sweep[run].representative_round()
    record = f"record {representative + 1:,} of {sweep[run].n_rounds:,}"
    expect(page.locator(".saturation-record")).to_have_text(record)
    expect(page).to_have_url(re.compile(f"at={re.escape(run)}&round={representative}$"))
    expect(page.locator("#saturation-open-cluster")).to_have_attribute(
        "href", f"/cluster?run={run}&round={representative}"
    )


def test_a_seed_its_rounds_and_a_reload(page: Page, bundled_address: str, sweep: Sweep) -> None:
    first, other = "fig9_max_min_fairness_4.8jph_single_s0", "fig9_max_min_fairness_4.8jph_single_s2"
    open_page(page, bundled_address, f"?at={first}")
    page.get_by_label("seed 2").check()
    expect(page.locator(".saturation-run")).to_have_text(other)
    for name in ("Ten rounds on", "Ten rounds on", "One round back"):
        page.get_by_role("button", name=name).click()
    index = sweep[other].representative_round() + 19
    expect(page).to_have_url(re.compile(f"at={re.escape(other)}&round={index}$"))
    head = sweep[other].viz.round_heads[index]
    expect(page.locator("#saturation-round-heading")).to_contain_text(f"Round {int(head['round']):,}")
    expect(page.locator("#saturation-round-facts")).to_contain_text(f"{int(head['jobs_running']):,} running")
    facts = page.locator("#saturation-round-facts").inner_text()
    page.reload()
    expect(page.locator("#saturation-round-facts")).to_have_text(facts, use_inner_text=True)
    assert page.url.endswith(f"round={index}")


def test_a_point_chosen_by_keyboard(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address, "?at=fig10_max_min_fairness_perf_3.0jph_multi_s0")
    page.locator("#saturation-choice").focus()
    page.keyboard.press("Enter")
    expect(page.locator("input:focus")).to_have_value("fig10_max_min_fairness_perf_3.0jph_multi_s0")
    page.keyboard.press("ArrowDown")
    expect(page.locator("input:focus")).to_have_value("fig10_max_min_fairness_perf_3.2jph_multi_s0")
    page.keyboard.press("Enter")
    expect(page.locator(".saturation-run")).to_have_text("fig10_max_min_fairness_perf_3.2jph_multi_s0")
    expect(page.locator("#saturation-point-heading")).to_contain_text("≥ 31.5 h (lower bound)")


def test_a_click_keeps_the_zoom(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address)
    page.mouse.move(*locate(page, 2.0, 80))
    page.mouse.down()
    page.mouse.move(*locate(page, 6.5, 10), steps=5)
    page.mouse.up()
    page.wait_for_function(
        "before => document.querySelector('#saturation-overlay-figure .js-plotly-plot')"
        "._fullLayout.xaxis.range[0] > before",
        arg=1.5,
    )
    zoomed = page.evaluate(RANGES)
    page.wait_for_timeout(400)  # Plotly takes two presses within 300 ms for a double click
    run = "fig9_max_min_fairness_5.2jph_single_s0"
    click_point(page, 5.2, mean_jct_h(sweep, run))
    expect(page.locator(".saturation-run")).to_have_text(run)
    expect(page.locator("#saturation-heatmap-figure .dash-graph--pending")).to_have_count(0)
    assert page.evaluate(RANGES) == pytest.approx(zoomed)


def test_k_moves_the_table_and_its_csv_together(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address)
    page.fill("#saturation-k", "1.5")
    estimates = [f"{value:.2f}" for value in sweep.saturation(1.5)["estimate_jph"].dropna()]
    shown = page.locator("#saturation-table td strong")
    expect(shown).to_have_text(estimates)
    expect(page).to_have_url(re.compile("k=1.5"))
    with page.expect_download() as download:
        page.click("#saturation-points-csv")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [f"{float(row['estimate_jph']):.2f}" for row in rows if row["estimate_jph"]] == estimates


def test_the_curves_csv_holds_the_chosen_runs_only(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address, "?figure=fig10&policy=max_min_fairness")
    expect(page.locator(".saturation-filter-line")).to_contain_text("Only 6 of 46 runs")
    with page.expect_download() as download:
        page.click("#saturation-curves-csv")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    drawn = page.evaluate(
        "() => document.querySelector('#saturation-overlay-figure .js-plotly-plot').data.at(-1).customdata"
    )
    assert [row["runs"] for row in rows] == drawn


def test_scale_and_layers(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address)
    page.get_by_label("log", exact=True).check()
    page.get_by_label("the paper's curves (dotted)").uncheck()
    expect(page).to_have_url(re.compile(r"axis=log&paper=0"))
    page.wait_for_function(
        """() => {
          const graph = document.querySelector("#saturation-overlay-figure .js-plotly-plot");
          return graph._fullLayout.yaxis.type === "log" && !graph.data.some(trace => trace.name.startsWith("Paper"));
        }"""
    )
