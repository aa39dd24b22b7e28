"""Which GPUs are free, and which task classes cannot use them for where they are.

Fragmentation is that of FGD (Weng et al., "Beware of Fragmentation", USENIX ATC 2023) for whole GPUs: a node with ``f``
free GPUs is fragmented by a task class of ``g`` GPUs by ``f`` if ``g > f``, else by 0; the expected value is over the
classes, by their popularity. A class larger than a node finds every free GPU fragmented.

Only types whose nodes hold several GPUs constrain anything: where the node size is unknown, or 1, nothing can fragment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gavel_dash.analysis.node_counts import NodeCounts, any_size
from gavel_dash.model import Cluster, GpuType

_BLOCK_CELLS = 2**18
#: Of rounds that are counted at once, with the numbers of their nodes: below a megabyte with all that is made of them.
_BLOCK_BYTES = 600_000


@dataclass(frozen=True)
class Fragmentation:
    """Free GPUs of every round, by type, and how fragmented they are.

    Attributes
    ----------
    cluster : Cluster
        With the node sizes that were used.
    known : ndarray of bool, shape (n_rounds,)
        Records in which the file says which GPUs are busy. Elsewhere only `free` holds, as the simulator counted; the
        other arrays are 0.
    classes : tuple of int
        Task classes: the scale factors among the run's jobs, ascending.
    popularity : ndarray of float64, shape (n_classes,)
        Share of each class among the jobs, adding up to 1; empty where no scale factor is known.
    free : ndarray of int32, shape (n_rounds, n_types), GPUs
    largest_block : ndarray of int32, shape (n_rounds, n_types), GPUs
        Free GPUs on the node that has most of them; all free GPUs of a type that is not constrained.
    occupied_nodes : ndarray of int32, shape (n_rounds, n_types), nodes
        Nodes with at least one busy GPU; 0 for a type that is not constrained.
    fragmented : ndarray of int32, shape (n_rounds, n_types, n_classes), GPUs
        Free GPUs on nodes that a class cannot use.
    """

    cluster: Cluster
    known: np.ndarray
    classes: tuple[int, ...]
    popularity: np.ndarray
    free: np.ndarray
    largest_block: np.ndarray
    occupied_nodes: np.ndarray
    fragmented: np.ndarray

    @property
    def constrained(self) -> np.ndarray:
        """Types whose nodes hold several GPUs: bool, shape (n_types,)."""
        return np.array([is_constrained(gpu_type) for gpu_type in self.cluster.gpu_types], dtype=bool)

    @property
    def node_sizes(self) -> tuple[int | None, ...]:
        """GPUs per node of each type, None where it is unknown or 1: then nothing can fragment."""
        return tuple(t.gpus_per_node if is_constrained(t) else None for t in self.cluster.gpu_types)

    @property
    def n_nodes(self) -> tuple[int, ...]:
        """Nodes of each type, 0 for one that is not constrained."""
        return tuple(
            -(-t.count // size) if size else 0 for t, size in zip(self.cluster.gpu_types, self.node_sizes, strict=True)
        )

    @property
    def can_fragment(self) -> bool:
        """Whether any type is constrained and any task class known."""
        return bool(self.constrained.any()) and len(self.classes) > 0

    @cached_property
    def expected(self) -> np.ndarray:
        """Fragmented GPUs, expected over the task classes: float64, shape (n_rounds, n_types)."""
        return self.fragmented @ self.popularity if len(self.classes) else np.zeros(self.free.shape)

    def rate(self) -> np.ndarray:
        """Fragmentation rate, fragmented / free GPUs of the constrained types: float64, shape (n_rounds,).

        NaN where it is not known, and where nothing is free.
        """
        free = self.free[:, self.constrained].sum(axis=1, dtype=float)
        return self._where_known(_divide(self.expected[:, self.constrained].sum(axis=1), free))

    def share(self) -> np.ndarray:
        """Fragmentation share, fragmented / all GPUs of the constrained types: float64, shape (n_rounds,)."""
        gpus = sum(t.count for t in self.cluster.gpu_types if is_constrained(t))
        return self._where_known(
            _divide(self.expected[:, self.constrained].sum(axis=1), np.full(len(self.free), float(gpus)))
        )

    def _where_known(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.known & self.can_fragment, values, np.nan)


@dataclass(frozen=True)
class NodeFragmentation:
    """Means by node over a stretch of rounds, of the constrained types. All arrays have the shape (n_nodes,).

    Attributes
    ----------
    type_index, node : ndarray of int
        Type, and node within the type from 0.
    free, expected : ndarray of float64, GPUs
        Free GPUs, and those fragmented by the classes, expected over them; NaN where no round of the stretch is known.
    """

    type_index: np.ndarray
    node: np.ndarray
    free: np.ndarray
    expected: np.ndarray


#: Which GPUs are busy in the records ``[start, stop)``: ndarray of bool, shape (n, n_gpus).
BusyOf = Callable[[int, int], np.ndarray]


def is_constrained(gpu_type: GpuType) -> bool:
    """Whether a job must find its GPUs on one of several-GPU nodes of this type."""
    return gpu_type.gpus_per_node is not None and gpu_type.gpus_per_node > 1


def with_node_sizes(cluster: Cluster, sizes: Mapping[str, int] | None) -> Cluster:
    """The cluster with node sizes for the types whose own is not known."""
    return Cluster(
        tuple(
            t
            if t.gpus_per_node is not None or not (sizes or {}).get(t.name)
            else GpuType(t.name, t.count, (sizes or {})[t.name])
            for t in cluster.gpu_types
        )
    )


def task_classes(scale_factors: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Scale factors among the jobs, ascending, and the share of each; jobs of unknown size (0) are left out.

    Parameters
    ----------
    scale_factors : ndarray of int, shape (n_jobs,), GPUs
    """
    classes, counts = np.unique(scale_factors[scale_factors > 0], return_counts=True)
    return tuple(classes.tolist()), counts / max(1, counts.sum())


