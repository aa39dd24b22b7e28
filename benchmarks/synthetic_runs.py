"""Runs as large as clusters get, made in seconds: `python -m benchmarks.synthetic_runs OUTDIR [--sizes 108,6200]`.

The cluster is first come, first served with backfilling. It teaches nothing about schedulers; its files have the size,
the persistence (0.3 to 1% of the GPUs change hands per round) and the exactness of real ones: every count in a round
record comes from the same placements as the allocations.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fifo_cluster import DAY_ROUNDS, JOB_TYPES, ROUND_S, Placements, draw_jobs, schedule
from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from gavel_dash.progress import ProgressLine

_BLOCK_CELLS, _BLOCK_ROUNDS = 2**20, 4096


@dataclass(frozen=True)
class Size:
    """One size: GPU types in worker-id order (name, GPUs, GPUs per node), rounds, its own rate (jobs/h), and seeds."""

    gpu_types: tuple[tuple[str, int, int], ...]
    n_rounds: int
    arrival_rate_jph: float
    seeds: tuple[int, ...] = (0, 1)

    @property
    def n_gpus(self) -> int:
        """GPUs of all types."""
        return sum(count for _, count, _ in self.gpu_types)

    def name(self, seed: int) -> str:
        """The run's name, from which figure, policy, rate, setting and seed can be read."""
        return f"fig9_synthetic_{self.arrival_rate_jph}jph_multi_s{seed}"


SIZES = {
    "108": Size((("k80", 36, 4), ("p100", 36, 4), ("v100", 36, 4)), 20_000, 2.1),
    "6200": Size((("k80", 2064, 8), ("p100", 2064, 8), ("v100", 2072, 8)), 5_500, 125.0),
    "50000": Size((("a100", 20_000, 8), ("h100", 20_000, 8), ("v100", 10_000, 8)), 600, 1150.0),
    "million": Size((("k80", 4, 4), ("p100", 4, 4), ("v100", 4, 4)), 1_000_000, 0.2, seeds=(0,)),
}


def _running_total(starts: np.ndarray, stops: np.ndarray, n_rounds: int) -> np.ndarray:
    """Per round, how many of the intervals ``start <= round < stop`` hold it; shape (n_rounds,)."""
    started, stopped = (np.bincount(edges, minlength=n_rounds + 1)[:n_rounds] for edges in (starts, stops))
    return np.cumsum(started - stopped)


def round_heads(jobs: np.ndarray, busy: np.ndarray, n_gpus: int, window: tuple[int, int]) -> np.ndarray:
    """Every round record's head, counted from jobs and the number of busy GPUs per round (`busy`)."""
    n_rounds = len(busy)
    heads = np.zeros(n_rounds, ROUND_HEAD_DTYPE)
    at = np.arange(n_rounds)
    heads["round"], heads["sim_time_s"] = at, at * ROUND_S
    heads["effective_utilization"] = np.cumsum(busy) / (n_gpus * (at + 1.0))
    is_done = jobs["duration_s"] > 0
    gone = np.where(is_done, jobs["completion_round"] + 1, n_rounds)
    heads["jobs_running"] = _running_total(jobs["start_round"], gone, n_rounds)
    heads["jobs_queued"] = _running_total(jobs["arrival_round"] + 1, jobs["start_round"], n_rounds)
    in_window = is_done & (jobs["job_id"] >= window[0]) & (jobs["job_id"] < window[1])
    completed, measured, total_s = (
        np.cumsum(np.bincount(gone[chosen], weights, n_rounds + 1)[:n_rounds])
        for chosen, weights in (
            (is_done, None),
            (in_window, None),
            (in_window, jobs["duration_s"][in_window]),
        )
    )
    heads["jobs_completed"] = completed
    heads["avg_jct_s"] = np.divide(total_s, measured, out=np.zeros(n_rounds), where=measured > 0)
    # The rate of the last day; unknown (0) before there was one.
    heads["completion_rate_jph"][DAY_ROUNDS:] = (completed[DAY_ROUNDS:] - completed[:-DAY_ROUNDS]) / 24
    return heads


