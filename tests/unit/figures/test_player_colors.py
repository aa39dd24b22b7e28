"""Colourings of the player: codes the browser can use, colours people can tell apart, legends of what the runs have."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from gavel_dash.figures.player_colors import (
    COLOR_BY,
    HOUR_EDGES,
    difference_coloring,
    player_coloring,
    share_coloring,
)
from gavel_dash.figures.theme import CATEGORY, token
from tests.unit.figures.test_theme import contrast, luminance

THEMES = ("light", "dark")
BY_TIME = ("waited", "on_gpu", "remaining")
#: What `assets/player/worker/coloring.mjs` has for a code: 7 bits.
MOST_CODES = 127
MOST_GPUS_OF_JOB = 255


def look_of(color_by: str, theme: str) -> dict[str, Any]:
    if color_by == "share":
        return share_coloring(theme)
    if color_by == "difference":
        return difference_coloring(theme)
    return player_coloring(color_by, theme, list(CATEGORY), range(MOST_GPUS_OF_JOB + 1))


def labels(look: dict[str, Any]) -> list[str]:
    return [label for _, label, _ in look["legend"]]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("color_by", [*COLOR_BY, "share", "difference"])
def test_every_palette_can_be_used_as_codes(color_by: str, theme: str) -> None:
    look = look_of(color_by, theme)
    palette = look["palette"]
    assert look["rule"]["kind"] == color_by
    assert all(re.fullmatch("#[0-9a-fA-F]{6}", color) for color in palette)
    assert len({color.lower() for color in palette}) == len(palette)
    assert 2 <= len(palette) <= MOST_CODES + 1
    assert palette[0] == token(theme, "panel")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("color_by", [*COLOR_BY, "share", "difference"])
def test_the_legend_names_every_code_once_in_its_colour_and_idle_last(color_by: str, theme: str) -> None:
    look = look_of(color_by, theme)
    codes = [code for own, _, _ in look["legend"] for code in own]
    assert sorted(codes) == list(range(len(look["palette"])))
    assert all(color == look["palette"][own[0]] for own, _, color in look["legend"])
    assert look["legend"][-1] == [[0], "Idle", token(theme, "panel")]
    assert len(set(labels(look))) == len(look["legend"])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("color_by", ["scale_factor", *BY_TIME, "share"])
def test_what_is_ordered_goes_one_way_in_luminance(color_by: str, theme: str) -> None:
    look = look_of(color_by, theme)
    unknown = look["rule"].get("unknown", len(look["palette"]))
    ordered = look["palette"][1:unknown]
    lights = [luminance(color) for color in ordered]
    assert lights in (sorted(lights), sorted(lights, reverse=True))
    assert all(contrast(a, b) >= 1.1 for a, b in pairwise(ordered))  # also where only brightness is left to see


@pytest.mark.parametrize("theme", THEMES)
def test_a_busier_node_stands_out_more_from_an_idle_one(theme: str) -> None:
    idle, *busy = share_coloring(theme)["palette"]
    contrasts = [contrast(idle, color) for color in busy]
    assert contrasts == sorted(contrasts)
    assert contrasts[0] >= 1.15


@pytest.mark.parametrize("theme", THEMES)
def test_job_categories_have_the_colours_they_have_everywhere(theme: str) -> None:
    look = player_coloring("category", theme, ["language_model", "resnet", "something new", "other"], ())
    assert [(label, color) for _, label, color in look["legend"]] == [
        ("ResNet", CATEGORY["resnet"]),
        ("Language model", CATEGORY["language model"]),
        ("Other", CATEGORY["other"]),
        ("Idle", token(theme, "panel")),
    ]
    codes = look["rule"]["codes"]
    assert {name: look["palette"][code] for name, code in codes.items()} == CATEGORY


def test_an_unknown_colouring_is_by_category() -> None:
    assert player_coloring("<b>", "light", ["resnet"], [1]) == player_coloring("category", "light", ["resnet"], [1])


def test_an_unknown_theme_is_light() -> None:
    for color_by in (*COLOR_BY, "share", "difference"):
        assert look_of(color_by, "sepia") == look_of(color_by, "light")


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((0, 1, 3, 4, 64), ["1 GPU", "3–4 GPUs", "64 GPUs", "unknown"]),
        ((2,), ["2 GPUs"]),
        ((16, 255), ["16 GPUs", "255 GPUs"]),
        ((), []),
    ],
)
def test_scale_factors_are_listed_as_the_runs_have_them(factors: tuple[int, ...], said: list[str]) -> None:
    assert labels(player_coloring("scale_factor", "light", (), factors)) == [*said, "Idle"]


def test_the_steps_of_scale_factors_put_each_where_the_legend_does() -> None:
    rule = look_of("scale_factor", "light")["rule"]
    assert [largest for largest, _ in rule["steps"]] == sorted(largest for largest, _ in rule["steps"])
    for factor in range(1, MOST_GPUS_OF_JOB + 1):
        code = next(code for largest, code in rule["steps"] if factor <= largest)
        [[codes, _, _], _] = player_coloring("scale_factor", "light", (), [factor])["legend"]
        assert codes == [code]
    [[codes, _, _], _] = player_coloring("scale_factor", "light", (), [0])["legend"]
    assert codes == [rule["unknown"]]


@pytest.mark.parametrize(("color_by", "last"), [("waited", "unknown"), ("on_gpu", "unknown"), ("remaining", "never")])
def test_every_class_of_hours_has_its_label(color_by: str, last: str) -> None:
    look = look_of(color_by, "light")
    hours = [f"{edge:,}" for edge in HOUR_EDGES]
    *classes, unknown, _idle = labels(look)
    assert look["rule"]["edges_h"] == HOUR_EDGES
    assert look["rule"]["unknown"] == len(HOUR_EDGES) + 2
    spans = [f"{a}–{b} h" for a, b in pairwise(hours)]
    assert classes == [f"under {hours[0]} h", *spans, f"{hours[-1]} h or more"]
    assert unknown.startswith(last)


def test_jobs_in_a_row_differ_in_hue_not_only_in_shade() -> None:
    look = look_of("job", "light")
    jobs = look["palette"][1:]
    assert look["rule"]["colors"] == len(jobs)
    for one, other in pairwise([*jobs, jobs[0]]):
        channels = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in (one, other)]
        assert max(abs(a - b) for a, b in zip(*channels, strict=True)) >= 60
    assert labels(look) == [f"Jobs ({len(jobs)} colours in turn)", "Idle"]


def test_a_node_that_is_full_has_a_class_of_its_own() -> None:
    look = share_coloring("dark")
    assert labels(look) == ["1–25% busy", "26–50%", "51–75%", "76–99%", "all busy", "Idle"]
    assert look["rule"]["edges"] == (0.25, 0.5, 0.75)
    assert len(look["palette"]) == 1 + len(look["rule"]["edges"]) + 2


def test_differences_to_run_a() -> None:
    assert labels(difference_coloring("light")) == [
        "Same job",
        "Different jobs",
        "Busy here only",
        "Busy in A only",
        "Idle",
    ]
