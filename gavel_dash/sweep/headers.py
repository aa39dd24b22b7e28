"""Runs by header, config and last round alone: which files there are and how far each run got, without their rounds.

Two small reads per file, whatever its size. Of a sweep that is still being written, or too large to be indexed right
now, this is what can be said at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.jct import SECONDS_PER_HOUR
from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.formats import vizbin_open
from gavel_dash.formats.vizbin_layout import HEADER, HEADER_BYTES, MAGIC, ROUND_HEAD, round_bytes
from gavel_dash.ingest.rounds import RoundHead
from gavel_dash.kernel.mapped_files import map_file, unchanged_files
from gavel_dash.model import Cluster
from gavel_dash.schema.headers import HEADERS
from gavel_dash.sweep.cache import Progress
from gavel_dash.sweep.discover import VIZ, discover
from gavel_dash.sweep.packed import plain_path

#: The config stands behind the header in files of this package; this holds both, of up to a hundred job types.
_FIRST_READ_BYTES = 4096


class RunHeader(NamedTuple):
    """What a `.viz.bin` says of itself; config and last round are decoded when they are asked for.

    Attributes
    ----------
    name : str
        What error messages call the file.
    version, n_rounds, n_jobs, n_types, n_gpus : int
    config_start : int
        Where the config stands in the file.
    config_json : bytes
        As it stands there, padding included.
    last_record : bytes
        The head of the last round record; empty in a run without rounds.
    """

    name: str
    version: int
    n_rounds: int
    n_jobs: int
    n_types: int
    n_gpus: int
    config_start: int
    config_json: bytes
    last_record: bytes

    @property
    def config(self) -> vizbin_open.Config:
        """The config, parsed at each call; raises `VizFormatError` where it is damaged."""
        return vizbin_open.parse_config(self.config_json, self.config_start, self.n_types, self.n_gpus, self.name)

    @property
    def last_round(self) -> RoundHead | None:
        """The last round's numbers; None in a run without rounds."""
        return RoundHead._make(ROUND_HEAD.unpack(self.last_record)) if self.last_record else None


def read_header(path: str, size: int, name: str) -> RunHeader:
    """Read header, config and last round of a `.viz.bin` that is not packed.

    Parameters
    ----------
    path : str
    size : int
        Size of the file in bytes.
    name : str
        What error messages call the file.

    Raises
    ------
    VizFormatError
        As of `VizFile`, where the header is damaged or a section lies outside the file.
    OSError
        The file cannot be read.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        head = os.pread(file, _FIRST_READ_BYTES, 0)
        if len(head) >= HEADER_BYTES:
            magic, version, n_rounds, n_jobs, n_types, n_gpus, jobs, rounds, queue, index, config, _, _ = (
                HEADER.unpack_from(head)
            )
            record = round_bytes(n_types, n_gpus)
            end = rounds + n_rounds * record
            # Sections in the writer's order, each with room for what the counts say. Any other file may be sound as
            # well, or is damaged: the full reader tells, and what is wrong.
            if (
                (magic == MAGIC and version == 1 and n_rounds > 0)
                and HEADER_BYTES <= config < config + 2 <= jobs <= len(head)
                and (jobs + 24 * n_jobs <= rounds < end <= queue < index < index + 8 * n_rounds <= size)
                and not (config | jobs | rounds | queue | index) % 8
            ):
                last = os.pread(file, ROUND_HEAD.size, end - record)
                if len(last) == ROUND_HEAD.size:  # or else it was cut short meanwhile
                    return RunHeader(name, version, n_rounds, n_jobs, n_types, n_gpus, config, head[config:jobs], last)
    finally:
        os.close(file)
    return _read_any(Path(path), name)


@unchanged_files()
def _read_any(path: Path, name: str) -> RunHeader:
    """The same of a file in any order of sections."""
    data = np.frombuffer(map_file(path, Path(name)), np.uint8)
    header = vizbin_open.read_header(data, name)
    last = b""
    if header.n_rounds:
        at = header.rounds.start + (header.n_rounds - 1) * round_bytes(header.n_types, header.n_gpus)
        last = data[at : at + ROUND_HEAD.size].tobytes()
    text = data[header.config.start : header.config.end].tobytes()
    counts = (header.version, header.n_rounds, header.n_jobs, header.n_types, header.n_gpus)
    return RunHeader(name, *counts, header.config.start, text, last)


def list_headers(root: str | Path, progress: Progress) -> pd.DataFrame:
    """Every `.viz.bin` of a directory, also several of one name: `schema.headers.HEADERS`, ordered by name.

    Packed files are unpacked first, into the cache. A damaged file is a row with its reason.

    Raises
    ------
    SourceError
        When `root` does not exist or cannot be listed.
    """
    return schema.build_frame(_rows(Path(root), progress), HEADERS)


def _rows(root: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    for name, files in sorted(discover(root).runs.items()):
        for path in files.paths(VIZ):
            row: dict[str, Any] = {"run": name, "file": str(path), "note": ""}
            try:
                plain = plain_path(path, progress)
                row |= _describe(read_header(os.fspath(plain), plain.stat().st_size, str(path)))
            except OSError as error:
                row["note"] = str(SourceError(path, "a readable file", error.strerror or str(error)))
            except GavelDashError as error:
                row["note"] = str(error)
            yield row


def _describe(header: RunHeader) -> dict[str, Any]:
    config, last = header.config, header.last_round
    row: dict[str, Any] = {
        "policy": config.policy,
        "cluster": Cluster(config.gpu_types).name,
        "gpus": header.n_gpus,
        "rounds": header.n_rounds,
        "jobs": header.n_jobs,
    }
    if last is not None:
        row |= {
            "sim_time_h": last.sim_time_s / SECONDS_PER_HOUR,
            "effective_utilization": last.effective_utilization,
            "jobs_running": last.jobs_running,
            "jobs_queued": last.jobs_queued,
            "jobs_completed": last.jobs_completed,
        }
    return row
