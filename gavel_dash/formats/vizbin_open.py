"""Opening a `.viz.bin` file: header, section table and config, every claim checked against the file's size.

A file is whatever bytes somebody has: cut short by a killed run, or not a `.viz.bin` at all. Nothing is
allocated or indexed before the bytes it needs are known to exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gavel_dash.errors import VizFormatError
from gavel_dash.formats.json_source import parse_json
from gavel_dash.formats.vizbin_layout import (
    HEADER,
    HEADER_BYTES,
    JOB_1A_DTYPE,
    JOB_1B_DTYPE,
    MAGIC,
    round_dtype,
)
from gavel_dash.model import GpuType, JobWindow

#: A type id has two bytes: this is room for as many job types with names of any length.
_MOST_CONFIG_BYTES = 2**24


@dataclass(frozen=True)
class Section:
    """Where a section starts, and where the next one starts (or the file ends)."""

    name: str
    start: int
    end: int

    @property
    def room(self) -> int:
        """Bytes up to the next section."""
        return self.end - self.start


@dataclass(frozen=True)
class Header:
    """The header's counts and the sections it points to. `sharing` is None where there is none."""

    version: int
    n_rounds: int
    n_jobs: int
    n_types: int
    n_gpus: int
    config: Section
    jobs: Section
    rounds: Section
    queue: Section
    queue_index: Section
    sharing: Section | None
    sharing_index: Section | None
    job_dtype: np.dtype


@dataclass(frozen=True)
class Config:
    """The config JSON: `raw` as written, unknown keys included, and the parts this package uses."""

    raw: dict[str, Any]
    policy: str | None
    gpu_types: tuple[GpuType, ...]
    window: JobWindow | None
    job_types: dict[int, tuple[str, str]]
    job_id_offset: int


def read_header(data: np.ndarray, name: str) -> Header:
    """Read the header of `data` (all bytes of a file, uint8) and check that every section lies inside it.

    Raises
    ------
    VizFormatError
        Not a `.viz.bin` file, cut short, or with offsets or counts that the file cannot hold.
    """
    size = len(data)
    magic = data[: len(MAGIC)].tobytes()
    if magic != MAGIC[:size] or not size:
        raise VizFormatError(name, 0, f"the magic {MAGIC!r}", repr(magic) if size else "an empty file")
    if size < HEADER_BYTES:
        raise VizFormatError(name, size, f"{HEADER_BYTES} bytes of header", f"the end of the file after {size} bytes")
    _, version, n_rounds, n_jobs, n_types, n_gpus, *offsets = HEADER.unpack(data[: HEADER.size].tobytes())
    if version not in (1, 2):
        raise VizFormatError(name, 8, "version 1 or 2", f"version {version}")
    fields = {"job records": 24, "round records": 32, "queue data": 40, "queue index": 48, "config JSON": 56}
    if version == 2 and any(offsets[5:]):
        fields |= {"sharing data": 64, "sharing index": 72}
    starts = dict(zip(fields, offsets, strict=False))
    for section, start in starts.items():
        if not HEADER_BYTES <= start <= size or start % 8:
            expected = f"the {section} at a multiple of 8 between {HEADER_BYTES} and {size}, the size of the file"
            raise VizFormatError(name, fields[section], expected, f"offset {start}")

    def section_of(section: str) -> Section:
        start = starts[section]
        return Section(section, start, min((other for other in starts.values() if other > start), default=size))

    jobs = section_of("job records")
    # The version does not tell 16-byte from 24-byte records: the space up to the next section does.
    old = version == 1 and n_jobs > 0 and jobs.room < JOB_1B_DTYPE.itemsize * n_jobs
    job_dtype = JOB_1A_DTYPE if old else JOB_1B_DTYPE
    needed = {
        "job records": n_jobs * job_dtype.itemsize,
        "round records": n_rounds * round_dtype(n_types, n_gpus).itemsize,
        "queue index": 8 * n_rounds,
        "sharing index": 8 * n_rounds,
        "config JSON": 2,
    }
    taken: dict[int, str] = {}
    for section, start in sorted(starts.items(), key=lambda item: item[1]):
        wanted, found = needed.get(section, 0), section_of(section).room
        if wanted and (wanted > found or start in taken):
            claims = f" for {n_jobs} jobs, {n_rounds} rounds, {n_types} types and {n_gpus} GPUs"
            where = (
                f"in the {taken[start]}" if start in taken else f"with {found} bytes up to the next section or the end"
            )
            raise VizFormatError(name, start, f"{wanted} bytes of {section}{claims}", where)
        if wanted:
            taken[start] = section
    return Header(
        version,
        n_rounds,
        n_jobs,
        n_types,
        n_gpus,
        config=section_of("config JSON"),
        jobs=jobs,
        rounds=section_of("round records"),
        queue=section_of("queue data"),
        queue_index=section_of("queue index"),
        sharing=section_of("sharing data") if "sharing data" in starts else None,
        sharing_index=section_of("sharing index") if "sharing index" in starts else None,
        job_dtype=job_dtype,
    )


