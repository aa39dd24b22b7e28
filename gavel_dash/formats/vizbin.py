"""Reading `.viz.bin` files: one run's rounds, allocations, queues and jobs, straight from the bytes.

The layout is described in `vizbin_layout`; header and config are read by `vizbin_open`, and what
is odd about a file is found by `vizbin_findings`. Rounds are addressed by record index, never by time:
the first two rounds of a log share ``sim_time`` 0, and it is a float32.

What the fields mean was settled on published files, by comparing them with each other (in all 6,618 + 6,697
rounds of the two that have jobs and completions, without exception):

- A job is in the system in rounds ``arrival_round < round <= completion_round``: an event's round is the
  last record written before it. Jobs that arrive before the first record also carry round 0.
- ``completion_round`` is the last round in which the job holds GPUs; ``jobs_completed`` counts it from
  the next round on.
- ``jobs_running`` is the number of distinct jobs in the allocation array and the sharing section together.
- The allocation array holds the first quarter's job of a GPU that is listed in the sharing section. Not
  every listed GPU is shared: one job can hold one quarter or all four.
- Stored queues list jobs one round early and second tenants of shared GPUs; ``jobs_queued`` is right.
  Dropping what `VizFile.queue` drops makes the lengths agree in every round.
"""

from __future__ import annotations

import hashlib
import mmap
from functools import cached_property

import numpy as np

from gavel_dash.analysis.node_counts import count_by_type
from gavel_dash.errors import VizFormatError
from gavel_dash.formats import vizbin_findings, vizbin_order
from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE, round_dtype
from gavel_dash.formats.vizbin_lists import RoundLists, SharedGpus
from gavel_dash.formats.vizbin_open import Section, read_config, read_header
from gavel_dash.model import Cluster, Finding

#: Shares that a GPU of the sharing section is cut into.
QUARTERS = 4

JOB_DTYPE = np.dtype(
    [
        ("job_id", "i8"),
        ("type_id", "u2"),
        ("scale_factor", "u1"),
        ("arrival_round", "u4"),
        ("completion_round", "u4"),
        ("duration_s", "f4"),
        ("completed", "?"),
    ]
)


