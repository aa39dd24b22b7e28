"""What the Cluster page really shows, read from its pixels, and what the library says it should."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page

from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from gavel_dash.sweep import Run
from tests.make import GPU_TYPES, simulate

#: What each colour means, by the design and not by the code under test.
CATEGORY_COLORS = {
    "resnet": "#0072B2",
    "transformer": "#009E73",
    "language model": "#E69F00",
    "recommendation": "#CC79A7",
    "cyclegan": "#D55E00",
    "a3c": "#F0E442",
    "other": "#56B4E9",
}
IDLE_COLOR = "#f7f8fa"
#: `window.probe`: snapshots of what is on screen, and waiting without sleeping. Canvases are read from copies, so that
#: looking at them changes neither how they are drawn nor what is in them.
PROBE = """(() => {
  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const base64 = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
  };
  const pixelsOf = (canvas) => {
    Object.assign(copy.canvas, { width: canvas.width, height: canvas.height });
    copy.drawImage(canvas, 0, 0);
    return new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  };
  /* The pixel at the centre of each part of each GPU on screen; 0 where it is out of view. */
  const centresOf = ({ canvas, geometry, frame: { grid } }) => {
    const pixels = pixelsOf(canvas);
    const { x0, x1, top, bottom } = geometry;
    const found = [];
    for (const band of grid.bands) {
      for (let i = 0; i < band.count; i += 1) {
        for (let part = 0; part < grid.parts ** 2; part += 1) {
          const x = (i % grid.columns) + ((part % grid.parts) + 0.5) / grid.parts;
          const y = band.top + Math.floor(i / grid.columns) + (Math.floor(part / grid.parts) + 0.5) / grid.parts;
          const px = Math.floor(((x - x0) / (x1 - x0)) * canvas.width);
          const py = Math.floor(((y - top) / (bottom - top)) * canvas.height);
          const isVisible = px >= 0 && px < canvas.width && py >= 0 && py < canvas.height;
          found.push(isVisible ? pixels[py * canvas.width + px] : 0);
        }
      }
    }
    return Uint32Array.from(found);
  };
  const player = () => window.gavel?.player;
  const nextFrame = () => new Promise(requestAnimationFrame);
  const until = async (isSo, what = isSo) => {
    for (const end = performance.now() + 15000; !isSo();) {
      if (performance.now() > end) throw new Error(`not within 15 s: ${what}`);
      await nextFrame();
    }
  };
  const snapshot = ({ screen = true, z = false } = {}) => ({
    timeMs: performance.now(),
    words: document.getElementById("cluster-now").textContent,
    runs: player().shown().map(({ run, badge, painted, renderer }) => ({
      name: run.name, badge, index: painted.index, head: painted.head, look: painted.look,
      hasAllocation: painted.hasAllocation, offset: run.meta.jobIdOffset, grid: renderer.frame.grid,
      width: renderer.image.width, ids: base64(painted.ids), image: base64(pixelsOf(renderer.image)),
      screen: screen ? base64(centresOf(renderer)) : null,
      z: z ? { rows: Array.from(renderer.graph.data[0].z, (row) => base64(Float32Array.from(row))),
               colorscale: renderer.graph.data[0].colorscale } : null,
    })),
  });
  const seek = async (index) => {
    const { drawn } = player().stats();
    player().seek(index);
    await until(() => player().stats().drawn > drawn && player().shown()[0]?.painted.index === index, `round ${index}`);
  };
  window.probe = {
    until, seek, snapshot, nextFrame,
    /* The pixels at the centres of the cells in a screenshot of the plot area. */
    async centresOfPicture(text) {
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const { renderer: { geometry, frame } } = player().shown()[0];
      return base64(centresOf({ canvas: picture, geometry, frame }));
    },
    async visit(indexes, how) {
      const found = [];
      for (const index of indexes) {
        await seek(index);
        found.push(snapshot(how));
      }
      return found;
    },
    /* One snapshot per animation frame, the page's own drawing of that frame included. */
    async film(frames, how) {
      const found = [];
      for (let k = 0; k < frames; k += 1) {
        await nextFrame();
        found.push(snapshot(how));
      }
      return found;
    },
    /* The page has laid itself out: no new frame was built for a while. */
    async calm(frames = 20) {
      let last = null;
      let same = 0;
      await until(() => {
        const now = player().shown().map(({ renderer }) => renderer.frame);
        same = now.length > 0 && now.every((frame, k) => frame === last?.[k]) ? same + 1 : 0;
        last = now;
        return same >= frames;
      }, "the page is laid out");
    },
    /* At rest: the heatmap has its z and the words are those of the round. */
    async rest() {
      const isAtRest = () => player().shown().every(({ renderer, painted }) => {
        const { z } = renderer.graph.data[0];
        return painted.codes !== null && (painted.hasAllocation ? z[0] === painted.codes[0] : z.length === 0);
      });
      await until(isAtRest, "the heatmap has its z");
    },
  };
})()"""


def open_cluster(page: Page, address: str, *names: str, index: int | None = None, **query: str) -> None:
    """Open runs on the Cluster page and wait until all of them are painted."""
    page.add_init_script(PROBE)
    values = (
        [("run", name) for name in names] + ([] if index is None else [("round", str(index))]) + list(query.items())
    )
    page.goto(f"{address}/cluster?{urlencode(values)}")
    wait_until_shown(page, len(names))


def wait_until_shown(page: Page, n_runs: int) -> None:
    """Wait until `n_runs` runs are painted, and their times have come."""
    page.wait_for_function(
        """n => {
          const shown = window.gavel?.player.shown() ?? [];
          return shown.length === n && shown.every(({ run }) => run.overview !== null);
        }""",
        arg=n_runs,
    )


@dataclass(frozen=True)
class Shown:
    """One run on screen.

    Attributes
    ----------
    ids : ndarray of int64, shape (n_gpus,)
        Plain job ids, -1 idle.
    cells, screen : ndarray of uint32, shape (n_gpus, parts)
        Pixel (little-endian RGBA) of each part of each GPU: in the picture of the cells; on screen, 0 out of view.
    """

    name: str
    index: int
    head: dict[str, Any]
    look: str
    has_allocation: bool
    grid: dict[str, Any]
    ids: np.ndarray
    cells: np.ndarray
    screen: np.ndarray | None
    z: np.ndarray | None


def read_shown(raw: dict[str, Any]) -> Shown:
    """A run of a snapshot."""
    grid = raw["grid"]
    stored = _array(raw["ids"], "<u4").astype(np.int64)
    rows, columns = places(grid)
    image = _array(raw["image"], "<u4").reshape(-1, raw["width"])
    parts = grid["parts"] ** 2
    screen = None if raw["screen"] is None else _array(raw["screen"], "<u4").reshape(-1, parts)
    cells = image[rows, columns]
    z = None
    if raw["z"] is not None and not raw["z"]["rows"]:
        z = np.zeros_like(cells)
    elif raw["z"] is not None:
        codes = np.stack([_array(row, "<f4") for row in raw["z"]["rows"]])
        z_rows, _ = places(grid, "first_row")
        palette = [color for _, color in raw["z"]["colorscale"][::2]]
        z = pixels(palette)[codes[z_rows, columns].astype(int)]
    ids = np.where(stored == 0, -1, stored - raw["offset"])
    how = {name: raw[name] for name in ("name", "index", "head", "look")}
    return Shown(**how, has_allocation=raw["hasAllocation"], grid=grid, ids=ids, cells=cells, screen=screen, z=z)


def places(grid: dict[str, Any], first_row: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each part of each GPU, shape (n_gpus, parts): bands in a row, or at their `first_row`."""
    parts, columns = grid["parts"], grid["columns"]
    all_rows, all_columns, above = [], [], 0
    for band in grid["bands"]:
        i = np.arange(band["count"])[:, None]
        part = np.arange(parts**2)[None, :]
        start = above if first_row is None else band[first_row]
        all_rows.append((start + i // columns) * parts + part // parts)
        all_columns.append((i % columns) * parts + part % parts)
        above += band["rows"]
    return np.concatenate(all_rows), np.concatenate(all_columns)


def pixels(colors: list[str]) -> np.ndarray:
    """CSS colours as pixels: ndarray of uint32, little-endian RGBA."""
    parts = [bytes.fromhex(color[1:]) + b"\xff" for color in colors]
    return np.frombuffer(b"".join(parts), "<u4")


def tenants(run: Run, index: int, parts: int) -> np.ndarray:
    """Plain id in each part of each GPU, shape (n_gpus, parts): alike, but where quarters hold several jobs."""
    ids = np.repeat(run.allocation(index)[:, None], parts, axis=1)
    if parts > 1:
        for gpu, quarters in run.viz.sharing(index).items():
            if len(set(quarters[quarters >= 0].tolist())) > 1:
                ids[gpu] = quarters
    return ids


@lru_cache
def _category_colors(run: Run) -> dict[int, str]:
    """Colour of each job by its category, and of -1."""
    jobs = run.jobs()
    names = jobs["category"].fillna("other").str.lower().str.replace("_", " ")
    colors = [CATEGORY_COLORS.get(name, CATEGORY_COLORS["other"]) for name in names]
    return dict(zip(jobs["job_id"].tolist(), colors, strict=True)) | {-1: IDLE_COLOR}


def category_pixels(run: Run, ids: np.ndarray) -> np.ndarray:
    """Pixel of each job by its category, of the shape of `ids`."""
    colors = _category_colors(run)
    values, which = np.unique(ids, return_inverse=True)
    return pixels([colors.get(value, CATEGORY_COLORS["other"]) for value in values.tolist()])[which].reshape(ids.shape)


def assert_right(run: Run, shown: Shown, *, is_zoomed: bool = False, colors: np.ndarray | None = None) -> None:
    """The run on screen is its round `shown.index`: who holds each GPU, the numbers, and every painted cell."""
    where = f"{shown.name} at record {shown.index}"
    bands = [(band["name"], band["count"], band["first_gpu"]) for band in shown.grid["bands"]]
    cluster = run.cluster
    types = zip(cluster.gpu_types, cluster.first_gpus, strict=True)
    assert bands == [(gpu_type.name, gpu_type.count, first) for gpu_type, first in types], where
    np.testing.assert_array_equal(shown.ids, run.allocation(shown.index), where)
    head = run.viz.round_heads[shown.index]
    for name, key in (("round", "round"), ("sim_time_s", "simTimeS"), ("jobs_running", "jobsRunning")):
        assert float(head[name]) == float(np.float32(shown.head[key])), (where, name)
    assert int(head["jobs_queued"]) == shown.head["jobsQueued"], where
    assert int(head["jobs_completed"]) == shown.head["jobsCompleted"], where
    assert shown.has_allocation == run.viz.has_allocation(shown.index), where
    if colors is None:
        colors = category_pixels(run, tenants(run, shown.index, shown.grid["parts"] ** 2))
    if not shown.has_allocation:
        colors = np.zeros_like(colors)
    np.testing.assert_array_equal(shown.cells, colors, f"cells of {where}")
    if shown.screen is not None:
        is_visible = shown.screen != 0 if is_zoomed else np.ones(colors.shape, bool)
        assert is_visible.any(), where
        np.testing.assert_array_equal(shown.screen[is_visible], colors[is_visible], f"screen of {where}")
    if shown.z is not None:
        np.testing.assert_array_equal(shown.z, colors, f"z of {where}")


def words_of(run: Run, index: int) -> str:
    """What the page says of a round: number, time, phase, record."""
    head = run.viz.round_heads[index]
    phases = run.phases
    phase = ""
    if phases is not None:
        is_before, is_in = index < phases.measurement_start, index < phases.measurement_end
        phase = " · warm-up" if is_before else " · measurement" if is_in else " · cool-down"
    hours = float(head["sim_time_s"]) / 3600
    return f"Round {int(head['round']):,} · {hours:,.1f} h{phase} · record {index + 1:,} of {run.n_rounds:,}"


def write_named_run(
    path: Path,
    job_types: Sequence[tuple[str, str]],
    gpu_names: Sequence[str] = ("k80", "v100"),
    policy: str = "fifo",
    first_job_id: int = 0,
    **how: int,
) -> None:
    """Write a small simulated run with other names and ids than usual; two job types as (name, category)."""
    run = simulate(**how)
    run["jobs"]["job_id"] += first_job_id
    lengths = np.array([len(queue) for queue in run["queues"]])
    queued = np.array([job for queue in run["queues"] for job in queue], np.int64) + first_job_id
    allocation = np.where(run["allocation"] < 0, -1, run["allocation"] + first_job_id)
    config = {
        "policy": policy,
        "gpu_types": [{**gpu_type, "name": name} for gpu_type, name in zip(GPU_TYPES, gpu_names, strict=True)],
        "measurement_window": {"start_job": first_job_id + 2, "end_job": first_job_id + 8},
        "job_types": [{"id": i, "name": name, "category": kind} for i, (name, kind) in enumerate(job_types)],
    }
    block = RoundBlock(run["heads"], run["used"], allocation, lengths, queued)
    with path.open("wb") as file:
        write_vizbin(file, config, run["jobs"], [block], len(run["heads"]))


def _array(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)
