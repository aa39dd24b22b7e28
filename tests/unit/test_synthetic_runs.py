"""The synthetic runs of the benchmarks are as exact as real ones: checked here against the allocations themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.synthetic_runs import SIZES, write_synthetic_run
from gavel_dash.formats.run_name import parse_run_name
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.sweep.check import check_paths

GPU_TYPES = (("k80", 20, 4), ("v100", 16, 4))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "fig9_synthetic_0.7jph_multi_s3.viz.bin"
    write_synthetic_run(path, GPU_TYPES, n_rounds=5000, seed=3, arrival_rate_jph=0.7)
    return path


@pytest.fixture(scope="module")
def viz(path: Path) -> VizFile:
    return VizFile(path.read_bytes(), path.name)


def test_the_file_is_sound_and_nothing_is_odd_about_it(path: Path, viz: VizFile) -> None:
    assert [checked.line for checked in check_paths([path.parent])] == [
        f"ok      {path}: 5000 rounds, {viz.n_jobs} jobs, 36 GPUs"
    ]
    assert viz.findings == ()


def test_every_count_follows_from_allocations_queue_and_jobs(viz: VizFile) -> None:
    jobs, heads, allocations = viz.jobs, viz.round_heads, viz.allocations()
    for i, allocation in enumerate(allocations):
        holders, gpus = np.unique(allocation[allocation >= 0], return_counts=True)
        assert (gpus == jobs["scale_factor"][holders]).all()
        assert len(holders) == heads["jobs_running"][i]
        in_system = (jobs["arrival_round"] < i) & (~jobs["completed"] | (i <= jobs["completion_round"]))
        assert sorted([*holders, *viz.stored_queue(i).astype(int) - 1]) == np.flatnonzero(in_system).tolist()
        assert heads["jobs_completed"][i] == (jobs["completed"] & (jobs["completion_round"] < i)).sum()
    busy = np.stack([(allocations[:, :20] >= 0).sum(axis=1), (allocations[:, 20:] >= 0).sum(axis=1)], axis=1)
    assert (viz.gpus_used == busy).all()
    assert heads["sim_time_s"].tolist() == (360.0 * np.arange(5000)).tolist()


def test_mean_jct_so_far_is_over_completed_window_jobs(viz: VizFile) -> None:
    assert viz.window is not None
    jobs = viz.jobs[viz.window.start_job_id : viz.window.end_job_id]
    for i in (0, 2000, 4999):
        done = jobs[jobs["completed"] & (jobs["completion_round"] < i)]
        mean_s = done["duration_s"].mean() if len(done) else 0.0
        assert viz.round_heads["avg_jct_s"][i] == pytest.approx(mean_s, rel=1e-5)
    assert len(done) > 50


def test_it_looks_like_a_busy_cluster_with_a_queue_and_jobs_that_stay(viz: VizFile) -> None:
    allocations = viz.stored_allocations[1:]
    assert 0.002 < (allocations[1:] != allocations[:-1]).mean() < 0.012
    assert 0.7 < (allocations != 0).mean() < 1
    assert viz.round_heads["jobs_queued"].max() > 5
    assert set(np.unique(viz.jobs["scale_factor"])) == {1, 2, 4, 8}
    held = np.unique(np.stack([allocations.ravel(), np.indices(allocations.shape)[1].ravel()]), axis=1)
    gpus_held = np.bincount(held[0], minlength=viz.n_jobs + 1)[1:][viz.jobs["completed"]]
    moved = (gpus_held > viz.jobs["scale_factor"][viz.jobs["completed"]]).mean()
    assert 0.02 < moved < 0.3


def test_a_seed_gives_the_same_bytes_again_and_another_seed_another_run(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_synthetic_run(tmp_path / name, GPU_TYPES, n_rounds=50, seed=seed, arrival_rate_jph=0.7)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_every_size_has_a_name_of_its_own_that_can_be_parsed() -> None:
    keys = [parse_run_name(size.name(seed)) for size in SIZES.values() for seed in (0, 1)]
    assert len(set(keys)) == 2 * len(SIZES)
    assert {(key.figure, key.policy, key.setting) for key in keys} == {("fig9", "synthetic", "multi")}
