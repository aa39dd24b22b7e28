"""Many logs in parallel: one that fails, or whose process is killed, stops no other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.ingest.convert import Conversion, convert_unless_done
from gavel_dash.ingest.sources import LogSource
from gavel_dash.kernel import load_kernel
from gavel_dash.model import JobWindow
from gavel_dash.whole_files import remove_abandoned


def convert_many(
    sources: Iterable[LogSource],
    out_dir: Path,
    *,
    processes: int | None = None,
    progress: Callable[[LogSource, Conversion | GavelDashError], None] | None = None,
    window: JobWindow | None = None,
    gpus_per_node: int | None = None,
    force: bool = False,
) -> list[Conversion | GavelDashError]:
    """Convert logs in parallel; one that fails does not stop the others.

    Parameters
    ----------
    sources : iterable of LogSource
        From `find_logs`.
    processes : int, optional
        Worker processes; one per CPU unless given.
    out_dir, window, gpus_per_node, force
        As for `convert_log`.
    progress : callable, optional
        Called in this process with each log and what became of it, as they finish.

    Returns
    -------
    list
        In the order of `sources`, whatever order they finish in: a `Conversion` or the error.
    """
    todo = list(sources)
    options: dict[str, Any] = {"window": window, "gpus_per_node": gpus_per_node, "force": force}
    results: dict[int, Conversion | GavelDashError] = {}

    def note(i: int, result: Conversion | GavelDashError) -> None:
        results[i] = result
        if progress is not None:
            progress(todo[i], result)

    remove_abandoned(out_dir)
    processes = min(processes or os.cpu_count() or 1, len(todo))
    if processes <= 1:
        for i, source in enumerate(todo):
            note(i, _convert_or_error(source, out_dir, options))
        return [results[i] for i in range(len(todo))]
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    load_kernel()  # compiled once here, not once per process
    # A forked process has everything imported; where there is no fork, each imports once.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    # Longest first, so that the last process does not start its longest log when the others are done.
    order = sorted(range(len(todo)), key=lambda i: -_size(todo[i].path))
    with ProcessPoolExecutor(processes, multiprocessing.get_context(method), _end_with_parent) as pool:
        futures = {pool.submit(_convert_or_error, todo[i], out_dir, options): i for i in order}
        try:
            for future in as_completed(futures):
                i = futures[future]
                try:
                    note(i, future.result())
                except BrokenProcessPool:
                    note(i, SourceError(todo[i].path, "a conversion that ends", "a process that was killed"))
        finally:
            # After Ctrl-C the workers would go on with what is still waiting.
            pool.shutdown(cancel_futures=True)
    return [results[i] for i in range(len(todo))]


def _convert_or_error(source: LogSource, out_dir: Path, options: dict[str, Any]) -> Conversion | GavelDashError:
    try:
        return convert_unless_done(source, out_dir, **options)
    except GavelDashError as error:
        return error


def _end_with_parent() -> None:
    """When the process that started this one is killed, this one ends too: it would wait for more work for ever."""
    import multiprocessing

    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
