"""Writing a `.viz.bin` file in blocks of rounds, so that memory does not grow with the length of a run.

Sections come in the order header, config, jobs, rounds, queue data, queue index, sharing data, sharing
index, each starting on a multiple of 8 and zero padded, so equal input gives equal bytes. Every id is
stored plus one and the config says so (``"job_id_offset": 1``): 0 means idle in the file, and a job 0
stored as 0 would be invisible. The header is written last: a writer that was killed leaves a file
without a magic, which no reader takes for a run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from gavel_dash.errors import UsageError
from gavel_dash.formats.vizbin_layout import (
    HEADER,
    HEADER_BYTES,
    JOB_1B_DTYPE,
    MAGIC,
    MAX_GPUS,
    ROUND_HEAD_DTYPE,
    align8,
    round_dtype,
)

JOB_ID_OFFSET = 1
MAX_JOB_ID = 2**32 - 1 - JOB_ID_OFFSET
_SPOOL_BYTES = 16 * 2**20


def _no_ids(*shape: int) -> np.ndarray:
    return np.empty(shape, np.int64)


@dataclass(frozen=True)
class RoundBlock:
    """Consecutive rounds to write. Ids are plain: 0 is a job, -1 is idle.

    Attributes
    ----------
    heads : structured ndarray, shape (n,)
        The fields of `ROUND_HEAD_DTYPE`; integers may be wider, the writer checks that they fit.
    gpus_used : ndarray of int, shape (n, n_types)
        GPUs in use per type, in worker-id order.
    allocation : ndarray of int64, shape (n, n_gpus)
        Job on each GPU; of a GPU in quarters, its first tenant.
    queue_lengths : ndarray of int, shape (n,)
    queue_ids : ndarray of int64, shape (sum of queue_lengths,)
        The queues of all rounds, one after the other.
    sharing_rows, sharing_gpus : ndarray of int, shape (k,)
        Row in this block and GPU index of each GPU that holds more than one job.
    sharing_ids : ndarray of int64, shape (k, 4)
        Job in each quarter of that GPU.
    """

    heads: np.ndarray
    gpus_used: np.ndarray
    allocation: np.ndarray
    queue_lengths: np.ndarray
    queue_ids: np.ndarray
    sharing_rows: np.ndarray = field(default_factory=lambda: _no_ids(0))
    sharing_gpus: np.ndarray = field(default_factory=lambda: _no_ids(0))
    sharing_ids: np.ndarray = field(default_factory=lambda: _no_ids(0, 4))


@dataclass(frozen=True)
class PackedRounds:
    """Consecutive rounds as the bytes of their sections; starts are relative to the block.

    Attributes
    ----------
    records, queue, sharing : bytes-like
    queue_starts, sharing_starts : ndarray of int, shape (n,)
        Byte at which the list of each round begins.
    n_sharing : int
        Entries in `sharing`.
    """

    records: bytes | memoryview
    queue: bytes | memoryview
    queue_starts: np.ndarray
    sharing: bytes | memoryview
    sharing_starts: np.ndarray
    n_sharing: int


def pack_rounds(block: RoundBlock, record: np.dtype) -> PackedRounds:
    """The bytes of a block; `record` is the dtype of a round record.

    Raises
    ------
    UsageError
        A value does not fit its field, or a shape is wrong.
    """
    records = _round_records(block, record)
    queue, queue_starts = _pack_queues(block)
    sharing, sharing_starts = _pack_sharing(block, record["allocation"].shape[0])
    return PackedRounds(records, queue, queue_starts, sharing, sharing_starts, len(block.sharing_rows))


class VizWriter:
    """Writes one run to a seekable binary file, from position 0: `add` blocks of rounds, then `finish`.

    A context manager: what waits for its place goes away at the end.

    Version 2 is written where a block has sharing entries, else version 1 with 24-byte job records.

    Parameters
    ----------
    file : binary file
        Seekable; what lies behind the last section is cut off.
    counts : sequence of int
        GPUs per type, in worker-id order.
    jobs : structured ndarray
        ``job_id, type_id, scale_factor, arrival_round, completion_round`` (0 = not completed),
        ``duration_s`` (seconds, 0 = not completed), in any integer or float widths.
    n_rounds : int
        Number of rounds, known before the first block.
    config_room : int
        Bytes kept for the config, which stands before the rounds but may report on them.

    Raises
    ------
    UsageError
        A value does not fit its field, a shape is wrong, or the blocks hold another number of rounds.
    """

    def __init__(
        self, file: BinaryIO, counts: Sequence[int], jobs: np.ndarray, n_rounds: int, config_room: int
    ) -> None:
        n_types, n_gpus = len(counts), sum(counts)
        if n_gpus > MAX_GPUS or n_types > 255 or min(counts, default=0) < 0:
            raise UsageError(f"{n_gpus} GPUs of {n_types} types do not fit: at most {MAX_GPUS} GPUs of 255 types")
        job_bytes = _job_records(jobs).tobytes()
        self.record = round_dtype(n_types, n_gpus)
        self._file, self._n_rounds, self._n_jobs, self._shape = file, n_rounds, len(jobs), (n_types, n_gpus)
        self._jobs_offset = HEADER_BYTES + align8(config_room)
        self._rounds_offset = self._jobs_offset + align8(len(job_bytes))
        self._queue_offset = self._rounds_offset + n_rounds * self.record.itemsize
        self._queue_index, self._sharing_index = np.zeros(n_rounds, "<u8"), np.zeros(n_rounds, "<u8")
        self._done = self._queue_bytes = self._sharing_bytes = self._n_sharing = 0
        # Where the sharing section starts is known only after the last queue, so it waits in a spool.
        self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - closed by __exit__
        file.seek(0)
        file.write(bytes(self._jobs_offset))
        file.write(job_bytes.ljust(align8(len(job_bytes)), b"\0"))

    def __enter__(self) -> VizWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._spool.close()

    def add(self, block: PackedRounds) -> None:
        """Write the next rounds."""
        n = len(block.queue_starts)
        rows = slice(self._done, self._done + n)
        if rows.stop > self._n_rounds:
            raise UsageError(f"the blocks hold more than the {self._n_rounds} rounds announced")
        self._file.seek(self._rounds_offset + self._done * self.record.itemsize)
        self._file.write(block.records)
        self._file.seek(self._queue_offset + self._queue_bytes)
        self._queue_index[rows] = self._queue_bytes + block.queue_starts
        self._queue_bytes += self._file.write(block.queue)
        self._sharing_index[rows] = self._sharing_bytes + block.sharing_starts
        self._sharing_bytes += self._spool.write(block.sharing)
        self._n_sharing += block.n_sharing
        self._done = rows.stop

    def finish(self, config: Mapping[str, Any]) -> None:
        """Write what follows the rounds, the config and at last the header."""
        if self._done != self._n_rounds:
            raise UsageError(f"the blocks hold {self._done} rounds, not the {self._n_rounds} announced")
        config_bytes = encode_config(config)
        if len(config_bytes) > self._jobs_offset - HEADER_BYTES:
            raise UsageError(f"a config of {len(config_bytes)} bytes, but room for {self._jobs_offset - HEADER_BYTES}")
        file = self._file
        index_offset = self._queue_offset + align8(self._queue_bytes)
        file.seek(self._queue_offset + self._queue_bytes)
        file.write(bytes(align8(self._queue_bytes) - self._queue_bytes))
        file.write(self._queue_index.data)
        sharing_offset = sharing_index_offset = 0
        if self._n_sharing:
            sharing_offset = index_offset + self._queue_index.nbytes
            sharing_index_offset = sharing_offset + align8(self._sharing_bytes)
            self._spool.seek(0)
            shutil.copyfileobj(self._spool, file)
            file.write(bytes(align8(self._sharing_bytes) - self._sharing_bytes))
            file.write(self._sharing_index.data)
        file.truncate()
        file.seek(HEADER_BYTES)
        file.write(config_bytes)
        version = 2 if self._n_sharing else 1
        offsets = (self._jobs_offset, self._rounds_offset, self._queue_offset, index_offset, HEADER_BYTES)
        counts = (self._n_rounds, self._n_jobs, *self._shape)
        file.seek(0)
        file.write(HEADER.pack(MAGIC, version, *counts, *offsets, sharing_offset, sharing_index_offset))


def encode_config(config: Mapping[str, Any]) -> bytes:
    """The config JSON as it stands in the file."""
    return json.dumps({**config, "job_id_offset": JOB_ID_OFFSET}, allow_nan=False).encode()


def write_vizbin(
    file: BinaryIO, config: Mapping[str, Any], jobs: np.ndarray, blocks: Iterable[RoundBlock], n_rounds: int
) -> None:
    """Write a run whose config is known before its rounds; parameters and errors as of `VizWriter`."""
    counts = [int(gpu_type["count"]) for gpu_type in config["gpu_types"]]
    with VizWriter(file, counts, jobs, n_rounds, len(encode_config(config))) as writer:
        for block in blocks:
            writer.add(pack_rounds(block, writer.record))
        writer.finish(config)


def _fitting(what: str, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`values` as `dtype`; a number that does not fit is an error, never wrapped or infinite."""
    values = np.asarray(values)
    if dtype.kind == "u" and values.size:
        low, high = int(values.min()), int(values.max())
        limit = np.iinfo(dtype).max
        if low < 0 or high > limit:
            raise UsageError(f"{what} must be in 0 .. {limit} in a .viz.bin file, found {low if low < 0 else high}")
    if dtype.kind == "f" and values.size and (largest := float(np.abs(values).max())) > float(np.finfo(dtype).max):
        raise UsageError(f"{what} must fit a {dtype.itemsize}-byte float in a .viz.bin file, found {largest:g}")
    return values.astype(dtype)


