"""Runs whose log the simulator is still writing: which they are, and what a table says of them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gavel_dash.ingest.log_progress import LogProgress, read_log_progress
from gavel_dash.model import JobWindow
from gavel_dash.schema.runs import RUNNING
from gavel_dash.sweep.discover import LOG, VIZ, Found, FoundFile, look_at

#: A log without its last lines counts as being written when that happened within this time: solving one round of a
#: large cluster takes minutes.
RECENT_S = 900.0
# Files that were copied or checked out together have times in any order.
_SAME_TIME_S = 5.0


def is_recent(files: Iterable[FoundFile], now_s: float | None = None) -> bool:
    """Whether a log among the files was written to a short while ago."""
    now_s = time.time() if now_s is None else now_s
    return any(file.kind == LOG and file.size >= 0 and file.mtime_ns / 1e9 > now_s - RECENT_S for file in files)


def state_of(found: Found) -> object:
    """All that a directory holds as it is now, to compare with another time."""
    runs = {}
    for name, run in found.runs.items():
        files = run.all_files()
        runs[name] = files, is_recent(files)
    return runs, [look_at(path) for path in (*found.tables, *found.manifests)], tuple(found.problems)


def find_running(files: Iterable[FoundFile]) -> LogProgress | None:
    """How far the log is that is being written; None where there is none, or a newer conversion of it.

    Raises
    ------
    SourceError
        When the log cannot be read.
    """
    files = list(files)
    converted_s = max((file.mtime_ns / 1e9 for file in files if file.kind == VIZ), default=0.0)
    for file in files:
        if is_recent([file]) and file.mtime_ns / 1e9 > converted_s + _SAME_TIME_S:
            progress = read_log_progress(Path(file.path))
            if not progress.has_ended:
                return progress
    return None


def running_row(progress: LogProgress, window: JobWindow | None) -> dict[str, Any]:
    """What the table of runs says of a run that goes on."""
    words = []
    if progress.round_index is not None:
        words.append(f"round {progress.round_index:,}")
    if progress.sim_time_s is not None:
        words.append(f"{progress.sim_time_s / 3600:,.1f} simulated hours")
    if progress.window_completed is not None:
        of = f" of {window.n_jobs:,}" if window is not None else ""
        words.append(f"{progress.window_completed:,}{of} window jobs done")
    row: dict[str, Any] = {"status": RUNNING, "note": ", ".join(words) or "no round is complete yet"}
    if window is not None:
        row |= {"window": str(window), "n_window": window.n_jobs, "n_completed": progress.window_completed}
    if progress.round_index is not None:
        row["rounds"] = progress.round_index + 1
    return row
