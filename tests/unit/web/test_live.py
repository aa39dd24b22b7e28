"""What a page asks to see whether it is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.sweep import LiveSweep, open_sweep
from gavel_dash.web.app import create_app
from gavel_dash.web.live import LIVE_ROUTE, MOST_RUNS, state_of_page
from tests.make import write_run


def test_it_tells_what_has_changed_and_says_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gavel_dash.sweep.live.REST_S", 0.0)
    monkeypatch.setattr("gavel_dash.sweep.live.REST_FACTOR", 0.0)
    write_run(tmp_path / "a.viz.bin")
    client = create_app(open_sweep(tmp_path)).server.test_client()
    address = f"{LIVE_ROUTE}?run=a&at=b"
    first = client.get(address)
    state = first.get_json()
    assert state["words"] == "1 run"
    assert list(state["shown"]) == ["a", "b"]
    assert state["shown"]["b"] == ""
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    write_run(tmp_path / "b.viz.bin")
    after = client.get(address, headers={"If-None-Match": first.headers["ETag"]}).get_json()
    assert after["words"] == "2 runs"
    assert after["shown"]["a"] == state["shown"]["a"]
    assert after["shown"]["b"] != ""
    assert all(after[part] != state[part] for part in ("version", "results", "names"))


def test_a_page_asks_after_a_bounded_number_of_runs(tmp_path: Path) -> None:
    sweep = LiveSweep(open_sweep(tmp_path)).now
    shown = state_of_page(sweep, {"run": [str(n) for n in range(1000)]})["shown"]
    assert len(shown) == MOST_RUNS
