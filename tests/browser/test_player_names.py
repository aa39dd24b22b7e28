"""Names of a run are text on the Cluster page and in what it exports, whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Run, open_sweep
from tests.browser.player_pictures import export, set_loop
from tests.browser.player_probe import open_cluster, read_shown, write_named_run

pytestmark = pytest.mark.browser

SCRIPT = "<img src=x onerror=window.hacked=1>"
PLAIN_NAME = "img-src=x-onerror=window.hacked=2-"


@pytest.fixture
def hostile(start_server: Callable[[Path], str], tmp_path: Path) -> tuple[str, str, Run]:
    """A server on a run whose every name is markup or a formula."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    name = "<img src=x onerror=window.hacked=2>"
    types = [(SCRIPT, SCRIPT), ("=cmd()", "=cmd()")]
    write_named_run(folder / f"{name}.viz.bin", types, (SCRIPT, f"</text>{SCRIPT}"), policy=SCRIPT, every=1, length=9)
    return start_server(folder), name, open_sweep(folder)[name]


def test_names_never_become_markup(page: Page, hostile: tuple[str, str, Run], tmp_path: Path) -> None:
    address, name, run = hostile
    index = next(i for i in range(run.n_rounds) if len(run.queue(i)) > 2)
    open_cluster(page, address, name, index=index, job=str(run.allocation(index)[0]))
    page.evaluate("probe.calm()")
    [shown] = [read_shown(raw) for raw in page.evaluate("probe.snapshot()")["runs"]]
    np.testing.assert_array_equal(shown.ids, run.allocation(index))
    box = page.locator("#cluster-slot-0 .cluster-overlay").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 6, box["y"] + 6)
    expect(page.locator(".cluster-job-tip")).to_contain_text(SCRIPT, ignore_case=True)
    expect(page.locator("#cluster-card")).to_contain_text(SCRIPT)
    expect(page.locator(".cluster-bands")).to_contain_text(SCRIPT, ignore_case=True)
    expect(page.locator("#cluster-tiles")).to_contain_text(SCRIPT, ignore_case=True)
    expect(page.locator("#cluster-queue .ag-cell[col-id=job_type]").first).to_contain_text(re.compile("<img|=cmd"))
    svg = export(page, "svg", tmp_path).read_text()
    for kind in ("png", "json", "csv", "gif"):
        if kind == "gif":
            set_loop(page, index, index + 1)
        path = export(page, kind, tmp_path)
        rounds = f"rounds_{index}-{index + 1}" if kind == "gif" else f"round_{index}"
        assert path.name == f"{PLAIN_NAME}_{rounds}.{kind}"
        assert path.stat().st_size > 0
    table = pd.read_csv(tmp_path / f"{PLAIN_NAME}_round_{index}.csv")
    assert set(table["job_type"].dropna()) == {SCRIPT, "'=cmd()"}
    root = ElementTree.fromstring(svg)
    assert [e.tag for e in root.iter() if e.tag.rpartition("}")[2] in ("script", "img", "foreignObject")] == []
    assert [key for e in root.iter() for key in e.attrib if key.startswith("on")] == []
    page.evaluate(
        "text => { document.body.append(new DOMParser().parseFromString(text, 'image/svg+xml').documentElement); }", svg
    )
    page.evaluate("probe.calm()")
    assert page.evaluate("[window.hacked === undefined, document.querySelectorAll('img[src=x]').length]") == [True, 0]
