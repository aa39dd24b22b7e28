"""One measurement each, in a real browser on a real server: frames, jumps, memory.

The player is asked through `window.gavel.player`, and not simply believed: frames of the page's own thread are counted
beside the player's, and a jump is timed from outside as well.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, Error, Page

from tests.browser.conftest import REPOSITORY

_MEMORY_SAMPLES = 12
_LOAD_TIMEOUT_MS = 30_000

# The page's own frames are counted beside what the player says of itself. A run that ends starts again.
_SAMPLE_JS = """async (seconds) => {
  const player = window.gavel?.player;
  let frames = 0;
  let counting = true;
  const count = () => { frames += 1; if (counting) requestAnimationFrame(count); };
  requestAnimationFrame(count);
  const windows = [];
  const began = performance.now();
  let since = began;
  let framesBefore = 0;
  while (since - began < seconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stats = player ? await player.stats() : {};
    if (player && !stats.playing) { await player.seek(0); await player.play(); }
    const now = performance.now();
    if (now - since < 1000) continue;
    windows.push({pageFps: (frames - framesBefore) * 1000 / (now - since), fps: stats.fps});
    since = now;
    framesBefore = frames;
  }
  counting = false;
  return {windows, elapsedS: (since - began) / 1000};
}"""
_READY_JS = """async (timeoutMs) => {
  const began = performance.now();
  for (;;) {
    await new Promise(requestAnimationFrame);
    const player = window.gavel?.player;
    if (player && (await player.stats()).drawn > 0) return;
    if (performance.now() - began > timeoutMs) {
      throw new Error(`${player ? "nothing painted" : "no window.gavel.player"} within ${timeoutMs} ms`);
    }
  }
}"""
# A page that has come to rest: all that opening it asks for is drawn, and nothing has been painted for half a second.
_REST_JS = """async (timeoutMs) => {
  const began = performance.now();
  let [drawn, since] = [-1, began];
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = performance.now();
    const stats = await window.gavel.player.stats();
    if (stats.drawn !== drawn) [drawn, since] = [stats.drawn, now];
    if (document.querySelector("#cluster-scrubber .main-svg") && now - since > 500) return;
    if (now - began > timeoutMs) throw new Error(`the page did not come to rest within ${timeoutMs} ms`);
  }
}"""
_JUMP_JS = """async ([index, timeoutMs]) => {
  const player = window.gavel.player;
  const drawnBefore = (await player.stats()).drawn;
  const began = performance.now();
  player.seek(index);
  for (;;) {
    await new Promise(requestAnimationFrame);
    const stats = await player.stats();
    const waitedMs = performance.now() - began;
    if (stats.round === index && stats.drawn > drawnBefore) return {waitedMs, lastJumpMs: stats.lastJumpMs};
    if (waitedMs > timeoutMs) throw new Error(`round ${index} was not painted within ${timeoutMs} ms`);
  }
}"""


class BenchmarkError(Exception):
    """What could not be measured, and why."""


class Server:
    """`app.py` on a sweep, in a process of its own, while its `with` block lasts."""

    def __init__(self, sweep: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "app.py", str(sweep), "--port", "0"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        match = re.search(r"http://\S+", said)
        if match is None:
            self.__exit__()
            raise BenchmarkError(f"the server did not start; its last words are above ({said.strip() or 'none'})")
        self.address = match[0]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    @property
    def cpu_s(self) -> float:
        """CPU seconds used so far, all threads, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def cluster_page(browser: Browser, server: Server, names: Sequence[str], speed: float) -> Iterator[Page]:
    """The Cluster page in a context of its own (so with an empty HTTP cache), its first round painted.

    An error that the page throws meanwhile ends the benchmark.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    try:
        page.goto(f"{server.address}/cluster?{urlencode({'run': names, 'speed': speed}, doseq=True)}")
        page.evaluate(_READY_JS, _LOAD_TIMEOUT_MS)
        yield page
    except Error as error:
        why = "; ".join([*thrown, error.message.splitlines()[0]])
        raise BenchmarkError(f"the player on {', '.join(names)}: {why}") from error
    finally:
        context.close()
    if thrown:
        raise BenchmarkError(f"the page threw an error while it played {', '.join(names)}: {thrown[0]}")


def stats(page: Page) -> dict[str, Any]:
    """What the player says of itself."""
    return page.evaluate("() => window.gavel.player.stats()")


def measure_reference(browser: Browser, seconds: float) -> float:
    """Frames per second of the bare page, median of 1-s windows."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto("data:text/html,<title>frames</title><p>frames</p>")
    sample = page.evaluate(_SAMPLE_JS, seconds)
    page.close()
    return statistics.median(window["pageFps"] for window in sample["windows"])


