"""The frame rounds are painted into: every GPU has its place, every node its border, whatever the size."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from gavel_dash.figures.heatmap_bands import Grid, arrange
from gavel_dash.figures.player_frame import (
    BLOCK_GPUS,
    MARGIN,
    SMALLEST_CELL_PX,
    _node_edges_path,
    band_names,
    build_player_frame,
)
from gavel_dash.figures.theme import CATEGORY, token
from gavel_dash.model import Cluster, GpuType

SIZES = [(360, 900), (200, 300), (40, 40)]
CLUSTERS = [
    Cluster((GpuType("k80", 36), GpuType("p100", 36), GpuType("v100", 36))),
    Cluster((GpuType("a", 4392, 8), GpuType("b", 840, 8), GpuType("c", 200, 4))),
    Cluster((GpuType("a", 0, 4), GpuType("b", 5, 4))),
    Cluster((GpuType("a", 7, 512), GpuType("b", 65_528, 2))),
    Cluster((GpuType("a", 1),)),
    Cluster(()),
]


def frame_of(cluster: Cluster, height: int = 360, width: int = 900, **how: Any) -> dict[str, Any]:
    return build_player_frame(cluster, how.pop("theme", "light"), how.pop("color_by", "category"), height, width, **how)


def lines(path: str) -> tuple[set[tuple[int, float]], set[tuple[int, float]]]:
    """Sides of cells a path runs along: left sides of (column, y), upper sides of (column, y)."""
    left, upper = set(), set()
    steps = re.findall(r"M(\d+),([\d.]+)([VH])([\d.]+)", path)
    assert "".join(f"M{x},{y}{way}{end}" for x, y, way, end in steps) == path
    for x, y, way, end in steps:
        if way == "V":
            left |= {(int(x), round(float(y) + i, 3)) for i in range(round(float(end) - float(y)))}
        else:
            upper |= {(column, round(float(y), 3)) for column in range(int(x), int(end))}
    return left, upper


def sides_between(grid: Grid, sizes: list[int | None]) -> tuple[set[tuple[int, float]], set[tuple[int, float]]]:
    """Sides of cells at which one node ends, GPU by GPU, of types whose nodes are known and hold several GPUs."""
    left, upper = set(), set()
    for band, size in zip(grid.bands, sizes, strict=True):
        if not size or size == 1:
            continue
        node = {(i // grid.columns, i % grid.columns): i // size for i in range(band.count)}
        for row in range(band.rows + 1):
            for column in range(grid.columns + 1):
                here, y = node.get((row, column)), round(band.top + row, 3)
                if here != node.get((row, column - 1)):
                    left.add((column, y))
                if here != node.get((row - 1, column)):
                    upper.add((column, y))
    return left, upper


@pytest.mark.parametrize("cluster", CLUSTERS, ids=str)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_gpu_has_its_place(cluster: Cluster, height: int, width: int) -> None:
    grid = frame_of(cluster, height, width)["grid"]
    assert sum(band["count"] for band in grid["bands"]) == cluster.gpus
    assert [band["first_gpu"] for band in grid["bands"]] == list(cluster.first_gpus)[: len(cluster.gpu_types)]
    taken, end = 0, 0.0
    for band, gpu_type in zip(grid["bands"], cluster.gpu_types, strict=True):
        assert (band["name"], band["count"]) == (gpu_type.name, gpu_type.count)
        assert (band["rows"] - 1) * grid["columns"] < max(1, band["count"]) <= band["rows"] * grid["columns"]
        assert band["first_row"] >= taken
        assert band["top"] >= end
        taken, end = band["first_row"] + band["rows"], band["top"] + band["rows"]
    assert taken <= grid["rows"]
    assert end <= grid["height"]


def test_the_heatmap_takes_the_cells_that_the_grid_describes() -> None:
    for may_share, parts in ((False, 1), (True, 2)):
        frame = frame_of(CLUSTERS[0], may_share=may_share)
        heatmap, grid = frame["figure"]["data"][0], frame["grid"]
        assert (heatmap["type"], heatmap["z"], grid["parts"]) == ("heatmap", [], parts)
        assert (heatmap["x0"], heatmap["dx"]) == (0.5 / parts, 1 / parts)
        edges = heatmap["y"]  # rows of different heights are given by their edges
        assert len(edges) == grid["rows"] * parts + 1
        assert edges[-1] == pytest.approx(grid["height"])
        for band in grid["bands"]:
            first = band["first_row"] * parts
            rows = edges[first : first + band["rows"] * parts + 1]
            assert np.allclose(rows, band["top"] + np.arange(band["rows"] * parts + 1) / parts)
    large = frame_of(CLUSTERS[1])["figure"]["data"][0]
    assert (large["y0"], large["dy"]) == (0.5, 1.0)
    assert "y" not in large


def test_axes_are_in_gpus_and_all_of_the_cluster_is_in_view() -> None:
    frame = frame_of(CLUSTERS[0], 300, 500)
    layout, grid = frame["figure"]["layout"], frame["grid"]
    assert layout["xaxis"]["range"] == [0, grid["columns"]]
    assert layout["yaxis"]["range"] == [grid["height"], 0]
    assert (layout["height"], layout["margin"]) == (300, MARGIN)
    assert layout["yaxis"]["tickvals"] == [band["label"] for band in grid["bands"]]
    assert not layout["xaxis"]["automargin"]
    assert not layout["yaxis"]["automargin"]


@pytest.mark.parametrize(
    ("cluster", "columns"),
    [
        (Cluster((GpuType("whole", 32, 4),)), 8),
        (Cluster((GpuType("short", 22, 4), GpuType("few", 3, 4))), 12),
        (Cluster((GpuType("wrapped", 40, 8), GpuType("more", 7, 3))), 10),
        (Cluster((GpuType("wider than the row", 40, 16),)), 6),
        (Cluster((GpuType("single", 9, 1), GpuType("unknown", 9), GpuType("none", 0, 4), GpuType("pairs", 9, 2))), 4),
    ],
    ids=lambda value: value.gpu_types[0].name if isinstance(value, Cluster) else str(value),
)
def test_lines_enclose_each_node_and_run_through_none(cluster: Cluster, columns: int) -> None:
    grid = arrange(cluster, 300, 300, columns=columns)
    assert grid.columns == columns
    assert lines(_node_edges_path(cluster, grid)) == sides_between(grid, [t.gpus_per_node for t in cluster.gpu_types])


def test_nodes_that_fit_the_rows_take_few_lines() -> None:
    path = frame_of(Cluster((GpuType("a", 6_400, 8),)), 400, 1000)["nodes"]["path"]
    assert path.count("M") < 300  # 800 nodes


def test_without_known_nodes_there_are_no_lines_around_them() -> None:
    frame = frame_of(CLUSTERS[0])
    assert frame["nodes"]["path"] == ""
    assert {band["gpus_per_node"] for band in frame["grid"]["bands"]} == {None}
    assert {band["block_gpus"] for band in frame["grid"]["bands"]} == {BLOCK_GPUS}


def test_lines_between_cells_are_around_every_gpu_and_no_other_place() -> None:
    cluster = Cluster((GpuType("a", 10), GpuType("b", 3)))
    frame = frame_of(cluster)
    grid = arrange(cluster, 360 - MARGIN["t"] - MARGIN["b"], 900 - MARGIN["l"] - MARGIN["r"])
    left, upper = lines(frame["edges"]["path"])
    cells = {
        (c, round(band.top + i // grid.columns, 3))
        for band in grid.bands
        for i in range(band.count)
        for c in [i % grid.columns]
    }
    assert left == cells | {(c + 1, y) for c, y in cells}
    assert upper == cells | {(c, round(y + 1, 3)) for c, y in cells}


@pytest.mark.parametrize("size", [2, 3, 8, 40])
def test_rows_hold_whole_nodes_where_gpus_are_too_small_to_be_seen(size: int) -> None:
    cluster = Cluster((GpuType("a", 60_000, size), GpuType("b", 5_000, size)))
    grid = frame_of(cluster, 400, 1000)["grid"]
    assert min((1000 - MARGIN["l"] - MARGIN["r"]) / grid["columns"], 384 / grid["height"]) < SMALLEST_CELL_PX
    assert grid["columns"] % size == 0
    assert [band["block_gpus"] for band in grid["bands"]] == [size, size]


def test_blocks_of_eight_stand_for_unknown_nodes_where_gpus_are_too_small() -> None:
    assert frame_of(Cluster((GpuType("a", 65_535),)), 400, 1000)["grid"]["columns"] % BLOCK_GPUS == 0


def test_gpus_that_can_be_seen_are_arranged_as_beside_the_curves() -> None:
    for cluster in (CLUSTERS[0], CLUSTERS[2]):
        grid = frame_of(cluster)["grid"]
        plain = arrange(cluster, 360 - MARGIN["t"] - MARGIN["b"], 900 - MARGIN["l"] - MARGIN["r"])
        assert (grid["columns"], grid["height"]) == (plain.columns, plain.height)


@pytest.mark.parametrize("size", [70_000, 10**12])
def test_a_node_larger_than_its_type_makes_no_larger_grid(size: int) -> None:
    grid = frame_of(Cluster((GpuType("a", 65_535, size),)), 400, 1000)["grid"]
    assert grid["columns"] * grid["rows"] < 4 * 65_535


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_looks_and_legend_follow_the_runs_on_screen(theme: str) -> None:
    frame = frame_of(CLUSTERS[0], theme=theme, color_by="scale_factor", categories=["resnet"], scale_factors=[1, 2, 8])
    assert {name: look["rule"]["kind"] for name, look in frame["looks"].items()} == {
        "jobs": "scale_factor",
        "share": "share",
        "difference": "difference",
    }
    named = [trace["name"] for trace in frame["figure"]["data"][1:]]
    assert named == ["1 GPU", "2 GPUs", "8 GPUs", "Idle"] == [label for _, label, _ in frame["looks"]["jobs"]["legend"]]
    by_category = frame_of(CLUSTERS[0], theme=theme, categories=["resnet"])["figure"]["data"][1]
    assert (by_category["name"], by_category["marker"]["color"]) == ("ResNet", CATEGORY["resnet"])
    assert frame["nodes"]["color"] == token(theme, "muted")


def test_names_of_files_are_text_and_short() -> None:
    cluster = Cluster((GpuType("<b>", 1200), GpuType("a-very-long-gpu-name", 1)))
    assert band_names(cluster) == ["<b>&lt;B&gt;</b> 1,200", "<b>A-VERY-LONG…</b> 1"]
    assert frame_of(cluster)["figure"]["layout"]["yaxis"]["ticktext"] == band_names(cluster)


def test_a_frame_is_plain_json() -> None:
    for cluster in CLUSTERS:
        frame = frame_of(cluster)
        for part in ("grid", "looks", "edges", "nodes"):
            assert json.loads(json.dumps(frame[part])) is not None
