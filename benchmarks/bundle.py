"""The bundled sweep: how much smaller its packed files are than the runs, and what opening it the first time costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import zstandard

from benchmarks.measure import Row, children_cpu_s, compare, seconds
from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.sweep.packed import PACKED_RUN_SUFFIX

BUNDLE = Path(__file__).parents[1] / "experiments"
HIGH_CHURN, LOW_CHURN = 0.5, 0.01  # share of the GPUs that hold another job than in the round before


def rows() -> Iterator[Row]:
    """Packed sizes at high and at low churn, then the first opening."""
    packed = sorted(BUNDLE.glob(f"*.viz.bin{PACKED_RUN_SUFFIX}"))
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain"
        plain.mkdir()
        for path in packed:
            _unpack(path, plain / path.stem)
        sizes = [
            (_churn(path.read_bytes()), path.stat().st_size, file.stat().st_size, path.name.removesuffix(".viz.bin"))
            for file in packed
            for path in [plain / file.stem]
        ]
        high = [size for size in sizes if size[0] > HIGH_CHURN]
        low = [size for size in sizes if size[0] < LOW_CHURN]
        yield _ratio(f"worst of {len(high)} runs in which over half of the GPUs change hands per round", high, 9)
        yield _ratio(f"worst of {len(low)} runs in which under 1% of the GPUs change hands per round", low, 40)
        yield _first_open(packed, plain, Path(scratch))


def _churn(data: bytes) -> float:
    allocation = VizFile(data, "run").allocations()
    return float(np.mean(allocation[1:] != allocation[:-1]))


def _ratio(which: str, sizes: list[tuple[float, int, int, str]], limit: float) -> Row:
    _, raw, packed, name = min(sizes, key=lambda size: size[1] / size[2])
    return Row("bundle", f"packed size, {which}", packed, raw, "B", "the .viz.bin", raw / packed, limit, True, name)


def _first_open(packed: list[Path], plain: Path, scratch: Path) -> Row:
    """A new process that lists the sweep with an empty cache: packed runs against zstd of whole runs."""
    sweeps = [scratch / "packed", scratch / "zstd"]
    for sweep in sweeps:
        sweep.mkdir()
        for path in BUNDLE.glob("*_completions.json.zst"):
            (sweep / path.name).symlink_to(path)
    for path in packed:
        (sweeps[0] / path.name).symlink_to(path)
        whole = (plain / path.stem).read_bytes()
        # Unpacking takes as long as at level 19, packing a hundredth of it.
        (sweeps[1] / f"{path.stem}.zst").write_bytes(zstandard.compress(whole, 3))
    unpack_s, unzstd_s = (
        seconds(run, 1, time.process_time)
        for run in (
            lambda: [_unpack(path, scratch / "run") for path in packed],
            lambda: [_unzstd(path, scratch / "run") for path in sweeps[1].glob("*.viz.bin.zst")],
        )
    )
    return compare(
        "bundle",
        f"`gavel-dash runs` on the {len(packed)} runs, nothing cached",
        lambda: _list(sweeps[0], len(packed)),
        "the same from zstd of whole .viz.bin files",
        lambda: _list(sweeps[1], len(packed)),
        2,
        pairs=3,
        note=f"of it unpacking {unpack_s:.1f} and {unzstd_s:.1f} s",
        clock=children_cpu_s,
    )


def _list(sweep: Path, n_runs: int) -> None:
    """List the runs in a process with an empty cache; it has to find all of them, and no damage."""
    with tempfile.TemporaryDirectory() as cache:
        listed = subprocess.run(
            [sys.executable, "-m", "gavel_dash", "runs", str(sweep), "--csv", "-"],
            env={**os.environ, "GAVEL_DASH_CACHE": cache},
            check=True,
            capture_output=True,
            text=True,
        )
    lines = listed.stdout.splitlines()[1:]
    if len(lines) != n_runs or any(",damaged," in line for line in lines):
        raise RuntimeError(f"{sweep.name}: {len(lines)} of {n_runs} runs listed, or damaged ones among them")


def _unpack(path: Path, out: Path) -> None:
    with path.open("rb") as file, out.open("wb") as plain:
        unpack_run(file, plain, path.name)


def _unzstd(path: Path, out: Path) -> None:
    with path.open("rb") as file, out.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(file, plain)
