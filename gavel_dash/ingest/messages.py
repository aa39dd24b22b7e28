"""The messages both dialects share: who runs where, the arguments, and the summary at the end of a log."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from gavel_dash.formats.json_source import parse_json as parse_any_json
from gavel_dash.model import JobWindow

SCHEDULED = b"] [Micro-task scheduled]\tJob ID: "
_WORKER_TYPE, _WORKERS = b"Worker type: ", b"Worker ID(s): "
_POLICY = re.compile(rb"\bpolicy=([^,\s]+)")
_SEED = re.compile(rb"\bseed=(\d{1,18})\b")
_ROUND_SECONDS = re.compile(rb"\btime_per_iteration=(\d+)")
_JOB_TIME = re.compile(rb"Job (\d{1,18}): ([\d.]+)\s*$")
_AVERAGE_JCT = re.compile(rb"Average job completion time: ([\d.]+) seconds")
_UTILIZATION = re.compile(rb"Cluster utilization: ([\d.]+)")
#: Longer objects are looked at first: they can be anything.
_MOST_PARSED_AT_ONCE = 1 << 16
_BEYOND_ANY_FIELD = 2**53 - 1
_POLICY_NAMES = {"Gandiva_Packing": "gandiva", "AlloX_Perf": "allox"}


def bounded_integer(value: Any) -> int:
    """A count; one beyond what any field holds stays so, and is found by the writer."""
    return max(-_BEYOND_ANY_FIELD, min(int(value), _BEYOND_ANY_FIELD))


def parse_job_ids(text: str) -> tuple[int, ...]:
    """``"38"`` as (38,), the pair of a packing policy ``"(3, 5)"`` as (3, 5)."""
    if text.isdigit():
        return (int(text),)
    return tuple(int(part) for part in text.strip().strip("()").split(",") if part.strip())


def check_worker_type(text: bytes) -> None:
    """Raise ValueError where the text is not of the form ``Worker type: v100``."""
    if not text.startswith(_WORKER_TYPE):
        raise ValueError(f"no worker type in {text!r}")


def parse_worker_type(text: bytes) -> str:
    """``Worker type: v100`` as "v100"."""
    return text[len(_WORKER_TYPE) :].decode(errors="replace").strip()


def parse_workers(text: bytes) -> tuple[int, ...]:
    """``Worker ID(s): 72,73`` as (72, 73). Raises ValueError where the text has another form."""
    if not text.startswith(_WORKERS):
        raise ValueError(f"no worker ids in {text!r}")
    return tuple(map(int, text[len(_WORKERS) :].split(b",")))


def parse_json(text: bytes) -> dict[str, Any]:
    """One JSON object, also with the bare ``NaN`` and ``Infinity`` that Python's own encoder prints."""
    try:
        value = orjson.loads(text) if len(text) <= _MOST_PARSED_AT_ONCE else parse_any_json(text)
    except orjson.JSONDecodeError:
        value = parse_any_json(text)
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


def shown(line: bytes, error: Exception) -> str:
    """A line as an error message shows it, with what was wrong."""
    return f"{line[:120].decode(errors='replace')!r} ({type(error).__name__}: {error})"
