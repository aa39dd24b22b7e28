"""Fragmentation, free GPUs and blocked demand of a run in numbers per round.

Definitions: FGD (Weng et al., "Beware of Fragmentation", ATC 2023), for whole GPUs; see `analysis.fragmentation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gavel_dash.analysis.blocked_demand import UNKNOWN, BlockedDemand
from gavel_dash.analysis.fragmentation import Fragmentation
from gavel_dash.analysis.phases import Phases

BY_CLASS, BY_TYPE = "class", "type"


@dataclass(frozen=True)
class RunRounds:
    """A run with everything that is shown of its fragmentation, round by round.

    Attributes
    ----------
    time_h : ndarray of float64, shape (n_rounds,), simulated hours at the start of each record
    round_numbers : ndarray of int, shape (n_rounds,)
    values : dict of column name to ndarray of float64, shape (n_rounds,); see `measure_rounds`
    queue_known : ndarray of bool, shape (n_rounds,)
        Whether the waiting jobs are as many as the simulator counted.
    """

    name: str
    time_h: np.ndarray
    round_numbers: np.ndarray
    phases: Phases | None
    fragmentation: Fragmentation
    blocked: BlockedDemand
    values: dict[str, np.ndarray]
    queue_known: np.ndarray

    @property
    def n_rounds(self) -> int:
        """Number of records."""
        return len(self.time_h)

    @property
    def stretch(self) -> tuple[int, int]:
        """Records ``[start, stop)`` of the measurement phase; all where none is known."""
        if self.phases is None:
            return 0, self.n_rounds
        return self.phases.measurement_start, self.phases.measurement_end

    def index_at(self, time_h: float) -> int:
        """Record that holds a simulated hour; the first or last where it lies outside."""
        return max(0, int(np.searchsorted(self.time_h, time_h, side="right")) - 1)


def measure_rounds(
    fragmentation: Fragmentation, blocked: BlockedDemand, jobs_queued: np.ndarray
) -> dict[str, np.ndarray]:
    """What `schema.fragmentation.fragmentation_columns` has of every round, but the clock.

    Parameters
    ----------
    fragmentation : Fragmentation
    blocked : BlockedDemand
    jobs_queued : ndarray of int, shape (n_rounds,), jobs
        As the simulator counted.

    Returns
    -------
    dict of column name to ndarray of float64, shape (n_rounds,), NaN where the file does not say or no node size is
    known.
    """
    gpu_types = fragmentation.cluster.gpu_types
    gpus = sum(gpu_type.count for gpu_type in gpu_types)
    nodes = fragmentation.constrained
    seen = fragmentation.known & nodes.any()
    can_fragment = seen & fragmentation.can_fragment
    free = fragmentation.free.sum(axis=1, dtype=float)
    pending = pending_gpus(blocked, jobs_queued)
    values = {
        "fragmentation_rate": fragmentation.rate(),
        "fragmentation_share": fragmentation.share(),
        "free_gpus": free,
        "largest_free_block": _where(seen, fragmentation.largest_block[:, nodes].max(axis=1, initial=0)),
        "occupied_nodes": _where(seen, fragmentation.occupied_nodes.sum(axis=1)),
        "jobs_queued": jobs_queued.astype(float),
        "pending_gpus": pending,
        "demand": (gpus - free + pending) / gpus if gpus else np.full(len(free), np.nan),
    }
    for place, gpu_type in enumerate(gpu_types):
        has_nodes = bool(nodes[place])
        values |= {
            f"free_gpus_{gpu_type.name}": fragmentation.free[:, place].astype(float),
            f"largest_free_block_{gpu_type.name}": _where(seen & has_nodes, fragmentation.largest_block[:, place]),
            f"occupied_nodes_{gpu_type.name}": _where(seen & has_nodes, fragmentation.occupied_nodes[:, place]),
            f"fragmented_gpus_{gpu_type.name}": _where(can_fragment & has_nodes, fragmentation.expected[:, place]),
        }
    for place, size in enumerate(fragmentation.classes):
        values[f"fragmented_gpus_class_{size}"] = _where(
            can_fragment, fragmentation.fragmented[:, :, place].sum(axis=1)
        )
    return values


def _where(seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(seen, values, np.nan)


def split_fragmentation(fragmentation: Fragmentation, by: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Fragmentation rate and share of every round by task class or by GPU type.

    Parameters
    ----------
    by : "class" or "type"
        Of a class: how much of the free (and of all) GPUs of the constrained types it cannot use. Of a type: the same
        within the type, expected over the classes.

    Returns
    -------
    dict of class or type to pair of ndarray of float64, shape (n_rounds,); empty where nothing can fragment.
    """
    if not fragmentation.can_fragment:
        return {}
    nodes = fragmentation.constrained
    counts = np.array([gpu_type.count for gpu_type in fragmentation.cluster.gpu_types], dtype=float)
    free = fragmentation.free.astype(float)
    if by == BY_CLASS:
        parts = {
            f"{size}-GPU jobs": (
                fragmentation.fragmented[:, nodes, c].sum(axis=1),
                free[:, nodes].sum(axis=1),
                counts[nodes].sum(),
            )
            for c, size in enumerate(fragmentation.classes)
        }
    else:
        parts = {
            gpu_type.name: (fragmentation.expected[:, t], free[:, t], counts[t])
            for t, gpu_type in enumerate(fragmentation.cluster.gpu_types)
            if nodes[t]
        }
    return {
        name: (
            _where(fragmentation.known & (of > 0), top / np.where(of > 0, of, 1)),
            _where(fragmentation.known, top / count),
        )
        for name, (top, of, count) in parts.items()
    }


def pending_gpus(blocked: BlockedDemand, jobs_queued: np.ndarray) -> np.ndarray:
    """GPUs the waiting jobs ask for: float64, shape (n_rounds,), NaN where jobs of an unknown size may wait."""
    of_unknown_size = blocked.queued[:, np.array(blocked.scale_factors, np.int64) == UNKNOWN].any(axis=1)
    return _where(queue_known(blocked, jobs_queued) & ~of_unknown_size, blocked.pending_gpus.sum(axis=1))


def queue_known(blocked: BlockedDemand, jobs_queued: np.ndarray) -> np.ndarray:
    """Rounds whose waiting jobs are as many as the simulator counted: bool, shape (n_rounds,)."""
    known: np.ndarray = blocked.queued.sum(axis=1) == jobs_queued
    return known
