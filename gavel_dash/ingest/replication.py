"""Dialect A, the replication's `simulation.log`: rounds are its TELEMETRY records.

What lies between two TELEMETRY lines (allocations, arrivals, completions) belongs to the round of the later
one. A log that stops before the next TELEMETRY leaves a round that nothing closes; it does not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from gavel_dash.errors import LogParseError
from gavel_dash.ingest.messages import SCHEDULED, Summary, parse_job_ids, parse_json, shown
from gavel_dash.ingest.run_builder import Placement, RoundHead, RunBuilder

_EVENT, _TELEMETRY, _ALLOCATION = b"EVENT ", b"TELEMETRY ", b"ALLOCATION "
_SCHEDULE_ROUND = b'EVENT {"event": "schedule_round"'
_COMPLETIONS = ("job_complete", "job_completion")


def _number(value: Any) -> float:
    """A number that a record can hold; null, NaN and infinity mean unknown, which is 0."""
    number = float(value or 0)
    return number if math.isfinite(number) else 0.0


class ReplicationParser:
    """Feeds a `RunBuilder` from blocks of lines.

    Parameters
    ----------
    path : Path
        Named in errors.
    builder : RunBuilder
    summary : Summary
    telemetry : binary file
        Takes the TELEMETRY objects of complete rounds as they stand in the log, one a line.
    """

    def __init__(self, path: Path, builder: RunBuilder, summary: Summary, telemetry: BinaryIO) -> None:
        self._path, self._builder, self._summary, self._telemetry = path, builder, summary, telemetry
        self._placements: list[Placement] = []
        self._types: tuple[str, ...] = ()

    def feed(self, lines: Sequence[bytes], first_number: int) -> None:
        """Read complete lines, the first of which has the line number `first_number`.

        Raises
        ------
        LogParseError
            A line that a conversion needs has another form.
        """
        scheduled, place = self._builder.scheduled, self._placements.append
        for number, line in enumerate(lines, first_number):
            try:
                _, is_scheduled, text = line.partition(SCHEDULED)
                if is_scheduled:
                    place(scheduled(text))
                else:
                    self._other(line)
            except (LookupError, TypeError, ValueError, OverflowError) as error:
                raise LogParseError(self._path, number, "a message of the simulator", shown(line, error)) from None

    def finish(self) -> None:
        """Nothing is left to close: a round without its TELEMETRY does not count."""

    def _other(self, line: bytes) -> None:
        start = line.find(b"] ") + 2
        if line.startswith(_SCHEDULE_ROUND, start):
            return
        if line.startswith(_TELEMETRY, start):
            self._end_round(line[start + len(_TELEMETRY) :])
        elif line.startswith(_EVENT, start):
            self._event(parse_json(line[start + len(_EVENT) :]))
        elif line.startswith(_ALLOCATION, start):
            self._allocation(parse_json(line[start + len(_ALLOCATION) :]))
        elif start == 1:
            self._summary.read_line(line)

    def _event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "job_arrival":
            (job_id,) = parse_job_ids(str(event["job_id"]))
            self._builder.job_arrived(
                job_id,
                event.get("job_type") or "unknown",
                int(event.get("scale_factor") or 1),
                float(event.get("gpu_request") or 1.0),
            )
        elif kind in _COMPLETIONS:
            for job_id in parse_job_ids(str(event["job_id"])):
                self._builder.job_completed(job_id, float(event["sim_time"]), float(event["duration"]))

    def _allocation(self, allocation: dict[str, Any]) -> None:
        for job, workers in allocation.items():
            placement = self._builder.allocated(parse_job_ids(job), tuple(int(worker) for worker in workers))
            self._placements.append(placement)

    def _end_round(self, text: bytes) -> None:
        record = parse_json(text)
        if not self._types:
            self._types = tuple(k[:-5] for k in record if k.endswith("_used") and f"{k[:-5]}_total" in record)
            self._builder.totals.update({name: int(record[f"{name}_total"]) for name in self._types})
        head = RoundHead(
            int(record["round"]),
            _number(record["sim_time"]),
            _number(record.get("utilization")),
            int(record["jobs_running"]),
            int(record["jobs_queued"]),
            int(record["jobs_completed_total"]),
            _number(record.get("avg_jct")),
            _number(record.get("windowed_completion_rate")),
        )
        used = {name: round(_number(record[f"{name}_used"])) for name in self._types}
        self._builder.end_round(head, self._placements, used)
        self._telemetry.write(text.rstrip() + b"\n")
        self._placements.clear()