class VizFile:
    """One open `.viz.bin` file. Opening reads header, config and job table; the rest is read when asked for.

    Parameters
    ----------
    buffer : bytes, memoryview or mmap
        All bytes of the file. Arrays are views of it where they can be, so it must stay open and unchanged.
    name : str
        What error messages call the file.

    Attributes
    ----------
    version, n_rounds, n_jobs, n_gpus : int
    config : dict
        The config JSON as written, unknown keys included.
    policy : str or None
    window : JobWindow or None
    job_types : dict of int to (name, category)
    job_id_offset : int, 0 or 1
        Already subtracted from every id this class returns, except stored ones.
    stored_allocations : ndarray of u4, shape (n_rounds, n_gpus)
        Stored ids (offset included, 0 = idle): a view of the file. One round of it, ``stored_allocations[i]``, is the
        cheapest there is; its bytes need not be aligned.
    jobs : structured ndarray, shape (n_jobs,)
        `JOB_DTYPE`; rounds are round numbers, ``duration_s`` seconds, both 0 where not completed
        (always, in files with 16-byte records).
    impossible_durations : int
        Jobs whose stored duration is negative or no number. They count as not completed.

    Raises
    ------
    VizFormatError
        On opening, if header, config or job table is damaged or a section is cut short; later, if an index
        points outside its section.
    """

    def __init__(self, buffer: bytes | memoryview | mmap.mmap, name: str) -> None:
        self.name = name
        self._data = np.frombuffer(buffer, np.uint8)
        self._data.flags.writeable = False
        self._header = header = read_header(self._data, name)
        self._config = read_config(self._data, header, name)
        self.version, self.n_rounds, self.n_jobs = header.version, header.n_rounds, header.n_jobs
        self.n_gpus = header.n_gpus
        self.config, self.policy, self.window = self._config.raw, self._config.policy, self._config.window
        self.job_types, self.job_id_offset = self._config.job_types, self._config.job_id_offset
        self._rounds = self._view(header.rounds, round_dtype(header.n_types, header.n_gpus), header.n_rounds)
        self.stored_allocations = self._rounds["allocation"]
        queue_index = self._view(header.queue_index, np.dtype("<u8"), header.n_rounds)
        self._queues = RoundLists(self._data, header.queue, queue_index, np.dtype("<u4"), name)
        self._shared: SharedGpus | None = None
        if header.sharing is not None and header.sharing_index is not None:
            index = self._view(header.sharing_index, np.dtype("<u8"), header.n_rounds)
            self._shared = SharedGpus(self._data, header.sharing, index, name, self.n_gpus)
        self.jobs = self._read_jobs()

    def _view(self, section: Section, dtype: np.dtype, count: int) -> np.ndarray:
        return self._data[section.start : section.start + count * dtype.itemsize].view(dtype)

    def _read_jobs(self) -> np.ndarray:
        records = self._view(self._header.jobs, self._header.job_dtype, self.n_jobs)
        jobs = np.zeros(self.n_jobs, JOB_DTYPE)
        for field in records.dtype.names or ():
            jobs[field] = records[field]
        jobs["job_id"] -= self.job_id_offset
        impossible = ~((jobs["duration_s"] >= 0) & np.isfinite(jobs["duration_s"]))
        jobs["duration_s"][impossible] = 0
        self.impossible_durations = int(np.count_nonzero(impossible))
        jobs["completed"] = ((jobs["completion_round"] > 0) | (jobs["duration_s"] > 0)) & ~impossible
        if (jobs["job_id"] < 0).any():
            row = int(np.argmax(jobs["job_id"] < 0))
            at = self._header.jobs.start + row * records.itemsize
            raise VizFormatError(self.name, at, "a stored job id of at least 1 (job_id_offset is 1)", "0")
        jobs.flags.writeable = False
        return jobs

    @cached_property
    def jobs_by_id(self) -> np.ndarray:
        """The job table sorted by id."""
        return self.jobs[np.argsort(self.jobs["job_id"], kind="stable")]

    @property
    def n_bytes(self) -> int:
        """Size of the file (unpacked) in bytes."""
        return len(self._data)

    @cached_property
    def content_id(self) -> str:
        """A short name of the file's content, for caches: 16 hex digits, equal for equal files.

        Hashed are the size, the first and last 64 KiB and 64 pages of 4 KiB spread evenly, so that a large file costs
        milliseconds. A file changed only between these pages keeps its name.
        """
        edge, page = 2**16, 2**12
        content = hashlib.blake2b(self.n_bytes.to_bytes(8, "little"), digest_size=8)
        pages = np.linspace(0, max(0, self.n_bytes - page), 64, dtype=np.int64)
        for start, length in [(0, edge), (max(0, self.n_bytes - edge), edge), *((start, page) for start in pages)]:
            content.update(self._data[start : start + length].tobytes())
        return content.hexdigest()

    @property
    def has_16_byte_jobs(self) -> bool:
        """Whether the job records are of the first generation, without completions."""
        return "duration_s" not in (self._header.job_dtype.names or ())

    @property
    def round_heads(self) -> np.ndarray:
        """The fields of `ROUND_HEAD_DTYPE` of all rounds. Structured view, shape (n_rounds,), not a copy."""
        return self._rounds[list(ROUND_HEAD_DTYPE.names or ())]

    @cached_property
    def type_order(self) -> vizbin_order.TypeOrder:
        """Which order of GPU types the allocation array follows, and how that was decided."""
        return vizbin_order.decide_type_order(
            self._config.gpu_types, self._rounds["gpus_used"], self.stored_allocations
        )

    @property
    def cluster(self) -> Cluster:
        """The GPU types in the order of the allocation array (not always the config's)."""
        return Cluster(tuple(self._config.gpu_types[t] for t in self.type_order.order))

    @cached_property
    def gpus_used(self) -> np.ndarray:
        """GPUs in use as the simulator counted them: int32, shape (n_rounds, n_types), types as in `cluster`."""
        return self._rounds["gpus_used"][:, list(self.type_order.order)].astype(np.int32)

    @cached_property
    def gpus_shown(self) -> np.ndarray:
        """GPUs that show a job in the allocation array: int32, shape (n_rounds, n_types), types as in `cluster`.

        Equal to `gpus_used` in a sound file. Reads every round once.
        """
        return count_by_type([gpu_type.count for gpu_type in self.cluster.gpu_types], self.stored_allocations)

    def allocations(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Job on each GPU in rounds `start` to `stop`: int64, shape (n, n_gpus), -1 = idle."""
        return self._plain_ids(self.stored_allocations[start:stop])

    def allocation(self, i: int) -> np.ndarray:
        """Job on each GPU in round record `i`: int64, shape (n_gpus,), -1 = idle. IndexError outside."""
        return self._plain_ids(self.stored_allocations[i])

    def has_allocation(self, i: int) -> bool:
        """Whether the file says which jobs hold the GPUs in round record `i`.

        False where jobs ran on GPUs and the whole allocation is zero: a heatmap of it would show an idle
        cluster. `gpus_used` alone does not tell, some files count GPUs in use when nothing runs.
        """
        record = self._rounds[i]
        in_use = bool(record["jobs_running"]) and bool(record["gpus_used"].any())
        return not in_use or bool(self.stored_allocations[i].any())

    def queue(self, i: int) -> np.ndarray:
        """Ids of the jobs waiting in round record `i`: int64, in stored order, cleaned.

        Dropped are jobs that hold a GPU in this round or have completed. Where more than ``jobs_queued`` are
        left: jobs not yet in the system (``arrival_round >= round``), and job 0 where it runs unseen.
        """
        stored = self.stored_queue(i)
        head = self._rounds[i]
        wanted, number = int(head["jobs_queued"]), int(head["round"])
        ids = stored.astype(np.int64) - self.job_id_offset
        keep = ~np.isin(stored, self._holders(i))
        if not len(ids):
            return ids
        table = self.jobs_by_id
        if len(table):
            rows = np.searchsorted(table["job_id"], ids).clip(max=len(table) - 1)
            job = table[rows]
            known = job["job_id"] == ids
            keep &= ~(known & job["completed"] & (job["completion_round"] < number))
            in_time = keep & ~(known & (job["arrival_round"] >= number))
            # Jobs that came before the first record carry its number: only a queue too long tells the two apart.
            if keep.sum() > wanted and in_time.sum() >= wanted:
                keep = in_time
        if keep.sum() > wanted and vizbin_findings.hidden_gpus(self, i, i + 1)[0]:
            keep &= ids != 0
        return ids[keep]

    def sharing(self, i: int) -> dict[int, np.ndarray]:
        """Jobs in the four quarters of each GPU in the sharing section: int64, shape (4,), -1 = idle."""
        if self._shared is None:
            return {}
        entries = self._shared.entries(i)
        ids = self._plain_ids(entries["job_ids"])
        return {int(gpu): quarters for gpu, quarters in zip(entries["gpu"], ids, strict=True)}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the file and what the reader does about it. Reads every round once."""
        return vizbin_findings.find(self)

    @property
    def has_sharing(self) -> bool:
        """Whether the file has a sharing section."""
        return self._shared is not None

    def jobs_holding(self, i: int) -> int:
        """Number of distinct jobs seen on GPUs in round record `i`, second tenants included."""
        return len(self._holders(i))

    def stored_queue(self, i: int) -> np.ndarray:
        """Ids in the queue of round record `i` as stored (offset included): u4 view."""
        return self._queues.items(i)

    def queue_spans(self) -> tuple[np.ndarray, np.ndarray]:
        """Byte position in the file of each round's first queue entry, and the number of entries (int64)."""
        return self._queues.spans()

    def sharing_entries(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All entries of the sharing section of rounds `start` to `stop`.

        Returns
        -------
        record : ndarray of int64, shape (k,), record index of each entry
        gpu : ndarray of int64, shape (k,)
        ids : ndarray of u4, shape (k, 4), stored ids (offset included, 0 = idle) in the quarters of its GPU
        """
        if self._shared is None:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, QUARTERS), np.uint32)
        return self._shared.entries_of(start, stop)

    @property
    def lanes_per_gpu(self) -> int:
        """How many jobs a GPU can hold: 4 in files with a sharing section, else 1."""
        return QUARTERS if self.has_sharing else 1

    def lanes(self, start: int, stop: int) -> np.ndarray:
        """Stored id (offset included, 0 = idle) of the job on each lane in rounds `start` to `stop`.

        Returns
        -------
        ndarray of u4, shape (n, n_gpus * lanes_per_gpu). A lane is a GPU; in files with shared GPUs it is a quarter,
        and a GPU without an entry has its job on all four. A view of the file where there is nothing to share.
        """
        alone = self.stored_allocations[start:stop]
        if not self.has_sharing:
            return alone
        lanes = np.repeat(alone, QUARTERS, axis=1)
        record, gpu, ids = self.sharing_entries(start, stop)
        lanes.reshape(len(alone), self.n_gpus, QUARTERS)[record - start, gpu] = ids
        return lanes

    def records_without_allocation(self) -> np.ndarray:
        """Records in which `has_allocation` is False: bool, shape (n_rounds,)."""
        unsaid: np.ndarray = (self._rounds["jobs_running"] > 0) & self.gpus_used.any(axis=1)
        return unsaid & ~self.gpus_shown.any(axis=1)

    def file_bytes(self, start: int, stop: int) -> np.ndarray:
        """The file's bytes as a uint8 view."""
        return self._data[start:stop]

    def _plain_ids(self, stored: np.ndarray) -> np.ndarray:
        ids: np.ndarray = stored.astype(np.int64)
        if self.job_id_offset:
            ids -= 1  # and what is idle becomes -1
        else:
            ids[stored == 0] = -1
        return ids

    def _holders(self, i: int) -> np.ndarray:
        """Stored ids of the jobs on GPUs in round record `i`, distinct, without 0."""
        cells = self.stored_allocations[i]
        if self._shared is not None:
            cells = np.concatenate([cells, self._shared.entries(i)["job_ids"].ravel()])
        held = np.unique(cells)
        return held[held > 0]
