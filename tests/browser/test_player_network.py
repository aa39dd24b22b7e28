"""The Cluster page on a slow, failing or changed server: late answers never show, failures are said."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from werkzeug.serving import make_server

from gavel_dash.sweep import Sweep
from gavel_dash.web.app import create_app
from tests.browser.player_pictures import choose_export, set_loop
from tests.browser.player_probe import assert_right, open_cluster, read_shown, words_of
from tests.make import write_run

pytestmark = pytest.mark.browser

NAME = "fig10_max_min_fairness_2.8jph_multi_s0"
START = 9_000
ROUNDS_A_SECOND = 5
#: Above this a request is for a chunk of rounds; the queue of a round is far smaller.
CHUNK_FROM_BYTES = 100_000


class Network:
    """Holds requests for a run's bytes until the test lets them go."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        self.is_open = False
        page.route("**/api/runs/*/viz/**", self._handle)

    def _handle(self, route: Route) -> None:
        if self.is_open:
            route.continue_()
        else:
            self.held.append(route)

    def release(self, n: int | None = None) -> None:
        """Let requests go, in random order; one that the page has given up meanwhile is nobody's."""
        RANDOM.shuffle(self.held)
        for route in [self.held.pop() for _ in range(len(self.held) if n is None else min(n, len(self.held)))]:
            route.continue_()

    def open(self) -> None:
        """Hold nothing any more."""
        self.is_open = True
        self.release()


RANDOM = random.Random(5)


#: A round that is here is asked for just before: its answer comes when it is no longer wanted. Gives the round shown.
SEEK_TWICE = """target => {
  const shown = gavel.player.shown()[0].painted.index;
  gavel.player.seek(shown ? shown - 1 : 1);
  for (const end = performance.now() + 40; performance.now() < end;);
  gavel.player.seek(target);
  return shown;
}"""


