"""Five files that other projects published, against numbers read from them with `struct`."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gavel_dash.formats.vizbin import VizFile
from tests.plain_vizbin import Plain

pytestmark = pytest.mark.data

RANDOM_60 = "fgd_alibaba_gavel_random_60jph_s0"
MIG_360 = "fgd_alibaba_mig_fgd_360jph_s0"
FIFO = "fgd_fifo_random_placement"
SHARING = "sharing_test"
FIRST = "generation_1a_test_data"
Load = Callable[[str], bytes]


@pytest.fixture(scope="module")
def load(data_dir: Path) -> Load:
    return lambda name: (data_dir / "published" / f"{name}.viz.bin").read_bytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (RANDOM_60, (1, 133, 0, 6200, {"telemetry-only": 132, "queue-differs": 126})),
        (MIG_360, (1, 137, 0, 6200, {"telemetry-only": 137})),
        (FIFO, (1, 6618, 100, 108, {"type-order-corrected": 512, "queue-cleaned": 3})),
        (SHARING, (2, 6697, 100, 100, {"type-order-undecided": 512, "gpu-used-differs": 6697, "queue-cleaned": 2392})),
        (FIRST, (1, 20, 8, 12, {"job-records-16-byte": 8})),
    ],
)
def test_what_the_reader_says_of_each_file(load: Load, name: str, expected: tuple) -> None:
    viz = VizFile(load(name), name)

    findings = {finding.code: finding.count for finding in viz.findings}
    assert (viz.version, viz.n_rounds, viz.n_jobs, viz.n_gpus, findings) == expected


@pytest.mark.parametrize("name", [RANDOM_60, MIG_360, FIFO, SHARING, FIRST])
def test_random_rounds_agree_with_a_slow_reading(load: Load, name: str) -> None:
    data = load(name)
    viz, plain = VizFile(data, name), Plain(data)
    order = list(viz.type_order.order)

    for i in random.Random(name).sample(range(plain.n_rounds), min(20, plain.n_rounds)):
        assert viz.round_heads[i].tolist() == plain.head(i)
        assert viz.gpus_used[i].tolist() == [plain.used(i)[t] for t in order]
        assert viz.allocation(i).tolist() == [stored or -1 for stored in plain.allocation(i)]
        assert viz.stored_queue(i).tolist() == plain.queue(i)
        quarters = {gpu: [stored or -1 for stored in ids] for gpu, ids in plain.sharing(i).items()}
        assert {gpu: ids.tolist() for gpu, ids in viz.sharing(i).items()} == quarters


def test_the_type_order_of_the_random_placement_run(load: Load) -> None:
    viz = VizFile(load(FIFO), FIFO)

    assert [gpu_type["name"] for gpu_type in viz.config["gpu_types"]] == ["v100", "p100", "k80"]
    assert [gpu_type.name for gpu_type in viz.cluster.gpu_types] == ["k80", "p100", "v100"]
    assert viz.cluster.gpu_types[0].gpus_per_node == 4
    busy = viz.stored_allocations != 0
    per_block = np.stack([busy[:, block : block + 36].sum(axis=1) for block in (0, 36, 72)], axis=1)
    assert (per_block == viz.gpus_used).all()
    assert (per_block[:, ::-1] == viz.gpus_used).all(axis=1).mean() < 0.11


@pytest.mark.parametrize("name", [FIFO, SHARING])
def test_what_jobs_and_rounds_say_of_each_other(load: Load, name: str) -> None:
    """The meaning of rounds in job records, and that cleaned queues have the counted length, in every round."""
    viz = VizFile(load(name), name)
    heads, jobs = viz.round_heads, viz.jobs
    last_seen: dict[int, int] = {}
    first_seen: dict[int, int] = {}

    for i in range(viz.n_rounds):
        cells = set(viz.allocation(i).tolist()).union(*(ids.tolist() for ids in viz.sharing(i).values())) - {-1}
        for job in cells:
            first_seen.setdefault(job, i)
            last_seen[job] = i
        assert len(cells) == heads["jobs_running"][i]
        assert len(viz.queue(i)) == heads["jobs_queued"][i]
        assert heads["jobs_completed"][i] == np.count_nonzero(jobs["completed"] & (jobs["completion_round"] < i))
        in_system = int(heads["jobs_running"][i]) + int(heads["jobs_queued"][i]) + int(heads["jobs_completed"][i])
        assert in_system == np.count_nonzero(jobs["arrival_round"] < i)

    for job in jobs[jobs["completed"]]:
        assert last_seen[int(job["job_id"])] == job["completion_round"]
        assert first_seen[int(job["job_id"])] > job["arrival_round"]
    assert np.count_nonzero(jobs["completed"]) == {FIFO: 94, SHARING: 89}[name]


def test_the_sharing_section_of_the_sharing_run(load: Load) -> None:
    viz = VizFile(load(SHARING), SHARING)

    assert {gpu: ids.tolist() for gpu, ids in viz.sharing(705).items()} == {56: [86, 86, 28, 31], 59: [78, 78, 32, 52]}
    shown = 0
    for i in range(viz.n_rounds):
        allocation = viz.allocation(i)
        for gpu, ids in viz.sharing(i).items():
            assert allocation[gpu] == ids[0]
            shown += 1
    assert shown == 9483


def test_a_waiting_job_0_is_not_taken_for_a_hidden_one(load: Load) -> None:
    viz = VizFile(load(SHARING), SHARING)

    assert viz.jobs[0]["scale_factor"] == 8
    assert (viz.gpus_used.sum(axis=1) - (viz.stored_allocations != 0).sum(axis=1) == 8).all()
    assert 0 in viz.queue(6696)


@pytest.mark.parametrize(("name", "missing"), [(RANDOM_60, 132), (MIG_360, 137)])
def test_telemetry_only_files_say_so_in_every_round(load: Load, name: str, missing: int) -> None:
    viz = VizFile(load(name), name)

    assert sum(not viz.has_allocation(i) for i in range(viz.n_rounds)) == missing
    assert not viz.stored_allocations.any()


def test_the_first_generation(load: Load) -> None:
    viz = VizFile(load(FIRST), FIRST)

    assert viz.policy is None
    assert viz.jobs["job_id"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert viz.jobs["arrival_round"].tolist()[:4] == [0, 0, 1, 2]
    assert not viz.jobs["completed"].any()
    assert str(viz.window) == "2:8"
    assert viz.gpus_used[1].tolist() == [4, 2, 1]
