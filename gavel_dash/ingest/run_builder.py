"""Jobs, completions and workers of a log, from its events."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gavel_dash.ingest.messages import check_worker_type, parse_job_ids, parse_worker_type, parse_workers
from gavel_dash.ingest.rounds import Placement
from gavel_dash.ingest.sharing import QUARTERS

_MAX_KNOWN_WORKER_LISTS = 1 << 16
_MOST_JOBS, _MOST_WORKERS = 2**63, 2**31


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
    n_rounds, last_round : int
        Rounds that are complete, and the number of the last one: what an event is dated by.
    """

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

    def round_ended(self, number: int) -> None:
        """Events from here on come after the round of this number."""
        self.n_rounds += 1
        self.last_round = number

    def _position_of(self, job_id: int) -> int:
        """Position in the job table; a job never heard of before enters the system here."""
        if not 0 <= job_id < _MOST_JOBS:
            raise ValueError(f"job id {job_id}")
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
        check_worker_type(fields[1])
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
            if not 0 <= worker < _MOST_WORKERS:
                raise ValueError(f"worker id {worker}")
            if self.worker_types.get(worker) is None:
                self.worker_types[worker] = worker_type

    def _running(self, job_ids: tuple[int, ...], n_workers: int) -> tuple[int, ...]:
        positions = tuple(self._position_of(job_id) for job_id in job_ids)
        for position in positions:
            job = self.jobs[position]
            if job.scale_factor is None:
                job.scale_factor = n_workers
        return positions
