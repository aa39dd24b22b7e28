"""A log -> `NAME.viz.bin`, `NAME_completions.json` and `NAME_telemetry.json`.

The files are written beside their places and renamed at the end, the `.viz.bin` last. So a conversion that fails leaves
what was there before, and one that is killed leaves either that, or files of different times: these are not up to date.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gavel_dash.errors import SourceError
from gavel_dash.formats.completions import COMPLETION_DTYPE, write_completions
from gavel_dash.formats.telemetry import write_telemetry
from gavel_dash.formats.vizbin_write import RoundBlock, VizWriter, encode_config
from gavel_dash.ingest.assemble import Assembly, job_records
from gavel_dash.ingest.config import build_config, first_line_findings, run_key
from gavel_dash.ingest.derived_telemetry import derive_telemetry
from gavel_dash.ingest.read_log import LogReading, read_log
from gavel_dash.ingest.sources import LogSource
from gavel_dash.ingest.workers import map_workers
from gavel_dash.kernel import load_kernel
from gavel_dash.kernel.mapped_files import map_file, unchanged_files
from gavel_dash.model import Cluster, Finding, JobWindow
from gavel_dash.whole_files import remove_abandoned, replacing

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
    remove_abandoned(out_dir)
    return convert_unless_done(source, out_dir, window, gpus_per_node, force)


def convert_unless_done(
    source: LogSource, out_dir: Path, window: JobWindow | None, gpus_per_node: int | None, force: bool
) -> Conversion:
    """As `convert_log`, but what killed conversions left in `out_dir` stays there."""
    try:
        log_bytes = source.path.stat().st_size
    except OSError as error:
        raise SourceError(source.path, "a readable log", error.strerror or str(error)) from None
    paths, origin = _paths(source, out_dir), _origin(source, log_bytes, window, gpus_per_node)
    if not force and (done := _up_to_date(source, paths, origin)) is not None:
        return done
    with _new_files(paths) as files, tempfile.SpooledTemporaryFile(_SPOOL_BYTES, dir=str(out_dir)) as spool:
        reading = read_log(source.path, spool, files[2])
        return _write(source, reading, files, paths, origin, window, gpus_per_node)


def convert_reading(
    source: LogSource, reading: LogReading, out_dir: Path, copy_telemetry: Callable[[BinaryIO], object]
) -> Conversion:
    """Write the files of a log that was read before, as far as it was read; errors as of `convert_log`.

    Parameters
    ----------
    source : LogSource
        A plain log: it counts as converted while it has the size that was read.
    reading : LogReading
    out_dir : Path
        Made where it is missing.
    copy_telemetry : callable
        Writes the log's own TELEMETRY objects, if it has any, one a line, to the file it is given.
    """
    paths = _paths(source, out_dir)
    with _new_files(paths) as files:
        copy_telemetry(files[2])
        return _write(source, reading, files, paths, _origin(source, reading.bytes_read, None, None), None, None)


def _paths(source: LogSource, out_dir: Path) -> tuple[Path, ...]:
    return tuple(out_dir / f"{source.name}{suffix}" for suffix in _SUFFIXES)


def _origin(source: LogSource, log_bytes: int, window: JobWindow | None, gpus_per_node: int | None) -> dict[str, Any]:
    """What a conversion is made from, as its config says it."""
    return {
        "log": source.path.name,
        "log_bytes": log_bytes,
        "window": None if window is None else str(window),
        "gpus_per_node": gpus_per_node,
    }


@contextmanager
def _new_files(paths: tuple[Path, ...]) -> Iterator[list[BinaryIO]]:
    """What takes the place of a run's files at the end; a `SourceError` where they cannot be written."""
    try:
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        # Renamed from last to first: a new .viz.bin is seen only beside new files.
        with replacing(*reversed(paths)) as files:
            yield files[::-1]
    except OSError as error:
        raise SourceError(paths[0], "a place to write to", error.strerror or str(error)) from None


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
    inputs = [source.path, *([source.timing_path] if source.timing_path else [])]
    try:
        made_ns = {path.stat().st_mtime_ns for path in paths}
        # Files of different times are of different conversions: one was killed before it had renamed them all.
        if len(made_ns) > 1 or max(path.stat().st_mtime_ns for path in inputs) > max(made_ns):
            return None
        from gavel_dash.formats.vizbin import VizFile  # a first conversion needs no reader

        with unchanged_files():
            viz = VizFile(map_file(paths[0], paths[0]), paths[0].name)
        if viz.config["conversion"]["origin"] != origin:
            return None
        return _conversion(source.name, paths, viz.config, viz.n_rounds, viz.n_jobs, skipped=True)
    except (OSError, SourceError, KeyError, TypeError, ValueError):
        return None  # missing, not one of ours, or damaged: convert again
