"""Results tables and manifests found in a sweep: runs known without files, and names for files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gavel_dash.errors import GavelDashError
from gavel_dash.formats.manifest import read_manifest
from gavel_dash.formats.results_csv import read_results_csv
from gavel_dash.formats.run_name import tidy_name
from gavel_dash.model import Finding, RunKey
from gavel_dash.sweep.packed import read_whole


@dataclass(frozen=True)
class Tables:
    """Rows of all results tables by run name, and what was noticed in the tables."""

    rows: dict[str, dict[str, Any]]
    findings: tuple[Finding, ...]


def read_tables(paths: Iterable[Path], problems: list[str]) -> Tables:
    """Read every results table; of a run in several tables the first with a mean JCT counts.

    A table that cannot be read is added to `problems`.
    """
    rows: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    for path in paths:
        try:
            table = read_results_csv(read_whole(path), str(path))
        except (GavelDashError, OSError) as error:
            problems.append(str(error))
            continue
        findings += table.findings
        for row in table.rows:
            # Tables spell the rate with float dust where the run's own files do not.
            name = tidy_name(row["name"])
            known = rows.get(name)
            if known is None or known["mean_jct_h"] is None:
                rows[name] = row
    return Tables(rows, tuple(findings))


def read_manifests(paths: Iterable[Path], problems: list[str]) -> dict[str, RunKey]:
    """What the manifests say of each file name; one that cannot be read is added to `problems`."""
    keys: dict[str, RunKey] = {}
    for path in paths:
        try:
            keys |= read_manifest(read_whole(path), str(path))
        except (GavelDashError, OSError) as error:
            problems.append(str(error))
    return keys
