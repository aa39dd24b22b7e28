"""Why a job waits, on the Cluster page: node sizes, free blocks, blocked jobs, and the way to other pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from gavel_dash.sweep import Run, Sweep
from tests.browser.player import expect_record, open_cluster, wait_at_rest, wait_query, wait_state
from tests.plain_vizbin import Round, build

pytestmark = pytest.mark.browser

RUN = "fig11_finish_time_fairness_2.4jph_multi_s0"
SIZES = {"k80": 4, "p100": 4, "v100": 8}
NODES = "k80:4,p100:4,v100:8"


def size_field(page: Page, gpu_type: str) -> Locator:
    return page.locator(".gd-node-sizes label", has_text=gpu_type).locator("input")


def cells(rows: Locator) -> list[list[str]]:
    found: list[list[str]] = rows.evaluate_all("rows => rows.map((row) => [...row.cells].map((c) => c.textContent))")
    return found


def expect_split(page: Page, run: Run, index: int, sizes: dict[str, int]) -> None:
    """The table of waiting jobs is the library's."""
    demand = run.blocked_demand(sizes)
    parts = zip(
        demand.scale_factors,
        demand.queued[index].tolist(),
        demand.could_start[index].tolist(),
        demand.scattered[index].tolist() if sizes else ["–"] * len(demand.scale_factors),
        demand.no_gpus[index].tolist(),
        strict=True,
    )
    expected = [[str(part) for part in row] for row in parts if row[1]]
    n, gpus = int(demand.queued[index].sum()), int(demand.pending_gpus[index].sum())
    expect(page.locator("#cluster-queue-summary strong")).to_have_text(f"{n} wait for {gpus} GPUs")
    expect(page.locator("#cluster-queue-round")).to_contain_text("round")
    expect(page.locator("#cluster-queue-summary tbody tr")).to_have_count(len(expected))
    assert cells(page.locator("#cluster-queue-summary tbody tr")) == expected


def expect_nodes(page: Page, run: Run, index: int, sizes: dict[str, int]) -> None:
    """The table of nodes is counted GPU by GPU."""
    found = cells(page.locator("#cluster-nodes-0 tbody tr"))
    first = 0
    for row, gpu_type in zip(found, run.cluster.gpu_types, strict=True):
        size = sizes[gpu_type.name]
        idle = run.allocation(index)[first : first + gpu_type.count] < 0
        nodes = [idle[at : at + size] for at in range(0, gpu_type.count, size)]
        free = [int(node.sum()) for node in nodes]
        in_use = sum(not node.all() for node in nodes)
        expected = [gpu_type.name.upper(), f"{in_use} of {len(nodes)}", *(str(free.count(f)) for f in range(size + 1))]
        assert row[: len(expected)] == expected
        assert set(row[len(expected) :]) <= {""}
        first += gpu_type.count


@pytest.fixture(scope="module")
def scattered(sweep: Sweep) -> int:
    """A record in which some jobs could start and some are scattered."""
    demand = sweep[RUN].blocked_demand(SIZES)
    return int(np.flatnonzero(demand.scattered.any(axis=1) & demand.could_start.any(axis=1))[0])


def test_node_sizes_of_the_user_change_the_page_at_once_and_are_remembered(
    page: Page, bundled_address: str, sweep: Sweep, scattered: int
) -> None:
    run = sweep[RUN]
    open_cluster(page, bundled_address, RUN, round=scattered)
    expect(page.locator("#cluster-nodes-0")).to_contain_text("Node sizes are not known")
    expect(page.locator('[data-tile="fragmentation_rate"]')).to_contain_text("node size not known")
    expect(page.locator("#cluster-queue-summary")).to_contain_text("Node sizes not known")
    expect_split(page, run, scattered, {})
    for name, size in SIZES.items():
        field = size_field(page, name)
        field.fill(str(size))
        field.press("Enter")
    wait_query(page, nodes=NODES)
    wait_at_rest(page)
    fragmentation = run.fragmentation(SIZES)
    rate = f"{100 * fragmentation.rate()[scattered]:.1f}%"
    expect(page.locator('[data-tile="fragmentation_rate"] .gd-tile-value')).to_have_text(rate)
    share = f"{100 * fragmentation.share()[scattered]:.1f}% of all GPUs"
    expect(page.locator('[data-tile="fragmentation_rate"] .gd-tile-detail')).to_have_text(share)
    expect_nodes(page, run, scattered, SIZES)
    expect_split(page, run, scattered, SIZES)
    borders = "() => window.gavel.player.shown()[0].renderer.frame.nodes.path"
    assert page.evaluate(borders) != ""
    # Remembered by the browser, also where the address does not name them.
    open_cluster(page, bundled_address, RUN, round=scattered)
    wait_query(page, nodes=NODES)
    wait_at_rest(page)
    expect(size_field(page, "v100")).to_have_value("8")
    expect_nodes(page, run, scattered, SIZES)


