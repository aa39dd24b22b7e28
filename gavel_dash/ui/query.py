"""Query strings as pages receive them: a value is a string, a list where the key is repeated, or missing."""

from __future__ import annotations

from collections.abc import Mapping


def query_values(query: Mapping[str, object], name: str) -> list[str]:
    """All values of a key, in order; empty where it is missing."""
    value = query.get(name)
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def query_value(query: Mapping[str, object], name: str) -> str | None:
    """The first value of a key, or None."""
    return next(iter(query_values(query, name)), None)


def query_number(query: Mapping[str, object], name: str, default: float) -> float:
    """The first value of a key as a finite number, or `default` where it is missing or is not one."""
    try:
        number = float(query_value(query, name) or "")
    except ValueError:
        return default
    return number if number - number == 0 else default
