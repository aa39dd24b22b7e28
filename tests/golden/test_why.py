"""Why jobs wait, in every round of real runs: jobs, free GPUs and blocked demand against a slow second count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gavel_dash.__main__ import main
from gavel_dash.analysis.job_timelines import JobTimelines
from gavel_dash.sweep import open_run
from gavel_dash.sweep.run import Run
from tests.plain_rounds import (
    Cells,
    PlainJob,
    Type,
    follow_jobs,
    fragmented,
    free_by_node,
    hindrance,
    occupied_nodes,
    quarters_of,
)
from tests.plain_vizbin import Plain

BUNDLE = Path(__file__).parents[2] / "experiments"
UPSTREAM = "logs/upstream/raw_logs/v100=8.p100=8.k80=8"
NODES_OF_4 = {"k80": 4, "p100": 4, "v100": 4}

BUNDLED = [
    "fig10_max_min_fairness_2.4jph_multi_s0",
    "fig11_finish_time_fairness_2.4jph_multi_s0",
    "fig9_max_min_fairness_perf_4.8jph_single_s0",
]
FIFO, SHARED, FIRST = "fgd_fifo_random_placement", "sharing_test", "generation_1a_test_data"
TELEMETRY = ["fgd_alibaba_gavel_random_60jph_s0", "fgd_alibaba_mig_fgd_360jph_s0"]
CONVERTED = ["gandiva_0.4jph_8k80-8p100-8v100_s0", "finish_time_fairness_perf_0.4jph_8k80-8p100-8v100_s0"]
#: Files of this package's writer, whose stored queue is the queue.
EXACT = BUNDLED + CONVERTED
ROUNDS_SEEN = [
    *BUNDLED,
    *(pytest.param(name, marks=pytest.mark.data) for name in (FIFO, SHARED, FIRST, *CONVERTED)),
]


@dataclass
class Case:
    """A run, and everything about it counted slowly."""

    name: str
    run: Run

    @cached_property
    def plain(self) -> Plain:
        return Plain(self.run.viz.file_bytes(0, self.run.viz.n_bytes).tobytes())

    @cached_property
    def offset(self) -> int:
        return self.plain.config.get("job_id_offset", 0)

    @cached_property
    def types(self) -> list[Type]:
        """GPU types as the allocation has them: of one file the config lists them backwards."""
        listed = self.plain.config["gpu_types"]
        first, types = 0, []
        for gpu_type in reversed(listed) if self.name == FIFO else listed:
            size = gpu_type.get("gpus_per_node", NODES_OF_4.get(gpu_type["name"]))
            types.append((first, gpu_type["count"], size))
            first += gpu_type["count"]
        return types

    @cached_property
    def type_of(self) -> list[int]:
        return [t for t, (_, count, _) in enumerate(self.types) for _ in range(count)]

    @cached_property
    def cells(self) -> list[Cells]:
        plain = self.plain
        return [quarters_of(plain.allocation(i), plain.sharing(i)) for i in range(plain.n_rounds)]

    @cached_property
    def starts_h(self) -> list[float]:
        """When each round begins, and when the last ends."""
        starts = [self.plain.head(i)[1] / 3600 for i in range(self.plain.n_rounds)]
        steps = sorted(b - a for a, b in pairwise(starts) if b > a)
        half = len(steps) // 2
        return [*starts, starts[-1] + (steps[half] if len(steps) % 2 else (steps[half - 1] + steps[half]) / 2)]

    @cached_property
    def jobs(self) -> dict[int, PlainJob]:
        lasts_h = [b - a for a, b in pairwise(self.starts_h)]
        return follow_jobs(self.cells, self.type_of, lasts_h)

    @cached_property
    def scale_factors(self) -> dict[int, int]:
        """By stored id."""
        jobs = self.run.viz.jobs
        return dict(zip((jobs["job_id"] + self.offset).tolist(), jobs["scale_factor"].tolist(), strict=True))

    @cached_property
    def waiting(self) -> list[list[int]]:
        """Stored ids of the jobs that wait in each round."""
        plain = self.plain
        if self.name != FIFO and self.name != SHARED:
            return [plain.queue(i) for i in range(plain.n_rounds)]
        records = self.run.viz.jobs.tolist()
        queues = []
        for i, cells in enumerate(self.cells):
            number, running = plain.head(i)[0], {stored for ids in cells for stored in ids if stored}
            queues.append(
                [
                    job_id
                    for job_id, _, _, arrival, completion, _, completed in records
                    if arrival < number and not (completed and completion < number) and job_id not in running
                ]
            )
        return queues

    @cached_property
    def free(self) -> list[list[list[int]]]:
        """Free GPUs by round, type and node."""
        return [[free_by_node(cells, gpu_type) for gpu_type in self.types] for cells in self.cells]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Case]:
    """Case by name, each made once."""
    made: dict[str, Case] = {}

    def case(name: str) -> Case:
        if name not in made:
            if name in BUNDLED:
                path = BUNDLE / f"{name}.viz.bin.packed"
            else:
                data: Path = request.getfixturevalue("data_dir")
                path = data / "published" / f"{name}.viz.bin"
            if name in CONVERTED:
                out = tmp_path_factory.mktemp("converted")
                policy = name.partition("_0.4jph")[0]
                log = data / UPSTREAM / policy / "seed=0" / "lambda=9000.000000.log.zst"
                assert main(["convert", str(log), "--out", str(out)]) == 0
                path = out / f"{name}.viz.bin"
            made[name] = Case(name, open_run(path))
        return made[name]

    return case


@pytest.mark.parametrize("name", ROUNDS_SEEN)
def test_timelines(cases: Callable[[str], Case], name: str) -> None:
    case = cases(name)
    run, timelines, types = case.run, case.run.timelines, range(len(case.types))
    jobs = [case.jobs.get(stored, PlainJob()) for stored in case.scale_factors]
    ended = [bool(done) for done in run.viz.jobs["completed"]]

    assert timelines.first_start.tolist() == [job.first for job in jobs]
    assert timelines.last_record.tolist() == [job.last for job in jobs]
    assert timelines.run_rounds.tolist() == [job.run_rounds for job in jobs]
    assert timelines.run_time_h == pytest.approx([job.run_time_h for job in jobs])
    assert timelines.gpu_rounds.tolist() == [job.quarters / 4 for job in jobs]
    assert timelines.gpu_hours == pytest.approx([job.quarter_hours / 4 for job in jobs])
    assert timelines.preemptions.tolist() == [job.preemptions(done) for job, done in zip(jobs, ended, strict=True)]
    assert timelines.migrations.tolist() == [job.migrations for job in jobs]
    assert timelines.type_migrations.tolist() == [job.type_migrations for job in jobs]
    assert timelines.type_rounds.tolist() == [[job.type_rounds.get(t, 0) for t in types] for job in jobs]
    assert timelines.known.all()
    # Together they account for every cell that is not idle.
    cells = sum(1 for cells in case.cells for ids in cells for stored in ids if stored) / 4
    assert timelines.gpu_rounds.sum() == cells
    assert (run.segments().rounds / run.viz.lanes_per_gpu).sum() == cells


@pytest.mark.parametrize("name", ROUNDS_SEEN)
def test_time_in_the_queue(cases: Callable[[str], Case], name: str) -> None:
    case = cases(name)
    run, starts_h = case.run, case.starts_h
    timelines: JobTimelines = run.timelines
    if name == FIRST:  # without completions nothing says how long a job was in the system
        assert run.jobs()["queueing_time_h"].isna().all()
        return
    rounds, hours = Counter[int](), Counter[int]()
    for i, waiting in enumerate(case.waiting):
        rounds.update(waiting)
        for stored in waiting:
            hours[stored] += starts_h[i + 1] - starts_h[i]

    assert timelines.queued_rounds.tolist() == [rounds[stored] for stored in case.scale_factors]
    assert timelines.queueing_time_h == pytest.approx([hours[stored] for stored in case.scale_factors])
    assert timelines.queued_rounds.sum() == sum(case.plain.head(i)[4] for i in range(run.n_rounds))
    table = run.jobs()
    completed = table[table["completed"]]
    assert len(completed) > 80
    gap_h = completed["queueing_time_h"] + completed["run_time_h"] - completed["jct_h"]
    assert gap_h.abs().max() < max(b - a for a, b in pairwise(starts_h))


@pytest.mark.parametrize("name", ROUNDS_SEEN)
def test_fragmentation(cases: Callable[[str], Case], name: str) -> None:
    case = cases(name)
    fragmentation = case.run.fragmentation(NODES_OF_4)
    sizes = Counter(case.scale_factors.values())
    classes = sorted(sizes)
    shares = np.array([sizes[size] / sizes.total() for size in classes])
    pairs = [list(zip(by_type, case.types, strict=True)) for by_type in case.free]
    by_class = np.array([[[fragmented(*pair, size) for size in classes] for pair in row] for row in pairs])

    assert fragmentation.classes == tuple(classes)
    assert fragmentation.popularity == pytest.approx(shares)
    assert fragmentation.known.all()
    assert fragmentation.n_nodes == tuple(-(-count // size) for _, count, size in case.types if size)
    assert fragmentation.free.tolist() == [[sum(nodes) for nodes, _ in row] for row in pairs]
    assert fragmentation.largest_block.tolist() == [[max(nodes) for nodes, _ in row] for row in pairs]
    assert fragmentation.occupied_nodes.tolist() == [[occupied_nodes(*pair) for pair in row] for row in pairs]
    assert fragmentation.fragmented.tolist() == by_class.tolist()
    expected = (by_class * shares).sum(axis=(1, 2))
    free = np.array([[sum(nodes) for nodes in row] for row in case.free]).sum(axis=1)
    np.testing.assert_allclose(
        fragmentation.rate(), [e / f if f else np.nan for e, f in zip(expected, free, strict=True)]
    )
    np.testing.assert_allclose(fragmentation.share(), expected / sum(count for _, count, _ in case.types), atol=1e-12)
    assert expected.any() == (classes != [1])


@pytest.mark.parametrize("name", ROUNDS_SEEN)
def test_fragmentation_of_nodes(cases: Callable[[str], Case], name: str) -> None:
    case = cases(name)
    start, stop = case.run.n_rounds // 3, case.run.n_rounds - 2
    nodes = case.run.node_fragmentation(start, stop, NODES_OF_4)
    sizes = Counter(case.scale_factors.values())
    expected = []
    for t, gpu_type in enumerate(case.types):
        for node in range(len(case.free[0][t])):
            free = [row[t][node] for row in case.free[start:stop]]
            lost = sum(sizes[size] / sizes.total() * fragmented([f], gpu_type, size) for f in free for size in sizes)
            expected.append((t, node, sum(free) / len(free), lost / len(free)))
    found = list(zip(nodes.type_index.tolist(), nodes.node.tolist(), nodes.free, nodes.expected, strict=True))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("name", ROUNDS_SEEN)
def test_blocked_demand(cases: Callable[[str], Case], name: str) -> None:
    case = cases(name)
    demand = case.run.blocked_demand(NODES_OF_4)
    parts = {part: np.zeros_like(demand.queued) for part in ("queued", "no_gpus", "scattered", "could_start")}
    column = {size: c for c, size in enumerate(demand.scale_factors)}
    for i, waiting in enumerate(case.waiting):
        for size, jobs in Counter(case.scale_factors[stored] for stored in waiting).items():
            parts["queued"][i, column[size]] = jobs
            parts[hindrance(size, case.free[i], case.types)][i, column[size]] = jobs

    assert demand.known.all()
    assert demand.knows_nodes
    for part, counts in parts.items():
        assert getattr(demand, part).tolist() == counts.tolist(), part
    assert demand.queued.sum(axis=1).tolist() == [case.plain.head(i)[4] for i in range(case.run.n_rounds)]
    assert demand.pending_gpus.sum() == sum(case.scale_factors[job] for waiting in case.waiting for job in waiting)


def test_the_runs_show_every_reason(cases: Callable[[str], Case]) -> None:
    demand = cases(BUNDLED[1]).run.blocked_demand(NODES_OF_4)
    assert all(part.any() for part in (demand.no_gpus, demand.scattered, demand.could_start))


@pytest.mark.data
@pytest.mark.parametrize("name", TELEMETRY)
def test_without_allocations_only_free_gpus_are_known(cases: Callable[[str], Case], name: str) -> None:
    case = cases(name)
    run, plain, n = case.run, case.plain, case.plain.n_rounds
    fragmentation, demand = run.fragmentation(), run.blocked_demand()
    said = [not (plain.head(i)[3] and any(plain.used(i))) or any(plain.allocation(i)) for i in range(n)]

    assert fragmentation.known.tolist() == said
    assert sum(said) <= 1
    counts = [count for _, count, _ in case.types]
    assert fragmentation.free.tolist() == [
        [count - used for count, used in zip(counts, plain.used(i), strict=True)] for i in range(n)
    ]
    assert np.isnan(fragmentation.rate()).all()
    assert np.isnan(fragmentation.share()).all()
    assert len(run.segments()) == len(run.timelines.known) == len(run.jobs()) == 0
    # Who waits is known only as a number, so nothing says what stands in the way.
    assert demand.queued.sum(axis=1).tolist() == [plain.head(i)[4] for i in range(n)]
    assert not (demand.no_gpus | demand.scattered | demand.could_start).any()
