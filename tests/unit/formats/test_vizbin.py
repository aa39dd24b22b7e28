"""Reading: what the reader makes of files that other programs wrote."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from gavel_dash.errors import VizFormatError
from gavel_dash.formats.vizbin import VizFile
from tests.plain_vizbin import Round, build

TYPES = [("k80", 2), ("v100", 3)]
JOBS = [(1, 0, 1, 0, 0, 0.0), (2, 1, 2, 1, 3, 720.0), (3, 0, 1, 2, 0, 0.0)]
ROUNDS = [
    Round([1, 0], [1, 0, 0, 0, 0], [2]),
    Round([1, 2], [1, 0, 2, 2, 0], [3]),
    Round([2, 2], [1, 3, 2, 2, 0]),
]


def codes(viz: VizFile) -> list[str]:
    return [finding.code for finding in viz.findings]


def test_a_file_is_read() -> None:
    config = {"policy": "fifo", "measurement_window": {"start_job": 1, "end_job": 3}, "colour": "teal"}
    config["job_types"] = [{"id": 0, "name": "LM", "category": "language_model"}, {"id": 1, "name": "A3C"}]

    viz = VizFile(build(TYPES, ROUNDS, JOBS, **config), "run")

    assert (viz.version, viz.n_rounds, viz.n_jobs, viz.n_gpus, viz.policy) == (1, 3, 3, 5, "fifo")
    assert str(viz.window) == "1:3"
    assert viz.config["colour"] == "teal"
    assert viz.job_types == {0: ("LM", "language_model"), 1: ("A3C", "")}
    assert viz.cluster.name == "2k80-3v100"
    assert viz.gpus_used.tolist() == [[1, 0], [1, 2], [2, 2]]
    assert viz.allocation(1).tolist() == [1, -1, 2, 2, -1]
    assert viz.allocations(1, 3).tolist() == [[1, -1, 2, 2, -1], [1, 3, 2, 2, -1]]
    assert viz.stored_allocations[1].tolist() == [1, 0, 2, 2, 0]
    assert viz.gpus_shown.tolist() == [[1, 0], [1, 2], [2, 2]]
    assert viz.round_heads["sim_time_s"].tolist() == [0, 360, 720]
    assert viz.jobs["duration_s"].tolist() == [0, 720, 0]
    assert viz.jobs["completed"].tolist() == [False, True, False]
    assert viz.sharing(0) == {}


@pytest.mark.parametrize(
    "order",
    [("rounds", "queue_index", "queue", "jobs", "config"), ("jobs", "config", "queue", "queue_index", "rounds")],
)
@pytest.mark.parametrize("short_jobs", [False, True])
def test_sections_may_come_in_any_order(order: tuple[str, ...], short_jobs: bool) -> None:
    viz = VizFile(build(TYPES, ROUNDS, JOBS, order=order, short_jobs=short_jobs), "run")

    assert viz.jobs["job_id"].tolist() == [1, 2, 3]
    assert viz.has_16_byte_jobs is short_jobs
    assert viz.allocation(2).tolist() == [1, 3, 2, 2, -1]
    assert viz.queue(0).tolist() == [2]


def test_rounds_are_views_of_the_buffer() -> None:
    data = bytearray(build(TYPES, ROUNDS, JOBS))
    viz = VizFile(memoryview(data), "run")
    raw, heads = viz.stored_allocations[:3], viz.round_heads

    (rounds_at,) = struct.unpack_from("<Q", data, 32)
    data[rounds_at + 28 + 4] = 77  # the first GPU of the first round, behind the head and two u16
    data[rounds_at] = 9

    assert raw[0, 0] == 77
    assert heads["round"][0] == 9
    assert not raw.flags.writeable


def test_nothing_but_header_config_and_jobs_is_needed_to_open() -> None:
    data = bytearray(build(TYPES, ROUNDS, JOBS))
    (index_at,) = struct.unpack_from("<Q", data, 48)
    struct.pack_into("<Q", data, index_at + 8, 2**63)

    viz = VizFile(bytes(data), "run")

    assert viz.queue(0).tolist() == [2]
    with pytest.raises(VizFormatError, match="queue data of round record 1"):
        viz.queue(1)
    with pytest.raises(VizFormatError, match="queue data of round record 1"):
        _ = viz.findings


@pytest.mark.parametrize("types", [[], [("k80", 2), ("v100", 3)]])
def test_an_empty_run_is_read(types: list[tuple[str, int]]) -> None:
    viz = VizFile(build(types, []), "run")

    assert viz.jobs.shape == (0,)
    assert viz.allocations().shape == (0, sum(count for _, count in types))
    assert viz.gpus_used.shape == (0, len(types))
    assert viz.findings == ()


def _patched(at: int, form: str, value: Any) -> bytes:
    data = bytearray(build(TYPES, ROUNDS, JOBS))
    struct.pack_into(form, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "offset", "expected"),
    [
        (b"", 0, "magic"),
        (b"GPUVIZ0", 7, "256 bytes"),
        (build(TYPES, ROUNDS, JOBS)[:255], 255, "256 bytes"),
        (_patched(0, "<8s", b"GPUVIZ02"), 0, "magic"),
        (_patched(8, "<I", 3), 8, "version 1 or 2"),
        (_patched(12, "<I", 2**32 - 1), None, "bytes of"),
        (_patched(16, "<I", 2**32 - 1), None, "bytes of job records"),
        (_patched(21, "<H", 65535), None, "bytes of round records"),
        (_patched(20, "<B", 3), None, "3 GPU types"),
        (_patched(24, "<Q", 8), 24, "job records"),
        (_patched(32, "<Q", 2**64 - 8), 32, "round records"),
        (_patched(32, "<Q", 2**40), 32, "round records"),
        (_patched(40, "<Q", 255), 40, "queue data"),
        (_patched(48, "<Q", 10**6), 48, "queue index"),
        (_patched(56, "<Q", 257), 56, "config JSON"),
        (_patched(256, "<B", 0xFF), 256, "UTF-8"),
        (_patched(256, "<B", ord("[")), 256, "config JSON"),
        (build(TYPES, ROUNDS, JOBS, policy=3), 256, "config"),
        (build(TYPES, ROUNDS, JOBS, job_id_offset=7), 256, "job_id_offset"),
        (build(TYPES, ROUNDS, JOBS, measurement_window={"start_job": 3}), 256, "config"),
        (build(TYPES, ROUNDS, [(0, 0, 1, 0, 0, 0.0)], job_id_offset=1), None, "job id"),
        (build(TYPES, ROUNDS, JOBS)[:-8], None, "bytes of queue index"),
        (build(TYPES, ROUNDS, JOBS)[:300], None, "job records"),
    ],
)
def test_damage_is_one_clear_error(data: bytes, offset: int | None, expected: str) -> None:
    with pytest.raises(VizFormatError, match=expected) as caught:
        VizFile(data, "some.viz.bin")

    assert "some.viz.bin" in str(caught.value)
    assert caught.value.found
    if offset is not None:
        assert caught.value.offset == offset


@pytest.mark.parametrize("text", [b"[]", b"3", b"{}", b"[" * 4000, b'{"gpu_types": 3}', b'{"gpu_types": [3]}'])
def test_a_config_that_is_no_config_is_an_error(text: bytes) -> None:
    data = bytearray(build(TYPES, ROUNDS, JOBS, filler="x" * 4000))
    end = struct.unpack_from("<Q", data, 24)[0]
    data[256:end] = text.ljust(end - 256, b"\0")

    with pytest.raises(VizFormatError):
        VizFile(bytes(data), "run")


def test_two_sections_in_one_place_are_an_error() -> None:
    data = bytearray(build(TYPES, ROUNDS, JOBS))
    data[24:32] = data[32:40]

    with pytest.raises(VizFormatError, match=r"in the job records|in the round records"):
        VizFile(bytes(data), "run")


def test_counts_that_do_not_add_up_are_an_error() -> None:
    data = build(TYPES, ROUNDS, JOBS).replace(b'"count": 2', b'"count": 4')

    with pytest.raises(VizFormatError, match="2 GPU types with 5 GPUs"):
        VizFile(data, "run")


def test_ids_are_shifted_by_the_offset() -> None:
    jobs = [(1, 0, 1, 0, 0, 0.0), (2**32 - 1, 0, 1, 0, 0, 0.0)]
    viz = VizFile(build(TYPES, [Round([2, 0], [1, 2**32 - 1, 0, 0, 0], [2])], jobs, job_id_offset=1), "run")

    assert viz.jobs["job_id"].tolist() == [0, 2**32 - 2]
    assert viz.allocation(0).tolist() == [0, 2**32 - 2, -1, -1, -1]
    assert viz.queue(0).tolist() == [1]
    assert viz.stored_allocations.tolist() == [[1, 2**32 - 1, 0, 0, 0]]
    assert viz.findings == ()


def test_sharing_is_read_and_its_gpus_checked() -> None:
    rounds = [Round([1, 0], [4, 0, 0, 0, 0]), Round([1, 0], [4, 0, 0, 0, 0], sharing=[(0, (4, 4, 5, 0))])]
    viz = VizFile(build(TYPES, rounds), "run")

    assert viz.version == 2
    assert viz.sharing(0) == {}
    assert {gpu: ids.tolist() for gpu, ids in viz.sharing(1).items()} == {0: [4, 4, 5, -1]}

    rounds[1].sharing = [(5, (4, 4, 5, 0))]
    with pytest.raises(VizFormatError, match="GPU indices below 5"):
        VizFile(build(TYPES, rounds), "run").sharing(1)


def test_content_id_names_the_content() -> None:
    data = build(TYPES, ROUNDS * 4000, JOBS)
    content_id = VizFile(data, "run").content_id

    assert VizFile(bytearray(data), "other").content_id == content_id
    assert VizFile(data, "run").n_bytes == len(data)
    assert len(content_id) == 16
    assert int(content_id, 16)
    for at in (len(data) - 1, 60_000, (len(data) - 4096) * 20 // 63 + 2000):
        changed = bytearray(data)
        changed[at] ^= 1
        assert VizFile(changed, "run").content_id != content_id, at
    assert VizFile(data + b"\0", "run").content_id != content_id


def test_tenants_of_several_rounds() -> None:
    shared = [[], [(0, (4, 4, 5, 0)), (4, (6, 0, 0, 0))], [], [(2, (7, 8, 9, 7))]]
    rounds = [Round([1, 0], [4, 0, 0, 0, 0], sharing=entries) for entries in shared]
    viz = VizFile(build(TYPES, rounds), "run")

    record, gpu, ids = viz.sharing_entries(0, 4)
    assert record.tolist() == [1, 1, 3]
    assert gpu.tolist() == [0, 4, 2]
    assert ids.tolist() == [[4, 4, 5, 0], [6, 0, 0, 0], [7, 8, 9, 7]]
    assert [part.tolist() for part in viz.sharing_entries(2, 4)] == [[3], [2], [[7, 8, 9, 7]]]
    assert [len(part) for part in viz.sharing_entries(2, 3)] == [0, 0, 0]
    assert [len(part) for part in VizFile(build(TYPES, ROUNDS), "run").sharing_entries(0, 3)] == [0, 0, 0]


def test_tenants_of_a_damaged_section() -> None:
    rounds = [Round([1, 0], [4, 0, 0, 0, 0], sharing=[(0, (4, 4, 5, 0))])] * 3
    data = bytearray(build(TYPES, rounds))
    sharing_at, index_at = struct.unpack_from("<QQ", data, 64)
    for at, form, value, found in [
        (index_at + 8, "<Q", 2**63, "points behind it"),
        (sharing_at + 20, "<H", 1000, "an end at byte"),
        (sharing_at, "<H", 6, "an end at byte"),
    ]:
        broken = bytearray(data)
        struct.pack_into(form, broken, at, value)
        viz = VizFile(bytes(broken), "run")
        with pytest.raises(VizFormatError, match=found):
            viz.sharing_entries(0, 3)


def test_a_round_cannot_list_more_shared_gpus_than_there_are() -> None:
    rounds = [Round([1, 0], [4, 0, 0, 0, 0], sharing=[(0, (4, 4, 5, 0))] * 6)]
    with pytest.raises(VizFormatError, match="at most 5 shared GPUs in round record 0, found 6"):
        VizFile(build(TYPES, rounds), "run").sharing_entries(0, 1)


def test_lanes_are_quarters_where_gpus_are_shared() -> None:
    rounds = [
        Round([1, 0], [4, 0, 0, 0, 0]),
        Round([1, 1], [4, 0, 6, 0, 0], sharing=[(0, (4, 4, 5, 0)), (2, (6, 6, 6, 6))]),
        Round([0, 0], [0, 0, 0, 0, 0], sharing=[(4, (0, 0, 0, 7))]),
    ]
    viz = VizFile(build(TYPES, rounds, job_id_offset=1), "run")

    assert viz.lanes_per_gpu == 4
    assert viz.lanes(0, 2).tolist() == [[4] * 4 + [0] * 16, [4, 4, 5, 0, 0, 0, 0, 0, 6, 6, 6, 6] + [0] * 8]
    assert viz.lanes(2, 9).tolist() == [[0] * 19 + [7]]
    assert viz.lanes(3, 3).shape == (0, 20)


def test_lanes_are_gpus_where_none_is_shared() -> None:
    viz = VizFile(build(TYPES, ROUNDS), "run")

    assert viz.lanes_per_gpu == 1
    assert viz.lanes(1, 9).tolist() == [[1, 0, 2, 2, 0], [1, 3, 2, 2, 0]]
    assert np.shares_memory(viz.lanes(0, 3), viz.stored_allocations)


def test_records_without_allocation_are_those_that_have_none() -> None:
    idle = [0] * 5
    rounds = [
        Round([0, 0], idle),
        Round([2, 1], idle, running=2),  # in use, and not a word by whom
        Round([2, 1], idle),  # nothing runs: some files count GPUs in use all the same
        Round([0, 0], idle, running=3),
        Round([1, 0], [0, 7, 0, 0, 0]),
    ]
    viz = VizFile(build(TYPES, rounds), "run")

    assert viz.records_without_allocation().tolist() == [False, True, False, False, False]
    assert [not viz.has_allocation(i) for i in range(5)] == viz.records_without_allocation().tolist()


def test_what_shows_is_counted_in_the_order_of_the_allocations() -> None:
    types = [("v100", 3), ("k80", 2)]
    rounds = [Round([1, 2], [7, 7, 7, 0, 0]), Round([0, 2], [7, 7, 0, 0, 0]), Round([3, 0], [0, 0, 7, 7, 7])] * 4
    viz = VizFile(build(types, rounds), "run")

    assert [gpu_type.name for gpu_type in viz.cluster.gpu_types] == ["k80", "v100"]
    assert viz.gpus_shown.tolist() == viz.gpus_used.tolist() == [[2, 1], [2, 0], [0, 3]] * 4
