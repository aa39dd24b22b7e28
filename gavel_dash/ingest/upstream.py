r"""Dialect B, upstream Gavel's sweep logs: rounds are the times at which micro-tasks are scheduled.

The log has no round records, so a round's numbers are derived. Rounds are numbered from 1; a job that is
dispatched before the first carries arrival round 0. A round is closed by a line of another kind: of a log
that stops among scheduled lines, the last round does not count.
"""

from __future__ import annotations

import re
from pathlib import Path

from gavel_dash.errors import LogParseError
from gavel_dash.ingest.lines import split_lines
from gavel_dash.ingest.messages import SCHEDULED, Summary, bounded_integer, parse_job_ids, shown
from gavel_dash.ingest.rounds import Placement, RoundHead, RoundSink
from gavel_dash.ingest.run_builder import RunBuilder

_DISPATCHED = b"[Job dispatched]\tJob ID: "
_SUCCEEDED = b"[Job succeeded]\tJob ID: "
_NUMBER_COMPLETED = b"Number of completed jobs: "
_UNUSED = re.compile(rb"(\d+) GPUs of type (\S+) left unused\. Number of active jobs: (\d+)")


class UpstreamParser:
    """Feeds a `RunBuilder` and a `RoundSink` from the lines of a log.

    Effective utilization is the cumulative busy fraction, as the simulator computes it: GPU seconds worked
    since the start over GPU seconds there were. A scheduled GPU works from its round's time to the next one's,
    at most for ``time_per_iteration``, and the GPUs of a job that ends within the round until its end
    timestamp. That is within 0.003 of the "Cluster utilization" a log ends with, but for runs whose cluster ran
    empty: there the simulator also counts some of the wait for the next arrival (0.212 where this gives 0.196),
    which is reported as a finding. Spooled is the mean number of busy GPUs; their total is known at the end only.

    Parameters
    ----------
    path : Path
        Named in errors.
    builder : RunBuilder
    rounds : RoundSink
    summary : Summary
        `round_s` bounds how long a round can work.
    """

    def __init__(self, path: Path, builder: RunBuilder, rounds: RoundSink, summary: Summary) -> None:
        self._path, self._builder, self._rounds, self._summary = path, builder, rounds, summary
        self._time: bytes | None = None
        self._seconds = 0.0
        self._confirmed = False
        self._placements: list[Placement] = []
        self._unused: dict[str, int] = {}
        self._active = self._completed = -1
        self._busy_gpu_s = 0.0
        self._gpus_of_job: dict[int, int] = {}

    def feed(self, block: memoryview, first_number: int) -> int:
        """Read a block of lines, the first of which has the line number `first_number`; returns how many they are.

        Raises
        ------
        LogParseError
            A line that a conversion needs has another form.
        """
        lines = split_lines(block)
        for number, line in enumerate(lines, first_number):
            try:
                stamp, is_scheduled, text = line.partition(SCHEDULED)
                if is_scheduled:
                    time = stamp[stamp.find(b"[") + 1 :]
                    if time != self._time:
                        self._begin_round(time)
                    self._placements.append(self._builder.scheduled(text))
                else:
                    self._other(line)
            except (LookupError, ValueError, OverflowError) as error:
                raise LogParseError(self._path, number, "a message of the simulator", shown(line, error)) from None
        return len(lines)

    def finish(self) -> None:
        """Close the last round, if the log closes it."""
        if self._confirmed:
            self._end_round()

    def _other(self, line: bytes) -> None:
        start = line.find(b"] ") + 2
        if start == 1:
            self._summary.read_line(line)
            return
        self._confirmed = True
        if line.startswith(_DISPATCHED, start):
            self._end_earlier_round(line, start)
            (job_id,) = parse_job_ids(line[start + len(_DISPATCHED) :].decode())
            self._builder.job_arrived(job_id)
        elif line.startswith(_SUCCEEDED, start):
            self._end_earlier_round(line, start)
            self._job_succeeded(line[start + len(_SUCCEEDED) :].decode(), float(_time_of(line, start)))
        elif self._time is not None and _time_of(line, start) == self._time:
            if line.startswith(_NUMBER_COMPLETED, start):
                self._completed = bounded_integer(line[start + len(_NUMBER_COMPLETED) :])
            elif found := _UNUSED.match(line, start):
                self._unused[found[2].decode()] = bounded_integer(found[1])
                self._active = bounded_integer(found[3])

    def _job_succeeded(self, text: str, time_s: float) -> None:
        job_ids, *stamps = text.split("\t")
        values = dict(stamp.split(": ", 1) for stamp in stamps)
        idle_s = max(0.0, time_s - float(values["End timestamp"]))
        for job_id in parse_job_ids(job_ids):
            self._builder.job_completed(job_id, time_s, float(values["Duration"]))
            self._busy_gpu_s -= idle_s * self._gpus_of_job.get(job_id, 0)

    def _end_earlier_round(self, line: bytes, start: int) -> None:
        if self._time is not None and _time_of(line, start) != self._time:
            self._end_round()

    def _begin_round(self, time: bytes) -> None:
        self._end_round()
        seconds = float(time)
        worked_s = min(seconds - self._seconds, self._summary.round_s or seconds)
        self._busy_gpu_s += sum(self._gpus_of_job.values()) * worked_s
        self._time, self._seconds, self._confirmed = time, seconds, False
        self._placements, self._unused, self._active, self._completed = [], {}, -1, -1

    def _end_round(self) -> None:
        if self._time is None:
            return
        mean_busy = self._busy_gpu_s / self._seconds if self._seconds > 0 else 0.0
        self._count_gpus()
        head = RoundHead(self._builder.n_rounds + 1, self._seconds, mean_busy, jobs_completed=self._completed)
        for placement in self._placements:
            self._rounds.place(placement)
        self._rounds.end_round(head, self._unused, self._active)
        self._builder.round_ended(head.round)
        # A pair works on the same GPUs until both are done: counted with its first job.
        jobs = self._builder.jobs
        self._gpus_of_job = {jobs[placed_jobs[0]].job_id: len(workers) for placed_jobs, workers in self._placements}
        self._time = None

    def _count_gpus(self) -> None:
        """GPUs of each type: those that ran in a round and those left unused, the most of any round."""
        counts = dict(self._unused)
        for _, workers in self._placements:
            name = self._builder.worker_types[workers[0]]
            if name is not None:
                counts[name] = counts.get(name, 0) + len(workers)
        for name, count in counts.items():
            self._builder.totals[name] = max(count, self._builder.totals.get(name, 0))


def _time_of(line: bytes, start: int) -> bytes:
    """The time stamp of a line whose message starts at `start`."""
    return line[line.find(b"[") + 1 : start - 2]
