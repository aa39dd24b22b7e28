"""Getting at rounds: one of them, counts over all of them, and the cells of a Gantt.

"Touching the bytes" is `np.bitwise_or.reduce` over the rounds as eight-byte words in blocks of 256 KiB. Scans of a
whole run, and the touching beside them, start from a new memory map each time (the file is in the system's page cache),
as for a run that was just opened: both include what the system takes to map its pages. That depends on how a file got
into the cache; these were read from the disk. Which type has which GPUs is known before.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

import gavel_dash
from benchmarks.measure import Row, compare, without_kernel
from gavel_dash.analysis.fragmentation import compute_fragmentation
from gavel_dash.analysis.gantt import summarize_cells
from gavel_dash.analysis.node_counts import count_by_type
from gavel_dash.figures.gantt_view import plan_view
from gavel_dash.formats.vizbin import JOB_DTYPE, VizFile
from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from gavel_dash.model import RunKey
from gavel_dash.sweep.run import Run

AREA = "rounds"
SOURCE = "fig10_max_min_fairness_2.4jph_multi_s0"
_EXPERIMENTS = Path(__file__).parent.parent / "experiments"
_TOUCHED_WORDS = 2**15
_BLOCK_CELLS = 2**20
_TYPES = ("k80", "p100", "v100")
_PIXELS = 1200, 460
_MEGABYTE = 1e6
#: GPUs of each type and rounds: two sizes of clusters, and two of about the same number of bytes.
_SMALL, _LARGE = ((36, 36, 36), 20_003), ((2064, 2064, 2072), 5_000)
_LONG, _WIDE = ((36, 36, 36), 88_000), ((21_664, 21_668, 21_668), 160)
#: Allocations of the rounds ``[start, stop)``: int64, shape (stop - start, n_gpus), -1 = idle.
_Cells = Callable[[int, int], np.ndarray]


def rows() -> Iterator[Row]:
    """All rows; the files they need are made first and removed afterwards."""
    [packed] = sorted(_EXPERIMENTS.glob(f"{SOURCE}.viz.bin*"))[:1]
    source = gavel_dash.open_run(packed).viz
    with tempfile.TemporaryDirectory() as folder:
        yield from _rounds_rows(Path(folder), source)
        yield from _growth_rows(Path(folder), source)


def _rounds_rows(folder: Path, source: VizFile) -> Iterator[Row]:
    small, large = _tiled(folder, source, *_SMALL), _tiled(folder, source, *_LARGE)
    yield from _one_round(VizFile(_mapped(small), small.name))
    for path in (small, large):
        viz = VizFile(_mapped(path), path.name)
        size, touch = f"{viz.n_rounds:,} x {viz.n_gpus:,}", _touching(path)
        occupancy, fragmentation = _occupancy(path), _fragmentation(path)
        yield _scan(f"occupancy of a run, {size}", occupancy, touch, 2)
        yield _scan(f"FGD fragmentation of a run, {size}", fragmentation, touch, 2)
        both = "opening a run, and both as `Run.fragmentation` needs them"
        yield _scan(f"{both}, {size}", lambda path=path: _run(path).fragmentation(), touch, 4)
        yield _temporaries(f"occupancy, {size}", occupancy)
        yield _temporaries(f"FGD fragmentation, {size}", fragmentation)
    yield from _jobs_rows(small)
    churn = _churning(folder, 20_000)
    note = "every cell shows another job than the one before; the answer of a screen of 1,200 x 460 pixels"
    yield _scan("Gantt of a run, 20,000 x 108, worst churn", _gantt(churn), _touching(churn), 8, note)
    note = "300 rounds, all GPUs; of these only are bytes read"
    view = _part(churn, 9_000)
    yield _scan("Gantt, part of that run", view, _touching(churn), 8, note)


def _jobs_rows(path: Path) -> Iterator[Row]:
    """What each job held and when it ran, for its row in the table of jobs."""
    size = "20,003 x 108"

    def follow() -> object:
        return _run(path).timelines

    def follow_plainly() -> object:
        with without_kernel():
            return _run(path).timelines

    yield _scan(f"what jobs held, {size}", follow, _touching(path), 40)
    reference = "sorting the stretches on each GPU, without the kernel"
    yield compare(AREA, f"what jobs held, {size}", follow, reference, follow_plainly, 5, at_least=True, pairs=5)


def _one_round(viz: VizFile) -> Iterator[Row]:
    """A round by its record index, asked of the file as a caller would."""
    records = np.random.default_rng(0).integers(0, viz.n_rounds, 10_000).tolist()
    view = viz.stored_allocations
    size, types = view.strides[0], viz.gpus_used.shape[1]
    unpack = struct.Struct(f"<IffHHIff{types}H{viz.n_gpus}I").unpack_from
    data = viz.file_bytes(0, viz.n_bytes)
    first = view.ctypes.data - data.ctypes.data - 28 - 2 * types

    def of_file() -> None:
        for i in records:
            viz.stored_allocations[i]

    def of_view() -> None:
        for i in records:
            view[i]

    def unpacked() -> None:
        for i in records:
            unpack(data, first + i * size)

    work = f"10,000 random rounds of {viz.n_gpus} GPUs, stored ids"
    yield compare(AREA, work, of_file, "row view of an ndarray over the memory map", of_view, 4, pairs=9, repeat=3)
    yield compare(AREA, work, of_file, "`struct` unpacking of the record", unpacked, 20, at_least=True)


def _growth_rows(folder: Path, source: VizFile) -> Iterator[Row]:
    long, wide = _tiled(folder, source, *_LONG), _tiled(folder, source, *_WIDE)
    sizes = "65,000 GPUs x 160 rounds", "108 x 88,000, as many bytes"
    for work, scan in (("occupancy", _occupancy), ("FGD fragmentation", _fragmentation), ("Gantt of a run", _gantt)):
        of_wide = scan(wide)
        yield compare("growth", f"{work}, {sizes[0]}", of_wide, sizes[1], scan(long), 1.3, pairs=9)
        if scan is not _gantt:
            yield _temporaries(f"{work}, {sizes[0]}", of_wide)
    part, of_wide = _part(long, 0, 100), _part(wide, 0, 100)
    same = "100 rounds of 100 GPUs"
    yield compare("growth", f"Gantt, {same} of 65,000", of_wide, f"{same} of 108", part, 1.3, pairs=9, repeat=20)
    short = _part(_churning(folder, 2_000), 900)
    of_long = _part(_churning(folder, 20_000), 900)
    work = "Gantt, 300 rounds of 20,000"
    yield compare("growth", work, of_long, "300 rounds of 2,000", short, 1.3, pairs=9, repeat=20)


def _occupancy(path: Path) -> Callable[[], np.ndarray]:
    """What `VizFile.gpus_shown` does of a new memory map."""
    counts = [gpu_type.count for gpu_type in VizFile(_mapped(path), path.name).cluster.gpu_types]
    return lambda: count_by_type(counts, VizFile(_mapped(path), path.name).stored_allocations)


def _fragmentation(path: Path) -> Callable[[], object]:
    """What `Run.fragmentation` does of a new memory map, where the file says in every round who holds the GPUs."""
    viz = VizFile(_mapped(path), path.name)
    facts = viz.cluster, viz.gpus_used, viz.jobs["scale_factor"], np.ones(viz.n_rounds, bool)

    def scan() -> object:
        stored = VizFile(_mapped(path), path.name).stored_allocations
        return compute_fragmentation(*facts, lambda start, stop: stored[start:stop] != 0)

    return scan


def _run(path: Path) -> Run:
    viz = VizFile(_mapped(path), path.name)
    return Run(path.name, RunKey(), None, lambda: viz, dict, dict)


def _gantt(path: Path) -> Callable[[], object]:
    return lambda: _cells(VizFile(_mapped(path), path.name), None, None)


def _part(path: Path, first: int, gpus: int | None = None) -> Callable[[], object]:
    """Cells of some 300 rounds and all GPUs, or 100 and `gpus`, of a run that is open."""
    viz = VizFile(_mapped(path), path.name)
    x = [first, first + (300 if gpus is None else 100)]
    y = None if gpus is None else [0, gpus]
    return lambda: _cells(viz, x, y)


def _cells(viz: VizFile, x: Sequence[float] | None, y: Sequence[float] | None) -> object:
    view = plan_view(viz.cluster, 1, viz.n_rounds, x, y, *_PIXELS)
    known = np.ones(view.stop - view.start, bool)
    return summarize_cells(viz.lanes, known, view.start, view.stop, view.per_column, view.rows)


def _scan(work: str, scan: Callable[[], object], touch: Callable[[], object], limit: float, note: str = "") -> Row:
    return compare(AREA, work, scan, "touching the bytes", touch, limit, pairs=11, note=note)


def _temporaries(work: str, scan: Callable[[], object]) -> Row:
    """Memory that was needed at once beyond that of the result."""
    scan()
    tracemalloc.start()
    try:
        result = scan()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del result
    needed = peak - kept
    return Row(AREA, f"temporaries: {work}", needed, _MEGABYTE, "B", "1 MB", needed / _MEGABYTE, 1)


def _touching(path: Path) -> Callable[[], None]:
    viz = VizFile(_mapped(path), path.name)
    n_words = viz.n_rounds * viz.stored_allocations.strides[0] // 8

    def touch() -> None:
        words = np.frombuffer(_mapped(path), "<u8", n_words)
        for start in range(0, n_words, _TOUCHED_WORDS):
            np.bitwise_or.reduce(words[start : start + _TOUCHED_WORDS])

    return touch


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _tiled(folder: Path, source: VizFile, counts: tuple[int, ...], n_rounds: int) -> Path:
    """A run of any size from the rounds of another, repeated; GPUs beyond its own repeat them some rounds later."""
    firsts = np.cumsum([0, *(gpu_type.count for gpu_type in source.cluster.gpu_types)])
    lanes, late = [], []
    for count, first, stop in zip(counts, firsts, firsts[1:], strict=False):
        at = np.arange(count)
        lanes.append(first + at % (stop - first))
        late.append(37 * (at // (stop - first)))
    lane, later = np.concatenate(lanes), np.concatenate(late)
    allocations = source.allocations()

    def cells(start: int, stop: int) -> np.ndarray:
        return allocations[(np.arange(start, stop)[:, None] + later) % source.n_rounds, lane]

    return _write(folder / f"{sum(counts)}x{n_rounds}.viz.bin", source.jobs, counts, n_rounds, cells)


def _churning(folder: Path, n_rounds: int) -> Path:
    """A run of 108 GPUs in which every cell shows another job."""

    def cells(start: int, stop: int) -> np.ndarray:
        return np.arange(108 * start, 108 * stop).reshape(-1, 108)

    return _write(folder / f"churn{n_rounds}.viz.bin", np.zeros(0, JOB_DTYPE), (36, 36, 36), n_rounds, cells)


def _write(path: Path, jobs: np.ndarray, counts: tuple[int, ...], n_rounds: int, cells: _Cells) -> Path:
    """Write a run that is not there yet: the heads say how many GPUs are in use, nothing is queued."""
    if path.exists():
        return path
    edges = np.cumsum([0, *counts])
    step = max(1, _BLOCK_CELLS // int(edges[-1]))

    def blocks() -> Iterator[RoundBlock]:
        for start in range(0, n_rounds, step):
            stop = min(start + step, n_rounds)
            allocation = cells(start, stop)
            heads = np.zeros(stop - start, ROUND_HEAD_DTYPE)
            heads["round"], heads["jobs_running"] = np.arange(start, stop), 1
            used = np.add.reduceat(allocation >= 0, edges[:-1], axis=1, dtype=np.int64)
            yield RoundBlock(heads, used, allocation, np.zeros(stop - start, int), np.zeros(0, int))

    gpu_types = [{"name": name, "count": count, "gpus_per_node": 4} for name, count in zip(_TYPES, counts, strict=True)]
    with path.open("wb") as file:
        write_vizbin(file, {"policy": "tiled", "gpu_types": gpu_types}, jobs, blocks(), n_rounds)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    path.read_bytes()
    return path
