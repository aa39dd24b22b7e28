"""Who waits while GPUs are free, against rounds counted by hand and against a slow count of random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gavel_dash.analysis.blocked_demand import (
    COULD_START,
    NO_GPUS,
    SCATTERED,
    BlockedDemand,
    Contention,
    QueuedDemand,
    count_queued,
    reasons_to_wait,
    split_queue,
    summarize_contention,
)
from gavel_dash.analysis.fragmentation import Fragmentation, compute_fragmentation
from gavel_dash.model import Cluster, GpuType
from tests.plain_rounds import free_by_node, hindrance

JOB_DTYPE = np.dtype([("job_id", "i8"), ("scale_factor", "u1")])
#: Two nodes of four, and two GPUs of which no node is known.
CLUSTER = Cluster((GpuType("k80", 8, 4), GpuType("v100", 2)))
Stays = list[tuple[int, int]]
NOBODY = (np.empty(0, int), np.empty(0, int), np.empty(0, int))


def jobs_of(*scale_factors: int) -> np.ndarray:
    """Jobs 0, 1, 2 ... with these scale factors."""
    return np.array(list(enumerate(scale_factors)), dtype=JOB_DTYPE)


def queued_of(
    jobs: np.ndarray, stays: Stays, jobs_queued: list[int], queues: dict[int, list[int]], running: Stays | None = None
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """Queued jobs; `running` is a stretch of each job. Only the rounds in `queues` may be asked for theirs."""
    since, until = np.array(stays, int).reshape(-1, 2).T
    stretches = NOBODY
    if running is not None:
        start, stop = np.array(running, int).T
        stretches = (np.arange(len(running)), start, stop)
    return count_queued(
        jobs, (since, until), stretches, np.array(jobs_queued), lambda record: np.array(queues.pop(record), int)
    )


def fragmentation_of(cluster: Cluster, busy: np.ndarray, known: np.ndarray | None = None) -> Fragmentation:
    used = np.zeros((len(busy), len(cluster.gpu_types)), int)
    is_known = np.ones(len(busy), bool) if known is None else known
    return compute_fragmentation(cluster, used, np.array([1]), is_known, lambda start, stop: busy[start:stop])


def contention(
    cluster: Cluster, busy: np.ndarray, queues: list[list[int]], jobs: np.ndarray, known: np.ndarray | None = None
) -> Contention:
    """Contention over all rounds; `busy` has shape (n_rounds, n_gpus)."""
    free = fragmentation_of(cluster, busy, known)
    lengths = np.array([len(queue) for queue in queues], int)
    nobody = np.zeros(len(jobs), int)
    queued = count_queued(jobs, (nobody, nobody), NOBODY, lengths, lambda record: np.array(queues[record], int))
    return summarize_contention(split_queue(*queued, free), free, 0, len(busy))


def test_jobs_queue_while_they_are_in_the_system_and_on_no_gpu() -> None:
    jobs = jobs_of(1, 4, 4)
    factors, queued, known = queued_of(
        jobs, [(0, 3), (1, 4), (1, 1)], [0, 1, 2, 0], {}, running=[(0, 2), (3, 4), (4, 4)]
    )
    assert factors == (1, 4)
    assert queued.tolist() == [[0, 0], [0, 1], [1, 1], [0, 0]]
    assert known.all()


def test_where_they_are_not_as_many_as_counted_the_queue_is_read() -> None:
    factors, queued, known = queued_of(
        jobs_of(1, 4), [(0, 4), (0, 4)], [2, 1, 3, 5], {1: [1], 2: [0, 1, 99], 3: [1, 0]}
    )
    assert factors == (0, 1, 4)  # job 99 has no record
    assert queued.tolist() == [[0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1]]
    assert known.tolist() == [True, True, True, False]


def test_a_job_that_runs_outside_its_stay_does_not_make_up_for_one_that_is_gone() -> None:
    _, queued, known = queued_of(jobs_of(1, 4), [(1, 1), (0, 1)], [0], {0: []}, running=[(0, 1), (1, 1)])
    assert (queued.tolist(), known.tolist()) == ([[0, 0]], [True])


def test_a_queue_that_is_only_counted_is_of_unknown_size() -> None:
    factors, queued, known = queued_of(jobs_of(), [], [0, 7], {1: []})
    assert (factors, queued.tolist(), known.tolist()) == ((0,), [[0], [7]], [True, True])
    demand = split_queue(factors, queued, known, fragmentation_of(CLUSTER, np.zeros((2, 10), bool)))
    assert not (demand.no_gpus | demand.scattered | demand.could_start).any()


def test_job_ids_in_any_order() -> None:
    jobs = np.array([(40, 1), (7, 4), (12, 2)], JOB_DTYPE)
    factors, queued, _ = queued_of(jobs, [(0, 0)] * 3, [2], {0: [12, 7]})
    assert (factors, queued.tolist()) == ((1, 2, 4), [[0, 1, 1]])


def test_a_round_by_hand() -> None:
    # k80: two free GPUs on either node, v100: none free. One job each of 1, 2, 3 and 8 GPUs waits.
    busy = np.array([[0, 0, 1, 1, 0, 1, 0, 1, 1, 1], [0] * 10], dtype=bool)
    seen = contention(CLUSTER, busy, [[0, 1, 2, 3], []], jobs_of(1, 2, 3, 8))
    assert seen.queued == (
        QueuedDemand(1, 1.0, 0.0, 0.0, 1.0),
        QueuedDemand(2, 1.0, 0.0, 0.0, 1.0),
        QueuedDemand(3, 1.0, 0.0, 1.0, 0.0),  # four are free, on no node more than two
        QueuedDemand(8, 1.0, 1.0, 0.0, 0.0),
    )
    assert seen.knows_nodes
    assert (seen.free_gpus, seen.free_by_type) == (4.0, {"k80": 4.0, "v100": 0.0})
    # The second round has free GPUs but nobody waits: it counts among the rounds only.
    assert (seen.n_rounds, seen.n_waiting, seen.free_while_waiting) == (2, 1, 0.5)


def test_a_job_larger_than_a_node_spans_nodes() -> None:
    busy = np.array([[0] * 6 + [1] * 4], dtype=bool)
    (six,) = contention(CLUSTER, busy, [[0]], jobs_of(6)).queued
    assert (six.no_gpus, six.scattered, six.could_start) == (0.0, 0.0, 1.0)


def test_a_job_may_start_where_no_node_is_known() -> None:
    # Three k80 on two nodes would do for 2 GPUs nowhere; the two v100s do.
    busy = np.array([[1, 1, 1, 0, 1, 1, 1, 0, 0, 0]], dtype=bool)
    (two,) = contention(CLUSTER, busy, [[0]], jobs_of(2)).queued
    assert (two.scattered, two.could_start) == (0.0, 1.0)


@pytest.mark.parametrize("gpus_per_node", [None, 1])
def test_without_a_node_size_nothing_is_said_about_scattered_gpus(gpus_per_node: int | None) -> None:
    cluster = Cluster((GpuType("k80", 4, gpus_per_node),))
    seen = contention(cluster, np.array([[1, 0, 1, 0]], bool), [[0, 1]], jobs_of(2, 3))
    assert not seen.knows_nodes
    assert seen.queued == (QueuedDemand(2, 1.0, 0.0, None, 1.0), QueuedDemand(3, 1.0, 1.0, None, 0.0))


def test_where_it_is_not_said_which_gpus_are_busy_nodes_say_nothing() -> None:
    used, known = np.array([[5, 2], [5, 2]]), np.array([False, True])
    busy = np.array([[0, 1, 1, 1, 0, 0, 1, 1, 1, 1]] * 2, bool)
    free = compute_fragmentation(CLUSTER, used, np.array([1]), known, lambda start, stop: busy[start:stop])
    queued = queued_of(jobs_of(3), [(0, 2)], [1, 1], {})
    demand = split_queue(*queued, free)
    assert demand.known.tolist() == [False, True]
    assert (demand.scattered.tolist(), demand.could_start.tolist()) == ([[0], [1]], [[1], [0]])
    assert not summarize_contention(demand, free, 0, 2).knows_nodes
    assert summarize_contention(demand, free, 0, 2).queued == (QueuedDemand(3, 1.0, 0.0, None, 0.5),)
    assert summarize_contention(demand, free, 1, 2).queued == (QueuedDemand(3, 1.0, 0.0, 1.0, 0.0),)


def test_jobs_of_unknown_size_are_counted_and_not_split() -> None:
    busy = np.zeros((1, 10), dtype=bool)
    seen = contention(CLUSTER, busy, [[0, 1, 77]], jobs_of(0, 2))  # job 77 is not in the table
    assert seen.queued == (QueuedDemand(2, 1.0, 0.0, 0.0, 1.0), QueuedDemand(None, 2.0, None, None, None))


def test_no_rounds_and_no_queue_are_marked() -> None:
    busy = np.zeros((3, 10), dtype=bool)
    nobody = contention(CLUSTER, busy, [[], [], []], jobs_of(1))
    assert (nobody.n_waiting, nobody.free_while_waiting, nobody.queued) == (0, 0.0, ())
    assert math.isnan(nobody.free_gpus)
    nothing = contention(CLUSTER, busy[:0], [], jobs_of())
    assert nothing.n_rounds == 0
    assert math.isnan(nothing.free_while_waiting)


def test_every_round_of_a_stretch_is_looked_at() -> None:
    busy = np.arange(200)[:, None] % 4 >= np.arange(4)  # 3, 2, 1, 0 GPUs free in turn
    free = fragmentation_of(Cluster((GpuType("k80", 4),)), busy)
    demand = split_queue(*queued_of(jobs_of(1), [(0, 200)], [1] * 200, {}), free)
    seen = summarize_contention(demand, free, 101, 141)
    assert (seen.n_rounds, seen.n_waiting, seen.free_gpus, seen.free_while_waiting) == (40, 40, 1.5, 0.75)
    assert seen.queued == (QueuedDemand(1, 1.0, 0.25, None, 0.75),)


def random_demand() -> tuple[BlockedDemand, np.ndarray, list[list[int]], np.ndarray]:
    rng = np.random.default_rng(3)
    cluster = Cluster((GpuType("a", 12, 4), GpuType("b", 6, 2), GpuType("c", 5)))
    jobs = jobs_of(*rng.choice([1, 2, 3, 4, 8], 40))
    busy = rng.random((60, 23)) < rng.uniform(0.4, 1.0, (60, 1))
    queues = [rng.choice(40, rng.integers(0, 20), replace=False).tolist() for _ in range(60)]
    nobody = np.zeros(40, int)
    lengths = np.array([len(queue) for queue in queues])
    queued = count_queued(jobs, (nobody, nobody), NOBODY, lengths, lambda record: np.array(queues[record], int))
    return split_queue(*queued, fragmentation_of(cluster, busy)), busy, queues, jobs


def test_the_split_agrees_with_a_slow_count() -> None:
    demand, busy, queues, jobs = random_demand()
    types = [(0, 12, 4), (12, 6, 2), (18, 5, None)]
    seen = {part: np.zeros_like(demand.queued) for part in ("no_gpus", "scattered", "could_start")}
    for i, (row, queue) in enumerate(zip(busy.tolist(), queues, strict=True)):
        free = [free_by_node([[int(cell)] for cell in row], gpu_type) for gpu_type in types]
        for job in queue:
            size = int(jobs["scale_factor"][job])
            seen[hindrance(size, free, types)][i, demand.scale_factors.index(size)] += 1
    assert seen["scattered"].any()
    for part, counts in seen.items():
        assert getattr(demand, part).tolist() == counts.tolist(), part
    assert (demand.no_gpus + demand.scattered + demand.could_start).tolist() == demand.queued.tolist()
    assert demand.queued.sum(axis=1).tolist() == [len(queue) for queue in queues]
    pending = [sum(int(jobs["scale_factor"][job]) for job in queue) for queue in queues]
    assert demand.pending_gpus.sum(axis=1).tolist() == pending


def test_each_waiting_job_has_its_own_reason() -> None:
    # Nodes of 4: two GPUs free on each of two nodes; the second record does not say who holds the GPUs.
    cluster = Cluster((GpuType("k80", 8, 4),))
    busy = np.array([[1, 1, 0, 0, 1, 1, 0, 0], [0] * 8], dtype=bool)
    fragmentation = compute_fragmentation(
        cluster, np.array([[4], [5]]), np.array([2]), np.array([True, False]), lambda start, stop: busy[start:stop]
    )
    sizes = np.array([2, 3, 5, 0, 4])
    assert reasons_to_wait(sizes, fragmentation, 0) == [COULD_START, SCATTERED, NO_GPUS, None, SCATTERED]
    assert reasons_to_wait(np.array([2, 4, 5, 0]), fragmentation, 1) == [None, NO_GPUS, NO_GPUS, None]
