"""What files a directory holds and which of them belong to one run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gavel_dash.errors import SourceError
from gavel_dash.ingest.sources import LogSource, find_logs, is_log_name

_PACKED = r"(?:\.zst|\.gz)?$"
_VIZ = re.compile(r"^(?P<name>.+)\.viz\.bin" + _PACKED)
_SIDE = re.compile(r"^(?P<name>.+)_(?P<kind>completions|telemetry)\.json" + _PACKED)
_TABLE = re.compile(r"^results.*\.csv$")


@dataclass
class RunFiles:
    """The files found for one run name. Several `.viz.bin` of one name are candidates, one of which will win."""

    name: str
    viz: list[Path] = field(default_factory=list)
    completions: list[Path] = field(default_factory=list)
    telemetry: list[Path] = field(default_factory=list)
    logs: list[LogSource] = field(default_factory=list)
    timing: Path | None = None

    def paths(self) -> list[Path]:
        """Every file of the run, for the catalogue's key."""
        logs = [log.path for log in self.logs]
        return [*self.viz, *self.completions, *self.telemetry, *logs, *([self.timing] if self.timing else [])]


@dataclass
class Found:
    """All that a directory holds: runs by name, results tables, manifests, and what could not be read."""

    runs: dict[str, RunFiles] = field(default_factory=dict)
    tables: list[Path] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self, name: str) -> RunFiles:
        """The run of that name, made on first use."""
        return self.runs.setdefault(name, RunFiles(name))


def discover(root: Path) -> Found:
    """Find the runs, tables and manifests in a directory, or take a single file as a sweep of its own.

    Raises
    ------
    SourceError
        When `root` does not exist or cannot be listed. Unreadable directories below it are reported in
        `Found.problems`, the rest goes on.
    """
    if not root.exists():
        raise SourceError(root, "a directory of runs", "nothing there")
    found = Found()
    logs: list[Path] = []
    timings: list[Path] = []
    for path in _files(root, found.problems):
        if is_log_name(path.name):
            logs.append(path)
        elif path.name == "timing.json":
            timings.append(path)
        else:
            _sort(path, found)
    for source in find_logs(logs):
        run = found.run(source.name)
        run.logs.append(source)
        run.timing = run.timing or source.timing_path
    _attach_timings(timings, found)
    if root.is_file() and not (found.runs or found.tables or found.manifests):
        found.run(root.name).viz.append(root)  # named outright, it may be called anything
    return found


def _attach_timings(timings: list[Path], found: Found) -> None:
    """A `timing.json` whose log is gone still belongs to the run of its directory's name, or to the only one there."""
    taken = {run.timing.resolve() for run in found.runs.values() if run.timing is not None}
    by_directory: dict[Path, list[RunFiles]] = {}
    for run in found.runs.values():
        for directory in {path.parent for path in run.viz}:
            by_directory.setdefault(directory, []).append(run)
    for path in timings:
        beside = by_directory.get(path.parent, [])
        owner = found.runs.get(path.parent.name) or (beside[0] if len(beside) == 1 else None)
        if path.resolve() not in taken and owner is not None:
            owner.timing = owner.timing or path


def _files(root: Path, problems: list[str]) -> Iterator[Path]:
    if root.is_file():
        yield root
        name = match["name"] if (match := _VIZ.match(root.name)) else None
        for path in sorted(root.parent.iterdir()) if name else ():
            if (side := _SIDE.match(path.name)) and side["name"] == name:
                yield path
        return

    def on_error(error: OSError) -> None:
        where = Path(error.filename) if error.filename else root
        if where == root:
            raise SourceError(root, "a directory that can be listed", error.strerror or str(error)) from error
        problems.append(f"{where}: cannot be listed ({error.strerror}); runs in it are missing here")

    for directory, subdirectories, names in os.walk(root, onerror=on_error):
        subdirectories[:] = sorted(d for d in subdirectories if not d.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(directory) / name


def _sort(path: Path, found: Found) -> None:
    if match := _VIZ.match(path.name):
        found.run(match["name"]).viz.append(path)
    elif match := _SIDE.match(path.name):
        run = found.run(match["name"])
        (run.completions if match["kind"] == "completions" else run.telemetry).append(path)
    elif _TABLE.match(path.name):
        found.tables.append(path)
    elif path.name == "manifest.json":
        found.manifests.append(path)
