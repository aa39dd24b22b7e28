"""Packed files on disk: where a run's unpacked bytes are, and whose name an error bears."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gavel_dash.errors import VizFormatError
from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.sweep.packed import plain_path

BUNDLED = Path(__file__).parents[3] / "experiments" / "fig9_max_min_fairness_perf_2.4jph_single_s0.viz.bin.packed"


def test_a_packed_run_is_unpacked_once_into_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "run.viz.bin.packed"
    path.write_bytes(BUNDLED.read_bytes())
    messages: list[str] = []
    plain = plain_path(path, messages.append)
    out = io.BytesIO()
    with path.open("rb") as file:
        unpack_run(file, out, "run")
    assert plain.read_bytes() == out.getvalue()
    assert plain_path(path, messages.append) == plain
    assert messages == ["unpacking run.viz.bin.packed"]


def test_a_damaged_packed_run_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.viz.bin.packed"
    packed = BUNDLED.read_bytes()
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(VizFormatError) as error:
        plain_path(path, lambda _message: None)
    assert error.value.file == str(path)