def test_a_node_size_can_be_taken_back(page: Page, bundled_address: str, scattered: int) -> None:
    open_cluster(page, bundled_address, RUN, round=scattered)
    for name, size in (("k80", "4"), ("v100", "8"), ("k80", "")):
        size_field(page, name).fill(size)
        size_field(page, name).press("Enter")
    wait_query(page, nodes="v100:8")
    expect(page.locator("#cluster-nodes-0")).to_contain_text("K80, P100: no node of several GPUs is known.")
    expect(page.locator("#cluster-nodes-0 tbody tr")).to_have_count(1)
    expect(page.locator('[data-tile="fragmentation_rate"]')).to_contain_text("of GPUs on known nodes")
    size_field(page, "v100").fill("")
    size_field(page, "v100").press("Enter")
    wait_query(page, nodes=None)
    expect(page.locator("#cluster-nodes-0")).to_contain_text("Node sizes are not known")
    wait_at_rest(page)
    assert page.evaluate("() => window.gavel.player.shown()[0].renderer.frame.nodes.path") == ""


def test_an_address_with_node_sizes_is_restored(page: Page, bundled_address: str, sweep: Sweep, scattered: int) -> None:
    page.goto(bundled_address)
    page.evaluate("localStorage.setItem('node-sizes', JSON.stringify({ k80: 2, other: 3 }))")
    open_cluster(page, bundled_address, RUN, round=scattered, nodes=NODES)
    wait_query(page, nodes=f"k80:4,other:3,{NODES.removeprefix('k80:4,')}")
    expect(size_field(page, "k80")).to_have_value("4")
    expect_nodes(page, sweep[RUN], scattered, SIZES)
    for index in (scattered + 1, 1200, sweep[RUN].n_rounds - 1):
        page.evaluate("index => window.gavel.player.seek(index)", index)
        expect_record(page, index)
        expect(page.locator("#cluster-queue-round")).to_have_text(f"round {index:,}")
        expect_split(page, sweep[RUN], index, SIZES)
        expect_nodes(page, sweep[RUN], index, SIZES)


def test_one_gpu_per_node_says_that_nothing_can_fragment(page: Page, bundled_address: str) -> None:
    open_cluster(page, bundled_address, RUN, round=17, nodes="k80:1,p100:1,v100:1")
    expect(page.locator("#cluster-nodes-0")).to_have_text("One GPU per node: nothing can fragment.")
    expect(page.locator('[data-tile="fragmentation_rate"]')).to_contain_text("–one GPU per node")
    expect(page.locator("#cluster-queue-summary")).to_contain_text("One GPU per node: no job is ever scattered.")


def test_pointing_at_a_waiting_job_marks_where_it_could_start(page: Page, bundled_address: str, scattered: int) -> None:
    open_cluster(page, bundled_address, RUN, round=scattered, nodes=NODES)
    for why in ("scattered", "could start"):
        row = page.locator("#cluster-queue .ag-row", has_text=why).first
        row.locator('[col-id="why"]').hover()
        factor = int(row.locator('[col-id="scale_factor"]').inner_text())
        page.wait_for_function("factor => window.gavel.player.shown()[0].renderer.waiting === factor", arg=factor)
        inked = page.evaluate(_DARK_DASHES)
        assert (inked > 0) == (why == "could start")
    page.mouse.move(5, 5)
    page.wait_for_function("() => window.gavel.player.shown()[0].renderer.waiting === null")
    assert page.evaluate(_DARK_DASHES) == 0
    # The same without a mouse.
    row.locator('[col-id="job_type"]').click()
    page.mouse.move(5, 5)
    page.wait_for_function("() => window.gavel.player.shown()[0].renderer.waiting === null")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => window.gavel.player.shown()[0].renderer.waiting !== null")