def measure_play(
    browser: Browser, server: Server, names: Sequence[str], speed: float, seconds: float
) -> dict[str, float]:
    """Play runs (one, or two compared): frames, drawn rounds and server CPU per second; dropped, fetched, cache."""
    with cluster_page(browser, server, names, speed) as page:
        before, cpu_before = stats(page), server.cpu_s
        page.evaluate("() => window.gavel.player.play()")
        sample = page.evaluate(_SAMPLE_JS, seconds)
        after, cpu_after = stats(page), server.cpu_s
    grown = {key: after[key] - before[key] for key in ("drawn", "dropped", "bytesFetched", "cacheHits", "cacheMisses")}
    return {
        "fps": statistics.median(window["fps"] for window in sample["windows"]),
        "page_fps": statistics.median(window["pageFps"] for window in sample["windows"]),
        "drawn_per_s": grown["drawn"] / sample["elapsedS"],
        "dropped": grown["dropped"],
        "fetched_mb": grown["bytesFetched"] / 1e6,
        "cache_hits": grown["cacheHits"],
        "cache_misses": grown["cacheMisses"],
        "server_cpu": (cpu_after - cpu_before) / sample["elapsedS"],
    }


def measure_jump(browser: Browser, server: Server, name: str, index: int) -> dict[str, float]:
    """Seek once on a fresh page at rest: ms to painted, as the player and as the page see it; round data asked for."""
    with cluster_page(browser, server, [name], 1) as page:
        page.evaluate(_REST_JS, _LOAD_TIMEOUT_MS)
        requests: list[str] = []
        before = stats(page)
        page.on("request", lambda request: requests.append(urlsplit(request.url).path))
        jump = page.evaluate(_JUMP_JS, [index, _LOAD_TIMEOUT_MS])
        fetched = stats(page)["bytesFetched"] - before["bytesFetched"]
    return {
        "said_ms": jump["lastJumpMs"],
        "seen_ms": jump["waitedMs"],
        "requests": sum("/viz/" in path for path in requests),
        "fetched_kb": fetched / 1e3,
    }


def measure_memory(browser: Browser, server: Server, name: str, speed: float, minutes: float) -> list[dict[str, float]]:
    """Memory (MB) while playing, sampled a dozen times.

    The page's JavaScript heap, what the player says it holds, and the page's resident process, workers included.
    """
    processes = browser.new_browser_cdp_session()
    samples = []
    with cluster_page(browser, server, [name], speed) as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.evaluate("() => window.gavel.player.play()")
        began = time.monotonic()
        for part in range(_MEMORY_SAMPLES + 1):
            if part:
                page.evaluate(_SAMPLE_JS, minutes * 60 / _MEMORY_SAMPLES)
            metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
            listed = processes.send("SystemInfo.getProcessInfo")["processInfo"]
            samples.append(
                {
                    "minute": (time.monotonic() - began) / 60,
                    "heap_mb": metrics["JSHeapUsedSize"] / 1e6,
                    "held_mb": stats(page)["heldBytes"] / 1e6,
                    # Chromium keeps spare renderers ready; the page's own is the largest.
                    "renderer_mb": max(_resident_bytes(p["id"]) for p in listed if p["type"] == "renderer") / 1e6,
                }
            )
    return samples


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
