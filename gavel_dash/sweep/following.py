"""Logs without a `.viz.bin`, converted into the cache when their run is opened, and again when they have grown."""

from __future__ import annotations

import fcntl
import shutil
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gavel_dash.errors import SourceError
from gavel_dash.ingest.follow import LogFollower
from gavel_dash.ingest.sources import LogSource
from gavel_dash.settings import cache_dir
from gavel_dash.sweep.cache import Progress, key_of

#: Logs whose readings are kept, so that only what is new is read.
MOST_FOLLOWED = 8
#: Conversions of one log that stay: pages play what they were opened with.
MOST_KEPT = 2


class Following:
    """Conversions of logs, shared with other processes through the cache: one converts, the others find the files."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._followers: OrderedDict[Path, LogFollower] = OrderedDict()

    def convert(self, source: LogSource) -> tuple[Path, Path]:
        """The `.viz.bin` and completions of a log as it is by now; errors are those of `convert_log`."""
        room = cache_dir() / "following" / key_of(source.path.resolve())
        with _one_at_a_time(room):
            try:
                stat = source.path.stat()
            except OSError as error:
                raise SourceError(source.path, "a readable log", error.strerror or str(error)) from error
            # Named by what it was made from; a log that was replaced has another inode.
            target = room / f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
            files = target / f"{source.name}.viz.bin", target / f"{source.name}_completions.json"
            if not all(file.is_file() for file in files):
                self._progress(f"converting {source.path.name} of {source.name}")
                self._follower(source).convert(target)
                for stale in sorted(_conversions(room), key=lambda path: path.stat().st_mtime_ns)[:-MOST_KEPT]:
                    shutil.rmtree(stale, ignore_errors=True)
            return files

    def _follower(self, source: LogSource) -> LogFollower:
        follower = self._followers.pop(source.path, None) or LogFollower(source)
        self._followers[source.path] = follower
        if len(self._followers) > MOST_FOLLOWED:
            self._followers.popitem(last=False)[1].close()
        return follower


def _conversions(room: Path) -> list[Path]:
    return [path for path in room.iterdir() if path.is_dir()]


@contextmanager
def _one_at_a_time(room: Path) -> Iterator[None]:
    """Held by one thread of one process at a time; whoever dies lets go."""
    room.mkdir(parents=True, exist_ok=True)
    with (room / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
