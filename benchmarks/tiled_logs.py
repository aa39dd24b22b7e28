"""Dialect-A logs of any size in the simulator's own words: copies of a bundled run, one after the other.

In each copy job ids, round numbers and times go on where the copy before it ended, and what is still in the system at
its end completes there. So the whole is one consistent log: every check of a conversion holds in every round. What the
bundled run does not know (priorities, deficits, steps, times within a round) is drawn at random with the digits of real
logs; each kind of line has its share of a real log's bytes.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gavel_dash import open_run
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.settings import DEFAULT_SWEEP

#: The bundled run that is tiled; a copy of it is a log of some 78 MB.
RUN_NAME = "fig11_finish_time_fairness_perf_1.2jph_multi_s0"
_FIRST_LINE = (
    "scheduler:INFO [0] Running scheduler in simulation with the following args: policy=FinishTimeFairness_Perf, "
    "seed=0, time_per_iteration=360, profiling_percentage=1.0, num_reference_models=26\n"
)
_ROUND_S = 360.0


class _Job(NamedTuple):
    """A job of the first copy; `arrives` and `completes` are the records before which its events stand."""

    job_id: int
    type_name: str
    scale_factor: int
    arrives: int
    completes: int
    arrival_s: float
    duration_s: float


class _Placed(NamedTuple):
    """A job on its workers in one round, with the parts of its lines that are the same in all copies."""

    job_id: int
    scheduled: str
    succeeded: str
    n_workers: int


class TiledRun:
    """The lines of a run's copies.

    Parameters
    ----------
    viz : VizFile
        A run of whole GPUs with exact rounds, numbered from 0.
    """

    def __init__(self, viz: VizFile) -> None:
        self.n_rounds = viz.n_rounds
        self._types = [(gpu_type.name, gpu_type.count) for gpu_type in viz.cluster.gpu_types]
        self._heads = viz.round_heads
        self._used = viz.gpus_used.tolist()
        # The file's times are float32; what is added gives them the digits of the simulator's. The first two are 0.
        times_s = self._heads["sim_time_s"].astype(float)
        self._times_s = np.where(times_s > 0, times_s + np.linspace(0, 1e-2, self.n_rounds), 0.0).tolist()
        self.duration_s = self._times_s[-1] + _ROUND_S
        self.jobs = self._read_jobs(viz)
        self._arriving: list[list[_Job]] = [[] for _ in range(self.n_rounds)]
        self._completing: list[list[_Job]] = [[] for _ in range(self.n_rounds + 1)]
        for job in self.jobs:
            self._arriving[job.arrives].append(job)
            self._completing[job.completes].append(job)
        self._placed = [self._placements(row) for row in viz.allocations().tolist()]
        self._window = viz.window

    def _read_jobs(self, viz: VizFile) -> list[_Job]:
        draw = random.Random(0)
        present = int(viz.round_heads["jobs_running"][0]) + int(viz.round_heads["jobs_queued"][0])
        jobs = []
        for i, job in enumerate(viz.jobs.tolist()):
            job_id, type_id, scale_factor, arrival_round, completion_round, duration_s, is_completed = job
            # A job's rounds are those of the last record before its events; before the first record it is 0 too.
            arrives = 0 if i < present else arrival_round + 1
            completes = completion_round + 1 if is_completed else self.n_rounds
            since = self._times_s[max(arrives - 1, 0)]
            arrival_s = since + draw.random() * (self._times_s[arrives] - since)
            if completes >= self.n_rounds:
                completes, duration_s = self.n_rounds, self.duration_s - arrival_s
            type_name = viz.job_types[type_id][0]
            jobs.append(_Job(job_id, type_name, scale_factor, arrives, completes, arrival_s, duration_s))
        return jobs

    def _placements(self, allocation: list[int]) -> list[_Placed]:
        """Who runs where, in the simulator's order: the last GPU type first, large jobs first."""
        placed = []
        end = len(allocation)
        for name, count in reversed(self._types):
            workers_of: dict[int, list[int]] = {}
            for worker in range(end - count, end):
                if allocation[worker] >= 0:
                    workers_of.setdefault(allocation[worker], []).append(worker)
            end -= count
            for job_id, workers in sorted(workers_of.items(), key=lambda item: -len(item[1])):
                where = f"\tWorker type: {name}\tWorker ID(s): "
                scheduled = f"{where}{','.join(map(str, workers))}\tPriority: "
                placed.append(_Placed(job_id, scheduled, f"{where}{workers}\n", len(workers)))
        return placed

    @property
    def n_ids(self) -> int:
        """How far the job ids of a copy reach beyond those of the copy before it."""
        return max(job.job_id for job in self.jobs) + 1

    def copy(self, k: int) -> Iterator[str]:
        """The text of copy `k`, round by round."""
        draw = random.Random(k)
        for i in range(self.n_rounds + 1):
            time_s = self._times_s[i] if i < self.n_rounds else self.duration_s
            info = f"scheduler:INFO [{time_s + k * self.duration_s}] "
            lines: list[str] = []
            self._say_ended(lines, i, k, info)
            if i < self.n_rounds:
                self._say_started(lines, i, k, info, draw)
            yield "".join(lines)

    def _say_ended(self, lines: list[str], i: int, k: int, info: str) -> None:
        """The round before record `i` is over: its micro-tasks, and the jobs that are done with it."""
        debug = f"{_debug(info)}Current active completion events: dict_keys([])\n"
        first_id, first_s = k * self.n_ids, k * self.duration_s
        for placed in self._placed[i - 1] if i else []:
            lines.append(
                f"{debug}{info}[Micro-task succeeded]\tJob ID: {first_id + placed.job_id}{placed.succeeded}",
            )
        remaining = len(self._completing[i]) if i == self.n_rounds else self._in_system(i) - len(self._arriving[i])
        for job in self._completing[i]:
            job_id, start_s = first_id + job.job_id, first_s + job.arrival_s
            end_s = start_s + job.duration_s
            event = {
                "event": "job_complete",
                "job_id": str(job_id),
                "job_type": job.type_name,
                "scale_factor": job.scale_factor,
                "start_time": start_s,
                "end_time": end_s,
                "duration": job.duration_s,
                "sim_time": _time_of(info),
            }
            lines.append(
                f"{info}[Job succeeded]\tJob ID: {job_id}\tStart timestamp: {start_s:.2f}"
                f"\tEnd timestamp: {end_s:.2f}\tDuration: {job.duration_s:.2f}\n"
                f"{info}EVENT {json.dumps(event)}\n{info}Remaining active jobs: {remaining}\n"
            )

    def _say_started(self, lines: list[str], i: int, k: int, info: str, draw: random.Random) -> None:
        """The jobs that arrive before record `i`, the round it records, and the record."""
        first_id = k * self.n_ids
        for job in self._arriving[i]:
            event = {
                "event": "job_arrival",
                "job_id": str(first_id + job.job_id),
                "job_type": job.type_name,
                "scale_factor": job.scale_factor,
                "total_steps": draw.random() * 1e6,
                "arrival_time": k * self.duration_s + job.arrival_s,
                "sim_time": _time_of(info),
            }
            lines.append(f"{info}EVENT {json.dumps(event)}\n")
        if self._arriving[i]:
            lines.append(f"{_debug(info)}Resetting time run so far\n")
        number = k * self.n_rounds + i
        if i:
            for placed in self._placed[i]:
                shares = "] [".join(f"{name:>4} {draw.random():.2f}" for name, _ in self._types)
                lines.append(
                    f"{info}[Micro-task scheduled]\tJob ID: {first_id + placed.job_id}{placed.scheduled}"
                    f"{draw.random() * 30:.2f}\tDeficit: {draw.gauss(0, 5e4):.2f}\tAllocation:  [{shares}]\n"
                )
            warning = info.replace("INFO", "WARNING", 1)
            for (name, count), used in zip(self._types, self._used[i], strict=True):
                if used < count:
                    active = self._in_system(i)
                    lines.append(
                        f"{warning}{count - used} GPUs of type {name} left unused. Number of active jobs: {active}\n"
                    )
            event = {
                "event": "schedule_round",
                "round": number,
                "sim_time": _time_of(info),
                "num_jobs_scheduled": len(self._placed[i]),
                "assignments": {str(first_id + placed.job_id): placed.n_workers for placed in self._placed[i]},
            }
            lines.append(f"{info}EVENT {json.dumps(event)}\n")
        lines.append(f"{info}TELEMETRY {json.dumps(self._telemetry(i, k, _time_of(info)))}\n")

    def _in_system(self, i: int) -> int:
        return int(self._heads["jobs_running"][i]) + int(self._heads["jobs_queued"][i])

    def _telemetry(self, i: int, k: int, time_s: float) -> dict[str, Any]:
        head = self._heads[i]
        completed = k * len(self.jobs) + int(head["jobs_completed"])
        start, end = (self._window.start_job_id, self._window.end_job_id) if self._window else (0, 0)
        record = {
            "round": k * self.n_rounds + i,
            "sim_time": time_s,
            "wall_time": (k * self.n_rounds + i) * 0.0341 + 1.7404556274414062e-05,
            "jobs_generated": completed + self._in_system(i),
            "jobs_active": self._in_system(i),
            "jobs_running": int(head["jobs_running"]),
            "jobs_completed_total": completed,
            "jobs_completed_window": min(max(completed - start, 0), end - start),
            "jobs_queued": int(head["jobs_queued"]),
            "utilization": float(head["effective_utilization"]),
            "avg_jct": float(head["avg_jct_s"]),
            "next_arrival": time_s + _ROUND_S * 3.1,
        }
        for (name, count), used in reversed(list(zip(self._types, self._used[i], strict=True))):
            record |= {f"{name}_used": used, f"{name}_total": count}
        return record | {"windowed_completion_rate": float(head["completion_rate_jph"]) or None}

    def summary(self, k: int, i: int) -> str:
        """The end of a log after record `i` of copy `k`: how long the first copy's window jobs took, as far as done."""
        window = self._window
        jobs = [
            job
            for job in self.jobs
            if window and window.start_job_id <= job.job_id < window.end_job_id and (k or job.completes <= i)
        ]
        lines = [f"Job {job.job_id}: {job.duration_s:.3f}\n" for job in jobs]
        if jobs:
            mean_s = sum(job.duration_s for job in jobs) / len(jobs)
            lines.append(f"Average job completion time: {mean_s:.3f} seconds ({mean_s / 3600:.2f} hours)\n")
        lines.append(f"Cluster utilization: {self._heads['effective_utilization'][i]:.3f}\n")
        return "".join(lines)


def _debug(info: str) -> str:
    return info.replace("INFO", "DEBUG", 1)


def _time_of(info: str) -> float:
    return float(info[info.index("[") + 1 : info.index("]")])


@lru_cache(maxsize=1)
def bundled_run() -> TiledRun:
    """The bundled run, ready to be tiled."""
    return TiledRun(open_run(next(Path(DEFAULT_SWEEP).glob(f"{RUN_NAME}.viz.bin*"))).viz)


def write_log(path: Path, n_bytes: int) -> None:
    """Write a log of at least so many bytes, and of as few rounds as that takes."""
    run, written = bundled_run(), 0
    with path.open("w", encoding="ascii") as file:
        written += file.write(_FIRST_LINE)
        for k in itertools.count():
            for i, text in enumerate(run.copy(k)):
                written += file.write(text)
                # After a record, so that every event counts for a round.
                if written >= n_bytes and i < run.n_rounds:
                    file.write(run.summary(k, i))
                    return
