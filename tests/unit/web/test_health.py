"""`/healthz` says what is served, and 503 where nothing can be."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gavel_dash import __version__, kernel
from gavel_dash.sweep import LiveSweep, Sweep, open_sweep
from gavel_dash.web import health
from gavel_dash.web.serve import build_server
from tests.unit.web.conftest import DAMAGED


def test_it_counts_runs_and_names_the_damaged(client: FlaskClient, sweep: Sweep) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    said = answer.json
    assert (said["status"], said["version"], said["sweep"]) == ("ok", __version__, sweep.name)
    assert (said["runs"], said["damaged_runs"]) == (3, {"count": 1, "names": [DAMAGED]})
    assert 0 <= said["uptime_s"] < 60
    assert said["problem"] == ""


def test_names_of_damaged_runs_are_capped_and_all_are_counted(tmp_path: Path) -> None:
    for seed in range(25):
        (tmp_path / f"fig10_las_3.0jph_multi_s{seed}.viz.bin").write_bytes(b"GPUVIZ01")
    damaged = health.health_of(LiveSweep(open_sweep(tmp_path)), 0)["damaged_runs"]
    assert (damaged["count"], len(damaged["names"])) == (25, 20)


def test_the_cache_as_it_is(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveSweep(open_sweep(directory))
    fresh = health.health_of(live, 0)["cache"]
    assert fresh["writable"]
    assert 0 <= fresh["catalogue_age_s"] < 60
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(tmp_path / "not" / "there"))
    empty = health.health_of(live, 0)["cache"]
    assert (empty["directory"], empty["writable"]) == (str(tmp_path / "not" / "there"), True)
    assert empty["catalogue_age_s"] is None
    file = tmp_path / "a file"
    file.touch()
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(file / "cache"))
    assert not health.health_of(live, 0)["cache"]["writable"]


def test_the_kernel_is_told_of_and_not_compiled_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(kernel.SWITCH, raising=False)
    monkeypatch.setattr(kernel, "_load", lru_cache(lambda: (None, "no C compiler")))
    assert kernel.kernel_state() == "not needed yet"
    assert kernel.load_kernel() is None
    assert kernel.kernel_state() == "no C compiler"
    monkeypatch.setattr(kernel, "_load", lru_cache(lambda: (object(), "")))
    kernel.load_kernel()
    assert kernel.kernel_state() == "loaded"
    monkeypatch.setenv(kernel.SWITCH, "off")
    assert kernel.kernel_state() == f"{kernel.SWITCH} is off"


def test_it_is_cheap_for_a_thousand_runs(tmp_path: Path) -> None:
    for seed in range(1000):
        (tmp_path / f"fig10_las_3.0jph_multi_s{seed}.viz.bin").write_bytes(b"")
    live = LiveSweep(open_sweep(tmp_path))

    def seconds() -> float:
        began_s = time.perf_counter()
        assert health.health_of(live, 0)["runs"] == 1000
        return time.perf_counter() - began_s

    seconds()
    assert min(seconds() for _ in range(10)) < 0.005


def test_without_a_sweep_it_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SWEEP", str(tmp_path / "missing"))
    answer = build_server().test_client().get("/healthz")
    assert (answer.status_code, answer.json["status"], answer.json["version"]) == (503, "failed", __version__)
    assert "nothing there" in answer.json["error"]
