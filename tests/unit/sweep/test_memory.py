"""Results that are kept: computed once, also where many ask at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from gavel_dash.sweep.memory import Memory


def test_who_comes_while_it_is_computed_waits_for_it() -> None:
    memory, begun, may_end, computed = Memory(4), Event(), Event(), []

    def compute() -> int:
        computed.append(1)
        begun.set()
        assert may_end.wait(30)
        return 7

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(memory.get, "key", compute) for _ in range(8)]
        assert begun.wait(30)
        assert memory.get("another", lambda: 3) == 3  # waits for nobody
        may_end.set()
        assert [future.result(30) for future in asked] == [7] * 8
    assert computed == [1]


def test_a_failure_is_not_kept() -> None:
    memory, begun, may_fail, answers = Memory(4), Event(), Event(), []

    def fail() -> int:
        begun.set()
        assert may_fail.wait(30)
        raise ValueError("once")

    def ask() -> None:
        with pytest.raises(ValueError, match="once"):
            memory.get("key", fail)

    first = Thread(target=ask)
    first.start()
    assert begun.wait(30)
    second = Thread(target=lambda: answers.append(memory.get("key", lambda: 5)))
    second.start()
    may_fail.set()
    first.join(30)
    second.join(30)
    assert answers == [5]
    assert memory.get("key", fail) == 5


def test_the_oldest_goes() -> None:
    memory = Memory(2)
    for key in "abac":
        memory.get(key, lambda key=key: key)  # type: ignore[misc]
    assert [memory.get(key, lambda: "new") for key in "acb"] == ["a", "c", "new"]
