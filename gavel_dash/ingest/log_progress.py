"""How far a simulation is whose log is still being written, from the log's last lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gavel_dash.errors import SourceError
from gavel_dash.ingest.lines import GZIP_MAGIC, ZSTD_MAGIC
from gavel_dash.ingest.messages import parse_json

# One round of 6,200 GPUs takes 600 kB of log.
_TAIL_BYTES, _LONGEST_TAIL_BYTES = 1 << 18, 1 << 24
_LAST_LINES_BYTES = 1 << 14
_TELEMETRY = re.compile(rb"\] TELEMETRY (\{[^\n]*\})\r?\n")
_TIME = re.compile(rb"^\w+:[A-Z]+ \[([\d.]+)\]", re.MULTILINE)
# What only logs without TELEMETRY have, every round.
_NO_TELEMETRY = b"] Number of completed jobs: "
_ENDS = re.compile(rb"^(Cluster utilization|Total duration): ", re.MULTILINE)


@dataclass(frozen=True)
class LogProgress:
    """What the end of a log says. None where it does not.

    Attributes
    ----------
    has_ended : bool
        The simulator has written its summary; of a compressed log nobody can tell more.
    round_index : int or None
        Number of the last complete round.
    sim_time_s : float or None
        Simulated seconds of the last line that has a time.
    window_completed : int or None
        Jobs of the measurement window that have completed.
    """

    has_ended: bool
    round_index: int | None = None
    sim_time_s: float | None = None
    window_completed: int | None = None


def read_log_progress(path: Path) -> LogProgress:
    """Read the last lines of a log. Raises `SourceError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            if file.read(4).startswith((GZIP_MAGIC, ZSTD_MAGIC)):
                return LogProgress(has_ended=True)
            n_bytes, size = file.seek(0, 2), _TAIL_BYTES
            while True:
                file.seek(max(0, n_bytes - size))
                tail = file.read(size)
                rounds = _TELEMETRY.findall(tail)
                if rounds or _NO_TELEMETRY in tail or size >= min(n_bytes, _LONGEST_TAIL_BYTES):
                    return _from_tail(tail, rounds[-1] if rounds else None)
                size *= 4
    except OSError as error:
        raise SourceError(path, "a readable log", error.strerror or str(error)) from None


def _from_tail(tail: bytes, telemetry: bytes | None) -> LogProgress:
    has_ended = _ENDS.search(tail[-_LAST_LINES_BYTES:]) is not None
    times = _TIME.findall(tail)
    try:
        counts = parse_json(telemetry) if telemetry else {}
        sim_time_s = float(counts["sim_time"]) if counts else float(times[-1]) if times else None
        return LogProgress(has_ended, _count(counts, "round"), sim_time_s, _count(counts, "jobs_completed_window"))
    except (LookupError, TypeError, ValueError, OverflowError):
        return LogProgress(has_ended)  # converting it says what is wrong with the line


def _count(counts: dict[str, object], key: str) -> int | None:
    value = counts.get(key)
    return value if isinstance(value, int) else None
