"""Where the points of a chart are on screen, and clicks on them."""

from __future__ import annotations

from playwright.sync_api import Page

OVERLAY = "saturation-overlay-figure"
#: Pixels on screen of a point of a chart, by its data.
LOCATE = """([id, x, y]) => {
  const graph = document.querySelector(`#${id} .js-plotly-plot`);
  const layout = graph._fullLayout, box = graph.getBoundingClientRect();
  return [box.left + layout.xaxis._offset + layout.xaxis.d2p(x), box.top + layout.yaxis._offset + layout.yaxis.d2p(y)];
}"""


def locate(page: Page, rate_jph: float, jct_h: float) -> tuple[float, float]:
    """Pixels of a point of the overlay chart."""
    x, y = page.evaluate(LOCATE, [OVERLAY, rate_jph, jct_h])
    return x, y


def click_point(page: Page, rate_jph: float, jct_h: float) -> None:
    """Hover and click a point of the overlay chart."""
    x, y = locate(page, rate_jph, jct_h)
    page.mouse.move(x - 2, y - 2)
    page.mouse.move(x, y)
    page.wait_for_selector(f"#{OVERLAY} .hoverlayer .hovertext", state="attached")
    page.mouse.click(x, y)
