"""``*_telemetry.json``: one JSON object per round and line, as the simulator printed it.

Keys in use: ``round, sim_time, jobs_generated, jobs_active, jobs_running, jobs_queued, jobs_completed_total,
utilization, avg_jct, windowed_completion_rate`` and ``<type>_used``, ``<type>_total`` per GPU type; times are
seconds, ``utilization`` is the busy fraction since the start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError
from gavel_dash.model import Finding


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
        Another line that is no JSON object, named by its number.
    """
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError) as error:
            if rows and not line.endswith(b"\n"):
                sentence = (
                    f"Line {number}, the last, stops in the middle and was left out; {len(rows)} rounds were read."
                )
                return Telemetry(rows, (Finding("telemetry-cut", sentence, 1),))
            raise SourceError(f"{name} line {number}", "a JSON object per line", f"no JSON ({error})") from error
        if not isinstance(row, dict):
            raise SourceError(f"{name} line {number}", "a JSON object per line", f"JSON of type {type(row).__name__}")
        rows.append(row)
    return Telemetry(rows, ())


def write_telemetry(file: BinaryIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line."""
    for row in rows:
        file.write(json.dumps(row).encode() + b"\n")
