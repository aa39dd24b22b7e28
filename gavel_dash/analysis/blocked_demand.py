"""Who waits while GPUs are free: queued jobs by whether anything could hold them.

A job of g GPUs is placed on GPUs of one type. Where node sizes are known it needs them on one node as well, unless g is
larger than a node: then it spans nodes anyway, and only the type's free GPUs count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.fragmentation import Fragmentation, is_constrained

#: Scale factor of jobs of which the file does not say how many GPUs they ask for.
UNKNOWN = 0
#: What can stand in the way of a waiting job.
NO_GPUS, SCATTERED, COULD_START = "no GPUs", "scattered", "could start"


@dataclass(frozen=True)
class BlockedDemand:
    """Queued jobs of every round by scale factor, and what stands in their way.

    `no_gpus`, `scattered` and `could_start` add up to `queued`, but for jobs of unknown size, which are not split.

    Attributes
    ----------
    scale_factors : tuple of int
        GPUs a job asks for, ascending; `UNKNOWN` first where there are such jobs.
    known : ndarray of bool, shape (n_rounds,)
        Records in which queue and split are known. Where it is False the queue does not add up, or the file does not
        say which GPUs are busy though nodes constrain who fits: then scattered demand is among `could_start`.
    queued, no_gpus, scattered, could_start : ndarray of int32, shape (n_rounds, n_scale_factors), jobs
        No type has that many free GPUs; some type has, but on no one node; some node or type could hold the job and the
        scheduler let it wait (a job that has just come is among these until the next round).
    knows_nodes : bool
        Whether nodes constrain the placement of a job; where not, nothing is ever scattered.
    """

    scale_factors: tuple[int, ...]
    known: np.ndarray
    queued: np.ndarray
    no_gpus: np.ndarray
    scattered: np.ndarray
    could_start: np.ndarray
    knows_nodes: bool

    @property
    def pending_gpus(self) -> np.ndarray:
        """GPUs that the queued jobs ask for: int64, shape (n_rounds, n_scale_factors)."""
        return self.queued * np.array(self.scale_factors, np.int64)


def count_queued(
    jobs: np.ndarray,
    in_system: tuple[np.ndarray, np.ndarray],
    running: tuple[np.ndarray, np.ndarray, np.ndarray],
    jobs_queued: np.ndarray,
    queue_of: Callable[[int], np.ndarray],
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """Queued jobs of every round by scale factor: those in the system and on no GPU.

    Where these are not as many as the simulator counted, the round's queue is read instead; jobs it has no records of
    are of unknown size.

    Parameters
    ----------
    jobs : structured ndarray, shape (n_jobs,), with ``job_id`` and ``scale_factor``
    in_system : pair of ndarray of int, shape (n_jobs,)
        See `timeline.records_in_system`.
    running : three ndarrays of int, shape (n,)
        Row in `jobs`, and records ``[start, stop)`` in which it is on a GPU; see `job_holdings.running_stretches`.
    jobs_queued : ndarray of int, shape (n_rounds,)
        As the simulator counted.
    queue_of : callable
        Ids of the jobs that wait in a record, ndarray of int.

    Returns
    -------
    scale_factors : tuple of int, ascending
    queued : ndarray of int32, shape (n_rounds, n_scale_factors)
    known : ndarray of bool, shape (n_rounds,)
        Whether they are as many as the simulator counted.
    """
    n_rounds = len(jobs_queued)
    sizes, size_of_job = np.unique(jobs["scale_factor"].astype(np.int64), return_inverse=True)
    if UNKNOWN not in sizes:
        sizes, size_of_job = np.append(UNKNOWN, sizes), size_of_job + 1
    rows, start, stop = running

    def count(records: np.ndarray, job: np.ndarray | slice) -> np.ndarray:
        cells = np.bincount(records * len(sizes) + size_of_job[job], minlength=(n_rounds + 1) * len(sizes))
        return cells.reshape(n_rounds + 1, len(sizes))

    every = slice(None)
    change = count(in_system[0], every) - count(in_system[1], every) - count(start, rows) + count(stop, rows)
    queued = np.cumsum(change[:-1], axis=0, dtype=np.int32)
    wrong = np.flatnonzero((queued.sum(axis=1) != jobs_queued) | (queued < 0).any(axis=1))
    order = np.argsort(jobs["job_id"], kind="stable")
    ids = jobs["job_id"][order]
    for record in wrong.tolist():
        waiting = queue_of(record)
        place = np.searchsorted(ids, waiting).clip(max=max(0, len(ids) - 1))
        recorded = ids[place] == waiting if len(ids) else np.zeros(len(waiting), bool)
        queued[record] = np.bincount(size_of_job[order[place[recorded]]] if len(ids) else [], minlength=len(sizes))
        queued[record, 0] += np.count_nonzero(~recorded)
        if not len(waiting):  # the simulator's count is all there is
            queued[record, 0] = jobs_queued[record]
    shown = queued.any(axis=0) | (sizes != UNKNOWN)
    return tuple(sizes[shown].tolist()), queued[:, shown], queued.sum(axis=1) == jobs_queued


def split_queue(
    scale_factors: tuple[int, ...], queued: np.ndarray, known: np.ndarray, fragmentation: Fragmentation
) -> BlockedDemand:
    """What stands in the way of the queued jobs; arguments as `count_queued` returns them."""
    no_gpus, scattered = np.zeros_like(queued), np.zeros_like(queued)
    for c, size in enumerate(scale_factors):
        if size == UNKNOWN:
            continue
        enough, held = _room_for(size, fragmentation)
        no_gpus[:, c] = queued[:, c] * ~enough
        scattered[:, c] = queued[:, c] * (enough & ~held & fragmentation.known)
    could_start = np.where(np.array(scale_factors) == UNKNOWN, 0, queued - no_gpus - scattered).astype(np.int32)
    knows_nodes = bool(fragmentation.constrained.any())
    return BlockedDemand(
        scale_factors,
        known & (fragmentation.known | ~queued.any(axis=1)) if knows_nodes else known,
        queued,
        no_gpus,
        scattered,
        could_start,
        knows_nodes,
    )


def reasons_to_wait(scale_factors: np.ndarray, fragmentation: Fragmentation, record: int) -> list[str | None]:
    """What stands in the way of each job that waits in a record: `NO_GPUS`, `SCATTERED`, `COULD_START`.

    Parameters
    ----------
    scale_factors : ndarray of int, shape (n,), GPUs each job asks for, `UNKNOWN` where the file does not say

    Returns
    -------
    list of str or None, one per job; None where the file does not say enough.
    """
    reasons: dict[int, str | None] = {UNKNOWN: None}
    for size in np.unique(scale_factors[scale_factors != UNKNOWN]).tolist():
        enough, held = _room_for(size, fragmentation, slice(record, record + 1))
        blocked = SCATTERED if fragmentation.known[record] else None
        reasons[size] = NO_GPUS if not enough[0] else COULD_START if held[0] else blocked
    return [reasons[size] for size in scale_factors.tolist()]


def _room_for(size: int, fragmentation: Fragmentation, records: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Whether any type has so many free GPUs, and whether any has them where a job of this size could be placed."""
    free, blocks = fragmentation.free[records], fragmentation.largest_block[records]
    types = fragmentation.cluster.gpu_types
    on_a_node = np.array([is_constrained(t) and size <= (t.gpus_per_node or 0) for t in types], dtype=bool)
    places = np.where(on_a_node, blocks, free)
    return np.any(free >= size, axis=1), np.any(places >= size, axis=1)


