"""What fails says so in the words of the page and can be tried again; the rest of the page lives on."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from werkzeug.serving import make_server

from gavel_dash.pages.telemetry import callbacks
from gavel_dash.sweep import open_sweep
from gavel_dash.web.app import create_app
from tests.make import write_completions, write_run

pytestmark = pytest.mark.browser

UPDATES = re.compile("/_dash-update-component")
NAMES = [f"fig10_las_{rate}jph_multi_s0" for rate in ("1.0", "2.0")]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The app over two small runs, in this process."""
    for name, every in zip(NAMES, (4, 1), strict=True):
        write_completions(tmp_path / f"{name}_completions.json", write_run(tmp_path / f"{name}.viz.bin", every=every))
    server = make_server("127.0.0.1", 0, create_app(open_sweep(tmp_path)).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_callback_that_fails_is_named_and_tried_again(
    rough_page: Page, address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    page, draw, slips = rough_page, callbacks.draw, ["the first slip\n<b>", "another slip"]

    def draw_or_fail(*given: object) -> object:
        if slips:
            raise ValueError(slips.pop(0))
        return draw(*given)

    monkeypatch.setattr(callbacks, "draw", draw_or_fail)
    page.goto(f"{address}/telemetry?run={NAMES[0]}")
    failure, failed_panel = page.get_by_role("alert").filter(has_text="Could not load"), page.locator("[data-failed]")
    expect(failure).to_contain_text("Could not load: Round by round")
    expect(failure).to_contain_text("ValueError: the first slip. The server's log has the details.")
    [record] = [record for record in caplog.records if hasattr(record, "failure")]
    expect(failure).to_contain_text(f"In the log as {record.failure['request_id']}")
    assert record.failure["runs"] == [NAMES[0]]
    expect(failed_panel).to_have_count(1)
    expect(page.locator("#telemetry-csv")).to_have_attribute("href", re.compile(NAMES[0]))  # the rest lives on

    failure.get_by_role("button", name="Try again").press("Enter")
    expect(failure).to_contain_text("ValueError: another slip")
    expect(failure).to_have_count(1)
    failure.get_by_role("button", name="Try again").press("Enter")
    expect(failure).to_have_count(0)
    expect(failed_panel).to_have_count(0)
    expect(page.locator("#telemetry-figure .main-svg").first).to_be_visible()

    slips.append("a slip on a page that is left")
    page.locator("#shell-theme-button").click()
    expect(failure).to_contain_text("a slip on a page that is left")
    page.locator(".gd-nav-link", has_text="Sweep").click()
    expect(page.locator("h1")).to_have_text("Sweep")
    expect(failure).to_have_count(0)


def test_a_server_that_is_away_is_said_and_asked_again(rough_page: Page, address: str) -> None:
    page = rough_page
    page.goto(f"{address}/saturation")
    expect(page.locator("#saturation-overlay-figure .main-svg").first).to_be_visible()
    ink = "() => document.querySelector('#saturation-overlay-figure .js-plotly-plot')._fullLayout.font.color"
    before = page.evaluate(ink)

    def fail(route: Route) -> None:
        if "gain" in json.loads(route.request.post_data or "{}")["output"]:
            route.abort()
        else:
            route.fulfill(status=502, content_type="text/html", body="<h1>bad gateway</h1>")

    page.route(UPDATES, fail)
    page.locator("#shell-theme-button").click()
    failures = page.get_by_role("alert").filter(has_text="Could not load")
    expect(failures).to_have_count(2)
    gateway, silent = failures.filter(has_text="(502)"), failures.filter(has_text="The server does not answer.")
    expect(gateway).to_contain_text("Mean JCT against arrival rate")
    expect(silent).to_contain_text("Could not load: Gain")
    page.unroute_all()
    gateway.get_by_role("button", name="Try again").click()
    expect(gateway).to_have_count(0)
    expect(silent).to_have_count(1)  # what failed for another reason stays
    assert page.evaluate(ink) != before
    silent.get_by_role("button", name="Try again").click()
    expect(failures).to_have_count(0)

    page.route(UPDATES, lambda route: route.abort())
    page.locator(".gd-nav-link", has_text="Jobs").click()
    expect(failures).to_contain_text("Could not load: Jobs page")
    page.unroute_all()
    failures.get_by_role("button", name="Try again").click()
    expect(page.locator("h1")).to_have_text("Jobs")
    expect(failures).to_have_count(0)

    # What the player asks for itself is not a callback, and is said and asked again all the same.
    page.route(
        "**/clock", lambda route: route.fulfill(status=500, content_type="text/plain", body="the disk is on fire")
    )
    page.locator(".gd-nav-link", has_text="Cluster").click()
    expect(failures).to_contain_text(re.compile("Could not load: Times of fig10_las.*the disk is on fire"))
    page.unroute_all()
    failures.get_by_role("button", name="Try again").click()
    expect(failures).to_have_count(0)
