"""The JavaScript side's own tests, under node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.js.node import needs_node, node

HERE = Path(__file__).parent
pytestmark = needs_node


@pytest.mark.parametrize("path", sorted(HERE.rglob("*.test.mjs")), ids=lambda path: path.relative_to(HERE).as_posix())
def test_node_tests_pass(path: Path) -> None:
    assert "# fail 0" in node("--test", "--test-reporter=tap", path)
