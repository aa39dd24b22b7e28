"""The cluster behind the synthetic runs: first come, first served with backfilling, simulated event by event."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

ROUND_S = 360.0
DAY_ROUNDS = 240
MEAN_RUN_S = 250 * ROUND_S
RUN_SIGMA = 1.2
MIGRATIONS_PER_ROUND = 5e-4
SCALE_FACTORS, SCALE_SHARES = (1, 2, 4, 8), (0.71, 0.095, 0.15, 0.045)
JOB_TYPES = (
    ("ResNet-18 (batch size 64)", "resnet"),
    ("ResNet-50 (batch size 32)", "resnet"),
    ("Transformer (batch size 128)", "transformer"),
    ("LM (batch size 20)", "language_model"),
    ("Recommendation (batch size 2048)", "recommendation"),
    ("CycleGAN", "cyclegan"),
    ("A3C", "a3c"),
)
_JOB_DTYPE = np.dtype(
    [
        ("job_id", "i8"),
        ("type_id", "i8"),
        ("scale_factor", "i8"),
        ("arrival_round", "i8"),
        ("completion_round", "i8"),
        ("duration_s", "f8"),
        ("arrival_s", "f8"),
        ("run_s", "f8"),
        ("start_round", "i8"),
    ]
)


@dataclass(frozen=True)
class Placements:
    """Which job held which GPU in which rounds ``start <= round < stop``; four arrays of one length."""

    job: np.ndarray
    gpu: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def draw_jobs(
    n_gpus: int, largest: int, n_rounds: int, arrival_rate_jph: float, rng: np.random.Generator
) -> np.ndarray:
    """Jobs in order of arrival: half a cluster of them at once, then Poisson arrivals that swell and ebb by the week.

    None asks for more than `largest` GPUs.
    """
    at = np.arange(n_rounds)
    expected = arrival_rate_jph * ROUND_S / 3600 * (1 + 0.4 * np.cos(2 * np.pi * at / (7 * DAY_ROUNDS)))
    expected[0] += n_gpus / 2
    arrival_round = np.repeat(at, rng.poisson(expected))
    jobs = np.zeros(len(arrival_round), _JOB_DTYPE)
    jobs["job_id"] = np.arange(len(jobs))
    jobs["type_id"] = rng.integers(len(JOB_TYPES), size=len(jobs))
    jobs["scale_factor"] = np.minimum(rng.choice(SCALE_FACTORS, size=len(jobs), p=SCALE_SHARES), largest)
    jobs["arrival_s"] = np.sort((arrival_round + rng.random(len(jobs))) * ROUND_S)
    jobs["arrival_round"] = arrival_round
    jobs["run_s"] = rng.lognormal(np.log(MEAN_RUN_S) - RUN_SIGMA**2 / 2, RUN_SIGMA, len(jobs))
    jobs["start_round"] = n_rounds
    return jobs


class FreeGpus:
    """Idle GPUs, per type."""

    def __init__(self, counts: Sequence[int]) -> None:
        edges = np.cumsum([0, *counts])
        self._idle = np.ones(edges[-1], bool)
        self._firsts, self._types = edges[:-1], [self._idle[a:b] for a, b in pairwise(edges)]
        self.left = list(counts)

    def take(self, scale_factor: int) -> np.ndarray | None:
        """GPUs of the type with most idle ones, side by side where possible; None where no type has enough."""
        t = self.left.index(max(self.left))
        if self.left[t] < scale_factor:
            return None
        idle = self._types[t]
        aligned = idle[: len(idle) - len(idle) % scale_factor].reshape(-1, scale_factor)
        whole = np.all(aligned, axis=1)
        at = int(whole.argmax())
        gpus = at * scale_factor + np.arange(scale_factor) if whole[at] else np.flatnonzero(idle)[:scale_factor]
        idle[gpus] = False
        self.left[t] -= scale_factor
        return gpus + self._firsts[t]

    def give_back(self, gpus: np.ndarray) -> None:
        """Make them idle again."""
        self._idle[gpus] = True
        self.left[int(np.searchsorted(self._firsts, gpus[0], side="right")) - 1] += len(gpus)


def schedule(jobs: np.ndarray, counts: Sequence[int], n_rounds: int, rng: np.random.Generator) -> Placements:
    """Run the cluster: fill in each job's start, completion and duration, and return who held what.

    Only rounds in which something happens are visited. A job that has waited a day is not overtaken any
    more, so wide jobs do not starve.
    """
    free = FreeGpus(counts)
    scales, arrivals = jobs["scale_factor"].tolist(), jobs["arrival_round"].tolist()
    lengths = np.ceil(jobs["run_s"] / ROUND_S).astype(int).tolist()
    stays = np.ceil(rng.exponential(1 / MIGRATIONS_PER_ROUND, len(jobs))).astype(int).tolist()
    holds: dict[int, tuple[int, np.ndarray]] = {}
    ends: list[tuple[int, int]] = []
    moves: list[tuple[int, int]] = []
    waiting: list[int] = []
    done: list[tuple[int, int, int, np.ndarray]] = []
    starts = jobs["start_round"]
    arrived = 0
    while True:
        due = [events[0][0] for events in (ends, moves) if events]
        if arrived < len(jobs):
            due.append(arrivals[arrived] + 1)
        now = min(due, default=n_rounds)
        if now >= n_rounds:
            break
        while ends and ends[0][0] == now:
            job = heapq.heappop(ends)[1]
            since, gpus = holds.pop(job)
            done.append((job, since, now, gpus))
            free.give_back(gpus)
        while moves and moves[0][0] == now:
            job = heapq.heappop(moves)[1]
            if job in holds and (new_gpus := free.take(scales[job])) is not None:
                since, gpus = holds[job]
                done.append((job, since, now, gpus))
                free.give_back(gpus)
                holds[job] = (now, new_gpus)
        while arrived < len(jobs) and arrivals[arrived] < now:
            waiting.append(arrived)
            arrived += 1
        kept: list[int] = []
        for at, job in enumerate(waiting):
            most = max(free.left)
            if not most or (kept and now - arrivals[kept[0]] > DAY_ROUNDS):
                kept += waiting[at:]
                break
            taken = free.take(scales[job]) if scales[job] <= most else None
            if taken is None:
                kept.append(job)
                continue
            holds[job] = (now, taken)
            starts[job] = now
            heapq.heappush(ends, (now + lengths[job], job))
            heapq.heappush(moves, (now + stays[job], job))
        waiting = kept
    done += [(job, since, n_rounds, gpus) for job, (since, gpus) in holds.items()]

    completed = starts + lengths <= n_rounds
    jobs["completion_round"][completed] = (starts + lengths - 1)[completed]
    jobs["duration_s"][completed] = (starts * ROUND_S + jobs["run_s"] - jobs["arrival_s"])[completed]
    held = np.array([row[:3] for row in done], np.int64).reshape(-1, 3)
    per_gpu = np.repeat(held, [len(gpus) for *_, gpus in done], axis=0)
    gpu = np.concatenate([np.empty(0, np.int64), *(gpus for *_, gpus in done)])
    return Placements(per_gpu[:, 0], gpu, per_gpu[:, 1], per_gpu[:, 2])
