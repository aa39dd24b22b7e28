"""What every benchmark is made of: two timings in turn, and a row that sets the one against the other.

Machines are shared and noisy, so a figure alone says little: each row has a reference that was measured in the
same run, and its ratio is the median of the ratios of pairs taken one after the other.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from unittest import mock

from gavel_dash.kernel import SWITCH


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    area : str
        "convert", "index", "rounds", "figures", "server", "bundle" or "growth".
    work : str
        What was done, with its size.
    value, reference : float
        Medians, both in `unit`.
    unit : str
        "s" (CPU seconds unless `work` says otherwise), "B" or "x".
    against : str
        What the reference is.
    ratio : float
        `value / reference`, or its inverse where a row asks for "at least".
    limit : float
        The goal, a bound on `ratio`.
    at_least : bool
        Whether the ratio has to be at least `limit`, instead of at most.
    note : str
    """

    area: str
    work: str
    value: float
    reference: float
    unit: str
    against: str
    ratio: float
    limit: float
    at_least: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal is met."""
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def as_json(self) -> dict[str, Any]:
        """The row as JSON holds it."""
        return {**asdict(self), "reached": self.reached}


def compare(
    area: str,
    work: str,
    run: Callable[[], object],
    against: str,
    reference: Callable[[], object],
    limit: float,
    *,
    at_least: bool = False,
    pairs: int = 5,
    repeat: int = 1,
    note: str = "",
    clock: Callable[[], float] = time.process_time,
) -> Row:
    """Time `run` and `reference` in turn, by default CPU seconds of this process, and make a row of their medians.

    Parameters
    ----------
    area, work, against, limit, at_least, note
        As in `Row`.
    run, reference : callable
        Each is called once before the first pair, so that both are warm.
    pairs : int
        Pairs that count.
    repeat : int
        Calls per timing, for work of microseconds; `value` and `reference` are per call.
    clock : callable
        Seconds so far, such as `children_cpu_s`.
    """
    run()
    reference()
    taken = [(seconds(run, repeat, clock), seconds(reference, repeat, clock)) for _ in range(pairs)]
    ratio = statistics.median(b / a if at_least else a / b for a, b in taken)
    value, base = (statistics.median(times) for times in zip(*taken, strict=True))
    return Row(area, work, value, base, "s", against, ratio, limit, at_least, note)


def seconds(run: Callable[[], object], repeat: int, clock: Callable[[], float]) -> float:
    """Seconds per call."""
    start = clock()
    for _ in range(repeat):
        run()
    return (clock() - start) / repeat


def cpu_s(run: Callable[[], object], repeat: int = 1) -> float:
    """CPU seconds of this process per call."""
    return seconds(run, repeat, time.process_time)


@contextmanager
def without_kernel() -> Iterator[None]:
    """Do without the compiled kernel inside."""
    with mock.patch.dict(os.environ, {SWITCH: "off"}):
        yield


def children_cpu_s() -> float:
    """CPU seconds of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


_PEAK = """
import sys
{code}
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")), file=sys.stderr)
"""


def peak_bytes(code: str, **environment: str) -> int:
    """Peak resident memory of a fresh Python that runs some code (Linux).

    The kernel's own count for a child, `ru_maxrss`, starts at what its parent holds; this does not.
    """
    command = [sys.executable, "-c", _PEAK.format(code=code)]
    env = {**os.environ, **environment}
    done = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, text=True)
    return int(done.stderr.split()[-1]) * 1024
