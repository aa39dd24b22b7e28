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

# A log's first lines tell its dialect; what follows this much of something else is not worth reading.
_RECOGNISED_WITHIN_BYTES = 1 << 20
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
    reader = LogReader(path, spool, telemetry)
    findings = reader.read_on()
    return reader.finish(findings)


class LogReader:
    """A log of either dialect, read as far as it goes; of a plain one that grows, more can be read later.

    Parameters
    ----------
    path, spool, telemetry
        As for `read_log`.
    """

    def __init__(self, path: Path, spool: IO[bytes], telemetry: BinaryIO) -> None:
        self._path, self._spool, self._telemetry = path, RoundSpool(spool), telemetry
        self._builder, self._summary = RunBuilder(), Summary()
        self._parser: _Parser | None = None
        self._sink: RoundSink | None = None
        self._dialect: str | None = None
        self._line_number = 1
        self._bytes_read = 0
        self.bytes_of_lines = 0
        """Bytes of complete lines so far."""

    def read_on(self) -> list[Finding]:
        """Read the complete lines that have not been read yet; returns what was noticed at the end.

        Raises
        ------
        LogParseError
            The log is damaged.
        SourceError
            The log cannot be read.
        """
        lines = LogLines(self._path, self.bytes_of_lines)
        lines.line_number = self._line_number
        for block in lines:
            if self._parser is None:
                first_lines = split_lines(block)
                self._recognise(first_lines)
                if self._parser is None:
                    lines.line_number += len(first_lines)
                    if lines.bytes_read > _RECOGNISED_WITHIN_BYTES:
                        found = f"none of these in the first {lines.bytes_read} bytes"
                        raise LogParseError(self._path, 1, _EITHER, found)
                    continue
            lines.line_number += self._parser.feed(block, lines.line_number)
        self._line_number, self._bytes_read = lines.line_number, lines.bytes_read
        self.bytes_of_lines = lines.bytes_of_lines
        return lines.findings

    def _recognise(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            if b"with the following args" in line:
                self._summary.read_arguments(line)
                break
        self._dialect = recognise_dialect(lines)
        if self._dialect == "replication":
            self._sink, self._parser = _replication(
                self._path, self._builder, self._spool, self._summary, self._telemetry
            )
        elif self._dialect == "upstream":
            self._sink = RoundLists(self._spool)
            self._parser = UpstreamParser(self._path, self._builder, self._sink, self._summary)

    def finish(self, findings: Sequence[Finding]) -> LogReading:
        """What the log holds, its last round closed where it closes it. Nothing can be read after that."""
        if self._parser is not None:
            self._parser.finish()
        return self.so_far(findings)

    def so_far(self, findings: Sequence[Finding] = ()) -> LogReading:
        """What the lines read so far hold. Raises `LogParseError` or `SourceError` where that is no round."""
        if not self._bytes_read:
            raise SourceError(self._path, _EITHER, "an empty file")
        if self._sink is None or self._dialect is None:
            found = f"none of these in {self._line_number - 1} complete lines"
            raise LogParseError(self._path, 1, _EITHER, found)
        self._sink.finish()
        builder = self._builder
        if not builder.n_rounds:
            raise LogParseError(self._path, self._line_number, "at least one complete round", "none before the end")
        noticed = (*findings, *_job_findings(builder))
        return LogReading(builder, self._spool, self._summary, self._dialect, self._bytes_read, noticed)


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
        if start == 1:
            continue
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
