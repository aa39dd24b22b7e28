"""`gavel-dash bench`: it runs the source tree's benchmarks, and says where there are none."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from gavel_dash.cli import bench
from gavel_dash.errors import UsageError


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    return parser.parse_args(["bench", *argv])


def test_without_the_source_tree_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_SOURCE_TREE", tmp_path)
    with pytest.raises(UsageError, match="they come with the source tree"):
        bench.run(parsed())


def test_it_hands_its_options_to_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", list(sys.path))  # the runner's place is added to it
    with pytest.raises(UsageError, match="no area 'nonsense'"):
        bench.run(parsed("--areas", "nonsense"))
