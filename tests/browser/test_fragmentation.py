"""The Fragmentation page in a real browser: node sizes, zoom, cursor, the curves of the sweep, and the address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from gavel_dash.pages.fragmentation.data import read_rounds
from gavel_dash.sweep import Sweep

pytestmark = pytest.mark.browser

FIGURE = "#fragmentation-figure .js-plotly-plot"
RUN, OTHER = "fig10_max_min_fairness_2.4jph_multi_s0", "fig10_max_min_fairness_perf_2.4jph_multi_s0"
NODES = {"k80": 4, "p100": 4, "v100": 4}
DRAWN = f"""n => {{
  const graph = document.querySelector("{FIGURE}");
  return graph && graph._fullData && new Set(graph._fullData.map((trace) => trace.yaxis)).size === n;
}}"""
RANGE = f'() => document.querySelector("{FIGURE}")._fullLayout.xaxis.range'
#: Points of the first run's free GPUs that lie in view.
IN_VIEW = f"""() => {{
  const graph = document.querySelector("{FIGURE}"), [low, high] = graph._fullLayout.xaxis.range;
  return [...graph._fullData.find((trace) => trace.yaxis === "y3").x].filter((x) => x >= low && x <= high).length;
}}"""
#: Runs the labels of the tooltip are of.
HOVERED = f"""() => (document.querySelector("{FIGURE}")._hoverdata || []).map((point) => point.data.meta)"""
#: Pixels of an hour in the first row.
PLACE = f"""hour => {{
  const graph = document.querySelector("{FIGURE}"), layout = graph._fullLayout, box = graph.getBoundingClientRect();
  return [box.left + layout.xaxis._offset + layout.xaxis.d2p(hour), box.top + layout.yaxis._offset + 30];
}}"""


def open_page(page: Page, address: str, query: str, rows: int) -> None:
    page.goto(f"{address}/fragmentation?{query}")
    page.wait_for_function(DRAWN, arg=rows)


def test_node_sizes_bring_the_rows_that_need_them(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address, f"run={RUN}&round=3000", rows=3)
    expect(page.locator("#fragmentation-notes")).to_contain_text("No node size is known for k80, p100, v100")
    expect(page.locator("#fragmentation-nodes")).to_be_hidden()
    for gpu_type in NODES:
        field = page.locator(".gd-node-sizes label", has_text=gpu_type).locator("input")
        field.fill("4")
        field.press("Tab")
    page.wait_for_function(DRAWN, arg=6)
    expect(page.locator("#fragmentation-nodes .barlayer .point").first).to_be_visible()
    expect(page).to_have_url(re.compile("nodes=k80%3A4%2Cp100%3A4%2Cv100%3A4"))
    rounds = read_rounds(sweep[RUN], NODES)
    blocked, total = rounds.blocked, page.locator(".fragmentation-total").first
    counts = [blocked.queued, blocked.could_start, blocked.scattered, blocked.no_gpus]
    expect(total).to_have_text("All" + "".join(f"{part[3000].sum()}" for part in counts))
    page.reload()  # remembered, and in the address
    page.wait_for_function(DRAWN, arg=6)


def test_zoom_refines_and_a_click_sets_the_cursor(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address, f"run={RUN}&run={OTHER}&nodes=k80:4,p100:4,v100:4", rows=6)
    expect(page.locator("#fragmentation-work")).to_be_empty()
    (x0, y), (x1, _) = page.evaluate(PLACE, 300), page.evaluate(PLACE, 330)
    page.mouse.move(x0, y)
    page.mouse.down()
    page.mouse.move(x1, y, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => ({RANGE})()[0] > 290")
    low, high = page.evaluate(RANGE)
    assert 295 < low < high < 335
    time_h = sweep[RUN].time_h
    every_round = int(((time_h >= low) & (time_h <= high)).sum())
    page.wait_for_function(f"n => ({IN_VIEW})() >= n", arg=every_round - 2)  # float32 at the edges
    page.wait_for_timeout(400)  # Plotly takes two presses within 300 ms for a double click
    page.mouse.move(*page.evaluate(PLACE, 315))
    page.mouse.click(*page.evaluate(PLACE, 315))
    expect(page).to_have_url(re.compile(r"round=\d+"))
    record = int(re.search(r"round=(\d+)", page.url)[1])  # type: ignore[index]
    assert abs(time_h[record] - 315) < 1
    heading = f"Round {int(sweep[RUN].viz.round_heads['round'][record]):,} at {time_h[record]:,.1f} h"
    expect(page.locator("#fragmentation-why caption").first).to_have_text(heading)
    assert page.evaluate(RANGE) == pytest.approx([low, high])
    asked = re.search(r"from=([\d.]+)&to=([\d.]+)", page.url)
    assert asked is not None
    assert [float(hour) for hour in asked.groups()] == pytest.approx([low, high], rel=1e-6)
    page.reload()
    page.wait_for_function(DRAWN, arg=6)
    assert page.evaluate(RANGE) == pytest.approx([low, high], rel=1e-6)
    expect(page.locator("#fragmentation-nodes-notes")).to_contain_text("rounds in view: round ")
    page.mouse.dblclick(*page.evaluate(PLACE, 320))
    expect(page).not_to_have_url(re.compile("from="))
    page.wait_for_function(f"() => ({RANGE})()[0] < 1")
    assert page.evaluate(RANGE)[1] == pytest.approx(max(sweep[name].time_h[-1] for name in (RUN, OTHER)), rel=1e-3)
    page.wait_for_timeout(800)  # longer than a click waits for the second
    assert f"round={record}" in page.url


def test_a_tooltip_is_of_what_is_under_the_pointer(page: Page, bundled_address: str, sweep: Sweep) -> None:
    by_end = sorted((float(sweep[name].time_h[-1]), name) for name in sweep.names if sweep.has_rounds(name))
    (end_h, short), (last_h, long) = by_end[0], by_end[-1]
    assert last_h > 1.5 * end_h
    open_page(page, bundled_address, f"run={long}&run={short}&nodes=k80:4,p100:4,v100:4", rows=6)
    # Runs are drawn as they are read, and then there is no more to come.
    page.wait_for_function(
        f"run => document.querySelector('{FIGURE}').data.some((line) => line.meta === run)", arg=short
    )
    expect(page.locator("#fragmentation-work")).to_be_empty()
    labels = page.locator("#fragmentation-figure .hoverlayer .hovertext")
    page.mouse.move(*page.evaluate(PLACE, end_h * 0.8))
    expect(labels.first).to_be_visible()
    told = page.evaluate(HOVERED)
    assert short in told
    page.mouse.move(*page.evaluate(PLACE, (end_h + last_h) / 2))
    page.wait_for_function(f"short => !({HOVERED})().includes(short)", arg=short)
    assert long in page.evaluate(HOVERED)
    for text in labels.all_text_contents():
        assert re.search(r", .+: [\d,.]+(%| GPUs| nodes| jobs) at [\d,.]+ h$", text), text


def test_the_curves_of_the_sweep_lead_to_a_run(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    page.goto(f"{synthetic_address}/fragmentation?tab=sweep&measure=free_gpus")
    points = page.locator("#fragmentation-curves-figure .scatterlayer .point")
    expect(points).to_have_count(2)
    expect(page.locator("#fragmentation-work")).to_be_empty()
    points.last.hover(force=True)
    points.last.click(force=True)
    expect(page.locator("#fragmentation-time")).to_be_visible()
    run = next(name for name in synthetic.names if "40.0jph" in name)
    expect(page).to_have_url(re.compile(f"run={re.escape(run)}$"))
    page.wait_for_function(DRAWN, arg=6)  # the file knows its nodes


def test_the_address_restores_what_is_shown(page: Page, bundled_address: str) -> None:
    query = f"run={RUN}&run={OTHER}&of={OTHER}&split=class&size=8&nodes=k80:4,p100:4,v100:4&round=99"
    open_page(page, bundled_address, query, rows=6)
    expect(page.locator("#fragmentation-figure")).to_contain_text("8-GPU jobs")
    expect(page.locator("#fragmentation-figure")).to_contain_text("Waiting 8-GPU jobs")
    expect(page.locator(".fragmentation-of").first).to_be_visible()
    for part in (f"of={OTHER}", "split=class", "size=8", "round=99"):
        assert part in page.url


def test_a_bad_address_is_answered(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address, f"run={RUN}&run=nobody&nodes=k80:x&split=no&size=-4&round=9999999&tab=7", rows=3)
    expect(page.locator("#fragmentation-run-problems")).to_contain_text("no run named nobody")
