"""JSON as simulators write it (bare ``Infinity`` and ``NaN`` included), with errors that name the file."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError


def read_json(file: BinaryIO, name: str, expected: str) -> Any:
    """Parse the whole of `file`. Raises `SourceError` where it is not UTF-8 or not JSON."""
    try:
        return json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(name, expected, f"something that is not JSON ({error})") from error


def is_number(value: object) -> bool:
    """Whether a JSON value is a number (``true`` is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
