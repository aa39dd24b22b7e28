"""Stretches of rounds in which a lane has one job, against a loop over every cell."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis import segments as segments_module
from gavel_dash.analysis.segments import Segments, find_segments


def rows(segments: Segments) -> list[tuple[int, int, int, int]]:
    arrays = (segments.lane, segments.start, segments.stop, segments.job_id)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


def plain_segments(stored: list[list[int]]) -> list[tuple[int, int, int, int]]:
    """The same, one cell at a time; job ids as stored."""
    found = []
    for lane in range(len(stored[0]) if stored else 0):
        start = 0
        for record in range(1, len(stored) + 1):
            if record == len(stored) or stored[record][lane] != stored[start][lane]:
                if stored[start][lane]:
                    found.append((lane, start, record, stored[start][lane]))
                start = record
    return found


def test_by_hand() -> None:
    stored = np.array([[5, 0, 7], [5, 0, 8], [0, 6, 8], [5, 6, 8]], "<u4")
    segments = find_segments(stored, first_record=10, job_id_offset=1)

    assert rows(segments) == [(0, 10, 12, 4), (0, 13, 14, 4), (1, 12, 14, 5), (2, 10, 11, 6), (2, 11, 14, 7)]
    assert segments.rounds.tolist() == [2, 1, 2, 1, 3]
    assert len(segments) == 5
    assert rows(segments.select(segments.job_id == 4)) == [(0, 10, 12, 4), (0, 13, 14, 4)]
    assert [array.dtype for array in (segments.lane, segments.start, segments.stop)] == [np.int32] * 3
    assert segments.job_id.dtype == np.int64


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_nothing_to_see(shape: tuple[int, int]) -> None:
    assert rows(find_segments(np.ones(shape, "<u4"))) == []


@pytest.mark.parametrize("n_rounds", [1, 2, 30])
@pytest.mark.parametrize("highest", [1, 3, 2**32 - 1])
def test_random_rounds(n_rounds: int, highest: int) -> None:
    rng = np.random.default_rng([n_rounds, highest])
    jobs = np.append(0, rng.integers(1, highest, 4, endpoint=True))
    stored = rng.choice(jobs, (n_rounds, 6)).astype("<u4")
    assert rows(find_segments(stored)) == plain_segments(stored.tolist())


def test_more_lanes_than_a_16_bit_number() -> None:
    stored = np.zeros((2, 2**16 + 3), "<u4")
    stored[:, [1, 2**16 + 1]] = [[7, 8], [6, 9]]
    late = 2**16 + 1
    assert rows(find_segments(stored)) == [(1, 0, 1, 7), (1, 1, 2, 6), (late, 0, 1, 8), (late, 1, 2, 9)]


def test_lanes_are_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "_LEAST_LANES", 2)
    monkeypatch.setattr(segments_module, "_BLOCK_CELLS", 1)
    stored = np.random.default_rng(0).integers(0, 3, (20, 7)).astype("<u4")
    assert rows(find_segments(stored)) == plain_segments(stored.tolist())
