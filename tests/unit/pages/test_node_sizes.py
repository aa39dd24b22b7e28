"""Node sizes as addresses spell them; what is none is left out."""

from __future__ import annotations

import pytest

from gavel_dash.pages.node_sizes import format_node_sizes, parse_node_sizes, tidy_node_sizes


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (None, {}),
        ("", {}),
        ("k80:4,v100:8", {"k80": 4, "v100": 8}),
        ("odd:name:2", {"odd:name": 2}),
        ("k80:0,p100:-1,v100:x,:4,t4,a:99999999,b:70000,c:2", {"c": 2}),
    ],
)
def test_parse(text: str | None, sizes: dict[str, int]) -> None:
    assert parse_node_sizes(text) == sizes
    assert parse_node_sizes(format_node_sizes(sizes)) == sizes


def test_what_the_browser_remembered_is_not_trusted() -> None:
    assert tidy_node_sizes({"k80": 4, "v100": "8", "p100": None, "t4": "<b>", "a": -3}) == {"k80": 4, "v100": 8}
    assert tidy_node_sizes(None) == {}
