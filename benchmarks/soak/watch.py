"""What a server costs while it is used: memory, open files and CPU of its processes, from /proc."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PERIOD_S = 2.0


@dataclass(frozen=True)
class Reading:
    """All workers at one moment.

    Attributes
    ----------
    at_s : float
        On the clock of `time.monotonic`.
    pss_bytes : int
        Their share of memory, mapped files included.
    anonymous_bytes : int
        What of it is of no file: what a leak would grow.
    n_handles : int
        Open file descriptors, and memory maps of `.viz.bin` files.
    n_most_handles : int
        Those of the worker that has most.
    cpu_s : float
        CPU seconds of the workers alive since their start.
    workers : tuple of int
        Their process ids.
    """

    at_s: float
    pss_bytes: int
    anonymous_bytes: int
    n_handles: int
    n_most_handles: int
    cpu_s: float
    workers: tuple[int, ...]


def workers_of(master: int) -> tuple[int, ...]:
    """The processes that a process has started."""
    return tuple(int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split())


def cpu_s_of(pids: tuple[int, ...]) -> float:
    """CPU seconds of all threads of some processes, to a microsecond; those that have ended count nothing."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue  # a thread that has just ended
    return total / 1e9


def read_workers(master: int) -> Reading:
    """Read all workers of a gunicorn; one that ends meanwhile counts nothing."""
    alive, pss, anonymous, handles = [], 0, 0, [0]
    for pid in workers_of(master):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            sizes = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines[1:]}
            maps = Path(f"/proc/{pid}/maps").read_text().count(".viz.bin\n")
            handles.append(len(os.listdir(f"/proc/{pid}/fd")) + maps)
        except (FileNotFoundError, ProcessLookupError, PermissionError, IndexError):
            continue
        alive.append(pid)
        pss += sizes["Pss"]
        anonymous += sizes["Pss_Anon"]
    return Reading(time.monotonic(), pss, anonymous, sum(handles), max(handles), cpu_s_of(tuple(alive)), tuple(alive))


class Watch(threading.Thread):
    """Reads the workers of a gunicorn again and again until it is stopped."""

    def __init__(self, master: int) -> None:
        super().__init__(name="watch", daemon=True)
        self._master, self._stop_asked = master, threading.Event()
        self.readings: list[Reading] = []

    def run(self) -> None:
        """Read until stopped."""
        while not self._stop_asked.wait(PERIOD_S):
            self.readings.append(read_workers(self._master))

    def stop(self) -> list[Reading]:
        """All readings."""
        self._stop_asked.set()
        self.join()
        return self.readings


def slope_per_minute(at_s: list[float], values: list[float]) -> tuple[float, float]:
    """Least-squares slope and its standard error, per minute; NaN where there are too few values.

    Neighbouring readings are alike: the error is that of as many independent ones as their correlation leaves.
    """
    if len(values) < 10:
        return float("nan"), float("nan")
    t, y = np.array(at_s) / 60, np.array(values, float)
    t = t - t.mean()
    slope = float(t @ (y - y.mean()) / (t @ t))
    rest = y - y.mean() - slope * t
    power = float(rest @ rest)
    alike = float(rest[1:] @ rest[:-1]) / power if power > 0 else 0.0
    n = max(3.0, len(y) * (1 - alike) / (1 + alike)) if alike > 0 else len(y)
    return slope, float(np.sqrt(power / (t @ t) / (n - 2)))
