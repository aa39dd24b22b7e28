"""``*_completions.json``: a list of one object per completed job, in order of completion.

``[{"job_id": 47, "sim_time": 2879.98, "duration": 2611.80}, ...]``, both in seconds of simulated time.
"""

from __future__ import annotations

import math
from typing import Any, BinaryIO

import numpy as np

from gavel_dash.errors import SourceError
from gavel_dash.formats.json_source import is_number, read_json

COMPLETION_DTYPE = np.dtype([("job_id", "i8"), ("sim_time_s", "f8"), ("duration_s", "f8")])
#: Of an object only three values are kept, and its commas stand between these.
_COSTS = {b",": 24, b"[": 64, b"{": 152}


def read_completions(file: BinaryIO, name: str) -> np.ndarray:
    """Read a completions file.

    Parameters
    ----------
    file : binary file
        Opened at its beginning.
    name : str
        What errors call the file.

    Returns
    -------
    structured ndarray of COMPLETION_DTYPE, shape (n_completions,)
        In the order of the file. ``sim_time_s`` (seconds) is NaN where it is missing; ``duration_s`` is the
        job's completion time, completion minus arrival, in seconds. A job id may be a number or its digits.

    Raises
    ------
    SourceError
        Not a JSON list of such objects; the entry is named by its position from 0.
    """
    expected = "a JSON list of completions"
    entries = read_json(file, name, expected, _fields, _COSTS)
    if not isinstance(entries, list):
        raise SourceError(name, expected, f"JSON of type {_json_type(entries)}")
    rows = (_row(entry, f"{name} entry {position}") for position, entry in enumerate(entries))
    return np.fromiter(rows, COMPLETION_DTYPE, len(entries))


def _fields(pairs: list[tuple[str, Any]]) -> tuple[Any, Any, Any]:
    """What is kept of an object; nothing else in JSON is a tuple."""
    entry = dict(pairs)
    return entry.get("job_id"), entry.get("duration"), entry.get("sim_time", math.nan)


def _json_type(value: object) -> str:
    return "dict" if isinstance(value, tuple) else type(value).__name__


def _row(entry: Any, where: str) -> tuple[int, float, float]:
    if not isinstance(entry, tuple):
        raise SourceError(where, "an object with job_id and duration", type(entry).__name__)
    job_id, duration, sim_time = entry
    digits = isinstance(job_id, str) and job_id.isascii() and job_id.isdigit() and len(job_id) < 19
    if not digits and not (is_number(job_id) and 0 <= job_id < 2**63 and job_id == int(job_id)):
        raise SourceError(where, "a job_id of 0 or more", repr(job_id))
    if not is_number(duration) or not 0 <= duration < math.inf:
        raise SourceError(where, "a duration in seconds", repr(duration))
    if not is_number(sim_time):
        raise SourceError(where, "a sim_time in seconds", repr(sim_time))
    return int(job_id), float(sim_time), float(duration)


def write_completions(file: BinaryIO, completions: np.ndarray) -> None:
    """Write completions (structured, fields as in `COMPLETION_DTYPE`, finite) as UTF-8 JSON, one per line."""
    columns = (completions[name].tolist() for name in ("job_id", "sim_time_s", "duration_s"))
    # A finite float's repr is its JSON.
    rows = [
        f'{{"job_id": {job_id}, "sim_time": {sim_time_s!r}, "duration": {duration_s!r}}}'
        for job_id, sim_time_s, duration_s in zip(*columns, strict=True)
    ]
    file.write(("[" + ",\n ".join(rows) + "]\n").encode())
