"""2,000 cases; `python -m benchmarks.soak.fuzz` runs any number of them."""

from __future__ import annotations

import pytest

from tests.fuzz.cases import FAMILIES, make_case
from tests.fuzz.runner import run_cases

SEED, CASES, BLOCKS = 1, 2000, 4


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_case_ends_in_a_result_or_one_error(block: int) -> None:
    size = CASES // BLOCKS
    outcomes = list(run_cases(SEED, range(block * size, (block + 1) * size), processes=1))
    assert len(outcomes) == size
    assert {outcome.family for outcome in outcomes} == set(FAMILIES)
    # Damage that is never noticed, or always, would test nothing.
    assert 0.1 < sum(outcome.is_result for outcome in outcomes) / len(outcomes) < 0.6
    failures = [
        f"case {outcome.number} ({outcome.family}): {outcome.failure}" for outcome in outcomes if outcome.failure
    ]
    assert not failures, "\n".join(failures)


def test_a_number_makes_the_same_case_again() -> None:
    assert make_case(SEED, 77, False) == make_case(SEED, 77, False) != make_case(SEED + 1, 77, False)
