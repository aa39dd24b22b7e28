"""The server: its start up to the first page, its memory, and callbacks over 1,000 runs beside the same over 50.

The page is asked for as a browser does it, without its scripts and styles: the document, the layout, the callbacks,
then what these answer. CPU seconds are those of the whole process, until it has ended.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import gavel_dash
from benchmarks.measure import Row, compare
from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.analysis.facets import FACETS
from gavel_dash.pages.saturation.state import defaults_for
from gavel_dash.pages.telemetry.state import DEFAULTS
from gavel_dash.web.app import create_app

AREA = "server"
MOST_BYTES = 300e6
PAIRS = 5
#: Runs of a sweep: a curve per figure, and of each curve rates and seeds.
FIGURES, RATES_JPH, SEEDS = range(1, 21), [0.4 + 0.2 * i for i in range(10)], range(5)
#: The figure whose 50 runs are the smaller sweep.
CHOSEN = 5
_REPOSITORY = Path(__file__).parent.parent
_IMPORTS = "import dash, plotly, pandas"
#: Asks the server: a path, and what is posted there. Gives the body of the answer.
_Ask = Callable[[str, Mapping[str, Any] | None], bytes]


def rows() -> Iterator[Row]:
    """All rows; the sweeps they need are made first and removed afterwards."""
    yield _first_page()
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large", Path(folder) / "small"
        _write_sweeps(large, small)
        with mock.patch.dict(os.environ, {"GAVEL_DASH_CACHE": f"{folder}/cache"}):
            _, _, peak_bytes = _serve_first_page(large)
            work = "1,000 runs: most memory of the server, indexing them and showing the first page"
            yield Row(AREA, work, peak_bytes, MOST_BYTES, "B", "300 MB", peak_bytes / MOST_BYTES, 1)
            yield from _callbacks(large, small)


def _write_sweeps(large: Path, small: Path) -> None:
    """1,000 runs of 64 rounds, and the 50 of one curve of them. All have the same rounds."""
    large.mkdir()
    small.mkdir()
    run = large.parent / "run.viz.bin"
    write_synthetic_run(run, (("k80", 4, 4), ("p100", 4, 4), ("v100", 4, 4)), 64, 0, 4.0)
    for figure in FIGURES:
        for rate in RATES_JPH:
            for seed in SEEDS:
                name = f"fig{figure}_synthetic_{rate:.1f}jph_multi_s{seed}.viz.bin"
                shutil.copy(run, large / name)
                if figure == CHOSEN:
                    shutil.copy(run, small / name)


def _first_page() -> Row:
    """From the start of the process to the last answer, and its end; every file of the sweep is in the cache."""
    sweep = _REPOSITORY / "experiments"
    _serve_first_page(sweep)
    pairs = [(_serve_first_page(sweep), _run_python("-c", _IMPORTS)) for _ in range(PAIRS)]
    taken = [(served[1], imports[1]) for served, imports in pairs]
    ratio = statistics.median(mine / theirs for mine, theirs in taken)
    wall = statistics.median(served[0] for served, _ in pairs), statistics.median(imports[0] for _, imports in pairs)
    note = f"from start to last answer {wall[0]:.2f} s on the clock, the imports {wall[1]:.2f} s"
    value, reference = (statistics.median(times) for times in zip(*taken, strict=True))
    work = "`python app.py` to the first page, bundled sweep, warm cache"
    return Row(AREA, work, value, reference, "s", f"`{_IMPORTS}`", ratio, 2, note=note)


def _run_python(*arguments: str) -> tuple[float, float]:
    """Seconds on the clock and of CPU that a Python takes."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=_REPOSITORY)
    cpu_s = _end_of(process)
    return time.perf_counter() - start, cpu_s