def compute_fragmentation(
    cluster: Cluster, gpus_used: np.ndarray, scale_factors: np.ndarray, known: np.ndarray, busy_of: BusyOf
) -> Fragmentation:
    """Free GPUs and fragmentation of all rounds of a run.

    Parameters
    ----------
    cluster : Cluster
        Types in the order of the columns of `gpus_used`, with the node sizes to use.
    gpus_used : ndarray of int, shape (n_rounds, n_types)
        GPUs in use as the simulator counted: what is free where `known` is False.
    scale_factors : ndarray of int, shape (n_jobs,), GPUs, 0 where unknown
    known : ndarray of bool, shape (n_rounds,)
    busy_of : callable
        Asked for blocks of rounds in which at least one is known.
    """
    n_rounds, n_types = gpus_used.shape
    classes, popularity = task_classes(scale_factors)
    is_loose = np.array([not is_constrained(t) for t in cluster.gpu_types], bool)
    largest_node = max((t.gpus_per_node or 1 for t in cluster.gpu_types), default=1)
    nodes_of = NodeCounts(
        [(t.count, (is_constrained(t) and t.gpus_per_node) or any_size(t.count)) for t in cluster.gpu_types]
    )
    # In memory the rounds of a type lie side by side, as they are counted, and all arrays are one: the fewer pages the
    # system has to give, the better.
    counted = np.zeros((3 + len(classes), n_types, n_rounds), np.int32)
    (free, largest, occupied), fragmented = counted[:3], counted[3:]
    all_alike = bool((nodes_of.sizes == largest_node).all())
    n_nodes = np.array([t.count // largest_node for t in cluster.gpu_types])[:, None]
    rows = max(1, _BLOCK_BYTES // max(1, nodes_of.bytes_per_round))
    for start in range(0, n_rounds if cluster.gpus else 0, rows):
        block = slice(start, min(start + rows, n_rounds))
        if not known[block].any():
            continue
        nodes = nodes_of.sizes - nodes_of.count(busy_of(block.start, block.stop))
        free[:, block] = nodes_of.sum(nodes)
        if is_loose.all():
            continue
        largest[:, block] = nodes_of.max(nodes)
        occupied[:, block] = nodes_of.sum(nodes < nodes_of.sizes)
        for c, size in enumerate(classes):
            if size > largest_node:
                fragmented[c, :, block] = free[:, block]
            elif size == largest_node and all_alike:  # all that is not on idle nodes
                fragmented[c, :, block] = free[:, block] - size * (n_nodes - occupied[:, block])
            elif size > 1:
                fragmented[c, :, block] = nodes_of.sum(nodes * (nodes < size).view(np.uint8))
    largest[is_loose], occupied[is_loose], fragmented[:, is_loose] = free[is_loose], 0, 0
    if not known.all():
        largest[:, ~known], occupied[:, ~known], fragmented[..., ~known] = 0, 0, 0
        counts = np.array([t.count for t in cluster.gpu_types])
        free[:, ~known] = np.maximum(counts - gpus_used[~known], 0).T
    return Fragmentation(
        cluster, known, classes, popularity, free.T, largest.T, occupied.T, fragmented.transpose(2, 1, 0)
    )


def summarize_nodes(
    cluster: Cluster, scale_factors: np.ndarray, known: np.ndarray, busy_of: BusyOf, start: int, stop: int
) -> NodeFragmentation:
    """Means by node over the known records of ``[start, stop)``; other arguments as in `compute_fragmentation`."""
    classes, popularity = task_classes(scale_factors)
    types = [
        (t, first, gpu_type)
        for t, (first, gpu_type) in enumerate(zip(cluster.first_gpus, cluster.gpu_types, strict=True))
        if is_constrained(gpu_type)
    ]
    sums = [np.zeros((2, len(_sizes_of_nodes(gpu_type)))) for _, _, gpu_type in types]
    rows = max(1, _BLOCK_CELLS // max(1, cluster.gpus))
    for first_record in range(start, stop, rows):
        block = slice(first_record, min(first_record + rows, stop))
        idle = ~busy_of(block.start, block.stop)[known[block]]
        for total, (_, first, gpu_type) in zip(sums, types, strict=True):
            nodes = free_of_nodes(idle[:, first : first + gpu_type.count], gpu_type)
            total[0] += nodes.sum(axis=0)
            for size, share in zip(classes, popularity.tolist(), strict=True):
                total[1] += share * np.where(nodes < size, nodes, 0).sum(axis=0)
    n_known = int(known[start:stop].sum())
    means = (
        np.concatenate(sums, axis=1) / n_known
        if n_known and sums
        else np.full((2, sum(s.shape[1] for s in sums)), np.nan)
    )
    return NodeFragmentation(
        type_index=np.repeat([t for t, _, _ in types], [s.shape[1] for s in sums]).astype(np.int64),
        node=np.concatenate([np.arange(s.shape[1]) for s in sums]) if sums else np.empty(0, np.int64),
        free=means[0],
        expected=means[1] if len(classes) else np.full(means.shape[1], np.nan),
    )


def free_of_nodes(idle: np.ndarray, gpu_type: GpuType) -> np.ndarray:
    """Free GPUs on each node of a type: ndarray of int32, shape (n, n_nodes); one node where it is not constrained.

    Parameters
    ----------
    idle : ndarray of bool, shape (n, count)
        The type's GPUs. The last node may hold fewer than the others.
    """
    size = gpu_type.gpus_per_node if is_constrained(gpu_type) else max(1, gpu_type.count)
    assert size is not None
    whole = idle.shape[1] // size
    nodes = idle[:, : whole * size].reshape(len(idle), whole, size).sum(axis=2, dtype=np.int32)
    rest = idle[:, whole * size :]
    return nodes if not rest.shape[1] else np.column_stack([nodes, rest.sum(axis=1, dtype=np.int32)])


def _sizes_of_nodes(gpu_type: GpuType) -> np.ndarray:
    size = gpu_type.gpus_per_node or 1
    return np.minimum(size, gpu_type.count - np.arange(0, gpu_type.count, size))


def _divide(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
