"""Any run whose queues are the jobs that wait comes back from its packed form byte for byte."""

from __future__ import annotations

import io
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gavel_dash.formats import packed_run
from gavel_dash.formats.vizbin_layout import JOB_1B_DTYPE, ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin

WIDE_JOB = np.dtype([(name, "f8" if name == "duration_s" else "i8") for name in JOB_1B_DTYPE.names or ()])
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def runs(draw: st.DrawFn) -> bytes:
    """A `.viz.bin`: jobs come in the order of their ids and go; a record's counts and clocks are any numbers."""
    counts = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    n_gpus, n_rounds = sum(counts), draw(st.integers(0, 14))
    ids = sorted(
        draw(st.sets(st.one_of(st.integers(0, 30), st.integers(2**32 - 9, 2**32 - 2)), min_size=1, max_size=9))
    )
    jobs = np.zeros(len(ids), WIDE_JOB)
    jobs["job_id"] = ids
    jobs["arrival_round"] = sorted(draw(st.integers(0, 14)) for _ in ids)
    n_first = draw(st.integers(0, int((jobs["arrival_round"] == 0).sum())))
    for job in jobs:
        job["type_id"], job["scale_factor"] = draw(st.integers(0, 65_535)), draw(st.integers(0, 255))
        if draw(st.booleans()):
            job["completion_round"], job["duration_s"] = job["arrival_round"] + draw(st.integers(1, 6)), draw(FLOATS)
    heads = np.zeros(n_rounds, ROUND_HEAD_DTYPE)
    allocation = np.full((n_rounds, n_gpus), -1, np.int64)
    queues: list[list[int]] = []
    for i in range(n_rounds):
        there = [
            int(job["job_id"])
            for k, job in enumerate(jobs)
            if (job["arrival_round"] < i or (i == 0 and k < n_first))
            and (not job["completion_round"] or i <= job["completion_round"])
        ]
        stays = draw(st.booleans())
        for gpu in range(n_gpus):
            before = int(allocation[i - 1, gpu]) if i else -1
            allocation[i, gpu] = before if stays and before in there else draw(st.sampled_from([-1, *there]))
        queues.append(sorted(set(there) - set(allocation[i].tolist())))
        running = len(there) - len(queues[-1])
        odd = draw(st.integers(0, 65_535)) if i and draw(st.booleans()) else running
        clocks = [draw(FLOATS) for _ in range(4)]
        heads[i] = (
            i,
            clocks[0],
            clocks[1],
            odd,
            len(queues[-1]),
            draw(st.integers(0, 2**32 - 1)),
            clocks[2],
            clocks[3],
        )
    used = np.array([[draw(st.integers(0, 65_535)) for _ in counts] for _ in range(n_rounds)], np.int64)
    config: dict[str, Any] = {
        "policy": draw(st.text(max_size=4)),
        "gpu_types": [{"name": f"t{i}", "count": n} for i, n in enumerate(counts)],
    }
    queue = np.array([job for waiting in queues for job in waiting], np.int64)
    lengths = np.array([len(waiting) for waiting in queues], np.int64)
    block = RoundBlock(heads, used.reshape(n_rounds, len(counts)), allocation, lengths, queue)
    file = io.BytesIO()
    write_vizbin(file, config, jobs, [block], n_rounds)
    return file.getvalue()


@settings(deadline=None, max_examples=200)
@given(runs(), st.sampled_from([1, 20, 2**20]))
def test_a_run_comes_back_byte_for_byte(data: bytes, block_cells: int) -> None:
    with patch.object(packed_run, "_BLOCK_CELLS", block_cells):
        packed = packed_run.pack_run(data, "run")
        out = io.BytesIO()
        packed_run.unpack_run(io.BytesIO(packed), out, "run")
    assert out.getvalue() == data
