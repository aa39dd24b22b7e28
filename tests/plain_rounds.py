"""Jobs, free GPUs and blocked demand a second time, slowly: a loop over rounds, dicts and sets, one GPU at a time.

A round is a list of cells, one per GPU: the stored ids in its quarters, as `quarters_of` makes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Cells = Sequence[Sequence[int]]
#: First GPU, number of GPUs and GPUs per node of a type; None where the node size is unknown.
Type = tuple[int, int, int | None]


def quarters_of(allocation: Sequence[int], shared: Mapping[int, Sequence[int]]) -> Cells:
    """The four quarters of every GPU in a round."""
    return [shared.get(gpu) or (job, job, job, job) for gpu, job in enumerate(allocation)]


@dataclass
class PlainJob:
    """What became of a job."""

    first: int = -1
    last: int = -1
    run_rounds: int = 0
    run_time_h: float = 0.0
    quarters: int = 0
    quarter_hours: float = 0.0
    stops: int = 0
    migrations: int = 0
    type_migrations: int = 0
    type_rounds: dict[int, int] = field(default_factory=dict)
    gpus: frozenset[int] = frozenset()
    types: frozenset[int] = frozenset()

    def preemptions(self, ended: bool) -> int:
        """Times it lost all its GPUs before it was done; `ended`: the last time it was done."""
        return self.stops - (1 if ended and self.stops else 0)


def follow_jobs(rounds: Iterable[Cells], type_of: Sequence[int], lasts_h: Sequence[float]) -> dict[int, PlainJob]:
    """Every job seen, by stored id. `lasts_h`: how long each round lasts."""
    jobs: dict[int, PlainJob] = {}
    before: set[int] = set()
    for record, cells in enumerate(rounds):
        gpus: dict[int, set[int]] = {}
        for gpu, ids in enumerate(cells):
            for stored in ids:
                if stored:
                    gpus.setdefault(stored, set()).add(gpu)
                    job = jobs.setdefault(stored, PlainJob())
                    job.quarters += 1
                    job.quarter_hours += lasts_h[record]
        for stored, held in gpus.items():
            job, types = jobs[stored], frozenset(type_of[gpu] for gpu in held)
            if job.run_rounds:
                job.migrations += held != job.gpus
                job.type_migrations += types != job.types
            else:
                job.first = record
            job.gpus, job.types, job.last = frozenset(held), types, record
            job.run_rounds += 1
            job.run_time_h += lasts_h[record]
            for t in types:
                job.type_rounds[t] = job.type_rounds.get(t, 0) + 1
        for stored in before - gpus.keys():
            jobs[stored].stops += 1
        before = set(gpus)
    return jobs


def free_by_node(cells: Cells, gpu_type: Type) -> list[int]:
    """Free GPUs on each node of a type; one node where nothing is known of nodes."""
    first, count, size = gpu_type
    size = size if size and size > 1 else max(1, count)
    nodes = []
    for start in range(first, first + count, size):
        gpus = range(start, min(start + size, first + count))
        nodes.append(sum(1 for gpu in gpus if not any(cells[gpu])))
    return nodes or [0]


def occupied_nodes(nodes: Sequence[int], gpu_type: Type) -> int:
    """Nodes with at least one busy GPU; 0 where nothing is known of nodes."""
    _, count, size = gpu_type
    if not size or size == 1:
        return 0
    return sum(1 for n, free in enumerate(nodes) if free < min(size, count - n * size))


def fragmented(nodes: Sequence[int], gpu_type: Type, scale_factor: int) -> int:
    """Free GPUs on nodes that have too few of them for a task class."""
    if gpu_type[2] in (None, 1):
        return 0
    return sum(free for free in nodes if scale_factor > free)


def hindrance(scale_factor: int, nodes_by_type: Sequence[Sequence[int]], types: Sequence[Type]) -> str:
    """What keeps a waiting job from starting: "no_gpus", "scattered", or nothing: "could_start"."""
    enough = False
    for nodes, (_, _, size) in zip(nodes_by_type, types, strict=True):
        if sum(nodes) < scale_factor:
            continue
        enough = True
        spans_nodes = size is None or size == 1 or scale_factor > size
        if spans_nodes or any(free >= scale_factor for free in nodes):
            return "could_start"
    return "scattered" if enough else "no_gpus"
