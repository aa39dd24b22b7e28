"""Free GPUs and fragmentation, against rounds counted by hand and a slow count of random ones."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis import fragmentation
from gavel_dash.analysis.fragmentation import (
    BusyOf,
    Fragmentation,
    NodeFragmentation,
    compute_fragmentation,
    summarize_nodes,
    with_node_sizes,
)
from gavel_dash.model import Cluster, GpuType
from tests.plain_rounds import fragmented, free_by_node, occupied_nodes

#: Two nodes of four, and two GPUs of which no node is known.
CLUSTER = Cluster((GpuType("k80", 8, 4), GpuType("v100", 2)))


def busy_of(busy: np.ndarray) -> BusyOf:
    return lambda start, stop: busy[start:stop]


def fragmentation_of(cluster: Cluster, busy: np.ndarray, *scale_factors: int) -> Fragmentation:
    """Fragmentation where the file says in every round which GPUs are busy and counts none."""
    used = np.zeros((len(busy), len(cluster.gpu_types)), int)
    return compute_fragmentation(cluster, used, np.array(scale_factors, int), np.ones(len(busy), bool), busy_of(busy))


def nodes_of(cluster: Cluster, busy: np.ndarray, known: np.ndarray, *scale_factors: int) -> NodeFragmentation:
    return summarize_nodes(cluster, np.array(scale_factors, int), known, busy_of(busy), 0, len(busy))


def test_a_round_by_hand() -> None:
    # k80: one free GPU on the first node, three on the second; v100: one.
    busy = np.array([[1, 1, 0, 1, 0, 0, 1, 0, 0, 1], [1] * 10], dtype=bool)
    found = fragmentation_of(CLUSTER, busy, 1, 1, 2, 8)

    assert (found.classes, found.popularity.tolist()) == ((1, 2, 8), [0.5, 0.25, 0.25])
    assert (found.node_sizes, found.n_nodes, found.constrained.tolist()) == ((4, None), (2, 0), [True, False])
    assert found.free.tolist() == [[4, 1], [0, 0]]
    assert found.largest_block.tolist() == [[3, 1], [0, 0]]
    assert found.occupied_nodes.tolist() == [[2, 0], [2, 0]]
    # A class of 1 can use every free GPU, of 2 not the lone one, of 8 none. Nothing is said of the v100s.
    assert found.fragmented.tolist() == [[[0, 1, 4], [0, 0, 0]], [[0, 0, 0]] * 2]
    assert found.expected.tolist() == [[1.25, 0], [0, 0]]
    np.testing.assert_array_equal(found.rate(), [1.25 / 4, np.nan])
    np.testing.assert_array_equal(found.share(), [1.25 / 8, 0])


def test_an_idle_cluster_is_fragmented_by_classes_larger_than_a_node_only() -> None:
    found = fragmentation_of(CLUSTER, np.zeros((1, 10), bool), 4, 4, 8, 8)
    assert found.fragmented.tolist() == [[[0, 8], [0, 0]]]
    assert (found.rate().tolist(), found.share().tolist()) == ([0.5], [0.5])
    assert found.occupied_nodes.tolist() == [[0, 0]]


@pytest.mark.parametrize("gpus_per_node", [None, 1])
def test_without_nodes_nothing_can_fragment(gpus_per_node: int | None) -> None:
    cluster = Cluster((GpuType("k80", 4, gpus_per_node),))
    found = fragmentation_of(cluster, np.array([[1, 0, 1, 0]], bool), 1, 4)
    assert not found.can_fragment
    assert (found.node_sizes, found.n_nodes) == ((None,), (0,))
    assert (found.free.tolist(), found.largest_block.tolist(), found.occupied_nodes.tolist()) == ([[2]], [[2]], [[0]])
    assert np.isnan([*found.rate(), *found.share()]).all()
    assert len(nodes_of(cluster, np.zeros((1, 4), bool), np.array([True]), 1, 4).node) == 0


def test_without_a_scale_factor_nothing_is_said_of_fragmentation() -> None:
    found = fragmentation_of(CLUSTER, np.zeros((2, 10), bool), 0, 0)
    assert (found.classes, found.can_fragment, found.fragmented.shape) == ((), False, (2, 2, 0))
    assert np.isnan([*found.rate(), *found.share()]).all()
    assert found.largest_block.tolist() == [[4, 2]] * 2
    nodes = nodes_of(CLUSTER, np.zeros((2, 10), bool), np.ones(2, bool), 0)
    assert nodes.free.tolist() == [4, 4]
    assert np.isnan(nodes.expected).all()


def test_a_node_that_is_not_full_counts_with_what_it_has() -> None:
    cluster = Cluster((GpuType("k80", 5, 4), GpuType("v100", 3, 8)))
    found = fragmentation_of(cluster, np.array([[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 1]], bool), 2)
    assert found.n_nodes == (2, 1)
    assert found.largest_block.tolist() == [[1, 3], [4, 2]]
    assert found.occupied_nodes.tolist() == [[1, 0], [1, 1]]
    assert found.fragmented[:, :, 0].tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("block_cells", [1, 10, 30, 2**18])
def test_where_the_file_says_which_gpus_are_busy_that_counts(block_cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragmentation, "_BLOCK_CELLS", block_cells)
    monkeypatch.setattr(fragmentation, "_BLOCK_BYTES", 3 * block_cells)
    busy = np.zeros((4, 10), bool)
    busy[:, :3] = True
    used, known = np.array([[7, 2], [1, 1], [9, 2], [0, 0]]), np.array([True, False, False, True])
    found = compute_fragmentation(CLUSTER, used, np.array([2]), known, busy_of(busy))

    # Elsewhere what the simulator counts; it may count more GPUs than there are.
    assert found.free.tolist() == [[5, 2], [7, 1], [0, 0], [5, 2]]
    assert found.largest_block.tolist() == [[4, 2], [0, 0], [0, 0], [4, 2]]
    assert found.occupied_nodes.tolist() == [[1, 0], [0, 0], [0, 0], [1, 0]]
    assert found.fragmented[:, 0, 0].tolist() == [1, 0, 0, 1]
    np.testing.assert_array_equal(found.rate(), [1 / 5, np.nan, np.nan, 1 / 5])
    np.testing.assert_array_equal(found.share(), [1 / 8, np.nan, np.nan, 1 / 8])
    nodes = nodes_of(CLUSTER, busy, known, 2)
    assert (nodes.type_index.tolist(), nodes.node.tolist()) == ([0, 0], [0, 1])
    assert (nodes.free.tolist(), nodes.expected.tolist()) == ([1, 4], [1, 0])


def test_nodes_of_no_known_round_are_marked() -> None:
    nodes = nodes_of(CLUSTER, np.zeros((2, 10), bool), np.zeros(2, bool), 2)
    assert np.isnan([*nodes.free, *nodes.expected]).tolist() == [True] * 4
    assert len(nodes_of(CLUSTER, np.zeros((0, 10), bool), np.zeros(0, bool), 2).free) == 2


def test_no_rounds() -> None:
    found = fragmentation_of(CLUSTER, np.zeros((0, 10), bool), 2)
    assert [len(part) for part in (found.free, found.expected, found.rate(), found.share())] == [0] * 4


def test_node_sizes_are_for_types_whose_own_is_not_known() -> None:
    cluster = with_node_sizes(CLUSTER, {"k80": 2, "v100": 2, "a100": 8})
    assert [gpu_type.gpus_per_node for gpu_type in cluster.gpu_types] == [4, 2]
    assert with_node_sizes(CLUSTER, None) == with_node_sizes(CLUSTER, {"v100": 0}) == CLUSTER


@pytest.mark.parametrize(
    "types",
    [
        [(0, 13, 4), (13, 6, 2), (19, 5, None)],
        [(0, 12, 4), (12, 8, 4), (20, 4, 4)],
        [(0, 8, 4), (8, 12, 4), (20, 4, None)],
        [(0, 280, 8), (280, 16, 8), (296, 16, 8)],
    ],
)
@pytest.mark.parametrize("block_cells", [50, 2**18])
def test_random_rounds(
    block_cells: int, types: list[tuple[int, int, int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragmentation, "_BLOCK_CELLS", block_cells)
    monkeypatch.setattr(fragmentation, "_BLOCK_BYTES", 3 * block_cells)
    rng = np.random.default_rng(3)
    cluster = Cluster(tuple(GpuType(name, gpus, size) for name, (_, gpus, size) in zip("abc", types, strict=True)))
    scale_factors = rng.choice([1, 2, 3, 4, 8], 40).tolist()
    busy = rng.random((60, cluster.gpus)) < rng.uniform(0.2, 1.0, (60, 1))
    found = fragmentation_of(cluster, busy, *scale_factors)
    by_node = nodes_of(cluster, busy, np.ones(60, bool), *scale_factors)

    mean_free: dict[tuple[int, int], float] = {}
    mean_lost: dict[tuple[int, int], float] = {}
    for i, row in enumerate(busy.tolist()):
        for t, gpu_type in enumerate(types):
            nodes = free_by_node([[int(cell)] for cell in row], gpu_type)
            lost = [fragmented(nodes, gpu_type, size) for size in found.classes]
            assert found.free[i, t] == sum(nodes)
            assert found.largest_block[i, t] == max(nodes)
            assert found.occupied_nodes[i, t] == occupied_nodes(nodes, gpu_type)
            assert found.fragmented[i, t].tolist() == lost
            each = sum(fragmented(nodes, gpu_type, size) for size in scale_factors) / 40
            assert found.expected[i, t] == pytest.approx(each)
            for n, free in enumerate(nodes if gpu_type[2] else []):
                here = sum(fragmented([free], gpu_type, size) for size in scale_factors) / 40
                mean_free[t, n] = mean_free.get((t, n), 0) + free / 60
                mean_lost[t, n] = mean_lost.get((t, n), 0) + here / 60
    assert found.fragmented.any(axis=0).any(axis=1).tolist() == [size is not None for _, _, size in types]
    assert list(zip(by_node.type_index.tolist(), by_node.node.tolist(), strict=True)) == list(mean_free)
    assert by_node.free == pytest.approx(list(mean_free.values()))
    assert by_node.expected == pytest.approx(list(mean_lost.values()))