@dataclass(frozen=True)
class QueuedDemand:
    """Queued jobs of one scale factor: mean number per round with a queue, and what stands in their way.

    `no_gpus`, `scattered` and `could_start` add up to `n_queued`.

    Attributes
    ----------
    scale_factor : int or None
        GPUs a job asks for; None where the file does not say, and then there is no split.
    n_queued : float, jobs
    no_gpus, could_start : float or None, jobs
    scattered : float or None, jobs
        None where no placement constraint is known.
    """

    scale_factor: int | None
    n_queued: float
    no_gpus: float | None
    scattered: float | None
    could_start: float | None


@dataclass(frozen=True)
class Contention:
    """Free GPUs and waiting jobs over a stretch of rounds.

    Attributes
    ----------
    n_rounds, n_waiting : int
        Rounds of the stretch, and those of them in which at least one job waits.
    free_gpus : float, GPUs
        Mean over the rounds in which jobs wait; NaN where there are none.
    free_by_type : dict of type name to float, GPUs
        The same by GPU type.
    free_while_waiting : float, fraction of the rounds
        Rounds with at least one free GPU and at least one waiting job; NaN where there are no rounds.
    queued : tuple of QueuedDemand
        By scale factor, ascending, unknown last; means over the rounds in which jobs wait.
    knows_nodes : bool
        Whether nodes constrain the placement of a job and the file says in every such round which GPUs are busy.
    """

    n_rounds: int
    n_waiting: int
    free_gpus: float
    free_by_type: dict[str, float]
    free_while_waiting: float
    queued: tuple[QueuedDemand, ...]
    knows_nodes: bool


def summarize_contention(demand: BlockedDemand, fragmentation: Fragmentation, start: int, stop: int) -> Contention:
    """Means over the records ``[start, stop)`` in which jobs wait."""
    n_rounds = max(0, stop - start)
    waiting = start + np.flatnonzero(demand.queued[start:stop].any(axis=1))
    free = fragmentation.free[waiting]
    means = free.mean(axis=0) if len(waiting) else np.full(free.shape[1], np.nan)
    knows_nodes = demand.knows_nodes and bool(fragmentation.known[waiting].all())
    by_size = []
    for c, size in enumerate(demand.scale_factors):
        n, none, scattered, could = (
            float(part[waiting, c].mean()) if len(waiting) else 0.0
            for part in (demand.queued, demand.no_gpus, demand.scattered, demand.could_start)
        )
        if size == UNKNOWN:
            by_size.append(QueuedDemand(None, n, None, None, None))
        elif n:
            by_size.append(QueuedDemand(size, n, none, scattered if knows_nodes else None, could))
    return Contention(
        n_rounds=n_rounds,
        n_waiting=len(waiting),
        free_gpus=float(means.sum()) if len(waiting) else float("nan"),
        free_by_type={t.name: float(m) for t, m in zip(fragmentation.cluster.gpu_types, means, strict=True)},
        free_while_waiting=float(free.any(axis=1).sum() / n_rounds) if n_rounds else float("nan"),
        queued=tuple(sorted((d for d in by_size if d.n_queued), key=lambda demand: demand.scale_factor or np.inf)),
        knows_nodes=knows_nodes,
    )
