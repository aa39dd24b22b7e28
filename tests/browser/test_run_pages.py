"""Telemetry, Jobs, a job's page, Fragmentation and Cluster together: what is chosen on one holds on the others."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from gavel_dash.sweep import Sweep
from tests.browser.charts import click_point
from tests.browser.conftest import PATIENCE_MS
from tests.browser.player import wait_at_rest, wait_query, wait_state

pytestmark = pytest.mark.browser

RUN = "fig10_max_min_fairness_2.8jph_multi_s0"
OTHER = "fig10_max_min_fairness_perf_2.8jph_multi_s0"
RECORD = 2000
NODES = "k80:4,p100:4,v100:4"
PAGES = ("telemetry", "jobs", "fragmentation")

TELEMETRY, GANTT, FRAGMENTATION = "telemetry-figure", "jobs-gantt-figure", "fragmentation-figure"
DISTRIBUTION = "jobs-distribution-figure"
#: What each page shows first.
FIRST_CHART = {"telemetry": TELEMETRY, "jobs": DISTRIBUTION, "fragmentation": FRAGMENTATION}
#: Runs that a chart has lines of: their names or labels.
DRAWN_RUNS = """id => {
  const graph = document.querySelector(`#${id} .js-plotly-plot`);
  if (!graph || !graph._fullLayout || !graph.querySelector(".scatterlayer .lines path")) return 0;
  const lines = graph._fullData.filter((trace) => trace.mode?.includes("lines") && trace.x.length > 1);
  const named = lines.filter((trace) => trace.meta);
  return new Set(named.length ? named.map((trace) => [].concat(trace.meta)[0]) : lines.map((trace) => trace.name)).size;
}"""
DRAWN = f"([id, n]) => ({DRAWN_RUNS})(id) === n"
HAS_MARKS = """id => document.querySelector(`#${id} .js-plotly-plot`)?._fullLayout &&
  document.querySelector(`#${id} :is(.trace, .point, .heatmaplayer image)`)"""
#: Lines of a chart: what tells them apart, and their points; NaN as null.
LINES = """id => {
  const lines = document.querySelector(`#${id} .js-plotly-plot`)._fullData.filter((t) => t.mode?.includes("lines"));
  return lines.map((t) => ({
    row: t.yaxis, dash: t.line.dash, x: Array.from(t.x), y: Array.from(t.y, (v) => Number.isFinite(v) ? v : null),
  }));
}"""
#: Hours at which a chart has a line from top to bottom.
CURSOR_H = """id => document.querySelector(`#${id} .js-plotly-plot`)?.layout.shapes
  ?.filter((shape) => shape.type === "line" && shape.x0 === shape.x1).map((shape) => shape.x0) ?? []"""
HAS_CURSOR = f"([id, hour]) => ({CURSOR_H})(id).some((at) => Math.abs(at - hour) < 1e-3)"
#: The record in the middle of the Gantt's cursor.
GANTT_RECORD = """() => {
  const graph = document.querySelector("#jobs-gantt-figure .js-plotly-plot");
  const line = document.querySelector("#jobs-gantt-cursor").getBoundingClientRect();
  const { xaxis } = graph._fullLayout;
  return xaxis.p2l(line.left + line.width / 2 - graph.getBoundingClientRect().left - xaxis._offset);
}"""


def open_page(page: Page, address: str, path: str, **query: object) -> None:
    page.goto(f"{address}/{path}?{urlencode(query, doseq=True)}")


def wait_drawn(page: Page, path: str, n_runs: int) -> None:
    page.wait_for_function(DRAWN, arg=[FIRST_CHART[path], n_runs])


def wait_gantt(page: Page) -> None:
    page.wait_for_selector(f"#{GANTT} .heatmaplayer image", state="attached")


def follow(page: Page, title: str) -> None:
    """Go to a page by the top bar."""
    page.locator(".gd-nav-link", has_text=title).click()
    expect(page).to_have_url(re.compile(f"/{title.lower()}"))


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def read_csv(page: Page, selector: str) -> pd.DataFrame:
    """The table behind a CSV link, as a click would save it."""
    text = page.evaluate("href => fetch(href).then((answer) => answer.text())", page.get_attribute(selector, "href"))
    return pd.read_csv(io.StringIO(text))


def names_with_rounds(sweep: Sweep) -> list[str]:
    return [name for name in sweep.names if sweep.has_rounds(name)]


def test_links_carry_runs_and_round(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address, "telemetry", run=[RUN, OTHER], round=RECORD)
    wait_drawn(page, "telemetry", 2)
    for title in ("Jobs", "Fragmentation", "Cluster", "Telemetry"):
        follow(page, title)
        page.wait_for_load_state("networkidle")
        query = query_of(page)
        assert (query["run"], query["round"]) == ([RUN, OTHER], [str(RECORD)]), title
    wait_drawn(page, "telemetry", 2)


def test_saturation_hands_on_the_clicked_run(page: Page, bundled_address: str, sweep: Sweep) -> None:
    row = sweep.runs().set_index("run").loc[RUN]
    page.goto(f"{bundled_address}/saturation")
    page.wait_for_selector("#saturation-overlay-figure .scatterlayer .point")
    click_point(page, row["arrival_rate_jph"], row["mean_jct_h"])
    expect(page.locator("#saturation-point")).to_contain_text(RUN)
    expect(page).to_have_url(re.compile(f"at={RUN}"))
    for title in ("Telemetry", "Jobs", "Fragmentation"):
        follow(page, title)
        wait_drawn(page, title.lower(), 1)
        assert query_of(page)["run"] == [RUN]
        # By the link as by the browser's back button the point is still chosen.
        if title == "Telemetry":
            follow(page, "Saturation")
            expect(page.locator("#saturation-point")).to_contain_text(RUN)
        else:
            page.go_back()
        expect(page).to_have_url(re.compile(rf"/saturation\?.*at={RUN}"))


def test_one_cursor_on_all_pages(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_page(page, bundled_address, "telemetry", run=[RUN, OTHER])
    wait_drawn(page, "telemetry", 2)
    box = page.locator(f"#{TELEMETRY} .nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y)
    page.wait_for_selector(f"#{TELEMETRY} .hoverlayer .hovertext", state="attached")
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile("round="))
    record = int(query_of(page)["round"][0])
    time_h = float(sweep[RUN].time_h[record])
    page.wait_for_function(HAS_CURSOR, arg=[TELEMETRY, time_h])

    follow(page, "Jobs")
    wait_gantt(page)
    expect(page.locator("#jobs-gantt-card")).to_contain_text(f"record {record + 1:,} of {sweep[RUN].n_rounds:,}")
    expect(page.locator("#jobs-gantt-cursor")).to_be_visible()
    # One pixel is this many records.
    one_px = sweep[RUN].n_rounds / page.locator(f"#{GANTT} .nsewdrag").first.bounding_box()["width"]  # type: ignore[index]
    assert page.evaluate(GANTT_RECORD) == pytest.approx(record + 0.5, abs=1.5 * one_px)

    follow(page, "Fragmentation")
    wait_drawn(page, "fragmentation", 2)
    page.wait_for_function(HAS_CURSOR, arg=[FRAGMENTATION, time_h])
    expect(page.locator("#fragmentation-why caption").first).to_contain_text(f"{time_h:,.1f} h")

    follow(page, "Cluster")
    wait_at_rest(page, 2)
    wait_state(page, index=record)
    page.locator("#cluster-play").focus()
    page.keyboard.press("ArrowRight")
    wait_query(page, round=str(record + 1))
    follow(page, "Telemetry")
    page.wait_for_function(HAS_CURSOR, arg=[TELEMETRY, float(sweep[RUN].time_h[record + 1])])


def test_ticked_runs_open_in_telemetry(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/")
    boxes = page.locator("#sweep-grid .ag-row input[type=checkbox]")
    expect(boxes.nth(2)).to_be_visible()
    ticked = []
    for place in (0, 2):
        page.locator(f"#sweep-grid [row-index='{place}'] input[type=checkbox]").check()
        ticked.append(str(page.locator(f"#sweep-grid [row-index='{place}'][row-id]").first.get_attribute("row-id")))
    page.locator("#sweep-open-telemetry").click()
    expect(page).to_have_url(re.compile("/telemetry"))
    wait_drawn(page, "telemetry", 2)
    assert sorted(query_of(page)["run"]) == sorted(ticked)


def test_a_job_leads_to_its_moment_on_the_cluster(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run, job = sweep[RUN], 2250
    open_page(page, bundled_address, "job", run=RUN, job=job)
    expect(page.locator("#job-open-cluster")).to_have_attribute("href", re.compile("round="))
    since = int(run.timelines.first_start[list(run.viz.jobs["job_id"]).index(job)])
    page.locator("#job-open-cluster").click()
    expect(page).to_have_url(re.compile("/cluster"))
    wait_at_rest(page)
    wait_state(page, index=since, selectedJob=job)
    expect(page.locator("#cluster-card")).to_contain_text(str(job))
    assert (run.allocation(since) == job).sum() == 8


def test_a_node_size_is_remembered_everywhere(page: Page, bundled_address: str) -> None:
    def fields(gpu_type: str) -> Locator:
        return page.locator(".gd-node-sizes label", has_text=gpu_type).locator("input")

    open_page(page, bundled_address, "fragmentation", run=RUN)
    wait_drawn(page, "fragmentation", 1)
    fields("p100").fill("6")
    fields("p100").press("Tab")
    expect(page).to_have_url(re.compile(r"nodes=p100%3A6"))
    open_page(page, bundled_address, "fragmentation", run=RUN)  # the address does not say it
    expect(fields("p100")).to_have_value("6")
    expect(fields("k80")).to_have_value("")
    page.reload()
    expect(fields("p100")).to_have_value("6")
    open_page(page, bundled_address, "job", run=RUN, job=2250)
    expect(page.locator("#job-neighbors")).to_contain_text(re.compile(r"p100 node \d"))
    open_page(page, bundled_address, "cluster", run=RUN)
    wait_at_rest(page)
    expect(fields("p100")).to_have_value("6")


@pytest.mark.parametrize(
    ("path", "query", "graphs"),
    [
        ("telemetry", {"run": RUN}, [TELEMETRY]),
        ("jobs", {"run": RUN}, [DISTRIBUTION, GANTT]),
        ("job", {"run": RUN, "job": 2250}, ["job-lane"]),
        ("fragmentation", {"run": RUN, "nodes": NODES}, [FRAGMENTATION, "fragmentation-nodes-figure"]),
        ("fragmentation", {"tab": "sweep", "measure": "free_gpus"}, ["fragmentation-curves-figure"]),
    ],
    ids=["telemetry", "jobs", "job", "fragmentation", "across"],
)
def test_every_chart_is_saved_as_png_and_svg(
    page: Page, synthetic_address: str, synthetic: Sweep, path: str, query: dict[str, object], graphs: list[str]
) -> None:
    run = synthetic.names[0]
    jobs = synthetic[run].jobs()
    mine = {"run": run, "job": int(jobs["job_id"][jobs["first_start_round"].notna()].iloc[0])}
    open_page(page, synthetic_address, path, **{key: mine.get(key, value) for key, value in query.items()})
    for graph in graphs:
        page.wait_for_function(HAS_MARKS, arg=graph)
        for kind, start in (("png", b"\x89PNG"), ("svg", b"<svg")):
            with page.expect_download() as download:
                page.locator(f"button[data-graph='{graph}'][data-format='{kind}']").click()
            content = Path(download.value.path()).read_bytes()
            assert download.value.suggested_filename.endswith(f".{kind}")
            assert content.startswith(start)
            assert len(content) > 3000


@pytest.mark.parametrize("path", PAGES)
def test_all_runs_of_the_sweep_at_once(page: Page, bundled_address: str, sweep: Sweep, path: str) -> None:
    names = names_with_rounds(sweep)
    assert len(names) > 40
    open_page(page, bundled_address, path, run=names)
    wait_drawn(page, path, len(names))
    expect(page.locator(f"#{path}-run-problems")).to_be_empty()
    if path == "jobs":
        wait_gantt(page)
        n_jobs = sum(int(sweep[name].viz.jobs.size) for name in names)
        # The rounds of all runs are read for it.
        expect(page.locator("#jobs-count")).to_contain_text(f"of {n_jobs:,}", timeout=3 * PATIENCE_MS)


def test_csv_of_fragmentation_is_what_is_drawn(page: Page, bundled_address: str) -> None:
    open_page(page, bundled_address, "fragmentation", run=RUN, nodes=NODES)
    page.wait_for_function(
        "id => new Set(document.querySelector(`#${id} .js-plotly-plot`)?._fullData?.map((t) => t.yaxis)).size === 6",
        arg=FRAGMENTATION,
    )
    table = read_csv(page, "#fragmentation-csv").set_index("round_index")
    time_h = table["sim_time_h"].to_numpy()
    columns = {
        ("y", "solid"): table["fragmentation_rate"] * 100,
        ("y2", "solid"): table["fragmentation_share"] * 100,
        ("y3", "solid"): table["free_gpus"],
        ("y3", "dot"): table["largest_free_block"],
        ("y6", "solid"): table["occupied_nodes"],
    }
    lines = {(line["row"], line["dash"]): line for line in page.evaluate(LINES, FRAGMENTATION)}
    for key, column in columns.items():
        x, y = (np.array(lines[key][axis], float) for axis in ("x", "y"))
        records = np.abs(np.subtract.outer(x, time_h)).argmin(axis=1)
        assert len(records) > 300
        assert x == pytest.approx(time_h[records], abs=1e-3)
        assert y == pytest.approx(column.to_numpy()[records], rel=1e-5, nan_ok=True), key
        assert np.nanmax(y) == pytest.approx(column.max(), rel=1e-5)
        assert np.nanmin(y) == pytest.approx(column.min(), rel=1e-5)


@pytest.mark.parametrize(("measure", "split"), [("jct_h", "run"), ("queueing_time_h", "scale_factor")])
def test_csv_of_the_distribution_is_what_is_drawn(page: Page, bundled_address: str, measure: str, split: str) -> None:
    open_page(page, bundled_address, "jobs", run=[RUN, OTHER], measure=measure, split=split)
    expect(page.locator("#jobs-distribution-csv")).to_have_attribute("href", re.compile("run="))
    table = read_csv(page, "#jobs-distribution-csv")
    groups = [group for _, group in table.groupby("group", sort=False)]
    wait_drawn(page, "jobs", len(groups))
    lines = page.evaluate(LINES, DISTRIBUTION)
    for line, group in zip(lines, groups, strict=True):
        # Charts have float32: of values that are the same there the last counts.
        told = dict(zip(group["value"].astype("f4").tolist(), group["share"], strict=True))
        drawn = dict(zip(line["x"], line["y"], strict=True))
        # A curve begins left of the first value, and may go on to the longest time seen.
        begin, *_, end = drawn
        assert drawn[begin] == pytest.approx(max((told[v] for v in told if v <= 0), default=0))
        assert drawn[end] == pytest.approx(group["share"].max())
        values = [value for value in told if value > 0]
        shown = [x for x in drawn if x in told]
        assert set(drawn) - set(told) <= {begin, end}
        assert len(shown) == len(values) > 10
        assert [drawn[x] for x in shown] == pytest.approx([told[x] for x in shown], rel=1e-5)
