"""Every control of the Saturation page: the CSV is the plot, and the address brings the same page back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_saturation import open_page

pytestmark = pytest.mark.browser

#: Points of all curves as they are drawn: rate and value.
POINTS = """() => {
  const graph = document.querySelector("#saturation-overlay-figure .js-plotly-plot");
  return graph.data.filter((trace) => trace.mode === "lines+markers+text")
    .flatMap((trace) => Array.from(trace.x).map((x, i) => [x, Array.from(trace.y)[i]]));
}"""
#: What the page shows of its state, in words and numbers.
SHOWN = """() => {
  const graph = (id) => document.querySelector(`#saturation-${id}-figure .js-plotly-plot`) || {};
  const text = (id) => (document.getElementById(`saturation-${id}`) || {}).innerText;
  if (![graph("overlay"), graph("panels"), graph("gain")].every((drawn) => drawn.data && drawn.layout)) {
    return null;
  }
  return {
    title: text("title"), table: text("table"), notes: text("notes"), key: text("key"),
    evidence: text("evidence"), pairs: text("pairs-table"), gain: text("gain-table"),
    axis: graph("overlay").layout.yaxis.type,
    traces: graph("overlay").data.map((trace) => [
      trace.name, (trace.line || {}).dash, (trace.line || {}).color, Array.from(trace.y).length,
    ]),
    panels: (graph("panels").layout.annotations || []).map((annotation) => annotation.text),
    gains: graph("gain").data.map((trace) => trace.name), gainAxis: graph("gain").layout.yaxis.title.text,
  };
}"""


def choose(page: Page, control: str, label: str) -> None:
    page.click(f"#saturation-{control}")
    page.get_by_role("option", name=label, exact=True).click()


def wait_for_query(page: Page, part: str) -> None:
    page.wait_for_function("part => location.search.includes(part)", arg=part)


def csv_points(page: Page, column: str) -> list[list[float]]:
    href = page.get_attribute("#saturation-curves-csv", "href")
    text = page.evaluate("href => fetch(href).then((answer) => answer.text())", href)
    rows = csv.DictReader(io.StringIO(text))
    return sorted([float(row["arrival_rate_jph"]), float(row[column])] for row in rows if row[column])


MEASURES = {
    "Median JCT (h)": "median_jct_h",
    "p95 JCT (h)": "p95_jct_h",
    "Throughput (jph)": "throughput_jph",
    "Occupancy": "mean_occupancy",
    "Mean queue": "mean_queue",
    "Unfinished": "unfinished_share",
}


def test_the_csv_is_the_plot_of_every_measure(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address)
    for label, column in MEASURES.items():
        choose(page, "measure", label)
        wait_for_query(page, f"measure={column}")
        expect(page.locator("#saturation-curves-csv")).to_have_attribute(
            "href", f"/api/curves.csv?measure={column}&confidence=0.95"
        )
        expect(page.locator("#saturation-title")).to_contain_text(label.split(" (")[0])
        points = csv_points(page, column)
        page.wait_for_function(
            f"""expected => JSON.stringify(({POINTS})().map((point) => point[1]).sort()) ===
                JSON.stringify(expected.map((point) => point[1]).sort())""",
            arg=points,
        )
        assert sorted(page.evaluate(POINTS)) == points


def group(page: Page, control: str, label: str) -> None:
    if not page.locator(f"#saturation-{control}").is_visible():
        page.get_by_text("Grouping", exact=True).click()
    choose(page, control, label)


CONTROLS: list[tuple[Callable[[Page], None], str]] = [
    (lambda page: choose(page, "method", "plateau factor"), "method=plateau_factor"),
    (lambda page: choose(page, "confidence", "80%"), "confidence=0.8"),
    (lambda page: page.fill("#saturation-k", "1.5"), "k=1.5"),
    (lambda page: page.get_by_label("log", exact=True).check(), "axis=log"),
    (lambda page: page.get_by_label("the paper's curves").uncheck(), "paper=0"),
    (lambda page: group(page, "color", "figure"), "color=figure"),
    (lambda page: group(page, "line", "policy"), "line=policy"),
    (lambda page: group(page, "panel", "policy"), "panel=policy"),
    (lambda page: page.get_by_label("seeds", exact=True).uncheck(), "seeds=0"),
    (lambda page: page.get_by_label("percent", exact=True).check(), "gain_unit=percent"),
    (lambda page: page.get_by_label("ours against the paper").check(), "gain_view=paper_error"),
]


def test_every_control_shows_and_a_reload_brings_the_same_page(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address)
    settle(page)
    for act, part in CONTROLS:
        before = page.evaluate(SHOWN)
        act(page)
        wait_for_query(page, part)
        page.wait_for_function(f"before => JSON.stringify(({SHOWN})()) !== JSON.stringify(before)", arg=before)
        settle(page)
    changed = page.evaluate(SHOWN)
    page.reload()
    page.wait_for_function(f"changed => JSON.stringify(({SHOWN})()) === JSON.stringify(changed)", arg=changed)
    assert [part for _, part in CONTROLS if part not in page.url] == []


def settle(page: Page) -> None:
    """Until nothing is on its way: every callback has answered and every chart is drawn."""
    page.wait_for_selector("#saturation-gain-figure .scatterlayer .point")
    expect(page.locator("#saturation-evidence")).not_to_be_empty()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-dash-is-loading=true]")).to_have_count(0)
