"""The messages both dialects share: who runs where, the arguments, and the summary at the end of a log."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from gavel_dash.model import JobWindow

SCHEDULED = b"[Micro-task scheduled]\tJob ID: "
_POLICY = re.compile(rb"\bpolicy=([^,\s]+)")
_SEED = re.compile(rb"\bseed=(\d+)")
_ROUND_SECONDS = re.compile(rb"\btime_per_iteration=(\d+)")
_JOB_TIME = re.compile(rb"Job (\d+): ([\d.]+)\s*$")
_AVERAGE_JCT = re.compile(rb"Average job completion time: ([\d.]+) seconds")
_UTILIZATION = re.compile(rb"Cluster utilization: ([\d.]+)")
_POLICY_NAMES = {"Gandiva_Packing": "gandiva", "AlloX_Perf": "allox"}


class Scheduled(NamedTuple):
    """One line of who runs where. More than one job: they share the same GPUs."""

    job_ids: tuple[int, ...]
    worker_type: str | None
    workers: tuple[int, ...]


def parse_job_ids(text: str) -> tuple[int, ...]:
    """``"38"`` as (38,), the pair of a packing policy ``"(3, 5)"`` as (3, 5)."""
    return tuple(int(part) for part in text.strip().strip("()").split(",") if part.strip())


def parse_scheduled(text: bytes) -> Scheduled:
    r"""What follows `SCHEDULED`: ``38\tWorker type: v100\tWorker ID(s): 72,73``.

    Raises
    ------
    ValueError
        The text has another form.
    """
    job, worker_type, workers = text.decode().split("\t")[:3]
    if not worker_type.startswith("Worker type: ") or not workers.startswith("Worker ID(s): "):
        raise ValueError("no worker type or worker ids")
    return Scheduled(parse_job_ids(job), worker_type[13:].strip(), tuple(map(int, workers[14:].split(","))))


def scheduled_key(line: bytes, start: int) -> bytes:
    """The part of a scheduled line that says who runs where; priorities and deficits behind it differ every round."""
    end = line.find(b"\tPriority", start)
    return line[start:] if end < 0 else line[start:end]


def parse_json(text: bytes) -> dict[str, Any]:
    """One JSON object, also with the bare ``NaN`` and ``Infinity`` that Python's own encoder prints."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        import json

        value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def snake_case_policy(class_name: str) -> str:
    """``MaxMinFairness_Perf`` as ``max_min_fairness_perf``: a log knows the class, a sweep the short name."""
    if class_name in _POLICY_NAMES:
        return _POLICY_NAMES[class_name]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()
    return re.sub(r"_packing$", "_packed", words)


@dataclass
class Summary:
    """What a log says about itself outside its rounds. None where it does not say."""

    policy: str | None = None
    seed: int | None = None
    round_s: float | None = None
    average_jct_s: float | None = None
    utilization: float | None = None
    jct_s: dict[int, float] = field(default_factory=dict)

    def read_arguments(self, line: bytes) -> None:
        """The first line: ``Running scheduler in simulation with the following args: policy=FIFO, seed=0, ...``."""
        if found := _POLICY.search(line):
            self.policy = snake_case_policy(found[1].decode(errors="replace"))
        if found := _SEED.search(line):
            self.seed = int(found[1])
        if found := _ROUND_SECONDS.search(line):
            self.round_s = float(found[1])

    def read_line(self, line: bytes) -> None:
        """A line without a time stamp: the job completion times and averages at the end."""
        if found := _JOB_TIME.match(line):
            self.jct_s[int(found[1])] = float(found[2])
        elif found := _AVERAGE_JCT.match(line):
            self.average_jct_s = float(found[1])
        elif found := _UTILIZATION.match(line):
            self.utilization = float(found[1])

    @property
    def window(self) -> JobWindow | None:
        """The measured jobs: those whose completion times the log lists."""
        return JobWindow(min(self.jct_s), max(self.jct_s) + 1) if self.jct_s else None
