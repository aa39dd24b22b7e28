"""What files a directory holds and which of them belong to one run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from gavel_dash.errors import SourceError, legible
from gavel_dash.ingest.sources import LogSource, find_logs, is_log_name
from gavel_dash.sweep.packed import PACKED_RUN_SUFFIX, PACKED_SUFFIXES

VIZ, COMPLETIONS, TELEMETRY, LOG = ".viz.bin", "_completions.json", "_telemetry.json", ".log"
_VIZ_PACKINGS = frozenset(("", *PACKED_SUFFIXES))
_SIDE_PACKINGS = _VIZ_PACKINGS - {PACKED_RUN_SUFFIX}
_PACKINGS = {VIZ: _VIZ_PACKINGS, COMPLETIONS: _SIDE_PACKINGS, TELEMETRY: _SIDE_PACKINGS}
_TABLE = re.compile(r"^results.*\.csv$")


class FoundFile(NamedTuple):
    """A file of a run, and what tells whether it has changed since.

    Attributes
    ----------
    kind : str
        `VIZ`, `COMPLETIONS`, `TELEMETRY` or `LOG`: how names of its kind end; empty for another file.
    path : str
    mtime_ns : int
        Time of the last change in nanoseconds; the errno where the file cannot be looked at.
    size : int
        Bytes; -1 where the file cannot be looked at.
    """

    kind: str
    path: str
    mtime_ns: int
    size: int


def look_at(file: os.DirEntry[str] | Path, kind: str = "") -> FoundFile:
    """A file as it is now."""
    try:
        stat = file.stat()
    except OSError as error:
        return FoundFile(kind, os.fspath(file), error.errno or 0, -1)
    return FoundFile(kind, os.fspath(file), stat.st_mtime_ns, stat.st_size)


@dataclass(slots=True)
class RunFiles:
    """The files found for one run name. Several `.viz.bin` of one name are candidates, one of which will win."""

    name: str
    files: list[FoundFile] = field(default_factory=list)
    logs: tuple[LogSource, ...] = ()
    timing: Path | None = None

    def paths(self, kind: str) -> list[Path]:
        """The files of one kind, in the order in which they were found."""
        return [Path(file.path) for file in self.files if file.kind == kind]

    def all_files(self) -> list[FoundFile]:
        """Every file of the run, logs and timing as they are now, for the catalogue to compare."""
        if not self.logs and self.timing is None:
            return self.files
        beside = [look_at(log.path, LOG) for log in self.logs]
        return [*self.files, *beside, *([look_at(self.timing)] if self.timing else [])]


@dataclass
class Found:
    """All that a directory holds: runs by name, results tables, manifests, and what could not be read."""

    runs: dict[str, RunFiles] = field(default_factory=dict)
    tables: list[Path] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self, name: str) -> RunFiles:
        """The run of that name, made on first use."""
        name = legible(name)
        run = self.runs.get(name)
        if run is None:
            run = self.runs[name] = RunFiles(name)
        return run


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
    for file in _files(root, found.problems):
        if not _take(file, found):
            if is_log_name(file.name):
                logs.append(Path(file))
            elif file.name == "timing.json":
                timings.append(Path(file))
    for source in find_logs(logs):
        run = found.run(source.name)
        run.logs += (source,)
        run.timing = run.timing or source.timing_path
    _attach_timings(timings, found)
    if root.is_file() and not (found.runs or found.tables or found.manifests):
        found.run(root.name).files.append(look_at(root, VIZ))  # named outright, it may be called anything
    return found


def _attach_timings(timings: list[Path], found: Found) -> None:
    """A `timing.json` whose log is gone still belongs to the run of its directory's name, or to the only one there."""
    if not timings:
        return
    taken = {run.timing.resolve() for run in found.runs.values() if run.timing is not None}
    by_directory: dict[Path, list[RunFiles]] = {}
    for run in found.runs.values():
        for directory in {path.parent for path in run.paths(VIZ)}:
            by_directory.setdefault(directory, []).append(run)
    for path in timings:
        beside = by_directory.get(path.parent, [])
        owner = found.runs.get(path.parent.name) or (beside[0] if len(beside) == 1 else None)
        if path.resolve() not in taken and owner is not None:
            owner.timing = owner.timing or path


def _files(root: Path, problems: list[str]) -> Iterator[os.DirEntry[str] | Path]:
    """Every file that is not hidden: those of a directory by name, then those of each directory below it.

    Links that lead out of the directory are left aside: who may write into it must not choose what else is served.
    """
    if root.is_file():
        yield root
        name = _stem(root.name, VIZ)
        home = os.path.realpath(root.parent)
        for path in sorted(root.parent.iterdir()) if name else ():
            if name in (_stem(path.name, COMPLETIONS), _stem(path.name, TELEMETRY)):
                if _leads_out(path, home):
                    problems.append(f"{path}: a link out of its directory; left aside")
                else:
                    yield path
        return
    home = os.path.realpath(root)
    outside: list[str] = []
    pending = [os.fspath(root)]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(directory) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except OSError as error:
            if directory == os.fspath(root):
                raise SourceError(root, "a directory that can be listed", error.strerror or str(error)) from error
            problems.append(f"{directory}: cannot be listed ({error.strerror}); runs in it are missing here")
            continue
        entries.sort(key=attrgetter("name"))
        below = []
        for entry in entries:
            if _leads_out(entry, home):
                outside.append(entry.path)
            elif not _is_directory(entry):
                yield entry
            elif not entry.is_symlink():  # it may lead back here
                below.append(entry.path)
        pending += reversed(below)
    if outside:
        more = f" and {len(outside) - 1:,} more" if outside[1:] else ""
        problems.append(f"{outside[0]}{more}: links out of the sweep; left aside, copy what belongs here")


def _leads_out(file: os.DirEntry[str] | Path, home: str) -> bool:
    return file.is_symlink() and os.path.commonpath((home, os.path.realpath(file))) != home


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself: opening it will say what is wrong
        return False


def _take(file: os.DirEntry[str] | Path, found: Found) -> bool:
    """Put a file where its name says it belongs; False where it says none of these."""
    for kind in _PACKINGS:
        if name := _stem(file.name, kind):
            found.run(name).files.append(look_at(file, kind))
            return True
    if _TABLE.match(file.name):
        found.tables.append(Path(file))
    elif file.name == "manifest.json":
        found.manifests.append(Path(file))
    else:
        return False
    return True


def _stem(name: str, kind: str) -> str:
    """The run's name in that of a file; empty where the file is not of this kind."""
    stem, _, packing = name.rpartition(kind)
    return stem if packing in _PACKINGS[kind] else ""
