"""A sweep in the making: `python -m benchmarks.soak.live --minutes 5 [--json FILE]`.

A writer replays a log of real size as a fast simulator would, and next to it adds runs, replaces them, deletes them,
cuts them short in their place and writes over them. Gunicorn serves that directory meanwhile. A reader asks as a page
does and opens what it finds. What is told: how long news took, and whatever the server did wrong: an answer that is no
answer, a number of rounds that the log never had, a worker that died.

Exit code 1 where something was wrong, or where news took longer than the goal.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.soak.team_server import TeamServer, link_runs, serve_team
from benchmarks.soak.watch import workers_of
from benchmarks.tiled_logs import write_log
from gavel_dash.web.live import VERSION_COOKIE

WORKERS, THREADS, N_RUNS = 4, 8, 40
GOAL_S = 5.0
#: As `assets/live.js` asks.
PERIOD_S = 2.5
LOG_BYTES = 150_000_000
RUNNING = "fig10_max_min_fairness_2.0jph_multi_s0"


class Writer:
    """Changes the sweep: a piece of the log and one other thing at a time."""

    def __init__(self, root: Path, whole_log: Path, n_steps: int, seed: int) -> None:
        self._root, self._random = root, random.Random(seed)
        self._log = root / RUNNING / "simulation.log"
        self._log.parent.mkdir()
        self._text = whole_log.read_bytes()
        self._piece = len(self._text) // (n_steps + 1)
        self._runs = sorted(root.glob("*.viz.bin"))
        self._spare = root.parent / "spare"
        self._spare.mkdir()
        self.done: Counter[str] = Counter()
        self.grow()

    def grow(self) -> None:
        """The simulator writes on, and stops inside a line."""
        with self._log.open("ab") as file:
            file.write(self._text[self._log.stat().st_size :][: self._piece])

    def rounds(self) -> int:
        """Complete rounds in the log by now."""
        return self._text[: self._log.stat().st_size].count(b"] TELEMETRY {") - self._cut_telemetry()

    def _cut_telemetry(self) -> int:
        written = self._text[: self._log.stat().st_size]
        return int(b"] TELEMETRY {" in written[written.rindex(b"\n") :])

    def meddle(self) -> None:
        """Add, replace, delete, cut short, write over or repair a run."""
        run, way = self._random.choice(self._runs), self._random.choice(("delete", "put", "cut", "overwrite", "put"))
        self.done[way] += 1
        if way == "delete":
            run.unlink(missing_ok=True)
        elif way == "put" or not run.exists():
            part = self._spare / "part"
            shutil.copyfile(self._random.choice(list((self._root.parent / "plain").iterdir())), part)
            os.replace(part, run)
        elif way == "cut":
            self._own(run)
            os.truncate(run, self._random.randrange(run.stat().st_size))
        else:
            self._own(run)
            with run.open("r+b") as file:
                file.seek(self._random.randrange(run.stat().st_size))
                file.write(self._random.randbytes(4096))

    def _own(self, run: Path) -> None:
        """Make a link a file of its own, in one step, so that only this run changes."""
        if run.stat().st_nlink > 1:
            shutil.copyfile(run, self._spare / "part")
            os.replace(self._spare / "part", run)


class Reader:
    """Asks as a page does."""

    def __init__(self, port: int) -> None:
        self._port, self._version = port, ""
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []

    def get(self, path: str, may_fail: bool = False) -> tuple[int, bytes]:
        """An answer; `may_fail` where a run may just have been changed."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", path, headers={"Cookie": f"{VERSION_COOKIE}={self._version}"})
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            self.wrong.append(f"{path}: no answer ({error})")
            return 0, b""
        finally:
            connection.close()
        self.answers[f"{response.status} {path.split('?')[0].rsplit('/', 1)[-1]}"] += 1
        if response.status != 200 and not (may_fail and response.status in (404, 503) and body.count(b"\n") == 1):
            self.wrong.append(f"{path}: {response.status} {body[:200]!r}")
        return response.status, body

    def state(self) -> dict[str, Any]:
        """What a page asks every few seconds."""
        _, body = self.get(f"/api/live?run={RUNNING}")
        state = dict(json.loads(body or b"{}"))
        self._version = state.get("version", "")
        return state


def follow(writer: Writer, server: TeamServer, n_steps: int, seed: int) -> dict[str, Any]:
    """Write and read for a number of steps; what was seen, as JSON takes it."""
    reader, chance, news_s = Reader(server.port), random.Random(seed), []
    workers = set(workers_of(server.pid))
    for _ in range(n_steps):
        before, least = reader.state(), writer.rounds()
        writer.grow()
        writer.meddle()
        written_s, most = time.monotonic(), writer.rounds()
        time.sleep(PERIOD_S * chance.random())  # where in its period a page is
        while reader.state().get("shown") == before.get("shown") and time.monotonic() - written_s < 60:
            time.sleep(PERIOD_S)
        news_s.append(time.monotonic() - written_s)
        _, table = reader.get(f"/api/runs/{RUNNING}/rounds.csv")
        if not least <= (found := table.count(b"\n") - 1) <= most:
            reader.wrong.append(f"{found} rounds of {least} to {most}")
        name = chance.choice(writer._runs).name.removesuffix(".viz.bin")
        reader.get(f"/api/runs/{name}/jobs.csv", may_fail=True)
        reader.get("/api/runs.csv")
        reader.get("/healthz")
    died = sorted(workers - set(workers_of(server.pid)))
    # That a run which has just gone or is cut short cannot be read is the right answer, and is logged as one.
    foreseen = ('"level":"info"', '"level":"warning"')
    unforeseen = [line for line in server.failures() if not any(level in line for level in foreseen)]
    reader.wrong += [f"worker {pid} died" for pid in died] + unforeseen
    return {
        "steps": n_steps,
        "rounds_in_the_end": writer.rounds(),
        "changes": dict(writer.done),
        "news_s": {"median": round(sorted(news_s)[n_steps // 2], 2), "max": round(max(news_s), 2)},
        "answers": dict(sorted(reader.answers.items())),
        "wrong": reader.wrong,
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    n_steps = max(2, round(options.minutes * 60 / 4))
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        root = link_runs(folder, N_RUNS)
        write_log(folder / "whole.log", LOG_BYTES)
        writer = Writer(root, folder / "whole.log", n_steps, options.seed)
        with serve_team(root, folder / "gunicorn.log", WORKERS, THREADS) as server:
            seen = follow(writer, server, n_steps, options.seed)
    text = json.dumps(seen, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    return int(bool(seen["wrong"]) or seen["news_s"]["max"] > GOAL_S)


if __name__ == "__main__":
    sys.exit(main())
