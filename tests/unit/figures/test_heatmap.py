"""The heatmap shows what the round says: nothing unknown as idle, nothing shared as single, text as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gavel_dash.figures.heatmap import band_labels, build_heatmap
from gavel_dash.figures.heatmap_colors import category_label, category_legend, codes_of_categories, stepped_colorscale
from gavel_dash.figures.heatmap_hover import format_ranges
from gavel_dash.figures.round_cells import CellJobs, RoundCells
from gavel_dash.figures.theme import CATEGORY, token
from gavel_dash.model import Cluster, GpuType

CLUSTER = Cluster((GpuType("k80", 4), GpuType("v<100", 6)))


def make_jobs(gpus_of_job: dict[int, list[int]], **columns: Any) -> CellJobs:
    n = len(gpus_of_job)
    known: dict[str, Any] = {
        "job_type": np.full(n, "LM <b>5</b>", object),
        "category": np.full(n, "language_model", object),
        "scale_factor": np.array([len(gpus) for gpus in gpus_of_job.values()]),
        "arrival_round": np.full(n, 10),
        "arrival_h": np.full(n, 1.0),
        "since_round": np.full(n, 12),
        "since_is_bound": np.zeros(n, bool),
    }
    gpus = tuple(np.array(gpus) for gpus in gpus_of_job.values())
    return CellJobs(job_id=np.array(list(gpus_of_job)), gpus=gpus, **{**known, **columns})


def make_cells(**changes: Any) -> RoundCells:
    """GPUs 0-1 run job 0, GPU 5 runs job 7; the rest is idle."""
    cells = RoundCells(
        cluster=CLUSTER,
        allocation=np.array([0, 0, -1, -1, -1, 7, -1, -1, -1, -1]),
        gpus_used=np.array([2, 1]),
        has_allocation=True,
        jobs=make_jobs({0: [0, 1], 7: [5]}),
        sharing={},
        categories=("language_model", "resnet"),
    )
    return replace(cells, **changes)


def drawn(figure: dict[str, Any]) -> dict[tuple[int, int], float]:
    z = figure["data"][0]["z"]
    return {(row, column): z[row, column] for row, column in np.argwhere(~np.isnan(z)).tolist()}


def test_cells_follow_worker_order_with_blank_rows_between_types() -> None:
    figure = build_heatmap(make_cells(), "light", columns=4)
    language_model = 1 + list(CATEGORY).index("language model")
    values = drawn(figure)
    assert len(values) == 10  # one cell per GPU, blank everywhere else
    assert values[(0, 0)] == values[(0, 1)] == language_model  # GPUs 0 and 1, job 0: not idle
    assert values[(2, 1)] == language_model  # GPU 5: second of the second type, below a blank row
    assert sum(value == 0 for value in values.values()) == 7


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_codes_have_colours_and_only_idle_has_the_first(theme: str) -> None:
    figure = build_heatmap(make_cells(), theme)
    heatmap = figure["data"][0]
    n = heatmap["zmax"] + 0.5
    assert len(heatmap["colorscale"]) == 2 * n
    assert heatmap["colorscale"][0][1] == token(theme, "panel")
    values = list(drawn(figure).values())
    assert max(values) < n
    assert sum(value == 0 for value in values) == 7


def test_colours_are_those_of_the_categories_as_the_file_writes_them() -> None:
    jobs = make_jobs({0: [0, 1], 7: [5]}, category=np.array(["CycleGAN", "no such <b>"], object))
    figure = build_heatmap(make_cells(jobs=jobs), "light", columns=4)
    heatmap, values = figure["data"][0], drawn(figure)
    shown = {cell: heatmap["colorscale"][2 * int(code)][1] for cell, code in values.items() if code}
    assert shown == {(0, 0): CATEGORY["cyclegan"], (0, 1): CATEGORY["cyclegan"], (2, 1): CATEGORY["other"]}


def test_unknown_allocation_is_hatched_never_idle() -> None:
    cells = make_cells(allocation=np.full(10, -1), gpus_used=np.array([4, 1]), has_allocation=False, jobs=make_jobs({}))
    figure = build_heatmap(cells, "light")
    assert drawn(figure) == {}
    assert len([x for x in figure["data"][2]["x"] if x is None]) == 2  # both bands
    assert figure["data"][2]["fillpattern"]["shape"]
    assert figure["data"][0]["hoverinfo"] == "skip"
    assert build_heatmap(make_cells(), "light")["data"][2]["x"] == []


def test_shared_gpu_shows_all_tenants_and_a_cross() -> None:
    cells = make_cells(
        may_share=True,
        sharing={5: np.array([7, 7, 8, -1])},
        jobs=make_jobs({0: [0, 1], 7: [5], 8: [5]}, category=np.array(["a3c", "resnet", "cyclegan"], object)),
    )
    figure = build_heatmap(cells, "light", columns=5)
    z, text = figure["data"][0]["z"], figure["data"][0]["text"]
    quarters = z[4:6, 2:4]  # GPU 5: second of the second type, after one row and a blank one, each twice as fine
    assert quarters[0, 0] == quarters[0, 1] != quarters[1, 0]
    assert quarters[1, 1] == 0
    assert "job 7 (LM &lt;b&gt;5&lt;/b&gt;) 2/4" in text[4][2]
    assert "idle 1/4" in text[4][2]
    assert np.nanmin(figure["data"][1]["x"]) == 1  # the cross runs through its cell


def test_hover_says_what_is_known_and_escapes_text_of_files() -> None:
    jobs = make_jobs({0: [0, 1], 7: [5]}, since_is_bound=np.array([False, True]))
    text = build_heatmap(make_cells(jobs=jobs), "light", columns=4)["data"][0]["text"]
    first = text[0][0]
    for part in ("Job 0", "LM &lt;b&gt;5", "Language model", "Scale factor: 2", "GPUs: 0–1", "since round 12"):
        assert part in first
    assert "Arrived: round 10, 1.0 h" in first
    assert "GPU 0 (K80 0)" in first
    assert "since round 12 or earlier" in text[2][1]
    assert "Idle" in text[0][2]
    assert "V&lt;100" in text[2][1]


def test_hover_of_a_job_without_record_says_so() -> None:
    unknown = {
        "job_type": np.array([""], object),
        "category": np.array([""], object),
        "scale_factor": np.array([0]),
        "arrival_round": np.array([-1]),
        "arrival_h": np.array([np.nan]),
        "since_round": np.array([-1]),
    }
    cells = make_cells(jobs=make_jobs({3: [0]}, **unknown), allocation=np.array([3] + [-1] * 9))
    text = build_heatmap(cells, "light", columns=4)["data"][0]["text"][0][0]
    assert "no record of this job" in text
    assert "Scale factor" not in text
    assert "Arrived" not in text


def test_legend_lists_what_the_run_has() -> None:
    other = CATEGORY["other"]
    names = ["resnet", "language_model", "Language Model", "something new", ""]
    entries = category_legend(names)
    assert [(label, color) for _, label, color in entries] == [
        ("ResNet", CATEGORY["resnet"]),
        ("Language model", CATEGORY["language model"]),
        ("Other", other),
    ]
    assert {code for code, _, _ in entries} == set(codes_of_categories(np.array(names, object)).tolist())


def test_band_labels_count_busy_as_the_simulator_does() -> None:
    assert band_labels(make_cells()) == ["<b>K80</b> 4<br>50.0% busy", "<b>V&lt;100</b> 6<br>16.7% busy"]


def test_small_helpers() -> None:
    assert format_ranges(np.array([0, 1, 2, 7])) == "0–2, 7"
    assert format_ranges(np.array([], int)) == ""
    assert format_ranges(np.arange(0, 40, 2)).endswith("and more (20 in all)")
    assert category_label("language_model") == "Language model"
    assert category_label("") == "Other"
    assert stepped_colorscale(("a", "b")) == [[0.0, "a"], [0.5, "a"], [0.5, "b"], [1.0, "b"]]
