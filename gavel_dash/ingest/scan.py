"""Dialect A through the kernel: it reads the common lines, `ReplicationParser` those it hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np
import orjson

from gavel_dash.ingest.replication import HEAD_KEYS, INTEGER_KEYS, ReplicationParser
from gavel_dash.ingest.rounds import N_HEADS, ROUNDS_PER_BLOCK, Placement, RoundHead, RoundSpool, SpooledRounds
from gavel_dash.ingest.run_builder import RunBuilder
from gavel_dash.kernel import Kernel
from gavel_dash.kernel.bindings import END_OF_TEXT, FULL, HAND_OVER_EVENT, Scan

_TELEMETRY_BYTES = 1 << 20
_PLACEMENTS = 1 << 17
# Job and worker ids beyond these are read line by line: the kernel looks them up in tables.
_MAX_KNOWN_IDS = 1 << 24
_MAX_KNOWN_WORKERS = 1 << 17
_PROGRESS_OFFSET = Scan.lines.offset


class ScannedRounds:
    """Collects rounds in arrays that the kernel writes to: the `RoundSink` of a `ScanningParser`."""

    def __init__(self, kernel: Kernel, builder: RunBuilder, spool: RoundSpool, telemetry: BinaryIO) -> None:
        self._kernel, self._builder, self._spool, self._telemetry_file = kernel, builder, spool, telemetry
        self._scan = Scan()
        self._n_spooled = 0
        self._telemetry = np.empty(_TELEMETRY_BYTES, np.uint8)
        self._counts = {name: np.empty(ROUNDS_PER_BLOCK, np.int32) for name in ("placed", "round_pairs")}
        self._scan.point(telemetry=self._telemetry, **self._counts)
        self._scan.max_telemetry, self._scan.max_rounds = _TELEMETRY_BYTES, ROUNDS_PER_BLOCK
        self._placements: dict[str, np.ndarray] = {}
        self._grow_placements(_PLACEMENTS)
        self._position_of = np.full(1 << 14, -1, np.int32)
        self._known_worker = np.zeros(_MAX_KNOWN_WORKERS, np.uint8)
        self._scan.point(position_of=self._position_of, known_worker=self._known_worker)
        self._scan.n_ids, self._scan.n_known_workers = len(self._position_of), _MAX_KNOWN_WORKERS
        self._types: Sequence[str] = ()
        self._set_columns(0)

    def _set_columns(self, n_types: int) -> None:
        self._columns = np.zeros((ROUNDS_PER_BLOCK, N_HEADS + n_types))
        self._scan.point(columns=self._columns)
        self._scan.n_columns = self._columns.shape[1]

    def _grow_placements(self, size: int) -> None:
        for name in ("jobs", "sizes", "workers"):
            old = self._placements.get(name, np.empty(0, np.int32))
            self._placements[name] = np.concatenate([old, np.empty(size - len(old), np.int32)])
        self._scan.point(**self._placements)
        self._scan.max_jobs = self._scan.max_workers = size

    def know_job(self, job_id: int, position: int) -> None:
        """From now on the kernel finds this job itself."""
        if not 0 <= job_id < _MAX_KNOWN_IDS:
            return
        if job_id >= len(self._position_of):
            more = np.full(2 * job_id - len(self._position_of) + 1, -1, np.int32)
            self._position_of = np.concatenate([self._position_of, more])
            self._scan.point(position_of=self._position_of)
            self._scan.n_ids = len(self._position_of)
        self._position_of[job_id] = position

    def expect_telemetry(self, keys: Sequence[str], types: Sequence[str]) -> None:
        """From now on the kernel reads TELEMETRY objects of exactly these keys itself."""
        columns = {key: i for i, key in enumerate((*HEAD_KEYS, *(f"{name}_used" for name in types)))}
        texts = [(b", " if i else b"{") + orjson.dumps(key) + b": " for i, key in enumerate(keys)]
        self._scan.point(
            keys=np.frombuffer(b"".join(texts), np.uint8),
            key_ends=np.cumsum([len(text) for text in texts]).astype(np.int32),
            key_columns=np.array([columns.get(key, -1) for key in keys], np.int32),
            integers=np.array([key in INTEGER_KEYS or i >= N_HEADS for key, i in columns.items()], np.uint8),
        )
        self._scan.n_keys = len(keys)

    def read(self, block: memoryview) -> None:
        """Begin with a block of lines."""
        self._scan.point(text=np.frombuffer(block, np.uint8))
        self._scan.length, self._scan.position, self._scan.lines = len(block), 0, 0

    def next_line(self, block: memoryview) -> tuple[bytes, int, bool] | None:
        """What Python has to read next: a line or an event's JSON, its line's number from 1, which; None at the end."""
        scan, builder = self._scan, self._builder
        while (code := self._kernel.scan_lines(scan)) == FULL:
            self._make_room()
        number, start, end, n_rounds, builder.last_round = scan.progress.unpack_from(scan, _PROGRESS_OFFSET)
        builder.n_rounds = self._n_spooled + n_rounds
        return None if code == END_OF_TEXT else (bytes(block[start:end]), number, code == HAND_OVER_EVENT)

    @property
    def n_lines(self) -> int:
        """Lines read of the block."""
        return int(self._scan.lines)

    def _make_room(self) -> None:
        if self._scan.n_rounds:
            self.finish()
        else:
            self._grow_placements(2 * self._scan.max_jobs)

    def place(self, placement: Placement) -> None:
        """See `RoundSink`."""
        jobs, workers = placement
        scan, arrays = self._scan, self._placements
        while scan.n_jobs + len(jobs) > scan.max_jobs or scan.n_workers + len(workers) * len(jobs) > scan.max_workers:
            self._make_room()
        for job in jobs:
            arrays["jobs"][scan.n_jobs], arrays["sizes"][scan.n_jobs] = job, len(workers)
            arrays["workers"][scan.n_workers : scan.n_workers + len(workers)] = workers
            scan.n_jobs, scan.n_workers = scan.n_jobs + 1, scan.n_workers + len(workers)
        scan.pairs += len(jobs) - 1
        for worker in workers:
            if 0 <= worker < _MAX_KNOWN_WORKERS and self._builder.worker_types.get(worker) is not None:
                self._known_worker[worker] = 1

    def end_round(self, head: RoundHead, gpus: Mapping[str, int], jobs_active: int = -1) -> None:
        """See `RoundSink`; a log of this dialect does not count `jobs_active`."""
        if tuple(gpus) != tuple(self._types) or self._scan.n_rounds == ROUNDS_PER_BLOCK:
            self.finish()
            self._types = tuple(gpus)
            self._spool.types += [name for name in gpus if name not in self._spool.types]
            self._set_columns(len(gpus))
        self._write_telemetry()  # what the kernel read before stands before in the file
        scan, i = self._scan, self._scan.n_rounds
        self._columns[i] = (*head, *gpus.values())
        self._counts["placed"][i], self._counts["round_pairs"][i] = scan.n_jobs - scan.first_job, scan.pairs
        scan.n_rounds, scan.last_round, scan.first_job, scan.pairs = i + 1, head.round, scan.n_jobs, 0

    def _write_telemetry(self) -> None:
        self._telemetry_file.write(self._telemetry[: self._scan.n_telemetry].data)
        self._scan.n_telemetry = 0

    def finish(self) -> None:
        """See `RoundSink`; what belongs to the round that has not ended moves to the front."""
        self._write_telemetry()
        scan, n = self._scan, self._scan.n_rounds
        if not n:
            return
        jobs, sizes, workers = (self._placements[name] for name in ("jobs", "sizes", "workers"))
        n_jobs = scan.first_job
        n_workers = int(sizes[:n_jobs].sum(dtype=np.int64))
        self._spool.write(
            SpooledRounds(
                self._columns[:n, :N_HEADS],
                self._columns[:n, N_HEADS:],
                np.full(n, -1, np.int64),
                self._counts["round_pairs"][:n],
                self._counts["placed"][:n],
                jobs[:n_jobs],
                sizes[:n_jobs],
                workers[:n_workers],
            )
        )
        for values, first, end in (
            (jobs, n_jobs, scan.n_jobs),
            (sizes, n_jobs, scan.n_jobs),
            (workers, n_workers, scan.n_workers),
        ):
            values[: end - first] = values[first:end].copy()
        scan.n_jobs, scan.n_workers = scan.n_jobs - n_jobs, scan.n_workers - n_workers
        scan.first_job = scan.n_rounds = 0
        self._n_spooled += n


class ScanningParser:
    """Reads blocks of lines as `ReplicationParser` does, most of them through the kernel.

    Parameters
    ----------
    rounds : ScannedRounds
        Also the sink of `parser`.
    builder : RunBuilder
    parser : ReplicationParser
        Reads the lines that the kernel hands over.
    """

    def __init__(self, rounds: ScannedRounds, builder: RunBuilder, parser: ReplicationParser) -> None:
        self._rounds, self._builder, self._parser = rounds, builder, parser
        self._n_known = 0
        self._unsure: list[int] = []
        self._knows_telemetry = False

    def feed(self, block: memoryview, first_number: int) -> int:
        """See `ReplicationParser.feed`."""
        self._rounds.read(block)
        while (handed := self._rounds.next_line(block)) is not None:
            text, number, is_event = handed
            read = self._parser.read_event if is_event else self._parser.read_line
            read(text, first_number + number - 1)
            self._teach()
        return self._rounds.n_lines

    def finish(self) -> None:
        """See `ReplicationParser.finish`."""
        self._parser.finish()

    def _teach(self) -> None:
        """Tell the kernel of jobs it has not seen, once it is known how many GPUs they need, and of the telemetry."""
        jobs = self._builder.jobs
        if len(jobs) > self._n_known or self._unsure:
            unsure = []
            for position in (*self._unsure, *range(self._n_known, len(jobs))):
                if jobs[position].scale_factor is None:
                    unsure.append(position)
                else:
                    self._rounds.know_job(jobs[position].job_id, position)
            self._unsure, self._n_known = unsure, len(jobs)
        if not self._knows_telemetry and self._parser.types:
            self._rounds.expect_telemetry(self._parser.telemetry_keys, self._parser.types)
            self._knows_telemetry = True
