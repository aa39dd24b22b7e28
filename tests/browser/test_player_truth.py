"""What the Cluster page shows is the round it names: allocation, numbers, words and pixels, at rest and while playing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.sweep import Run, Sweep, open_sweep
from tests.browser.player_probe import (
    assert_right,
    open_cluster,
    pixels,
    read_shown,
    wait_until_shown,
    words_of,
    write_named_run,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

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
    """A server on published files: GPUs in quarters, types in another order than the config says, missing allocations."""
    folder = tmp_path_factory.mktemp("published")
    for name in ("sharing_test", "fgd_fifo_random_placement", "fgd_alibaba_gavel_random_60jph_s0"):
        (folder / f"{name}.viz.bin").symlink_to(data_dir / "published" / f"{name}.viz.bin")
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
    rounds = some_rounds(sweep[BUSY], 120)
    visit(page, sweep, rounds)
    check_at_rest(page, sweep, rounds[-1])


@pytest.mark.parametrize("name", [LARGE, HIGH_IDS])
def test_large_clusters_and_large_ids(page: Page, made: tuple[str, Sweep], name: str) -> None:
    address, sweep = made
    open_cluster(page, address, name, index=5, detail="gpus")
    visit(page, sweep, some_rounds(sweep[name], 40))
    page.evaluate("probe.seek(33)")
    check_at_rest(page, sweep, 33)
    assert name != HIGH_IDS or sweep[name].allocation(20).max() > 65_535


@pytest.mark.data
@pytest.mark.parametrize("name", ["sharing_test", "fgd_fifo_random_placement", "fgd_alibaba_gavel_random_60jph_s0"])
def test_published_files(page: Page, published: tuple[str, Sweep], name: str) -> None:
    address, sweep = published
    run = sweep[name]
    open_cluster(page, address, name, index=1, detail="gpus")
    rounds = some_rounds(run, 40)
    visit(page, sweep, rounds)
    check_at_rest(page, sweep, rounds[-1])
    kinds = {run.viz.has_allocation(index) for index in rounds}
    assert kinds == ({True, False} if "gavel_random" in name else {True})


def test_the_command_prints_what_is_shown(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_cluster(page, bundled_address, BUSY)
    packed = sweep.path / f"{BUSY}.viz.bin.zst"
    for index in (3, 9_000, 31_007):
        command = [sys.executable, "-m", "gavel_dash", "round", str(packed), str(index), "--json"]
        said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        [snapshot] = page.evaluate("index => probe.visit([index])", index)
        shown = read_shown(snapshot["runs"][0])
        assert [None if job < 0 else job for job in shown.ids.tolist()] == said["allocation"]
        assert (shown.head["round"], shown.head["simTimeS"]) == (said["round"], said["sim_time_s"])
