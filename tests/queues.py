"""M/M/c queues: a scheduler whose saturation is known, c servers at `service_rate_jph` each.

Jobs arrive by a Poisson process and need an exponential service time; whoever comes first is served first. Such a
queue keeps up with every arrival rate below c * service_rate_jph and with none above.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.stability import Evidence, collect_evidence, judge

SERVICE_RATE_JPH = 1 / 19
WARM_UP_JOBS = 400
RECORD_H, MOST_RECORDS = 0.1, 40_000
#: Arrival rates over capacity of a whole sweep: 0.5 to 1.3 in steps of 0.025.
LOADS = np.arange(20, 53) / 40


@dataclass(frozen=True)
class QueueRun:
    """Jobs of one run in order of arrival: ndarrays of float, shape (n_jobs,), hours."""

    arrival_h: np.ndarray
    departure_h: np.ndarray

    @property
    def mean_jct_h(self) -> float:
        """Mean of departure minus arrival over the jobs after warm-up."""
        return float((self.departure_h - self.arrival_h)[WARM_UP_JOBS:].mean())

    def evidence(self) -> Evidence | None:
        """What records every tenth of an hour, from the end of warm-up to the last arrival, say about the run."""
        start_h, stop_h = self.arrival_h[WARM_UP_JOBS], self.arrival_h[-1]
        n_records = min(int((stop_h - start_h) / RECORD_H) + 1, MOST_RECORDS)
        time_h = np.linspace(start_h, stop_h, n_records)
        arrived = np.searchsorted(self.arrival_h, time_h, side="right")
        completed = np.searchsorted(np.sort(self.departure_h), time_h, side="right")
        return collect_evidence(time_h, arrived - completed, completed, 0, n_records)


def simulate_mmc(rng: np.random.Generator, arrival_rate_jph: float, servers: int, n_jobs: int) -> QueueRun:
    """A run of `n_jobs` jobs after `WARM_UP_JOBS` of warm-up that begins with an empty queue."""
    n_jobs += WARM_UP_JOBS
    arrival_h = np.cumsum(rng.exponential(1 / arrival_rate_jph, n_jobs))
    service_h = rng.exponential(1 / SERVICE_RATE_JPH, n_jobs)
    free_at_h = [0.0] * servers
    departure_h = np.empty(n_jobs)
    for job, (arrival, service) in enumerate(zip(arrival_h.tolist(), service_h.tolist(), strict=True)):
        departure = max(free_at_h[0], arrival) + service
        heapq.heapreplace(free_at_h, departure)
        departure_h[job] = departure
    return QueueRun(arrival_h, departure_h)


def run_row(run: QueueRun, arrival_rate_jph: float, seed: int) -> dict[str, object]:
    """The run as a row of `schema.RUNS`: what the estimates of saturation look at."""
    return {
        "run": f"mmc_{arrival_rate_jph:g}jph_s{seed}",
        "policy": "first_come",
        "setting": "single",
        "arrival_rate_jph": arrival_rate_jph,
        "seed": seed,
        "mean_jct_h": run.mean_jct_h,
        "mean_jct_is_lower_bound": False,
        "verdict": judge(run.evidence(), arrival_rate_jph),
        "status": "complete",
    }


def sweep_rows(
    rng: np.random.Generator, servers: int, n_jobs: int, loads: np.ndarray = LOADS, seeds: int = 3
) -> list[dict[str, object]]:
    """Rows of a sweep over `loads` times the capacity, `seeds` runs at each."""
    rates = (loads * servers * SERVICE_RATE_JPH).tolist()
    return [run_row(simulate_mmc(rng, rate, servers, n_jobs), rate, seed) for rate in rates for seed in range(seeds)]


def steady_jct_h(arrival_rate_jph: float, servers: int) -> float:
    """Mean time in the system of an M/M/c queue in steady state, by Erlang's C formula.

    Blocking by the Erlang-B recursion; Gross and Harris, "Fundamentals of Queueing Theory", section 2.3.
    """
    offered = arrival_rate_jph / SERVICE_RATE_JPH
    blocking = 1.0
    for n in range(1, servers + 1):
        blocking = offered * blocking / (n + offered * blocking)
    waiting = blocking / (1 - offered / servers * (1 - blocking))
    return 1 / SERVICE_RATE_JPH + waiting / (servers * SERVICE_RATE_JPH - arrival_rate_jph)