#: Opaque black and white pixels in the middle of the upper edge of idle GPUs: marks, no cell edges.
_DARK_DASHES = """() => {
  const { renderer, painted } = window.gavel.player.shown()[0];
  const { marks, frame: { grid }, geometry: { x0, x1, top, bottom } } = renderer;
  const copy = new OffscreenCanvas(marks.width, marks.height).getContext("2d");
  copy.drawImage(marks, 0, 0);
  const { data } = copy.getImageData(0, 0, marks.width, marks.height);
  let found = 0;
  for (const band of grid.bands) {
    for (let i = 0; i < band.count; i += 1) {
      if (painted.ids[band.first_gpu + i] !== 0) continue;
      const x = Math.round(marks.width * ((i % grid.columns) + 0.5 - x0) / (x1 - x0));
      const y = Math.round(marks.height * (band.top + Math.floor(i / grid.columns) - top) / (bottom - top));
      for (let dx = -4; dx < 4; dx += 1) for (let dy = 1; dy < 4; dy += 1) {
        const at = 4 * ((y + dy) * marks.width + x + dx);
        if (data[at + 3] > 200 && data[at] < 40) found += 1;
      }
    }
  }
  return found;
}"""


def test_jobs_and_the_round_lead_to_other_pages(page: Page, bundled_address: str, scattered: int) -> None:
    other = "fig10_max_min_fairness_2.6jph_multi_s0"
    open_cluster(page, bundled_address, RUN, round=scattered)
    page.get_by_role("button", name="One round on").click()
    expect_record(page, scattered + 1)
    page.get_by_role("button", name="One round back").click()
    wait_query(page, round=str(scattered))
    expect(page.locator("#cluster-queue-round")).to_have_text(f"round {scattered}")
    for name in ("Telemetry", "Jobs", "Fragmentation"):
        link = page.locator("#cluster-elsewhere").get_by_role("link", name=name)
        expect(link).to_have_attribute("href", f"/{name.lower()}?run={RUN}&round={scattered}")
    link = page.locator("#cluster-queue .ag-row a").first
    job = link.inner_text()
    asked = parse_qs(urlsplit(str(link.get_attribute("href"))).query)
    assert asked == {"run": [RUN], "job": [job], "round": [str(scattered)]}
    page.locator('#cluster-queue [row-index="0"] [col-id="job_type"]').click()
    wait_query(page, job=job)
    page.locator("#cluster-card").get_by_role("link", name="Job's page").click()
    expect(page.get_by_role("heading", name=f"Job {job}", exact=True)).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == asked
    page.go_back()
    wait_at_rest(page)
    wait_state(page, selectedJob=int(job), index=scattered)
    # Two runs are handed on together.
    open_cluster(page, bundled_address, RUN, other, round=1200)
    expect(page.locator("#cluster-to-jobs")).to_have_attribute("href", f"/jobs?run={RUN}&run={other}&round=1200")


def test_rounds_without_allocation_say_what_cannot_be_said(
    page: Page, start_server: Callable[[Path], str], tmp_path: Path
) -> None:
    jobs = [(1, 0, 1, 0, 9, 3600.0), (2, 0, 2, 0, 0, 0.0), (3, 0, 4, 0, 0, 0.0), (4, 0, 8, 0, 0, 0.0)]
    rounds = [Round((1, 0), (0,) * 8, (2, 3, 4), running=1) for _ in range(5)]
    (tmp_path / "mute.viz.bin").write_bytes(build((("k80", 4), ("v100", 4)), rounds, jobs))
    open_cluster(page, start_server(tmp_path), "mute", nodes="k80:4,v100:2")
    assert cells(page.locator("#cluster-nodes-0 tbody tr")) == [
        ["K80", "– of 1", *["–"] * 5, ""],
        ["V100", "– of 2", *["–"] * 3, "", "", ""],
    ]
    expect(page.locator('[data-tile="fragmentation_rate"]')).to_contain_text("–no allocation data")
    expect(page.locator("#cluster-queue-summary tbody tr")).to_have_count(3)
    # Four GPUs are free among the V100, whose nodes a job of 4 spans; one of 8 finds no type with as many.
    assert cells(page.locator("#cluster-queue-summary tbody tr")) == [
        ["2", "1", "–", "–", "–"],
        ["4", "1", "1", "0", "0"],
        ["8", "1", "0", "0", "1"],
    ]
    expect(page.locator("#cluster-queue-summary")).to_contain_text("The file does not say which GPUs are free.")
    expect(page.locator("#cluster-queue")).to_contain_text("not known")


def test_fields_are_offered_only_where_no_file_says_how_large_nodes_are(
    page: Page, synthetic_address: str, synthetic: Sweep
) -> None:
    name = synthetic.names[0]
    run = synthetic[name]
    open_cluster(page, synthetic_address, name, round=500, nodes="k80:2,p100:12,v100:36")
    expect(page.locator(".gd-node-sizes:visible")).to_have_count(0)
    expect_nodes(page, run, 500, dict.fromkeys(("k80", "p100", "v100"), 4))
