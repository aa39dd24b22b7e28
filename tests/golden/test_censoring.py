"""A bundled run whose slowest jobs never completed: the mean is marked, the median hardly moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import JOB_1B_DTYPE
from gavel_dash.sweep import open_sweep
from gavel_dash.sweep.packed import plain_path

BUNDLED = Path(__file__).parents[2] / "experiments"
RUN = "fig9_max_min_fairness_perf_3.2jph_single_s0"


def test_without_the_completions_of_the_longest_fifth(tmp_path: Path) -> None:
    content = bytearray(plain_path(BUNDLED / f"{RUN}.viz.bin.packed", lambda _message: None).read_bytes())
    viz = VizFile(content, RUN)
    window = viz.window
    assert window is not None
    start = int.from_bytes(content[24:32], "little")
    jobs = np.frombuffer(content, JOB_1B_DTYPE, viz.n_jobs, start)  # the file's own records, writable
    assert jobs.flags.writeable
    in_window = np.flatnonzero((jobs["job_id"] >= window.start_job_id) & (jobs["job_id"] < window.end_job_id))
    longest = in_window[np.argsort(jobs["duration_s"][in_window])[-len(in_window) // 5 :]]
    for field in ("duration_s", "completion_round"):
        jobs[field][longest] = 0
    (tmp_path / f"{RUN}.viz.bin").write_bytes(content)

    whole = open_sweep(BUNDLED).runs().set_index("run").loc[RUN]
    cut = open_sweep(tmp_path).runs().set_index("run").loc[RUN]

    assert not whole["mean_jct_is_lower_bound"]
    assert cut["mean_jct_is_lower_bound"]
    assert cut["mean_jct_h"] < 0.6 * whole["mean_jct_h"]
    assert cut["unfinished_share"] == pytest.approx(0.2)
    assert cut["median_jct_h"] == pytest.approx(whole["median_jct_h"], rel=0.05)
    assert not cut["median_jct_is_lower_bound"]
    assert cut["p95_jct_is_lower_bound"]
