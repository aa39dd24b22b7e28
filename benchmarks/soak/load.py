"""Many users at once: `python -m benchmarks.soak.load --users 50 --minutes 10 --runs 1000 [--json FILE]`.

Gunicorn serves a sweep of runs of real size to people who browse, filter, click points, play and export (`users.py`).
Every answer is checked. Near the end a worker is told to end, all are reloaded, and one is killed. What is told: how
long each kind of request took, CPU of the server per request where one user has it to themselves, memory and open files
over time, and what went wrong. Server and users share the machine's cores; how much the users took is told too.

Exit code 1 where an answer was wrong or a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.soak.connection import Journal, Sample
from benchmarks.soak.team_server import TeamServer, link_runs, serve_team
from benchmarks.soak.users import Truth, User
from benchmarks.soak.watch import Reading, Watch, cpu_s_of, slope_per_minute, workers_of
from gavel_dash.sweep import open_sweep
from gavel_dash.sweep.open_runs import MOST_OPEN

WORKERS, THREADS = 4, 8
CALLBACK_GOAL_MS, CHUNK_GOAL_MS = 300.0, 50.0
#: Shares of the time: what is not measured at the beginning, and when which restart happens.
WARM_UP, RESTARTS = 0.3, {"TERM": 0.8, "HUP": 0.87, "KILL": 0.94}
#: Before the others come, one user does everything this often, a tenth as slow.
SOLO_ROUNDS, SOLO_PACE = 2, 0.1
#: A slope is flat within this many standard errors.
FLAT_ERRORS = 2.0
#: A worker's: a file and a map of each run that stays open, and what else it has (sockets of 50 users, modules).
MOST_HANDLES = 2 * MOST_OPEN + 128
MB, SHOWN_ERRORS = 1e6, 20


def measure(
    root: Path, folder: Path, n_users: int, duration_s: float, solo_rounds: int = SOLO_ROUNDS
) -> dict[str, Any]:
    """Serve a sweep of `.viz.bin` files to users for a time; everything that was seen, as JSON takes it."""
    truth = Truth(root, open_sweep(root).runs())
    with serve_team(root, folder / "gunicorn.log", WORKERS, THREADS) as server:
        alone = _solo(server, truth, solo_rounds)
        journal, watch = Journal(), Watch(server.pid)
        users = [User(number, server.port, truth, journal) for number in range(n_users)]
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        watch.start()
        let_live(users, journal, server, duration_s, RESTARTS)
        took_s = time.monotonic() - began_s
        readings = watch.stop()
        users_cpu = (time.process_time() - began_cpu_s) / took_s
        steady = [
            reading for reading in readings if WARM_UP <= (reading.at_s - began_s) / duration_s < min(RESTARTS.values())
        ]
        return {
            "setting": {
                "users": n_users,
                "minutes": took_s / 60,
                "runs": len(truth.runs),
                "workers": WORKERS,
                "threads": THREADS,
                "cores": os.cpu_count(),
                "load_average": os.getloadavg()[1],
            },
            "requests": _requests(journal.samples, alone),
            "errors": [f"{visit}: {sentence}" for visit, sentence in journal.errors],
            "restarts_s": dict(zip(RESTARTS, _lengths(journal.restarts), strict=True)),
            "retried_in_restart": dict(Counter(journal.retried)),
            "reopened_when_idle": len(journal.reopened),
            "server_failures": server.failures(),
            "users_cpu_cores": users_cpu,
            "server": _server(steady, journal.samples),
        }


def let_live(
    users: Sequence[User], journal: Journal, server: TeamServer, duration_s: float, restarts: Mapping[str, float]
) -> None:
    """All users at once for a time; `restarts` say which is due after what share of it, in order."""
    began_s = time.monotonic()
    threads = [threading.Thread(target=user.live, daemon=True) for user in users]
    for thread in threads:
        thread.start()
    for way, share in restarts.items():
        time.sleep(max(0.0, began_s + share * duration_s - time.monotonic()))
        journal.restarts.append(time.monotonic())
        server.restart(way)
        journal.restarts.append(time.monotonic())
    time.sleep(max(0.0, began_s + duration_s - time.monotonic()))
    journal.over.set()
    for thread in threads:
        thread.join()


def _solo(server: TeamServer, truth: Truth, rounds: int) -> dict[str, list[float]]:
    """CPU seconds that the workers take for each request of a user who is alone, by kind."""
    taken: dict[str, list[float]] = defaultdict(list)
    before_s = 0.0

    def around(kind: str, ended: bool) -> None:
        nonlocal before_s
        if not ended:
            before_s = cpu_s_of(workers_of(server.pid))
        else:
            taken[kind].append(cpu_s_of(workers_of(server.pid)) - before_s)

    journal = Journal()
    user = User(-1, server.port, truth, journal, SOLO_PACE, around)
    for _ in range(rounds):
        for visit in user.visits:
            user.try_out(visit)
    if journal.errors:
        raise RuntimeError(f"a user who is alone sees {journal.errors}")
    return taken


def _lengths(edges: Sequence[float]) -> list[float]:
    return [stop - start for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _requests(samples: Sequence[Sample], alone: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """A row per kind of request, and one of all callbacks; times in milliseconds."""
    took_ms: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        took_ms[sample.kind].append(1000 * sample.took_s)
        if sample.kind.startswith("callback "):
            took_ms["all callbacks"].append(1000 * sample.took_s)
    rows = []
    for kind, times in sorted(took_ms.items()):
        cpu_ms = [1000 * cpu_s for cpu_s in alone.get(kind, ())]
        rows.append(
            {
                "kind": kind,
                "n": len(times),
                **{f"p{share}_ms": _quantile(times, share / 100) for share in (50, 95, 99)},
                "max_ms": max(times),
                "cpu_ms": statistics.mean(cpu_ms) if cpu_ms else None,
                "cpu_max_ms": max(cpu_ms, default=None),
            }
        )
    return rows


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _server(steady: Sequence[Reading], samples: Sequence[Sample]) -> dict[str, Any]:
    """Memory, open files and CPU of the workers between the warm-up and the first restart."""
    if len(steady) < 2:
        raise RuntimeError("too short a time: nothing was read between the warm-up and the first restart")
    first, last = steady[0], steady[-1]
    n = sum(first.at_s <= sample.at_s < last.at_s for sample in samples)
    at_s = [reading.at_s for reading in steady]
    cpu_s, took_s = last.cpu_s - first.cpu_s, last.at_s - first.at_s
    found: dict[str, Any] = {"cpu_cores": cpu_s / took_s, "cpu_ms_per_request": 1000 * cpu_s / max(1, n)}
    found["requests_per_s"] = n / took_s
    found["most_handles_of_a_worker"] = max(reading.n_most_handles for reading in steady)
    for name in ("pss_bytes", "anonymous_bytes", "n_handles"):
        values = [float(getattr(reading, name)) for reading in steady]
        slope, error = slope_per_minute(at_s, values)
        found[name] = {"first": values[0], "last": values[-1], "most": max(values), "slope": slope, "error": error}
    return found


def missed(found: Mapping[str, Any]) -> list[str]:
    """Sentences on what did not hold."""
    p95_ms = {row["kind"]: row["p95_ms"] for row in found["requests"]}
    sentences = []
    if found["errors"] or found["server_failures"]:
        sentences.append(
            f"{len(found['errors'])} wrong answers, {len(found['server_failures'])} failures in the server's log"
        )
    for kind, goal_ms in (("all callbacks", CALLBACK_GOAL_MS), ("round chunk", CHUNK_GOAL_MS)):
        if not p95_ms.get(kind, math.inf) < goal_ms:
            sentences.append(f"{kind}: p95 {p95_ms.get(kind, math.nan):.0f} ms, goal below {goal_ms:.0f} ms")
    memory = found["server"]["anonymous_bytes"]
    if not memory["slope"] <= FLAT_ERRORS * memory["error"]:  # nor where too little was read
        sentences.append(f"memory grows by {memory['slope'] / MB:.0f} ± {memory['error'] / MB:.0f} MB a minute")
    if found["server"]["most_handles_of_a_worker"] > MOST_HANDLES:
        sentences.append(f"a worker had {found['server']['most_handles_of_a_worker']} files open, above {MOST_HANDLES}")
    return sentences


def text_of(found: Mapping[str, Any]) -> str:
    """Everything as a table and a few lines."""
    setting, server = found["setting"], found["server"]
    lines = [
        "{users} users, {minutes:.1f} minutes, {runs} runs, {workers} workers of {threads} threads, "
        "{cores} cores, load average {load_average:.1f}".format(**setting),
        f"{'request':44}{'n':>7}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}   CPU mean, max of one user alone (ms)",
    ]
    for row in found["requests"]:
        cpu = "" if row["cpu_ms"] is None else f"{row['cpu_ms']:9.1f}{row['cpu_max_ms']:9.1f}"
        times = "".join(f"{row[name]:8.1f}" for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms"))
        lines.append(f"{row['kind'][:43]:44}{row['n']:7}{times}{cpu}")
    lines.append(
        f"server: {server['requests_per_s']:.1f} requests a second, {server['cpu_cores']:.2f} cores, "
        f"{server['cpu_ms_per_request']:.1f} ms CPU per request; users: {found['users_cpu_cores']:.2f} cores; "
        f"most files open in a worker: {server['most_handles_of_a_worker']}"
    )
    for name, unit in (("pss_bytes", MB), ("anonymous_bytes", MB), ("n_handles", 1)):
        part = {key: value / unit for key, value in server[name].items()}
        lines.append(
            f"{name}: {part['first']:.0f} first, {part['last']:.0f} last, {part['most']:.0f} most"
            f"{' MB' if unit == MB else ''}, slope {part['slope']:+.2f} ± {part['error']:.2f} a minute"
        )
    retried = sum(found["retried_in_restart"].values())
    lines.append(
        "restarts, until the workers had ended: "
        + ", ".join(f"{way} {took_s:.1f} s" for way, took_s in found["restarts_s"].items())
        + f"; sent again then or within a second: {retried}; idle connections reopened: {found['reopened_when_idle']}"
    )
    lines.append(
        f"wrong answers: {len(found['errors'])}; failures in the server's log: {len(found['server_failures'])}"
    )
    lines += [f"  {error[:400]}" for error in [*found["errors"], *found["server_failures"]][:SHOWN_ERRORS]]
    lines += [f"MISSED: {sentence}" for sentence in missed(found)] or ["all goals held"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.load", description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was seen there too")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with mock.patch.dict(os.environ, GAVEL_DASH_CACHE=str(folder / "cache")):
            found = measure(link_runs(folder, args.runs), folder, args.users, 60 * args.minutes)
    print(text_of(found))
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=1))
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
