"""The app as a team runs it: gunicorn with several workers over a sweep of many runs, and the ways its workers end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.soak.watch import workers_of
from gavel_dash.formats.packed_run import unpack_run

REPOSITORY = Path(__file__).parents[2]
BUNDLE = REPOSITORY / "experiments"
#: Indexing a thousand runs in every worker on two busy cores.
PATIENCE_S = 300.0


def link_runs(folder: Path, n_runs: int) -> Path:
    """A directory of `n_runs` runs of real size in `folder`: links to the bundled ones, as more figures and seeds."""
    plain, root = folder / "plain", folder / "sweep"
    plain.mkdir()
    root.mkdir()
    packed = sorted(BUNDLE.glob("*.viz.bin.packed"))[:n_runs]
    for path in packed:
        with path.open("rb") as file, (plain / path.stem).open("wb") as out:
            unpack_run(file, out, path.name)
    files = sorted(plain.iterdir())
    for i in range(n_runs):
        copy, run = i // len(files), files[i % len(files)]
        figure = re.sub(r"^fig(\d+)", lambda match: f"fig{int(match[1]) + 100 * (copy // 2)}", run.name)  # noqa: B023
        (root / re.sub(r"_s(\d+)\.viz", rf"_s\g<1>{copy % 2}.viz", figure)).hardlink_to(run)
    return root


class TeamServer:
    """A gunicorn that is running: its master's process id, port and log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self.log = process, log
        self.port = self._wait_for_port()

    @property
    def pid(self) -> int:
        """The master's."""
        return self._process.pid

    def _wait_for_port(self) -> int:
        until = time.monotonic() + PATIENCE_S
        while self._process.poll() is None and time.monotonic() < until:
            if match := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.log.read_text()):
                return int(match[1])
            time.sleep(0.05)
        raise RuntimeError(f"no server:\n{self.log.read_text()}")

    def restart(self, way: str) -> None:
        """End a worker with `TERM` or `KILL`, which gunicorn replaces, or reload all with `HUP`; wait for their end."""
        ending = workers_of(self.pid)
        if way == "HUP":
            os.kill(self.pid, signal.SIGHUP)
        else:
            ending = ending[:1]
            os.kill(ending[0], getattr(signal, f"SIG{way}"))
        until = time.monotonic() + PATIENCE_S
        while set(ending) & set(workers_of(self.pid)):
            if time.monotonic() > until:
                raise RuntimeError(f"{way}: workers {ending} are still there after {PATIENCE_S:.0f} s")
            time.sleep(0.05)

    def failures(self) -> list[str]:
        """Lines of the log that tell of a failure."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if re.search(r"\[CRITICAL\]|Traceback|_failed\"", line)]


@contextmanager
def serve_team(root: Path, log: Path, workers: int, threads: int) -> Iterator[TeamServer]:
    """Serve a sweep until the block ends."""
    command = [sys.executable, "-m", "gunicorn", "app:server", "--bind", "127.0.0.1:0"]
    command += ["--workers", str(workers), "--threads", str(threads)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, "SWEEP": str(root)}, stdout=out, stderr=out
        )
    try:
        yield TeamServer(process, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
