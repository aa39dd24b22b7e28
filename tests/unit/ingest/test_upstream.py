"""Dialect B: rounds, queues, completions and utilization from a log that has no round records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gavel_dash.errors import LogParseError
from tests.unit.ingest.log_text import codes, convert_data

HEAD = (
    "scheduler:INFO [0] Running scheduler in simulation with the following args: "
    "policy=Gandiva_Packing, seed=3, time_per_iteration=360\n"
)
ROUND_1 = """\
scheduler:INFO [0] Number of completed jobs: 0
scheduler:INFO [0] [Job dispatched]\tJob ID: 0
scheduler:INFO [0] [Job dispatched]\tJob ID: 1
scheduler:INFO [0] [Job dispatched]\tJob ID: 2
scheduler:INFO [0] [Micro-task scheduled]\tJob ID: 0\tWorker type: v100\tWorker ID(s): 2,3\tPriority: 1.00
scheduler:WARNING [0] 2 GPUs of type k80 left unused. Number of active jobs: 3
scheduler:INFO [0] Number of completed jobs: 0
"""
ROUND_2 = """\
scheduler:INFO [360.0] [Micro-task succeeded]\tJob ID: 0\tWorker type: v100\tWorker ID(s): [2, 3]
scheduler:INFO [360.0] [Job succeeded]\tJob ID: 0\tStart timestamp: 0.00\tEnd timestamp: 180.00\tDuration: 180.00
scheduler:INFO [360.0] [Micro-task scheduled]\tJob ID: (1, 2)\tWorker type: k80\tWorker ID(s): 1\tPriority: 1.00
scheduler:WARNING [360.0] 1 GPUs of type k80 left unused. Number of active jobs: 2
scheduler:WARNING [360.0] 2 GPUs of type v100 left unused. Number of active jobs: 2
scheduler:INFO [360.0] Number of completed jobs: 1
"""
ROUND_3 = """\
scheduler:INFO [720.0] [Micro-task scheduled]\tJob ID: 2\tWorker type: k80\tWorker ID(s): 0\tPriority: 1.00
"""
TAIL = """\
Job completion times:
Job 0: 180.000
Average job completion time: 180.000 seconds (0.05 hours)
Cluster utilization: 0.250
"""


def test_rounds_pairs_queue_and_completions_are_derived(tmp_path: Path) -> None:
    viz, result = convert_data((HEAD + ROUND_1 + ROUND_2 + TAIL).encode(), tmp_path)
    assert viz.round_heads["round"].tolist() == [1, 2]
    assert viz.allocations().tolist() == [[-1, -1, 0, 0], [-1, 1, -1, -1]]
    assert viz.sharing(1)[1].tolist() == [1, 1, 2, 2]
    assert [viz.queue(i).tolist() for i in range(2)] == [[1, 2], []]
    assert viz.round_heads["jobs_running"].tolist() == [1, 2]
    assert viz.round_heads["jobs_completed"].tolist() == [0, 1]
    assert viz.round_heads["avg_jct_s"].tolist() == [0, 180]
    assert viz.jobs["scale_factor"].tolist() == [2, 1, 1]
    assert viz.jobs["arrival_round"].tolist() == [0, 0, 0]
    assert viz.jobs["completion_round"].tolist() == [1, 0, 0]
    assert viz.job_types == {0: ("unknown", "other")}
    assert json.loads(result.paths[1].read_bytes()) == [{"job_id": 0, "sim_time": 360.0, "duration": 180.0}]
    assert (viz.policy, str(viz.window)) == ("gandiva", "0:1")
    assert [(t.name, t.count) for t in viz.cluster.gpu_types] == [("k80", 2), ("v100", 2)]
    assert (result.rounds_queue_disagrees, result.rounds_use_disagrees, result.findings) == (0, 0, ())


def test_utilization_is_the_busy_fraction_so_far_and_jobs_work_until_their_end(tmp_path: Path) -> None:
    viz, _ = convert_data((HEAD + ROUND_1 + ROUND_2 + TAIL).encode(), tmp_path)
    # Two of four GPUs work for 180 of the first 360 seconds.
    assert viz.round_heads["effective_utilization"].tolist() == [0, 0.25]


def test_telemetry_has_the_replications_names(tmp_path: Path) -> None:
    _, result = convert_data((HEAD + ROUND_1 + ROUND_2 + TAIL).encode(), tmp_path)
    rows = [json.loads(line) for line in result.paths[2].read_text().splitlines()]
    assert [(row["round"], row["jobs_active"], row["jobs_queued"], row["k80_used"]) for row in rows] == [
        (1, 3, 2, 0),
        (2, 2, 0, 1),
    ]
    assert rows[1]["jobs_generated"] == 3
    assert rows[1]["v100_total"] == 2


def test_a_last_round_counts_only_when_a_line_of_another_kind_closes_it(tmp_path: Path) -> None:
    open_end = (HEAD + ROUND_1 + ROUND_2 + ROUND_3).encode()
    assert convert_data(open_end, tmp_path)[1].rounds == 2
    closed = open_end + b"scheduler:WARNING [720.0] 2 GPUs of type v100 left unused. Number of active jobs: 2\n"
    assert convert_data(closed, tmp_path)[1].rounds == 3


@pytest.mark.parametrize(
    ("printed", "instead", "queue", "use", "finding"),
    [
        ("active jobs: 3", "active jobs: 4", 1, 0, None),
        ("2 GPUs of type v100", "1 GPUs of type v100", 0, 1, None),
        ("completed jobs: 1", "completed jobs: 5", 0, 0, "completed-count-differs"),
        ("utilization: 0.250", "utilization: 0.350", 0, 0, "utilization-differs"),
        ("time: 180.000", "time: 181.000", 0, 0, "mean-jct-differs"),
    ],
)
def test_every_number_the_log_prints_is_checked(
    tmp_path: Path, printed: str, instead: str, queue: int, use: int, finding: str | None
) -> None:
    text = HEAD + ROUND_1 + ROUND_2 + TAIL
    assert text.count(printed) == 1
    _, result = convert_data(text.replace(printed, instead).encode(), tmp_path)
    assert (result.rounds_queue_disagrees, result.rounds_use_disagrees) == (queue, use)
    assert list(codes(result)) == ([finding] if finding else [])


def test_the_wait_for_an_arrival_is_not_work(tmp_path: Path) -> None:
    later = ROUND_2.replace("[360.0]", "[3600.0]").replace("End timestamp: 180.00", "End timestamp: 3600.00")
    viz, _ = convert_data((HEAD + ROUND_1 + later + TAIL).encode(), tmp_path)
    assert viz.round_heads["effective_utilization"][1] == pytest.approx(360 * 2 / (3600 * 4))


def test_a_job_that_never_ran_has_an_unknown_scale_factor(tmp_path: Path) -> None:
    _, result = convert_data((HEAD + ROUND_1).encode(), tmp_path)
    assert codes(result) == {"scale-factor-unknown": 2}


def test_a_broken_line_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(LogParseError, match=r"line 9: .*End timestamp"):
        convert_data((HEAD + ROUND_1 + "scheduler:INFO [9] [Job succeeded]\tJob ID: 0\n").encode(), tmp_path)
