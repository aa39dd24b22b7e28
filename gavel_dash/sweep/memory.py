"""What was computed of a sweep, and of runs for as long as their files stay the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from gavel_dash.kernel.mapped_files import unchanged_files

if TYPE_CHECKING:
    from gavel_dash.sweep.sweep import Sweep

T = TypeVar("T")


class Memory:
    """The last results, by what they depend on.

    The callbacks of a page come at once and need the same: the first computes, the others wait for its result.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._computing: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result for a key, computed where it is not known; what `compute` raises is not kept."""
        with self._lock:
            if key in self._results:
                return self._known(key)
            turn = self._computing.setdefault(key, Lock())
        with turn:
            with self._lock:
                if key in self._results:
                    return self._known(key)
            try:
                result = compute()
                with self._lock:
                    self._results[key] = result
                    if len(self._results) > self._most:
                        self._results.popitem(last=False)
            finally:
                with self._lock:
                    self._computing.pop(key, None)
        return result

    def _known(self, key: Hashable) -> Any:
        self._results.move_to_end(key)
        return self._results[key]


class RunMemory:
    """The last results of one kind, by run and whatever else they depend on.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._memory = Memory(most)

    def get(self, sweep: Sweep, runs: str | tuple[str, ...], key: Hashable, compute: Callable[[], T]) -> T:
        """The result for those runs as they are now and that key, computed where it is not known.

        What was read of a file that changed meanwhile is not kept: then it raises `FileChangedError`.
        """
        names = (runs,) if isinstance(runs, str) else runs

        def compute_unchanged() -> T:
            with unchanged_files():
                return compute()

        states = tuple((name, sweep.state_of_run(name)) for name in names)
        return self._memory.get((sweep.path, states, key), compute_unchanged)
