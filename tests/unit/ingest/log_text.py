"""Small logs of both dialects, written line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.convert import Conversion, convert_log
from gavel_dash.ingest.sources import LogSource

TOTALS = {"k80": 2, "p100": 2, "v100": 2}


class ReplicationLog:
    """Lines of dialect A. Every method returns the log, so that calls chain."""

    def __init__(self, totals: dict[str, int] | None = None) -> None:
        self.totals = totals or TOTALS
        self.lines = [
            "scheduler:INFO [0] Running scheduler in simulation with the following args: "
            "policy=MaxMinFairness_Perf, seed=7, time_per_iteration=360"
        ]
        self.time = 0.0

    def say(self, message: str) -> ReplicationLog:
        self.lines.append(f"scheduler:INFO [{self.time}] {message}")
        return self

    def event(self, event: str, job: int, **values: Any) -> ReplicationLog:
        return self.say("EVENT " + json.dumps({"event": event, "job_id": str(job), "sim_time": self.time, **values}))

    def arrive(
        self, job: int, scale_factor: int = 1, job_type: str = "LM (batch size 5)", **more: Any
    ) -> ReplicationLog:
        return self.event("job_arrival", job, job_type=job_type, scale_factor=scale_factor, **more)

    def complete(self, job: int, duration: float, event: str = "job_complete") -> ReplicationLog:
        return self.event(event, job, duration=duration)

    def schedule(self, job: object, worker_type: str, *workers: int) -> ReplicationLog:
        ids = ",".join(map(str, workers))
        return self.say(
            f"[Micro-task scheduled]\tJob ID: {job}\tWorker type: {worker_type}\tWorker ID(s): {ids}"
            "\tPriority: 1.00\tDeficit: -2.00\tAllocation:  [ k80 0.05] [p100 0.25] [v100 0.68]"
        )

    def allocate(self, allocation: dict[str, list[int]]) -> ReplicationLog:
        return self.say("ALLOCATION " + json.dumps(allocation))

    def telemetry(self, number: int, running: int, queued: int, completed: int = 0, **used: int) -> ReplicationLog:
        record: dict[str, Any] = {
            "round": number,
            "sim_time": self.time,
            "jobs_running": running,
            "jobs_queued": queued,
            "jobs_completed_total": completed,
            "utilization": 0.25,
            "avg_jct": 0,
        }
        for name, total in self.totals.items():
            record |= {f"{name}_used": used.get(name, 0), f"{name}_total": total}
        self.say("TELEMETRY " + json.dumps({**record, "windowed_completion_rate": None}))
        self.time = 360.0 * number
        return self

    @property
    def data(self) -> bytes:
        return "".join(line + "\n" for line in self.lines).encode()


def short_log() -> ReplicationLog:
    """Four rounds (0 to 3) and three jobs; job 2 waits in round 1, job 0 completes before round 3."""
    log = ReplicationLog().arrive(0, 2).arrive(1, job_type="ResNet-50 (batch size 64)").arrive(2)
    log.telemetry(0, 0, 3)
    log.schedule(0, "v100", 4, 5).schedule(1, "k80", 1).telemetry(1, 2, 1, v100=2, k80=1)
    log.schedule(0, "v100", 4, 5).schedule(2, "k80", 0).schedule(1, "k80", 1).telemetry(2, 3, 0, v100=2, k80=2)
    log.complete(0, 700.5).schedule(2, "p100", 3).telemetry(3, 1, 1, 1, p100=1)
    return log


def convert_data(
    data: bytes, directory: Path, name: str = "simulation.log", **options: Any
) -> tuple[VizFile, Conversion]:
    """Write a log, convert it, open the result."""
    path = directory / name
    path.write_bytes(data)
    result = convert_log(LogSource(path, "run"), directory / "out", **options)
    return VizFile(result.paths[0].read_bytes(), "run"), result


def codes(result: Conversion) -> dict[str, int]:
    """Findings of a conversion as code -> count."""
    return {finding.code: finding.count for finding in result.findings}
