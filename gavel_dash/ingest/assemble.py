"""Spooled rounds -> the bytes of a `.viz.bin` file's rounds, each checked against the log's own counts on the way.

The queue is not in any log: it is the jobs in the system that do not run, in order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import PackedRounds, RoundBlock, pack_rounds
from gavel_dash.ingest.lay_out import RoundLayout
from gavel_dash.ingest.messages import Summary
from gavel_dash.ingest.rounds import RoundSpool, SpooledRounds
from gavel_dash.ingest.run_builder import Job, RunBuilder
from gavel_dash.ingest.sharing import QUARTERS, share_gpus
from gavel_dash.ingest.workers import WorkerMap
from gavel_dash.kernel import Kernel
from gavel_dash.model import Finding, JobWindow

# Cells of allocations, or of jobs by rounds, that are laid out at once: it bounds memory.
_CELLS_PER_BLOCK = 1 << 20
# Logs print times with two or three decimals, and utilization with three, some time after the last round.
_JCT_TOLERANCE_S = 0.02
_UTILIZATION_TOLERANCE = 0.005
# Wider than the file's fields: what does not fit there is found by the writer, not wrapped here.
_HEAD_DTYPE = np.dtype([(n, "f8" if ROUND_HEAD_DTYPE[n].kind == "f" else "i8") for n in ROUND_HEAD_DTYPE.names or ()])
_STRAY, _CROWDED = "runs-outside-its-life", "more-tenants-than-quarters"
_PAIRS, _COMPLETED = "pairs-count-as-one", "completed-count-differs"


class Assembly:
    """Puts a run together, and counts where it disagrees with its log.

    Parameters
    ----------
    builder : RunBuilder
    rounds : RoundSpool
        Finished, like the builder.
    workers : WorkerMap
    derived : bool
        The log has no round records (dialect B): derive the numbers of each round from the jobs, and read the
        logged GPUs per type as left unused instead of used.
    window : JobWindow, optional
        Jobs whose mean completion time is the derived `avg_jct_s`.
    kernel : Kernel, optional
        Lays out what it can; derived numbers it cannot.

    Attributes
    ----------
    queue_disagrees : int
        Rounds whose queue is not as long as the log says.
    use_disagrees : int
        Rounds in which the allocated GPUs of some type are not as many as the log says.
    """

    def __init__(
        self,
        builder: RunBuilder,
        rounds: RoundSpool,
        workers: WorkerMap,
        derived: bool,
        window: JobWindow | None,
        kernel: Kernel | None = None,
    ) -> None:
        self._builder, self._rounds, self._workers, self._derived = builder, rounds, workers, derived
        jobs = builder.jobs
        self._ids = np.array([job.job_id for job in jobs], np.int64)
        self._arrived = np.array([job.arrived_after for job in jobs], np.int64)
        self._completed = np.array([_completed_after(job, builder.n_rounds) for job in jobs], np.int64)
        self._quarters = np.array([job.quarters for job in jobs], np.int64)
        types = workers.cluster.gpu_types
        self._counts = np.array([t.count for t in types], np.int64)
        self._firsts = np.array(workers.cluster.first_gpus, np.int64)
        self._logged_columns = [rounds.types.index(t.name) if t.name in rounds.types else -1 for t in types]
        self._sums = self._completed_sums(window)
        self._layout = None
        if kernel is not None and not derived and RoundLayout.holds(workers, self._ids):
            whole = self._quarters == QUARTERS
            times = self._arrived, self._completed
            self._layout = RoundLayout(kernel, workers, self._logged_columns, self._ids, *times, whole)
        self.queue_disagrees = self.use_disagrees = 0
        self._strays = self._crowded = self._pair_rounds = self._completed_differs = 0
        self._last_utilization = 0.0

    def _completed_sums(self, window: JobWindow | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per round, before it: completed jobs, and number and summed duration (s) of those in the window."""
        n, jobs = self._builder.n_rounds, self._builder.jobs
        durations = np.array([job.duration_s for job in jobs])
        measured = np.zeros(len(jobs), bool)
        if window is not None:
            measured = (self._ids >= window.start_job_id) & (self._ids < window.end_job_id)
        weights = (None, measured.astype(float), np.where(measured, durations, 0.0))
        completed, count, total = (np.cumsum(np.bincount(self._completed, w, n + 1))[:n] for w in weights)
        return completed, count, total

    def packed(self, record: np.dtype, on_block: Callable[[RoundBlock, np.ndarray], None]) -> Iterator[PackedRounds]:
        """Every round, in order. The counts are complete after the last block.

        Parameters
        ----------
        record : dtype
            Of a round record.
        on_block : callable
            Told of each block that was not laid out by the kernel, with the completed window jobs per round.
        """
        first = 0
        gpus, jobs = max(1, int(self._counts.sum())), max(1, len(self._ids))
        for spooled in self._rounds:
            for part in spooled.split(max(1, _CELLS_PER_BLOCK // gpus)):
                packed = self._layout.lay_out(first, part, record) if self._layout else None
                if packed is not None:
                    self._last_utilization = float(part.heads[-1, 2])
                    first += len(part.heads)
                    yield packed
                    continue
                for smaller in part.split(max(1, _CELLS_PER_BLOCK // max(gpus, jobs))):
                    block = self._block(first, smaller)
                    on_block(block, self._sums[1][first : first + len(smaller.heads)])
                    self._last_utilization = float(block.heads["effective_utilization"][-1])
                    first += len(smaller.heads)
                    yield pack_rounds(block, record)
        if self._layout:
            self.queue_disagrees += self._layout.queue_disagrees
            self.use_disagrees += self._layout.use_disagrees
            self._strays += self._layout.strays
            self._pair_rounds += self._layout.pair_rounds

    def findings(self, summary: Summary) -> list[Finding]:
        """What the assembled rounds showed, and where the log's own averages at its end are others."""
        pairs = 0 if self._derived else self._pair_rounds
        found = (
            (_STRAY, "Rounds in which a job runs that has not arrived or has completed.", self._strays),
            (_CROWDED, "GPUs in a round with more than four jobs; the fifth and later are not shown.", self._crowded),
            (_PAIRS, "Rounds with job pairs; the log counts a pair as one running job, here it is two.", pairs),
            (_COMPLETED, "Rounds where the log counts another number of window jobs.", self._completed_differs),
        )
        findings = [Finding(code, sentence, int(count)) for code, sentence, count in found if count]
        durations = {job.job_id: job.duration_s for job in self._builder.jobs if job.completed_after is not None}
        listed = [durations[job_id] for job_id in summary.jct_s if job_id in durations]
        if summary.average_jct_s is not None and listed:
            findings += _differs("mean-jct-differs", summary.average_jct_s, float(np.mean(listed)), _JCT_TOLERANCE_S)
        if summary.utilization is not None:
            last = self._last_utilization
            findings += _differs("utilization-differs", summary.utilization, last, _UTILIZATION_TOLERANCE)
        return findings

    def _block(self, first: int, spooled: SpooledRounds) -> RoundBlock:
        n, n_gpus = len(spooled.heads), int(self._counts.sum())
        spooled = spooled._replace(jobs=spooled.jobs.astype(np.int64))
        rows = np.repeat(np.repeat(np.arange(n), spooled.placed), spooled.sizes)
        jobs = np.repeat(spooled.jobs, spooled.sizes)
        cells = rows * n_gpus + self._workers.gpus_of(spooled.workers)

        allocation = np.full(n * n_gpus, -1, np.int64)
        allocation[cells[::-1]] = jobs[::-1]  # backwards: where several share, the first tenant stays
        busy = (allocation >= 0).reshape(n, n_gpus)
        shared, tenants = np.empty(0, np.int64), np.empty((0, QUARTERS), np.int64)
        if busy.sum() < len(cells) or (self._quarters[jobs] < QUARTERS).any():
            shared, tenants, crowded = share_gpus(cells, jobs, self._quarters[jobs])
            self._crowded += crowded

        running, queue_rows, queue_jobs = self._queue(first, n, spooled)
        used = np.stack([busy[:, a : a + k].sum(1) for a, k in zip(self._firsts, self._counts, strict=True)], 1)
        lengths = np.bincount(queue_rows, minlength=n)
        logged = np.pad(spooled.logged, ((0, 0), (0, 1)))[:, self._logged_columns]
        logged = self._counts - logged if self._derived else logged
        self.use_disagrees += int((used != logged).any(1).sum())
        heads = self._heads(first, spooled, running, lengths)
        return RoundBlock(
            heads,
            used if self._derived else logged,
            _ids_of(allocation.reshape(n, n_gpus), self._ids),
            lengths,
            self._ids[queue_jobs],
            shared // n_gpus,
            shared % n_gpus,
            _ids_of(tenants, self._ids),
        )

    def _queue(self, first: int, n: int, spooled: SpooledRounds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Running jobs per round, and the rows and jobs of all queue entries in order."""
        present = np.flatnonzero((self._arrived < first + n) & (self._completed > first))
        index = np.arange(first, first + n)[:, None]
        alive = (self._arrived[present] <= index) & (self._completed[present] > index)
        runs = np.zeros((n, len(self._ids)), bool)
        runs[np.repeat(np.arange(n), spooled.placed), spooled.jobs] = True
        running = runs.sum(1)
        here = runs[:, present]
        self._strays += int((running > (here & alive).sum(1)).sum())
        queue_rows, columns = np.nonzero(alive & ~here)
        return running, queue_rows, present[columns]

    def _heads(self, first: int, spooled: SpooledRounds, running: np.ndarray, queued: np.ndarray) -> np.ndarray:
        """Round heads, as logged or derived; verifies the queue."""
        heads, pairs = np.empty(len(spooled.heads), _HEAD_DTYPE), spooled.pairs
        for name, values in zip(_HEAD_DTYPE.names or (), spooled.heads.T, strict=True):
            heads[name] = values
        if not self._derived:
            # A pair counts as one running job in the log, so its queue is too long by one.
            heads["jobs_queued"] -= pairs
            heads["jobs_running"] += pairs
            self._pair_rounds += int((pairs > 0).sum())
            self.queue_disagrees += int((heads["jobs_queued"] != queued).sum())
            return heads
        active, logged = spooled.active, heads["jobs_completed"].copy()
        self.queue_disagrees += int(((active >= 0) & (active != running + queued)).sum())
        completed, count, total = (values[first : first + len(heads)] for values in self._sums)
        # The log counts the completed jobs of the window only.
        self._completed_differs += int(((logged >= 0) & (logged != count)).sum())
        heads["effective_utilization"] /= self._counts.sum()
        heads["jobs_running"], heads["jobs_queued"], heads["jobs_completed"] = running, queued, completed
        heads["avg_jct_s"] = np.divide(total, count, out=np.zeros(len(heads)), where=count > 0)
        return heads


def _differs(code: str, logged: float, here: float, tolerance: float) -> list[Finding]:
    if abs(logged - here) <= tolerance:
        return []
    return [Finding(code, f"The log ends with {logged:g}; its rounds give {here:g}.", 1)]


def _completed_after(job: Job, n_rounds: int) -> int:
    """Rounds written before the job left; all of them where it stayed."""
    return n_rounds if job.completed_after is None else job.completed_after


def _ids_of(positions: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Job ids of positions in the job table, -1 staying -1."""
    return np.append(ids, -1)[positions]


def job_records(jobs: list[Job], type_ids: dict[str, int]) -> np.ndarray:
    """The job table for `write_vizbin`, in order of arrival."""
    names = ("job_id", "type_id", "scale_factor", "arrival_round", "completion_round", "duration_s")
    rows = [
        (
            job.job_id,
            type_ids[job.type_name],
            1 if job.scale_factor is None else job.scale_factor,
            job.arrival_round,
            job.completion_round,
            job.duration_s,
        )
        for job in jobs
    ]
    return np.array(rows, [(name, "f8" if name == "duration_s" else "i8") for name in names])