def film(page: Page, frames: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("frames => probe.film(frames, { screen: false })", frames)
    return found


def check_film(sweep: Sweep, snapshots: list[dict[str, Any]], before: str) -> list[int]:
    """Every frame is one round in all its cells, and the words are those of it or of the frame before."""
    indexes = []
    for snapshot in snapshots:
        [raw] = snapshot["runs"]
        shown = read_shown(raw)
        assert_right(sweep[NAME], shown)
        now = words_of(sweep[NAME], shown.index)
        assert snapshot["words"] in (now, before)
        before = now
        indexes.append(shown.index)
    return indexes


def test_late_answers_never_show_and_the_last_seek_wins(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run = sweep[NAME]
    open_cluster(page, bundled_address, NAME, index=START)
    page.evaluate("probe.calm()")
    network = Network(page)
    for target in np.random.default_rng(11).integers(run.n_rounds, size=14).tolist():
        # What was asked for last may have come since the last look.
        shown = page.evaluate(SEEK_TWICE, target)
        before = words_of(run, shown)
        page.evaluate("probe.nextFrame()")
        network.release(RANDOM.choice([0, 0, 1, None]))
        for index in check_film(sweep, film(page, 6), before):
            assert index in (shown, target)
            shown = index
    network.open()
    page.evaluate("index => probe.until(() => gavel.player.shown()[0].painted.index === index)", target)
    expect(page.locator("#cluster-now")).to_have_text(words_of(run, target))
    page.evaluate("probe.rest()")
    check_film(sweep, film(page, 10), words_of(run, target))
    expect(page.locator("#shell-toast")).to_be_hidden()


COUNT_TOASTS = """() => {
  window.toasts = [];
  const real = window.dash_clientside.set_props;
  window.dash_clientside.set_props = (id, props) => {
    if (id === "shell-toast") window.toasts.push(props.children);
    real(id, props);
  };
}"""


def fail(page: Page, failure: str) -> None:
    """Let every request for a run's bytes fail."""

    def handle(route: Route) -> None:
        if failure == "500":
            route.fulfill(status=500, content_type="text/plain", body="the disk is on fire")
        elif failure == "no connection":
            route.abort()
        else:
            route.fulfill(status=200, body=b"\0" * 1000)

    page.route("**/api/runs/*/viz/**", handle)


def test_a_failure_is_said_once_and_a_step_tries_again(rough_page: Page, bundled_address: str, sweep: Sweep) -> None:
    page = rough_page
    open_cluster(page, bundled_address, NAME, index=START)
    page.evaluate("probe.calm()")
    page.evaluate(COUNT_TOASTS)
    shown = START
    failures = {"500": "500 the disk is on fire", "no connection": "cannot load", "half an answer": "found 1000"}
    for k, (failure, says) in enumerate(failures.items(), start=1):
        fail(page, failure)
        target = 10_000 * k
        page.evaluate("index => gavel.player.seek(index)", target)
        toast = page.locator("#shell-toast")
        expect(toast).to_contain_text(says)
        expect(toast).to_contain_text(f"{NAME}: ")
        expect(toast).to_contain_text("Step to try again")
        assert check_film(sweep, film(page, 20), words_of(sweep[NAME], shown)) == [shown] * 20
        assert len(page.evaluate("toasts")) == k
        page.unroute_all()
        page.keyboard.press("ArrowRight")
        page.evaluate("index => probe.until(() => gavel.player.shown()[0].painted.index === index)", target + 1)
        check_film(sweep, film(page, 3), words_of(sweep[NAME], shown))
        shown = target + 1


def test_a_film_that_meets_a_failure_ends_and_says_so(rough_page: Page, bundled_address: str) -> None:
    page = rough_page
    open_cluster(page, bundled_address, NAME, index=START)
    page.evaluate("probe.calm()")
    set_loop(page, 9_210, 9_225)
    fail(page, "500")  # the next chunk begins at record 9,216
    choose_export(page, "gif")
    expect(page.locator("#shell-toast")).to_contain_text("500 the disk is on fire")
    expect(page.locator(".cluster-progress")).to_have_count(0)


def test_playing_keeps_true_time_on_a_slow_network(page: Page, bundled_address: str, sweep: Sweep) -> None:
    speed = 20
    open_cluster(page, bundled_address, NAME, index=START, speed=str(speed))
    page.evaluate("probe.calm()")
    network = Network(page)
    page.evaluate("gavel.player.seek(20000)")
    # Nothing has come yet: the clock runs, the old round stays with its own words.
    began_ms = page.evaluate("() => { gavel.player.play(); return performance.now(); }")
    waiting = film(page, 30)
    assert check_film(sweep, waiting, words_of(sweep[NAME], START)) == [START] * 30
    shown_at: list[int] = []
    for _ in range(8):
        network.release()
        snapshots = film(page, 12)
        for snapshot in snapshots:
            [raw] = snapshot["runs"]
            assert_right(sweep[NAME], read_shown(raw))
            due = 20_000 + (snapshot["timeMs"] - began_ms) / 1000 * ROUNDS_A_SECOND * speed
            assert raw["index"] == START or raw["index"] <= due + 1
            shown_at.append(raw["index"])
    network.open()
    [position, now_ms] = page.evaluate("[gavel.player.model.get('position'), performance.now()]")
    due = 20_000 + (now_ms - began_ms) / 1000 * ROUNDS_A_SECOND * speed
    assert due - 0.3 * ROUNDS_A_SECOND * speed <= position <= due + 1
    assert len(set(shown_at)) > 10
    page.keyboard.press("Space")
    page.evaluate("probe.until(() => gavel.player.shown()[0].painted.index === gavel.player.model.get('position'))")
    page.evaluate("probe.rest()")
    index = page.evaluate("gavel.player.stats().index")
    expect(page.locator("#cluster-now")).to_have_text(words_of(sweep[NAME], index))


def test_a_replaced_file_is_said(
    rough_page: Page, bundled_address: str, sweep: Sweep, start_server: Callable[[Path], str], tmp_path: Path
) -> None:
    page = rough_page
    open_cluster(page, bundled_address, NAME, index=START)
    page.evaluate("probe.calm()")
    # The same run name on a server that was started anew, with other content.
    write_run(tmp_path / f"{NAME}.viz.bin")
    other = start_server(tmp_path)
    page.route(
        "**/api/runs/*/viz/**",
        lambda route: route.continue_(url=route.request.url.replace(bundled_address, other)),
    )
    page.evaluate("gavel.player.seek(30000)")
    expect(page.locator("#shell-toast")).to_contain_text("409 the run was replaced; reload the page")
    assert check_film(sweep, film(page, 5), words_of(sweep[NAME], START)) == [START] * 5


@pytest.fixture
def counted(sweep: Sweep) -> Iterator[tuple[str, list[str]]]:
    """The app in this process, and what of /viz/ reached it: what a browser took from its cache did not."""
    asked: list[str] = []
    app = create_app(sweep).server

    def count(environ: dict[str, Any], start_response: Any) -> Any:
        if "/viz/" in environ["PATH_INFO"]:
            asked.append(environ["PATH_INFO"])
        return app.wsgi_app(environ, start_response)

    server = make_server("127.0.0.1", 0, count, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def chunks(asked: list[str]) -> list[str]:
    """Those that are for chunks of rounds."""
    spans = [re.search(r"/(\d+)-(\d+)$", path) for path in asked]
    return [span[0] for span in spans if span and int(span[2]) - int(span[1]) >= CHUNK_FROM_BYTES]


def test_a_jump_fetches_one_chunk_and_a_second_visit_none(
    page: Page, counted: tuple[str, list[str]], sweep: Sweep
) -> None:
    address, asked = counted
    run = sweep[NAME]
    open_cluster(page, address, NAME, index=START)
    summary = page.locator("#cluster-queue-summary")
    expect(summary).to_contain_text(f"{len(run.queue(START)):,} wait")
    for index in (31_007, 12_345, 31_010):
        asked.clear()
        page.evaluate("index => probe.seek(index)", index)
        check_film(sweep, film(page, 1), words_of(run, START))
        expect(summary).to_contain_text(f"{len(run.queue(index)):,} wait")
        assert len(chunks(asked)) == (0 if index == 31_010 else 1)
        assert len(asked) <= 3, "a chunk, and the queue with its place in the file"
    asked.clear()
    open_cluster(page, address, NAME, index=31_007)
    page.evaluate("probe.seek(12345)")
    check_film(sweep, film(page, 3), words_of(run, 31_007))
    expect(summary).to_contain_text(f"{len(run.queue(12_345)):,} wait")
    assert asked == []
