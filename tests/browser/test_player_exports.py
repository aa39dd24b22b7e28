"""What the Cluster page gives away is what it shows: pictures, films, JSON and CSV"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Run, Sweep, open_sweep
from tests.browser.player_pictures import (
    cells_of,
    choose_export,
    decode,
    expected_cells,
    export,
    set_loop,
    shown_now,
    svg_cells,
)
from tests.browser.player_probe import open_cluster

pytestmark = pytest.mark.browser

NAME = "fig10_max_min_fairness_2.8jph_multi_s0"
OTHER = "fig10_max_min_fairness_perf_2.8jph_multi_s0"
#: Title and round of a picture, CSS pixels.
HEAD_PX = 44


def has_ink(picture: np.ndarray, rows: slice, columns: slice) -> bool:
    """Whether anything is written there."""
    return len(np.unique(picture[rows, columns])) > 2


def test_png_and_svg_are_what_is_on_screen(page: Page, bundled_address: str, sweep: Sweep, tmp_path: Path) -> None:
    names = (NAME, OTHER)
    open_cluster(page, bundled_address, *names, index=9_000)
    page.evaluate("probe.calm()")
    runs, view = shown_now(page)
    path = export(page, "png", tmp_path)
    assert path.name == f"{NAME}_round_9000.png"
    [(picture, _)] = decode(page, path, "png")
    width = page.evaluate("document.getElementById('cluster-slots').clientWidth")
    assert picture.shape[1] == 2 * width
    assert picture.shape[0] > 2 * (HEAD_PX + view["height"])
    column = picture.shape[1] // len(names)
    for k, raw in enumerate(runs):
        found = cells_of(picture, raw, view, 2, k, len(runs))
        np.testing.assert_array_equal(found, expected_cells(sweep[raw["name"]], raw["index"]), raw["name"])
        left = k * column
        assert has_ink(picture, slice(8, 44), slice(left, left + 400)), "no title"
        assert not has_ink(picture, slice(0, 6), slice(left, left + 400))
    assert has_ink(picture, slice(-180, None), slice(0, 400)), "no numbers"
    check_svg(page, sweep, runs, tmp_path)


def check_svg(page: Page, sweep: Sweep, runs: list[dict[str, Any]], folder: Path) -> None:
    """A drawing of run A: valid, without scripts, with busy shares and every cell."""
    path = export(page, "svg", folder)
    root = ElementTree.fromstring(path.read_text())
    assert root.tag.endswith("}svg")
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in tags
    assert {"image", "path"} <= tags
    busy = sweep[NAME].viz.gpus_used[9_000] / 36
    written = " ".join(root.itertext())
    for name, share in zip(("K80", "P100", "V100"), busy.tolist(), strict=True):
        assert name in written
        assert f"{100 * share:.1f}% busy" in written
    np.testing.assert_array_equal(svg_cells(page, path, runs[0]["grid"]), expected_cells(sweep[NAME], 9_000))


def test_webm_plays_and_stop_leaves_nothing(page: Page, bundled_address: str, tmp_path: Path) -> None:
    open_cluster(page, bundled_address, NAME, index=9_000)
    page.evaluate("probe.calm()")
    set_loop(page, 9_000, 9_005, speed=2)
    path = export(page, "webm", tmp_path)
    found = page.evaluate(
        """async (text) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const video = document.createElement("video");
          video.muted = true;
          video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }));
          await new Promise((done, failed) => {
            video.onloadedmetadata = done;
            video.onerror = () => failed(video.error);
          });
          video.playbackRate = 4;
          video.play();
          await new Promise((done) => { video.onended = done; });
          return [video.videoWidth, video.videoHeight, video.currentTime];
        }""",
        base64.b64encode(path.read_bytes()).decode(),
    )
    width = page.evaluate("document.getElementById('cluster-slots').clientWidth")
    assert found[0] == min(1200, width)
    assert found[1] > HEAD_PX
    assert found[2] >= 0.5, "six frames of 100 ms"
    set_loop(page, 9_000, 38_000)
    downloads: list[Any] = []
    page.on("download", lambda download: downloads.append(download))
    choose_export(page, "gif")
    progress = page.locator(".cluster-progress")
    expect(progress).to_contain_text(re.compile("Making a GIF: [0-9]+%"))
    page.evaluate("probe.until(() => document.querySelector('.cluster-progress progress').value > 0)")
    page.evaluate("probe.until(() => gavel.player.shown()[0].painted.index > 9003)")
    progress.get_by_role("button", name="Stop").click()
    expect(progress).to_have_count(0)
    page.evaluate("probe.until(() => gavel.player.shown()[0].painted.index === 9000)")
    expect(page.locator("#shell-toast")).to_be_hidden()
    assert downloads == []


def command_round(path: Path, index: int) -> dict[str, Any]:
    """What `gavel-dash round` prints."""
    command = [sys.executable, "-m", "gavel_dash", "round", str(path), str(index), "--json"]
    document: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return document


def assert_csv(table: pd.DataFrame, run: Run, index: int) -> None:
    """The rows of a run are its round in the library."""
    allocation = run.allocation(index)
    jobs = run.jobs().set_index("job_id")
    assert table["gpu"].tolist() == list(range(len(allocation)))
    assert table["job_id"].fillna(-1).astype(int).tolist() == allocation.tolist()
    assert set(table["round_index"]) == {index}
    assert set(table["round"]) == {int(run.viz.round_heads["round"][index])}
    names = [gpu_type.name for gpu_type in run.cluster.gpu_types for _ in range(gpu_type.count)]
    assert table["gpu_type"].tolist() == names
    busy = table[table["job_id"].notna()]
    for column in ("job_type", "category", "scale_factor"):
        assert busy[column].tolist() == jobs.loc[busy["job_id"].astype(int), column].tolist(), column


def test_json_and_csv_of_two_runs(page: Page, bundled_address: str, sweep: Sweep, tmp_path: Path) -> None:
    open_cluster(page, bundled_address, NAME, OTHER, index=9_000)
    saved = json.loads(export(page, "json", tmp_path).read_text())
    table = pd.read_csv(export(page, "csv", tmp_path))
    assert [run["run"] for run in saved["runs"]] == [NAME, OTHER]
    for one in saved["runs"]:
        said = command_round(sweep.path / f"{one['run']}.viz.bin.packed", one["round_index"])
        assert {key: one[key] for key in said} == said
        rows = table[table["run"] == one["run"]].reset_index(drop=True)
        assert_csv(rows, sweep[one["run"]], one["round_index"])


def test_exports_while_playing_are_one_round(page: Page, bundled_address: str, sweep: Sweep, tmp_path: Path) -> None:
    run = sweep[NAME]
    open_cluster(page, bundled_address, NAME, index=9_000, speed="20")
    page.evaluate("probe.calm()")
    runs, view = shown_now(page)
    page.keyboard.press("Space")
    for kind in ("json", "csv", "png", "svg"):
        path = export(page, kind, tmp_path)
        index = int(path.stem.rpartition("_")[2])
        assert index > 9_000
        if kind == "json":
            saved = json.loads(path.read_text())
            said = command_round(sweep.path / f"{NAME}.viz.bin.packed", index)
            assert {key: saved[key] for key in said} == said
            assert (saved["run"], saved["round_index"]) == (NAME, index)
        elif kind == "csv":
            assert_csv(pd.read_csv(path), run, index)
        elif kind == "png":
            [(picture, _)] = decode(page, path, "png")
            np.testing.assert_array_equal(cells_of(picture, runs[0], view, 2, 0, 1), expected_cells(run, index))
        else:
            np.testing.assert_array_equal(svg_cells(page, path, runs[0]["grid"]), expected_cells(run, index))


def test_gif_has_every_round_of_the_loop_whatever_is_pressed(
    page: Page, bundled_address: str, sweep: Sweep, tmp_path: Path
) -> None:
    open_cluster(page, bundled_address, NAME, index=9_000)
    page.evaluate("probe.calm()")
    set_loop(page, 9_000, 9_019)
    runs, view = shown_now(page)
    page.evaluate(
        """() => {
          const presses = [0, 5, 10];
          const press = () => {
            const bar = document.querySelector(".cluster-progress progress");
            if (bar && bar.value * 20 >= presses[0]) {
              presses.shift();
              document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
            }
            if (bar && presses.length > 0) requestAnimationFrame(press);
          };
          new MutationObserver((_, observer) => {
            if (document.querySelector(".cluster-progress")) { observer.disconnect(); press(); }
          }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    frames = decode(page, export(page, "gif", tmp_path), "gif")
    scale = frames[0][0].shape[1] / min(1200, page.evaluate("document.getElementById('cluster-slots').clientWidth"))
    assert len(frames) == 20
    assert [ms for _, ms in frames] == [200] * 20, "five rounds a second at 1x"
    assert len({picture[:HEAD_PX].tobytes() for picture, _ in frames}) == 20, "each frame names its round"
    for k, (picture, _) in enumerate(frames):
        found = cells_of(picture, runs[0], view, scale, 0, 1)
        np.testing.assert_array_equal(found, expected_cells(sweep[NAME], 9_000 + k), f"frame {k}")


@pytest.mark.data
def test_json_of_shared_gpus(page: Page, start_server: Callable[[Path], str], data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    path = folder / "sharing_test.viz.bin"
    shutil.copyfile(data_dir / "published" / path.name, path)
    run = open_sweep(folder)["sharing_test"]
    index = next(i for i in range(run.n_rounds) if run.viz.sharing(i))
    open_cluster(page, start_server(folder), "sharing_test", index=index)
    saved = json.loads(export(page, "json", tmp_path).read_text())
    said = command_round(path, index)
    assert {key: saved[key] for key in said} == said
    assert said["sharing"]
    table = pd.read_csv(export(page, "csv", tmp_path))
    quarters = table[table["quarter"].notna()]
    for gpu, rows in quarters.groupby("gpu"):
        assert [None if np.isnan(job) else job for job in rows["job_id"]] == said["sharing"][str(gpu)]
    assert set(quarters["gpu"].astype(str)) == set(said["sharing"])