def blocks(
    jobs: np.ndarray, placed: Placements, heads: np.ndarray, used: np.ndarray, n_gpus: int
) -> Iterator[RoundBlock]:
    """The run in blocks of about a million cells."""
    n_rounds = len(heads)
    # The stored id of a cell is a running total of steps: +id when a job comes, -id when it goes.
    at = np.concatenate([placed.start, placed.stop])
    step = np.concatenate([placed.job + 1, -placed.job - 1])
    order = np.argsort(at, kind="stable")
    at, step, gpu = at[order], step[order], np.concatenate([placed.gpu, placed.gpu])[order]
    current = np.zeros(n_gpus, np.int64)
    first_wait, end_wait = jobs["arrival_round"] + 1, jobs["start_round"]
    size = max(1, min(_BLOCK_CELLS // n_gpus, _BLOCK_ROUNDS))
    for first in range(0, n_rounds, size):
        stop = min(first + size, n_rounds)
        cells = np.zeros((stop - first, n_gpus), np.int64)
        cells[0] = current
        a, b = np.searchsorted(at, (first, stop))
        np.add.at(cells, (at[a:b] - first, gpu[a:b]), step[a:b])
        np.cumsum(cells, axis=0, out=cells)
        current = cells[-1].copy()

        here = np.flatnonzero((first_wait < stop) & (end_wait > first))
        since = np.maximum(first_wait[here], first)
        lengths = np.maximum(np.minimum(end_wait[here], stop) - since, 0)
        queued = np.repeat(here, lengths)
        rows = np.repeat(since - np.cumsum(lengths) + lengths, lengths) + np.arange(len(queued)) - first
        by_round = np.argsort(rows, kind="stable")
        yield RoundBlock(
            heads[first:stop],
            used[first:stop],
            cells - 1,
            np.bincount(rows, minlength=stop - first),
            queued[by_round],
        )


def write_synthetic_run(
    path: Path, gpu_types: Sequence[tuple[str, int, int]], n_rounds: int, seed: int, arrival_rate_jph: float
) -> None:
    """Simulate a cluster and write it; an unfinished file never gets the name `path`.

    Parameters
    ----------
    path : Path
    gpu_types : sequence of (name, GPUs, GPUs per node)
        In worker-id order.
    n_rounds : int
        Rounds of 360 s.
    seed : int
    arrival_rate_jph : float
        Jobs per hour, averaged over the week.
    """
    rng = np.random.default_rng(seed)
    names, counts, per_node = zip(*gpu_types, strict=True)
    n_gpus = sum(counts)
    jobs = draw_jobs(n_gpus, min(counts), n_rounds, arrival_rate_jph, rng)
    placed = schedule(jobs, counts, n_rounds, rng)
    used = np.empty((n_rounds, len(counts)), np.int64)
    edges = np.cumsum([0, *counts])
    for t in range(len(counts)):
        mine = (placed.gpu >= edges[t]) & (placed.gpu < edges[t + 1])
        used[:, t] = _running_total(placed.start[mine], placed.stop[mine], n_rounds)
    # Measured are the jobs of the second quarter of the run.
    start, end = (int(np.searchsorted(jobs["arrival_round"], n_rounds * part // 4)) for part in (1, 2))
    config: dict[str, Any] = {
        "policy": "synthetic",
        "gpu_types": [
            {"name": name, "count": count, "gpus_per_node": node}
            for name, count, node in zip(names, counts, per_node, strict=True)
        ],
        "measurement_window": {"start_job": start, "end_job": end},
        "job_types": [{"id": i, "name": name, "category": kind} for i, (name, kind) in enumerate(JOB_TYPES)],
    }
    heads = round_heads(jobs, used.sum(axis=1), n_gpus, (start, end))
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        write_vizbin(file, config, jobs, blocks(jobs, placed, heads, used, n_gpus), n_rounds)
    unfinished.replace(path)


def make_sweep(folder: Path, sizes: Sequence[str]) -> None:
    """Write the runs of `sizes` (keys of `SIZES`) that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for key in sizes:
        size = SIZES[key]
        for seed in size.seeds:
            path = folder / f"{size.name(seed)}.viz.bin"
            if path.exists():
                continue
            with ProgressLine() as progress:
                progress(f"making {path.name}: {size.n_gpus:,} GPUs, {size.n_rounds:,} rounds")
                began = time.perf_counter()
                write_synthetic_run(path, size.gpu_types, size.n_rounds, seed, size.arrival_rate_jph)
            print(f"{path}: {path.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - began:.1f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic_runs", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="OUTDIR")
    parser.add_argument("--sizes", default=",".join(SIZES), help=f"which of {', '.join(SIZES)}; default all")
    args = parser.parse_args(arguments)
    sizes = args.sizes.split(",")
    if unknown := [key for key in sizes if key not in SIZES]:
        parser.error(f"no size {unknown[0]!r}; there are {', '.join(SIZES)}")
    make_sweep(args.folder, sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
