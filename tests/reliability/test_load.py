"""Some users at once before two workers, one of which is killed: every answer is right and their own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from dash import Dash

from benchmarks.soak.connection import Journal
from benchmarks.soak.load import let_live
from benchmarks.soak.team_server import serve_team
from benchmarks.soak.users import Truth, User
from benchmarks.soak.watch import slope_per_minute
from benchmarks.synthetic_runs import write_synthetic_run
from gavel_dash.sweep import open_sweep
from gavel_dash.web.serve import build_server

N_USERS, SECONDS = 8, 2.0
GPU_TYPES = (("k80", 4, 4), ("v100", 4, 4))


def _write_sweep(root: Path) -> None:
    """Runs that differ in what they hold: figures, policies, rates and seeds."""
    root.mkdir()
    for figure in (1, 2):
        for policy in ("fifo", "max_min_fairness"):
            for rate in (1.0, 2.0):
                for seed in (0, 1):
                    path = root / f"fig{figure}_{policy}_{rate}jph_multi_s{seed}.viz.bin"
                    write_synthetic_run(path, GPU_TYPES, 240, len(list(root.iterdir())), rate)


def test_users_get_their_own_answers_while_a_worker_is_killed(tmp_path: Path) -> None:
    root = tmp_path / "sweep"
    _write_sweep(root)
    with mock.patch.dict(os.environ, GAVEL_DASH_CACHE=str(tmp_path / "cache")):
        truth, journal = Truth(root, open_sweep(root).runs()), Journal()
        with serve_team(root, tmp_path / "gunicorn.log", workers=2, threads=4) as server:
            users = [User(number, server.port, truth, journal, pace=0) for number in range(N_USERS)]
            with ThreadPoolExecutor(
                N_USERS
            ) as at_once:  # whose filters differ: where one's get into another's, it shows
                list(at_once.map(lambda user: [user.try_out(user.browse) for _ in range(2)], users))
                list(at_once.map(lambda user: user.try_out(user.play), users))
            let_live(users, journal, server, SECONDS, {"KILL": 0.5})
            assert journal.errors == []
            assert server.failures() == []
    kinds = {sample.kind for sample in journal.samples}
    assert {"callback sweep-grid.rowData", "callback saturation-selection.data", "round chunk", "csv runs"} <= kinds


def test_a_server_is_complete_before_its_first_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP", str(tmp_path))
    complete, completed = Dash._setup_server, []

    def complete_and_say(app: Dash) -> None:
        completed.append(app)
        complete(app)

    monkeypatch.setattr(Dash, "_setup_server", complete_and_say)
    build_server()
    assert len(completed) == 1


@pytest.mark.parametrize("leak_per_minute", [0.0, 20.0])
def test_a_slope_is_told_from_noise(leak_per_minute: float) -> None:
    rng = np.random.default_rng(0)
    at_s = np.arange(0, 480, 2.0)
    noise = np.convolve(rng.normal(0, 10, len(at_s) + 9), np.ones(10) / 10, "valid")  # neighbours are alike
    slope, error = slope_per_minute(at_s.tolist(), (300 + noise + leak_per_minute * at_s / 60).tolist())
    assert abs(slope - leak_per_minute) < 3 * error
    assert (slope > 3 * error) == bool(leak_per_minute)
