"""Conversions that are killed at random moments: no file of theirs is ever incomplete, and the next run completes them.

    python -m benchmarks.soak.kill --kills 200

Each kill hits `gavel-dash convert` of several logs, which either go into an empty directory or replace what was made
of shorter logs; with one process or several; and where the kernel is compiled first or is there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.tiled_logs import write_log
from gavel_dash.errors import GavelDashError
from gavel_dash.formats.vizbin import VizFile

MB = 1_000_000
#: A log of real size and small ones, which are written while others wait.
LOG_BYTES = (80 * MB, 8 * MB, 8 * MB, 8 * MB)
#: Every so many kills the kernel is not compiled yet.
COLD_EVERY = 9
#: Equal parts of a conversion's life that kills go through in turn.
STRETCHES = 20
_END_S = 5.0

Files = dict[str, bytes]


@dataclass
class Outcome:
    """What came of the kills.

    Attributes
    ----------
    kills : int
        Processes that were killed while they ran.
    too_late : int
        Those that had ended before.
    nothing_yet, some_files, all_files : int
        Kills after which none, some or all of the new files had their names.
    parts_left : int
        Kills that left files with temporary names.
    failures : list of str
        A sentence each for what should not be.
    """

    kills: int = 0
    too_late: int = 0
    nothing_yet: int = 0
    some_files: int = 0
    all_files: int = 0
    parts_left: int = 0
    failures: list[str] = field(default_factory=list)


class KillTest:
    """Logs in a directory, what they become, and a command that is killed while it converts them.

    Parameters
    ----------
    room : Path
        Empty directory for everything.
    old, new : mapping of str to bytes
        Logs by name: those converted before, and those that took their places.
    """

    def __init__(self, room: Path, old: Files, new: Files) -> None:
        self._room, self._logs, self._out = room, room / "logs", room / "out"
        self._logs.mkdir()
        self._warm, self._cold, self._said = room / "cache", room / "cold", room / "stderr"
        self.outcome = Outcome()
        self._old = self._convert_whole(old, room / "old")
        self._new = self._convert_whole(new, room / "new")
        #: Seconds that a conversion lives which nobody kills, by whether the kernel has to be compiled first.
        self._life_s: dict[bool, float] = {}

    def _convert_whole(self, logs: Files, out: Path) -> Files:
        for name, text in logs.items():
            (self._logs / name).write_bytes(text)
        command = self._start(out, 1, self._warm)
        if command.wait():
            raise RuntimeError("the conversion to compare with has failed")
        return _contents(out)

    def _start(self, out: Path, processes: int, cache: Path) -> subprocess.Popen[bytes]:
        scratch = self._room / "tmp"
        scratch.mkdir(exist_ok=True)
        with self._said.open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "gavel_dash", "convert", self._logs, "--out", out, "--jobs", str(processes)],
                env={**os.environ, "GAVEL_DASH_CACHE": str(cache), "TMPDIR": str(scratch)},
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def kill(self, moment: float, replaces: bool, processes: int, cold: bool = False) -> None:
        """Kill one conversion, look at what is left, and convert again.

        Parameters
        ----------
        moment : float
            When in its life, 0 to 1.
        replaces : bool
            It replaces what was made of the old logs, instead of making the first files.
        processes : int
        cold : bool
            The kernel has to be compiled first.
        """
        if cold not in self._life_s:
            self._live_until(3600.0, 1, cold)
        shutil.rmtree(self._out, ignore_errors=True)
        if replaces:
            shutil.copytree(self._room / "old", self._out)  # keeps times of change
        command = self._live_until(moment * self._life_s[cold], processes, cold)
        if command.returncode == -signal.SIGKILL:
            self.outcome.kills += 1
        else:
            self.outcome.too_late += 1
        if not _has_ended(command.pid):
            self.outcome.failures.append("processes went on after the one that had started them was killed")
            os.killpg(command.pid, signal.SIGKILL)
        self._look(self._old if replaces else {})
        self._complete(self._cold if cold else self._warm)

    def _live_until(self, end_s: float, processes: int, cold: bool) -> subprocess.Popen[bytes]:
        """A conversion that was killed after so many seconds, or had ended before."""
        if cold:
            shutil.rmtree(self._cold, ignore_errors=True)
        began = time.perf_counter()
        command = self._start(self._out, processes, self._cold if cold else self._warm)
        try:
            command.wait(end_s)
            self._life_s[cold] = time.perf_counter() - began
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
        return command

    def _look(self, before: Files) -> None:
        """Whatever has its name is whole."""
        found = _contents(self._out)
        parts = [name for name in found if name.startswith(".")]
        self.outcome.parts_left += bool(parts)
        done = 0
        for name, content in found.items():
            if name in parts:
                continue
            done += content == self._new.get(name)
            if content not in (self._new.get(name), before.get(name)):
                self.outcome.failures.append(
                    f"{name} is neither what was there before nor what comes: {len(content)} B"
                )
            elif name.endswith(".viz.bin") and not _opens(content):
                self.outcome.failures.append(f"{name} does not open")
        for name in before.keys() - found.keys():
            self.outcome.failures.append(f"{name} was there before and is gone")
        self.outcome.nothing_yet += not done
        self.outcome.all_files += done == len(self._new)
        self.outcome.some_files += 0 < done < len(self._new)

    def _complete(self, cache: Path) -> None:
        """The next run converts what is missing and leaves nothing else."""
        command = self._start(self._out, 2, cache)
        code, said = command.wait(), self._said.read_text()
        if code or said:
            self.outcome.failures.append(f"the next run ended with {code}: {said}")
        if (found := _contents(self._out)) != self._new:
            wrong = sorted(name for name in found.keys() | self._new.keys() if found.get(name) != self._new.get(name))
            self.outcome.failures.append(f"after the next run these are not as they should be: {', '.join(wrong)}")
        if left := [path.name for path in (cache / "kernel").iterdir() if path.suffix != ".so"]:
            self.outcome.failures.append(f"the next run left in the cache: {', '.join(left)}")


def _contents(directory: Path) -> Files:
    return {path.name: path.read_bytes() for path in directory.iterdir()} if directory.is_dir() else {}


def _opens(content: bytes) -> bool:
    try:
        return VizFile(content, "killed").n_rounds > 0
    except GavelDashError:
        return False


def _has_ended(group: int) -> bool:
    """Whether all processes of a group end within `_END_S`."""
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def _tiled(room: Path, share: float) -> Files:
    """Logs of `LOG_BYTES`, or of that share of it."""
    path = room / "one.log"
    logs = {}
    for i, n_bytes in enumerate(LOG_BYTES):
        write_log(path, round(n_bytes * share))
        logs[f"run{i}.log"] = path.read_bytes()
    path.unlink()
    return logs


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 1 where anything failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.kill", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        test = KillTest(room, _tiled(room, 0.5), _tiled(room, 1.0))
        draw = random.Random(args.seed)
        while test.outcome.kills < args.kills:
            i = test.outcome.kills
            # Every part of a life comes as often.
            moment = (i % STRETCHES + draw.random()) / STRETCHES
            test.kill(moment, draw.random() < 0.5, draw.choice((1, 2)), cold=i % COLD_EVERY == COLD_EVERY - 1)
            print(f"\r{test.outcome.kills} kills, {len(test.outcome.failures)} failures", end="", file=sys.stderr)
    print(file=sys.stderr)
    print(json.dumps(asdict(test.outcome), indent=2))
    return 1 if test.outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
