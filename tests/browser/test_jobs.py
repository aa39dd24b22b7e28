"""The table of jobs, its distribution, and one job's page, in a real browser on the bundled sweep."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Sweep

pytestmark = pytest.mark.browser

RUN = "fig10_max_min_fairness_2.8jph_multi_s0"
JOB = 2250


def test_table_filters_and_its_csv_is_what_it_shows(page: Page, bundled_address: str, sweep: Sweep) -> None:
    page.goto(f"{bundled_address}/jobs?run={RUN}&scale=8&sort=jct_h:desc")
    jobs = sweep[RUN].jobs()
    expected = jobs[jobs["in_window"] & (jobs["scale_factor"] == 8)].sort_values("jct_h", ascending=False)
    first = page.locator("#jobs-grid .ag-center-cols-container [row-index='0'] [col-id='job_id']")
    expect(first).to_have_text(str(expected["job_id"].iloc[0]))
    expect(page.locator("#jobs-count")).to_contain_text(f"{len(expected)} of {len(jobs):,}")
    expect(page.locator("#jobs-quantiles tbody tr")).to_have_count(1)
    page.get_by_label("All", exact=True).check()
    expect(page).to_have_url(re.compile("jobs=all"))
    every = jobs[jobs["scale_factor"] == 8]
    expect(page.locator("#jobs-count")).to_contain_text(f"{len(every):,} of {len(jobs):,}")
    with page.expect_download() as download:
        page.locator("#jobs-csv").click()
    saved = pd.read_csv(download.value.path())
    assert sorted(saved["job_id"]) == sorted(every["job_id"])


def test_a_row_opens_the_job_and_its_life_leads_to_the_cluster(page: Page, bundled_address: str, sweep: Sweep) -> None:
    page.goto(f"{bundled_address}/jobs?run={RUN}&q={JOB}")
    page.locator(f"#jobs-grid .ag-cell[col-id='job_id']:has-text('{JOB}')").click()
    expect(page).to_have_url(re.compile(rf"/job\?run={RUN}&job={JOB}"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Job {JOB}")

    layer = page.locator("#job-lane .nsewdrag")
    # Before its figure comes the chart is an empty plot that has this layer too.
    page.wait_for_function("() => (document.querySelector('#job-lane .js-plotly-plot')?.data ?? []).length > 3")
    box = layer.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile(r"round=\d+"))
    index = int(parse_qs(urlsplit(page.url).query)["round"][0])
    since, until = (int(ends[JOB]) for ends in sweep[RUN].in_system)
    assert index == pytest.approx((since + until) / 2, abs=0.05 * (until - since))
    expect(page.locator("#job-moment")).to_contain_text(f"record {index + 1:,} of")

    page.locator("#job-lane-box").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile(f"round={index + 10}"))
    line = "() => document.querySelector('#job-lane .js-plotly-plot').data.at(-1).x[0]"
    page.wait_for_function(f"at => Math.abs(({line})() - at) < 1e-6", arg=float(sweep[RUN].time_h[index + 10]))
    page.locator("#job-open-cluster").click()
    expect(page).to_have_url(re.compile(rf"/cluster\?.*round={index + 10}"))
    assert parse_qs(urlsplit(page.url).query)["job"] == [str(JOB)]


def test_distribution_follows_its_controls_and_comes_back(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/jobs?run={RUN}&split=duration&measure=stretch&axis=linear")
    expect(page.locator("#jobs-distribution-notes")).to_contain_text("80th percentile")
    expect(page.locator("#jobs-distribution-notes")).to_contain_text("slowdown would need")
    expect(page.locator("#jobs-quantiles tbody tr")).to_have_count(2)
    expect(page.locator("#jobs-distribution-csv")).to_have_attribute("href", re.compile("split=duration"))


def test_no_such_job_is_a_sentence(page: Page, bundled_address: str) -> None:
    page.goto(f"{bundled_address}/job?run={RUN}&job=999999")
    expect(page.locator(".gd-empty")).to_contain_text("has no job 999999")
