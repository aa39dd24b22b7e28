"""A small sweep on disk, and the app over it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gavel_dash.sweep import Sweep, open_sweep
from gavel_dash.web.app import create_app
from tests.make import write_completions, write_run

DAMAGED = "fig10_las_3.0jph_multi_s0"


@pytest.fixture
def directory(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sound runs and a damaged one."""
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(tmp_path_factory.mktemp("cache")))
    for rate, every in ((1.0, 4), (2.0, 1)):
        name = f"fig10_las_{rate}jph_multi_s0"
        run = write_run(tmp_path / f"{name}.viz.bin", every=every)
        write_completions(tmp_path / f"{name}_completions.json", run)
    (tmp_path / f"{DAMAGED}.viz.bin").write_bytes(b"GPUVIZ01 and nothing more")
    return tmp_path


@pytest.fixture
def sweep(directory: Path) -> Sweep:
    return open_sweep(directory)


@pytest.fixture
def client(sweep: Sweep) -> FlaskClient:
    return create_app(sweep).server.test_client()
