"""The Gantt's figure: codes, what is hatched and outlined, where hours and bands stand."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from gavel_dash.analysis.gantt import GanttCells, summarize_cells
from gavel_dash.analysis.phases import Phases
from gavel_dash.figures.gantt import build_gantt_figure, codes_of_cells, codes_of_jobs, full_palette
from gavel_dash.figures.gantt_axes import hour_ticks
from gavel_dash.figures.gantt_view import GanttView, plan_view
from gavel_dash.figures.player_colors import player_coloring
from gavel_dash.model import Cluster, GpuType

CLUSTER = Cluster((GpuType("k80", 3), GpuType("v100", 2)))
STORED = np.array([[5, 5, 0, 6, 6]] * 4 + [[0, 5, 5, 6, 6]] * 4, np.uint32)
LOOK = player_coloring("category", "light", ["resnet"], [1, 2])


def codes(trace: dict[str, Any]) -> np.ndarray:
    """The matrix of a heatmap as the browser reads it."""
    shape = tuple(int(n) for n in trace["z"]["shape"].split(","))
    assert trace["z"]["dtype"] == "u1"
    return np.frombuffer(b64decode(trace["z"]["bdata"]), np.uint8).reshape(shape)


def numbers(packed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(b64decode(packed["bdata"]), packed["dtype"])


def draw(
    x: list[float] | None = None, known: np.ndarray | None = None, selected: int = 0, y: list[float] | None = None
) -> tuple[GanttView, GanttCells, dict[str, Any]]:
    view = plan_view(CLUSTER, 1, 8, x, y, 800, 400)
    seen = np.ones(8, bool) if known is None else known
    cells = summarize_cells(
        lambda a, b: STORED[a:b],
        seen[view.start : view.stop],
        view.start,
        view.stop,
        view.per_column,
        view.rows,
        selected,
    )
    job_codes = np.where(cells.stored == 5, 1, 2).astype(np.uint8)
    coded = codes_of_cells(cells, job_codes, len(LOOK["palette"]), bool(selected))
    edges_h = np.arange(9) / 10
    shares = np.array([0.5, 1.0])
    phases = Phases(2, 6)
    return (
        view,
        cells,
        build_gantt_figure(view, cells, coded, LOOK, CLUSTER, shares, edges_h, phases, "light", 500, "a run"),
    )


def test_a_band_is_a_heatmap_with_its_gpus_from_the_top() -> None:
    view, _, figure = draw()
    k80, v100 = figure["data"][:2]
    assert codes(k80).tolist() == [[1] * 4 + [0] * 4, [1] * 8, [0] * 4 + [1] * 4]
    assert codes(v100).tolist() == [[2] * 8] * 2
    assert (k80["x0"], k80["dx"], k80["dy"]) == (0.5, 1, 1)
    assert k80["y0"] == 0.5
    assert v100["y0"] == view.grid.bands[1].top + 0.5
    assert figure["layout"]["yaxis"]["range"] == [view.grid.height, 0]
    assert figure["layout"]["yaxis"]["ticktext"] == ["<b>K80</b> 3<br>50.0% busy", "<b>V100</b> 2<br>100.0% busy"]


def test_a_part_in_view_is_drawn_where_it_is() -> None:
    _, _, figure = draw(x=[4, 8], y=[1, 3])
    (k80,) = [trace for trace in figure["data"] if trace["type"] == "heatmap"]
    assert codes(k80).tolist() == [[1] * 4, [1] * 4]
    assert (k80["x0"], k80["y0"]) == (4.5, 1.5)
    assert figure["layout"]["yaxis"]["ticktext"] == ["<b>K80</b> 3<br>50.0% busy<br>GPU 1–2"]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["measurement", "cool-down"]
    assert figure["layout"]["annotations"][0]["x"] == 4


def test_the_selected_job_is_outlined_and_the_rest_dimmed() -> None:
    _, cells, figure = draw(selected=5)
    n = len(LOOK["palette"])
    assert codes(figure["data"][0]).tolist() == [[1] * 4 + [n + 1] * 4, [1] * 8, [n + 1] * 4 + [1] * 4]
    assert (codes(figure["data"][1]) == n + 1 + 2).all()
    outline = figure["data"][4]
    assert np.nanmin(numbers(outline["x"])) == 0
    assert np.nanmax(numbers(outline["x"])) == 8
    assert np.nanmax(numbers(outline["y"])) == 3
    assert len(numbers(draw()[2]["data"][4]["x"])) == 0
    assert cells.has_selected.sum() == 16


def test_unknown_rounds_are_hatched_and_named() -> None:
    known = np.array([True] * 6 + [False] * 2)
    _, _, figure = draw(known=known)
    n = len(LOOK["palette"])
    assert (codes(figure["data"][0])[:, 6:] == n).all()
    hatching = figure["data"][2]
    assert {x for x in hatching["x"] if x is not None} == {6, 8}
    assert "No allocation data" in [trace.get("name") for trace in figure["data"]]
    clear = draw()[2]
    assert clear["data"][2]["x"] == []
    assert "No allocation data" not in [trace.get("name") for trace in clear["data"]]


def test_a_palette_has_every_code_once_plain_and_once_dimmed() -> None:
    palette = full_palette(LOOK["palette"], "light")
    assert len(palette) == 2 * len(LOOK["palette"]) + 1
    assert palette[len(LOOK["palette"]) + 1] == LOOK["palette"][0]  # idle stays the panel


@pytest.mark.parametrize(
    ("color_by", "expected"), [("category", [1, 7, 7]), ("scale_factor", [1, 3, 7]), ("job", [1, 2, 3])]
)
def test_codes_follow_the_rules_of_the_cluster_page(color_by: str, expected: list[int]) -> None:
    rule = player_coloring(color_by, "light", ["resnet"], [1, 3])["rule"]
    found = codes_of_jobs(rule, np.array([24, 1, 2]), np.array(["resnet", "something", ""]), np.array([1, 3, 0]))
    assert found.tolist() == expected


def test_hours_stand_where_they_are_also_in_uneven_rounds() -> None:
    edges_h = np.array([0, 0, 1, 2, 10, 11.0])
    places, texts = hour_ticks(edges_h, 0, 5)
    at = dict(zip(texts, places, strict=True))
    assert at["2"] == 3
    assert at["6"] == pytest.approx(3.5)
    assert at["10"] == 4
    assert hour_ticks(np.zeros(3), 0, 2) == ([0.0], ["0.0"])
