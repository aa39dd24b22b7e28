"""The quirks of real files, each rebuilt small: what the reader notices and what it does about it."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.formats.vizbin import VizFile
from tests.plain_vizbin import Round, build

TYPES = [("k80", 2), ("p100", 2), ("v100", 2)]
REVERSED = TYPES[::-1]


def found(viz: VizFile) -> dict[str, int]:
    return {finding.code: finding.count for finding in viz.findings}


def test_the_type_order_follows_the_allocations_where_they_agree_clearly_better() -> None:
    # GIVEN a config that lists v100 first while k80 GPUs come first in the allocation
    rounds = [Round([0, 1, 2], [1, 1, 2, 0, 0, 0]), Round([0, 0, 1], [1, 0, 0, 0, 0, 0])] * 10
    viz = VizFile(build(REVERSED, rounds), "run")

    # THEN cluster and gpus_used are in allocation order, and the reader says so
    assert [gpu_type.name for gpu_type in viz.cluster.gpu_types] == ["k80", "p100", "v100"]
    assert viz.gpus_used[0].tolist() == [2, 1, 0]
    assert found(viz) == {"type-order-corrected": 20}
    assert "0%" in viz.findings[0].sentence


@pytest.mark.parametrize("same", [Round([2, 2, 2], [1, 1, 2, 2, 3, 3]), Round([1, 1, 1], [1, 0, 2, 0, 3, 0])])
def test_rounds_in_which_all_orders_agree_do_not_hide_a_wrong_order(same: Round) -> None:
    # GIVEN a run of which only 5 of 105 rounds tell orders apart, as a saturated one does
    rounds = [same] * 100 + [Round([2, 2, 1], [1, 0, 2, 2, 3, 3])] * 5

    assert found(VizFile(build(REVERSED, rounds), "run")) == {"type-order-corrected": 5}
    assert found(VizFile(build(TYPES, [same] * 9), "run")) == {}


def test_an_order_that_agrees_only_a_little_better_is_not_taken() -> None:
    # GIVEN 90 rounds that the config and one other order explain, and 8 that only the other explains
    rounds = [Round([1, 1, 0], [1, 0, 2, 0, 0, 0])] * 90 + [Round([2, 1, 0], [1, 0, 2, 2, 0, 0])] * 8
    viz = VizFile(build(TYPES, rounds), "run")

    assert viz.type_order.order == (0, 1, 2)
    assert viz.type_order.config_agreement == pytest.approx(90 / 98)
    assert found(viz) == {"gpu-used-differs": 8}


def test_the_order_that_explains_most_rounds_stays() -> None:
    # GIVEN rounds of which the config explains 92 %, the reverse 8 %
    rounds = [Round([2, 0, 0], [1, 1, 0, 0, 0, 0])] * 92 + [Round([0, 0, 2], [1, 1, 0, 0, 0, 0])] * 8
    viz = VizFile(build(TYPES, rounds), "run")

    assert viz.type_order.order == (0, 1, 2)
    assert found(viz) == {"gpu-used-differs": 8}


def test_an_order_that_cannot_be_decided_stays_as_configured() -> None:
    # GIVEN counts that are two too many in every round
    rounds = [Round([1, 0, 2], [1, 0, 0, 0, 0, 0])] * 10
    viz = VizFile(build(REVERSED, rounds), "run")

    assert [gpu_type.name for gpu_type in viz.cluster.gpu_types] == ["v100", "p100", "k80"]
    assert found(viz) == {"type-order-undecided": 10, "gpu-used-differs": 10}


JOB_0 = (0, 0, 2, 0, 3, 1080.0)
OTHER = (1, 0, 1, 0, 0, 0.0)


def test_job_0_runs_unseen_where_ids_are_stored_without_offset() -> None:
    # GIVEN job 0 on two GPUs in rounds 1 to 3, with another job and alone, listed as waiting as well
    rounds = [
        Round([1, 0, 0], [1, 0, 0, 0, 0, 0], [0]),
        Round([1, 2, 0], [1, 0, 0, 0, 0, 0], [0], running=2, queued=0),
        Round([1, 2, 0], [1, 0, 0, 0, 0, 0], running=2),
        Round([0, 2, 0], [0, 0, 0, 0, 0, 0], running=1),
    ]
    viz = VizFile(build(TYPES, rounds, [JOB_0, OTHER]), "run")

    assert found(viz) == {"hidden-job-0": 3, "queue-cleaned": 1}
    assert "2 GPUs in 3 rounds" in viz.findings[0].sentence
    assert viz.queue(0).tolist() == [0]
    assert viz.queue(1).tolist() == []
    assert not viz.has_allocation(3)


def test_gpus_counted_too_many_are_not_a_hidden_job_0() -> None:
    # GIVEN a waiting job 0 that asks for as many GPUs as the file counts too many
    rounds = [Round([1, 2, 0], [1, 0, 0, 0, 0, 0], [0])] * 4
    viz = VizFile(build(TYPES, rounds, [(0, 0, 2, 0, 0, 0.0), OTHER]), "run")

    assert "hidden-job-0" not in found(viz)
    assert viz.queue(1).tolist() == [0]


def test_queues_are_cleaned_of_jobs_that_run_have_completed_or_come_later() -> None:
    # GIVEN jobs 1 (runs), 2 (completed in round 0), 3 (waits), 4 (arrives after round 1), 5 (second tenant)
    jobs = [
        (1, 0, 1, 0, 0, 0.0),
        (2, 0, 1, 0, 0, 30.0),
        (3, 0, 1, 0, 0, 0.0),
        (4, 0, 1, 1, 0, 0.0),
        (5, 0, 1, 0, 0, 0.0),
    ]
    rounds = [
        Round([1, 0, 0], [2, 0, 0, 0, 0, 0], [1, 3], queued=2),
        Round([1, 0, 0], [1, 0, 0, 0, 0, 0], [5, 4, 3, 2, 1], running=2, queued=1, sharing=[(0, (1, 1, 5, 0))]),
    ]
    viz = VizFile(build(TYPES, rounds, jobs), "run")

    assert viz.queue(0).tolist() == [1, 3]
    assert viz.queue(1).tolist() == [3]
    assert found(viz) == {"queue-cleaned": 1}


def test_a_job_that_arrives_with_its_round_stays_in_a_queue_of_the_right_length() -> None:
    viz = VizFile(build(TYPES, [Round([0, 0, 0], [0] * 6, [7])], [(7, 0, 1, 0, 0, 0.0)]), "run")

    assert viz.queue(0).tolist() == [7]
    assert viz.findings == ()


def test_a_job_is_in_the_system_up_to_its_completion_round() -> None:
    rounds = [Round([0, 0, 0], [0] * 6, [7], queued=queued) for queued in (1, 1, 0)]
    viz = VizFile(build(TYPES, rounds, [(7, 0, 1, 0, 1, 360.0)]), "run")

    assert [viz.queue(i).tolist() for i in range(3)] == [[7], [7], []]
    assert found(viz) == {"queue-cleaned": 1}


def test_a_difference_that_cleaning_does_not_explain_is_reported() -> None:
    rounds = [Round([1, 0, 0], [1, 0, 0, 0, 0, 0], [1, 2], queued=2)] * 3
    viz = VizFile(build(TYPES, rounds, [(1, 0, 1, 0, 0, 0.0), (2, 0, 1, 0, 0, 0.0)]), "run")

    assert viz.queue(0).tolist() == [2]
    assert found(viz) == {"queue-cleaned": 3, "queue-differs": 3}


@pytest.mark.parametrize("big", [3, 2**32 - 1])
def test_running_jobs_in_queues_are_noticed_whatever_their_ids(big: int) -> None:
    rounds = [Round([1, 0, 0], [big, 0, 0, 0, 0, 0], [big], queued=1), Round([1, 0, 0], [big, 0, 0, 0, 0, 0])]
    viz = VizFile(build(TYPES, rounds, [(big, 0, 1, 0, 0, 0.0)]), "run")

    assert found(viz) == {"queue-cleaned": 1, "queue-differs": 1}


def test_a_file_without_any_allocation_is_telemetry_only() -> None:
    rounds = [Round([0, 0, 0], [0] * 6, running=0), Round([2, 1, 0], [0] * 6, running=2)]
    viz = VizFile(build(TYPES, rounds), "run")

    assert [viz.has_allocation(i) for i in range(2)] == [True, False]
    assert found(viz) == {"telemetry-only": 1}


def test_allocations_missing_in_some_rounds_are_counted() -> None:
    rounds = [Round([1, 0, 0], [3, 0, 0, 0, 0, 0]), Round([1, 0, 0], [0] * 6, running=1)]
    viz = VizFile(build(TYPES, rounds), "run")

    assert [viz.has_allocation(i) for i in range(2)] == [True, False]
    assert found(viz) == {"missing-allocations": 1}


def test_gpus_counted_while_nothing_runs_do_not_make_the_allocation_unknown() -> None:
    viz = VizFile(build(TYPES, [Round([0, 2, 0], [0] * 6, running=0)]), "run")

    assert viz.has_allocation(0)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 1, 2], {}),
        ([0, 10, 20], {"sampled-rounds": 18}),
        ([5, 6], {"sampled-rounds": 5}),
        ([1, 2], {}),
        ([1, 3], {"sampled-rounds": 1}),
        ([0, 2, 2, 1], {"round-numbers-irregular": 2}),
    ],
)
def test_round_numbers(numbers: list[int], expected: dict[str, int]) -> None:
    rounds = [Round([0, 0, 0], [0] * 6, number=number) for number in numbers]
    viz = VizFile(build(TYPES, rounds), "run")

    assert found(viz) == expected
    assert viz.round_heads["round"].tolist() == numbers


def test_short_job_records_are_said() -> None:
    viz = VizFile(build(TYPES, [Round([0, 0, 0], [0] * 6)], [(4, 1, 2, 3, 9, 9.0)], short_jobs=True), "run")

    assert found(viz) == {"job-records-16-byte": 1}
    assert viz.jobs[["job_id", "type_id", "scale_factor", "arrival_round", "completion_round"]].tolist() == [
        (4, 1, 2, 3, 0)
    ]
    assert not np.any(viz.jobs["completed"])
