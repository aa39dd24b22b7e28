"""A sweep that is still being made: what changes is on screen within seconds, and what the user has chosen stays."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.make import write_run
from tests.unit.ingest.log_text import ReplicationLog

RUNNING = "fig10_max_min_fairness_2.0jph_multi_s0"
FIRST, SECOND = (f"fig9_fifo_{rate}jph_single_s0" for rate in ("1.0", "2.0"))
#: What the page promises, and how much longer a busy machine may take.
NEWS_S, BUSY_S = 5.0, 10.0
STATE = """() => {
  const { model, shown } = window.gavel.player;
  const run = model.get('runs')[0];
  return {
    playing: model.get('playing'), position: model.get('position'),
    rounds: run ? run.nRounds : 0, shown: shown().length,
  };
}"""


class GrowingLog:
    """A simulator that writes rounds of four jobs when it is told to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir()
        self._log = ReplicationLog().arrive(0, 2).arrive(1).arrive(2).arrive(3)
        self._log.telemetry(0, 0, 4)
        self._written = 0
        self._round = 0

    def run(self, n_rounds: int) -> None:
        for _ in range(n_rounds):
            self._round += 1
            self._log.schedule(0, "v100", 4, 5).schedule(1, "k80", 0).schedule(2, "k80", 1).schedule(3, "p100", 2)
            if self._round % 50 == 0:  # a job ends and comes again under another id
                self._log.arrive(self._round).schedule(self._round, "v100", 5).complete(self._round, 360.0)
            self._log.telemetry(self._round, 4, 0, v100=2, k80=2, p100=1)
        data = self._log.data
        with self._path.open("ab") as file:
            file.write(data[self._written :])
        self._written = len(data)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in (FIRST, SECOND):
        write_run(tmp_path / f"{name}.viz.bin")
    return tmp_path


@pytest.fixture
def log(directory: Path) -> GrowingLog:
    log = GrowingLog(directory / RUNNING / "simulation.log")
    log.run(300)
    return log


@pytest.fixture
def address(directory: Path, log: GrowingLog, start_server: Callable[[Path], str]) -> str:
    return start_server(directory)


def wait_for_news(page: Page, expression: str) -> None:
    """Wait until JavaScript is true, not longer than the page promises on a machine that is busy."""
    began_s = time.monotonic()
    page.wait_for_function(expression)
    assert time.monotonic() - began_s < NEWS_S + BUSY_S


def test_runs_appear_grow_and_go_and_choices_stay(page: Page, address: str, directory: Path, log: GrowingLog) -> None:
    page.goto(f"{address}/?status=complete&status=running")
    row = page.locator(f'.ag-row[row-id="{FIRST}"]').first
    row.locator("input[type=checkbox]").click()
    expect(page.locator("#shell-runs")).to_have_text("3 runs, 1 running")
    heads = page.locator("#sweep-counts")
    expect(heads).to_contain_text("1 running")
    new = FIRST.replace("1.0jph", "3.0jph")
    write_run(directory / "part")
    os.replace(directory / "part", directory / f"{new}.viz.bin")
    (directory / f"{SECOND}.viz.bin").unlink()
    log.run(20)
    names = "() => [...document.querySelectorAll('#sweep-grid .ag-row')].map((row) => row.getAttribute('row-id'))"
    wait_for_news(
        page, f"() => {{ const names = ({names})(); return names.includes('{new}') && !names.includes('{SECOND}'); }}"
    )
    expect(page.locator(f'.ag-row[row-id="{FIRST}"] input[type=checkbox]').first).to_be_checked()
    expect(page.locator("#sweep-selection")).to_contain_text("1")
    assert "status=complete&status=running" in page.url
    # Its row says how far it is.
    page.goto(f"{address}/?run={RUNNING}")
    expect(page.locator("#sweep-drawer-body")).to_contain_text(re.compile(r"round 320, 3\d\.\d simulated hours"))
    log.run(30)
    expect(page.locator("#sweep-drawer-body")).to_contain_text(re.compile(r"round 350, 3\d\.\d simulated hours"))


def test_a_run_that_grows_plays_on(page: Page, address: str, directory: Path, log: GrowingLog) -> None:
    page.goto(f"{address}/cluster?run={RUNNING}&round=100&speed=2")
    page.wait_for_function(f"() => window.gavel && ({STATE})().shown === 1")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => ({STATE})().position > 105")
    before = page.evaluate(STATE)
    log.run(50)
    wait_for_news(page, f"() => ({STATE})().rounds > {before['rounds']} && ({STATE})().shown === 1")
    after = page.evaluate(STATE)
    assert after["rounds"] == before["rounds"] + 50
    name = page.locator("#cluster-head-0 .cluster-head-name")
    expect(name).to_have_text(f"running{RUNNING}")
    expect(name).to_have_attribute("title", re.compile(r"still being written. round 350, 3\d\.\d simulated hours"))
    assert after["playing"]
    assert before["position"] <= after["position"] < before["position"] + 10 * (NEWS_S + BUSY_S)
    expect(page.locator("#cluster-now")).to_contain_text(f"of {after['rounds']}")
    page.keyboard.press("Space")
    # A run that is deleted is said, and what is on screen stays.
    page.goto(f"{address}/cluster?run={SECOND}&round=5")
    page.wait_for_function(f"() => window.gavel && ({STATE})().shown === 1")
    (directory / f"{SECOND}.viz.bin").unlink()
    expect(page.locator("#shell-toast")).to_contain_text(f"{SECOND}: no longer in the sweep")
    assert page.evaluate(STATE)["shown"] == 1


def test_charts_follow_and_keep_their_zoom(page: Page, address: str, log: GrowingLog) -> None:
    figure = "document.querySelector('#telemetry-figure .js-plotly-plot')"
    ends = f"{figure}?._fullLayout?.xaxis?.range?.[1]"
    page.goto(f"{address}/telemetry?run={RUNNING}")
    expect(page.locator("#telemetry-run-problems")).to_contain_text("still running")
    page.wait_for_function(f"() => {ends} > 25")
    log.run(100)
    wait_for_news(page, f"() => {ends} > 38")
    page.goto(f"{address}/telemetry?run={RUNNING}&from=10&to=20")
    page.wait_for_function(f"() => {ends} < 21")
    answers = "performance.getEntriesByType('resource').filter((e) => e.name.includes('_dash-update-component')).length"
    before = page.evaluate(f"() => {answers}")
    log.run(100)
    wait_for_news(page, f"() => {answers} > {before}")
    assert page.evaluate(f"() => {ends}") < 21
