"""Logs made for benchmarks are consistent, are the bundled run, and look like real ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tiled_logs import RUN_NAME, bundled_run, write_log
from gavel_dash import open_run
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.convert import Conversion, convert_log
from gavel_dash.ingest.lines import LogLines
from gavel_dash.ingest.sources import find_logs
from gavel_dash.settings import DEFAULT_SWEEP


def converted(log: Path) -> tuple[Conversion, VizFile]:
    (source,) = find_logs([log])
    result = convert_log(source, log.parent / "out", force=True)
    return result, VizFile(result.paths[0].read_bytes(), "run")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the bundled run and the beginning of a second."""
    path = tmp_path_factory.mktemp("tiled") / "tiled.log"
    write_log(path, 80_000_000)
    return path


def test_every_round_agrees_with_the_log(log: Path) -> None:
    result, _ = converted(log)
    assert result.rounds > bundled_run().n_rounds
    assert (result.rounds_queue_disagrees, result.rounds_use_disagrees, result.findings) == (0, 0, ())


def test_each_copy_is_the_bundled_run_with_later_ids(log: Path) -> None:
    _, viz = converted(log)
    real = open_run(next(Path(DEFAULT_SWEEP).glob(f"{RUN_NAME}.viz.bin*"))).viz
    n = real.n_rounds
    np.testing.assert_array_equal(viz.allocations(0, n), real.allocations())
    np.testing.assert_array_equal(viz.jobs["job_id"][: real.n_jobs], real.jobs["job_id"])
    done = real.jobs["completed"]
    np.testing.assert_array_equal(viz.jobs["duration_s"][: real.n_jobs][done], real.jobs["duration_s"][done])
    again, first = viz.allocations(n), real.allocations(0, viz.n_rounds - n)
    np.testing.assert_array_equal(again, np.where(first < 0, first, first + bundled_run().n_ids))
    assert viz.round_heads["round"].tolist() == list(range(viz.n_rounds))
    assert (np.diff(viz.round_heads["sim_time_s"]) >= 0).all()


def test_a_log_is_as_long_as_asked_for_and_no_round_longer(tmp_path: Path) -> None:
    short = tmp_path / "short.log"
    write_log(short, 300_000)
    assert 300_000 <= short.stat().st_size < 330_000
    result, _ = converted(short)
    assert result.rounds > 10
    assert (result.rounds_queue_disagrees, result.rounds_use_disagrees, result.findings) == (0, 0, ())


def shares_of_bytes(log: Path) -> dict[str, float]:
    """The share of a log's bytes that each kind of line has, by the first words of its message."""
    seen: Counter[str] = Counter()
    for block in LogLines(log):
        for line in bytes(block).splitlines(keepends=True):
            words = line.split(b"] ", 1)[-1].replace(b"\t", b" ").split(b" ", 3)[:3]
            seen[" ".join("#" if word.rstrip(b",").isdigit() else word.decode() for word in words)] += len(line)
    total = sum(seen.values())
    return {kind: n / total for kind, n in seen.items()}


@pytest.mark.data
def test_each_kind_of_line_has_its_share_of_a_real_log(log: Path, data_dir: Path) -> None:
    (real,) = (data_dir / "logs" / "verbatim").glob("*/simulation.log.zst")
    expected, found = shares_of_bytes(real), shares_of_bytes(log)
    common = [kind for kind, share in expected.items() if share > 0.0005]
    assert len(common) >= 9
    assert {kind: found.get(kind, 0.0) for kind in common} == pytest.approx(
        {kind: expected[kind] for kind in common}, abs=0.02
    )
    assert sum(found.get(kind, 0.0) for kind in common) == pytest.approx(1, abs=0.001)
