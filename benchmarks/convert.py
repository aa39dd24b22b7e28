"""Conversion: against a plain converter and a C walk over the lines; packed, in memory, in parallel, as logs grow."""

from __future__ import annotations

import ctypes
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import zstandard

from benchmarks import plain_converter
from benchmarks.measure import Row, children_cpu_s, compare, peak_bytes, without_kernel
from benchmarks.tiled_logs import write_log
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.convert_many import convert_many
from gavel_dash.ingest.sources import find_logs
from gavel_dash.kernel.build import find_compiler

MB = 1_000_000
LOG_BYTES = 150 * MB
MANY_LOGS, SMALL_LOG_BYTES = 100, 8 * MB
MEMORY_LIMIT_BYTES = 200 * MB


def rows() -> Iterator[Row]:
    """The rows of this area; 1.2 GB of logs are written to a temporary directory."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        log, out = room / "x1.log", room / "out"
        larger = {2: room / "x2.log", 4: room / "x4.log"}
        write_log(log, LOG_BYTES)
        for times, path in larger.items():
            write_log(path, times * LOG_BYTES)
        size = f"{log.stat().st_size / MB:.0f} MB log"
        ours = _conversion(log, out)

        def plain() -> None:
            plain_converter.convert(str(log), str(out / "plain.viz.bin"))

        yield compare("convert", size, ours, "a plain converter", plain, 12, at_least=True)
        walk = _floor(room)
        if walk is not None:
            yield compare("convert", size, ours, "C that walks the lines", lambda: walk(log), 2.5)
        with without_kernel():
            yield compare(
                "convert", f"{size}, without the kernel", ours, "a plain converter", plain, 1, at_least=True, pairs=3
            )
        yield _whole_command(size, log, out)
        yield from _packed(size, room, log, out)
        yield from _growth(log, larger, out)
    with tempfile.TemporaryDirectory() as name:
        yield _many(Path(name))


def _conversion(log: Path, out: Path) -> Callable[[], object]:
    (source,) = find_logs([log])
    return lambda: convert_log(source, out, force=True)


def _floor(room: Path) -> Callable[[Path], None] | None:
    """The C program as a function, where there is a compiler."""
    compiler = find_compiler()
    if compiler is None:
        return None
    library = room / "floor.so"
    source = Path(__file__).with_name("floor.c")
    subprocess.run([*compiler, "-O3", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    function = ctypes.CDLL(str(library)).walk_lines
    function.restype = ctypes.c_uint64

    def walk(log: Path) -> None:
        if not function(str(log).encode()):
            raise OSError(f"{log} could not be read")

    return walk


def _whole_command(size: str, log: Path, out: Path) -> Row:
    def command(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-m", *words], check=True, stdout=subprocess.DEVNULL)

    return compare(
        "convert",
        f"{size}, whole command",
        command("gavel_dash", "convert", str(log), "--out", str(out), "--force"),
        "the plain converter's command",
        command("benchmarks.plain_converter", str(log), str(out / "plain.viz.bin")),
        7,
        at_least=True,
        clock=children_cpu_s,
    )


def _packed(size: str, room: Path, log: Path, out: Path) -> Iterator[Row]:
    plain = _conversion(log, out)
    zst, gz = room / "packed.log.zst", room / "packed.log.gz"
    with log.open("rb") as source, zst.open("wb") as target:
        zstandard.ZstdCompressor(level=3).copy_stream(source, target)
    with log.open("rb") as source, gzip.open(gz, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(source, packed)
    for path in (zst, gz):
        ratio = log.stat().st_size / path.stat().st_size
        note = f"packed {ratio:.0f}x; unpacking alone costs what is above 1"
        yield compare(
            "convert", f"{size} as {path.suffix}", _conversion(path, out), "the same log plain", plain, 1.2, note=note
        )


def _growth(log: Path, larger: dict[int, Path], out: Path) -> Iterator[Row]:
    small = _conversion(log, out)
    for times, path in larger.items():
        per_byte = path.stat().st_size / log.stat().st_size
        row = compare("growth", f"convert a log x{times}, per byte", _conversion(path, out), "the log x1", small, 1.15)
        yield replace(row, value=row.value / per_byte, ratio=row.ratio / per_byte)
    yield _memory(larger[4], "plain", out)
    packed = larger[4].with_suffix(".log.zst")
    with larger[4].open("rb") as source, packed.open("wb") as target:
        zstandard.ZstdCompressor(level=3).copy_stream(source, target)
    yield _memory(packed, f".zst of {larger[4].stat().st_size / MB:.0f} MB", out)


def _memory(log: Path, what: str, out: Path) -> Row:
    arguments = ["convert", str(log), "--out", str(out), "--force"]
    peak = peak_bytes(f"from gavel_dash.__main__ import main\nassert main({arguments!r}) == 0")
    work = f"memory of the command, {log.stat().st_size / MB:.0f} MB log, {what}"
    return Row("convert", work, peak, MEMORY_LIMIT_BYTES, "B", "the limit", peak / MEMORY_LIMIT_BYTES, 1)


def _many(room: Path) -> Row:
    """Wall time of many logs with all cores, against the same with one process; per core."""
    first = room / "run000" / "simulation.log"
    first.parent.mkdir()
    write_log(first, SMALL_LOG_BYTES)
    for i in range(1, MANY_LOGS):
        path = room / f"run{i:03}" / "simulation.log"
        path.parent.mkdir()
        os.link(first, path)
    sources = find_logs([room])
    cores = len(os.sched_getaffinity(0))

    def convert(processes: int) -> Callable[[], object]:
        return lambda: convert_many(sources, room / "out", processes=processes, force=True)

    work = f"{MANY_LOGS} logs of {first.stat().st_size / MB:.0f} MB, wall time, {cores} processes"
    return compare(
        "convert",
        work,
        convert(cores),
        "one process",
        convert(1),
        0.8 * cores,
        at_least=True,
        pairs=3,
        clock=time.perf_counter,
    )
