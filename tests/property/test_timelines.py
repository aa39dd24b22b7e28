"""Any allocation, shared GPUs included: segments, timelines, queue and free GPUs are those of plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gavel_dash.formats.vizbin import VizFile
from gavel_dash.model import RunKey
from gavel_dash.sweep.run import Run
from tests.plain_rounds import (
    Cells,
    PlainJob,
    follow_jobs,
    fragmented,
    free_by_node,
    hindrance,
    occupied_nodes,
    quarters_of,
)
from tests.plain_vizbin import Round, build

TYPES = [("a", 3), ("b", 2)]
TYPE_OF = [0, 0, 0, 1, 1]
N_GPUS = len(TYPE_OF)
JOB_IDS = [1, 2, 3, 4]
IDS = st.sampled_from([0, *JOB_IDS])
ROUND_H = 0.1


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """Rounds in which anybody may hold anything, and jobs that come and go when they like."""
    n_rounds = draw(st.integers(1, 10))
    shares = draw(st.booleans())
    jobs = []
    for job_id in draw(st.permutations(JOB_IDS)):
        completion = draw(st.integers(0, n_rounds + 1))
        jobs.append(
            (job_id, 0, draw(st.integers(1, 3)), draw(st.integers(0, n_rounds)), completion, 360.0 * completion)
        )
    allocations, sharing = [], []
    for _ in range(n_rounds):
        # A round is often the one before with little changed.
        row = (
            list(allocations[-1])
            if allocations and draw(st.booleans())
            else draw(st.lists(IDS, min_size=5, max_size=5))
        )
        row[draw(st.integers(0, N_GPUS - 1))] = draw(IDS)
        shared = draw(st.sets(st.integers(0, N_GPUS - 1), max_size=3)) if shares else set()
        # The allocation has the first quarter; nothing is said of a round in which that is idle on every GPU.
        quarters = {
            gpu: [row[gpu], *draw(st.lists(IDS, min_size=3, max_size=3))] if row[gpu] else [0] * 4 for gpu in shared
        }
        allocations.append(row)
        sharing.append(quarters)
    return {
        "jobs": jobs,
        "allocations": allocations,
        "sharing": sharing,
        "first_queue": draw(st.sets(st.sampled_from(JOB_IDS))),
        "node_sizes": draw(st.fixed_dictionaries({name: st.integers(1, 4) for name, _ in TYPES})),
    }


class Plain:
    """What a drawn run is, by loops."""

    def __init__(self, drawn: dict[str, Any]) -> None:
        pairs = zip(drawn["allocations"], drawn["sharing"], strict=True)
        self.cells: list[Cells] = [quarters_of(row, shared) for row, shared in pairs]
        self.running = [{stored for ids in cells for stored in ids if stored} for cells in self.cells]
        n_rounds = len(self.cells)
        self.stays: dict[int, tuple[int, int]] = {}
        for job_id, _, _, arrival, completion, _ in drawn["jobs"]:
            at_first = job_id in self.running[0] | drawn["first_queue"]
            since = 0 if at_first else min(arrival + 1, n_rounds)
            until = min(completion + 1, n_rounds) if completion else n_rounds
            self.stays[job_id] = (since, max(since, until))
        self.waiting = [
            [job_id for job_id, (since, until) in self.stays.items() if since <= i < until and job_id not in running]
            for i, running in enumerate(self.running)
        ]

    def run(self, drawn: dict[str, Any]) -> Run:
        """The same as a file."""
        rounds = [
            Round(
                [sum(any(ids) for ids in cells[:3]), sum(any(ids) for ids in cells[3:])],
                row,
                self.waiting[i],
                running=len(self.running[i]),
                sharing=list(drawn["sharing"][i].items()),
            )
            for i, (row, cells) in enumerate(zip(drawn["allocations"], self.cells, strict=True))
        ]
        viz = VizFile(build(TYPES, rounds, drawn["jobs"]), "run")
        return Run("run", RunKey(), None, lambda: viz, dict, dict)


@settings(deadline=None, max_examples=250)
@given(runs())
def test_any_run(drawn: dict[str, Any]) -> None:
    plain = Plain(drawn)
    run = plain.run(drawn)
    n_rounds = len(plain.cells)
    assert not run.records_without_allocation.any()

    lanes_per_gpu = 4 if any(drawn["sharing"]) else 1
    lanes = [[stored for ids in cells for stored in ids[:lanes_per_gpu]] for cells in plain.cells]
    assert run.viz.lanes(0, n_rounds).tolist() == lanes
    segments, painted = run.segments(), np.zeros((n_rounds, N_GPUS * lanes_per_gpu), int)
    for lane, start, stop, job_id in zip(segments.lane, segments.start, segments.stop, segments.job_id, strict=True):
        assert not painted[start:stop, lane].any()
        painted[start:stop, lane] = job_id
        assert start == 0 or painted[start - 1, lane] != job_id
    assert painted.tolist() == lanes
    part = run.segments(1, n_rounds - 1)
    assert part.rounds.sum() == sum(stored > 0 for row in lanes[1 : n_rounds - 1] for stored in row)

    timelines, seen = run.timelines, follow_jobs(plain.cells, TYPE_OF, [ROUND_H] * n_rounds)
    for k, (job_id, _, _, _, completion, _) in enumerate(drawn["jobs"]):
        job, (since, until) = seen.get(job_id, PlainJob()), plain.stays[job_id]
        running = [i for i, ids in enumerate(plain.running) if job_id in ids]
        assert (timelines.first_start[k], timelines.last_record[k]) == (job.first, job.last)
        assert (timelines.in_system_from[k], timelines.in_system_until[k]) == (since, until)
        assert (timelines.run_rounds[k], timelines.gpu_rounds[k]) == (job.run_rounds, job.quarters / 4)
        assert (timelines.migrations[k], timelines.type_migrations[k]) == (job.migrations, job.type_migrations)
        assert timelines.type_rounds[k].tolist() == [job.type_rounds.get(t, 0) for t in range(2)]
        assert timelines.known[k]
        assert timelines.stay_known[k] == all(since <= i < until for i in running)
        if n_rounds > 1:  # of a single record nothing tells how long it lasts
            assert abs(timelines.run_time_h[k] - job.run_time_h) < 1e-6
            assert abs(timelines.gpu_hours[k] - job.quarter_hours / 4) < 1e-6
        if timelines.stay_known[k]:
            assert timelines.queued_rounds[k] == until - since - len(running)
            ended = bool(completion) and job.last < n_rounds - 1
            assert timelines.preemptions[k] == job.preemptions(ended)

    types = [(0, 3, drawn["node_sizes"]["a"]), (3, 2, drawn["node_sizes"]["b"])]
    sizes = {job_id: size for job_id, _, size, *_ in drawn["jobs"]}
    free, demand = run.fragmentation(drawn["node_sizes"]), run.blocked_demand(drawn["node_sizes"])
    for i, cells in enumerate(plain.cells):
        nodes = [free_by_node(cells, gpu_type) for gpu_type in types]
        for t, gpu_type in enumerate(types):
            by_class = [fragmented(nodes[t], gpu_type, size) for size in sorted(set(sizes.values()))]
            assert (free.free[i, t], free.largest_block[i, t]) == (sum(nodes[t]), max(nodes[t]))
            assert free.occupied_nodes[i, t] == occupied_nodes(nodes[t], gpu_type)
            assert free.fragmented[i, t].tolist() == by_class
        hindrances = [(sizes[job_id], hindrance(sizes[job_id], nodes, types)) for job_id in plain.waiting[i]]
        for c, size in enumerate(demand.scale_factors):
            for name in ("no_gpus", "scattered", "could_start"):
                assert getattr(demand, name)[i, c] == hindrances.count((size, name)), name
            assert demand.queued[i, c] == sum(asked == size for asked, _ in hindrances)
    assert demand.known.all()
