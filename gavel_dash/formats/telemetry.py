"""``*_telemetry.json``: one JSON object per round and line, as the simulator printed it.

Keys in use: ``round, sim_time, jobs_generated, jobs_active, jobs_running, jobs_queued, jobs_completed_total,
utilization, avg_jct, windowed_completion_rate`` and ``<type>_used``, ``<type>_total`` per GPU type; times are
seconds, ``utilization`` is the busy fraction since the start.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError
from gavel_dash.formats.json_source import parse_json
from gavel_dash.model import Finding

#: More are not held at once.
_MOST_ROUNDS, _MOST_LINE_BYTES = 2**17, 2**16


@dataclass(frozen=True)
class Telemetry:
    """One dict per round, keys and values as in the file, and what was noticed."""

    rows: list[dict[str, Any]]
    findings: tuple[Finding, ...]


def read_telemetry(file: BinaryIO, name: str) -> Telemetry:
    """Read a telemetry file. A last line without its line end that is no JSON was cut off: it is left out and reported.

    Parameters
    ----------
    file : binary file
        Opened at its beginning.
    name : str
        What errors call the file.

    Returns
    -------
    Telemetry

    Raises
    ------
    SourceError
        Another line that is no JSON object or too long for one, named by its number; more than 131,072 rounds.
    """
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(iter(lambda: file.readline(_MOST_LINE_BYTES + 1), b""), start=1):
        if not line.strip():
            continue
        try:
            if len(line) > _MOST_LINE_BYTES:
                raise ValueError(f"more than {_MOST_LINE_BYTES} bytes in a line")
            row = parse_json(line, _with_shared_keys)
        except ValueError as error:
            if rows and not line.endswith(b"\n"):
                sentence = (
                    f"Line {number}, the last, stops in the middle and was left out; {len(rows)} rounds were read."
                )
                return Telemetry(rows, (Finding("telemetry-cut", sentence, 1),))
            raise SourceError(f"{name} line {number}", "a JSON object per line", f"no JSON ({error})") from error
        if not isinstance(row, dict):
            raise SourceError(f"{name} line {number}", "a JSON object per line", f"JSON of type {type(row).__name__}")
        if len(rows) == _MOST_ROUNDS:
            raise SourceError(f"{name} line {number}", f"at most {_MOST_ROUNDS} rounds", "one more")
        rows.append(row)
    return Telemetry(rows, ())


def _with_shared_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are those of all others: a key of its own for every value would be most of a row."""
    return {sys.intern(key): value for key, value in pairs}


def write_telemetry(file: BinaryIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line."""
    for row in rows:
        file.write(json.dumps(row).encode() + b"\n")
