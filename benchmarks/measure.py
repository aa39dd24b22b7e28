"""What every benchmark is made of: two timings in turn, and a row that sets the one against the other.

Machines are shared and noisy, so a figure alone says little: each row has a reference that was measured in the
same run, and its ratio is the median of the ratios of pairs taken one after the other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


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
        "s" (CPU seconds), "B" or "x".
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
) -> Row:
    """Time `run` and `reference` in turn, CPU seconds of this process, and make a row of their medians.

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
    """
    run()
    reference()
    taken = [(cpu_s(run, repeat), cpu_s(reference, repeat)) for _ in range(pairs)]
    ratio = statistics.median(b / a if at_least else a / b for a, b in taken)
    value, base = (statistics.median(times) for times in zip(*taken, strict=True))
    return Row(area, work, value, base, "s", against, ratio, limit, at_least, note)


def cpu_s(run: Callable[[], object], repeat: int = 1) -> float:
    """CPU seconds of this process per call."""
    start = time.process_time_ns()
    for _ in range(repeat):
        run()
    return (time.process_time_ns() - start) / 1e9 / repeat
