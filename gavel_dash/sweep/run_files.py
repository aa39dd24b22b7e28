"""The files of one run as they are: which of them are readable, which of several wins, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.formats.completions import read_completions
from gavel_dash.formats.timing import Timing, read_timing
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.log_progress import LogProgress
from gavel_dash.kernel.mapped_files import map_file
from gavel_dash.model import Finding
from gavel_dash.sweep.cache import Progress
from gavel_dash.sweep.discover import COMPLETIONS, VIZ, RunFiles
from gavel_dash.sweep.packed import plain_path, read_whole
from gavel_dash.sweep.running import find_running


def open_viz(path: Path, progress: Progress) -> VizFile:
    """Open a `.viz.bin`, packed or not. Raises `GavelDashError` where it cannot be read."""
    try:
        return VizFile(map_file(plain_path(path, progress), path), str(path))
    except OSError as error:
        raise SourceError(path, "a readable file", error.strerror or str(error)) from error


def load_jct_s(path: Path) -> dict[int, float]:
    """JCT in seconds by job id from a completions file; of a job listed twice the last counts."""
    rows = read_completions(read_whole(path), str(path))
    return dict(zip(rows["job_id"].tolist(), rows["duration_s"].tolist(), strict=True))


def choose_viz(
    files: RunFiles, root: Path, findings: list[Finding], progress: Progress
) -> tuple[Path | None, VizFile | None, str | None]:
    """The run's file among those of its name: readable before damaged, more rounds, newer, then first by path."""
    opened: list[tuple[Path, VizFile, int]] = []
    damage: str | None = None
    candidates = [file for file in files.files if file.kind == VIZ]
    for file in candidates:
        path = Path(file.path)
        try:
            viz = open_viz(path, progress)
            _ = viz.findings  # they need every list of the file: one that points nowhere is found here
            opened.append((path, viz, file.mtime_ns))
        except GavelDashError as error:
            damage = damage or str(error)
            if len(candidates) > 1:
                findings.append(Finding("damaged-duplicate", f"a second file of this name is damaged: {error}", 1))
    if not opened:
        return None, None, damage
    best_path, best, _ = max(opened, key=lambda item: (item[1].n_rounds, item[2]))
    for path, viz, _ in opened:
        if path != best_path:
            sentence = (
                f"{_shown(path, root)} ({viz.n_rounds} rounds) has the same name and was left aside for "
                f"{_shown(best_path, root)} ({best.n_rounds} rounds): more rounds win, then the newer file"
            )
            findings.append(Finding("duplicate-run", sentence, 1))
    return best_path, best, None


def choose_completions(files: RunFiles, root: Path, findings: list[Finding]) -> tuple[Path | None, dict[int, float]]:
    for path in files.paths(COMPLETIONS):
        try:
            return path, load_jct_s(path)
        except (GavelDashError, OSError) as error:
            sentence = f"{_shown(path, root)} was left aside, JCTs come from the job records: {error}"
            findings.append(Finding("completions-unreadable", sentence, 1))
    return None, {}


def find_timing(files: RunFiles, findings: list[Finding]) -> Timing | None:
    if files.timing is None:
        return None
    try:
        return read_timing(read_whole(files.timing), str(files.timing))
    except (GavelDashError, OSError) as error:
        findings.append(Finding("timing-unreadable", f"timing.json was left aside: {error}", 1))
        return None


def find_running_log(files: RunFiles, findings: list[Finding]) -> LogProgress | None:
    """How far the log is that is being written; None where there is none."""
    try:
        found = find_running(files.all_files())
    except SourceError as error:
        findings.append(Finding("log-unreadable", str(error), 1))
        return None
    if found is not None and files.paths(VIZ):
        sentence = f"{files.paths(VIZ)[0].name} is of an earlier part of the log, which still grows: left aside"
        findings.append(Finding("older-conversion", sentence, 1))
    return found


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path != root and path.is_relative_to(root) else path.name
