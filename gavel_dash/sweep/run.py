"""One run of a sweep: its rounds, jobs, allocation and queue, read when they are asked for."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from gavel_dash.analysis import tables
from gavel_dash.analysis.blocked_demand import (
    BlockedDemand,
    Contention,
    count_queued,
    split_queue,
    summarize_contention,
)
from gavel_dash.analysis.fragmentation import (
    Fragmentation,
    NodeFragmentation,
    compute_fragmentation,
    summarize_nodes,
    with_node_sizes,
)
from gavel_dash.analysis.job_holdings import Lanes, running_stretches
from gavel_dash.analysis.job_timelines import JobTimelines, compute_timelines
from gavel_dash.analysis.phases import Phases, compute_phases
from gavel_dash.analysis.segments import Segments, find_segments
from gavel_dash.analysis.series import SeriesColumns, collect_columns, summarize_series
from gavel_dash.analysis.stability import Evidence, Steadiness, assess_run
from gavel_dash.analysis.timeline import edges_of_records, first_starts, jct_of_jobs, records_in_system
from gavel_dash.errors import UsageError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_findings import hidden_gpus
from gavel_dash.kernel.mapped_files import MappedFile, note_read, unchanged_files
from gavel_dash.model import Cluster, JobWindow, RunKey


class Run:
    """A run by name.

    Parameters
    ----------
    name : str
    key : RunKey
    window : JobWindow or None
    open_viz : callable
        Returns the opened `.viz.bin`; raises `GavelDashError` with the reason where there is none.
    load_jct_s : callable
        Returns the exact JCT in seconds by job id from the completions file; empty where there is none.
    load_wall_time_s : callable
        Returns the seconds the simulator had been running, by round number; empty where nothing tells it.
    """

    def __init__(
        self,
        name: str,
        key: RunKey,
        window: JobWindow | None,
        open_viz: Callable[[], VizFile],
        load_jct_s: Callable[[], Mapping[int, float]],
        load_wall_time_s: Callable[[], Mapping[int, float]],
    ) -> None:
        self.name, self.key, self.window = name, key, window
        self._open_viz, self._load_jct_s, self._load_wall_time_s = open_viz, load_jct_s, load_wall_time_s
        # A cycle would keep the file open until the garbage collector comes.
        this = weakref.proxy(self)
        self._fragmentation = lru_cache(maxsize=2)(lambda cluster: this._compute_fragmentation(cluster))

    @property
    def viz(self) -> VizFile:
        """The run's `.viz.bin`. Raises `GavelDashError` where there is none or it is damaged."""
        viz, files = self._opened
        note_read(files)
        return viz

    @cached_property
    def _opened(self) -> tuple[VizFile, frozenset[MappedFile]]:
        with unchanged_files() as files:
            return self._open_viz(), frozenset(files)

    @property
    def has_changed(self) -> bool:
        """Whether its open file was cut short or written to in its place: then all that it remembers is void."""
        return "_opened" in self.__dict__ and any(file.has_changed for file in self._opened[1])

    @property
    def cluster(self) -> Cluster:
        """GPU types in worker-id order."""
        return self.viz.cluster

    @property
    def n_rounds(self) -> int:
        """Number of round records."""
        return self.viz.n_rounds

    @cached_property
    def phases(self) -> Phases | None:
        """Measurement phase in record indexes; None where no window is known or none of its jobs arrived."""
        jobs = self.viz.jobs
        return compute_phases(
            self.window,
            jobs["job_id"],
            jobs["arrival_round"],
            jobs["completion_round"],
            jobs["completed"],
            self.viz.round_heads["round"],
        )

    @cached_property
    def steadiness(self) -> Steadiness | None:
        """MSER-5 cut and evidence of stability; None where the run has no rounds."""
        return assess_run(self.viz.round_heads, self.viz.jobs["arrival_round"], self.phases)

    @property
    def evidence(self) -> Evidence | None:
        """What a verdict on the run rests on; None where there are too few rounds."""
        return None if self.steadiness is None else self.steadiness.evidence

    def contention(self, start: int, stop: int, node_sizes: Mapping[str, int] | None = None) -> Contention:
        """Free GPUs and waiting jobs over the records ``[start, stop)``."""
        return summarize_contention(self.blocked_demand(node_sizes), self.fragmentation(node_sizes), start, stop)

    def fragmentation(self, node_sizes: Mapping[str, int] | None = None) -> Fragmentation:
        """Free GPUs of every round and how fragmented they are; `node_sizes` by type, where the file does not say."""
        return self._fragmentation(with_node_sizes(self.cluster, node_sizes))

    def _compute_fragmentation(self, cluster: Cluster) -> Fragmentation:
        known = ~self.records_without_allocation
        return compute_fragmentation(cluster, self.viz.gpus_used, self.viz.jobs["scale_factor"], known, self._busy)

    def node_fragmentation(
        self, start: int, stop: int, node_sizes: Mapping[str, int] | None = None
    ) -> NodeFragmentation:
        """Mean free and fragmented GPUs of each node over the records ``[start, stop)``."""
        cluster, known = with_node_sizes(self.cluster, node_sizes), ~self.records_without_allocation
        start, stop = max(0, start), min(stop, self.n_rounds)
        return summarize_nodes(cluster, self.viz.jobs["scale_factor"], known, self._busy, start, stop)

    def _busy(self, start: int, stop: int) -> np.ndarray:
        lanes = self.viz.lanes(start, stop) != 0
        return lanes.reshape(len(lanes), self.viz.n_gpus, -1).any(axis=2) if self.viz.lanes_per_gpu > 1 else lanes

    @cached_property
    def _queued(self) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
        viz = self.viz
        running = running_stretches(viz.jobs["job_id"], self._lanes())
        return count_queued(viz.jobs, self.in_system, running, viz.round_heads["jobs_queued"], viz.queue)

    def blocked_demand(self, node_sizes: Mapping[str, int] | None = None) -> BlockedDemand:
        """Queued jobs of every round by scale factor, and what stands in their way."""
        return split_queue(*self._queued, self.fragmentation(node_sizes))

    def representative_round(self) -> int:
        """Record index in the middle of the measurement phase, of the run where there is no phase."""
        phases = self.phases or Phases(0, self.n_rounds)
        return max(0, min((phases.measurement_start + phases.measurement_end) // 2, self.n_rounds - 1))

    def rounds(self) -> pd.DataFrame:
        """All rounds: `schema.ROUNDS` and one `<type>_used` column per GPU type."""
        return tables.rounds_table(self.viz.round_heads, self.viz.gpus_used, self.cluster, self.phases)

    @cached_property
    def _outcomes(self) -> pd.DataFrame:
        heads, viz = self.viz.round_heads, self.viz
        return tables.outcomes_table(
            viz.jobs, viz.job_types, self.window, heads["round"], heads["sim_time_s"], self._load_jct_s()
        )

    def outcomes(self) -> pd.DataFrame:
        """All jobs without what only the rounds tell: `schema.OUTCOMES`. Reads no allocation."""
        return self._outcomes.copy()

    @cached_property
    def _jobs(self) -> pd.DataFrame:
        heads = self.viz.round_heads
        return tables.jobs_table(self._outcomes, self.timelines, self.cluster, heads["round"], heads["sim_time_s"])

    def jobs(self) -> pd.DataFrame:
        """All jobs: `schema.JOBS`."""
        return self._jobs.copy()

    @cached_property
    def jct_s(self) -> np.ndarray:
        """JCT of each job in the order of the job records: float64, shape (n_jobs,), seconds, NaN if not completed."""
        return jct_of_jobs(self.viz.jobs, self._load_jct_s())

    @cached_property
    def first_starts(self) -> np.ndarray:
        """Record index of the first round in which each job is seen on a GPU: int32, shape (n_jobs,), -1 if in none.

        A job that runs unseen (see the finding on job 0) or in a file without allocations has -1 as well.
        """
        viz = self.viz
        stored_ids = viz.jobs["job_id"] + viz.job_id_offset
        return first_starts(stored_ids, viz.stored_allocations, viz.sharing_entries if viz.has_sharing else None)

    @cached_property
    def edges_h(self) -> np.ndarray:
        """Simulated hours at the start of each record and at the end of the last: float64, shape (n_rounds + 1,)."""
        return edges_of_records(self.viz.round_heads["sim_time_s"])

    @property
    def time_h(self) -> np.ndarray:
        """Simulated hours at the start of each record: float64, shape (n_rounds,)."""
        return self.edges_h[:-1]

    @cached_property
    def wall_time_s(self) -> np.ndarray | None:
        """Seconds the simulator had been running at each record, from the telemetry file beside the run's.

        float64, shape (n_rounds,), NaN where the file misses a round; None where there is none or it does not say.
        """
        by_round = self._load_wall_time_s()
        numbers = self.viz.round_heads["round"].tolist()
        return np.array([by_round.get(number, np.nan) for number in numbers]) if by_round else None

    def index_at(self, time_h: float) -> int:
        """Record index of the last record that has begun at a simulated time; the first where none has."""
        return max(0, int(np.searchsorted(self.time_h, time_h, side="right")) - 1)

    def segments(self, start: int = 0, stop: int | None = None) -> Segments:
        """Who holds which lane from when to when, of the records ``[start, stop)``; see `VizFile.lanes`."""
        stop = self.n_rounds if stop is None else min(stop, self.n_rounds)
        start = max(0, min(start, stop))
        return find_segments(self.viz.lanes(start, stop), start, self.viz.job_id_offset)

    @cached_property
    def records_without_allocation(self) -> np.ndarray:
        """Records in which the file does not say which jobs hold the GPUs: bool, shape (n_rounds,)."""
        viz = self.viz
        return viz.records_without_allocation() | (hidden_gpus(viz, 0, viz.n_rounds) > 0)

    @cached_property
    def in_system(self) -> tuple[np.ndarray, np.ndarray]:
        """Records ``[from, until)`` in which each job is in the system; see `timeline.records_in_system`."""
        viz = self.viz
        held = viz.lanes(0, 1)
        at_first = [held[held > 0].astype(np.int64) - viz.job_id_offset, *(viz.queue(i) for i in range(len(held)))]
        return records_in_system(viz.jobs, viz.round_heads["round"], np.concatenate(at_first))

    def _lanes(self) -> Lanes:
        viz, counts = self.viz, [gpu_type.count for gpu_type in self.cluster.gpu_types]
        types = np.repeat(np.arange(len(counts)), counts)
        return Lanes(viz.lanes(0, self.n_rounds), viz.lanes_per_gpu, types, viz.job_id_offset)

    @cached_property
    def timelines(self) -> JobTimelines:
        """What became of each job, in the order of the job records."""
        return compute_timelines(
            self.viz.jobs,
            self._lanes(),
            self.in_system,
            self.edges_h,
            self.records_without_allocation,
            self._end_known,
        )

    @property
    def _end_known(self) -> np.ndarray:
        """Jobs of which the file says when they left: bool, shape (n_jobs,). A 16-byte record never does."""
        if self.viz.has_16_byte_jobs:
            return np.zeros(self.viz.n_jobs, bool)
        return self.viz.jobs["completed"] | np.isnan(self.jct_s)

    def clock(self) -> tuple[np.ndarray, np.ndarray]:
        """Round numbers (uint32) and simulated time in seconds (float32) of all records, each of shape (n_rounds,)."""
        heads = self.viz.round_heads
        return heads["round"].copy(), heads["sim_time_s"].copy()

    @cached_property
    def _series_columns(self) -> SeriesColumns:
        return collect_columns(self.viz.round_heads, self.viz.gpus_used, self.cluster.gpus)

    def series(self, start: int, stop: int, bins: int) -> np.ndarray:
        """Occupancy, backlog and GPU use in at most `bins` equal stretches of the records ``[start, stop)``.

        Returns
        -------
        ndarray of float64, shape (len(SERIES_ROWS) + n_types, n); see `analysis.series.summarize_series`.

        Raises
        ------
        UsageError
            When the records do not exist, or `bins` is below 1.
        """
        if not 0 <= start <= stop <= self.n_rounds:
            raise UsageError(f"{self.name}: there are no records {start} to {stop}; it has {self.n_rounds} rounds")
        if bins < 1:
            raise UsageError(f"a series needs at least 1 bin, not {bins}")
        return summarize_series(self._series_columns, start, stop, bins)

    def check_round(self, index: int) -> int:
        """`index` if it is a record of this run; raises `UsageError` with the range if not."""
        if not 0 <= index < self.n_rounds:
            raise UsageError(f"{self.name}: round {index} does not exist; it has rounds 0 to {self.n_rounds - 1}")
        return index

    def allocation(self, index: int) -> np.ndarray:
        """Job id on each GPU in record `index`: ndarray of int64, shape (n_gpus,), -1 where idle."""
        return self.viz.allocation(self.check_round(index))

    def queue(self, index: int) -> np.ndarray:
        """Ids of the jobs waiting in record `index`: ndarray of int64, shape (n_queued,)."""
        return self.viz.queue(self.check_round(index))

    def queue_table(self, index: int, node_sizes: Mapping[str, int] | None = None) -> pd.DataFrame:
        """The jobs waiting in record `index`: `schema.QUEUE`."""
        sim_time_h = float(self.viz.round_heads["sim_time_s"][self.check_round(index)]) / 3600
        return tables.queue_table(self.queue(index), self._outcomes, sim_time_h, self.fragmentation(node_sizes), index)
