"""Any allocation at any zoom: cells equal a plain count, and together hold every occupied lane of every round."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gavel_dash.analysis.gantt import LaneRows, held_span, summarize_cells
from gavel_dash.figures.gantt_view import plan_view
from gavel_dash.model import Cluster, GpuType
from tests.unit.analysis.test_gantt import check_against_plain

COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any)
RANGES = st.one_of(st.none(), st.lists(st.floats(), max_size=3))


@st.composite
def allocations(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.integers(1, 30)), draw(st.integers(1, 9))
    ids = draw(st.lists(st.integers(0, 4), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    return np.array(ids, np.uint32).reshape(shape)


@given(allocations(), st.integers(1, 8), st.integers(1, 4))
def test_cells_equal_a_plain_count(stored: np.ndarray, per_column: int, per_row: int) -> None:
    n_rounds, n_lanes = stored.shape
    known = np.ones(n_rounds, bool)
    rows = [LaneRows(0, n_lanes, per_row)]
    cells = summarize_cells(lambda a, b: stored[a:b], known, 0, n_rounds, per_column, rows, selected=1)
    check_against_plain(cells, stored, known, selected=1)
    assert cells.busy.sum() == (stored > 0).sum()
    assert cells.size.sum() == stored.size


@given(allocations(), st.data())
def test_a_span_has_one_job_and_ends_where_that_changes(stored: np.ndarray, data: st.DataObject) -> None:
    n_rounds, n_lanes = stored.shape
    record, lane = data.draw(st.integers(0, n_rounds - 1)), data.draw(st.integers(0, n_lanes - 1))
    start, stop = held_span(lambda a, b: stored[a:b], n_rounds, lane, record)
    assert start <= record < stop
    assert set(stored[start:stop, lane].tolist()) == {int(stored[record, lane])}
    assert start == 0 or stored[start - 1, lane] != stored[record, lane]
    assert stop == n_rounds or stored[stop, lane] != stored[record, lane]


@given(COUNTS, st.sampled_from([1, 4]), st.integers(1, 5000), RANGES, RANGES, st.floats(0, 5000), st.floats(0, 900))
def test_any_request_gives_a_view_of_the_run(
    counts: list[int],
    parts: int,
    n_rounds: int,
    x: list[float] | None,
    y: list[float] | None,
    width: float,
    height: float,
) -> None:
    cluster = Cluster(tuple(GpuType(f"t{i}", count) for i, count in enumerate(counts)))
    view = plan_view(cluster, parts, n_rounds, x, y, width, height)
    assert 0 <= view.start <= view.x[0] < view.x[1] <= view.stop <= n_rounds
    assert 0 <= view.y[0] < view.y[1] <= view.grid.height
    assert view.start % view.per_column == 0
    for rows, band in zip(view.rows, view.bands, strict=True):
        origin = band.first_gpu * parts
        assert origin <= rows.start < rows.stop <= origin + band.count * parts
        assert (rows.start - origin) % rows.per_row == 0
        # What the cell of a lane is said to hold holds it.
        middle = view.lane_top(band, rows.start) + 0.5 / parts
        cell = view.cell_at((view.start + view.stop) / 2, middle)
        assert cell is not None
        assert cell[0] <= (view.start + view.stop) / 2 < cell[1]
        assert cell[2].start <= rows.start < cell[2].stop
