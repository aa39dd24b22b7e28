"""Queries as pages get them."""

from __future__ import annotations

import pytest

from gavel_dash.ui import query_number, query_value, query_values


def test_a_value_is_a_string_a_list_or_missing() -> None:
    query = {"one": "a", "two": ["a", "b"], "none": None}
    assert [query_values(query, name) for name in ("one", "two", "none", "other")] == [["a"], ["a", "b"], [], []]
    assert [query_value(query, name) for name in ("one", "two", "none")] == ["a", "a", None]


@pytest.mark.parametrize(
    ("text", "number"), [("2.5", 2.5), ("", 1.0), ("x", 1.0), ("nan", 1.0), ("inf", 1.0), (None, 1.0)]
)
def test_a_number_or_the_default(text: str | None, number: float) -> None:
    assert query_number({"k": text}, "k", 1.0) == number
