"""What the Cluster page shows is the round it names: allocation, numbers, words and pixels, at rest and playing."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.figures.player_colors import player_coloring
from gavel_dash.sweep import Run, Sweep, open_sweep
from tests.browser.player_probe import (
    IDLE_COLOR,
    assert_right,
    open_cluster,
    pixels,
    read_shown,
    words_of,
    write_named_run,
)

pytestmark = pytest.mark.browser

BUSY = "fig10_max_min_fairness_2.8jph_multi_s0"
OTHER = "fig10_max_min_fairness_perf_2.8jph_multi_s0"
LARGE = "fig9_synthetic_125.0jph_multi_s0"
HIGH_IDS = "fig9_fifo_1.0jph_multi_s0"
LARGE_TYPES = (("k80", 2064, 8), ("p100", 2064, 8), ("v100", 2072, 8))
#: Words, tiles and labels follow a playing round this often, by design.
WORDS_EVERY_MS = 125


@pytest.fixture(scope="module")
def made(start_server: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Sweep]:
    """A server on runs made for this: 6,200 GPUs, and job ids above 65,535."""
    folder = tmp_path_factory.mktemp("made")
    write_synthetic_run(folder / f"{LARGE}.viz.bin", LARGE_TYPES, 300, 0, 125.0)
    types = [("ResNet-18 (batch size 64)", "resnet"), ("LM (batch size 5)", "language_model")]
    write_named_run(folder / f"{HIGH_IDS}.viz.bin", types, first_job_id=70_000)
    return start_server(folder), open_sweep(folder)


@pytest.fixture(scope="module")
def published(
    start_server: Callable[[Path], str], data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Sweep]:
    """A server on published files: GPUs in quarters, types in another order than configured, no allocations."""
    folder = tmp_path_factory.mktemp("published")
    for name in ("sharing_test", "fgd_fifo_random_placement", "fgd_alibaba_gavel_random_60jph_s0"):
        shutil.copyfile(data_dir / "published" / f"{name}.viz.bin", folder / f"{name}.viz.bin")
    return start_server(folder), open_sweep(folder)


def some_rounds(run: Run, n: int) -> list[int]:
    """Both ends, and random rounds between."""
    return [0, run.n_rounds - 1, *np.random.default_rng(7).integers(run.n_rounds, size=n - 2).tolist()]


def check(sweep: Sweep, snapshot: dict[str, Any], **how: Any) -> list[int]:
    """Every run of a snapshot is right; returns their record indexes."""
    shown = [read_shown(raw) for raw in snapshot["runs"]]
    for one in shown:
        assert_right(sweep[one.name], one, **how)
    return [one.index for one in shown]


def check_at_rest(page: Page, sweep: Sweep, index: int, **how: Any) -> None:
    """Run A rests on a record: cells, screen, Plotly's heatmap and words are all of it."""
    page.evaluate("index => probe.until(() => gavel.player.shown()[0]?.painted.index === index)", index)
    page.evaluate("probe.rest()")
    snapshot = page.evaluate("probe.snapshot({ z: true })")
    assert check(sweep, snapshot, **how)[0] == index
    assert snapshot["words"] == words_of(sweep[snapshot["runs"][0]["name"]], index)


def visit(page: Page, sweep: Sweep, indexes: list[int], **how: Any) -> None:
    """Seek to records; each is right as soon as it is painted."""
    snapshots = page.evaluate("indexes => probe.visit(indexes)", indexes)
    assert [check(sweep, snapshot, **how)[0] for snapshot in snapshots] == indexes


