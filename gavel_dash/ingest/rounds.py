"""The rounds of a log on their way to a file: collected, spooled in blocks, and read again.

A round is spooled as the log gives it (worker ids and jobs): where a worker's GPU lies is known only at the
end, when every worker has been seen. Memory does not grow with the number of rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, NamedTuple, Protocol, TypeAlias

import numpy as np

ROUNDS_PER_BLOCK = 1024
_PLACEMENTS_PER_BLOCK = 1 << 18


class RoundHead(NamedTuple):
    """A round's own numbers, as far as the log gives them; see the glossary for the meaning of each."""

    round: int
    sim_time_s: float
    effective_utilization: float
    jobs_running: int = 0
    jobs_queued: int = 0
    jobs_completed: int = 0
    avg_jct_s: float = 0.0
    completion_rate_jph: float = 0.0


N_HEADS = len(RoundHead._fields)

# Jobs, as positions in the job table, on the same workers. A plain tuple: a long log makes millions.
Placement: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]


class SpooledRounds(NamedTuple):
    """A block of n rounds as spooled.

    `heads` (n, 8) of float64, the fields of `RoundHead`; `logged` (n, n_types) of int64, GPUs the log counts per
    type; `active` (n,) of int64, jobs in the system, -1 unknown; `pairs` (n,) lines that place two jobs at once;
    `placed` (n,) placed jobs per round; `jobs` and `sizes`, one per placed job: position in the job table and
    number of workers; `workers` the ids of all of them. The last five are int32.
    """

    heads: np.ndarray
    logged: np.ndarray
    active: np.ndarray
    pairs: np.ndarray
    placed: np.ndarray
    jobs: np.ndarray
    sizes: np.ndarray
    workers: np.ndarray

    def split(self, n_rounds: int) -> Iterator[SpooledRounds]:
        """The same rounds in blocks of at most `n_rounds`."""
        jobs_before = np.append(0, np.cumsum(self.placed, dtype=np.int64))
        workers_before = np.append(0, np.cumsum(self.sizes, dtype=np.int64))
        for start in range(0, len(self.heads), n_rounds):
            rounds = slice(start, start + n_rounds)
            placed = slice(*jobs_before[[start, min(rounds.stop, len(self.heads))]])
            workers = slice(*workers_before[[placed.start, placed.stop]])
            lists = self.jobs[placed], self.sizes[placed], self.workers[workers]
            yield SpooledRounds._make([*(values[rounds] for values in self[:5]), *lists])


_DTYPES = (np.float64, np.int64, np.int64, *[np.int32] * 5)


class RoundSpool:
    """Blocks of rounds in a temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.types: list[str] = []
        """The GPU types the log counts, in the order of `SpooledRounds.logged`."""

    def write(self, block: SpooledRounds) -> None:
        """Append a block; its `logged` may lack the last types."""
        self._file.seek(0, 2)  # what is there may have been read in between
        sizes = (*block.logged.shape, len(block.jobs), len(block.workers))
        self._file.write(np.array(sizes, np.int64).data)
        for values, dtype in zip(block, _DTYPES, strict=True):
            self._file.write(np.ascontiguousarray(values, dtype).data)

    def __iter__(self) -> Iterator[SpooledRounds]:
        """Every block again, from the first."""
        self._file.seek(0)
        while sizes := self._file.read(4 * 8):
            n, n_types, n_jobs, n_workers = np.frombuffer(sizes, np.int64).tolist()
            shapes = ((n, N_HEADS), (n, n_types), (n,), (n,), (n,), (n_jobs,), (n_jobs,), (n_workers,))
            block = SpooledRounds._make(map(self._read, shapes, _DTYPES))
            missing = len(self.types) - block.logged.shape[1]
            yield block._replace(logged=np.pad(block.logged, ((0, 0), (0, missing)))) if missing else block

    def _read(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        array: np.ndarray = np.empty(shape, dtype)
        if array.size:  # an empty one has no bytes to cast
            self._file.readinto(array.data.cast("B"))  # type: ignore[attr-defined]
        return array


class RoundSink(Protocol):
    """What a parser tells of rounds."""

    def place(self, placement: Placement) -> None:
        """Jobs run on workers in the round that ends next."""

    def end_round(self, head: RoundHead, gpus: Mapping[str, int], jobs_active: int = -1) -> None:
        """A round is complete; the log itself counts `gpus` per type and `jobs_active`."""

    def finish(self) -> None:
        """Write the rounds still in memory; what belongs to no complete round does not count."""


class RoundLists:
    """Collects rounds in lists: the `RoundSink` that needs no kernel."""

    def __init__(self, spool: RoundSpool) -> None:
        self._spool = spool
        self._placements: list[Placement] = []
        self._start_block([])

    def _start_block(self, pending: list[Placement]) -> None:
        self._heads: list[tuple[float, ...]] = []
        self._logged: list[Mapping[str, int]] = []
        self._active: list[int] = []
        self._counts: list[int] = []
        self._placements = pending
        self._ended = 0

    def place(self, placement: Placement) -> None:
        """See `RoundSink`."""
        self._placements.append(placement)

    def end_round(self, head: RoundHead, gpus: Mapping[str, int], jobs_active: int = -1) -> None:
        """See `RoundSink`."""
        self._counts.append(len(self._placements) - self._ended)
        self._ended = len(self._placements)
        self._heads.append(head)
        self._logged.append(gpus)
        self._active.append(jobs_active)
        if len(self._heads) == ROUNDS_PER_BLOCK or self._ended > _PLACEMENTS_PER_BLOCK:
            self.finish()

    def finish(self) -> None:
        """See `RoundSink`."""
        types, n = self._spool.types, len(self._heads)
        if not n:
            return
        for gpus in self._logged:
            types += [name for name in gpus if name not in types]
        ended = self._placements[: self._ended]
        tenants = np.array([len(jobs) for jobs, _ in ended], np.int64)
        counts = np.array(self._counts, np.int64)
        placed = np.bincount(np.repeat(np.arange(n), counts), tenants, n).astype(np.int32)
        self._spool.write(
            SpooledRounds(
                np.array(self._heads, np.float64),
                np.array([[gpus.get(name, 0) for name in types] for gpus in self._logged], np.int64).reshape(n, -1),
                np.array(self._active, np.int64),
                (placed - counts).astype(np.int32),
                placed,
                _flat(jobs for jobs, _ in ended),
                np.repeat(np.array([len(workers) for _, workers in ended], np.int32), tenants),
                _flat(workers for jobs, workers in ended for _ in jobs),
            )
        )
        self._start_block(self._placements[self._ended :])


def _flat(lists: Iterator[Sequence[int]]) -> np.ndarray:
    return np.fromiter(chain.from_iterable(lists), np.int32)
