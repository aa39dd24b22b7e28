"""Quarters, worker ids, policy names and job categories, one rule at a time."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.ingest.config import job_category
from gavel_dash.ingest.messages import Summary, snake_case_policy
from gavel_dash.ingest.sharing import fill_quarters, share_gpus
from gavel_dash.ingest.workers import map_workers


@pytest.mark.parametrize(
    ("requests", "quarters"),
    [
        ([4, 4], [0, 0, 1, 1]),
        ([2, 1, 1], [0, 0, 1, 2]),
        ([2, 1], [0, 0, 1, -1]),
        ([1], [0, -1, -1, -1]),
        ([4, 4, 4], [0, 0, 1, 2]),
        ([4, 2], [0, 0, 0, 1]),
        ([1, 1, 1, 1, 1], [0, 1, 2, 3]),
        ([4, 1, 1, 1], [0, 1, 2, 3]),
    ],
)
def test_quarters_are_filled_in_proportion(requests: list[int], quarters: list[int]) -> None:
    assert fill_quarters(requests) == quarters


def test_the_same_job_twice_on_a_gpu_is_no_sharing() -> None:
    shared, tenants, crowded = share_gpus(np.array([3, 3, 5]), np.array([1, 1, 2]), np.array([4, 4, 4]))
    assert (shared.tolist(), tenants.tolist(), crowded) == ([], [], 0)


def test_tenants_keep_the_order_of_the_log() -> None:
    shared, tenants, _ = share_gpus(np.array([5, 3, 5]), np.array([9, 7, 2]), np.array([4, 4, 4]))
    assert (shared.tolist(), tenants.tolist()) == ([5], [[9, 9, 2, 2]])


def test_more_workers_than_gpus_are_kept_and_reported() -> None:
    found = map_workers({"a": 1}, {0: "a", 1: "a"})
    assert found.cluster.gpus == 2
    assert [finding.code for finding in found.findings] == ["more-workers-than-gpus"]


def test_workers_of_unknown_type_take_the_free_places() -> None:
    found = map_workers({"a": 2}, {100: None, 200: "a", 300: None})
    assert found.gpus_of(np.array([100, 200, 300])).tolist() == [1, 0, 2]
    assert [(t.name, t.count) for t in found.cluster.gpu_types] == [("a", 2), ("unknown", 1)]


def test_a_worker_just_behind_a_block_is_not_in_it() -> None:
    found = map_workers({"a": 2, "b": 2}, {1: "b", 2: "a"})
    assert [t.name for t in found.cluster.gpu_types] == ["b", "a"]
    assert found.findings == ()


def test_an_order_that_fits_no_block_goes_by_rank() -> None:
    found = map_workers({"a": 2, "b": 2}, {0: "a", 1: "b", 2: "a", 3: "b"})
    assert found.gpus_of(np.array([0, 1, 2, 3])).tolist() == [0, 2, 1, 3]
    assert [finding.code for finding in found.findings] == ["worker-ids-by-rank"]


@pytest.mark.parametrize(
    ("class_name", "policy"),
    [
        ("MaxMinFairness_Perf", "max_min_fairness_perf"),
        ("FinishTimeFairness", "finish_time_fairness"),
        ("FIFO", "fifo"),
        ("FIFO_Packing", "fifo_packed"),
        ("Gandiva_Packing", "gandiva"),
        ("AlloX_Perf", "allox"),
        ("MaxMinFairnessWaterFilling_Perf", "max_min_fairness_water_filling_perf"),
    ],
)
def test_policy_names(class_name: str, policy: str) -> None:
    assert snake_case_policy(class_name) == policy


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("ResNet-50 (batch size 64)", "resnet"),
        ("Transformer (batch size 16)", "transformer"),
        ("LM (batch size 5)", "language_model"),
        ("Recommendation (batch size 512)", "recommendation"),
        ("CycleGAN", "cyclegan"),
        ("A3C", "a3c"),
        ("unknown", "other"),
    ],
)
def test_job_categories(name: str, category: str) -> None:
    assert job_category(name) == category


def test_a_log_without_completion_times_has_no_window() -> None:
    assert Summary().window is None
