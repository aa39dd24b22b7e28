"""A real server on a free port and a real Chromium; every test ends with a clean console and no outside request."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, expect, sync_playwright

from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.sweep import Sweep, open_sweep

REPOSITORY = Path(__file__).parents[2]
BUNDLED = REPOSITORY / "experiments"

#: How long anything is waited for: a page that takes 2 s by itself takes longer on a busy machine.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

VIEWPORT: ViewportSize = {"width": 1440, "height": 900}
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # All tabs of a user in one process; see `visitor`.
    "--process-per-site",
    # The address bar's popups are pages of their own, loaded in a process of theirs for each context and never seen.
    # The last such option counts: what Playwright turns off and tests would notice is named again.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,PaintHolding,HttpsUpgrades,DestroyProfileOnBrowserClose",
]


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[Path], str]]:
    """Start `app.py` on a sweep and return its address, as printed by the server itself."""
    running: list[subprocess.Popen[str]] = []

    def start(sweep: Path) -> str:
        server = subprocess.Popen(
            [sys.executable, "app.py", str(sweep), "--port", str(free_port())],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(server)
        assert server.stdout is not None
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if match := re.search(r"http://127\.0\.0\.1:\d+", line):
                address = match[0]
                wait_until_answered(address, server)
                return address
        raise AssertionError("the server never said its address:\n" + "".join(said))

    yield start
    for server in running:
        server.terminate()
        server.wait(10)
        if server.stdout is not None:
            server.stdout.close()


def wait_until_answered(address: str, server: subprocess.Popen[str]) -> None:
    """Return when the server answers; the address may be printed just before it listens."""
    parts = urlsplit(address)
    while server.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((str(parts.hostname), int(parts.port or 80))) == 0:
                with urlopen(address, timeout=30) as answer:
                    assert answer.status == 200
                return
    raise AssertionError("the server ended before it answered")


@pytest.fixture(scope="session")
def bundled_address(start_server: Callable[[Path], str]) -> str:
    """A server on the bundled sweep."""
    return start_server(BUNDLED)


@pytest.fixture(scope="session")
def sweep() -> Sweep:
    """The bundled sweep, as the library reads it."""
    return open_sweep(BUNDLED)


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Three runs of a cluster whose nodes are known: two in balance, and one with thousands waiting."""
    folder = tmp_path_factory.mktemp("synthetic")
    gpu_types = (("k80", 36, 4), ("p100", 36, 4), ("v100", 36, 4))
    for seed, n_rounds, arrival_rate_jph in ((0, 2000, 2.1), (1, 1500, 2.1), (0, 1500, 40.0)):
        path = folder / f"fig9_synthetic_{arrival_rate_jph}jph_multi_s{seed}.viz.bin"
        write_synthetic_run(path, gpu_types, n_rounds, seed, arrival_rate_jph)
    return open_sweep(folder)


@pytest.fixture(scope="session")
def synthetic_address(start_server: Callable[[Path], str], synthetic: Sweep) -> str:
    """A server on the synthetic runs."""
    return start_server(synthetic.path)


def wait_until(page: Page, expression: str, *, arg: object = None) -> None:
    """Wait until JavaScript is true, as Playwright does by `eval` in the page, which the app's policy forbids."""
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline_s:
        try:
            if page.evaluate(expression, arg):
                return
        except Error as error:
            if "context was destroyed" not in str(error):  # the page moved on; its successor is asked
                raise
        page.wait_for_timeout(30)
    raise AssertionError(f"never true within {PATIENCE_MS:,} ms: {expression}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setattr(Page, "wait_for_function", wait_until)
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def visitor(browser: Browser, bundled_address: str) -> Iterator[BrowserContext]:
    """One user for all tests, whose tabs share a process: a process that is new takes a second longer for a page."""
    context = browser.new_context(viewport=VIEWPORT, accept_downloads=True)
    context.new_page().goto(f"{bundled_address}/healthz")  # a process ends with its last tab
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A new tab at 1440 x 900 of a user who was never here before.

    Fails the test on console errors, page errors or requests to elsewhere.
    """
    opened = visitor.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))

    origins: set[str] = set()

    def only_local(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            origins.add(f"{parts.scheme}://{parts.netloc}")
            if parts.hostname != "127.0.0.1":
                complaints.append(f"a request left the machine: {url}")

    opened.on("request", lambda request: only_local(request.url))
    yield opened
    _forget(visitor, origins)
    assert complaints == []


def _forget(visitor: BrowserContext, origins: set[str]) -> None:
    """Close what a test has opened, and forget all that its pages have left in the browser."""
    first, *tabs = visitor.pages
    for tab in tabs:
        tab.close()
    tools = visitor.new_cdp_session(first)
    for origin in origins:
        tools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    tools.send("Network.clearBrowserCache")
    tools.detach()
    visitor.clear_cookies()
    visitor.clear_permissions()


@pytest.fixture
def rough_page(browser: Browser) -> Iterator[Page]:
    """A page like `page`, whose console may tell that a request failed."""
    context = browser.new_context(viewport=VIEWPORT)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []
