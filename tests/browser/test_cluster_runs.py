"""Several runs on the Cluster page: in step, compared, exchanged and closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from gavel_dash.sweep import Run, Sweep, open_sweep
from tests.browser.player import (
    choose,
    legend,
    open_cluster,
    query,
    shown_colors,
    shown_job_ids,
    state,
    tiles,
    wait_at_rest,
    wait_query,
    wait_state,
)
from tests.make import GPU_TYPES, ROUND_S, simulate

pytestmark = pytest.mark.browser

CALM, SECOND, CROWDED = (
    f"fig9_synthetic_{name}" for name in ("2.1jph_multi_s0", "2.1jph_multi_s1", "40.0jph_multi_s0")
)
QUICK, SLOW = "fig9_fifo_1.0jph_multi_s0", "fig9_fifo_1.0jph_multi_s1"
BADGES = ".cluster-slot:not([hidden]) .cluster-head .cluster-badge"


def write_stretched_run(path: Path, round_s: float, **how: int) -> None:
    """A small simulated run whose rounds last `round_s` seconds."""
    run = simulate(**how)
    run["heads"]["sim_time_s"] *= round_s / ROUND_S
    lengths = np.array([len(queue) for queue in run["queues"]])
    queued = np.array([job for queue in run["queues"] for job in queue], np.int64)
    block = RoundBlock(run["heads"], run["used"], run["allocation"], lengths, queued)
    with path.open("wb") as file:
        write_vizbin(
            file, {"policy": "fifo", "gpu_types": GPU_TYPES, "job_types": []}, run["jobs"], [block], len(lengths)
        )


@pytest.fixture(scope="module")
def stretched(start_server: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run, Run]:
    """A server on two runs that agree in nothing: 60 rounds of 360 s, 50 rounds of 540 s and fewer arrivals."""
    folder = tmp_path_factory.mktemp("stretched")
    write_stretched_run(folder / f"{QUICK}.viz.bin", 360.0)
    write_stretched_run(folder / f"{SLOW}.viz.bin", 540.0, n_rounds=50, every=4)
    sweep = open_sweep(folder)
    return start_server(folder), sweep[QUICK], sweep[SLOW]


def arrivals(run: Run) -> np.ndarray:
    """Jobs in the system or gone by each record: int, shape (n_rounds,)."""
    return (run.jobs()["arrival_round"].to_numpy()[:, None] < run.clock()[0][None, :]).sum(axis=0)


def test_two_runs_in_step_by_time_round_and_arrivals(page: Page, stretched: tuple[str, Run, Run]) -> None:
    address, quick, slow = stretched
    open_cluster(page, address, QUICK, SLOW, round=0)
    times = [run.clock()[1] for run in (quick, slow)]
    came = [arrivals(run) for run in (quick, slow)]
    # The run that lasts longer leads; the other shows its last round that has begun, and stays at its end.
    by_time = [[int(np.searchsorted(times[0], times[1][i], "right")) - 1, i] for i in range(50)]
    by_round = [[i, min(i, 49)] for i in range(60)]
    by_arrivals = [[i, min(int(np.searchsorted(came[1], came[0][i], "left")), 49)] for i in range(60)]
    for label, expected in (("time", by_time), ("round", by_round), ("arrivals", by_arrivals)):
        if label != "time":
            choose(page, "align", label)
            wait_state(page, align=label)
            wait_query(page, align=label)
        for position in (0, 1, 7, 23, 38, len(expected) - 1):
            page.locator("#cluster-slider").fill(str(position))
            page.wait_for_function(
                """expected => {
                  const indexes = window.gavel.player.shown().map(({ painted }) => painted.index);
                  return JSON.stringify(indexes) === JSON.stringify(expected);
                }""",
                arg=expected[position],
            )
            for k, run in enumerate((quick, slow)):
                assert shown_job_ids(page, k) == run.allocation(expected[position][k]).tolist(), (label, position)
        if label != "arrivals":
            expect(page.locator(f"#cluster-head-{int(label == 'round')}")).to_contain_text("ended before")


def test_the_difference_compares_gpu_by_gpu(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    index = 800
    open_cluster(page, synthetic_address, CALM, SECOND, round=index)
    page.get_by_label("Difference to A").check()
    page.wait_for_function("window.gavel.player.shown()[1]?.painted.look === 'difference'")
    wait_query(page, difference=1)
    expect(page.locator("#cluster-legend")).to_contain_text("Beside A:")
    wait_at_rest(page, 2)  # the longer legend leaves less room for the heatmaps
    a, b = synthetic[CALM].allocation(index), synthetic[SECOND].allocation(index)
    conditions = [(a < 0) & (b < 0), a < 0, b < 0, a == b]
    expected = np.select(conditions, ["Idle", "Busy here only", "Busy in A only", "Same job"], "Different jobs")
    assert len(np.unique(expected)) >= 3
    by_color = {color: label for label, color in legend(page).items()}
    assert [by_color[color] for color in shown_colors(page, 1)] == expected.tolist()
    # Run A keeps its own colours, and the tiles their differences.
    assert page.evaluate("window.gavel.player.shown()[0].painted.look") == "jobs"
    rows = [synthetic[name].rounds().iloc[index] for name in (CALM, SECOND)]
    found = tiles(page)["jobs_running"]
    difference = int(rows[1]["jobs_running"] - rows[0]["jobs_running"])
    assert found[0] == str(rows[0]["jobs_running"])
    assert found[2] == str(rows[1]["jobs_running"])
    assert found[3] == (f"+{difference}" if difference > 0 else f"−{-difference}" if difference else "±0")
    page.keyboard.press("d")  # with the focus still on the checkbox that was clicked
    page.wait_for_function("window.gavel.player.shown()[1]?.painted.look === 'jobs'")


def test_each_run_has_its_queue(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    open_cluster(page, synthetic_address, CALM, CROWDED, round=1000)
    summary = page.locator("#cluster-queue-summary")
    for badge, name in (("B", CROWDED), ("A", CALM)):
        page.locator("#cluster-queue-tabs").get_by_role("button", name=badge, exact=True).click()
        n = len(synthetic[name].queue(1000))
        expect(summary).to_contain_text(f"{n:,} wait" if n else "No waiting job")
        expect(page.locator("#cluster-queue-csv")).to_have_attribute(
            "href", f"/api/runs/{name}/queue.csv?round_index=1000"
        )


def test_runs_are_exchanged_while_playing_and_closed(page: Page, synthetic_address: str, synthetic: Sweep) -> None:
    open_cluster(page, synthetic_address, CALM, SECOND, round=300)
    page.keyboard.press("Space")
    page.wait_for_function("window.gavel.player.stats().index > 302")
    choose(page, "run", CROWDED)
    page.wait_for_function("name => window.gavel.player.shown()[0]?.run.name === name", arg=CROWDED)
    wait_state(page, playing=True)
    page.wait_for_function(
        "from => window.gavel.player.stats().index > from", arg=page.evaluate("window.gavel.player.stats().index")
    )
    page.keyboard.press("Space")
    wait_at_rest(page, 2)
    indexes = state(page)["indexes"]
    for k, name in enumerate((CROWDED, SECOND)):
        assert shown_job_ids(page, k) == synthetic[name].allocation(indexes[k]).tolist()
    page.wait_for_function("() => new URLSearchParams(location.search).getAll('run').length === 2")
    assert query(page)["run"] == [CROWDED, SECOND]
    # What is left of two is one, under the name A.
    page.get_by_role("button", name=f"Close {CROWDED}").click()
    wait_at_rest(page, 1)
    page.wait_for_function("() => new URLSearchParams(location.search).getAll('run').length === 1")
    assert query(page)["run"] == [SECOND]
    assert shown_job_ids(page) == synthetic[SECOND].allocation(state(page)["indexes"][0]).tolist()
    expect(page.locator("#cluster-slot-1")).to_be_hidden()
    expect(page.locator("#cluster-run")).to_contain_text(SECOND)


def test_no_more_than_four_runs(page: Page, bundled_address: str, sweep: Sweep) -> None:
    names = [name for name in sweep.names if name.startswith("fig11")][:5]
    open_names = names[:4]
    page.goto(f"{bundled_address}/cluster?" + "&".join(f"run={name}" for name in names) + "&round=500")
    wait_at_rest(page, 4)
    expect(page.locator(BADGES)).to_have_text(["A", "B", "C", "D"])
    assert page.evaluate("window.gavel.player.shown().map(({ run }) => run.name)") == open_names
    for k, index in enumerate(state(page)["indexes"]):
        assert shown_job_ids(page, k) == sweep[open_names[k]].allocation(index).tolist()
    # The same run twice is one run.
    page.goto(f"{bundled_address}/cluster?run={names[0]}&run={names[0]}&round=500")
    wait_at_rest(page, 1)
    expect(page.locator("#cluster-slot-1")).to_be_hidden()
