"""Who waits while GPUs are free, against rounds counted by hand and against a slow count of random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gavel_dash.analysis import fragmentation
from gavel_dash.analysis.fragmentation import Contention, QueuedDemand, largest_free_blocks, summarize_contention
from gavel_dash.model import Cluster, GpuType

JOB_DTYPE = np.dtype([("job_id", "i8"), ("scale_factor", "u1")])
#: Two nodes of four, and two GPUs of which no node is known.
CLUSTER = Cluster((GpuType("k80", 8, 4), GpuType("v100", 2)))


def jobs_of(*scale_factors: int) -> np.ndarray:
    """Jobs 0, 1, 2 ... with these scale factors."""
    return np.array(list(enumerate(scale_factors)), dtype=JOB_DTYPE)


def contention(cluster: Cluster, busy: np.ndarray, queues: list[list[int]], jobs: np.ndarray) -> Contention:
    """Contention over all rounds; `busy` has shape (n_rounds, n_gpus)."""
    ends = np.cumsum([gpu_type.count for gpu_type in cluster.gpu_types])[:-1]
    used = np.stack([part.sum(axis=1) for part in np.split(busy, ends, axis=1)], axis=1)
    return summarize_contention(
        cluster, used, jobs, 0, len(busy), lambda i: np.array(queues[i], dtype=np.int64), lambda i: busy[i]
    )


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
    # The second round has free GPUs but nobody waits: it counts among the rounds looked at only.
    assert (seen.n_rounds, seen.n_looked_at, seen.n_waiting, seen.free_while_waiting) == (2, 2, 1, 0.5)


def test_a_job_larger_than_a_node_spans_nodes() -> None:
    busy = np.array([[0] * 6 + [1] * 4], dtype=bool)
    (six,) = contention(CLUSTER, busy, [[0]], jobs_of(6)).queued
    assert (six.no_gpus, six.scattered, six.could_start) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("gpus_per_node", [None, 1])
def test_without_a_node_size_nothing_is_said_about_scattered_gpus(gpus_per_node: int | None) -> None:
    cluster = Cluster((GpuType("k80", 4, gpus_per_node),))
    used = np.array([[2]])
    seen = summarize_contention(
        cluster, used, jobs_of(2, 3), 0, 1, lambda _: np.array([0, 1]), lambda _: pytest.fail("nodes are not known")
    )
    assert not seen.knows_nodes
    assert seen.queued == (QueuedDemand(2, 1.0, 0.0, None, 1.0), QueuedDemand(3, 1.0, 1.0, None, 0.0))


def test_without_an_allocation_nodes_say_nothing() -> None:
    seen = summarize_contention(CLUSTER, np.array([[4, 2]]), jobs_of(3), 0, 1, lambda _: np.array([0]), lambda _: None)
    assert not seen.knows_nodes
    assert seen.queued == (QueuedDemand(3, 1.0, 0.0, None, 1.0),)


def test_gpus_that_the_simulator_counts_as_used_are_not_free() -> None:
    # The allocation shows a node of four free, the simulator counts seven of eight in use.
    used, busy = np.array([[7, 2]]), np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 1], dtype=bool)
    seen = summarize_contention(CLUSTER, used, jobs_of(2), 0, 1, lambda _: np.array([0]), lambda _: busy)
    assert seen.queued == (QueuedDemand(2, 1.0, 1.0, 0.0, 0.0),)


def test_jobs_of_unknown_size_are_counted_and_not_split() -> None:
    busy = np.zeros((1, 10), dtype=bool)
    seen = contention(CLUSTER, busy, [[0, 1, 77]], jobs_of(0, 2))  # job 77 is not in the table
    assert seen.queued == (QueuedDemand(2, 1.0, 0.0, 0.0, 1.0), QueuedDemand(None, 2.0, None, None, None))


def test_a_node_that_is_not_full_counts_with_what_it_has() -> None:
    cluster = Cluster((GpuType("k80", 5, 4), GpuType("v100", 3)))
    busy = np.array([1, 1, 1, 1, 0, 1, 0, 0], dtype=bool)
    assert largest_free_blocks(cluster, busy).tolist() == [1, 2]


def test_no_rounds_and_no_queue_are_marked() -> None:
    busy = np.zeros((3, 10), dtype=bool)
    nobody = contention(CLUSTER, busy, [[], [], []], jobs_of(1))
    assert (nobody.n_waiting, nobody.free_while_waiting, nobody.queued) == (0, 0.0, ())
    assert math.isnan(nobody.free_gpus)
    nothing = contention(CLUSTER, busy[:0], [], jobs_of())
    assert (nothing.n_rounds, nothing.n_looked_at) == (0, 0)
    assert math.isnan(nothing.free_while_waiting)


def test_a_long_stretch_is_looked_at_in_evenly_spaced_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragmentation, "MOST_ROUNDS", 5)
    asked: list[int] = []

    def queue_of(index: int) -> np.ndarray:
        asked.append(index)
        return np.array([0])

    cluster = Cluster((GpuType("k80", 4),))
    seen = summarize_contention(cluster, np.zeros((200, 1), int), jobs_of(1), 100, 141, queue_of, lambda _: None)
    assert asked == [100, 110, 120, 130, 140]
    assert (seen.n_rounds, seen.n_looked_at, seen.n_waiting) == (41, 5, 5)


def test_the_split_agrees_with_a_slow_count() -> None:
    rng = np.random.default_rng(3)
    cluster = Cluster((GpuType("a", 12, 4), GpuType("b", 6, 2), GpuType("c", 5)))
    jobs = jobs_of(*rng.choice([1, 2, 3, 4, 8], 40))
    busy = rng.random((60, 23)) < rng.uniform(0.4, 1.0, (60, 1))
    queues = [rng.choice(40, rng.integers(0, 20), replace=False).tolist() for _ in range(60)]
    seen = contention(cluster, busy, queues, jobs)
    assert seen.n_waiting < 60  # some rounds have no queue

    counts: dict[int, list[int]] = {}
    for row, queue in zip(busy, queues, strict=True):
        for job in queue:
            size = int(jobs["scale_factor"][job])
            by_type = [(~row[:12], 4), (~row[12:18], 2), (~row[18:], 5)]
            enough = any(free.sum() >= size for free, _ in by_type)
            held = any(
                free.sum() >= size
                if size > node
                else any(free[at : at + node].sum() >= size for at in range(0, len(free), node))
                for free, node in by_type
            )
            counts.setdefault(size, [0, 0, 0])[2 if held else 1 if enough else 0] += 1
    assert any(scattered for _, scattered, _ in counts.values())
    for demand in seen.queued:
        assert demand.scale_factor is not None
        no_gpus, scattered, could_start = (n / seen.n_waiting for n in counts[demand.scale_factor])
        assert (demand.no_gpus, demand.scattered, demand.could_start) == pytest.approx(
            (no_gpus, scattered, could_start)
        )
        assert demand.n_queued == pytest.approx(no_gpus + scattered + could_start)
    assert sum(demand.n_queued for demand in seen.queued) * seen.n_waiting == pytest.approx(sum(map(len, queues)))