def _end_of(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> float:
    """CPU seconds of a process, once it has ended."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{process.args} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _peak_bytes(pid: int) -> int:
    """Most resident memory of a process so far (Linux); what `wait4` says of it starts at what its parent holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _serve_first_page(sweep: Path) -> tuple[float, float, int]:
    """Seconds until the first page has all its answers, CPU seconds, and the most bytes of memory of a new server."""
    start = time.perf_counter()
    command = [sys.executable, "app.py", str(sweep), "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=_REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A shell's background jobs ignore the signal that ends the server.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if process.stdout is None:
        raise RuntimeError("the server has no output")
    with process.stdout:
        port = re.search(r":(\d+)$", process.stdout.readline().strip())
        if port is None:
            process.kill()
            process.wait()
            raise RuntimeError(f"no server over {sweep}")
        connection = http.client.HTTPConnection("127.0.0.1", int(port[1]))

        def ask(path: str, posted: Mapping[str, Any] | None) -> bytes:
            body, headers = (None, {}) if posted is None else (json.dumps(posted), {"Content-Type": "application/json"})
            connection.request("GET" if posted is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return _checked(path, answer.status, answer.read())

        page = _Page(ask)
        page.call("_pages_content.children", {"_pages_location.pathname": "/", "_pages_location.search": ""})
        page.call("sweep-map.figure", {"sweep-filters.data": {}, "theme.data": "light"})
        wall_s = time.perf_counter() - start
        connection.close()
        peak_bytes = _peak_bytes(process.pid)
        process.send_signal(signal.SIGINT)
        return wall_s, _end_of(process), peak_bytes


def _checked(path: str, status: int, body: bytes) -> bytes:
    if status != 200:
        raise RuntimeError(f"{path} answers {status}: {body[:400]!r}")
    return body


class _Page:
    """A document that was opened, and the callbacks it may call."""

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask
        ask("/", None)
        ask("/_dash-layout", None)
        self._callbacks = json.loads(ask("/_dash-dependencies", None))

    def call(self, output: str, values: Mapping[str, Any]) -> bytes:
        """The answer of the callback with that output; `values` are those of its inputs and states, by id.property."""
        [callback] = [one for one in self._callbacks if output in one["output"].strip(".").split("...")]
        outputs = [self._output(*part.rsplit(".", 1)) for part in callback["output"].strip(".").split("...")]
        given = {
            kind: [{**part, "value": values.get(f"{part['id']}.{part['property']}")} for part in callback[kind]]
            for kind in ("inputs", "state")
        }
        changed = [f"{part['id']}.{part['property']}" for part in callback["inputs"]][:1]
        several = callback["output"].startswith("..")
        posted = {
            "output": callback["output"],
            "outputs": outputs if several else outputs[0],
            "changedPropIds": changed,
            **given,
        }
        return self._ask("/_dash-update-component", posted)

    def _output(self, id: str, property: str) -> Any:
        if not id.startswith("{"):
            return {"id": id, "property": property}
        # The one pattern among these: the lists of the Sweep page's facets.
        return [{"id": {**json.loads(id), "key": facet.key}, "property": property} for facet in FACETS]


def _page_over(folder: Path) -> _Page:
    """The app over a sweep, in this process."""
    client = create_app(gavel_dash.open_sweep(folder)).server.test_client()

    def ask(path: str, posted: Mapping[str, Any] | None) -> bytes:
        answer = client.get(path) if posted is None else client.post(path, json=posted)
        return _checked(path, answer.status_code, answer.data)

    return _Page(ask)


def _callbacks(large: Path, small: Path) -> Iterator[Row]:
    few = gavel_dash.open_sweep(small)
    pages = _page_over(large), _page_over(small)
    names, theme = few.names, {"theme.data": "light"}
    filters = {"sweep-filters.data": {"figure": [f"fig{CHOSEN}"], "rate": ["0.4", "0.6", "0.8"]}}
    saturation = defaults_for(few.runs())
    shown = {"saturation-filters.data": {"run": names}, **theme}
    factors = iter(range(1, 1_000_000))
    telemetry = {"telemetry-runs.value": names, "telemetry-options.data": DEFAULTS, **theme}
    visit = {"_pages_location.pathname": "/", "_pages_location.search": f"?figure=fig{CHOSEN}"}

    def beside(work: str, output: str, values: Callable[[], Mapping[str, Any]], repeat: int = 3) -> Row:
        of_many, of_few = (lambda page=page: page.call(output, values()) for page in pages)
        return compare(AREA, f"callback, 1,000 runs: {work}", of_many, "the same of 50 runs", of_few, 2, repeat=repeat)

    def another_factor() -> dict[str, Any]:
        return {"saturation-options.data": {**saturation, "k": 2 + next(factors) / 1e6}, **shown}

    yield beside("Sweep, rows of a filter that 15 runs pass", "sweep-grid.rowData", lambda: filters, repeat=10)
    yield beside("Sweep, counts and facets of that filter", "sweep-counts.children", lambda: filters)
    yield beside("Sweep, map of that filter", "sweep-map.figure", lambda: filters | theme)
    drawer = {"sweep-selected.data": names[0]}
    yield beside("Sweep, all about one run", "sweep-drawer.title", lambda: drawer, repeat=10)
    yield beside("Sweep, the page with one curve", "_pages_content.children", lambda: visit)
    output = "saturation-overlay-figure.figure"
    yield beside("Saturation, curves of 50 runs at a new k", output, another_factor, repeat=1)
    yield beside("Telemetry, three fields of 50 runs", "telemetry-figure.figure", lambda: telemetry)
