"""Logs -> `NAME.viz.bin`, `NAME_completions.json` and `NAME_telemetry.json`, one log or many.

Every file is written beside its place under a temporary name and renamed at the end, so a conversion that
fails or is killed leaves what was there before.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gavel_dash.errors import GavelDashError, SourceError, VizFormatError
from gavel_dash.formats.completions import COMPLETION_DTYPE, write_completions
from gavel_dash.formats.telemetry import write_telemetry
from gavel_dash.formats.vizbin_write import RoundBlock, VizWriter, encode_config
from gavel_dash.ingest.assemble import Assembly, job_records
from gavel_dash.ingest.config import build_config, first_line_findings, run_key
from gavel_dash.ingest.derived_telemetry import derive_telemetry
from gavel_dash.ingest.read_log import LogReading, read_log
from gavel_dash.ingest.sources import LogSource, find_logs
from gavel_dash.ingest.workers import map_workers
from gavel_dash.kernel import load_kernel
from gavel_dash.model import Cluster, Finding, JobWindow

__all__ = ["Conversion", "LogSource", "convert_log", "convert_many", "find_logs"]

# Rounds wait in memory up to this, then in a file.
_SPOOL_BYTES = 8 << 20
_SUFFIXES = (".viz.bin", "_completions.json", "_telemetry.json")


@dataclass(frozen=True)
class Conversion:
    """What one log became.

    Attributes
    ----------
    name : str
    paths : tuple of Path
        The `.viz.bin`, completions and telemetry files.
    rounds, jobs, gpus, completions : int
    bytes_read : int
        Uncompressed size of the log.
    rounds_queue_disagrees, rounds_use_disagrees : int
        Rounds in which queue length or GPUs in use are not what the log itself counts.
    findings : tuple of Finding
    skipped : bool
        The files were up to date and left alone.
    """

    name: str
    paths: tuple[Path, ...]
    rounds: int
    jobs: int
    gpus: int
    completions: int
    bytes_read: int
    rounds_queue_disagrees: int
    rounds_use_disagrees: int
    findings: tuple[Finding, ...]
    skipped: bool = False


def convert_log(
    source: LogSource,
    out_dir: Path,
    *,
    window: JobWindow | None = None,
    gpus_per_node: int | None = None,
    force: bool = False,
) -> Conversion:
    """Convert one log; nothing is done where its files are up to date.

    Up to date means: newer than log and `timing.json`, from a log of that name and size, with the same options.

    Parameters
    ----------
    source : LogSource
        From `find_logs`.
    out_dir : Path
        Made where it is missing.
    window : JobWindow, optional
        Measured jobs; else those of `timing.json`, else those whose completion times the log lists.
    gpus_per_node : int, optional
        Node size to note for every GPU type.
    force : bool
        Convert also what is up to date.

    Raises
    ------
    LogParseError
        The log is of neither dialect, damaged, or has no complete round.
    SourceError
        The log cannot be read, or `out_dir` not written.
    """
    paths = tuple(out_dir / f"{source.name}{suffix}" for suffix in _SUFFIXES)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        origin = {
            "log": source.path.name,
            "log_bytes": source.path.stat().st_size,
            "window": None if window is None else str(window),
            "gpus_per_node": gpus_per_node,
        }
        if not force and (done := _up_to_date(source, paths, origin)) is not None:
            return done
        with ExitStack() as stack:
            files = [stack.enter_context(_replacing(path)) for path in paths]
            spool = stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOL_BYTES, dir=str(out_dir)))
            reading = read_log(source.path, spool, files[2])
            return _write(source, reading, files, paths, origin, window, gpus_per_node)
    except OSError as error:
        raise SourceError(error.filename or out_dir, "a place to write to", error.strerror or str(error)) from None


def _write(
    source: LogSource,
    reading: LogReading,
    files: list[BinaryIO],
    paths: tuple[Path, ...],
    origin: dict[str, Any],
    window: JobWindow | None,
    gpus_per_node: int | None,
) -> Conversion:
    builder, summary = reading.builder, reading.summary
    timing_window = source.timing.window if source.timing else None
    window = window or timing_window or summary.window
    workers = map_workers(builder.totals, builder.worker_types, gpus_per_node)
    type_ids = {name: i for i, name in enumerate(dict.fromkeys(job.type_name for job in builder.jobs))}
    jobs = job_records(builder.jobs, type_ids)
    key = run_key(source, summary, builder.jobs, workers.cluster)
    findings = (*source.findings, *reading.findings, *workers.findings, *first_line_findings(key, summary))
    config = build_config(key, source, reading.dialect, workers.cluster, window, type_ids)
    config["conversion"] = {
        "completions": len(builder.completions),
        "bytes_read": reading.bytes_read,
        "rounds_queue_disagrees": 0,
        "rounds_use_disagrees": 0,
        "findings": [list(astuple(finding)) for finding in findings],
        "origin": origin,
    }
    # The config stands before the rounds in the file but reports on them: where they show anything, once more.
    room = 0
    while len(encode_config(config)) > room:
        room = len(encode_config(config))
        assembly = Assembly(builder, reading.rounds, workers, reading.dialect == "upstream", window, load_kernel())
        with VizWriter(files[0], [t.count for t in workers.cluster.gpu_types], jobs, builder.n_rounds, room) as writer:
            _write_rounds(writer, assembly, files[2] if reading.dialect == "upstream" else None, workers.cluster)
            config["conversion"] |= {
                "rounds_queue_disagrees": assembly.queue_disagrees,
                "rounds_use_disagrees": assembly.use_disagrees,
                "findings": [list(astuple(finding)) for finding in (*findings, *assembly.findings(summary))],
            }
            if len(encode_config(config)) <= room:
                writer.finish(config)
    write_completions(files[1], np.array(builder.completions, COMPLETION_DTYPE))
    return _conversion(source.name, paths, config, builder.n_rounds, len(builder.jobs), skipped=False)


def _write_rounds(writer: VizWriter, assembly: Assembly, telemetry: BinaryIO | None, cluster: Cluster) -> None:
    """Write every round, and where the log has no telemetry of its own, that too."""

    def derive(block: RoundBlock, completed: np.ndarray) -> None:
        if telemetry is not None:
            write_telemetry(telemetry, derive_telemetry(block, cluster, completed))

    if telemetry is not None:
        telemetry.seek(0)
        telemetry.truncate()
    for packed in assembly.packed(writer.record, derive):
        writer.add(packed)


def _conversion(
    name: str, paths: tuple[Path, ...], config: dict[str, Any], rounds: int, jobs: int, skipped: bool
) -> Conversion:
    report = config["conversion"]
    return Conversion(
        name,
        paths,
        rounds,
        jobs,
        sum(gpu_type["count"] for gpu_type in config["gpu_types"]),
        report["completions"],
        report["bytes_read"],
        report["rounds_queue_disagrees"],
        report["rounds_use_disagrees"],
        tuple(Finding(*finding) for finding in report["findings"]),
        skipped,
    )


def _up_to_date(source: LogSource, paths: tuple[Path, ...], origin: dict[str, Any]) -> Conversion | None:
    """What an earlier conversion made, if it still stands."""
    if not all(path.is_file() for path in paths):
        return None
    inputs = [source.path, *([source.timing_path] if source.timing_path else [])]
    if max(path.stat().st_mtime for path in inputs) > min(path.stat().st_mtime for path in paths):
        return None
    from gavel_dash.formats.vizbin import VizFile  # a first conversion needs no reader

    try:
        with paths[0].open("rb") as file:
            viz = VizFile(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), paths[0].name)
        if viz.config["conversion"]["origin"] != origin:
            return None
        return _conversion(source.name, paths, viz.config, viz.n_rounds, viz.n_jobs, skipped=True)
    except (VizFormatError, KeyError, TypeError, ValueError):
        return None  # not one of ours, or damaged: convert again


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when all went well, and goes away when not."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w+b") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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
    with ProcessPoolExecutor(processes, multiprocessing.get_context(method)) as pool:
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
        return convert_log(source, out_dir, **options)
    except GavelDashError as error:
        return error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
