"""The Cluster page as a page: its address, coming and going, the scrubber, touch, zoom and size."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from gavel_dash.sweep import Sweep
from tests.browser.player import (
    expect_record,
    open_cluster,
    point_of_gpu,
    query,
    shown_job_ids,
    state,
    wait_at_rest,
    wait_query,
    wait_state,
)

pytestmark = pytest.mark.browser

CALM, SECOND = (f"fig9_synthetic_2.1jph_multi_s{seed}" for seed in (0, 1))
BUNDLED_RUN = "fig9_max_min_fairness_3.2jph_single_s1"
ZOOM = "window.gavel.player.shown()[0]?.renderer.zoom"


def painted_like(page: Page, k: int = 0) -> None:
    """The middle of every GPU in view has on screen the colour that its cell has in the picture of the cells."""
    assert page.evaluate(
        """k => {
          const { canvas, image, geometry, frame: { grid } } = window.gavel.player.shown()[k].renderer;
          const { x0, x1, top, bottom } = geometry;
          const read = (source) => {
            const copy = new OffscreenCanvas(source.width, source.height).getContext("2d");
            copy.drawImage(source, 0, 0);
            return new Uint32Array(copy.getImageData(0, 0, source.width, source.height).data.buffer);
          };
          const [screen, cells] = [read(canvas), read(image)];
          let above = 0;
          let seen = 0;
          for (const band of grid.bands) {
            for (let i = 0; i < band.count; i += 1) {
              const [row, column] = [Math.floor(i / grid.columns), i % grid.columns];
              const x = Math.floor(((column + 0.5 - x0) / (x1 - x0)) * canvas.width);
              const y = Math.floor(((band.top + row + 0.5 - top) / (bottom - top)) * canvas.height);
              if (x < 0 || y < 0 || x >= canvas.width || y >= canvas.height) continue;
              seen += 1;
              const cell = cells[(above + row) * grid.parts * image.width + column * grid.parts];
              if (screen[y * canvas.width + x] !== cell) return false;
            }
            above += band.rows;
          }
          return seen > 0;
        }""",
        k,
    )


def test_the_address_brings_everything_back(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    asked = {
        "round": 700, "speed": 10, "color": "scale_factor", "align": "round", "detail": "gpus", "job": 160,
        "difference": 1, "flash": 1, "hide": "2", "loop": "650,800", "range": "400,1200", "zoom": "2,9,0.5,4",
    }  # fmt: skip
    open_cluster(page, synthetic_address, CALM, SECOND, **asked)
    expected = {
        "index": 700, "speed": 10, "colorBy": "scale_factor", "align": "round", "selectedJob": 160, "difference": True,
        "flash": True, "hidden": [2], "loop": [650, 800], "playing": False,
    }  # fmt: skip
    for _ in range(2):
        wait_state(page, **expected)
        page.wait_for_function(f"JSON.stringify({ZOOM}?.map((v) => Number(v.toFixed(2)))) === '[2,9,0.5,4]'")
        slider = page.locator("#cluster-slider")
        expect(slider).to_have_attribute("min", "400")
        expect(slider).to_have_attribute("max", "1199")
        for menu, text in (("speed", "10×"), ("color", "Scale factor"), ("align", "round"), ("detail", "Every GPU")):
            expect(page.locator(f"#cluster-{menu}")).to_have_text(text)
        expect(page.get_by_label("Difference to A")).to_be_checked()
        expect(page.get_by_label("Flash changes")).to_be_checked()
        expect(page.locator("#cluster-card h2")).to_have_text("Job 160")
        wait_query(page, **asked)
        assert query(page)["run"] == [CALM, SECOND]
        assert shown_job_ids(page) == synthetic[CALM].allocation(700).tolist()
        page.reload()
        wait_at_rest(page, 2)


def test_the_address_is_not_written_per_frame(page: Page, synthetic_address: str) -> None:
    page.add_init_script(
        """window.written = [];
        const replace = history.replaceState.bind(history);
        history.replaceState = (...how) => { window.written.push(how[2]); replace(...how); };"""
    )
    open_cluster(page, synthetic_address, CALM, round=100, speed=50)
    wait_query(page, round=100)
    before = page.evaluate("window.written.length")
    page.keyboard.press("Space")
    page.wait_for_function("window.gavel.player.stats().index > 400")
    assert page.evaluate("window.written.length") == before
    page.keyboard.press("Space")
    wait_state(page, playing=False)
    wait_query(page, round=state(page)["position"])
    assert page.evaluate("window.written.length") == before + 1


def test_leaving_ends_the_player_and_coming_back_starts_one(page: Page, synthetic_address: str) -> None:
    page.on("worker", lambda worker: workers.append(worker))
    workers: list[object] = []
    open_cluster(page, synthetic_address, CALM, round=100)
    for visit in (1, 2):
        page.keyboard.press("Space")
        wait_state(page, playing=True)
        assert len(page.workers) == 1
        with page.workers[0].expect_event("close"):
            page.locator(".gd-nav-link", has_text="Saturation").click()
        page.wait_for_function("window.gavel === undefined")
        assert page.workers == []
        assert len(workers) == visit
        expect(page.locator(".cluster-job-tip")).to_have_count(0)
        page.locator(".gd-nav-link", has_text="Cluster").click()
        wait_at_rest(page)
    # A reload while it plays comes back to the round of the address, at rest.
    page.keyboard.press("Space")
    page.wait_for_function("from => window.gavel.player.stats().index > from", arg=state(page)["position"] + 2)
    page.reload()
    wait_at_rest(page)
    wait_state(page, playing=False)
    expect_record(page, int(query(page)["round"][0]))


def test_the_scrubber_seeks_zooms_and_pauses(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_cluster(page, bundled_address, BUNDLED_RUN, round=100)
    n = sweep[BUNDLED_RUN].n_rounds
    box = page.locator("#cluster-track").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2

    def x_of(position: float, first: float = 0, width: float = n) -> float:
        return box["x"] + (position + 0.5 - first) / width * box["width"]

    page.mouse.click(x_of(2000), y)
    page.wait_for_function("Math.abs(window.gavel.player.stats().index - 2000) <= 6")
    page.mouse.move(x_of(3000), y)
    expect(page.locator(".cluster-tip").first).to_contain_text("ound")
    # A drag seeks all the way, pauses what plays, and plays on after.
    page.keyboard.press("Space")
    wait_state(page, playing=True)
    page.mouse.down()
    page.mouse.move(x_of(3500), y, steps=4)
    wait_state(page, playing=False)
    page.wait_for_function("Math.abs(window.gavel.player.stats().index - 3500) <= 6")
    page.mouse.up()
    wait_state(page, playing=True)
    page.keyboard.press("Space")
    wait_state(page, playing=False)
    # The wheel zooms around the pointer; the slider and the address follow.
    page.mouse.move(x_of(2500), y)
    for _ in range(8):
        page.mouse.wheel(0, -200)
    page.wait_for_function("n => document.getElementById('cluster-slider').max < n * 0.8", arg=n)
    page.wait_for_function("new URLSearchParams(location.search).get('range') !== null")
    at = page.evaluate("['min', 'max'].map((name) => Number(document.getElementById('cluster-slider')[name]))")
    assert at[0] < 2500 < at[1]
    page.wait_for_function("min => new URLSearchParams(location.search).get('range').startsWith(min + ',')", arg=at[0])
    page.mouse.click(x_of(2500, at[0], at[1] + 1 - at[0]), y)
    page.wait_for_function("Math.abs(window.gavel.player.stats().index - 2500) <= 3")
    page.mouse.dblclick(x_of(2500), y)
    page.wait_for_function("n => Number(document.getElementById('cluster-slider').max) === n - 1", arg=n)
    wait_query(page, range=None)
    slider = page.locator("#cluster-slider")
    slider.fill("1234")
    expect_record(page, 1234)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("record 1,235 of"))
    wait_at_rest(page)
    assert shown_job_ids(page) == sweep[BUNDLED_RUN].allocation(1234).tolist()


def test_a_finger_on_the_scrubber(browser: Browser, synthetic_address: str, synthetic: Sweep) -> None:
    context = browser.new_context(viewport={"width": 1024, "height": 900}, has_touch=True)
    try:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        open_cluster(page, synthetic_address, CALM, round=100)
        track = page.locator("#cluster-track")
        track.scroll_into_view_if_needed()
        box = track.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.touchscreen.tap(x, y)
        page.wait_for_function("Math.abs(window.gavel.player.stats().index - 1000) <= 4")
        # A drag of a finger goes through the run, and does not scroll the page.
        scrolled = page.evaluate("window.scrollY")
        session = context.new_cdp_session(page)
        touch = lambda kind, *points: session.send(  # noqa: E731
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": px, "y": py} for px, py in points]}
        )
        touch("touchStart", (x, y))
        for step in range(1, 6):
            touch("touchMove", (x + step * box["width"] / 20, y - 8 * step))
        touch("touchEnd")
        page.wait_for_function("Math.abs(window.gavel.player.stats().index - 1500) <= 4")
        assert page.evaluate("window.scrollY") == scrolled
        # Two fingers apart zoom in.
        touch("touchStart", (x - 40, y), (x + 40, y))
        for step in range(1, 6):
            touch("touchMove", (x - 40 - 20 * step, y), (x + 40 + 20 * step, y))
        touch("touchEnd")
        page.wait_for_function("Number(document.getElementById('cluster-slider').max) < 1500")
        wait_at_rest(page)
        assert shown_job_ids(page) == synthetic[CALM].allocation(state(page)["indexes"][0]).tolist()
        assert complaints == []
    finally:
        context.close()


def test_a_zoom_by_drag_shows_the_right_cells_and_stays(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    open_cluster(page, synthetic_address, CALM, SECOND, round=900)
    first, last = point_of_gpu(page, 2, at=(0.1, 0.1)), point_of_gpu(page, 5, at=(0.9, 0.9))
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(last[0], last[1], steps=5)
    page.mouse.up()
    page.wait_for_function(f"{ZOOM} !== null")
    wait_at_rest(page, 2)
    assert state(page)["selectedJob"] is None  # a drag is no click
    zoom = page.evaluate(ZOOM)
    page.wait_for_function(f"JSON.stringify(window.gavel.player.shown()[1].renderer.zoom) === JSON.stringify({ZOOM})")
    painted_like(page, 0)
    page.mouse.move(*point_of_gpu(page, 3))
    expect(page.locator(".cluster-job-tip")).to_contain_text("GPU 3 (")
    page.keyboard.press("Space")
    page.wait_for_function("window.gavel.player.stats().index > 903")
    page.keyboard.press("Space")
    wait_state(page, playing=False)
    page.keyboard.press("2")
    wait_state(page, colorBy="scale_factor")
    wait_at_rest(page, 2)
    assert page.evaluate(ZOOM) == pytest.approx(zoom)
    painted_like(page, 0)
    painted_like(page, 1)
    page.wait_for_function("new URLSearchParams(location.search).get('zoom') !== null")
    page.keyboard.press("0")
    page.wait_for_function(f"{ZOOM} === null")
    wait_query(page, zoom=None)
    painted_like(page, 0)
    index = state(page)["indexes"][0]
    assert shown_job_ids(page) == synthetic[CALM].allocation(index).tolist()


def test_another_window_size_and_theme_keep_cells_under_the_pointer(
    page: Page, synthetic_address: str, synthetic: Sweep
) -> None:
    open_cluster(page, synthetic_address, CALM, round=900)
    allocation = synthetic[CALM].allocation(900)
    for width, height in ((1100, 700), (1900, 1000)):
        page.set_viewport_size({"width": width, "height": height})
        wait_at_rest(page)
        painted_like(page)
        box = page.locator("#cluster-track").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
        for gpu in (0, 40, 107):
            page.mouse.move(*point_of_gpu(page, gpu))
            tip = page.locator(".cluster-job-tip")
            expect(tip).to_contain_text(f"GPU {gpu} (")
            expect(tip.locator("strong")).to_have_text(f"Job {allocation[gpu]}" if allocation[gpu] >= 0 else "Idle")
    page.mouse.move(2, 2)
    page.locator("#shell-theme-button").click()
    page.wait_for_function("document.documentElement.dataset.bsTheme === 'dark'")
    page.wait_for_function(
        """() => {
          const { palette } = window.gavel.player.shown()[0]?.renderer.frame.looks.jobs ?? { palette: ["#ffffff"] };
          return parseInt(palette[0].slice(1, 3), 16) < 100;
        }"""
    )
    wait_at_rest(page)
    painted_like(page)
