"""Who waits while GPUs are free: free GPUs, and queued jobs by whether anything could hold them.

A job of g GPUs is placed on GPUs of one type. Where node sizes are known it needs them on one node as well, unless g is
larger than a node: then it spans nodes anyway, and only the type's free GPUs count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gavel_dash.model import Cluster, GpuType

#: A stretch with more rounds is looked at in this many evenly spaced ones.
MOST_ROUNDS = 2000


@dataclass(frozen=True)
class QueuedDemand:
    """Queued jobs of one scale factor: mean number per round with a queue, and what stands in their way.

    `no_gpus`, `scattered` and `could_start` add up to `n_queued`.

    Attributes
    ----------
    scale_factor : int or None
        GPUs a job asks for; None where the file does not say, and then there is no split.
    n_queued : float, jobs
    no_gpus : float or None, jobs
        No type has that many free GPUs.
    scattered : float or None, jobs
        Some type has enough free GPUs, but no node holds them; None where no placement constraint is known.
    could_start : float or None, jobs
        Free GPUs could hold the job and the scheduler let it wait. A job that has just come is among them until the
        next round. Where no placement constraint is known this goes by type only.
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
    n_rounds, n_looked_at, n_waiting : int
        Rounds of the stretch, those looked at, and those of them in which at least one job waits.
    free_gpus : float, GPUs
        Mean over the rounds in which jobs wait; NaN where there are none.
    free_by_type : dict of type name to float, GPUs
        The same by GPU type.
    free_while_waiting : float, fraction of the rounds looked at
        Rounds with at least one free GPU and at least one waiting job; NaN where there are no rounds.
    queued : tuple of QueuedDemand
        By scale factor, ascending, unknown last; means over the rounds in which jobs wait.
    knows_nodes : bool
        Whether nodes constrain the placement of a job. False where no node size above 1 is known, or the file does not
        say which jobs hold the GPUs.
    """

    n_rounds: int
    n_looked_at: int
    n_waiting: int
    free_gpus: float
    free_by_type: dict[str, float]
    free_while_waiting: float
    queued: tuple[QueuedDemand, ...]
    knows_nodes: bool


def summarize_contention(
    cluster: Cluster,
    gpus_used: np.ndarray,
    jobs: np.ndarray,
    start: int,
    stop: int,
    queue_of: Callable[[int], np.ndarray],
    busy_of: Callable[[int], np.ndarray | None],
) -> Contention:
    """Free GPUs and waiting jobs in the records ``[start, stop)``, at most `MOST_ROUNDS` of them, evenly spaced.

    Parameters
    ----------
    cluster : Cluster
        Types in the order of the columns of `gpus_used`.
    gpus_used : ndarray of int, shape (n_rounds, n_types), GPUs in use per type
    jobs : structured ndarray, shape (n_jobs,), with ``job_id`` and ``scale_factor`` (0 where unknown)
    queue_of : callable
        Ids of the jobs that wait in a record, ndarray of int, shape (n_queued,).
    busy_of : callable
        Which GPUs are in use in a record, ndarray of bool, shape (n_gpus,); None where the file does not say. Asked
        only where a node size is known.
    """
    n_rounds = max(0, stop - start)
    records = np.unique(np.linspace(start, stop - 1, min(n_rounds, MOST_ROUNDS)).astype(np.int64))
    n_looked_at = len(records)
    queues = [queue_of(record) for record in records.tolist()]
    lengths = np.array([len(queue) for queue in queues], dtype=np.int64)
    records, lengths = records[lengths > 0], lengths[lengths > 0]
    counts = np.array([gpu_type.count for gpu_type in cluster.gpu_types], dtype=np.int64)
    free = np.maximum(counts - gpus_used[records].astype(np.int64), 0)
    blocks = _free_blocks(cluster, records, free, busy_of)
    means = free.mean(axis=0) if len(free) else np.full(len(counts), np.nan)
    return Contention(
        n_rounds=n_rounds,
        n_looked_at=n_looked_at,
        n_waiting=len(records),
        free_gpus=float(means.sum()) if len(free) else float("nan"),
        free_by_type={t.name: float(mean) for t, mean in zip(cluster.gpu_types, means, strict=True)},
        free_while_waiting=float(free.any(axis=1).sum() / n_looked_at) if n_looked_at else float("nan"),
        queued=_split_queue(cluster, free, blocks, _scale_factors(jobs, queues), lengths) if len(records) else (),
        knows_nodes=blocks is not None,
    )


def largest_free_blocks(cluster: Cluster, busy: np.ndarray) -> np.ndarray:
    """Free GPUs on the node of each type that has most of them; all free GPUs of a type without a known node size.

    Parameters
    ----------
    busy : ndarray of bool, shape (n_gpus,), in worker-id order

    Returns
    -------
    ndarray of int64, shape (n_types,)
    """
    free = ~busy
    return np.array(
        [
            _largest_on_a_node(free[first : first + gpu_type.count], gpu_type.gpus_per_node or 1)
            for first, gpu_type in zip(cluster.first_gpus, cluster.gpu_types, strict=True)
        ],
        dtype=np.int64,
    )


def _largest_on_a_node(free: np.ndarray, gpus_per_node: int) -> int:
    if gpus_per_node <= 1 or len(free) == 0:
        return int(free.sum())
    return int(np.add.reduceat(free, np.arange(0, len(free), gpus_per_node), dtype=np.int64).max())


def _has_nodes(gpu_type: GpuType) -> bool:
    return gpu_type.gpus_per_node is not None and gpu_type.gpus_per_node > 1


def _free_blocks(
    cluster: Cluster, records: np.ndarray, free: np.ndarray, busy_of: Callable[[int], np.ndarray | None]
) -> np.ndarray | None:
    """Largest free block of each type in each record, shape of `free`; None where nodes constrain nothing."""
    if not any(_has_nodes(gpu_type) for gpu_type in cluster.gpu_types):
        return None
    blocks = np.empty_like(free)
    for row, record in enumerate(records.tolist()):
        busy = busy_of(record)
        if busy is None:
            return None
        blocks[row] = largest_free_blocks(cluster, busy)
    # A GPU that the simulator counts as used is used, also where the allocation does not show by whom.
    return np.minimum(blocks, free)


def _scale_factors(jobs: np.ndarray, queues: list[np.ndarray]) -> np.ndarray:
    """Scale factor of every queued job, one after the other; 0 where it is unknown."""
    ids = np.concatenate(queues)
    if len(jobs) == 0:
        return np.zeros(len(ids), np.int64)
    order = np.argsort(jobs["job_id"], kind="stable")
    known = jobs["job_id"][order]
    place = np.searchsorted(known, ids).clip(max=len(known) - 1)
    return np.where(known[place] == ids, jobs["scale_factor"][order][place], 0).astype(np.int64)


def _split_queue(
    cluster: Cluster, free: np.ndarray, blocks: np.ndarray | None, scale_factors: np.ndarray, lengths: np.ndarray
) -> tuple[QueuedDemand, ...]:
    sizes, size_of_job = np.unique(scale_factors, return_inverse=True)
    cell_of_job = np.repeat(np.arange(len(lengths)), lengths) * len(sizes) + size_of_job
    n_queued = np.bincount(cell_of_job, minlength=len(lengths) * len(sizes)).reshape(len(lengths), len(sizes))
    by_size = []
    for size, n in zip(sizes.tolist(), n_queued.T, strict=True):
        if size == 0:
            by_size.append(QueuedDemand(None, float(n.mean()), None, None, None))
            continue
        enough = (free >= size).any(axis=1)
        held = enough
        if blocks is not None:
            on_a_node = np.array([_has_nodes(t) and size <= (t.gpus_per_node or 0) for t in cluster.gpu_types])
            held = (np.where(on_a_node, blocks, free) >= size).any(axis=1)
        by_size.append(
            QueuedDemand(
                scale_factor=size,
                n_queued=float(n.mean()),
                no_gpus=float((n * ~enough).mean()),
                scattered=None if blocks is None else float((n * (enough & ~held)).mean()),
                could_start=float((n * held).mean()),
            )
        )
    return tuple(sorted(by_size, key=lambda demand: demand.scale_factor or np.inf))
