"""Events of a log -> a run, one round at a time, in memory that does not grow with the number of rounds.

A round is spooled as the log gives it (worker ids and jobs): where a worker's GPU lies is known only at the
end, when every worker has been seen.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, NamedTuple, TypeAlias

import numpy as np

from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from gavel_dash.ingest.messages import parse_job_ids, parse_worker_type, parse_workers
from gavel_dash.ingest.sharing import QUARTERS

ROUNDS_PER_BLOCK = 512
_PLACEMENTS_PER_BLOCK = 1 << 18
_MAX_KNOWN_WORKER_LISTS = 1 << 16
# Wider than the file's fields: what does not fit there is found by the writer, not wrapped here.
SPOOLED_HEAD_DTYPE = np.dtype(
    [(n, "f8" if ROUND_HEAD_DTYPE[n].kind == "f" else "i8") for n in ROUND_HEAD_DTYPE.names or ()]
    + [("jobs_active", "i8")]
)


class RoundHead(NamedTuple):
    """A round's own numbers, as far as the log gives them; see the glossary for the meaning of each."""

    round: int
    sim_time_s: float
    effective_utilization: float
    jobs_running: int = 0
    jobs_queued: int = 0
    jobs_completed: int = 0
    avg_jct_s: float = 0.0
    completion_rate_jph: float = 0.0


# Jobs, as positions in the job table, on the same workers. A plain tuple: a long log makes millions.
Placement: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(slots=True)
class Job:
    """One job. `*_after` counts the round records written before the event, `*_round` is the last one's number."""

    job_id: int
    type_name: str = "unknown"
    scale_factor: int | None = None
    quarters: int = QUARTERS
    arrived_after: int = 0
    arrival_round: int = 0
    completed_after: int | None = None
    completion_round: int = 0
    duration_s: float = 0.0
    announced: bool = False


class SpooledRounds(NamedTuple):
    """A block of n rounds as spooled.

    `heads` (n,) of `SPOOLED_HEAD_DTYPE`; `logged` (n, n_types) GPUs the log counts per type; `pairs` (n,) lines
    that place two jobs at once; `placed` (n,) placed jobs per round; `jobs` and `sizes`, one per placed job:
    position in the job table and number of workers; `workers` the ids of all of them.
    """

    heads: np.ndarray
    logged: np.ndarray
    pairs: np.ndarray
    placed: np.ndarray
    jobs: np.ndarray
    sizes: np.ndarray
    workers: np.ndarray


