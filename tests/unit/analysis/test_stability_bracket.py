"""The bracket between stable and unstable rates, and its interval over seeds."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_dash.analysis.stability_bracket import bracket_interval, find_bracket

RATES = np.array([1.0, 2.0, 3.0, 4.0])
WORDS = {"s": "stable", "u": "unstable", "?": "undecided", "-": None}


def spell(letters: str) -> list[str | None]:
    return [WORDS[letter] for letter in letters]


@pytest.mark.parametrize(
    ("verdicts", "low", "high"),
    [
        ("ssuu", 2.0, 3.0),
        ("s??u", 1.0, 4.0),
        ("s-uu", 1.0, 3.0),
        ("susu", 1.0, 4.0),
        ("ssss", 4.0, np.nan),
        ("sus?", 1.0, np.nan),
        ("uuuu", np.nan, 1.0),
        ("?suu", 2.0, 3.0),
        ("ussu", np.nan, 4.0),
        ("????", np.nan, np.nan),
    ],
)
def test_bracket(verdicts: str, low: float, high: float) -> None:
    bracket = find_bracket(RATES, spell(verdicts))
    assert (bracket.low_jph, bracket.high_jph) == pytest.approx((low, high), nan_ok=True)
    assert bracket.middle_jph == pytest.approx((low + high) / 2, nan_ok=True)


def interval(*seeds: str) -> tuple[float, float]:
    """Interval of a curve with these verdicts of the seeds, one word per rate."""
    return bracket_interval(RATES[: len(seeds)], [spell(letters) for letters in seeds], 0.95)


def test_seeds_that_agree_give_the_bracket_itself() -> None:
    assert interval("sss", "sss", "uuu", "uuu") == (2.0, 3.0)


def test_a_seed_that_differs_widens_the_interval() -> None:
    assert interval("sss", "ss?", "uuu", "uuu") == (1.0, 3.0)
    assert interval("sss", "sss", "uu?", "uuu") == (2.0, 4.0)


def test_one_seed_at_an_end_gives_no_interval() -> None:
    assert np.isnan(interval("sss", "s", "uuu", "uuu")).all()
    assert np.isfinite(interval("s", "sss", "uuu", "u")).all()


def test_a_resample_that_loses_the_upper_end_opens_the_interval() -> None:
    assert interval("sss", "sss", "sss", "uu?") == (3.0, float("inf"))


def test_a_resample_that_loses_the_lower_end_goes_down_to_the_lowest_rate() -> None:
    assert interval("???", "ss?", "uuu", "uuu") == (1.0, 3.0)


def test_without_a_bracket_there_is_no_interval() -> None:
    assert np.isnan(interval("sss", "sss")).all()
