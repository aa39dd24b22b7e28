"""Files on the Cluster page: of this computer, at an address, packed, damaged, and odd ones of the wild."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Sweep, open_sweep
from tests.browser.player import (
    expect_record,
    expect_tiles,
    expected_tiles,
    open_cluster,
    point_of_gpu,
    shown_job_ids,
    wait_at_rest,
    wait_state,
)
from tests.make import write_run

pytestmark = pytest.mark.browser

CALM, SECOND = (f"fig9_synthetic_2.1jph_multi_s{seed}" for seed in (0, 1))
LOCAL = "local.viz.bin"


class RangeHandler(SimpleHTTPRequestHandler):
    """A static host that answers one range, and lets other pages read it."""

    def do_GET(self) -> None:
        whole = Path(self.translate_path(self.path)).read_bytes()
        start, stop = self.headers["Range"].removeprefix("bytes=").split("-")
        part = whole[int(start) : int(stop) + 1]
        self.send_response(206)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Expose-Headers", "Content-Range")
        self.send_header("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(whole)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "range")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A static host of a folder: its address and the folder, which holds a small run."""
    folder = tmp_path_factory.mktemp("host")
    write_run(folder / LOCAL)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(RangeHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def published(data_dir: Path) -> Sweep:
    """The published files of other makers."""
    return open_sweep(data_dir / "published")


@pytest.fixture(scope="module")
def published_address(start_server: Callable[[Path], str], published: Sweep) -> str:
    """A server on them."""
    return start_server(published.path)


def test_a_file_of_this_computer_and_one_at_an_address(
    page: Page, synthetic_address: str, host: tuple[str, Path]
) -> None:
    address, folder = host
    local = open_sweep(folder)["local"]
    uploads: list[str] = []
    open_cluster(page, synthetic_address, CALM, round=300)
    page.on("request", lambda request: uploads.append(request.url) if len(request.post_data or "") > 20_000 else None)
    page.locator("#cluster-open-input").set_input_files(folder / LOCAL)
    page.wait_for_function("window.gavel.player.shown()[0]?.run.base === null")
    wait_at_rest(page)
    expect(page.locator("#cluster-head-0")).to_contain_text(LOCAL)
    for index in (0, 11, 37, 59):
        page.evaluate("index => window.gavel.player.seek(index)", index)
        expect_record(page, index)
        assert shown_job_ids(page) == local.allocation(index).tolist()
        expect_tiles(page, expected_tiles(local, index))
    assert uploads == []
    expect(page.locator("#cluster-queue-csv")).to_be_hidden()
    # Closing it gives back the run of the sweep.
    page.get_by_role("button", name=f"Close {LOCAL}").click()
    page.wait_for_function("name => window.gavel.player.shown()[0]?.run.name === name", arg=CALM)
    # One at an address, beside it, and again after a reload.
    page.click("#cluster-open")
    page.get_by_label("beside the run on screen").check()
    page.locator("#cluster-open-address").fill("http://")
    page.click("#cluster-open-go")
    expect(page.locator("#shell-toast")).to_contain_text('"http://" is no address of a file.')
    page.locator("#cluster-open-address").fill(f"{address}/{LOCAL}")
    page.click("#cluster-open-go")
    wait_at_rest(page, 2)
    page.wait_for_function("new URLSearchParams(location.search).get('file') !== null")
    assert quote(f"{address}/{LOCAL}", safe="") in page.url
    page.reload()
    wait_at_rest(page, 2)
    index = page.evaluate("window.gavel.player.shown()[1].painted.index")
    assert shown_job_ids(page, 1) == local.allocation(index).tolist()


def test_files_that_cannot_be_read_are_one_sentence(
    page: Page, synthetic_address: str, synthetic: Sweep, host: tuple[str, Path], tmp_path: Path
) -> None:
    whole = (host[1] / LOCAL).read_bytes()
    header = bytearray(whole)
    header[32:40] = (10**15).to_bytes(8, "little")  # the rounds begin behind the end
    damaged = {
        "notes.viz.bin": (b"not a run at all", "notes.viz.bin cannot be shown"),
        "empty.viz.bin": (b"", "empty.viz.bin cannot be shown"),
        "half.viz.bin": (whole[: len(whole) // 2], "half.viz.bin cannot be shown"),
        "offset.viz.bin": (bytes(header), "offset.viz.bin cannot be shown"),
        "packed.viz.bin.zst": (b"\x28\xb5\x2f\xfd", "packed.viz.bin.zst is packed: unpack it first"),
    }
    open_cluster(page, synthetic_address, CALM, round=300)
    toast = page.locator("#shell-toast")
    for name, (content, sentence) in damaged.items():
        (tmp_path / name).write_bytes(content)
        page.locator("#cluster-open-input").set_input_files(tmp_path / name)
        expect(toast).to_contain_text(sentence)
        if "packed" not in sentence:
            expect(toast).to_contain_text("expected")
    # The page lives on, with the run of the sweep.
    page.wait_for_function("name => window.gavel.player.shown()[0]?.run.name === name", arg=CALM)
    wait_at_rest(page)
    page.keyboard.press("ArrowRight")
    index = page.evaluate("window.gavel.player.model.get('position')")
    expect_record(page, index)
    assert shown_job_ids(page) == synthetic[CALM].allocation(index).tolist()


@pytest.mark.data
def test_telemetry_only_says_so_and_plays_its_numbers(page: Page, published_address: str, published: Sweep) -> None:
    name = "fgd_alibaba_mig_fgd_360jph_s0"
    run = published[name]
    open_cluster(page, published_address, name, round=60)
    used = int(run.rounds()["gpus_used"].iloc[60])
    expect(page.locator("#cluster-slot-0 .cluster-no-allocation")).to_have_text(
        f"No allocation data in this round: {used:,} GPUs in use, but the file does not say by whom."
    )
    unknown = dict.fromkeys(("mean_jct_h", "window_jct_h", "throughput_jph", "fragmentation_rate"), "–")
    expect_tiles(page, expected_tiles(run, 60) | unknown)
    page.mouse.move(*point_of_gpu(page, 100))
    expect(page.locator(".cluster-job-tip")).to_contain_text("the file does not say who holds it")
    page.keyboard.press("Space")
    page.wait_for_function("window.gavel.player.stats().index >= 63")
    page.keyboard.press("Space")
    wait_state(page, playing=False)


@pytest.mark.data
def test_shared_gpus_show_their_quarters(page: Page, published_address: str, published: Sweep) -> None:
    run = published["sharing_test"]
    tenants = run.viz.sharing(8)
    gpu, quarters = next((gpu, q) for gpu, q in tenants.items() if len(set(q[q >= 0].tolist())) > 1)
    open_cluster(page, published_address, "sharing_test", round=8, detail="gpus")
    expect(page.locator("#cluster-legend")).to_contain_text("in quarters: shared by several jobs")
    for quarter, (dx, dy) in enumerate(((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))):
        page.mouse.move(*point_of_gpu(page, gpu, at=(dx, dy)))
        expect(page.locator(".cluster-job-tip strong")).to_have_text(f"Job {quarters[quarter]}")
    expect(page.locator(".cluster-job-tip")).to_contain_text("Shared:")
    for job_id, n in pd.Series(quarters).value_counts().items():
        expect(page.locator(".cluster-job-tip")).to_contain_text(f"job {job_id} {n}/4")
    expect(page.locator("#cluster-note-0")).to_contain_text("The file counts")


@pytest.mark.data
@pytest.mark.parametrize("name", ["fgd_fifo_random_placement", "generation_1a_test_data"])
def test_files_of_other_makers_are_read_as_the_library_does(
    page: Page, published_address: str, published: Sweep, name: str
) -> None:
    run = published[name]
    index = run.n_rounds // 2
    open_cluster(page, published_address, name, round=index)
    assert shown_job_ids(page) == run.allocation(index).tolist()
    bands = page.evaluate("window.gavel.player.shown()[0].renderer.frame.grid.bands.map(({ name }) => name)")
    assert bands == [gpu_type.name for gpu_type in run.cluster.gpu_types]
    expect(page.locator("#cluster-queue-summary")).to_contain_text(
        f"{len(run.queue(index)):,} wait" if len(run.queue(index)) else "No waiting job"
    )
    # A file of this computer that no server has looked at: the browser finds the order of the types itself.
    path = next(run_path for run_path in published.path.iterdir() if run_path.name.startswith(name))
    page.locator("#cluster-open-input").set_input_files(path)
    page.wait_for_function("window.gavel.player.shown()[0]?.run.base === null")
    wait_at_rest(page)
    page.evaluate("index => window.gavel.player.seek(index)", index)
    expect_record(page, index)
    assert shown_job_ids(page) == run.allocation(index).tolist()
    assert page.evaluate("window.gavel.player.shown()[0].renderer.frame.grid.bands.map(({ name }) => name)") == bands
    used = page.evaluate("window.gavel.player.shown()[0].painted.head.gpusUsed")
    assert used == np.asarray(run.viz.gpus_used[index]).tolist()
