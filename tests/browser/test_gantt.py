"""The Gantt of the Jobs page in a real browser: zoom, click, keys, and an address that restores it all."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Sweep

pytestmark = pytest.mark.browser

RUN = "fig10_max_min_fairness_2.8jph_multi_s0"
OTHER = "fig10_max_min_fairness_perf_2.8jph_multi_s0"
FIGURE = "#jobs-gantt-figure"
RANGES = """() => {
  const layout = document.querySelector("#jobs-gantt-figure .js-plotly-plot")._fullLayout;
  return [layout.xaxis.range, layout.yaxis.range];
}"""
#: What is drawn: record of the first column, records of a column, and codes of the first band.
DRAWN = """() => {
  const trace = document.querySelector("#jobs-gantt-figure .js-plotly-plot")._fullData[0];
  return [trace.x0 - trace.dx / 2, trace.dx, trace.z.length, trace.z[0].length];
}"""
PLACE = """([x, y]) => {
  const graph = document.querySelector("#jobs-gantt-figure .js-plotly-plot"), box = graph.getBoundingClientRect();
  const layout = graph._fullLayout;
  return [box.left + layout.xaxis._offset + layout.xaxis.l2p(x), box.top + layout.yaxis._offset + layout.yaxis.l2p(y)];
}"""


def open_gantt(page: Page, address: str, query: str = f"?run={RUN}&run={OTHER}") -> None:
    page.goto(f"{address}/jobs{query}")
    page.wait_for_selector(f"{FIGURE} .heatmaplayer image", state="attached")
    page.locator("#jobs-gantt-panel").scroll_into_view_if_needed()
    page.locator("#jobs-gantt-notes").scroll_into_view_if_needed()


def wait_whole(page: Page, n_rounds: int) -> None:
    """Wait until just the whole run is in view."""
    page.wait_for_function(f"n => JSON.stringify(({RANGES})()[0]) === JSON.stringify([0, n])", arg=n_rounds)


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    left, top = page.evaluate(PLACE, [x, y])
    return left, top


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_zoom_refines_to_single_rounds_and_back(page: Page, bundled_address: str, sweep: Sweep) -> None:
    n_rounds = sweep[RUN].n_rounds
    open_gantt(page, bundled_address)
    assert page.evaluate(DRAWN)[1] == -(-n_rounds // 1200) or page.evaluate(DRAWN)[1] > 1
    open_gantt(page, bundled_address, f"?run={RUN}&gantt_rounds=1000-1999")
    start, stop = at(page, 1100, 2), at(page, 1200, 30)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2)
    page.mouse.move(*stop)
    page.mouse.up()
    expect(page.locator("#jobs-gantt-notes")).to_contain_text("A cell is one round of one GPU.")
    expect(page).to_have_url(re.compile(r"gantt_rounds=1\d\d\d-1\d\d\d&gantt_gpus=\d+-\d+"))
    (low, high), _ = page.evaluate(RANGES)
    first, step, _, columns = page.evaluate(DRAWN)
    assert step == 1
    assert first <= low < high <= first + columns
    page.mouse.move(0, 0)
    ranges, asked = page.evaluate(RANGES), query_of(page)
    page.reload()
    page.wait_for_selector(f"{FIGURE} .heatmaplayer image", state="attached")
    assert query_of(page) == asked
    restored = page.evaluate(RANGES)[0]
    assert restored == pytest.approx(ranges[0], abs=1)
    page.get_by_role("button", name="Whole run").click()
    expect(page).not_to_have_url(re.compile("gantt_rounds"))
    wait_whole(page, n_rounds)


def test_hover_and_click_tell_the_job_of_the_cell(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run = sweep[RUN]
    open_gantt(page, bundled_address, f"?run={RUN}&gantt_rounds=1000-1059")
    gpu, record = 7, 1030
    job = int(run.allocation(record)[gpu])
    assert job >= 0
    where = at(page, record + 0.5, gpu + 0.5)
    page.mouse.move(where[0] - 2, where[1])
    page.mouse.move(*where)
    tooltip = page.locator(".jobs-gantt-tooltip").last
    expect(tooltip).to_contain_text(f"Job {job:,}")
    expect(tooltip).to_contain_text(f"GPU {gpu} (K80 {gpu})")
    expect(tooltip).to_contain_text(f"Round {int(run.viz.round_heads['round'][record]):,}")
    page.mouse.click(*where)
    panel = page.locator("#jobs-gantt-panel")
    expect(panel).to_be_focused()
    assert panel.evaluate("panel => getComputedStyle(panel).outlineStyle") == "solid"
    expect(page.locator("#jobs-gantt-card")).to_contain_text(f"Job {job:,}")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#jobs-gantt-card")).to_contain_text(f"record {record + 2:,} of {run.n_rounds:,}")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(f"job={job}.*round={record}|round={record}.*job={job}"))
    expect(page.get_by_role("link", name="Open in Cluster")).to_have_attribute(
        "href", f"/cluster?run={RUN}&round={record}&job={job}"
    )
    expect(page.get_by_role("link", name="Job's page")).to_have_attribute(
        "href", f"/job?run={RUN}&job={job}&round={record}"
    )
    page.get_by_role("button", name="Clear job").click()
    expect(page.get_by_role("button", name="Clear job")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("[?&]job="))


def test_keys_move_the_cursor_that_the_cluster_page_shows(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_gantt(page, bundled_address, f"?run={RUN}&round=1200")
    line = page.locator("#jobs-gantt-cursor")
    expect(line).to_be_visible()
    page.locator("#jobs-gantt-panel").focus()
    for keys in ("Shift+ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(keys)
    expect(page.locator("#jobs-gantt-card")).to_contain_text(f"record 1,210 of {sweep[RUN].n_rounds:,}")
    expect(page).to_have_url(re.compile("round=1209"))
    box = line.bounding_box()
    assert box is not None
    assert abs(box["x"] + box["width"] / 2 - at(page, 1209.5, 0)[0]) <= 2
    page.get_by_role("link", name="Open in Cluster").click()
    expect(page).to_have_url(re.compile(f"/cluster\\?run={RUN}&round=1209"))


def test_another_run_is_seen_as_a_whole_at_the_same_time(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_gantt(page, bundled_address, f"?run={RUN}&run={OTHER}&round=1200&gantt_rounds=1000-1999")
    expect(page.locator("#jobs-gantt-card")).to_contain_text("record 1,201 of")
    page.locator("#jobs-gantt-run").click()
    page.get_by_role("option", name=OTHER).click()
    expect(page).to_have_url(re.compile(f"gantt={OTHER}"))
    run = sweep[OTHER]
    record = run.index_at(float(sweep[RUN].time_h[1200]))
    expect(page.locator("#jobs-gantt-card")).to_contain_text(f"record {record + 1:,} of {run.n_rounds:,}")
    wait_whole(page, run.n_rounds)
    assert query_of(page)["round"] == ["1200"]


def test_colour_and_theme_keep_the_zoom(page: Page, bundled_address: str) -> None:
    open_gantt(page, bundled_address, f"?run={RUN}&gantt_rounds=1000-1199&gantt_gpus=3-20")
    before = page.evaluate(RANGES)
    page.locator("#jobs-gantt-color").click()
    page.get_by_role("option", name="Scale factor").click()
    expect(page.locator(f"{FIGURE} .legend")).to_contain_text("1 GPU")
    page.locator("button[title='Switch between light and dark']").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.evaluate(RANGES) == before
    assert query_of(page)["gantt_color"] == ["scale_factor"]
    assert query_of(page)["gantt_rounds"] == ["1000-1199"]