def read_config(data: np.ndarray, header: Header, name: str) -> Config:
    """Read the config JSON and check it as `parse_config` does."""
    if header.config.room > _MOST_CONFIG_BYTES:
        expected = f"at most {_MOST_CONFIG_BYTES} bytes of config JSON up to the next section"
        raise VizFormatError(name, header.config.start, expected, str(header.config.room))
    text = data[header.config.start : header.config.end].tobytes()
    return parse_config(text, header.config.start, header.n_types, header.n_gpus, name)


def parse_config(text: bytes, start: int, n_types: int, n_gpus: int, name: str) -> Config:
    """Parse the bytes of the config section, which starts at `start`, and check it against the header's counts.

    Raises
    ------
    VizFormatError
        Not UTF-8, not JSON, not an object, with a part of the wrong kind, or not of `n_types` and `n_gpus`.
    """
    try:
        raw = parse_json(text.rstrip(b"\0"))
    except UnicodeDecodeError as error:
        raise VizFormatError(name, start + error.start, "config JSON in UTF-8", error.reason) from error
    except ValueError as error:
        raise VizFormatError(name, start, "config JSON", str(error)) from error
    if not isinstance(raw, dict):
        raise VizFormatError(name, start, "a JSON object as config", type(raw).__name__)
    try:
        config = Config(
            raw,
            policy=_typed(raw, "policy", str, None),
            gpu_types=tuple(_gpu_type(entry) for entry in _typed(raw, "gpu_types", list)),
            window=_window(raw),
            job_types={
                _typed(entry, "id", int): (_typed(entry, "name", str), _typed(entry, "category", str, ""))
                for entry in _typed(raw, "job_types", list, [])
            },
            job_id_offset=_typed(raw, "job_id_offset", int, 0),
        )
    except (KeyError, TypeError) as error:
        raise VizFormatError(name, start, "a config as the format describes it", str(error.args[0])) from error
    counts = [gpu_type.count for gpu_type in config.gpu_types]
    if (len(counts), sum(counts)) != (n_types, n_gpus) or min(counts, default=0) < 0:
        expected = f"{n_types} GPU types with {n_gpus} GPUs in the config, as in the header"
        raise VizFormatError(name, start, expected, f"{len(counts)} types with {counts} GPUs")
    if config.job_id_offset not in (0, 1):
        raise VizFormatError(name, start, "job_id_offset 0 or 1", str(config.job_id_offset))
    return config


_REQUIRED = object()


def _typed(entry: Any, key: str, kind: type, default: Any = _REQUIRED) -> Any:
    """``entry[key]`` if it is of `kind`; `default` where it is missing or null. Else TypeError, KeyError."""
    if not isinstance(entry, dict):
        raise TypeError(f"{type(entry).__name__} where an object with {key!r} belongs")
    value = entry.get(key)
    if value is None:
        if default is _REQUIRED:
            raise KeyError(f"no {key!r}")
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{key!r} is of type {type(value).__name__}, not {kind.__name__}")
    return value


def _gpu_type(entry: Any) -> GpuType:
    return GpuType(_typed(entry, "name", str), _typed(entry, "count", int), _typed(entry, "gpus_per_node", int, None))


def _window(raw: dict[str, Any]) -> JobWindow | None:
    window = _typed(raw, "measurement_window", dict, None)
    return None if window is None else JobWindow(_typed(window, "start_job", int), _typed(window, "end_job", int))
