"""Writing: bytes laid out as the format says, checked by the independent reader, and nothing that wraps."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gavel_dash.errors import UsageError, VizFormatError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from tests.plain_vizbin import Plain

CONFIG = {"policy": "fifo", "gpu_types": [{"name": "k80", "count": 2}, {"name": "v100", "count": 3}]}
WIDE_HEAD = np.dtype(
    [(name, "i8" if ROUND_HEAD_DTYPE[name].kind == "u" else "f8") for name in ROUND_HEAD_DTYPE.names or ()]
)
JOB = np.dtype(
    [(name, "i8") for name in ("job_id", "type_id", "scale_factor", "arrival_round", "completion_round")]
    + [("duration_s", "f8")]
)


def jobs(*rows: tuple[Any, ...]) -> np.ndarray:
    return np.array(list(rows) or [(0, 3, 8, 0, 2, 720.5), (70_000, 1, 1, 1, 0, 0.0)], JOB)


def block(**changes: Any) -> RoundBlock:
    heads = np.zeros(3, WIDE_HEAD)
    heads["round"] = [0, 1, 2]
    heads["sim_time_s"] = [0, 0, 360]
    heads["jobs_running"] = [1, 1, 2]
    heads["jobs_queued"] = [1, 0, 2]
    rows = [[0, -1, -1, -1, -1], [0, 0, 70_000, -1, -1], [-1, -1, -1, -1, 2**32 - 2]]
    plain = RoundBlock(
        heads, np.array([[1, 0], [2, 1], [0, 1]]), np.array(rows), np.array([1, 0, 2]), np.array([70_000, 9, 0])
    )
    return replace(plain, **changes)


def sharing(rows: list[int], gpus: list[int], ids: list[list[int]]) -> RoundBlock:
    return block(sharing_rows=np.array(rows), sharing_gpus=np.array(gpus), sharing_ids=np.array(ids))


def written(blocks: list[RoundBlock], table: np.ndarray | None = None, n_rounds: int = 3, **config: Any) -> bytes:
    file = io.BytesIO()
    write_vizbin(file, {**CONFIG, **config}, jobs() if table is None else table, blocks, n_rounds)
    return file.getvalue()


def test_every_field_is_where_the_format_puts_it() -> None:
    plain = Plain(written([block()]))

    assert (plain.version, plain.n_rounds, plain.n_jobs, plain.n_types, plain.n_gpus) == (1, 3, 2, 2, 5)
    assert plain.config == {**CONFIG, "job_id_offset": 1}
    assert [plain.head(i)[:2] for i in range(3)] == [(0, 0), (1, 0), (2, 360)]
    assert [plain.used(i) for i in range(3)] == [[1, 0], [2, 1], [0, 1]]
    assert plain.allocation(1) == [1, 1, 70_001, 0, 0]
    assert plain.allocation(2) == [0, 0, 0, 0, 2**32 - 1]
    assert [plain.queue(i) for i in range(3)] == [[70_001], [], [10, 1]]


def test_sections_are_in_order_and_aligned() -> None:
    data = written([sharing([2], [4], [[5, 5, 6, -1]])])
    at = Plain(data).at

    order = ["config", "jobs", "rounds", "queue", "queue_index", "sharing", "sharing_index"]
    assert sorted(at, key=lambda section: at[section]) == order
    assert at["config"] == 256
    assert all(offset % 8 == 0 for offset in at.values())
    assert len(data) == at["sharing_index"] + 3 * 8


def test_sharing_makes_version_2_and_is_sorted_by_round_and_gpu() -> None:
    data = written([sharing([2, 0, 2], [4, 1, 0], [[5, 5, 6, -1], [0, 0, 0, 0], [70_000, -1, -1, 2**32 - 2]])])
    plain = Plain(data)

    assert plain.version == 2
    assert plain.sharing(0) == {1: [1, 1, 1, 1]}
    assert plain.sharing(1) == {}
    assert list(plain.sharing(2).items()) == [(0, [70_001, 0, 0, 2**32 - 1]), (4, [6, 6, 7, 0])]


def test_how_rounds_are_cut_into_blocks_does_not_matter() -> None:
    whole = sharing([2], [4], [[5, 5, 6, -1]])
    first = RoundBlock(
        whole.heads[:1], whole.gpus_used[:1], whole.allocation[:1], whole.queue_lengths[:1], whole.queue_ids[:1]
    )
    rest = replace(
        whole,
        heads=whole.heads[1:],
        gpus_used=whole.gpus_used[1:],
        allocation=whole.allocation[1:],
        queue_lengths=whole.queue_lengths[1:],
        queue_ids=whole.queue_ids[1:],
        sharing_rows=np.array([1]),
    )

    assert written([first, rest]) == written([whole])


def test_a_longer_file_is_cut_to_length() -> None:
    file = io.BytesIO(b"x" * 5000)
    write_vizbin(file, CONFIG, jobs(), [block()], 3)

    assert file.getvalue() == written([block()])


def test_a_writer_that_stops_leaves_no_valid_file() -> None:
    file = io.BytesIO()

    def blocks() -> Iterator[RoundBlock]:
        yield block()
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_vizbin(file, CONFIG, jobs(), blocks(), 6)
    with pytest.raises(VizFormatError, match="magic"):
        VizFile(file.getvalue(), "run")


def test_a_clean_file_has_no_findings() -> None:
    heads = np.zeros(2, ROUND_HEAD_DTYPE)
    heads["round"], heads["jobs_running"], heads["jobs_queued"] = [0, 1], [1, 2], [1, 1]
    rounds = RoundBlock(
        heads,
        np.array([[1, 0], [1, 2]]),
        np.array([[0, -1, -1, -1, -1], [0, -1, 1, 1, -1]]),
        np.array([1, 1]),
        np.array([1, 2]),
    )

    viz = VizFile(written([rounds], jobs((0, 0, 1, 0, 0, 0), (1, 0, 2, 0, 0, 0), (2, 0, 1, 0, 0, 0)), 2), "run")

    assert viz.findings == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [("jobs_running", 65_536), ("jobs_queued", 65_536), ("jobs_completed", 2**32), ("round", -1)],
)
def test_counts_that_do_not_fit_are_an_error(field: str, value: int) -> None:
    rounds = block()
    rounds.heads[field][1] = value

    with pytest.raises(UsageError, match=rf"{field}.*found {value}"):
        written([rounds])


@pytest.mark.parametrize(
    ("rounds", "message"),
    [
        (block(gpus_used=np.array([[1, 0], [65_536, 1], [0, 1]])), "gpus_used"),
        (block(allocation=np.full((3, 5), 2**32 - 1)), "allocation: job ids"),
        (block(allocation=np.full((3, 5), -2)), "allocation: job ids"),
        (block(allocation=np.full((3, 4), -1)), "shape"),
        (block(queue_ids=np.array([1, 2, 2**32 - 1])), "queue: job ids"),
        (block(queue_ids=np.array([1, 2, -1])), "queue: job ids"),
        (block(queue_ids=np.array([1, 2])), "2 given"),
        (block(queue_lengths=np.array([65_536, 0, 0]), queue_ids=np.arange(65_536)), "queue length"),
        (sharing([3], [0], [[1, 2, 3, 4]]), "outside"),
        (sharing([0], [5], [[1, 2, 3, 4]]), "outside"),
        (sharing([0], [0], [[1, 2, 3, 2**32 - 1]]), "sharing: job ids"),
        (sharing([0, 1], [0], [[1, 2, 3, 4]]), "differ in length"),
    ],
)
def test_rounds_that_do_not_fit_are_an_error(rounds: RoundBlock, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        written([rounds])


@pytest.mark.parametrize(
    "row", [(-1, 0, 1, 0, 0, 0), (2**32 - 1, 0, 1, 0, 0, 0), (0, 65_536, 1, 0, 0, 0), (0, 0, 256, 0, 0, 0)]
)
def test_jobs_that_do_not_fit_are_an_error(row: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="must be in"):
        written([block()], jobs(row))


@pytest.mark.parametrize("n_rounds", [2, 4])
def test_another_number_of_rounds_than_announced_is_an_error(n_rounds: int) -> None:
    with pytest.raises(UsageError, match=f"the {n_rounds}"):
        written([block()], n_rounds=n_rounds)


def test_a_cluster_beyond_u16_is_an_error() -> None:
    with pytest.raises(UsageError, match="65536 GPUs"):
        written([], n_rounds=0, gpu_types=[{"name": "k80", "count": 65_536}])
