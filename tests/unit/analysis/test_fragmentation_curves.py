"""Fragmentation round by round against a plain computation, and its means per run, rate and demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gavel_dash.analysis.fragmentation_curves import (
    DEMAND,
    MEASURES,
    N_BINS,
    RATE,
    RunMeans,
    average_rounds,
    complete_curves,
    fragmentation_measure,
    summarize_fragmentation,
)
from gavel_dash.analysis.fragmentation_rounds import BY_CLASS, BY_TYPE, measure_rounds, split_fragmentation
from gavel_dash.errors import UsageError
from gavel_dash.sweep import Run, open_run
from tests.make import write_run

SIZES = {"k80": 2, "v100": 3}  # the last node of the v100s has one GPU


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("run") / "fifo.viz.bin"
    write_run(path, n_jobs=20, every=1, length=6)
    return open_run(path)


def measured(run: Run, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    return measure_rounds(run.fragmentation(sizes), run.blocked_demand(sizes), run.viz.round_heads["jobs_queued"])


def plain(run: Run, sizes: dict[str, int], record: int) -> dict[str, Any]:
    """One round by loops over its nodes and jobs."""
    scale = {int(job["job_id"]): int(job["scale_factor"]) for job in run.viz.jobs}
    popularity = {size: list(scale.values()).count(size) / len(scale) for size in set(scale.values())}
    allocation = run.allocation(record).tolist()
    first, free_nodes, all_gpus = 0, [], 0
    out: dict[str, Any] = {"occupied_nodes": 0, "by_type": {}}
    for gpu_type in run.cluster.gpu_types:
        mine = allocation[first : first + gpu_type.count]
        first, all_gpus = first + gpu_type.count, all_gpus + gpu_type.count
        nodes = [mine[i : i + sizes[gpu_type.name]] for i in range(0, len(mine), sizes[gpu_type.name])]
        free_here = [node.count(-1) for node in nodes]
        free_nodes += free_here
        out["occupied_nodes"] += sum(any(job >= 0 for job in node) for node in nodes)
        out["by_type"][gpu_type.name] = sum(f * p for f in free_here for g, p in popularity.items() if g > f)
    fragmented = sum(out["by_type"].values())
    free = sum(free_nodes)
    pending = sum(scale[job] for job in run.queue(record).tolist())
    return out | {
        "fragmentation_rate": fragmented / free if free else float("nan"),
        "fragmentation_share": fragmented / all_gpus,
        "free_gpus": free,
        "largest_free_block": max(free_nodes),
        "pending_gpus": pending,
        "demand": (all_gpus - free + pending) / all_gpus,
        "by_class": {size: sum(f for f in free_nodes if size > f) for size in popularity},
    }


def test_every_round_as_by_hand(run: Run) -> None:
    values = measured(run, SIZES)
    seen_rates = set()
    for record in range(run.n_rounds):
        expected = plain(run, SIZES, record)
        by_type, by_class = expected.pop("by_type"), expected.pop("by_class")
        expected |= {f"fragmented_gpus_{name}": n for name, n in by_type.items()}
        expected |= {f"fragmented_gpus_class_{size}": n for size, n in by_class.items()}
        for name, value in expected.items():
            assert values[name][record] == pytest.approx(value, nan_ok=True), (name, record)
        seen_rates.add(round(expected["fragmentation_rate"], 6))
    assert len(seen_rates) > 4  # the run does something


def test_the_parts_of_a_split_add_up(run: Run) -> None:
    fragmentation = run.fragmentation(SIZES)
    share = fragmentation.share()
    by_type = split_fragmentation(fragmentation, BY_TYPE)
    assert list(by_type) == ["k80", "v100"]
    assert sum(pair[1] for pair in by_type.values()) / 2 == pytest.approx(share)  # both types have four GPUs
    by_class = split_fragmentation(fragmentation, BY_CLASS)
    weights = dict(zip((f"{size}-GPU jobs" for size in fragmentation.classes), fragmentation.popularity, strict=True))
    assert sum(weights[name] * pair[1] for name, pair in by_class.items()) == pytest.approx(share)
    rate = sum(weights[name] * pair[0] for name, pair in by_class.items())
    assert rate == pytest.approx(fragmentation.rate(), nan_ok=True)


def test_without_node_sizes_nothing_is_said_to_be_zero(run: Run) -> None:
    for sizes in ({}, {"k80": 1, "v100": 1}):
        values = measured(run, sizes)
        for name in ("fragmentation_rate", "fragmentation_share", "largest_free_block", "occupied_nodes"):
            assert np.isnan(values[name]).all(), name
        assert np.isnan(values["fragmented_gpus_k80"]).all()
        assert values["free_gpus"].tolist() == (8 - run.viz.gpus_used.sum(axis=1)).tolist()
        assert np.isfinite(values["pending_gpus"]).all()
    assert split_fragmentation(run.fragmentation({}), BY_CLASS) == {}


def test_a_type_without_a_node_size_has_no_numbers_of_nodes_beside_one_that_has(run: Run) -> None:
    values = measured(run, {"k80": 2})
    for name in ("largest_free_block", "occupied_nodes", "fragmented_gpus"):
        assert np.isnan(values[f"{name}_v100"]).all(), name
        assert np.isfinite(values[f"{name}_k80"]).all(), name
    assert values["fragmentation_share"] == pytest.approx(values["fragmented_gpus_k80"] / 4)  # of the four k80s


def values_of(**columns: list[float]) -> dict[str, np.ndarray]:
    n = len(next(iter(columns.values())))
    blank = {name: np.full(n, np.nan) for name in (*MEASURES, "demand")}
    return blank | {name: np.array(column, dtype=float) for name, column in columns.items()}


def test_means_are_over_the_stretch_and_its_known_rounds() -> None:
    nan = float("nan")
    means = average_rounds(
        values_of(free_gpus=[99, 4, 2, 6, 99], fragmentation_rate=[1, 0.5, nan, 0.1, 1], demand=[0, 0.3, 0.35, nan, 9]),
        1,
        4,
    )
    assert means.mean("free_gpus") == 4
    assert means.n_rounds("free_gpus") == 3
    assert means.mean("fragmentation_rate") == pytest.approx(0.3)
    assert np.isnan(means.mean("occupied_nodes"))
    row = list(MEASURES).index("free_gpus")
    assert means.counts[row].nonzero()[0].tolist() == [3, N_BINS]  # 30% to 40%, and unknown
    assert means.sums[row][3] == 6


def test_all_demand_above_the_last_step_is_one_stretch() -> None:
    means = average_rounds(values_of(free_gpus=[1, 1, 1], demand=[1.99, 2.0, 40.0]), 0, 3)
    assert means.counts[list(MEASURES).index("free_gpus")][N_BINS - 2 :].tolist() == [1, 2, 0]


def runs_table(rows: list[tuple[str, str, float, int | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["run", "curve", "arrival_rate_jph", "seed"])
    for name in ("figure", "policy", "setting", "cluster", "placement", "trace"):
        frame[name] = pd.Series([None] * len(frame), dtype="str")
    return frame.assign(policy=frame["curve"], seed=frame["seed"].astype("Int64"))


def means_of(by_demand: dict[float, list[float]]) -> RunMeans:
    """Free GPUs of rounds by demand."""
    demand = [d for d, values in by_demand.items() for _ in values]
    return average_rounds(
        values_of(free_gpus=[n for values in by_demand.values() for n in values], demand=demand), 0, len(demand)
    )


RUNS = runs_table(
    [("a0", "a", 1.0, 0), ("a1", "a", 1.0, 1), ("a2", "a", 1.0, 2), ("a0b", "a", 2.0, 0), ("b0", "b", 1.0, 0)]
)
MEANS = {
    "a0": means_of({0.5: [10, 20]}),
    "a1": means_of({0.5: [24]}),
    "a2": means_of({0.5: [6], 0.7: [2]}),
    "a0b": means_of({0.5: [3], 0.9: [1]}),
    "b0": means_of({0.5: [7]}),
}


def test_a_point_is_the_mean_over_seeds_with_its_t_interval() -> None:
    curves = summarize_fragmentation(RUNS, MEANS, MEASURES["free_gpus"])
    point = curves[(curves["curve"] == "a") & (curves["arrival_rate_jph"] == 1.0)].iloc[0]
    seeds = [15.0, 24.0, 4.0]
    assert point["free_gpus"] == pytest.approx(np.mean(seeds))
    half = stats.t.ppf(0.975, 2) * np.std(seeds, ddof=1) / np.sqrt(3)
    assert point["free_gpus_high"] - point["free_gpus"] == pytest.approx(half)
    assert (point["n_seeds"], point["n_runs"], point["n_rounds"]) == (3, 3, 5)
    alone = curves[curves["curve"] == "b"].iloc[0]
    assert alone["n_seeds"] == 1
    assert np.isnan(alone["free_gpus_low"])


def test_against_demand_the_rounds_of_a_seed_are_one_sample() -> None:
    curves = summarize_fragmentation(RUNS, MEANS, MEASURES["free_gpus"], DEMAND)
    of_a = curves[curves["curve"] == "a"].set_index("demand_low")
    assert of_a.index.tolist() == [0.5, 0.7, 0.9]
    point = of_a.loc[0.5]
    assert point["n_seeds"] == 3
    assert point["free_gpus"] == pytest.approx(np.mean([(10 + 20 + 3) / 3, 24, 6]))
    assert point["runs"].split()[0] == "a0"  # the one with most of these rounds
    assert of_a.loc[0.7, "n_runs"] == 1


def test_runs_that_are_not_computed_are_left_out_and_their_curve_is_not_complete() -> None:
    some = {name: MEANS[name] for name in ("a0", "b0")}
    assert complete_curves(RUNS, some) == ["b"]
    curves = summarize_fragmentation(RUNS, some, MEASURES["free_gpus"])
    assert curves["runs"].tolist() == ["a0", "b0"]
    assert summarize_fragmentation(RUNS, {}, MEASURES["occupied_nodes"], RATE).empty


def test_a_measure_without_values_has_no_points() -> None:
    assert summarize_fragmentation(RUNS, MEANS, MEASURES["fragmentation_rate"]).empty


def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(UsageError, match="no measure is named 'x'"):
        fragmentation_measure("x")
    with pytest.raises(UsageError, match="not by 'x'"):
        summarize_fragmentation(RUNS, MEANS, MEASURES["free_gpus"], "x")


@pytest.mark.data
def test_real_runs_as_by_hand(data_dir: Path) -> None:
    run = open_run(data_dir / "published" / "fgd_fifo_random_placement.viz.bin")
    values = measured(run, {})
    for record in range(0, run.n_rounds, 37):
        expected = plain(run, {t.name: t.gpus_per_node or 1 for t in run.cluster.gpu_types}, record)
        for name in ("fragmentation_rate", "fragmentation_share", "free_gpus", "largest_free_block", "occupied_nodes"):
            assert values[name][record] == pytest.approx(expected[name], nan_ok=True), (name, record)
