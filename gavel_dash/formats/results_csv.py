"""``results*.csv``: one row per run of a replication, in several hands.

Columns ``name, policy, jobs_per_hr, runtime_sec, jct_sec, utilization, saturated``; only ``name`` is required.
The published table (504 rows, 372 names) needs four repairs, each reported as a finding:

- Rows were appended when runs were repeated: 132 names stand twice, first with an infinite JCT (the window was never
  reached) and later with a finite one. A finite JCT wins, then the later row.
- ``utilization`` is a percentage in the first 294 rows and a fraction in the last 210. See `_fraction`.
- Rates and names carry float dust (``2.8000000000000003``).
- ``saturated`` is True in 421 of 504 rows, down to 0.2 jobs per hour: it says that the simulator left early,
  and is kept as `left_early` only.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from gavel_dash.errors import SourceError
from gavel_dash.formats.run_name import parse_run_name, tidy_rate
from gavel_dash.model import Finding

_PERCENTAGE, _FRACTION = "percentage", "fraction"
#: A row takes far more room than its text.
_MOST_BYTES, _MOST_LINES = 2**22, 2**15


@dataclass(frozen=True)
class ResultsTable:
    """The table's runs, one row each, and what was put right.

    `rows` hold ``name`` (as written), ``key`` (RunKey), ``mean_jct_h`` (hours; None where infinite or missing),
    ``reached_window`` (bool), ``effective_utilization`` (fraction; None where the unit cannot be told) and
    ``left_early`` (bool or None).
    """

    rows: list[dict[str, Any]]
    findings: tuple[Finding, ...]


def read_results_csv(file: BinaryIO, name: str) -> ResultsTable:
    """Read a results table.

    Parameters
    ----------
    file : binary file
        Opened at its beginning; UTF-8.
    name : str
        What errors call the file.

    Returns
    -------
    ResultsTable

    Raises
    ------
    SourceError
        No ``name`` column, a row with another number of fields, a number that is none, or far too many rows.
    """
    content = file.read(_MOST_BYTES + 1)
    n_lines = content.count(b"\n") + content.count(b"\r")
    if len(content) > _MOST_BYTES or n_lines > _MOST_LINES:
        raise SourceError(name, f"a table of at most {_MOST_BYTES} bytes and {_MOST_LINES} lines", "a larger one")
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if "name" not in (reader.fieldnames or ()):
            raise SourceError(name, "a table with a 'name' column", f"columns {reader.fieldnames or 'none'}")
        lines = [(reader.line_num, record) for record in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(name, "a CSV table in UTF-8", str(error)) from error
    rows = [_row(record, f"{name} line {number}") for number, record in lines]
    texts = [record.get("utilization") or "" for _, record in lines]
    units = _units(texts)
    for row, text, unit in zip(rows, texts, units, strict=True):
        row["effective_utilization"] = _fraction(text, unit)

    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = best.get(row["name"])
        if known is None or row["reached_window"] or not known["reached_window"]:
            best[row["name"]] = row
    dusty = sum(_has_dust(record["name"]) or _has_dust(record.get("jobs_per_hr") or "") for _, record in lines)
    return ResultsTable(list(best.values()), tuple(_findings(rows, best, texts, units, dusty)))


def _row(record: dict[str, Any], where: str) -> dict[str, Any]:
    if None in record or None in record.values():
        raise SourceError(where, "as many fields as the header has", "more" if None in record else "fewer")
    if not record["name"]:
        raise SourceError(where, "a name", "none")
    for column in ("jobs_per_hr", "jct_sec", "utilization"):
        _number(record.get(column), f"{where} column {column}")
    key = parse_run_name(record["name"])
    rate = _number(record.get("jobs_per_hr"), where)
    if rate is not None and 0 < rate < math.inf:
        key = replace(key, arrival_rate_jph=tidy_rate(rate))
    jct_s = _number(record.get("jct_sec"), where)
    reached = jct_s is not None and math.isfinite(jct_s)
    return {
        "name": record["name"],
        "key": replace(key, policy=record.get("policy") or key.policy),
        "mean_jct_h": jct_s / 3600 if jct_s is not None and reached else None,
        "reached_window": reached,
        "left_early": {"true": True, "false": False}.get((record.get("saturated") or "").strip().lower()),
    }


def _number(text: str | None, where: str) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise SourceError(where, "a number", repr(text)) from None


def _units(texts: Sequence[str]) -> list[str | None]:
    """The unit of each row's utilization; None where it cannot be told.

    Above 1 it is a percentage. Up to 1 with three or more decimals it is a fraction: percentages are printed with two.
    What remains (``0.99``, ``1.0``) could be either. Tables grow by appending batches, so it takes the unit of the rows
    around it where the nearest ones before and after agree; a table without any percentage is one of fractions.
    """
    sure: list[str | None] = []
    for text in texts:
        value = float(text or "nan")
        decimals = len(text.strip().partition(".")[2])
        sure.append(
            _PERCENTAGE if 1 < value <= 100 else _FRACTION if value == 0 or (0 < value <= 1 and decimals > 2) else None
        )
    if _PERCENTAGE not in sure:
        return [_FRACTION if 0 <= float(text or "nan") <= 1 else None for text in texts]
    before, after = _carried(sure), _carried(sure[::-1])[::-1]
    units = list(sure)
    for i, text in enumerate(texts):
        if units[i] is None and 0 <= float(text or "nan") <= 1:
            around = {before[i], after[i]} - {None}
            units[i] = around.pop() if len(around) == 1 else None
    return units


def _carried(units: Sequence[str | None]) -> list[str | None]:
    """The last known unit at or before each row."""
    carried: list[str | None] = []
    last: str | None = None
    for unit in units:
        last = unit or last
        carried.append(last)
    return carried


def _fraction(text: str, unit: str | None) -> float | None:
    if unit is None:
        return None
    return round(float(text) / 100, 12) if unit == _PERCENTAGE else float(text)


def _has_dust(text: str) -> bool:
    return "00000000" in text or "99999999" in text


def _findings(
    rows: Sequence[dict[str, Any]],
    best: dict[str, dict[str, Any]],
    texts: Sequence[str],
    units: Sequence[str | None],
    dusty: int,
) -> list[Finding]:
    findings = []
    repeated = len(rows) - len(best)
    if repeated:
        sentence = (
            f"{len(rows)} rows name {len(best)} runs: {repeated} rows repeat a name; "
            f"a finite JCT wins over an infinite one, then the later row."
        )
        findings.append(Finding("results-repeated", sentence, repeated))
    if _PERCENTAGE in units and _FRACTION in units:
        percentages, fractions = units.count(_PERCENTAGE), units.count(_FRACTION)
        sentence = (
            f"utilization is a percentage in {percentages} rows and a fraction in {fractions}; all are fractions now."
        )
        findings.append(Finding("results-mixed-units", sentence, percentages))
    unclear = sum(unit is None and bool(text.strip()) for text, unit in zip(texts, units, strict=True))
    if unclear:
        sentence = f"utilization of {unclear} rows could be a percentage or a fraction and was left out."
        findings.append(Finding("results-unclear-units", sentence, unclear))
    without = sum(not row["reached_window"] for row in best.values())
    if without:
        sentence = f"{without} of {len(best)} runs have no mean JCT: they never completed a job of their window."
        findings.append(Finding("results-without-jct", sentence, without))
    if dusty:
        sentence = f"Rates in {dusty} rows carry float dust, such as 2.8000000000000003; they were rounded."
        findings.append(Finding("results-float-dust", sentence, dusty))
    return findings
