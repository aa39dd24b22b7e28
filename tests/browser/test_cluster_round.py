"""One round on the Cluster page: its colours and legend, its numbers, its queue, and the job under the pointer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.sweep import Run, Sweep
from tests.browser.player import (
    choose,
    expect_record,
    expect_tiles,
    expected_tiles,
    legend,
    open_cluster,
    point_of_gpu,
    shown_colors,
    shown_job_ids,
    state,
    tiles,
    wait_at_rest,
    wait_dimmed,
    wait_query,
    wait_state,
)

pytestmark = pytest.mark.browser

CALM, SECOND, CROWDED = (
    f"fig9_synthetic_{name}" for name in ("2.1jph_multi_s0", "2.1jph_multi_s1", "40.0jph_multi_s0")
)
HOURS = ["under 1 h", "1–5 h", "5–20 h", "20–100 h", "100–500 h", "500 h or more"]
CATEGORIES = {"resnet": "ResNet", "cyclegan": "CycleGAN", "a3c": "A3C"}


def class_of_hours(hours: float) -> str:
    return HOURS[int(np.searchsorted([1, 5, 20, 100, 500], hours, "right"))]


def expected_labels(run: Run, index: int, color_by: str) -> list[str]:
    """Label of each GPU's legend entry, by the library's tables alone."""
    jobs = run.jobs().set_index("job_id")
    rounds, sim_time_s = run.clock()
    first_start = pd.Series(run.first_starts, jobs.index)
    allocation = run.allocation(index)

    def time_h(round_number: float) -> float:
        return float(sim_time_s[np.searchsorted(rounds, round_number, "right") - 1]) / 3600

    def label(gpu: int, job_id: int) -> str:
        if job_id < 0:
            return "Idle"
        job = jobs.loc[job_id]
        if color_by == "category":
            name = job["category"].lower().replace("_", " ")
            return CATEGORIES.get(name, name.capitalize())
        if color_by == "scale_factor":
            return f"{job['scale_factor']} GPU{'' if job['scale_factor'] == 1 else 's'}"
        if color_by == "waited":
            return class_of_hours(float(sim_time_s[first_start[job_id]]) / 3600 - job["arrival_time_h"])
        if color_by == "on_gpu":
            held = run.viz.allocations(0, index + 1)[:, gpu] == job_id
            since = index + 1 - (np.argmin(held[::-1]) if not held.all() else len(held))
            return class_of_hours(float(sim_time_s[index] - sim_time_s[since]) / 3600)
        return class_of_hours(time_h(job["completion_round"]) - time_h(rounds[index])) if job["completed"] else "never"

    return [label(gpu, job_id) for gpu, job_id in enumerate(allocation.tolist())]


def test_each_colouring_paints_its_legend(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    run, index = synthetic[CALM], 900
    open_cluster(page, synthetic_address, CALM, round=index)
    choose(page, "color", COLOR_BY["remaining"])
    for key, color_by in [(None, "remaining"), *enumerate(COLOR_BY, start=1)]:
        if key:
            page.keyboard.press(str(key))
        wait_state(page, colorBy=color_by)
        expect(page.locator("#cluster-color")).to_have_text(COLOR_BY[color_by])
        wait_query(page, color=None if color_by == "category" else color_by)
        wait_at_rest(page)
        colors, entries = shown_colors(page), legend(page)
        if color_by == "job":
            allocation = run.allocation(index)
            pairs = set(zip(allocation.tolist(), colors, strict=True))
            assert len(pairs) == len(np.unique(allocation))  # one colour per job
            assert len(set(colors)) > 15
            continue
        by_color = {color: label for label, color in entries.items()}
        found = [by_color[color].split(" in this run")[0] for color in colors]
        assert found == expected_labels(run, index, color_by), color_by


def test_the_legend_filters_and_a_selection_dims_the_rest(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    run, index = synthetic[CALM], 900
    open_cluster(page, synthetic_address, CALM, SECOND, round=index)
    wait_at_rest(page, 2)
    labels = np.array(expected_labels(run, index, "category"))
    entry = page.locator("#cluster-legend button", has_text="ResNet")
    entry.click()
    wait_dimmed(page, labels == "ResNet")
    expect(entry).to_have_attribute("aria-pressed", "false")
    entry.click()
    wait_dimmed(page, labels == "")
    entry.dblclick()
    wait_dimmed(page, labels != "ResNet")
    page.keyboard.press("2")  # codes mean something else under another colouring
    wait_state(page, colorBy="scale_factor", hidden=[])
    wait_dimmed(page, labels == "")
    # A job that both runs have: dimmed are the others, in both.
    both = [np.array(shown_job_ids(page, k)) for k in (0, 1)]
    job_id = int(np.intersect1d(*both)[1])
    page.mouse.click(*point_of_gpu(page, int(np.flatnonzero(both[1] == job_id)[0]), k=1))
    wait_state(page, selectedJob=job_id)
    for k in (0, 1):
        wait_dimmed(page, both[k] != job_id, k)
    expect(page.locator("#cluster-card .cluster-card-run")).to_have_count(2)
    page.keyboard.press("Escape")
    for k in (0, 1):
        wait_dimmed(page, labels == "", k)


def test_nodes_show_their_busy_share(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    index = 900
    open_cluster(page, synthetic_address, CALM, round=index)
    choose(page, "detail", "Nodes")
    wait_state(page, nodes=True)
    wait_query(page, detail="nodes")
    page.wait_for_function("window.gavel.player.shown()[0].painted.look === 'share'")
    expect(page.locator("#cluster-legend")).to_contain_text("all busy")
    wait_at_rest(page)
    busy = (synthetic[CALM].allocation(index) >= 0).reshape(-1, 4).sum(axis=1).repeat(4)
    names = ["Idle", "1–25% busy", "26–50%", "51–75%", "all busy"]
    by_color = {color: label for label, color in legend(page).items()}
    assert [by_color[color] for color in shown_colors(page)] == [names[n] for n in busy]
    choose(page, "detail", "Every GPU")
    wait_state(page, nodes=False)


def test_flash_marks_who_starts(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    run = synthetic[CALM]
    held, now = run.viz.allocations(800, 1000), run.viz.allocations(801, 1001)
    came = [i for i in range(200) if set(now[i][now[i] >= 0]) - set(held[i])]
    before, after = held[came[0]], now[came[0]]
    open_cluster(page, synthetic_address, CALM, round=801 + came[0])
    page.get_by_label("Flash changes").check()
    expect(page.locator("#cluster-legend")).to_contain_text("Starts in this round")
    wait_at_rest(page)
    changes = page.evaluate("window.gavel.player.shown()[0].painted.changes")
    is_new = (after >= 0) & (after != before)
    assert changes["started"] == np.flatnonzero(is_new & ~np.isin(after, before)).tolist()
    assert changes["migrated"] == np.flatnonzero(is_new & np.isin(after, before)).tolist()
    wait_query(page, flash=1)


def test_the_job_under_the_pointer_and_its_card(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    run, index = synthetic[CALM], 900
    open_cluster(page, synthetic_address, CALM, round=index)
    allocation = run.allocation(index)
    gpu = int(np.flatnonzero(allocation >= 0)[5])
    job_id = int(allocation[gpu])
    gpus = np.flatnonzero(allocation == job_id)
    job = run.jobs().set_index("job_id").loc[job_id]
    held = (run.viz.allocations(0, index + 1)[:, gpus] == job_id).all(axis=1)
    since = run.clock()[0][index + 1 - np.argmin(held[::-1])]
    page.mouse.move(*point_of_gpu(page, gpu))
    tip = page.locator(".cluster-job-tip")
    arrived = f"round {job['arrival_round']:,}, {job['arrival_time_h']:,.1f} h"
    facts = [
        f"Job {job_id}",
        f"{job['job_type']} · ",
        f"Scale factor: {job['scale_factor']}",
        f"On these since round {since:,}",
        f"Arrived: {arrived}",
        f"GPU {gpu} (",
        f"{gpus[0]}",
    ]
    for fact in facts:
        expect(tip).to_contain_text(fact)
    idle = int(np.flatnonzero(allocation < 0)[0])
    page.mouse.move(*point_of_gpu(page, idle))
    expect(tip).to_contain_text("Idle")
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()

    page.mouse.click(*point_of_gpu(page, gpu))
    wait_state(page, selectedJob=job_id)
    wait_query(page, job=job_id)
    card = page.locator("#cluster-card")
    expect(card.locator("h2")).to_have_text(f"Job {job_id}")
    texts = dict(zip(card.locator("dt").all_inner_texts(), card.locator("dd").all_inner_texts(), strict=True))
    assert texts["Arrived"] == arrived
    assert texts["JCT"] == f"{job['jct_h']:,.1f} h"
    start = int(run.first_starts[run.jobs().index[run.jobs()["job_id"] == job_id][0]])
    assert texts["Waited before first start"] == f"{float(run.clock()[1][start]) / 3600 - job['arrival_time_h']:,.1f} h"
    last = int(np.searchsorted(run.clock()[0], job["completion_round"], "right")) - 1
    first = int(np.searchsorted(run.clock()[0], job["arrival_round"], "right"))
    for name, at in (("End", last), ("First start", start), ("Arrival", first)):
        card.get_by_role("button", name=name, exact=True).click()
        expect_record(page, at)
    card.get_by_role("button", name="Let go of this job").click()
    expect(card).to_be_hidden()
    wait_query(page, job=None)


def test_tiles_are_the_librarys_numbers(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    run = synthetic[CALM]
    jobs, n = run.jobs(), run.n_rounds
    popularity = jobs["scale_factor"].value_counts(normalize=True)
    open_cluster(page, synthetic_address, CALM, round=0)
    for index in (0, 1, 530, 900, 1300, n - 1):
        page.evaluate("index => window.gavel.player.seek(index)", index)
        expect_record(page, index)
        expect_tiles(page, expected_tiles(run, index))
        found = tiles(page)
        # Fragmentation, slowly: every node's free GPUs count for the jobs that ask for more than it has.
        free = (run.allocation(index) < 0).reshape(-1, 4).sum(axis=1)
        lost = sum(n_free * popularity[popularity.index > n_free].sum() for n_free in free.tolist())
        if free.sum() == 0:
            assert found["fragmentation_rate"] == ["–", "no GPU is free"], index
        else:
            rate = float(found["fragmentation_rate"][0].removesuffix("%"))
            assert abs(rate - 100 * lost / free.sum()) <= 0.051, index
        assert found["free_gpus"][1] == f"largest free block {free.max()}"


def test_a_queue_of_thousands_is_the_librarys_sorted_and_scrolled(
    page: Page, synthetic_address: str, synthetic: Sweep
) -> None:
    index = 1400
    table = synthetic[CROWDED].queue_table(index)
    assert len(table) > 4000
    open_cluster(page, synthetic_address, CROWDED, round=index)
    expect(page.locator("#cluster-queue-summary")).to_contain_text(f"{len(table):,} wait")
    sizes = table["scale_factor"].value_counts().sort_index()
    rows_of_sizes = page.locator("#cluster-queue-summary tbody tr")
    expect(rows_of_sizes).to_have_count(len(sizes))
    for k, (factor, n) in enumerate(sizes.items()):
        expect(rows_of_sizes.nth(k)).to_contain_text(f"{factor}{n:,}")

    def rows(first: int, n: int = 4) -> list[list[str]]:
        """Texts of the rows that are in view from the `first` on."""
        found: list[list[str]] = page.evaluate(
            """async ([first, n]) => {
              const api = await window.dash_ag_grid.getApiAsync("cluster-queue");
              api.ensureIndexVisible(first, "top");
              const cells = (row) => document.querySelectorAll(`#cluster-queue [row-index="${row}"] .ag-cell`);
              const texts = (row) => [...cells(row)].map((cell) => cell.textContent).slice(0, 4);
              for (const end = performance.now() + 10000; performance.now() < end;) {
                const all = Array.from({ length: n }, (_, k) => texts(first + k));
                if (all.every((row) => row.length === 4 && row[0] !== "")) return all;
                await new Promise(requestAnimationFrame);
              }
              throw new Error("the rows never came");
            }""",
            [first, n],
        )
        return found

    def expected(frame: pd.DataFrame, first: int, n: int = 4) -> list[list[str]]:
        part = frame.iloc[first : first + n]
        numbers = zip(part["job_id"], part["job_type"], part["scale_factor"], part["time_in_system_h"], strict=True)
        return [[f"{job:,}".replace(",", ""), kind, f"{factor}", f"{age:,.1f}"] for job, kind, factor, age in numbers]

    assert rows(0) == expected(table, 0)
    assert rows(3000) == expected(table, 3000)
    for column, title in (("time_in_system_h", "Age"), ("scale_factor", "GPUs"), ("job_type", "Type")):
        header = page.locator(f'#cluster-queue .ag-header-cell[col-id="{column}"]')
        for ascending in (True, False):
            header.click()
            expect(header).to_have_attribute("aria-sort", "ascending" if ascending else "descending")
            ordered = table.sort_values(column, ascending=ascending, kind="stable")
            assert rows(0) == expected(ordered, 0), (title, ascending)
            assert rows(2000) == expected(ordered, 2000), (title, ascending)
    page.locator('#cluster-queue [row-index="2000"]').click()
    wait_state(page, selectedJob=int(rows(2000)[0][0]))
    expect(page.locator("#cluster-card")).to_contain_text("Waiting")
    assert state(page)["indexes"] == [index]
