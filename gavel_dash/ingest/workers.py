"""Worker ids of a log -> GPU indexes of a file, whose GPU types are contiguous blocks in worker-id order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, permutations

import numpy as np

from gavel_dash.errors import UsageError
from gavel_dash.formats.vizbin_layout import MAX_GPUS
from gavel_dash.model import Cluster, Finding, GpuType

# Every order of the types is tried against the log; 8 types have 40,320 orders.
_MOST_TYPES_TO_PERMUTE = 8
_MOST_TYPES = 255


@dataclass(frozen=True)
class WorkerMap:
    """Where each worker of a log sits in the cluster.

    Attributes
    ----------
    cluster : Cluster
        Types in the order of their blocks.
    worker_ids, gpus : ndarray of int64, shape (n_seen_workers,)
        Sorted worker ids and the GPU index of each.
    findings : tuple of Finding
    """

    cluster: Cluster
    worker_ids: np.ndarray
    gpus: np.ndarray
    findings: tuple[Finding, ...]

    def gpus_of(self, workers: np.ndarray) -> np.ndarray:
        """GPU indexes, int64, of worker ids that were all given to `map_workers`."""
        return self.gpus[np.searchsorted(self.worker_ids, workers)]


def map_workers(
    totals: Mapping[str, int], type_of: Mapping[int, str | None], gpus_per_node: int | None = None
) -> WorkerMap:
    """Place the workers that ran something.

    The log's own ids are the GPU indexes where some order of the types makes every worker fall into its
    type's block; types that never ran get their blocks by elimination, in sorted-name order (the simulator
    registers its workers so). Otherwise (gaps, interleaved types) a worker's place is its rank in its type.

    Parameters
    ----------
    totals : mapping
        Number of GPUs per type; a type with more workers than that gets as many as it has.
    type_of : mapping
        Worker id to type name, None where no line tells it.
    gpus_per_node : int, optional
        Node size to note for every type.

    Raises
    ------
    UsageError
        More GPUs than a `.viz.bin` can hold.
    """
    members: dict[str, list[int]] = {name: [] for name in totals}
    for worker in sorted(type_of):
        name = type_of[worker]
        if name is not None:
            members.setdefault(name, []).append(worker)
    counts = {name: max(totals.get(name, 0), len(ids)) for name, ids in members.items()}
    n_gpus = max(sum(counts.values()), len(type_of))
    if n_gpus > MAX_GPUS or len(counts) > _MOST_TYPES:
        raise UsageError(f"{n_gpus} GPUs of {len(counts)} types do not fit a .viz.bin: {MAX_GPUS} of {_MOST_TYPES} do")
    findings = [
        Finding("more-workers-than-gpus", f"{name} has {totals[name]} GPUs in the log but {len(ids)} workers.", 1)
        for name, ids in members.items()
        if len(ids) > totals.get(name, len(ids))
    ]
    order = _contiguous_order(counts, members, max(type_of, default=-1))
    ids = np.array(sorted(type_of), np.int64)
    if order is not None:
        gpus = ids
    else:
        findings.append(Finding("worker-ids-by-rank", "Worker ids are not contiguous; GPUs are numbered by rank.", 1))
        order = sorted(members, key=lambda name: (not members[name], members[name][:1], name))
        # Workers of unknown type take the free places in order.
        starts = dict(zip(order, accumulate((counts[name] for name in order), initial=0), strict=False))
        place = {worker: starts[name] + i for name in order for i, worker in enumerate(members[name])}
        unknown = [worker for worker in sorted(type_of) if worker not in place]
        free = sorted(set(range(sum(counts.values()))) - set(place.values()))
        if len(unknown) > len(free):
            counts["unknown"] = counts.get("unknown", 0) + len(unknown) - len(free)
            order = [name for name in order if name != "unknown"] + ["unknown"]
            free += range(len(place) + len(free), len(place) + len(unknown))
        place.update(zip(unknown, free, strict=False))
        gpus = np.array([place[worker] for worker in ids.tolist()], np.int64)
    cluster = Cluster(tuple(GpuType(name, counts[name], gpus_per_node) for name in order))
    return WorkerMap(cluster, ids, gpus, tuple(findings))


def _contiguous_order(counts: Mapping[str, int], members: Mapping[str, list[int]], last: int) -> list[str] | None:
    """The first order of the types, sorted names first, in which every worker id lies in its type's block."""
    names = sorted(counts)
    if last >= sum(counts.values()) or len(names) > _MOST_TYPES_TO_PERMUTE:
        return None
    for order in permutations(names):
        start = 0
        for name in order:
            stop = start + counts[name]
            ids = members[name]
            if ids and (ids[0] < start or ids[-1] >= stop):
                break
            start = stop
        else:
            return list(order)
    return None
