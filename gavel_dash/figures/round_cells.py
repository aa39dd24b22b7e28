"""What one round looks like, as plain arrays: which job is on which GPU, and what is known about those jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gavel_dash.model import Cluster

if TYPE_CHECKING:
    from gavel_dash.formats.vizbin import VizFile
    from gavel_dash.sweep import Run

SECONDS_PER_HOUR = 3600.0
#: How many cells of earlier rounds are read to find since when the jobs hold their GPUs.
MOST_CELLS_BACK = 2**20
_BLOCK_CELLS = 2**16
_Described = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class CellJob:
    """A job that holds GPUs in the round.

    Attributes
    ----------
    job_type, category : str
        As the file names them; empty where the file has no record of the job.
    scale_factor : int or None
        GPUs it asks for.
    arrival_round : int or None
        Last round recorded before the job arrived.
    arrival_h : float or None
        Simulated time of that round.
    gpus : ndarray of int
        The GPUs it holds, in order; a GPU it shares counts as held.
    since_round : int or None
        Number of the round from which it has held these GPUs without a break. None where not known: it is a second
        tenant of a shared GPU.
    since_is_bound : bool
        True where the search back ended before the beginning was found: it began in `since_round` or before.
    """

    job_id: int
    job_type: str
    category: str
    scale_factor: int | None
    arrival_round: int | None
    arrival_h: float | None
    gpus: np.ndarray
    since_round: int | None
    since_is_bound: bool


@dataclass(frozen=True)
class CellJobs:
    """All jobs that hold GPUs in the round, by column: thousands of them must not cost a frame.

    Attributes
    ----------
    job_id : ndarray of int64, shape (n,)
        Increasing.
    job_type, category : ndarray of str objects, shape (n,)
    scale_factor, arrival_round, since_round : ndarray of int64, shape (n,)
        Scale factor 0 and rounds -1 where not known.
    arrival_h : ndarray of float, shape (n,)
        NaN where not known.
    since_is_bound : ndarray of bool, shape (n,)
    gpus : tuple of ndarray, n of them
    """

    job_id: np.ndarray
    job_type: np.ndarray
    category: np.ndarray
    scale_factor: np.ndarray
    arrival_round: np.ndarray
    arrival_h: np.ndarray
    since_round: np.ndarray
    since_is_bound: np.ndarray
    gpus: tuple[np.ndarray, ...]

    def __iter__(self) -> Iterator[CellJob]:
        """One `CellJob` at a time."""
        columns = (getattr(self, field.name) for field in fields(self)[:-1])
        plain = (column.tolist() for column in columns)
        for row in zip(*plain, self.gpus, strict=True):
            job_id, name, category, factor, arrival, arrival_h, since, is_bound, gpus = row
            known = arrival >= 0
            yield CellJob(
                job_id,
                name,
                category,
                factor or None,
                arrival if known else None,
                arrival_h if known else None,
                gpus,
                since if since >= 0 else None,
                is_bound,
            )


@dataclass(frozen=True)
class RoundCells:
    """One round of one run, all that `build_heatmap` draws. Made by `cells_of_round`, or by hand in tests.

    Attributes
    ----------
    cluster : Cluster
        GPU types in the order of the allocation array.
    allocation : ndarray of int64, shape (n_gpus,)
        Job on each GPU, -1 idle.
    gpus_used : ndarray of int, shape (n_types,)
        GPUs in use as the simulator counted them, types as in `cluster`.
    has_allocation : bool
        False where GPUs are in use and the file does not say by whom.
    jobs : CellJobs
        Every job in `allocation` and `sharing`.
    sharing : dict of int to ndarray of int64, shape (4,)
        GPUs with more than one tenant: the job in each quarter, -1 idle.
    may_share : bool
        Whether GPUs of this run are ever listed as shared: cells are then drawn as four quarters in all its rounds.
    categories : tuple
        Those of all jobs of the run, sorted: what a legend lists, so that it stays the same in all rounds.
    """

    cluster: Cluster
    allocation: np.ndarray
    gpus_used: np.ndarray
    has_allocation: bool
    jobs: CellJobs
    sharing: dict[int, np.ndarray]
    may_share: bool = False
    categories: tuple[str, ...] = ()


def cells_of_round(run: Run, index: int, most_cells_back: int = MOST_CELLS_BACK) -> RoundCells:
    """One round of a run by record index.

    Parameters
    ----------
    run : Run
        A run with rounds.
    index : int
        Record index, 0 <= index < run.n_rounds.
    most_cells_back : int
        Bound of the search for the round in which jobs got their GPUs; 0 leaves the search out.

    Raises
    ------
    GavelDashError
        When the run has no rounds, the index is outside, or the file is damaged in this round.
    """
    viz = run.viz
    run.check_round(index)
    allocation = viz.allocation(index)
    tenants = viz.sharing(index) if viz.has_sharing else {}
    sharing = {gpu: quarters for gpu, quarters in tenants.items() if _is_shared(quarters)}
    return RoundCells(
        cluster=viz.cluster,
        allocation=allocation,
        gpus_used=viz.gpus_used[index],
        has_allocation=viz.has_allocation(index),
        jobs=_jobs_on_gpus(viz, index, allocation, sharing, most_cells_back),
        sharing=sharing,
        may_share=viz.has_sharing,
        categories=tuple(sorted({viz.job_types.get(int(t), ("", ""))[1] for t in np.unique(viz.jobs["type_id"])})),
    )


def held_since(viz: VizFile, index: int, allocation: np.ndarray, most_cells: int) -> tuple[np.ndarray, int]:
    """First record index from which each GPU has had its present job without a break.

    Walks back in blocks of rounds until every busy GPU's job is seen to begin, or `most_cells` cells are read.

    Returns
    -------
    since : ndarray of int, shape (n_gpus,)
    bound : int
        Record index down to which was searched; a `since` that equals it may have begun before, unless it is 0.
    """
    since = np.full(len(allocation), index)
    open_gpus = np.flatnonzero(allocation >= 0)
    wanted = allocation[open_gpus] + viz.job_id_offset
    # Blocks double: most jobs began a few rounds ago, and a long one should not cost hundreds of small reads.
    stop, rounds = index, max(1, _BLOCK_CELLS // max(1, 16 * len(allocation)))
    left = most_cells // max(1, len(allocation))
    while stop > 0 and left > 0 and len(open_gpus):
        start = max(0, stop - min(rounds, left))
        same = viz.stored_allocations[start:stop][:, open_gpus] == wanted
        other = ~same[::-1]
        began = other.any(axis=0)
        since[open_gpus] = np.where(began, stop - other.argmax(axis=0), start)
        open_gpus, wanted = open_gpus[~began], wanted[~began]
        left -= stop - start
        stop, rounds = start, 2 * rounds
    return since, stop


def _is_shared(quarters: np.ndarray) -> bool:
    return len(set(quarters[quarters >= 0].tolist())) > 1


def _jobs_on_gpus(
    viz: VizFile, index: int, allocation: np.ndarray, sharing: dict[int, np.ndarray], most_cells: int
) -> CellJobs:
    gpus = np.flatnonzero(allocation >= 0)
    ids = allocation[gpus]
    if sharing:
        quarters = np.array(list(sharing.values())).ravel()
        where = np.repeat(np.array(list(sharing)), 4)
        pairs = np.concatenate([np.stack([ids, gpus], 1), np.stack([quarters, where], 1)[quarters >= 0]])
        ids, gpus = np.unique(pairs, axis=0).T
    order = np.argsort(ids, kind="stable")
    ids, gpus = ids[order], gpus[order]
    job_id, firsts = np.unique(ids, return_index=True)
    since_round, is_bound = np.full(len(job_id), -1), np.zeros(len(job_id), bool)
    if most_cells and len(job_id):
        since, bound = held_since(viz, index, allocation, most_cells)
        # The youngest of its GPUs tells: before that the job did not hold all of these.
        start = np.maximum.reduceat(since[gpus], firsts)
        first_tenant = np.logical_and.reduceat(allocation[gpus] == ids, firsts)
        since_round = np.where(first_tenant, viz.round_heads["round"][start].astype(np.int64), -1)
        is_bound = first_tenant & (start == bound) & (bound > 0)
    own = tuple(gpus[a:b] for a, b in pairwise([*firsts.tolist(), len(gpus)]))
    return CellJobs(job_id, *_describe_jobs(viz, job_id), since_round, is_bound, own)


def _describe_jobs(viz: VizFile, job_id: np.ndarray) -> _Described:
    """Type, category, scale factor, arrival round and arrival time of jobs, as `CellJobs` has them."""
    n, table, heads = len(job_id), viz.jobs_by_id, viz.round_heads
    names, categories = np.full(n, "", object), np.full(n, "", object)
    factors, arrivals, hours = np.zeros(n, np.int64), np.full(n, -1), np.full(n, np.nan)
    if not len(table):
        return names, categories, factors, arrivals, hours
    row = np.searchsorted(table["job_id"], job_id).clip(max=len(table) - 1)
    known = table["job_id"][row] == job_id
    jobs = table[row[known]]
    types, which = np.unique(jobs["type_id"], return_inverse=True)
    described = np.array([viz.job_types.get(t, ("", "")) for t in types.tolist()], object).reshape(-1, 2)
    names[known], categories[known] = described[which].T
    factors[known], arrivals[known] = jobs["scale_factor"], jobs["arrival_round"]
    record = np.searchsorted(heads["round"], jobs["arrival_round"], side="right") - 1
    hours[known] = heads["sim_time_s"][record.clip(min=0)] / SECONDS_PER_HOUR
    return names, categories, factors, arrivals, hours
