"""Runs that only a telemetry file tells of: their rounds can be looked at, and nothing else is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.sweep import Run, open_sweep
from gavel_dash.sweep.telemetry_run import load_wall_time_s, open_telemetry

NAME = "fig11_finish_time_fairness_2.4jph_multi_s2"


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "round": number,
        "sim_time": 360.0 * number,
        "wall_time": 0.5 * number,
        "jobs_running": 2,
        "jobs_queued": 3,
        "jobs_completed_total": number,
        "utilization": 0.5,
        "avg_jct": 7200.0,
        "v100_used": 1,
        "v100_total": 2,
        "k80_used": 4,
        "k80_total": 4,
        "windowed_completion_rate": None,
        **more,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in rows))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write(tmp_path / f"{NAME}_telemetry.json", [row(0), row(1, windowed_completion_rate=2.5), row(4)])
    sweep = open_sweep(tmp_path)
    assert sweep.has_rounds(NAME)
    return sweep[NAME]


def test_its_rounds_are_those_of_the_file(run: Run) -> None:
    rounds = run.rounds()
    assert rounds["round"].tolist() == [0, 1, 4]
    assert rounds["sim_time_h"].tolist() == pytest.approx([0, 0.1, 0.4])
    assert rounds[["k80_used", "v100_used", "jobs_queued", "jobs_completed"]].iloc[2].tolist() == [4, 1, 3, 4]
    assert rounds["completion_rate_jph"].isna().tolist() == [True, False, True]
    assert rounds["avg_jct_h"].tolist() == [2, 2, 2]
    assert [t.name for t in run.cluster.gpu_types] == ["k80", "v100"]
    assert run.wall_time_s is not None
    assert run.wall_time_s.tolist() == [0, 0.5, 2.0]


def test_who_holds_and_who_waits_is_not_made_up(run: Run) -> None:
    assert run.jobs().empty
    assert not run.fragmentation({"k80": 2}).known.any()
    assert np.isnan(run.fragmentation({"k80": 2}).rate()).all()
    blocked = run.blocked_demand()
    assert blocked.scale_factors == (0,)
    assert blocked.queued.ravel().tolist() == [3, 3, 3]
    assert "telemetry-only" in [finding.code for finding in run.viz.findings]


def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no line"):
        open_telemetry(write(tmp_path / "a.json", []))
    (tmp_path / "b.json").write_text("[]\n")
    with pytest.raises(SourceError, match=r"b\.json line 1"):
        open_telemetry(tmp_path / "b.json")
    with pytest.raises(GavelDashError, match="65535"):
        open_telemetry(write(tmp_path / "c.json", [row(0, k80_total=70_000)]))
    with pytest.raises(GavelDashError, match="jobs_queued"):
        open_telemetry(write(tmp_path / "d.json", [row(0, jobs_queued=-1)]))


def test_wall_time_that_is_none_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [row(0), row(1, wall_time=None), row(2, wall_time="soon"), {"wall_time": 3.0}])
    assert load_wall_time_s(path) == {0: 0.0}
