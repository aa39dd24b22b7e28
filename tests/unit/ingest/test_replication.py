"""Dialect A: what each kind of line becomes in the file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import zstandard

from gavel_dash.errors import GavelDashError, LogParseError
from tests.unit.ingest.log_text import ReplicationLog, codes, convert_data, short_log


def test_rounds_allocations_queues_and_jobs(tmp_path: Path) -> None:
    viz, result = convert_data(short_log().data, tmp_path)
    assert viz.allocations().tolist() == [
        [-1, -1, -1, -1, -1, -1],
        [-1, 1, -1, -1, 0, 0],
        [2, 1, -1, -1, 0, 0],
        [-1, -1, -1, 2, -1, -1],
    ]
    assert [viz.queue(i).tolist() for i in range(4)] == [[0, 1, 2], [2], [], [1]]
    assert [t.name for t in viz.cluster.gpu_types] == ["k80", "p100", "v100"]
    assert viz.gpus_used.tolist() == [[0, 0, 0], [1, 0, 2], [2, 0, 2], [0, 1, 0]]
    assert viz.jobs["scale_factor"].tolist() == [2, 1, 1]
    assert viz.jobs["arrival_round"].tolist() == [0, 0, 0]
    assert viz.jobs["completion_round"].tolist() == [2, 0, 0]
    assert viz.job_types[1] == ("ResNet-50 (batch size 64)", "resnet")
    assert viz.round_heads["effective_utilization"].tolist() == [0.25] * 4
    assert (result.rounds, result.jobs, result.gpus, result.completions) == (4, 3, 6, 1)
    assert (result.rounds_queue_disagrees, result.rounds_use_disagrees, result.findings) == (0, 0, ())
    assert viz.version == 1
    assert viz.findings == ()


def test_completions_and_telemetry_keep_every_digit(tmp_path: Path) -> None:
    log = short_log()
    _, result = convert_data(log.data, tmp_path)
    (row,) = json.loads(result.paths[1].read_bytes())
    assert row == {"job_id": 0, "sim_time": 720.0, "duration": 700.5}
    printed = [line.split("TELEMETRY ")[1] for line in log.lines if "TELEMETRY" in line]
    assert result.paths[2].read_text().splitlines() == printed


def test_policy_and_seed_come_from_the_first_line_when_nothing_else_tells(tmp_path: Path) -> None:
    viz, _ = convert_data(short_log().data, tmp_path)
    experiment = viz.config["experiment"]
    assert viz.policy == "max_min_fairness_perf"
    assert (experiment["seed"], experiment["setting"], experiment["cluster"]) == (7, "multi", "2k80-2p100-2v100")


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_packed_logs_give_the_same_file(tmp_path: Path, pack) -> None:
    plain, _ = convert_data(short_log().data, tmp_path)
    packed, _ = convert_data(pack(short_log().data), tmp_path, "other.log.zst")
    assert np.array_equal(plain.allocations(), packed.allocations())


def test_allocation_lines_stand_for_scheduled_lines(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(0, 2).arrive(3).telemetry(0, 0, 2)
    log.allocate({"0": [4, 5], "3": [0]}).telemetry(1, 2, 0, v100=2, k80=1)
    viz, result = convert_data(log.data, tmp_path)
    assert viz.allocation(1).tolist() == [3, -1, -1, -1, 0, 0]
    assert result.rounds_use_disagrees == 0


def test_older_completion_events_count(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(0).telemetry(0, 0, 1).schedule(0, "k80", 0).telemetry(1, 1, 0, k80=1)
    log.complete(0, 12.5, event="job_completion").telemetry(2, 0, 0, 1)
    viz, result = convert_data(log.data, tmp_path)
    assert result.completions == 1
    assert viz.jobs["duration_s"].tolist() == [12.5]


def test_a_pair_keeps_both_jobs_and_the_true_queue(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(3).arrive(5).arrive(6).telemetry(0, 0, 3)
    # The simulator counts the pair as one running job, so it says that two are queued.
    log.schedule("(3, 5)", "v100", 4).telemetry(1, 1, 2, v100=1)
    viz, result = convert_data(log.data, tmp_path)
    assert viz.version == 2
    assert {gpu: ids.tolist() for gpu, ids in viz.sharing(1).items()} == {4: [3, 3, 5, 5]}
    assert viz.queue(1).tolist() == [6]
    assert viz.round_heads["jobs_running"].tolist() == [0, 2]
    assert result.rounds_queue_disagrees == 0
    assert codes(result) == {"pairs-count-as-one": 1}


def test_fractional_requests_fill_quarters(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(0, gpu_request=0.5).arrive(1, gpu_request=0.25).arrive(2, gpu_request=0.25)
    log.telemetry(0, 0, 3).schedule(0, "k80", 0).schedule(1, "k80", 0).schedule(2, "k80", 1)
    viz, result = convert_data(log.telemetry(1, 3, 0, k80=2).data, tmp_path)
    assert {gpu: ids.tolist() for gpu, ids in viz.sharing(1).items()} == {0: [0, 0, 1, -1], 1: [2, -1, -1, -1]}
    assert result.rounds_use_disagrees == 0


def test_more_tenants_than_quarters_are_reported(tmp_path: Path) -> None:
    log = ReplicationLog()
    for job in range(5):
        log.arrive(job, gpu_request=0.25)
    log.telemetry(0, 0, 5)
    for job in range(5):
        log.schedule(job, "k80", 0)
    viz, result = convert_data(log.telemetry(1, 5, 0, k80=1).data, tmp_path)
    assert viz.sharing(1)[0].tolist() == [0, 1, 2, 3]
    assert codes(result) == {"more-tenants-than-quarters": 1}


def test_rounds_that_disagree_with_the_log_are_counted(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(0).arrive(1).telemetry(0, 0, 2)
    log.schedule(0, "k80", 0).telemetry(1, 1, 0, k80=1)  # one job waits, the log says none
    log.schedule(0, "k80", 0).telemetry(2, 1, 1, v100=1)  # a k80 works, the log says a v100
    _, result = convert_data(log.data, tmp_path)
    assert (result.rounds_queue_disagrees, result.rounds_use_disagrees) == (1, 1)


def test_a_job_that_never_arrived_is_reported_and_kept(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(0).telemetry(0, 0, 1).schedule(9, "k80", 0, 1).telemetry(1, 1, 1, k80=2)
    viz, result = convert_data(log.data, tmp_path)
    assert viz.allocation(1).tolist() == [9, 9, -1, -1, -1, -1]
    assert codes(result) == {"job-without-arrival": 1}
    assert viz.jobs["scale_factor"].tolist() == [1, 2]


def test_a_job_that_runs_after_its_end_is_reported(tmp_path: Path) -> None:
    log = ReplicationLog().arrive(0).telemetry(0, 0, 1).complete(0, 5.0).complete(0, 9.0).schedule(0, "k80", 0)
    viz, result = convert_data(log.telemetry(1, 1, 0, 1, k80=1).data, tmp_path)
    assert codes(result) == {"runs-outside-its-life": 1, "completed-twice": 1}
    assert viz.jobs["duration_s"].tolist() == [5.0]


@pytest.mark.parametrize(
    ("totals", "schedule", "expected"),
    [
        ({"v100": 2, "k80": 2}, [("v100", 0), ("k80", 3)], [7, -1, -1, 8]),  # v100 registered first
        ({"a": 1, "b": 1, "c": 2}, [("b", 1), ("c", 3)], [-1, 7, -1, 8]),  # "a" never runs: what is left
        ({"a": 2, "b": 2}, [("a", 10), ("b", 31)], [7, -1, 8, -1]),  # gaps: by rank
    ],
)
def test_gpus_follow_the_worker_ids(tmp_path: Path, totals, schedule, expected) -> None:
    log = ReplicationLog(totals).arrive(7).arrive(8).telemetry(0, 0, 2)
    for job, (name, worker) in zip((7, 8), schedule, strict=True):
        log.schedule(job, name, worker)
    viz, result = convert_data(log.telemetry(1, 2, 0, **{name: 1 for name, _ in schedule}).data, tmp_path)
    assert viz.allocation(1).tolist() == expected
    assert result.rounds_use_disagrees == 0


def test_a_log_cut_at_any_byte_never_crashes_and_never_loses_rounds(tmp_path: Path) -> None:
    data, rounds = short_log().data, 0
    for cut in range(len(data) + 1):
        try:
            _, result = convert_data(data[:cut], tmp_path, force=True)
        except GavelDashError:
            assert rounds == 0
            continue
        assert result.rounds >= rounds
        assert (result.rounds_queue_disagrees, result.rounds_use_disagrees) == (0, 0)
        assert ("cut-line" in codes(result)) == (data[cut - 1 : cut] != b"\n")
        rounds = result.rounds
    assert rounds == 4


def test_half_a_worker_list_does_not_count(tmp_path: Path) -> None:
    data = short_log().schedule(1, "k80", 1).data
    viz, result = convert_data(data[: data.rindex(b"Worker ID(s): 1") + 15], tmp_path)
    assert result.rounds == 4
    assert viz.n_rounds == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TELEMETRY {broken", "JSONDecodeError"),
        ("TELEMETRY []", "not a JSON object"),
        ('TELEMETRY {"round": 4}', "sim_time"),
        ('EVENT {"event": "job_arrival", "job_id": "x"}', "invalid literal"),
        ('EVENT {"event": "job_complete", "job_id": "0", "sim_time": 1, "duration": NaN}', "duration of nan"),
        ("[Micro-task scheduled]\tJob ID: 1\tWorker type: v100", "IndexError"),
        ("[Micro-task scheduled]\tJob ID: 1\tWorker type: v100\tWorker ID(s): 1,x", "invalid literal"),
        ("[Micro-task scheduled]\tJob ID: 1\tWorker type: v100\tSomething  is: 12", "no worker ids"),
        ("[Micro-task scheduled]\tJob ID: 1\tv100\tWorker ID(s): 1,2", "no worker type"),
    ],
)
def test_a_broken_line_is_named_by_its_number(tmp_path: Path, line: str, expected: str) -> None:
    log = short_log().say(line)
    with pytest.raises(LogParseError, match=f"line {len(log.lines)}: .*{expected}"):
        convert_data(log.say("more").data, tmp_path)


def test_bare_infinity_in_telemetry_means_unknown(tmp_path: Path) -> None:
    data = short_log().data.replace(b'"avg_jct": 0', b'"avg_jct": Infinity')
    viz, _ = convert_data(data, tmp_path)
    assert viz.round_heads["avg_jct_s"].tolist() == [0, 0, 0, 0]


def test_windows_line_ends_read_the_same(tmp_path: Path) -> None:
    viz, result = convert_data(short_log().data.replace(b"\n", b"\r\n"), tmp_path)
    assert viz.allocation(2).tolist() == [2, 1, -1, -1, 0, 0]
    assert result.findings == ()


def test_values_beyond_the_format_are_an_error(tmp_path: Path) -> None:
    log = short_log().telemetry(4, 70_000, 0)
    with pytest.raises(GavelDashError, match="jobs_running must be in 0"):
        convert_data(log.data, tmp_path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "an empty file"),
        (b"hello\nworld\n", "none of these in 2 complete lines"),
        (b"\0" * 100, "none of these in 0 complete lines"),
        (ReplicationLog().arrive(0).data, "at least one complete round"),
    ],
)
def test_what_is_no_log_is_one_clear_error(tmp_path: Path, data: bytes, expected: str) -> None:
    with pytest.raises(GavelDashError, match=expected):
        convert_data(data, tmp_path)
    assert list((tmp_path / "out").iterdir()) == []
