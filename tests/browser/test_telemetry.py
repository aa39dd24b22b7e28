"""The Telemetry page in a browser: drawing, zoom, cursor, crosshair, address, CSV."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Sweep

pytestmark = pytest.mark.browser

GRAPH = "document.querySelector('#telemetry-figure .js-plotly-plot')"
DRAWN = f"""() => {{
  const graph = {GRAPH};
  return graph && graph._fullLayout && graph.querySelectorAll(".scatterlayer .lines path").length;
}}"""
#: Lines with their points as the browser has them; NaN as null.
LINES = f"""() => {GRAPH}._fullData.filter((trace) => trace.meta).map((trace) => ({{
  run: trace.meta[0], field: trace.meta[1],
  x: Array.from(trace.x, (v) => v), y: Array.from(trace.y, (v) => Number.isFinite(v) ? v : null),
}}))"""


def open_page(page: Page, address: str, **query: object) -> None:
    page.goto(f"{address}/telemetry?{urlencode(query, doseq=True)}")
    page.wait_for_function(DRAWN)
    page.wait_for_load_state("networkidle")


def plot_box(page: Page) -> dict[str, float]:
    box = page.locator("#telemetry-figure .nsewdrag").first.bounding_box()
    assert box is not None
    return dict(box)


def at(page: Page, share: float) -> tuple[float, float]:
    box = plot_box(page)
    return box["x"] + box["width"] * share, box["y"] + box["height"] * 0.4


def choose(page: Page, control: str, label: str) -> None:
    page.click(f"#telemetry-{control}")
    page.get_by_role("option", name=label, exact=True).click()


def test_the_default_page_fits_and_draws_three_charts(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    lines = page.evaluate(LINES)
    assert {line["field"] for line in lines} == {"occupancy", "jobs_in_system", "windowed_jct_h"}
    assert page.evaluate(f"Object.keys({GRAPH}._fullLayout._plots)") == ["xy", "xy2", "xy3"]


def test_the_csv_is_the_plot(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address, y=["jobs_queued", "windowed_jct_h"])
    href = page.get_attribute("#telemetry-csv", "href")
    text = page.evaluate("href => fetch(href).then((answer) => answer.text())", href)
    rows = list(csv.DictReader(io.StringIO(text)))
    for line in page.evaluate(LINES):
        mine = [row for row in rows if row["run"] == line["run"] and row[line["field"]]]
        drawn = [(x, y) for x, y in zip(line["x"], line["y"], strict=True) if y is not None]
        assert len(drawn) > 100
        assert [float(row["sim_time_h"]) for row in mine] == pytest.approx([x for x, _ in drawn], rel=1e-6)
        assert [float(row[line["field"]]) for row in mine] == pytest.approx([y for _, y in drawn], rel=1e-6)


def test_a_zoom_holds_for_all_charts_refines_and_is_shared(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address)
    (x0, y), (x1, _) = at(page, 0.40), at(page, 0.45)
    coarse = page.evaluate(LINES)[0]
    page.mouse.move(x0, y)
    page.mouse.down()
    page.mouse.move(x1, y, steps=4)
    page.mouse.up()
    page.wait_for_function("location.search.includes('from=')")
    low, high = page.evaluate(f"{GRAPH}._fullLayout.xaxis.range")
    inside = "(line, [low, high]) => Array.from(line.x).filter((x) => x >= low && x <= high).length"
    before = page.evaluate(f"([line, view]) => ({inside})(line, view)", [coarse, [low, high]])
    page.wait_for_function(
        f"([n, low, high]) => ({LINES})()[0].x.filter((x) => x >= low && x <= high).length > 2 * n",
        arg=[before, low, high],
    )
    assert page.evaluate(f"{GRAPH}._fullLayout.xaxis.range") == [low, high]
    page.reload()
    page.wait_for_function(DRAWN)
    assert page.evaluate(f"{GRAPH}._fullLayout.xaxis.range") == pytest.approx([low, high], rel=1e-6)
    page.mouse.move(*at(page, 0.5))
    page.mouse.dblclick(*at(page, 0.5))
    page.wait_for_function("!location.search.includes('from=')")
    assert "round=" not in page.url


def test_a_click_sets_the_cursor_of_all_runs(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address)
    first, second = dict.fromkeys(line["run"] for line in page.evaluate(LINES))
    x, y = at(page, 0.2)
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y)
    page.wait_for_selector("#telemetry-figure .hoverlayer .hovertext", state="attached")
    page.mouse.click(x, y)
    page.wait_for_function("location.search.includes('round=')")
    index = page.evaluate("Number(new URLSearchParams(location.search).get('round'))")
    rings = f"() => {GRAPH}.data.filter((t) => t.name === 'cursor').map((t) => [Array.from(t.x), Array.from(t.y)])"
    page.wait_for_function(f"() => ({rings})()[0][0].length === 2")
    time_h = float(sweep[first].time_h[index])
    other = sweep[second].index_at(time_h)
    (xs, ys), *_ = page.evaluate(rings)
    assert xs == pytest.approx([time_h, sweep[second].time_h[other]])
    assert ys == pytest.approx([sweep[first].rounds()["occupancy"][index], sweep[second].rounds()["occupancy"][other]])
    expect(page.locator("#telemetry-cursor-line")).to_contain_text(f"{time_h:,.1f} h")
    lines = f"() => {GRAPH}.layout.shapes.filter((s) => s.type === 'line').map((s) => s.x0)"
    page.wait_for_function(f"() => ({lines})().length === 3")
    assert page.evaluate(lines) == pytest.approx([time_h] * 3)
    page.click("#telemetry-uncursor")
    page.wait_for_function("!location.search.includes('round=')")
    page.wait_for_function(f"() => ({lines})().length === 0")


def test_the_crosshair_crosses_all_charts(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address)
    page.mouse.move(*at(page, 0.3))
    expect(page.locator(".telemetry-crosshair path")).to_have_attribute("d", re.compile("^(M[^M]*){3}$"))
    page.mouse.move(5, 5)
    expect(page.locator(".telemetry-crosshair path")).to_have_attribute("d", "")


@pytest.mark.parametrize(
    ("act", "part"),
    [
        (lambda page: choose(page, "x", "Round"), "x=round"),
        (lambda page: choose(page, "view", "a chart per run"), "view=multiples"),
        (lambda page: choose(page, "color", "run"), "color=run"),
        (lambda page: page.locator("#telemetry-log").get_by_label("y").check(), "log=y"),
        (lambda page: page.fill("#telemetry-smooth", "24"), "smooth=24"),
        (lambda page: page.fill("#telemetry-n", "10"), "n=10"),
    ],
    ids=["x", "view", "colour", "log", "smooth", "n"],
)
def test_every_control_changes_the_charts_and_survives_a_reload(
    page: Page, bundled_address: str, act: object, part: str
) -> None:
    open_page(page, bundled_address)
    shown = f"""() => JSON.stringify([
      {GRAPH}.data.map((t) => [t.xaxis, t.yaxis, t.line && t.line.color, t.x.bdata, t.y.bdata]),
      {GRAPH}._fullLayout.yaxis.type, document.getElementById("telemetry-notes").innerText])"""
    before = page.evaluate(shown)
    act(page)  # type: ignore[operator]
    page.wait_for_function("part => location.search.includes(part)", arg=part)
    page.wait_for_function(f"before => ({shown})() !== before", arg=before)
    page.wait_for_load_state("networkidle")
    after = page.evaluate(shown)
    page.reload()
    page.wait_for_function(
        f"after => {{ const g = {GRAPH}; return g && g._fullLayout && ({shown})() === after }}", arg=after
    )


def test_a_chart_per_run_shows_every_value_on_one_scale(page: Page, bundled_address: str, sweep: Sweep) -> None:
    runs = [name for name in sweep.names if "fig10" in name][:3]
    open_page(page, bundled_address, run=runs, view="multiples", y=["jobs_in_system", "gpus_used"])
    ranges = page.evaluate(f"Object.values({GRAPH}._fullLayout._plots).map((plot) => plot.yaxis.range)")
    assert ranges[:3] == [ranges[0]] * 3
    assert ranges[3:] == [ranges[3]] * 3
    highest = max(int(sweep[run].rounds()["jobs_in_system"].max()) for run in runs)
    assert highest <= ranges[0][1] < 1.3 * highest


def test_fifty_runs_are_drawn_and_answered_within_the_budget(page: Page, bundled_address: str, sweep: Sweep) -> None:
    sizes: list[int] = []
    page.on(
        "requestfinished",
        lambda request: sizes.append(request.sizes()["responseBodySize"]) if "_dash-update" in request.url else None,
    )
    names = [name for name in sweep.names if sweep.has_rounds(name)][:50]
    open_page(page, bundled_address, run=names)
    assert len({line["run"] for line in page.evaluate(LINES)}) == len(names)
    assert max(sizes) < 3 * 600_000
    choose(page, "view", "a chart per run")
    page.wait_for_function(f"n => Object.keys({GRAPH}._fullLayout._plots).length === n", arg=len(names))
    expect(page.locator("#telemetry-notes")).to_contain_text("show the first field only")


def test_nothing_chosen_says_so(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/telemetry?run=nobody")
    expect(page.locator("#telemetry-empty")).to_contain_text("No run is chosen")
    expect(page.locator("#telemetry-chart")).to_be_hidden()
    expect(page.locator("#telemetry-run-problems")).to_contain_text("no run named nobody")
