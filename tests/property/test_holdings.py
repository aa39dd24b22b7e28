"""Any allocation: with the compiled kernel and without, what jobs held is the same to the last bit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavel_dash.analysis.job_holdings import Holdings, Lanes, follow_holdings, running_stretches
from gavel_dash.kernel import SWITCH, load_kernel


@st.composite
def allocations(draw: st.DrawFn) -> tuple[np.ndarray, Lanes, np.ndarray]:
    """Job ids (some twice, some without a record), lanes in which little changes from round to round, and hours."""
    n_rounds, n_gpus, per_gpu = draw(st.integers(0, 30)), draw(st.integers(0, 40)), draw(st.sampled_from([1, 2, 4]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ids = rng.choice([1, 2, 3, 7, 2**31, 2**32 - 1], 5).astype(np.int64)
    offset, churn = draw(st.integers(0, 1)), draw(st.sampled_from([0.02, 0.3, 1.0]))
    stored = np.zeros((n_rounds, n_gpus * per_gpu), "<u4")
    row = np.zeros(n_gpus * per_gpu, "<u4")
    for record in range(n_rounds):
        changed = rng.random(len(row)) < churn
        row[changed] = rng.choice([0, 1, 2, 3, 4, 8, 99, 2**31, 2**32 - 1], changed.sum())
        stored[record] = row
    if draw(st.booleans()):  # as in a file: rounds lie apart
        stored = np.pad(stored, ((0, 0), (3, 2)))[:, 3 : 3 + n_gpus * per_gpu]
    types = np.sort(rng.integers(0, 3, n_gpus))
    edges_h = np.append(0, np.cumsum(rng.random(n_rounds) / 7))
    return ids, Lanes(stored, per_gpu, types, offset), edges_h


def follow(setting: str, drawn: tuple[np.ndarray, Lanes, np.ndarray]) -> tuple[Holdings, list[list[Any]]]:
    ids, lanes, edges_h = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, setting)
        assert (load_kernel() is None) == (setting == "off")
        return follow_holdings(ids, lanes, edges_h), [part.tolist() for part in running_stretches(ids, lanes)]


@settings(deadline=None, max_examples=300)
@given(allocations())
def test_with_and_without_the_kernel(drawn: tuple[np.ndarray, Lanes, np.ndarray]) -> None:
    (fast, fast_stretches), (plain, plain_stretches) = follow("on", drawn), follow("off", drawn)
    for field in fields(Holdings):
        one, other = getattr(fast, field.name), getattr(plain, field.name)
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), field.name
    assert fast_stretches == plain_stretches
