"""Texts of a sweep are text in a real browser: no payload runs, no tag becomes an element."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.reliability.hostile import FILE_PART, HTML, MARK, RUNS, write_hostile_sweep

pytestmark = pytest.mark.browser

SATURATION = ("overlay", "panels", "gain", "jobs", "heatmap")

#: What of a figure Plotly reads as HTML or as a template: all strings, but those that are only handed on.
LEAKS = """() => {
  const handedOn = new Set(["customdata", "ids", "meta", "uid", "legendgroup", "uirevision", "datarevision"]);
  const leaks = [];
  const walk = (value, where) => {
    if (typeof value === "string") {
      if (/<b>gdx|<img|%\\{x\\}gdx/.test(value)) leaks.push(`${where}: ${value}`);
    } else if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
      for (const [key, part] of Object.entries(value)) {
        if (!handedOn.has(key) && !key.startsWith("_")) walk(part, `${where}.${key}`);
      }
    }
  };
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    walk(plot.data, `${plot.parentElement.id} data`);
    walk(plot.layout, `${plot.parentElement.id} layout`);
  }
  for (const made of document.querySelectorAll('a[href*="evil"], img[src="x"], svg a')) leaks.push(made.outerHTML);
  for (const made of document.querySelectorAll("b, strong, tspan")) {
    if (made.textContent === "gdx") leaks.push(made.parentElement.outerHTML);
  }
  if (window.ranPayload !== undefined) leaks.push("a payload ran");
  return leaks;
}"""


def test_every_text_is_text(page: Page, start_server: Callable[[Path], str], tmp_path: Path) -> None:
    directory = tmp_path / FILE_PART
    directory.mkdir()
    write_hostile_sweep(directory)
    address = start_server(directory)
    with urlopen(address) as answer:
        assert answer.headers.get_all("Server") == ["Gavel Dash"]
    first, both = f"run={quote(RUNS[0])}", "&".join(f"run={quote(run)}" for run in RUNS[:2])
    charts = {
        f"/?{first}": ["sweep-map"],
        f"/saturation?at={quote(RUNS[0])}": [f"saturation-{chart}-figure" for chart in SATURATION],
        f"/cluster?{both}&round=12": ["cluster-heatmap-0", "cluster-heatmap-1"],
        f"/telemetry?{both}": ["telemetry-figure"],
        f"/jobs?{both}": ["jobs-distribution-figure", "jobs-gantt-figure"],
        f"/job?{first}&job=5": ["job-lane"],
        f"/fragmentation?{both}": ["fragmentation-figure", "fragmentation-nodes-figure"],
        f"/cluster?run={quote(FILE_PART)}": [],
    }
    for path, drawn in charts.items():
        page.goto(address + path)
        page.wait_for_function(
            "ids => ids.every((id) => document.getElementById(id)?.querySelector('.js-plotly-plot')?.data?.length)",
            arg=drawn,
        )
        expect(page.locator("#shell-main")).to_contain_text(MARK)
        assert page.evaluate(LEAKS) == [], path
        assert page.title().endswith("Gavel Dash")
        if path.startswith("/telemetry"):
            page.locator("#telemetry-figure .nsewdrag").first.hover()
            expect(page.locator(".hoverlayer")).to_contain_text(HTML)
