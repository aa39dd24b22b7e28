"""From the run table to a clicked saturation point to that round on the Cluster page, on the bundled sweep."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Sweep
from tests.browser.charts import OVERLAY, click_point
from tests.browser.conftest import BUNDLED
from tests.browser.player import shown_job_ids, wait_at_rest
from tests.make import write_run

pytestmark = pytest.mark.browser

POINT_HEATMAP = "#saturation-heatmap-figure .js-plotly-plot"


def hovered_job_ids(page: Page, heatmap: str) -> list[int]:
    """Job of every busy GPU in worker order, read from the hover texts of the drawn heatmap."""
    texts = page.evaluate(
        "selector => document.querySelector(selector).data[0].text.flat().filter(text => text)", heatmap
    )
    by_gpu = {}
    for text in texts:
        job = re.search(r"Job ([\d,]+)", text)
        gpu = re.search(r"GPU ([\d,]+) \(", text)
        if gpu:
            by_gpu[int(gpu[1].replace(",", ""))] = int(job[1].replace(",", "")) if job else -1
    return [by_gpu[gpu] for gpu in sorted(by_gpu)]


def test_sweep_lists_every_run_and_filters_by_facet(page: Page, bundled_address: str, sweep: Sweep) -> None:
    page.goto(bundled_address)
    expect(page.locator("#sweep-counts")).to_contain_text(f"{len(sweep.names)} runs")
    expect(page.locator("#sweep-grid .ag-row").first).to_be_visible()

    page.get_by_label(re.compile("^fig9")).first.check()

    n_fig9 = int((sweep.runs()["figure"] == "fig9").sum())
    expect(page.locator("#sweep-counts")).to_contain_text(f"{n_fig9} of {len(sweep.names)} runs")
    expect(page).to_have_url(re.compile(r"figure=fig9"))


def test_filters_come_back_with_the_address(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/?figure=fig10&setting=multi&q=perf")
    expect(page.locator("#sweep-counts")).to_contain_text("7 of 46 runs")
    expect(page.locator("#sweep-search")).to_have_value("perf")


def test_nothing_matches_is_a_sentence_with_a_way_out(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/?q=no-such-run")
    expect(page.locator("#sweep-empty")).to_contain_text("No runs match")
    page.locator("#sweep-clear-empty").click()
    expect(page.locator("#sweep-counts")).to_contain_text("46 runs")


def test_csv_of_the_filtered_table_is_the_table(page: Page, bundled_address: str, sweep: Sweep) -> None:
    page.goto(f"{bundled_address}/?figure=fig11")
    expect(page.locator("#sweep-grid .ag-row").first).to_be_visible()
    with page.expect_download() as download:
        page.locator("#sweep-csv").click()
    saved = pd.read_csv(download.value.path())
    runs = sweep.runs()
    expected = runs[runs["figure"] == "fig11"]
    assert sorted(saved["run"]) == sorted(expected["run"])
    merged = saved.set_index("run").loc[expected["run"], "mean_jct_h"].tolist()
    assert merged == pytest.approx(expected["mean_jct_h"].tolist(), nan_ok=True)


def test_drawer_tells_findings_and_where_identity_came_from(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/?run=fig10_max_min_fairness_perf_3.2jph_multi_s0")
    drawer = page.locator("#sweep-drawer-body")
    expect(drawer).to_contain_text("2 of 400 window jobs never completed")
    expect(drawer).to_contain_text("cut-line")
    expect(drawer).to_contain_text("config")


def test_clicked_point_shows_its_run_and_round_and_opens_in_cluster(
    page: Page, bundled_address: str, sweep: Sweep
) -> None:
    name = "fig10_max_min_fairness_2.8jph_multi_s0"
    row = sweep.runs().set_index("run").loc[name]
    page.goto(f"{bundled_address}/saturation")
    page.wait_for_selector(f"#{OVERLAY} .scatterlayer .point")

    click_point(page, row["arrival_rate_jph"], row["mean_jct_h"])

    expect(page.locator("#saturation-point")).to_contain_text(name)
    expect(page.locator("#saturation-point")).to_contain_text("400 of 400 window jobs")
    run = sweep[name]
    index = run.representative_round()
    expect(page.locator("#saturation-round-heading")).to_contain_text(f"{index + 1:,} of {run.n_rounds:,}")
    allocation = run.allocation(index)
    # The heading comes before the heatmap, by an answer of its own.
    page.wait_for_function(
        "([selector, job]) => document.querySelector(selector).data[0].text.flat()"
        ".some((text) => text && text.includes(job) && text.includes('GPU 0 ('))",
        arg=[POINT_HEATMAP, f"Job {allocation[0]:,}"],
    )
    assert hovered_job_ids(page, POINT_HEATMAP) == allocation.tolist()

    page.locator("#saturation-open-cluster").click()

    expect(page).to_have_url(re.compile(rf"/cluster\?.*run={re.escape(name)}"))
    assert parse_qs(urlsplit(page.url).query)["round"] == [str(index)]
    expect(page.locator("#cluster-now")).to_contain_text(f"record {index + 1:,} of {run.n_rounds:,}")
    wait_at_rest(page)
    assert shown_job_ids(page) == allocation.tolist()


def test_cluster_plays_steps_and_restores(page: Page, bundled_address: str, sweep: Sweep) -> None:
    name = "fig9_max_min_fairness_3.2jph_single_s1"
    run = sweep[name]
    page.goto(f"{bundled_address}/cluster?run={name}&round=100")
    now = page.locator("#cluster-now")
    expect(now).to_contain_text("record 101 of")
    page.keyboard.press("ArrowRight")
    expect(now).to_contain_text("record 102 of")
    page.keyboard.press("Shift+ArrowRight")
    expect(now).to_contain_text("record 112 of")
    page.keyboard.press("Space")
    expect(now).not_to_contain_text("record 112 of")
    page.keyboard.press("Space")
    page.keyboard.press("End")
    expect(now).to_contain_text(f"record {run.n_rounds:,} of {run.n_rounds:,}")
    page.keyboard.press("Home")
    expect(now).to_contain_text("record 1 of")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(now).to_contain_text("record 4 of")
    expect(page).to_have_url(re.compile("round=3"))
    page.reload()
    expect(page.locator("#cluster-now")).to_contain_text("record 4 of")
    wait_at_rest(page)
    assert shown_job_ids(page) == run.allocation(3).tolist()


@pytest.mark.parametrize("kind", ["rounds", "jobs"])
def test_cluster_csv_is_the_librarys_table(page: Page, bundled_address: str, sweep: Sweep, kind: str) -> None:
    name = "fig9_max_min_fairness_3.2jph_single_s1"
    page.goto(f"{bundled_address}/cluster?run={name}&round=100")
    with page.expect_download() as download:
        page.locator(f"#cluster-{kind}-csv").click()
    expected = getattr(sweep[name], kind)()
    saved = pd.read_csv(download.value.path())
    assert saved.columns.tolist() == expected.columns.tolist()
    assert len(saved) == len(expected)


def test_queue_csv_is_the_queue_of_the_round(page: Page, bundled_address: str, sweep: Sweep) -> None:
    name = "fig10_max_min_fairness_2.8jph_multi_s0"
    page.goto(f"{bundled_address}/cluster?run={name}&round=22866")
    link = page.locator("#cluster-queue-csv")
    expect(link).to_have_attribute("href", re.compile("22866"))
    text = page.request.get(bundled_address + str(link.get_attribute("href"))).text()
    assert pd.read_csv(io.StringIO(text))["job_id"].tolist() == sweep[name].queue(22866).tolist()


def test_theme_is_remembered(page: Page, bundled_address: str) -> None:
    page.goto(bundled_address)
    before = page.locator("html").get_attribute("data-bs-theme")
    page.locator("#shell-theme-button").click()
    expect(page.locator("html")).not_to_have_attribute("data-bs-theme", str(before))
    after = page.locator("html").get_attribute("data-bs-theme")
    page.goto(f"{bundled_address}/saturation")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", str(after))


@pytest.mark.parametrize("path", ["/cluster?run=no-such-run", "/saturation?at=no-such-run", "/?run=no-such-run"])
def test_unknown_run_in_the_address_is_no_crash(page: Page, bundled_address: str, path: str) -> None:
    page.goto(bundled_address + path)
    expect(page.get_by_text("no-such-run").first).to_be_visible()
    expect(page.get_by_text("Something went wrong")).to_have_count(0)


def test_bundled_sweep_is_the_one_of_the_repository() -> None:
    packed = sorted(Path(BUNDLED).glob("*.viz.bin.packed"))
    assert len(packed) >= 40
    assert sum(path.stat().st_size for path in Path(BUNDLED).iterdir()) < 40e6


def test_empty_directory_is_a_sentence_on_every_page(
    page: Page, start_server: Callable[[Path], str], tmp_path: Path
) -> None:
    address = start_server(tmp_path)
    for path in ("/", "/saturation", "/cluster"):
        page.goto(address + path)
        expect(page.locator("main")).to_contain_text(re.compile("holds no runs|No run of this sweep"))


def test_directory_with_damage_shows_the_rest(page: Page, start_server: Callable[[Path], str], tmp_path: Path) -> None:
    write_run(tmp_path / "fig9_fifo_1.0jph_multi_s0.viz.bin")
    whole = (tmp_path / "fig9_fifo_1.0jph_multi_s0.viz.bin").read_bytes()
    (tmp_path / "fig9_fifo_2.0jph_multi_s0.viz.bin").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "notes.viz.bin").write_text("not a run")
    address = start_server(tmp_path)
    page.goto(address)
    expect(page.locator("#sweep-counts")).to_contain_text("2 damaged")
    page.goto(f"{address}/?run=notes")
    expect(page.locator("#sweep-drawer-body")).to_contain_text("expected")
    page.goto(f"{address}/cluster?run=notes")
    expect(page.get_by_text(re.compile("notes.viz.bin")).first).to_be_visible()
    page.goto(f"{address}/cluster?run=fig9_fifo_1.0jph_multi_s0&round=11")
    expect(page.locator("#cluster-now")).to_contain_text("record 12 of 60")