def _stored_ids(what: str, ids: np.ndarray, lowest: int) -> np.ndarray:
    """Plain ids as u4 with the offset added; -1 (idle) becomes 0."""
    ids = np.asarray(ids)
    if ids.size:
        low, high = int(ids.min()), int(ids.max())
        if low < lowest or high > MAX_JOB_ID:
            raise UsageError(f"{what}: job ids must be in {lowest} .. {MAX_JOB_ID}, found {low} .. {high}")
    return (ids.astype(np.int64) + JOB_ID_OFFSET).astype("<u4")


def _job_records(jobs: np.ndarray) -> np.ndarray:
    records = np.zeros(len(jobs), JOB_1B_DTYPE)
    for name in JOB_1B_DTYPE.names or ():
        records[name] = _fitting(name, jobs[name], JOB_1B_DTYPE[name]) if name != "job_id" else 0
    records["job_id"] = _stored_ids("job records", jobs["job_id"], lowest=0)
    return records


def _round_records(block: RoundBlock, record: np.dtype) -> bytes:
    records = np.zeros(len(block.heads), record)
    for name in ROUND_HEAD_DTYPE.names or ():
        records[name] = _fitting(name, block.heads[name], ROUND_HEAD_DTYPE[name])
    for name, values in (("gpus_used", block.gpus_used), ("allocation", block.allocation)):
        if np.shape(values) != records[name].shape:
            raise UsageError(f"{name} has shape {np.shape(values)}, expected {records[name].shape}")
    records["gpus_used"] = _fitting("gpus_used", block.gpus_used, np.dtype("<u2"))
    records["allocation"] = _stored_ids("allocation", block.allocation, lowest=-1)
    return records.tobytes()


