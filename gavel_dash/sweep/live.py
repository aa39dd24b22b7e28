"""A sweep that is looked at again and again: runs appear, grow, are replaced and go."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from gavel_dash.errors import GavelDashError
from gavel_dash.sweep.sweep import Sweep

#: The directory is looked at again after this many times what it took the last time, within these bounds.
REST_FACTOR, REST_S, LONGEST_REST_S = 20.0, 1.0, 2.0
#: The same for someone who has heard of news that are not known here.
SHORTEST_REST_S = 0.2
#: Whoever comes while another looks waits this long for the news, then goes on with what is known.
PATIENCE_S = 1.0


class LiveSweep:
    """The current state of a sweep, renewed by those who ask for it.

    Each process looks for itself; what one has indexed, the others find in the cache.

    Parameters
    ----------
    sweep : Sweep
        As it is now.
    clock : callable, optional
        Seconds that never go back.

    Attributes
    ----------
    problem : str
        Why the directory could not be looked at the last time; empty where it could. What was there then stays.
    """

    def __init__(self, sweep: Sweep, clock: Callable[[], float] = time.monotonic) -> None:
        self._sweep = sweep
        self._clock = clock
        self._looked_s = clock()
        self._next_look_s = self._looked_s + REST_S
        self._looking = Lock()
        self.problem = ""

    @property
    def known(self) -> Sweep:
        """The sweep as it was when it was last looked at."""
        return self._sweep

    @property
    def now(self) -> Sweep:
        """The sweep as it is, a second or two old at most. It does not change: ask once for what belongs together."""
        if self._clock() >= self._next_look_s and self._looking.acquire(timeout=PATIENCE_S):
            try:
                if self._clock() >= self._next_look_s:
                    self._look()
            finally:
                self._looking.release()
        return self._sweep

    def hear_of(self, version: str) -> None:
        """Someone knows the sweep in this version, perhaps from another process: where it is another one, look soon."""
        if version != self._sweep.version:
            self._next_look_s = min(self._next_look_s, self._looked_s + SHORTEST_REST_S)

    def _look(self) -> None:
        began_s = self._clock()
        try:
            self._sweep, self.problem = self._sweep.refreshed(), ""
        except GavelDashError as error:
            self.problem = str(error)
        finally:
            self._looked_s = self._clock()
            rest_s = min(max(REST_S, REST_FACTOR * (self._looked_s - began_s)), LONGEST_REST_S)
            self._next_look_s = self._looked_s + rest_s
