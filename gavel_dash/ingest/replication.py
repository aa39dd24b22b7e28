"""Dialect A, the replication's `simulation.log`: rounds are its TELEMETRY records.

What lies between two TELEMETRY lines (allocations, arrivals, completions) belongs to the round of the later
one. A log that stops before the next TELEMETRY leaves a round that nothing closes; it does not count.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO

from gavel_dash.errors import LogParseError
from gavel_dash.ingest.lines import split_lines
from gavel_dash.ingest.messages import Summary, bounded_integer, parse_job_ids, parse_json, shown
from gavel_dash.ingest.rounds import RoundHead, RoundSink
from gavel_dash.ingest.run_builder import RunBuilder

_SCHEDULED = b"[Micro-task scheduled]\tJob ID: "
_EVENT, _TELEMETRY, _ALLOCATION = b"EVENT ", b"TELEMETRY ", b"ALLOCATION "
_SCHEDULE_ROUND = b'EVENT {"event": "schedule_round"'
# What reading a line of another form raises.
_MALFORMED = (LookupError, TypeError, ValueError, OverflowError)
_COMPLETIONS = ("job_complete", "job_completion")
#: The keys of a TELEMETRY object that become a `RoundHead`, in its order.
HEAD_KEYS = (
    "round",
    "sim_time",
    "utilization",
    "jobs_running",
    "jobs_queued",
    "jobs_completed_total",
    "avg_jct",
    "windowed_completion_rate",
)
INTEGER_KEYS = ("round", "jobs_running", "jobs_queued", "jobs_completed_total")


def _number(value: Any) -> float:
    """A number that a record can hold; null, NaN and infinity mean unknown, which is 0."""
    number = float(value or 0)
    return number if math.isfinite(number) else 0.0


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a text belongs")
    return value


class ReplicationParser:
    """Feeds a `RunBuilder` and a `RoundSink` from the lines of a log.

    Parameters
    ----------
    path : Path
        Named in errors.
    builder : RunBuilder
    rounds : RoundSink
    summary : Summary
    telemetry : binary file
        Takes the TELEMETRY objects of complete rounds as they stand in the log, one a line.

    Attributes
    ----------
    types : tuple of str
        The GPU types that TELEMETRY counts.
    telemetry_keys : tuple of str
        The keys of the first TELEMETRY object that counts GPUs, in its order.
    """

    def __init__(
        self, path: Path, builder: RunBuilder, rounds: RoundSink, summary: Summary, telemetry: BinaryIO
    ) -> None:
        self._path, self._builder, self._rounds = path, builder, rounds
        self._summary, self._telemetry = summary, telemetry
        self.types: tuple[str, ...] = ()
        self.telemetry_keys: tuple[str, ...] = ()

    def feed(self, block: memoryview, first_number: int) -> int:
        """Read a block of lines, the first of which has the line number `first_number`; returns how many they are.

        Raises
        ------
        LogParseError
            A line that a conversion needs has another form.
        """
        lines = split_lines(block)
        for number, line in enumerate(lines, first_number):
            self.read_line(line, number)
        return len(lines)

    def finish(self) -> None:
        """Nothing is left to close: a round without its TELEMETRY does not count."""

    def read_line(self, line: bytes, number: int) -> None:
        """Read one line, of that number; raises `LogParseError`."""
        start = line.find(b"] ") + 2
        if start > 1 and line.startswith(_EVENT, start):
            if not line.startswith(_SCHEDULE_ROUND, start):
                self.read_event(line[start + len(_EVENT) :], number)
            return
        try:
            if start == 1:  # without a time, so no message
                self._summary.read_line(line)
            elif line.startswith(_SCHEDULED, start):
                self._rounds.place(self._builder.scheduled(line[start + len(_SCHEDULED) :]))
            elif line.startswith(_TELEMETRY, start):
                self._end_round(line[start + len(_TELEMETRY) :])
            elif line.startswith(_ALLOCATION, start):
                self._allocation(parse_json(line[start + len(_ALLOCATION) :]))
        except _MALFORMED as error:
            raise LogParseError(self._path, number, "a message of the simulator", shown(line, error)) from None

    def read_event(self, text: bytes, number: int) -> None:
        """Read the JSON of an EVENT in the line of that number; raises `LogParseError`."""
        try:
            self._event(parse_json(text))
        except _MALFORMED as error:
            raise LogParseError(self._path, number, "an event of the simulator", shown(text, error)) from None

    def _event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "job_arrival":
            (job_id,) = parse_job_ids(str(event["job_id"]))
            self._builder.job_arrived(
                job_id,
                _text(event.get("job_type") or "unknown"),
                bounded_integer(event.get("scale_factor") or 1),
                float(event.get("gpu_request") or 1.0),
            )
        elif kind in _COMPLETIONS:
            for job_id in parse_job_ids(str(event["job_id"])):
                self._builder.job_completed(job_id, float(event["sim_time"]), float(event["duration"]))

    def _allocation(self, allocation: dict[str, Any]) -> None:
        for job, workers in allocation.items():
            self._rounds.place(self._builder.allocated(parse_job_ids(job), tuple(int(worker) for worker in workers)))

    def _end_round(self, text: bytes) -> None:
        record = parse_json(text)
        if not self.types:
            self.types = tuple(k[:-5] for k in record if k.endswith("_used") and f"{k[:-5]}_total" in record)
            self.telemetry_keys = tuple(record) if self.types else ()
            self._builder.totals.update({name: bounded_integer(record[f"{name}_total"]) for name in self.types})
        head = RoundHead(
            bounded_integer(record["round"]),
            _number(record["sim_time"]),
            _number(record.get("utilization")),
            bounded_integer(record["jobs_running"]),
            bounded_integer(record["jobs_queued"]),
            bounded_integer(record["jobs_completed_total"]),
            _number(record.get("avg_jct")),
            _number(record.get("windowed_completion_rate")),
        )
        used = {name: bounded_integer(round(_number(record[f"{name}_used"]))) for name in self.types}
        self._rounds.end_round(head, used)
        self._builder.round_ended(head.round)
        self._telemetry.write(text.rstrip() + b"\n")