def _pack_queues(block: RoundBlock) -> tuple[bytes, np.ndarray]:
    lengths = _fitting("queue length", block.queue_lengths, np.dtype("<u2"))
    if lengths.shape != block.heads.shape or lengths.sum(dtype=np.int64) != len(block.queue_ids):
        raise UsageError(f"{lengths.sum(dtype=np.int64)} queue entries announced, {len(block.queue_ids)} given")
    return _pack_lists(lengths, _stored_ids("queue", block.queue_ids, lowest=0).view("<u2").reshape(-1, 2))


def _pack_sharing(block: RoundBlock, n_gpus: int) -> tuple[bytes, np.ndarray]:
    rows, gpus = np.asarray(block.sharing_rows, np.int64), np.asarray(block.sharing_gpus)
    n, k = len(block.heads), len(rows)
    if gpus.shape != (k,) or np.shape(block.sharing_ids) != (k, 4):
        raise UsageError(
            f"sharing arrays differ in length: {k} rows, {gpus.shape} GPUs, {np.shape(block.sharing_ids)} ids"
        )
    if k and (rows.min() < 0 or rows.max() >= n or gpus.min() < 0 or gpus.max() >= n_gpus):
        raise UsageError(f"a sharing entry lies outside the block's {n} rounds or the cluster's {n_gpus} GPUs")
    order = np.lexsort((gpus, rows))
    entries = np.empty((k, 9), "<u2")
    entries[:, 0] = gpus[order]
    entries[:, 1:] = _stored_ids("sharing", block.sharing_ids, lowest=-1)[order].view("<u2")
    return _pack_lists(np.bincount(rows, minlength=n).astype("<u2"), entries)


def _pack_lists(lengths: np.ndarray, items: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Rounds of (u16 length, items), where an item is one row of u16 words; and where each round starts."""
    words = 1 + items.shape[1] * lengths.astype(np.int64)
    starts = np.cumsum(words) - words
    packed = np.empty(len(lengths) + items.size, "<u2")
    is_item = np.ones(len(packed), bool)
    is_item[starts] = False
    packed[starts] = lengths
    packed[is_item] = items.ravel()
    return packed.tobytes(), 2 * starts