@dataclass
class RunBuilder:
    """Collects what a parser reads.

    Attributes
    ----------
    jobs : list of Job
        In order of arrival, which is the order of every queue.
    completions : list of (job id, sim_time, duration)
        In the log's order; seconds.
    worker_types : dict of worker id to type name
        Workers that ran something.
    totals : dict of type name to number of GPUs
    """

    spool: BinaryIO
    jobs: list[Job] = field(default_factory=list)
    completions: list[tuple[int, float, float]] = field(default_factory=list)
    worker_types: dict[int, str | None] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    n_rounds: int = 0
    last_round: int = 0
    completed_twice: int = 0

    def __post_init__(self) -> None:
        self._position: dict[int, int] = {}
        self._jobs_of: dict[bytes, tuple[int, ...]] = {}
        self._workers_of: dict[bytes, tuple[int, ...]] = {}
        self._logged_types: list[str] = []
        self._start_block()

    def _start_block(self) -> None:
        self._heads: list[tuple[float, ...]] = []
        self._logged: list[Mapping[str, int]] = []
        self._counts: list[int] = []
        self._placements: list[Placement] = []

    def job_arrived(
        self, job_id: int, type_name: str = "unknown", scale_factor: int | None = None, gpu_request: float = 1.0
    ) -> None:
        """A job enters the system; a second arrival of the same id only fills in what was missing."""
        job = self.jobs[self._position_of(job_id)]
        job.announced = True
        job.type_name = type_name
        job.scale_factor = scale_factor if scale_factor is not None else job.scale_factor
        job.quarters = min(QUARTERS, max(1, round(gpu_request * QUARTERS)))

    def job_completed(self, job_id: int, sim_time_s: float, duration_s: float) -> None:
        """A job leaves; `duration_s` is from arrival to completion."""
        if not (0 <= duration_s < math.inf and math.isfinite(sim_time_s)):
            raise ValueError(f"a duration of {duration_s} s at {sim_time_s} s")
        job = self.jobs[self._position_of(job_id)]
        if job.completed_after is not None:
            self.completed_twice += 1
            return
        job.completed_after, job.completion_round, job.duration_s = self.n_rounds, self.last_round, duration_s
        self.completions.append((job_id, sim_time_s, duration_s))

    def _position_of(self, job_id: int) -> int:
        """Position in the job table; a job never heard of before enters the system here."""
        position = self._position.setdefault(job_id, len(self.jobs))
        if position == len(self.jobs):
            self.jobs.append(Job(job_id, arrived_after=self.n_rounds, arrival_round=self.last_round))
        return position

    def scheduled(self, text: bytes) -> Placement:
        r"""Take in what follows `SCHEDULED`: ``38\tWorker type: v100\tWorker ID(s): 72,73[\tPriority: ...]``.

        Jobs and worker lists repeat from round to round, so each text is parsed once.

        Raises
        ------
        ValueError, IndexError
            The text has another form.
        """
        fields = text.split(b"\t", 3)
        jobs, workers = self._jobs_of.get(fields[0]), self._workers_of.get(fields[2])
        if workers is None:
            if len(self._workers_of) >= _MAX_KNOWN_WORKER_LISTS:
                self._workers_of.clear()
            workers = self._workers_of[fields[2]] = parse_workers(fields[2])
            self._note_workers(workers, parse_worker_type(fields[1]))
        if jobs is None:
            jobs = self._jobs_of[fields[0]] = self._running(parse_job_ids(fields[0].decode()), len(workers))
        return jobs, workers

    def allocated(self, job_ids: tuple[int, ...], workers: tuple[int, ...]) -> Placement:
        """Take in who runs where, of a line that does not tell the type of the workers."""
        self._note_workers(workers, None)
        return self._running(job_ids, len(workers)), workers

    def _note_workers(self, workers: tuple[int, ...], worker_type: str | None) -> None:
        for worker in workers:
            if self.worker_types.get(worker) is None:
                self.worker_types[worker] = worker_type

    def _running(self, job_ids: tuple[int, ...], n_workers: int) -> tuple[int, ...]:
        positions = tuple(self._position_of(job_id) for job_id in job_ids)
        for position in positions:
            job = self.jobs[position]
            if job.scale_factor is None:
                job.scale_factor = n_workers
        return positions

    def end_round(
        self, head: RoundHead, placements: Sequence[Placement], gpus: Mapping[str, int], jobs_active: int = -1
    ) -> None:
        """Write a round: what ran in it, and what the log itself counts (`gpus` per type, `jobs_active`)."""
        self._counts.append(len(placements))
        self._placements.extend(placements)
        self._heads.append((*head, jobs_active))
        self._logged.append(gpus)
        self.n_rounds += 1
        self.last_round = head.round
        if len(self._heads) == ROUNDS_PER_BLOCK or len(self._placements) > _PLACEMENTS_PER_BLOCK:
            self._flush()

    def _flush(self) -> None:
        for gpus in self._logged:
            self._logged_types += [name for name in gpus if name not in self._logged_types]
        logged = [[gpus.get(name, 0) for name in self._logged_types] for gpus in self._logged]
        placements, n = self._placements, len(self._heads)
        tenants = np.array([len(jobs) for jobs, _ in placements], np.int64)
        sizes = np.array([len(workers) for _, workers in placements], np.int64)
        counts = np.array(self._counts, np.int64)
        placed = np.bincount(np.repeat(np.arange(n), counts), tenants, n).astype(np.int64)
        block = SpooledRounds(
            np.array(self._heads, SPOOLED_HEAD_DTYPE),
            np.array(logged, np.int64).reshape(n, -1),
            placed - counts,
            placed,
            np.fromiter(chain.from_iterable(jobs for jobs, _ in placements), np.int32),
            np.repeat(sizes, tenants),
            np.fromiter(chain.from_iterable(workers for jobs, workers in placements for _ in jobs), np.int32),
        )
        write_arrays(self.spool, block)
        self._start_block()

    def finish(self) -> None:
        """Write the rounds still in memory; call once, after the last line."""
        if self._heads:
            self._flush()

    def rounds(self) -> Iterator[SpooledRounds]:
        """Every round again, in blocks, with `logged` in the order of `logged_types`."""
        for arrays in read_arrays(self.spool, len(SpooledRounds._fields)):
            block = SpooledRounds(*arrays)
            missing = len(self._logged_types) - block.logged.shape[1]
            yield block._replace(logged=np.pad(block.logged, ((0, 0), (0, missing))))

    @property
    def logged_types(self) -> list[str]:
        """The GPU types the log counts."""
        return self._logged_types


def write_arrays(spool: BinaryIO, arrays: Iterable[np.ndarray]) -> None:
    """Append arrays to a spool."""
    for values in arrays:
        np.save(spool, values, allow_pickle=False)


def read_arrays(spool: BinaryIO, group: int) -> Iterator[list[np.ndarray]]:
    """The arrays of a spool, from its start, in groups as they were written."""
    end = spool.seek(0, io.SEEK_END)
    spool.seek(0)
    while spool.tell() < end:
        yield [np.load(spool, allow_pickle=False) for _ in range(group)]
