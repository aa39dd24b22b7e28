"""What both languages know of the player: the same choices, and codes that mean what the legend says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gavel_dash.figures.player_colors import COLOR_BY, difference_coloring, player_coloring, share_coloring
from gavel_dash.figures.player_frame import SMALLEST_CELL_PX
from gavel_dash.figures.theme import CATEGORY
from gavel_dash.pages.cluster_layout import ALIGNMENTS
from gavel_dash.pages.cluster_panels import SPEEDS
from tests.js.node import needs_node, node

PLAYER = Path(__file__).parents[2] / "assets" / "player"
pytestmark = needs_node


def evaluated(module: str, expression: str, argument: Any = None) -> Any:
    """A JavaScript expression over a module's exports (`m`) and an argument (`a`)."""
    script = (
        f'import * as m from "{(PLAYER / module).as_uri()}"; const a = {json.dumps(argument)};'
        f"console.log(JSON.stringify({expression}));"
    )
    return json.loads(node("--input-type=module", "-e", script))


def meanings(look: dict[str, Any], codes: list[int]) -> list[str]:
    label = {code: label for own, label, _ in look["legend"] for code in own}
    return [label[code] for code in codes]


def test_speeds_and_ways_to_go_in_step_are_the_same() -> None:
    assert evaluated("controller/clock.mjs", "m.SPEEDS") == list(SPEEDS)
    assert evaluated("model/timeline.mjs", "m.ALIGNMENTS") == list(ALIGNMENTS)


def test_keys_choose_colourings_in_their_order() -> None:
    keys = evaluated("controller/keys.mjs", '"1234567".split("").map((key) => m.commandOf({ key }))')
    assert keys == [*(["color", color] for color in COLOR_BY), None]


def test_the_browser_shows_nodes_below_the_same_size() -> None:
    found = re.search(r"^const SMALLEST_CELL_PX = ([0-9.]+);", (PLAYER / "cluster_page.mjs").read_text(), re.M)
    assert found is not None
    assert float(found[1]) == SMALLEST_CELL_PX


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0, "under 1 h"),
        (0.999, "under 1 h"),
        (1, "1–5 h"),
        (4.999, "1–5 h"),
        (5, "5–20 h"),
        (20, "20–100 h"),
        (499.9, "100–500 h"),
        (500, "500 h or more"),
        (1e9, "500 h or more"),
        (None, "unknown"),
    ],
)
def test_codes_of_hours_mean_what_the_legend_says(hours: float | None, said: str) -> None:
    look = player_coloring("on_gpu", "light", (), ())
    code = evaluated("worker/coloring.mjs", "m.hoursCoder(a[0], () => a[1] ?? NaN)(1, 0)", [look["rule"], hours])
    assert meanings(look, [code]) == [said]


def codes_of(rule: dict[str, Any], categories: list[str], scale_factors: list[int]) -> list[int]:
    """Code of an idle GPU, of one job for each category and scale factor, and of a job without record."""
    run = (
        "{ jobIdOffset: 1, jobTypes: new Map(a[1].map((category, i) => [i, { category }])),"
        " jobs: { jobId: [...a[1].keys()], typeId: [...a[1].keys()], scaleFactor: a[2] },"
        " jobIndex: { rowOf: (id) => (id <= a[1].length ? id - 1 : -1) } }"
    )
    ids = list(range(len(categories) + 2))
    return evaluated(
        "worker/coloring.mjs", f"a[3].map(m.staticCoder(a[0], {run}))", [rule, categories, scale_factors, ids]
    )


def test_codes_of_scale_factors_mean_what_the_legend_says() -> None:
    factors = [1, 2, 3, 4, 5, 8, 9, 16, 17, 255, 0]
    look = player_coloring("scale_factor", "light", (), factors)
    found = meanings(look, codes_of(look["rule"], [""] * len(factors), factors))
    classes = ["1 GPU", "2 GPUs", *["3–4 GPUs"] * 2, *["5–8 GPUs"] * 2, *["9–16 GPUs"] * 2, *["17–255 GPUs"] * 2]
    assert found == ["Idle", *classes, "unknown", "unknown"]


def test_codes_of_categories_have_their_colours() -> None:
    categories = ["ResNet", "language_model", "Language Model", "other", "something new", ""]
    look = player_coloring("category", "light", categories, ())
    codes = codes_of(look["rule"], categories, [1] * len(categories))
    assert meanings(look, codes) == ["Idle", "ResNet", *["Language model"] * 2, *["Other"] * 4]
    assert look["palette"][codes[1]] == CATEGORY["resnet"]


def test_jobs_take_all_colours_in_turn_and_none_is_idle() -> None:
    look = player_coloring("job", "light", (), ())
    n = look["rule"]["colors"]
    codes = codes_of(look["rule"], [""] * 2 * n, [1] * 2 * n)
    assert codes == [0, *range(1, n + 1), *range(1, n + 1), 1]


def test_codes_of_busy_shares_mean_what_the_legend_says() -> None:
    look = share_coloring("light")
    codes = evaluated(
        "worker/coloring.mjs", "a[1].map((busy) => m.codeOfShare(a[0], busy, 8))", [look["rule"], [*range(9)]]
    )
    shares = [*["1–25% busy"] * 2, *["26–50%"] * 2, *["51–75%"] * 2, "76–99%", "all busy"]
    assert meanings(look, codes) == ["Idle", *shares]


def test_codes_of_differences_mean_what_the_legend_says() -> None:
    pairs = [(-1, -1), (4, 4), (4, 5), (4, -1), (-1, 5)]
    codes = evaluated("worker/coloring.mjs", "a.map(([here, there]) => m.codeOfDifference(here, there))", pairs)
    said = ["Idle", "Same job", "Different jobs", "Busy here only", "Busy in A only"]
    assert meanings(difference_coloring("light"), codes) == said
