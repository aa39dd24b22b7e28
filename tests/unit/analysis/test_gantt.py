"""Cells of a Gantt, against counting them one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gavel_dash.analysis.gantt import GanttCells, LaneRows, held_span, summarize_cells


def plain_cell(stored: np.ndarray, known: np.ndarray) -> tuple[int, int, int, int, int]:
    """Longest job, its count, busy, jobs and size of one cell."""
    counts = Counter(int(job) for job in stored.ravel() if job)
    top = min(counts, key=lambda job: (-counts[job], job)) if counts else 0
    return top, counts[top], sum(counts.values()), len(counts), int(known.sum()) * stored.shape[1]


def check_against_plain(cells: GanttCells, stored: np.ndarray, known: np.ndarray, selected: int = 0) -> None:
    """Every cell equals the plain count; `known` is of all records."""
    row = 0
    for rows in cells.rows:
        for lane in range(rows.start, rows.stop, rows.per_row):
            for column, record in enumerate(range(cells.start, cells.stop, cells.per_column)):
                stop = min(record + cells.per_column, cells.stop)
                block = stored[record:stop, lane : min(lane + rows.per_row, rows.stop)]
                found = (cells.stored, cells.held, cells.busy, cells.jobs, cells.size)
                expected = plain_cell(block, known[record:stop])
                assert tuple(int(matrix[row, column]) for matrix in found) == expected
                assert bool(cells.has_selected[row, column]) == (selected > 0 and selected in block)
            row += 1
    assert cells.stored.shape[0] == row


@pytest.mark.parametrize("few", [0, 96])
@pytest.mark.parametrize("per_column", [1, 3, 7, 100])
@pytest.mark.parametrize("per_row", [1, 2, 5])
def test_every_cell_is_counted(per_column: int, per_row: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.analysis.gantt._FEW", few)
    rng = np.random.default_rng(per_column)
    stored = rng.integers(0, 4, (50, 11)).astype(np.uint32)
    stored[stored == 3] = 2**32 - 1  # the largest id there can be
    known = np.ones(50, bool)
    known[20:27] = False
    stored[~known] = 0
    rows = [LaneRows(0, 4, per_row), LaneRows(5, 11, per_row)]
    start = per_column if per_column < 50 else 0
    cells = summarize_cells(lambda a, b: stored[a:b], known[start:], start, 50, per_column, rows, selected=2)
    check_against_plain(cells, stored, known, 2)


@pytest.mark.parametrize("n_rounds", [96, 97])
def test_a_full_cell_of_one_job_or_many(n_rounds: int) -> None:
    stored = np.stack([np.full(n_rounds, 7), np.arange(1, n_rounds + 1), np.zeros(n_rounds)], axis=1).astype(np.uint32)
    known = np.ones(n_rounds, bool)
    cells = summarize_cells(lambda a, b: stored[a:b], known, 0, n_rounds, n_rounds, [LaneRows(0, 3, 1)])
    check_against_plain(cells, stored, known)
    assert (cells.held.ravel().tolist(), cells.jobs.ravel().tolist()) == ([n_rounds, 1, 0], [1, n_rounds, 0])


def test_blocks_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.analysis.gantt._BLOCK_CELLS", 40)
    stored = np.random.default_rng(1).integers(0, 3, (101, 6)).astype(np.uint32)
    known = np.ones(101, bool)
    cells = summarize_cells(lambda a, b: stored[a:b], known, 0, 101, 4, [LaneRows(0, 6, 2)])
    check_against_plain(cells, stored, known)


def test_mostly_idle_is_over_half() -> None:
    stored = np.array([[7, 7, 0], [7, 0, 0], [0, 0, 0], [0, 0, 0]], np.uint32)
    cells = summarize_cells(lambda a, b: stored[a:b], np.ones(4, bool), 0, 4, 4, [LaneRows(0, 3, 1)])
    assert cells.is_mostly_idle[:, 0].tolist() == [False, True, True]
    assert cells.stored[:, 0].tolist() == [7, 7, 0]


def test_what_is_not_known_is_not_idle() -> None:
    stored = np.zeros((4, 2), np.uint32)
    known = np.array([False, False, True, True])
    cells = summarize_cells(lambda a, b: stored[a:b], known, 0, 4, 2, [LaneRows(0, 2, 1)])
    assert cells.size.tolist() == [[0, 2], [0, 2]]
    assert cells.is_mostly_idle.tolist() == [[False, True], [False, True]]


def test_no_rounds_and_no_lanes_are_no_cells() -> None:
    empty = np.zeros((0, 3), np.uint32)
    cells = summarize_cells(lambda a, b: empty[a:b], np.ones(0, bool), 0, 0, 2, [LaneRows(0, 3, 1)])
    assert cells.stored.shape == (3, 0)
    some = np.zeros((4, 0), np.uint32)
    assert summarize_cells(lambda a, b: some[a:b], np.ones(4, bool), 0, 4, 2, []).stored.shape == (0, 2)


@pytest.mark.parametrize("record", [0, 99, 100, 499, 500, 899])
def test_a_span_is_found_however_far_it_reaches(record: int) -> None:
    lane = np.repeat(np.array([4, 0, 5], np.uint32), [100, 400, 400])
    stored = np.stack([np.zeros(900, np.uint32), lane], axis=1)
    start, stop = held_span(lambda a, b: stored[a:b], 900, 1, record)
    assert (start, stop) == next((a, b) for a, b in ((0, 100), (100, 500), (500, 900)) if a <= record < b)
