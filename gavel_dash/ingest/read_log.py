"""One log, once through: recognise its dialect, feed its parser, spool its rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from gavel_dash.errors import LogParseError, SourceError
from gavel_dash.ingest.lines import LogLines, split_lines
from gavel_dash.ingest.messages import Summary
from gavel_dash.ingest.replication import ReplicationParser
from gavel_dash.ingest.rounds import RoundLists, RoundSink, RoundSpool
from gavel_dash.ingest.run_builder import RunBuilder
from gavel_dash.ingest.scan import ScannedRounds, ScanningParser
from gavel_dash.ingest.upstream import UpstreamParser
from gavel_dash.kernel import load_kernel
from gavel_dash.model import Finding

_EITHER = "a log of Gavel's simulator (EVENT and TELEMETRY lines, or micro-task lines)"


@dataclass(frozen=True)
class LogReading:
    """A log that was read to its end. `dialect` is "replication" or "upstream"."""

    builder: RunBuilder
    rounds: RoundSpool
    summary: Summary
    dialect: str
    bytes_read: int
    findings: tuple[Finding, ...]


def read_log(path: Path, spool: IO[bytes], telemetry: BinaryIO) -> LogReading:
    """Read a log of either dialect; the text decides which.

    Parameters
    ----------
    path : Path
        Plain, gzip or zstd.
    spool : binary file
        Takes the rounds; seekable.
    telemetry : binary file
        Takes the log's own TELEMETRY objects, if it has any, one a line.

    Raises
    ------
    LogParseError
        The log is of neither dialect, damaged, or has no complete round.
    SourceError
        The log cannot be read or is empty.
    """
    lines, builder, rounds, summary = LogLines(path), RunBuilder(), RoundSpool(spool), Summary()
    parser: _Parser | None = None
    sink: RoundSink | None = None
    dialect = None
    for block in lines:
        if parser is None:
            first_lines = split_lines(block)
            for line in first_lines:
                if b"with the following args" in line:
                    summary.read_arguments(line)
                    break
            dialect = recognise_dialect(first_lines)
            if dialect == "replication":
                sink, parser = _replication(path, builder, rounds, summary, telemetry)
            elif dialect == "upstream":
                sink = RoundLists(rounds)
                parser = UpstreamParser(path, builder, sink, summary)
            else:
                lines.line_number += len(first_lines)
                continue
        lines.line_number += parser.feed(block, lines.line_number)
    if not lines.bytes_read:
        raise SourceError(path, _EITHER, "an empty file")
    if parser is None or sink is None or dialect is None:
        raise LogParseError(path, 1, _EITHER, f"none of these in {lines.line_number - 1} complete lines")
    parser.finish()
    sink.finish()
    if not builder.n_rounds:
        raise LogParseError(path, lines.line_number, "at least one complete round", "none before the end")
    return LogReading(builder, rounds, summary, dialect, lines.bytes_read, (*lines.findings, *_job_findings(builder)))


class _Parser(Protocol):
    def feed(self, block: memoryview, first_number: int) -> int: ...
    def finish(self) -> None: ...


def _replication(
    path: Path, builder: RunBuilder, spool: RoundSpool, summary: Summary, telemetry: BinaryIO
) -> tuple[RoundSink, _Parser]:
    """What reads dialect A: line by line, or where there is a kernel most of it there."""
    kernel = load_kernel()
    if kernel is None:
        lists = RoundLists(spool)
        return lists, ReplicationParser(path, builder, lists, summary, telemetry)
    scanned = ScannedRounds(kernel, builder, spool, telemetry)
    return scanned, ScanningParser(scanned, builder, ReplicationParser(path, builder, scanned, summary, telemetry))


def recognise_dialect(lines: Sequence[bytes]) -> str | None:
    """The dialect that lines belong to; None where none of them tells."""
    upstream = False
    for line in lines:
        start = line.find(b"] ") + 2
        if line.startswith((b"TELEMETRY {", b"EVENT {", b"ALLOCATION {"), start):
            return "replication"
        upstream = upstream or line.startswith((b"[Job dispatched]", b"[Micro-task scheduled]"), start)
    return "upstream" if upstream else None


def _job_findings(builder: RunBuilder) -> list[Finding]:
    found = [
        ("job-without-arrival", "Jobs that run or complete but never arrive in the log; they count from then on.",
         sum(not job.announced for job in builder.jobs)),
        ("scale-factor-unknown", "Jobs that never ran, so the log does not tell how many GPUs they need; taken as 1.",
         sum(job.scale_factor is None for job in builder.jobs)),
        ("completed-twice", "Completions of a job that had completed before; the first counts.",
         builder.completed_twice),
    ]  # fmt: skip
    return [Finding(code, sentence, count) for code, sentence, count in found if count]
