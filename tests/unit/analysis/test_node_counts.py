"""Marked GPUs by node and by type, against counting them one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gavel_dash.analysis import node_counts
from gavel_dash.analysis.node_counts import NodeCounts, any_size, count_by_type

#: GPUs and GPUs per node of each type: nodes of every kind of size, nodes that are not full, types of no or many GPUs.
CLUSTERS = [
    [(8, 4), (8, 4), (6, 2)],
    [(36, 4), (36, 4), (36, 8)],
    [(13, 4), (0, 4), (6, 2), (5, 1)],
    [(9, 3), (40, 16), (48, 24), (7, 8)],
    [(300, 4), (0, 1), (1, 1), (520, 8)],
    [(517, 6), (600, 300), (3, 2)],
    [(255, 255), (9, 2)],
    [(256, 256)],
]


def plain_nodes(marked: np.ndarray, types: list[tuple[int, int]]) -> list[list[np.ndarray]]:
    """Marked GPUs of each node, by type: arrays of shape (n,)."""
    found, first = [], 0
    for gpus, size in types:
        ends = [*range(first, first + gpus, size), first + gpus]
        found.append([marked[:, a:b].sum(axis=1) for a, b in pairwise(ends)])
        first += gpus
    return found


@pytest.mark.parametrize("types", CLUSTERS)
@pytest.mark.parametrize("n", [1, 7])
def test_every_node_is_counted(types: list[tuple[int, int]], n: int) -> None:
    rng = np.random.default_rng(n)
    marked = rng.random((n, sum(gpus for gpus, _ in types))) < rng.uniform(0.2, 1, (n, 1))
    marked[0] = True
    nodes_of = NodeCounts(types)
    counts = nodes_of.count(marked)

    expected = plain_nodes(marked, types)
    assert nodes_of.sizes.ravel().tolist() == [size for of_type in expected for size in (nodes[0] for nodes in of_type)]
    nothing = np.zeros(n, int)
    sums = [np.sum(of_type, axis=0) if of_type else nothing for of_type in expected]
    assert nodes_of.sum(counts).tolist() == [values.tolist() for values in sums]
    largest = [np.max(of_type, axis=0) if of_type else nothing for of_type in expected]
    assert nodes_of.max(counts).tolist() == [values.tolist() for values in largest]
    full = [np.sum([nodes == nodes[0] for nodes in of_type], axis=0) if of_type else nothing for of_type in expected]
    assert nodes_of.sum(counts == nodes_of.sizes).tolist() == [values.tolist() for values in full]


@pytest.mark.parametrize("gpus", [[3, 0, 5], [8, 300, 36], []])
def test_types_are_counted_in_blocks(gpus: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_counts, "_BLOCK_CELLS", 2 * max(1, sum(gpus)))
    stored = np.random.default_rng(0).choice(np.array([0, 1, 2**32 - 1], "<u4"), (7, sum(gpus)))

    shown = count_by_type(gpus, stored)

    parts = np.split(stored, np.cumsum(gpus[:-1]), axis=1) if gpus else []
    assert shown.T.tolist() == [(part > 0).sum(axis=1).tolist() for part in parts]
    assert (shown.shape, shown.dtype) == ((7, len(gpus)), np.int32)


def test_any_size_divides() -> None:
    assert [any_size(gpus) for gpus in (0, 5, 6, 36, 2064)] == [8, 1, 2, 4, 8]
