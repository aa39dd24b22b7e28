"""Any run survives the format unchanged, and any damage to a file ends in a result or in one clear error."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gavel_dash.errors import VizFormatError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import JOB_1B_DTYPE, ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from tests.plain_vizbin import Plain, Round, build

IDS = st.one_of(st.integers(0, 20), st.integers(65_530, 65_550), st.integers(2**32 - 5, 2**32 - 2))
WIDE_JOB = np.dtype([(name, "f8" if name == "duration_s" else "i8") for name in JOB_1B_DTYPE.names or ()])


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """A consistent run: queued jobs neither run nor have completed, counts are those of the lists."""
    counts = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    n_gpus, n_rounds = sum(counts), draw(st.integers(0, 12))
    ids = draw(st.lists(IDS, unique=True, max_size=12))
    jobs = np.zeros(len(ids), WIDE_JOB)
    jobs["job_id"] = ids
    jobs["type_id"] = draw(st.integers(0, 65_535))
    jobs["scale_factor"] = draw(st.integers(0, 255))
    heads = np.zeros(n_rounds, ROUND_HEAD_DTYPE)
    heads["round"] = np.arange(n_rounds)
    heads["avg_jct_s"] = draw(st.floats(0, 1e9, width=32))
    allocation = np.full((n_rounds, n_gpus), -1, np.int64)
    queues: list[list[int]] = []
    sharing: list[tuple[int, int, list[int]]] = []
    for i in range(n_rounds):
        running = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
        held = set()
        for gpu in range(n_gpus):
            if running and draw(st.booleans()):
                allocation[i, gpu] = running[gpu % len(running)]
                held.add(int(allocation[i, gpu]))
                if draw(st.integers(0, 9)) == 0:
                    tenants = [
                        int(allocation[i, gpu]),
                        *draw(st.lists(st.sampled_from([*running, -1]), min_size=3, max_size=3)),
                    ]
                    sharing.append((i, gpu, tenants))
                    held |= set(tenants) - {-1}
        queues.append(draw(st.permutations([job for job in ids if job not in held])))
        heads[i]["jobs_running"], heads[i]["jobs_queued"] = len(held), len(queues[-1])
    edges = np.cumsum([0, *counts])
    used = [(allocation[:, a:b] >= 0).sum(axis=1) for a, b in pairwise(edges)]
    return {
        "config": {
            "policy": draw(st.text(max_size=5)),
            "gpu_types": [{"name": f"t{i}", "count": n} for i, n in enumerate(counts)],
        },
        "jobs": jobs,
        "heads": heads,
        "used": np.stack(used, axis=1),
        "allocation": allocation,
        "queues": queues,
        "sharing": sharing,
        "cut": draw(st.integers(0, n_rounds)),
    }


def blocks(run: dict[str, Any], start: int, stop: int) -> RoundBlock:
    rows = slice(start, stop)
    shared = [(i - start, gpu, ids) for i, gpu, ids in run["sharing"] if start <= i < stop]
    return RoundBlock(
        run["heads"][rows],
        run["used"][rows],
        run["allocation"][rows],
        np.array([len(queue) for queue in run["queues"][rows]], np.int64),
        np.array([job for queue in run["queues"][rows] for job in queue], np.int64),
        np.array([row for row, _, _ in shared], np.int64),
        np.array([gpu for _, gpu, _ in shared], np.int64),
        np.array([ids for _, _, ids in shared], np.int64).reshape(-1, 4),
    )


def write(run: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    n_rounds = len(run["heads"])
    cut = [blocks(run, 0, run["cut"]), blocks(run, run["cut"], n_rounds)]
    write_vizbin(file, run["config"], run["jobs"], cut, n_rounds)
    return file.getvalue()


@settings(deadline=None, max_examples=150)
@given(runs())
def test_a_run_is_read_as_it_was_written(run: dict[str, Any]) -> None:
    data = write(run)
    viz = VizFile(data, "run")

    assert viz.version == (2 if run["sharing"] else 1)
    assert viz.policy == run["config"]["policy"]
    assert viz.jobs["job_id"].tolist() == run["jobs"]["job_id"].tolist()
    assert viz.round_heads.tolist() == run["heads"].tolist()
    assert viz.gpus_used.tolist() == run["used"].tolist()
    assert viz.allocations().tolist() == run["allocation"].tolist()
    assert viz.findings == ()
    plain = Plain(data)
    for i in range(viz.n_rounds):
        assert viz.queue(i).tolist() == run["queues"][i]
        assert viz.allocation(i).tolist() == run["allocation"][i].tolist()
        expected = {gpu: ids for row, gpu, ids in run["sharing"] if row == i}
        assert {gpu: ids.tolist() for gpu, ids in viz.sharing(i).items()} == expected
        assert [stored - 1 if stored else -1 for stored in plain.allocation(i)] == run["allocation"][i].tolist()


@settings(deadline=None, max_examples=60)
@given(runs())
def test_what_was_read_is_written_again_byte_for_byte(run: dict[str, Any]) -> None:
    data = write(run)
    viz = VizFile(data, "run")
    queues = [viz.queue(i).tolist() for i in range(viz.n_rounds)]
    shared = [(i, gpu, ids.tolist()) for i in range(viz.n_rounds) for gpu, ids in viz.sharing(i).items()]

    again = {
        "config": viz.config,
        "jobs": viz.jobs,
        "heads": viz.round_heads,
        "used": viz.gpus_used,
        "allocation": viz.allocations(),
        "queues": queues,
        "sharing": shared,
        "cut": 0,
    }
    assert write(again) == data


def _small() -> bytes:
    rounds = [
        Round([1, 0], [1, 0, 0, 0, 0], [2]),
        Round([1, 2], [1, 0, 2, 2, 0], [3, 0], sharing=[(0, (1, 1, 4, 0))]),
        Round([2, 2], [1, 3, 2, 2, 0]),
    ]
    jobs = [(0, 0, 1, 0, 0, 0.0), (1, 0, 1, 0, 0, 0.0), (2, 1, 2, 1, 3, 720.0), (3, 0, 1, 2, 0, 0.0)]
    window = {"start_job": 0, "end_job": 2}
    return build([("k80", 2), ("v100", 3)], rounds, jobs, policy="fifo", measurement_window=window)


SMALL = _small()


def read_everything(data: bytes) -> None:
    viz = VizFile(data, "damaged")
    _ = viz.findings, viz.cluster, viz.gpus_used, viz.jobs, viz.allocations()
    for i in range(viz.n_rounds):
        viz.queue(i)
        viz.sharing(i)
        viz.allocation(i)
        viz.has_allocation(i)


def outcome(data: bytes) -> VizFormatError | None:
    """Read everything; anything but a result and a `VizFormatError` fails the test."""
    try:
        read_everything(data)
    except VizFormatError as error:
        return error
    return None


def test_every_truncation_is_an_error() -> None:
    assert outcome(SMALL) is None
    for length in range(len(SMALL)):
        error = outcome(SMALL[:length])
        assert error is not None, f"{length} of {len(SMALL)} bytes were read without complaint"
        assert error.offset <= len(SMALL)


def test_every_header_byte_can_be_anything() -> None:
    errors = 0
    for position in range(80):
        for value in (0, 1, 7, 8, 0x7F, 0x80, 0xFE, 0xFF):
            data = bytearray(SMALL)
            data[position] = value
            errors += outcome(bytes(data)) is not None
    assert errors > 500  # of 640; the others wrote what was there, or moved a section by nothing that shows


@settings(deadline=None, max_examples=400)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes_end_in_a_result_or_one_clear_error(flips: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for position, value in flips:
        data[position] = value
    error = outcome(bytes(data))
    assert error is None or (error.expected and error.found)
