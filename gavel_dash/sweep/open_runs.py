"""The runs that are open: a bounded number, one memory map each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from gavel_dash.sweep.run import Run

#: With what was computed of it, a run of 20,000 rounds takes some 2 MB; those of one page are fewer, or only read once.
MOST_OPEN = 32
#: States of one run that stay open while its files change: pages play what they were opened with.
MOST_STATES = 2


class OpenRuns:
    """Playing a run asks for it many times a second: what was opened last stays open, with what was computed of it."""

    def __init__(self) -> None:
        self._runs: OrderedDict[tuple[str, str], Run] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str, state: str, open_run: Callable[[], Run]) -> Run:
        """The run in that state of its files, opened where it is not open."""
        key = name, state
        with self._lock:
            run = self._runs.get(key)
            if run is None or run.has_changed:
                run = self._runs[key] = open_run()  # reads nothing yet
                older = [other for other in self._runs if other[0] == name]
                for other in older[:-MOST_STATES]:
                    del self._runs[other]
            self._runs.move_to_end(key)
            if len(self._runs) > MOST_OPEN:
                self._runs.popitem(last=False)
            return run

    def of(self, name: str) -> list[Run]:
        """The open states of a run."""
        with self._lock:
            return [run for (other, _), run in self._runs.items() if other == name and not run.has_changed]
