"""`gavel-dash convert`: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_dash.__main__ import main
from tests.unit.ingest.log_text import ReplicationLog, short_log
from tests.unit.ingest.test_sources import forbid, touch


def test_one_line_per_log_and_exit_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.log").write_bytes(short_log().data)
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    output = capsys.readouterr()
    assert output.out == "run: 4 rounds, 3 jobs, 1 completions, every round agrees with the log\n"
    assert output.err == ""
    main(["convert", str(tmp_path / "run.log"), "--out", str(tmp_path / "out")])
    assert capsys.readouterr().out.endswith("every round agrees with the log (up to date)\n")


def test_disagreements_and_findings_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = ReplicationLog().arrive(0).telemetry(0, 0, 0).schedule(0, "k80", 0).telemetry(1, 1, 0)
    (tmp_path / "run.log").write_bytes(log.data + b"half a line")
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    line = capsys.readouterr().out
    assert "1 rounds disagree with the log on the queue, 1 rounds disagree with the log on GPUs in use" in line
    assert "cut-line: The log stops in the middle of a line (11 bytes are left out)." in line


def test_a_bad_log_is_one_line_and_exit_1_and_the_others_are_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.log").write_bytes(short_log().data)
    touch(tmp_path / "bad.log")
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 1
    output = capsys.readouterr()
    assert output.out.startswith("good: 4 rounds")
    assert output.err.count("\n") == 1
    assert "bad.log line 1: expected a log of Gavel's simulator" in output.err


def test_an_unlistable_directory_is_one_line_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.log").write_bytes(short_log().data)
    touch(tmp_path / "shut" / "b.log")
    forbid(monkeypatch, tmp_path / "shut")
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    output = capsys.readouterr()
    assert output.err == f"gavel-dash: {tmp_path / 'shut'}: expected a directory that can be listed, found " + (
        "Permission denied\n"
    )
    assert "good: " in output.out


def test_no_logs_and_no_place_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(f"gavel-dash: no logs in {tmp_path} (looked for")
    assert main(["convert", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 1
    assert "nothing there" in capsys.readouterr().err


@pytest.mark.parametrize("window", ["5", "5:2", "a:b", "1:2:3", "-1:4", ":", "²:5"])
def test_a_bad_window_is_a_usage_error(tmp_path: Path, window: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["convert", str(tmp_path), "--out", str(tmp_path), f"--window={window}"])
    assert stopped.value.code == 2
    assert "is not A:B with A < B, such as 600:1000" in capsys.readouterr().err
