"""What AG Grid asks of the server: the filters of its columns, their order, and the rows in view."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from gavel_dash.errors import UsageError
from gavel_dash.pages.jobs.data import JOBS_OF_RUNS
from gavel_dash.ui import row_data

_DTYPES = {column.name: column.dtype for column in JOBS_OF_RUNS}
#: Rows that one request may ask for.
MOST_ROWS = 1000

_Test = Callable[[pd.Series, Any], pd.Series]
_NUMBER_TESTS: dict[str, _Test] = {
    "equals": lambda cells, value: cells == value,
    "notEqual": lambda cells, value: cells != value,
    "lessThan": lambda cells, value: cells < value,
    "lessThanOrEqual": lambda cells, value: cells <= value,
    "greaterThan": lambda cells, value: cells > value,
    "greaterThanOrEqual": lambda cells, value: cells >= value,
}
_TEXT_TESTS: dict[str, _Test] = {
    "contains": lambda cells, value: cells.str.contains(value, regex=False),
    "notContains": lambda cells, value: ~cells.str.contains(value, regex=False),
    "equals": lambda cells, value: cells == value,
    "notEqual": lambda cells, value: cells != value,
    "startsWith": lambda cells, value: cells.str.startswith(value),
    "endsWith": lambda cells, value: cells.str.endswith(value),
}


def parse_filter_model(text: str | None) -> dict[str, Any]:
    """The grid's filter model from a query string; raises `UsageError` where it is none."""
    try:
        model = json.loads(text or "{}")
    except (ValueError, RecursionError):
        model = None
    if not isinstance(model, dict):
        raise UsageError(f"filter must be a filter model as the table of jobs writes it, not {str(text)[:80]!r}")
    return model


def parse_sort(text: str | None) -> list[dict[str, str]]:
    """The grid's sort model from ``jct_h:desc,run:asc``; raises `UsageError` on what is no column or direction."""
    model = []
    for part in (text or "").split(","):
        name, _, direction = part.partition(":")
        if part and (name not in _DTYPES or direction not in ("asc", "desc")):
            raise UsageError(f"sort must be columns with asc or desc, such as jct_h:desc, not {part[:80]!r}")
        if part:
            model.append({"colId": name, "sort": direction})
    return model


def arrange(
    jobs: pd.DataFrame, filter_model: Mapping[str, Any], sort_model: Sequence[Mapping[str, str]]
) -> pd.DataFrame:
    """Jobs that pass the filters of the columns, in the order of the table; equal ones stay as they were."""
    for name, condition in filter_model.items():
        if name not in _DTYPES or not isinstance(condition, Mapping):
            raise UsageError(f"the table of jobs has no column {name!r} to filter by")
        jobs = jobs[_passes(jobs[name], condition).fillna(False).to_numpy(bool)]
    names = [str(order["colId"]) for order in sort_model]
    if names:
        jobs = jobs.sort_values(names, ascending=[o["sort"] == "asc" for o in sort_model], kind="stable")
    return jobs


def answer_request(jobs: pd.DataFrame, request: Mapping[str, Any]) -> dict[str, Any]:
    """Rows in view and how many there are, as the grid's infinite row model takes them.

    `jobs` are arranged already.
    """
    start = max(0, int(request.get("startRow") or 0))
    stop = min(int(request.get("endRow") or 0), start + MOST_ROWS)
    view = jobs.iloc[start:stop]
    rows = row_data(view[list(_DTYPES)].assign(row=view.index))
    return {"rowData": rows, "rowCount": len(jobs)}


def _passes(cells: pd.Series, condition: Mapping[str, Any]) -> pd.Series:
    conditions = condition.get("conditions")
    if isinstance(conditions, list) and conditions:
        results = [_passes(cells, part) if isinstance(part, Mapping) else _refuse(part) for part in conditions]
        joined = results[0].fillna(False)
        for result in results[1:]:
            joined = (
                joined | result.fillna(False) if condition.get("operator") == "OR" else joined & result.fillna(False)
            )
        return joined
    kind, value = condition.get("type"), condition.get("filter")
    if kind in ("blank", "notBlank"):
        return cells.isna() if kind == "blank" else cells.notna()
    if _DTYPES[str(cells.name)] == "str":
        return _text_passes(cells, str(kind), value)
    return _number_passes(cells, str(kind), value, condition.get("filterTo"))


def _text_passes(cells: pd.Series, kind: str, value: object) -> pd.Series:
    if kind not in _TEXT_TESTS or not isinstance(value, str):
        return _refuse((kind, value))
    return _TEXT_TESTS[kind](cells.fillna("").str.lower(), value.lower())


def _number_passes(cells: pd.Series, kind: str, value: object, upper: object) -> pd.Series:
    if kind == "inRange" and _is_number(value) and _is_number(upper):
        return (cells > value) & (cells < upper)  # the grid's own default leaves the ends out
    if kind not in _NUMBER_TESTS or not _is_number(value):
        return _refuse((kind, value))
    return _NUMBER_TESTS[kind](cells, value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(condition: object) -> pd.Series:
    raise UsageError(f"a column of the table of jobs cannot be filtered by {str(condition)[:80]}")