def test_random_rounds_are_painted_as_the_library_reads_them(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_cluster(page, bundled_address, BUSY, index=22_866)
    check_at_rest(page, sweep, 22_866)
    rounds = some_rounds(sweep[BUSY], 80)
    visit(page, sweep, rounds)
    check_at_rest(page, sweep, rounds[-1])
    # The library is what the command prints.
    packed = sweep.path / f"{BUSY}.viz.bin.packed"
    for index in rounds[2:4]:
        command = [sys.executable, "-m", "gavel_dash", "round", str(packed), str(index), "--json"]
        said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        [snapshot] = page.evaluate("index => probe.visit([index])", index)
        shown = read_shown(snapshot["runs"][0])
        assert [None if job < 0 else job for job in shown.ids.tolist()] == said["allocation"]
        assert (shown.head["round"], shown.head["simTimeS"]) == (said["round"], said["sim_time_s"])


@pytest.mark.parametrize("name", [LARGE, HIGH_IDS])
def test_large_clusters_and_large_ids(page: Page, made: tuple[str, Sweep], name: str) -> None:
    address, sweep = made
    open_cluster(page, address, name, index=5, detail="gpus")
    visit(page, sweep, some_rounds(sweep[name], 30))
    page.evaluate("probe.seek(33)")
    check_at_rest(page, sweep, 33)
    assert name != HIGH_IDS or sweep[name].allocation(20).max() > 65_535


@pytest.mark.data
@pytest.mark.parametrize("name", ["sharing_test", "fgd_fifo_random_placement", "fgd_alibaba_gavel_random_60jph_s0"])
def test_published_files(page: Page, published: tuple[str, Sweep], name: str) -> None:
    address, sweep = published
    run = sweep[name]
    open_cluster(page, address, name, index=1, detail="gpus")
    rounds = some_rounds(run, 30)
    visit(page, sweep, rounds)
    check_at_rest(page, sweep, rounds[-1])
    kinds = {run.viz.has_allocation(index) for index in rounds}
    assert kinds == ({True, False} if "gavel_random" in name else {True})


def test_every_frame_of_a_playing_run_is_one_round(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run = sweep[BUSY]
    open_cluster(page, bundled_address, BUSY, index=9_000)
    page.evaluate("probe.calm()")
    for speed, frames, least in ((1, 60, 3), (20, 60, 20), (100, 120, 20)):
        page.evaluate("speed => gavel.player.model.set({ speed })", speed)
        page.keyboard.press("Space")
        film = page.evaluate("frames => probe.film(frames, { screen: false })", frames)
        page.keyboard.press("Space")
        seen = [check(sweep, snapshot)[0] for snapshot in film]
        assert seen == sorted(seen)
        assert len(set(seen)) >= least
        # Words may lag by their own pace and the frames it takes to write them; they never name another round.
        last_ms: dict[str, float] = {}
        times = [snapshot["timeMs"] for snapshot in film]
        for k, (index, snapshot) in enumerate(zip(seen, film, strict=True)):
            last_ms[words_of(run, index)] = times[k]
            if k >= 20:
                lag_ms = times[k] - last_ms[snapshot["words"]]
                assert lag_ms <= WORDS_EVERY_MS + times[k] - times[k - 4], (speed, k)
        page.evaluate("probe.rest()")
        check_at_rest(page, sweep, page.evaluate("gavel.player.stats().index"))


def test_an_answer_that_a_later_seek_overtakes_leaves_nothing_behind(
    page: Page, bundled_address: str, sweep: Sweep
) -> None:
    open_cluster(page, bundled_address, BUSY, index=22_866)
    # The page is busy while the worker answers the first of two seeks: that answer comes when it no longer counts.
    seek_twice = """async ([first, second]) => {
      gavel.player.seek(first);
      for (const end = performance.now() + 60; performance.now() < end;);
      await probe.seek(second);
      return probe.snapshot();
    }"""
    for first, second in np.random.default_rng(3).integers(22_800, 22_950, size=(12, 2)).tolist():
        assert check(sweep, page.evaluate(seek_twice, [first, second])) == [second]


def test_dragging_shows_rounds_on_the_way(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_cluster(page, bundled_address, BUSY, index=9_000, range="8900,9200")
    page.evaluate("probe.calm()")
    box = page.locator("#cluster-track").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 200, y)
    page.mouse.down()
    page.evaluate("probe.until(() => gavel.player.stats().index !== 9000)")
    page.evaluate("() => { window.filming = probe.film(60, { screen: false }); }")
    for x in range(200, 700, 5):
        page.mouse.move(box["x"] + x, y)
    film = page.evaluate("window.filming")
    page.mouse.up()
    seen = [check(sweep, snapshot)[0] for snapshot in film]
    assert len(set(seen)) > 15
    assert seen == sorted(seen)
    check_at_rest(page, sweep, page.evaluate("gavel.player.model.get('position')"))


def test_steps_loops_and_jumps(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run = sweep[BUSY]
    open_cluster(page, bundled_address, BUSY, index=9_000)
    for key, index in (("ArrowRight", 9_001), ("Shift+ArrowLeft", 8_991), ("End", run.n_rounds - 1), ("Home", 0)):
        page.keyboard.press(key)
        check_at_rest(page, sweep, index)
    jobs = run.jobs().set_index("job_id")
    hours = run.viz.round_heads["sim_time_s"] / 3600
    jumps = {
        "1200": 1_200,
        "250.5 h": int(np.searchsorted(hours, 250.5, side="right")) - 1,
        "job 700": int(jobs.loc[700, "arrival_round"]) + 1,
        "job 700 start": int(run.first_starts[700]),
        "job 700 end": int(jobs.loc[700, "completion_round"]),
    }
    for text, index in jumps.items():
        page.fill("#cluster-jump", text)
        page.press("#cluster-jump", "Enter")
        page.evaluate("index => probe.until(() => gavel.player.shown()[0].painted.index === index)", index)
        page.evaluate("gavel.player.model.set({ selectedJob: null })")
        page.evaluate("() => { gavel.player.seek(gavel.player.stats().index); return probe.rest(); }")
        check_at_rest(page, sweep, index)
    assert (run.allocation(jumps["job 700 start"]) == 700).any()
    assert not (run.allocation(jumps["job 700 start"] - 1) == 700).any()
    assert (run.allocation(jumps["job 700 end"]) == 700).any()
    page.locator("#cluster-jump").blur()
    page.evaluate("probe.seek(5000)")
    page.keyboard.press("[")
    page.evaluate("probe.seek(5011)")
    page.keyboard.press("]")
    page.evaluate("gavel.player.model.set({ speed: 10 })")
    page.keyboard.press("Space")
    seen = [check(sweep, snapshot)[0] for snapshot in page.evaluate("probe.film(60)")]
    page.keyboard.press("Space")
    assert set(seen) <= set(range(5_000, 5_012))
    assert seen != sorted(seen), "the loop never came round"


def test_two_runs_in_step(page: Page, bundled_address: str, sweep: Sweep) -> None:
    a, b = sweep[BUSY], sweep[OTHER]
    times_a, times_b = (run.viz.round_heads["sim_time_s"] for run in (a, b))
    open_cluster(page, bundled_address, BUSY, OTHER, index=1)

    def in_step(index: int) -> int:
        """B's record: its last one not after A's time; the first two share a time and keep their order."""
        at = int(np.searchsorted(times_b, times_a[index], side="right")) - 1
        return 0 if index == 0 else at

    rounds = some_rounds(a, 20)
    snapshots = page.evaluate("indexes => probe.visit(indexes)", rounds)
    assert [check(sweep, snapshot) for snapshot in snapshots] == [[index, in_step(index)] for index in rounds]
    page.evaluate("probe.seek(4000)")
    page.evaluate("gavel.player.model.set({ speed: 20 })")
    page.keyboard.press("Space")
    film = page.evaluate("probe.film(60, { screen: false })")
    page.keyboard.press("Space")
    shown = [check(sweep, snapshot) for snapshot in film]
    assert shown == [[index, in_step(index)] for index, _ in shown]
    assert len({index for index, _ in shown}) > 10


def test_other_colourings(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run = sweep[BUSY]
    open_cluster(page, bundled_address, BUSY, index=300)
    for k, name in enumerate(("scale_factor", "job", "waited", "on_gpu", "remaining"), start=2):
        page.locator("body").press(str(k))
        page.evaluate("name => probe.until(() => gavel.player.model.get('colorBy') === name)", name)
        for index in (700, 410):
            page.evaluate("index => probe.seek(index)", index)
            page.evaluate("probe.rest()")
            colors = coloring_pixels(run, index, name)[:, None]
            assert check(sweep, page.evaluate("probe.snapshot({ z: true })"), colors=colors) == [index], name
    # Chosen while playing: every frame is of one colouring in all its cells.
    page.evaluate("() => { gavel.player.play(); window.filming = probe.film(60, { screen: false }); }")
    page.locator("body").press("2")
    looks = []
    for raw in (raw for snapshot in page.evaluate("window.filming") for raw in snapshot["runs"]):
        shown = read_shown(raw)
        colors = {name: coloring_pixels(run, shown.index, name)[:, None] for name in ("remaining", "scale_factor")}
        looks += [name for name in colors if (shown.cells == colors[name]).all()]
        assert_right(run, shown, colors=colors[looks[-1]])
    assert looks == sorted(looks)
    assert set(looks) == {"remaining", "scale_factor"}


SCALE_COLORS = [(1, "#4f5bb5"), (2, "#2b83a8"), (4, "#22a884"), (8, "#86cf49"), (16, "#fde725"), (255, "#fff3a3")]
HOUR_COLORS = ["#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#c5e021"]
HOUR_EDGES = [1, 5, 20, 100, 500]
UNKNOWN_COLOR = "#98a2b3"


def coloring_pixels(run: Run, index: int, name: str) -> np.ndarray:
    """Pixel of each GPU under a colouring, worked out from the library's tables."""
    jobs = run.jobs()
    times_h = run.viz.round_heads["sim_time_s"].astype(float) / 3600
    rounds = run.viz.round_heads["round"]

    def hour_of(round_number: float) -> float:
        return float(times_h[max(0, np.searchsorted(rounds, round_number, side="right") - 1)])

    def hours_color(hours: float) -> str:
        return UNKNOWN_COLOR if np.isnan(hours) else HOUR_COLORS[int(np.searchsorted(HOUR_EDGES, hours, side="right"))]

    def color(gpu: int, job_id: int) -> str:
        if job_id < 0:
            return IDLE_COLOR
        job = jobs.iloc[job_id]
        assert job["job_id"] == job_id
        if name == "scale_factor":
            return next(color for largest, color in SCALE_COLORS if job["scale_factor"] <= largest)
        if name == "waited":
            return hours_color(max(0.0, times_h[run.first_starts[job_id]] - hour_of(job["arrival_round"])))
        if name == "remaining":
            ends = hour_of(job["completion_round"]) if job["completed"] else np.nan
            return hours_color(max(0.0, ends - times_h[index]))
        since = index
        while since > 0 and run.allocation(since - 1)[gpu] == job_id:
            since -= 1
        return hours_color(times_h[index] - times_h[since])

    allocation = run.allocation(index).tolist()
    if name == "job":
        table = pixels([IDLE_COLOR, *player_coloring("job", "light", [], [])["palette"][1:]])
        return table[[0 if job_id < 0 else 1 + job_id % 24 for job_id in allocation]]
    return pixels([color(gpu, job_id) for gpu, job_id in enumerate(allocation)])


def test_a_zoomed_part_and_the_real_screen(page: Page, made: tuple[str, Sweep]) -> None:
    address, sweep = made
    open_cluster(page, address, LARGE, index=250, detail="gpus")
    box = page.locator("#cluster-slot-0 .cluster-overlay").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    for _ in range(6):
        page.mouse.wheel(0, -240)
    page.evaluate("probe.until(() => gavel.player.shown()[0].renderer.zoom !== null)")
    for index in (251, 10, 288):
        visit(page, sweep, [index], is_zoomed=True)
    page.evaluate("probe.rest()")
    page.mouse.move(0, 0)
    [raw] = page.evaluate("probe.snapshot()")["runs"]
    shown = read_shown(raw)
    assert shown.screen is not None
    assert 10 < (shown.screen[:, 0] != 0).sum() < 3_000
    # What a user sees is what is on the canvas: a picture of the page itself, at the same places.
    picture = base64.b64encode(page.locator("#cluster-slot-0 .cluster-overlay").screenshot()).decode()
    seen = np.frombuffer(base64.b64decode(page.evaluate("text => probe.centresOfPicture(text)", picture)), "<u4")
    is_inside = (shown.screen[:, 0] != 0) & (seen != 0)
    agree = seen[is_inside] == shown.screen[is_inside, 0]
    assert agree.mean() > 0.9, "labels of jobs and lines of nodes cover some centres"
