"""Every GPU has a place of its own, and every label its room."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gavel_dash.figures.heatmap_bands import LABEL_PX, arrange
from gavel_dash.model import Cluster, GpuType


def cluster(*counts: int, node: int | None = None) -> Cluster:
    return Cluster(tuple(GpuType(f"t{i}", count, node) for i, count in enumerate(counts)))


CLUSTERS = [
    cluster(36, 36, 36),
    cluster(4, 4, 4),
    cluster(1),
    cluster(0, 5),
    cluster(40, 20, 10, 10, 10, 10, node=4),
    cluster(4392, 840, 312, 264, 200, 192, node=8),
    cluster(334, 333, 333),
    cluster(50_000),
    Cluster(()),
]


@pytest.mark.parametrize("one", CLUSTERS, ids=str)
@pytest.mark.parametrize(("height", "width"), [(360, 900), (200, 260)])
def test_every_gpu_has_its_own_cell_inside_its_band(one: Cluster, height: int, width: int) -> None:
    grid = arrange(one, height, width)
    rows, columns = grid.rows_and_columns()
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == one.gpus
    assert columns.max(initial=0) < grid.columns
    assert rows.max(initial=0) < len(grid.row_edges) - 1
    assert (np.diff(grid.row_edges) > 0).all()
    for band in grid.bands:
        own = grid.row_edges[rows[band.first_gpu : band.first_gpu + band.count]]
        assert ((own >= band.top) & (own < band.top + band.rows)).all()


@pytest.mark.parametrize("one", CLUSTERS[:-1], ids=str)
def test_labels_do_not_touch(one: Cluster) -> None:
    height = 360
    grid = arrange(one, height, 900)
    row_px = height / grid.height
    for above, below in pairwise(grid.bands):
        assert (below.label - above.label) * row_px >= 0.9 * LABEL_PX
        assert below.top > above.top + above.rows


def test_columns_are_a_multiple_of_the_node() -> None:
    assert arrange(cluster(40, 20, 12, node=4), 360, 900).columns % 4 == 0
    assert arrange(CLUSTERS[5], 360, 900).columns % 8 == 0


def test_rows_end_evenly_where_the_counts_allow() -> None:
    assert 36 % arrange(cluster(36, 36, 36), 360, 900).columns == 0


def test_given_columns_are_kept() -> None:
    assert arrange(cluster(36, 36), 360, 900, columns=7).columns == 7


def test_thousands_of_gpus_are_drawn_in_equal_rows() -> None:
    assert arrange(CLUSTERS[5], 360, 900).is_uniform
    assert not arrange(CLUSTERS[0], 360, 900).is_uniform


@pytest.mark.parametrize("n_types", [1, 6, 12, 100])
@pytest.mark.parametrize("height", [1, 24, 100])
def test_an_area_too_low_for_the_labels_makes_no_endless_grid(n_types: int, height: int) -> None:
    grid = arrange(cluster(*[500] * n_types, node=8), height, 600)
    assert grid.height <= 6 * (sum(band.rows for band in grid.bands) + n_types)
