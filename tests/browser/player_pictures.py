"""What the Cluster page's Export menu gives, taken and read as a user would: by a click, decoded by the browser."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from playwright.sync_api import Page

from gavel_dash.sweep import Run
from tests.browser.player_probe import CATEGORY_COLORS, IDLE_COLOR, category_pixels, pixels, places

#: Left of the cells of a run in a picture are its labels, between two runs a gap; CSS pixels.
LABEL_PX, GAP_PX = 96, 16


def choose_export(page: Page, kind: str) -> None:
    """Choose an entry of the Export menu."""
    page.get_by_role("button", name="Export").click()
    page.click(f"#cluster-export-{kind}")


def export(page: Page, kind: str, folder: Path) -> Path:
    """The file that an entry of the Export menu gives, under the name it was given."""
    with page.expect_download() as download:
        choose_export(page, kind)
    name = download.value.suggested_filename
    assert re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._=-]*_round(_\d+|s_\d+-\d+)\.{kind}", name)
    path = folder / name
    download.value.save_as(path)
    return path


DECODE = """async ([text, type]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const frames = [];
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = (picture, width, height, ms) => {
    Object.assign(context.canvas, { width, height });
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    let text = "";
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
    frames.push({ width, height, ms, rgba: btoa(text) });
  };
  if (type === "image/png") {
    const picture = await createImageBitmap(new Blob([bytes], { type }));
    read(picture, picture.width, picture.height, null);
    return frames;
  }
  const decoder = new ImageDecoder({ data: bytes, type });
  await decoder.completed;
  await decoder.tracks.ready;
  for (let k = 0; k < decoder.tracks.selectedTrack.frameCount; k += 1) {
    const { image } = await decoder.decode({ frameIndex: k });
    read(image, image.displayWidth, image.displayHeight, image.duration / 1000);
    image.close();
  }
  return frames;
}"""


def decode(page: Page, path: Path, kind: str) -> list[tuple[np.ndarray, float | None]]:
    """Frames of a picture or film as decoded by the browser: pixels (rows, columns) and how long each lasts, ms."""
    text = base64.b64encode(path.read_bytes()).decode()
    return [
        (np.frombuffer(base64.b64decode(f["rgba"]), "<u4").reshape(f["height"], f["width"]), f["ms"])
        for f in page.evaluate(DECODE, [text, f"image/{kind}"])
    ]


def cells_of(
    picture: np.ndarray, raw: dict[str, Any], view: dict[str, Any], scale: float, k: int, n: int
) -> np.ndarray:
    """Pixel of each GPU of run `k` of `n` in a picture of the page; above the middle, where its job's id may be."""
    grid = raw["grid"]
    column = (picture.shape[1] / scale - GAP_PX * (n - 1)) / n
    i = np.concatenate([np.arange(band["count"]) for band in grid["bands"]])
    tops = np.concatenate([np.full(band["count"], band["top"]) for band in grid["bands"]])
    x = k * (column + GAP_PX) + LABEL_PX + (i % grid["columns"] + 0.5) / grid["columns"] * (column - LABEL_PX)
    columns = (x * scale).astype(int)
    # The cells begin where the first row of pixels is all cells: above them are a title and a legend.
    colors = pixels([*CATEGORY_COLORS.values(), IDLE_COLOR])
    first = np.unique(columns[: grid["columns"]])
    is_cells = np.isin(picture[:, first], colors).mean(axis=1) > 0.9
    top_px = int(np.flatnonzero(is_cells)[0]) / scale - grid["bands"][0]["top"] / grid["height"] * view["height"]
    y = top_px + (tops + i // grid["columns"] + 0.2) / grid["height"] * view["height"]
    return picture[(y * scale).astype(int), columns]


def expected_cells(run: Run, index: int) -> np.ndarray:
    """Pixel of each GPU by the category of its job."""
    return category_pixels(run, run.allocation(index))


def shown_now(page: Page) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The runs on screen and the geometry of run A's plot area."""
    page.evaluate("probe.rest()")
    runs = page.evaluate("probe.snapshot()")["runs"]
    return runs, page.evaluate("gavel.player.shown()[0].renderer.geometry")


def has_ink(picture: np.ndarray, rows: slice, columns: slice) -> bool:
    """Whether anything is written there."""
    return len(np.unique(picture[rows, columns])) > 2


def svg_cells(page: Page, path: Path, grid: dict[str, Any]) -> np.ndarray:
    """Pixel at the centre of each GPU in the heatmap that a drawing holds."""
    root = ElementTree.fromstring(path.read_text())
    [image] = [element for element in root.iter() if element.tag.endswith("}image")]
    [href] = [value for key, value in image.attrib.items() if key.endswith("href")]
    png = path.with_suffix(".cells.png")
    png.write_bytes(base64.b64decode(href.partition("base64,")[2]))
    [(picture, _)] = decode(page, png, "png")
    rows, columns = places(grid, "first_row")
    scale_y, scale_x = picture.shape[0] / grid["rows"], picture.shape[1] / grid["columns"]
    return picture[((rows + 0.5) * scale_y).astype(int), ((columns + 0.5) * scale_x).astype(int)][:, 0]


def set_loop(page: Page, start: int, end: int, speed: float = 1) -> None:
    """Loop over records, both included, and rest at the first."""
    page.evaluate("([start, end, speed]) => gavel.player.model.set({ loop: [start, end], speed })", [start, end, speed])
    page.evaluate("index => probe.seek(index)", start)
