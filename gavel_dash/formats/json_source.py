"""JSON as simulators write it (bare ``Infinity`` and ``NaN`` included), with errors that name the file.

Somebody's file can be anything, and a parsed value takes far more room than its text: a file's memory is estimated
before it is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError

#: Bytes that parsing makes of each of these characters at most, in objects of Python.
_COSTS = {b",": 48, b":": 110, b"[": 64, b"{": 200}
_MOST_BYTES_MADE = 45 * 10**6
#: Longer ones do not fit 64 bits. As a float no number is too large to be looked at.
_MOST_DIGITS = 18


def parse_json(
    text: bytes,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    costs: Mapping[bytes, int] = _COSTS,
) -> Any:
    """Parse JSON in UTF-8; an integer beyond 64 bits becomes a float.

    Parameters
    ----------
    text : bytes
    object_pairs_hook : callable, optional
        What becomes of an object, as of `json.loads`.
    costs : mapping of a character to bytes, optional
        What each may take; others than the default go with a hook.

    Raises
    ------
    ValueError
        Not UTF-8, not JSON, nested too deep, too much to be held, or with half of a character.
    """
    if sum(cost * text.count(character) for character, cost in costs.items()) > _MOST_BYTES_MADE + len(text):
        raise ValueError(f"too many values in {len(text)} bytes")
    try:
        value = json.loads(text.decode("utf-8-sig"), parse_int=_integer, object_pairs_hook=object_pairs_hook)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if b"\\ud" in text or b"\\uD" in text:
        json.dumps(value, ensure_ascii=False, default=str).encode()  # half a character could be written nowhere
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def read_json(
    file: BinaryIO,
    name: str,
    expected: str,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    costs: Mapping[bytes, int] = _COSTS,
) -> Any:
    """Parse the whole of `file` as `parse_json` does. Raises `SourceError` where that cannot be."""
    try:
        return parse_json(file.read(), object_pairs_hook, costs)
    except ValueError as error:
        raise SourceError(name, expected, f"something that is not JSON ({error})") from error


def is_number(value: object) -> bool:
    """Whether a JSON value is a number (``true`` is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
