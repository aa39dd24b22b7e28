"""The nouns of the field as frozen values: window, GPU types, cluster, run key, finding.

Nothing here reads a file or knows a page; every other room may import it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class JobWindow:
    """The measured jobs: ids in ``[start_job_id, end_job_id)``. A range of ids, not of time."""

    start_job_id: int
    end_job_id: int

    @property
    def n_jobs(self) -> int:
        """Number of jobs the window asks for, whether or not they arrived."""
        return max(0, self.end_job_id - self.start_job_id)

    def __str__(self) -> str:
        return f"{self.start_job_id}:{self.end_job_id}"


@dataclass(frozen=True)
class GpuType:
    """One block of equal GPUs. `gpus_per_node` is None where no node size is known."""

    name: str
    count: int
    gpus_per_node: int | None = None


@dataclass(frozen=True)
class Cluster:
    """GPU types in worker-id order: the first type's GPUs are 0 .. count - 1, and so on."""

    gpu_types: tuple[GpuType, ...]

    @property
    def gpus(self) -> int:
        """Total number of GPUs."""
        return sum(gpu_type.count for gpu_type in self.gpu_types)

    @property
    def first_gpus(self) -> tuple[int, ...]:
        """Index of the first GPU of each type, in the order of `gpu_types`."""
        return tuple(accumulate((t.count for t in self.gpu_types[:-1]), initial=0))

    @property
    def name(self) -> str:
        """Short name independent of type order, such as ``36k80-36p100-36v100``."""
        types = sorted(self.gpu_types, key=lambda t: t.name.lower())
        return "-".join(f"{t.count}{t.name}" for t in types)


@dataclass(frozen=True)
class Finding:
    """Something a reader or converter noticed in a file and, where it could, put right.

    `code` is a stable kebab-case word, `sentence` is for people, `count` says how often
    (rounds, jobs or GPUs, as the sentence says).
    """

    code: str
    sentence: str
    count: int


@dataclass(frozen=True)
class RunKey:
    """What makes a run comparable with others. A field is None where nothing tells it."""

    figure: str | None = None
    policy: str | None = None
    setting: str | None = None  # "single" or "multi": the largest scale factor of its jobs
    arrival_rate_jph: float | None = None
    seed: int | None = None
    cluster: str | None = None
    placement: str | None = None  # how a job's GPUs are chosen, where a source says it apart from the policy
    trace: str | None = None  # where the jobs come from


def natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts fig9 before fig10: digits compare as numbers, everything else as text."""
    parts = re.findall(r"\d+|\D+", text)
    # By their length and then as text, numbers of any length compare as such.
    digits = (part.lstrip("0") for part in parts)
    return tuple(
        (0, len(number), number) if part.isdecimal() else (1, 0, part)
        for part, number in zip(parts, digits, strict=True)
    )
