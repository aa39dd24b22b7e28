"""The index of a sweep: headers alone, the second start with everything derived, and what a server holds in memory.

The 1,000 runs are hard links to the bundled ones, unpacked: real headers, real sizes, little disk. All of it is in the
page cache, for both sides of every row.
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

from benchmarks.measure import Row, compare, cpu_s, peak_bytes
from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.sweep import Sweep, catalogue, open_sweep
from gavel_dash.sweep.discover import discover
from gavel_dash.sweep.headers import RunHeader, read_header

BUNDLE = Path(__file__).parents[1] / "experiments"
N_RUNS = 1000
GROWTH_RUNS = (10, 100, 1000, 10_000)
MEMORY_GOAL_BYTES = 300e6
#: What a server does before its first request, and that request.
_SERVE = """
from gavel_dash.sweep import open_sweep
from gavel_dash.web.app import create_app
create_app(open_sweep({root!r})).server.test_client().get("/_dash-layout")
"""


def rows() -> Iterator[Row]:
    """Headers, memory, second start, growth."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with mock.patch.dict(os.environ, GAVEL_DASH_CACHE=str(folder / "cache")):
            root = _link_runs(folder)
            yield from _header_rows(root)
            yield from _memory_rows(root)
            yield from _second_start_rows(root)
            yield _growth_row(folder)


def _link_runs(folder: Path) -> Path:
    """A directory of `N_RUNS` runs, each a link to one of the bundled runs and with a name of its own."""
    plain, root = folder / "plain", folder / "sweep"
    plain.mkdir()
    root.mkdir()
    for path in sorted(BUNDLE.glob("*.viz.bin.packed")):
        with path.open("rb") as file, (plain / path.stem).open("wb") as out:
            unpack_run(file, out, path.name)
    files = sorted(plain.iterdir())
    for i in range(N_RUNS):
        run = files[i % len(files)]
        (root / run.name.replace("jph_", f"jph_{i // len(files)}_")).hardlink_to(run)
    return root


def _header_rows(root: Path) -> Iterator[Row]:
    files = [file for run in discover(root).runs.values() for file in run.files]
    total_gb = sum(file.size for file in files) / 1e9
    kept: list[list[RunHeader] | list[bytes]] = []

    # An index is made once, in memory that is new to the process: nothing that was kept may be freed between the turns.
    def keep_headers() -> None:
        kept.append([read_header(file.path, file.size, file.path) for file in files])

    def keep_pages() -> None:
        kept.append([_first_page(file.path) for file in files])

    def read_headers() -> None:
        for file in files:
            read_header(file.path, file.size, file.path)

    def read_pages() -> None:
        for file in files:
            _first_page(file.path)

    def read_all() -> None:
        for file in files:
            Path(file.path).read_bytes()

    work = f"header, config and last round of {N_RUNS:,} runs ({total_gb:.1f} GB)"
    headers_ms, pages_ms, found_ms = (
        1000 * cpu_s(run, 10) for run in (read_headers, read_pages, lambda: discover(root))
    )
    yield compare(
        "index",
        work,
        keep_headers,
        "os.open, one pread of 4 KiB, close per file",
        keep_pages,
        1.5,
        pairs=15,
        note=f"both keep what they read, in new memory; keeping nothing {headers_ms:.1f} against {pages_ms:.1f} ms",
    )
    note = f"finding the files takes {found_ms:.1f} ms more"
    yield compare("index", work, read_headers, "read all bytes, file by file", read_all, 1 / 50, pairs=3, note=note)


def _first_page(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    data = os.pread(file, 4096, 0)
    os.close(file)
    return data


def _memory_rows(root: Path) -> Iterator[Row]:
    for start in ("first", "second"):
        value = peak_bytes(_SERVE.format(root=str(root)))
        work = f"peak memory of a server with {N_RUNS:,} runs, {start} start"
        yield Row(
            "index", work, value, MEMORY_GOAL_BYTES, "B", "300 MB", value / MEMORY_GOAL_BYTES, 1, note="whole process"
        )


def _second_start_rows(root: Path) -> Iterator[Row]:
    """Every run is in the cache since the memory rows."""
    table_s = cpu_s(open_sweep(root).runs)
    changed_s, n_read = _change_one(root)
    if n_read != 1:
        raise RuntimeError(f"one file was replaced, and {n_read} runs were read again")

    def parse_all() -> None:
        sweep = open_sweep(root)
        for name in sweep.names:
            sweep.findings(name)

    work = f"second start with all derived metrics of {N_RUNS:,} runs"
    kept = f"rows and evidence as JSON text; one file replaced: {n_read} run read again, {1000 * changed_s:.0f} ms"
    parsed = (
        f"rows, evidence and findings as objects; the table of runs with verdicts takes {1000 * table_s:.0f} ms more"
    )
    for what, run, note in ((work, _opening(root), kept), (f"{work}, all parsed", parse_all, parsed)):
        yield compare(
            "index", what, run, "scandir and stat of the directory", lambda: _scan(root), 10, pairs=15, note=note
        )


def _opening(root: Path) -> Callable[[], Sweep]:
    return lambda: open_sweep(root)


def _scan(root: Path) -> None:
    with os.scandir(root) as entries:
        for entry in entries:
            entry.stat()


def _change_one(root: Path) -> tuple[float, int]:
    """Replace a run by a copy of itself; CPU seconds of the next start, and how many runs it reads."""
    path = min(root.iterdir())
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    with mock.patch.object(catalogue, "index_run", wraps=catalogue.index_run) as index_run:
        return cpu_s(_opening(root)), index_run.call_count


def _growth_row(folder: Path) -> Row:
    """Second start per run, of links to one short run."""
    run = folder / "short.viz.bin"
    write_synthetic_run(run, (("k80", 4, 4), ("v100", 4, 4)), 64, 0, 2.0)
    openings = {}
    for n in GROWTH_RUNS:
        root = folder / str(n)
        root.mkdir()
        for i in range(n):
            (root / f"fig9_policy{i % 10}_2.0jph_multi_s{i}.viz.bin").hardlink_to(run)
        open_sweep(root)
        openings[n] = _opening(root)
    *_, fewer, most = GROWTH_RUNS
    with_collector_ms = 1000 * cpu_s(openings[most])
    gc.collect()
    gc.disable()  # its full passes cover all that the process holds, and come when they are due
    try:
        each = ", ".join(f"{n:,}: {1000 * cpu_s(openings[n], 3):.3g} ms" for n in GROWTH_RUNS)
        row = compare(
            "growth",
            f"second start of {most:,} runs, per run",
            openings[most],
            f"of {fewer:,} runs",
            openings[fewer],
            1.3 * most / fewer,
        )
    finally:
        gc.enable()
    return replace(
        row,
        value=row.value / most,
        reference=row.reference / fewer,
        ratio=row.ratio * fewer / most,
        limit=1.3,
        note=f"without Python's collector: {each}; with it {most:,}: {with_collector_ms:.0f} ms",
    )
