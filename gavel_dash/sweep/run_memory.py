"""What was computed of runs, kept for as long as their files stay the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from gavel_dash.kernel.mapped_files import unchanged_files

if TYPE_CHECKING:
    from gavel_dash.sweep.sweep import Sweep

T = TypeVar("T")


class RunMemory:
    """The last results of one kind, by run and whatever else they depend on.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, sweep: Sweep, runs: str | tuple[str, ...], key: Hashable, compute: Callable[[], T]) -> T:
        """The result for those runs as they are now and that key, computed where it is not known.

        What was read of a file that changed meanwhile is not kept: then it raises `FileChangedError`.
        """
        names = (runs,) if isinstance(runs, str) else runs
        whole = sweep.path, tuple((name, sweep.state_of_run(name)) for name in names), key
        with self._lock:
            if whole in self._results:
                self._results.move_to_end(whole)
                known: T = self._results[whole]
                return known
        with unchanged_files():
            result = compute()
        with self._lock:
            self._results[whole] = result
            if len(self._results) > self._most:
                self._results.popitem(last=False)
        return result
