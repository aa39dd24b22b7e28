"""Rounds laid out as bytes by the kernel; `Assembly` does it without, and for the blocks left to it here."""

from __future__ import annotations

import numpy as np

from gavel_dash.formats.vizbin_write import JOB_ID_OFFSET, MAX_JOB_ID, PackedRounds
from gavel_dash.ingest.rounds import SpooledRounds
from gavel_dash.ingest.workers import WorkerMap
from gavel_dash.kernel import Kernel
from gavel_dash.kernel.bindings import TAKEN, Assemble

# The kernel looks workers up in a table.
_MAX_WORKER_ID = 1 << 24


class RoundLayout:
    """Lays out rounds of a log that counts GPUs in use itself, where each GPU holds one job as a whole.

    Parameters
    ----------
    kernel : Kernel
    workers : WorkerMap
    logged_columns : list of int
        Per GPU type its column in what is logged, -1 for none.
    ids, arrived, completed : ndarray of int64, shape (n_jobs,)
        Job ids, and rounds written before each arrived and completed.
    whole : ndarray of bool, shape (n_jobs,)
        Whether a job takes whole GPUs.

    Attributes
    ----------
    queue_disagrees, use_disagrees, strays, pair_rounds : int
        Rounds so far whose queue or use is not what the log says, in which a job runs outside its life, and that
        have job pairs.
    """

    def __init__(
        self,
        kernel: Kernel,
        workers: WorkerMap,
        logged_columns: list[int],
        ids: np.ndarray,
        arrived: np.ndarray,
        completed: np.ndarray,
        whole: np.ndarray,
    ) -> None:
        self._kernel, self._arguments = kernel, Assemble()
        self._arrived, self._completed = arrived, completed
        counts = [gpu_type.count for gpu_type in workers.cluster.gpu_types]
        gpu_of_worker = np.full(int(workers.worker_ids.max(initial=-1)) + 1, -1, np.int32)
        gpu_of_worker[workers.worker_ids] = workers.gpus
        self._arguments.point(
            gpu_of_worker=gpu_of_worker,
            type_of_gpu=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            logged_columns=np.array(logged_columns, np.int32),
            stored_ids=(ids + JOB_ID_OFFSET).astype(np.uint32),
            arrived=arrived.astype(np.int32),
            completed=completed.astype(np.int32),
            whole=whole.astype(np.uint8),
            ran=np.zeros(len(ids), np.int32),
        )
        self._arguments.n_gpu_of_worker, self._arguments.n_types = len(gpu_of_worker), len(counts)
        self.queue_disagrees = self.use_disagrees = self.strays = self.pair_rounds = 0

    @staticmethod
    def holds(workers: WorkerMap, ids: np.ndarray) -> bool:
        """Whether the kernel's tables can hold a run with these workers and job ids."""
        fits = not len(ids) or 0 <= int(ids.min()) <= int(ids.max()) <= MAX_JOB_ID
        return fits and int(workers.worker_ids.max(initial=0)) <= _MAX_WORKER_ID

    def lay_out(self, first: int, spooled: SpooledRounds, record: np.dtype) -> PackedRounds | None:
        """The bytes of rounds from `first` on; None where the kernel leaves them to others."""
        n = len(spooled.heads)
        present = np.flatnonzero((self._arrived < first + n) & (self._completed > first)).astype(np.int32)
        records = np.zeros(n * record.itemsize, np.uint8)
        queue = np.empty(n * (2 + 4 * len(present)), np.uint8)
        starts = np.empty(n, np.uint64)
        a = self._arguments
        a.point(
            heads=spooled.heads,
            logged=spooled.logged,
            placed=spooled.placed,
            pairs=spooled.pairs,
            jobs=spooled.jobs,
            sizes=spooled.sizes,
            workers=spooled.workers,
            present=present,
            records=records,
            queue=queue,
            queue_starts=starts,
        )
        a.n_rounds, a.first_round, a.record_bytes, a.n_logged = n, first, record.itemsize, spooled.logged.shape[1]
        a.n_present, a.queue_bytes, a.max_queue_bytes = len(present), 0, len(queue)
        a.queue_disagrees = a.use_disagrees = a.strays = a.pair_rounds = 0
        if self._kernel.assemble_rounds(a) != TAKEN:
            return None
        self.queue_disagrees += a.queue_disagrees
        self.use_disagrees += a.use_disagrees
        self.strays += a.strays
        self.pair_rounds += a.pair_rounds
        no_sharing = np.zeros(n, "<u2")  # a count of 0 for each round
        return PackedRounds(records.data, queue[: a.queue_bytes].data, starts, no_sharing.data, 2 * np.arange(n), 0)
