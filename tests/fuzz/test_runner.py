"""The watchman sees what it is there for: a crash, a hang, too much memory, an error of another kind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.fuzz import runner
from tests.fuzz.cases import Case, sound_sweep
from tests.fuzz.exercise import exercise


def _crash(case: Case, directory: Path) -> bool:
    if case.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


def _spin(case: Case, directory: Path) -> bool:
    while case.number == 1:
        pass
    return True


def _sleep(case: Case, directory: Path) -> bool:
    while case.number == 1:
        time.sleep(1)
    return True


def _fill(case: Case, directory: Path) -> bool:
    return len(bytearray(b"x") * (80_000_000 if case.number == 1 else 1)) > 0


def _fail(case: Case, directory: Path) -> bool:
    return case.number != 1 or bool(1 // 0)


def test_what_cases_are_made_of_is_sound(tmp_path: Path) -> None:
    assert exercise(Case(0, "none", sound_sweep(), 0), tmp_path)


@pytest.mark.parametrize(
    ("exercised", "failure"),
    [
        (_crash, "SIGKILL"),
        (_spin, "SIGPROF"),
        (_sleep, "no end within"),
        (_fill, "MB of memory, more than"),
        (_fail, "ZeroDivisionError"),
    ],
)
def test_a_case_that_goes_wrong_is_a_failure_and_the_others_go_on(
    exercised: object, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "exercise", exercised)
    monkeypatch.setattr(runner, "_KILLED_AFTER_CPU_S", 0.3)
    if exercised is _sleep:
        monkeypatch.setattr(runner, "_KILLED_AFTER_S", 3.0)
    outcomes = sorted(runner.run_cases(1, range(3), processes=1), key=lambda outcome: outcome.number)
    assert [outcome.number for outcome in outcomes] == [0, 1, 2]
    assert outcomes[0].failure is outcomes[2].failure is None
    assert failure in (outcomes[1].failure or "")
