"""How far a simulation is, from the end of its log."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gavel_dash.errors import SourceError
from gavel_dash.ingest import log_progress
from gavel_dash.ingest.log_progress import LogProgress, read_log_progress
from tests.unit.ingest.log_text import short_log
from tests.unit.ingest.test_upstream import ROUND_1, ROUND_2, TAIL

TELEMETRY = 'scheduler:INFO [720.0] TELEMETRY {"round": 2, "sim_time": 720.5, "jobs_completed_window": 7}\n'


def progress_of(tmp_path: Path, text: str | bytes) -> LogProgress:
    path = tmp_path / "simulation.log"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log_progress(path)


def test_the_last_complete_telemetry_line_tells(tmp_path: Path) -> None:
    cut = TELEMETRY.replace('"round": 2', '"round": 3')[:-5]
    assert progress_of(tmp_path, TELEMETRY + cut) == LogProgress(False, 2, 720.5, 7)
    assert progress_of(tmp_path, short_log().data).round_index == 3


def test_rounds_longer_than_the_first_look_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_progress, "_TAIL_BYTES", 64)
    placements = "scheduler:INFO [720.0] [Micro-task scheduled]\tJob ID: 1\tWorker type: k80\tWorker ID(s): 1\n" * 50
    assert progress_of(tmp_path, TELEMETRY + placements).round_index == 2


def test_upstream_logs_tell_the_time_only(tmp_path: Path) -> None:
    assert progress_of(tmp_path, ROUND_1 + ROUND_2) == LogProgress(False, sim_time_s=360.0)


@pytest.mark.parametrize("end", ["Total duration: 3 s\n", "Cluster utilization: 0.2\n"])
def test_the_summary_ends_a_log(tmp_path: Path, end: str) -> None:
    assert progress_of(tmp_path, TELEMETRY + end).has_ended
    assert progress_of(tmp_path, ROUND_1 + TAIL).has_ended


def test_what_cannot_be_told_is_none(tmp_path: Path) -> None:
    assert progress_of(tmp_path, "") == LogProgress(False)
    assert progress_of(tmp_path, "scheduler:INFO [1] TELEMETRY {broken}\n") == LogProgress(False)
    assert progress_of(tmp_path, '] TELEMETRY {"round": "x", "sim_time": 1}\n') == LogProgress(False, None, 1.0)
    assert progress_of(tmp_path, gzip.compress(TELEMETRY.encode())) == LogProgress(True)
    with pytest.raises(SourceError, match="a readable log"):
        read_log_progress(tmp_path / "none.log")
