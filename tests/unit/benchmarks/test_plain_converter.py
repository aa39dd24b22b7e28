"""The reference does the work it is the reference for: it gives the same run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import plain_converter
from benchmarks.tiled_logs import write_log
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import HEADER
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import find_logs


def after_config(data: bytes) -> bytes:
    """Jobs, rounds, queues and their index: all that follows the config, which only ours fills with a report."""
    jobs_offset = HEADER.unpack_from(data)[6]
    return data[jobs_offset:]


def test_it_gives_the_same_jobs_rounds_and_queues_as_ours(tmp_path: Path) -> None:
    log, out = tmp_path / "run.log", tmp_path / "plain.viz.bin"
    write_log(log, 3_000_000)
    assert plain_converter.convert(str(log), str(out)) > 100
    (source,) = find_logs([log])
    ours = convert_log(source, tmp_path / "out").paths[0].read_bytes()
    assert after_config(out.read_bytes()) == after_config(ours)

    plain, viz = VizFile(out.read_bytes(), out.name), VizFile(ours, "ours")
    assert plain.cluster == viz.cluster
    np.testing.assert_array_equal(plain.allocations(), viz.allocations())
    np.testing.assert_array_equal(plain.jobs, viz.jobs)
    assert plain.jobs["completed"].sum() > 10
    assert sum(len(plain.queue(i)) for i in range(plain.n_rounds)) > 10
