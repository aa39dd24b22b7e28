"""The Cluster page as a user of a browser has it: opened, waited for, asked what it shows, and pointed at."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
from playwright.sync_api import Page, expect

from gavel_dash.sweep import Run

#: Runs are on screen with their times, in frames of the size they have, and nothing more is on its way.
_AT_REST = """n => {
  const shown = window.gavel?.player.shown() ?? [];
  if (shown.length !== n) return false;
  const asked = window.dash_component_api.getLayout("cluster-request").props.data.serial;
  return shown.every(({ run, painted, renderer }) => {
    const { stage, graph, frame } = renderer;
    const { z } = graph.data[0];
    const [width, height] = [graph._fullLayout.width, frame.figure.layout.height];
    return width === stage.clientWidth && height === stage.clientHeight &&
      run.overview !== null && painted.serial === asked && painted.codes !== null &&
      (painted.hasAllocation ? z[0] === painted.codes[0] : z.length === 0);
  });
}"""
#: Plain job id of each GPU, -1 where it is idle.
_IDS = """k => {
  const { run, painted } = window.gavel.player.shown()[k];
  return Array.from(painted.ids, (id) => (id === 0 ? -1 : id - run.meta.jobIdOffset));
}"""
#: Colour of the middle of each GPU in the picture of the cells, "#rrggbb".
_COLORS = """k => {
  const { renderer: { image, frame: { grid } } } = window.gavel.player.shown()[k];
  const copy = new OffscreenCanvas(image.width, image.height).getContext("2d");
  copy.drawImage(image, 0, 0);
  const { data } = copy.getImageData(0, 0, image.width, image.height);
  const found = [];
  let above = 0;
  for (const band of grid.bands) {
    for (let i = 0; i < band.count; i += 1) {
      const row = (above + Math.floor(i / grid.columns)) * grid.parts;
      const at = 4 * (row * image.width + (i % grid.columns) * grid.parts);
      found.push("#" + [0, 1, 2].map((k) => data[at + k].toString(16).padStart(2, "0")).join(""));
    }
    above += band.rows;
  }
  return found;
}"""
_POINT = """([k, gpu, dx, dy]) => {
  const { renderer } = window.gavel.player.shown()[k];
  const { geometry: { x0, x1, top, bottom }, frame: { grid } } = renderer;
  const box = renderer.canvas.getBoundingClientRect();
  const band = grid.bands.findLast(({ first_gpu, count }) => count > 0 && first_gpu <= gpu);
  const i = gpu - band.first_gpu;
  return [box.left + box.width * ((i % grid.columns) + dx - x0) / (x1 - x0),
          box.top + box.height * (band.top + Math.floor(i / grid.columns) + dy - top) / (bottom - top)];
}"""


def open_cluster(page: Page, address: str, *names: str, **query: object) -> None:
    """Open runs of a sweep on the Cluster page and wait until they are there."""
    values = [("run", name) for name in names] + [(key, str(value)) for key, value in query.items()]
    page.goto(f"{address}/cluster?{urlencode(values)}")
    wait_at_rest(page, len(names))


def wait_at_rest(page: Page, n_runs: int = 1) -> None:
    """Wait until `n_runs` runs are painted, with their times, and nothing moves."""
    page.wait_for_function(_AT_REST, arg=n_runs)


def wait_state(page: Page, **values: object) -> None:
    """Wait until the page's state has these values; `index` is run A's record on screen."""
    page.wait_for_function(
        """values => {
          if (!window.gavel) return false;  // one player has ended, the next is on its way
          const { model, stats } = window.gavel.player;
          const state = { ...model.all(), index: stats().index };
          return Object.entries(values).every(([name, value]) => JSON.stringify(state[name]) === JSON.stringify(value));
        }""",
        arg=values,
    )


def state(page: Page) -> dict[str, Any]:
    """The page's state, and the records on screen by run (`indexes`)."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const { runs, shown, ...state } = window.gavel.player.model.all();
          return { ...state, indexes: window.gavel.player.shown().map(({ painted }) => painted.index) };
        }"""
    )
    return found


def query(page: Page) -> dict[str, list[str]]:
    """What the address says now."""
    return parse_qs(urlsplit(page.url).query)


def wait_query(page: Page, **values: object) -> None:
    """Wait until the address has these values, None for a key that is not there."""
    page.wait_for_function(
        """values => {
          const query = new URLSearchParams(window.location.search);
          return Object.entries(values).every(([key, value]) => query.get(key) === value);
        }""",
        arg={key: None if value is None else str(value) for key, value in values.items()},
    )


def expect_record(page: Page, index: int) -> None:
    """Wait until run A is at this record, on screen and in words."""
    wait_state(page, index=index)
    expect(page.locator("#cluster-now")).to_contain_text(f"record {index + 1:,} of ")


def shown_job_ids(page: Page, k: int = 0) -> list[int]:
    """Job on each GPU of run `k` on screen, -1 where it is idle."""
    ids: list[int] = page.evaluate(_IDS, k)
    return ids


def shown_colors(page: Page, k: int = 0) -> list[str]:
    """Colour of each GPU of run `k` on screen; of the first quarter where it is shared."""
    colors: list[str] = page.evaluate(_COLORS, k)
    return colors


def wait_dimmed(page: Page, expected: np.ndarray, k: int = 0) -> None:
    """Wait until just these GPUs of run `k` (bool, shape (n_gpus,)) are dimmed: painted in no colour of the palette."""
    page.wait_for_function(
        f"""([k, expected]) => {{
          if (!window.gavel.player.shown()[k]) return false;
          const {{ renderer: {{ frame }}, painted }} = window.gavel.player.shown()[k];
          const palette = frame.looks[painted.look].palette.map((color) => color.toLowerCase());
          const colors = ({_COLORS})(k);
          return colors.every((color, gpu) => palette.includes(color) !== expected[gpu]);
        }}""",
        arg=[k, expected.tolist()],
    )


def point_of_gpu(page: Page, gpu: int, k: int = 0, at: tuple[float, float] = (0.5, 0.5)) -> tuple[float, float]:
    """Pixels on screen of a place in the cell of a GPU of run `k`, by default its middle."""
    x, y = page.evaluate(_POINT, [k, gpu, *at])
    return x, y


def legend(page: Page) -> dict[str, str]:
    """Colour, "#rrggbb", by label of the legend above the heatmaps."""
    entries: list[tuple[str, str]] = page.evaluate(
        """() => [...document.querySelectorAll("#cluster-legend .cluster-legend-entry")].map((entry) => {
          const color = getComputedStyle(entry.querySelector(".cluster-swatch")).backgroundColor;
          const parts = color.match(/\\d+/g).slice(0, 3).map((part) => Number(part).toString(16).padStart(2, "0"));
          return [entry.textContent, "#" + parts.join("")];
        })"""
    )
    return dict(entries)


def tiles(page: Page) -> dict[str, list[str]]:
    """Texts of each tile by key: value and detail of run A, then of those beside it."""
    found: dict[str, list[str]] = page.evaluate(
        """() => Object.fromEntries(
          [...document.querySelectorAll("#cluster-tiles [data-tile]")].map((tile) => [
            tile.dataset.tile,
            [...tile.querySelectorAll(".gd-tile-value, .gd-tile-detail")].map((cell) => cell.textContent),
          ]),
        )"""
    )
    return found


def choose(page: Page, menu: str, label: str) -> None:
    """Choose an option of a menu of the page by its label."""
    page.locator(f"#cluster-{menu}").click()
    page.get_by_role("option", name=label, exact=True).click()
    expect(page.locator(".dash-dropdown-content")).to_have_count(0)


def expected_tiles(run: Run, index: int) -> dict[str, str]:
    """What the tiles of a round must say, computed from the library's tables; what needs nodes is not among it."""
    row = run.rounds().iloc[index]
    jobs = run.jobs()
    gone = jobs[jobs["completed"] & (jobs["completion_round"] < row["round"])]
    measured = gone[gone["in_window"]]
    round_numbers, sim_time_s = run.clock()
    times = sim_time_s.astype(float)
    start = max(0, int(np.searchsorted(times, times[index] - 360_000, "right")) - 1)
    hours = (times[index] - times[start]) / 3600
    completions = jobs.loc[jobs["completed"], "completion_round"]
    recent = int((completions < round_numbers[index]).sum() - (completions < round_numbers[start]).sum())
    # A mean that misses measured jobs is a lower bound.
    bound = "≥ " if run.window and 0 < len(measured) < run.window.n_jobs else ""
    mean = {True: "–", False: "{:,.1f} h"}
    return {
        "occupancy": f"{100 * row['occupancy']:.1f}%",
        "free_gpus": f"{run.cluster.gpus - row['gpus_used']:,}",
        "jobs_running": f"{row['jobs_running']:,}",
        "jobs_queued": f"{row['jobs_queued']:,}",
        "jobs_completed": f"{row['jobs_completed']:,}",
        "throughput_jph": f"{recent / hours:,.2f} jph" if hours > 0 else "–",
        "mean_jct_h": mean[gone.empty].format(gone["jct_h"].mean()),
        "window_jct_h": bound + mean[measured.empty].format(measured["jct_h"].mean()),
        "effective_utilization": f"{100 * row['effective_utilization']:.1f}%",
    }


def expect_tiles(page: Page, expected: dict[str, str]) -> None:
    """Wait until the tiles of the one run on screen say so."""
    for key, text in expected.items():
        expect(page.locator(f"#cluster-tiles [data-tile={key}] .gd-tile-value")).to_have_text(text)
