"""The theme: one colour for one meaning, readable in both themes, no HTML from files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gavel_dash import schema
from gavel_dash.analysis.missing import MISSING
from gavel_dash.figures import theme as look

CSS = Path(__file__).parents[3] / "assets" / "theme.css"


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("text", ["text", "muted", "accent", "bad"])
@pytest.mark.parametrize("surface", ["background", "panel"])
def test_text_is_readable(theme: str, text: str, surface: str) -> None:
    assert contrast(look.token(theme, text), look.token(theme, surface)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_stylesheet_has_the_same_colours(theme: str) -> None:
    block = re.search(re.escape(f'[data-bs-theme="{theme}"] {{') + "([^}]*)}", CSS.read_text())
    assert block is not None
    variables = dict(re.findall(r"--gd-([a-z-]+): (#[0-9a-f]{6})", block[1]))
    assert {name: variables[name] for name in look.TOKENS[theme]} == look.TOKENS[theme]


@pytest.mark.parametrize(
    ("policy", "color", "symbol"),
    [
        ("max_min_fairness", look.BASELINE_COLOR, "square"),
        ("max_min_fairness_perf", look.GAVEL_COLOR, "circle"),
        ("finish_time_fairness", look.BASELINE_COLOR, "square"),
        ("gandiva", *look.FURTHER_POLICIES["gandiva"]),
        ("max_min_fairness_packed", *look.FURTHER_POLICIES["packed"]),
    ],
)
def test_policies(policy: str, color: str, symbol: str) -> None:
    assert (look.policy_color(policy), look.policy_symbol(policy)) == (color, symbol)


def test_every_status_has_a_sign_of_its_own() -> None:
    assert set(look.STATUS) == {*schema.STATUSES, MISSING}
    assert len({sign for _, sign in look.STATUS.values()}) == len(look.STATUS)


def test_layout_merges_deep_and_builds_every_axis() -> None:
    layout = look.layout("dark", xaxis={"title": {"text": "rate"}}, yaxis2={"side": "right"}, margin={"l": 1})
    assert layout["xaxis"]["title"]["text"] == "rate"
    assert layout["xaxis"]["title"]["font"]["color"] == look.token("dark", "text")
    assert layout["yaxis2"]["gridcolor"] == look.token("dark", "border")
    assert (layout["margin"]["l"], layout["margin"]["t"]) == (1, 16)


def test_small_helpers() -> None:
    assert look.escape("<b>&") == "&lt;b&gt;&amp;"
    assert look.escape("%{x}") == "%&#123;x}"
    assert look.rgba("#0b6bcb", 0.08) == "rgba(11,107,203,0.08)"
    assert look.category_color("language_model") == look.CATEGORY["language model"]
    assert look.category_color("something new") == look.CATEGORY["other"]
    assert look.token("unknown", "text") == look.TOKENS["light"]["text"]
