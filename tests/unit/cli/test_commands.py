"""The command line on small runs: tables that equal the library's, one clear sentence for bad input."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from gavel_dash import schema
from gavel_dash.__main__ import COMMANDS, main
from gavel_dash.sweep import open_sweep
from tests.make import write_completions, write_run


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two rates of one policy, one run damaged."""
    for rate, every in ((1.0, 4), (2.0, 1)):
        name = f"fig10_las_{rate}jph_multi_s0"
        run = write_run(tmp_path / f"{name}.viz.bin", every=every)
        write_completions(tmp_path / f"{name}_completions.json", run)
    (tmp_path / "fig10_las_3.0jph_multi_s0.viz.bin").write_bytes(b"GPUVIZ01 and nothing more")
    return tmp_path


def table(capsys: pytest.CaptureFixture[str], *argv: str) -> pd.DataFrame:
    assert main(list(argv)) == 0
    return pd.read_csv(io.StringIO(capsys.readouterr().out))


def test_runs_is_the_librarys_table(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = table(capsys, "runs", str(sweep), "--csv", "-")
    assert runs.columns.tolist() == schema.names(schema.RUNS)
    assert runs["status"].tolist() == ["complete", "complete", "damaged"]
    assert runs["mean_jct_h"].tolist()[:2] == open_sweep(sweep).runs()["mean_jct_h"].tolist()[:2]


def test_curves_and_saturation(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curves = table(capsys, "curves", str(sweep), "--csv", "-")
    assert curves["arrival_rate_jph"].tolist() == [1.0, 2.0]
    saturation = table(capsys, "saturation", str(sweep), "--csv", "-", "--k", "1.5")
    assert saturation["k"].dropna().tolist() == [1.5]
    assert saturation["method"].tolist() == ["stability", "plateau_factor", "capacity_fit"]


def test_csv_to_a_file(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out" / "runs.csv"
    assert main(["runs", str(sweep), "--csv", str(target)]) == 0
    assert capsys.readouterr().out == ""
    assert len(pd.read_csv(target)) == 3


def test_round_gives_allocation_and_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "a.viz.bin")
    assert main(["round", str(tmp_path / "a.viz.bin"), "11", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["round"] == 11
    assert document["sim_time_s"] == 11 * 360
    assert document["gpu_types"] == [
        {"name": "k80", "first_gpu": 0, "count": 4},
        {"name": "v100", "first_gpu": 4, "count": 4},
    ]
    assert document["allocation"] == [None if job < 0 else job for job in run["allocation"][11].tolist()]
    assert document["queue"] == run["queues"][11]


def test_rounds_and_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "a.viz.bin")
    rounds = table(capsys, "rounds", str(tmp_path / "a.viz.bin"), "--csv", "-")
    assert rounds["gpus_used"].tolist() == run["used"].sum(axis=1).tolist()
    assert rounds["k80_used"].tolist() == run["used"][:, 0].tolist()
    jobs = table(capsys, "jobs", str(tmp_path / "a.viz.bin"), "--csv", "-")
    assert jobs["scale_factor"].tolist() == run["jobs"]["scale_factor"].tolist()


def test_info_as_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a.viz.bin")
    assert main(["info", str(tmp_path / "a.viz.bin")]) == 0
    text = capsys.readouterr().out
    assert "v100: GPUs 4-7" in text
    assert "findings  none" in text
    assert main(["info", str(tmp_path / "a.viz.bin"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_check_names_the_damaged_and_exits_1(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(sweep)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("ok") for line in lines) == 4
    assert next(line for line in lines if line.startswith("DAMAGED")).count("fig10_las_3.0jph_multi_s0") == 1
    assert main(["check", str(sweep / "fig10_las_1.0jph_multi_s0.viz.bin")]) == 0


def test_formula_in_a_name_is_neutralised_in_the_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "=HYPERLINK(1).viz.bin")
    assert table(capsys, "runs", str(tmp_path))["run"].tolist() == ["'=HYPERLINK(1)"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["runs", "{dir}/nowhere"], "nothing there"),
        (["runs", "{dir}/empty"], "holds no runs"),
        (["round", "{dir}/a.viz.bin", "60"], "rounds 0 to 59"),
        (["round", "{dir}/a.viz.bin", "-1"], "rounds 0 to 59"),
        (["info", "{dir}/half.viz.bin"], "half.viz.bin at byte"),
        (["info", "{dir}/text.viz.bin"], "expected"),
        (["jobs", "{dir}/nothing.viz.bin"], "nothing there"),
        (["info", "{dir}"], "is a directory"),
        (["saturation", "{dir}", "--k", "1"], "--k must be above 1"),
        (["convert", "{dir}/some.log", "--out", "{dir}/a.viz.bin/out"], "cannot be made"),
        (["convert", "{dir}/some.log", "--out", "{dir}/out"], "expected a log of Gavel's simulator"),
    ],
)
def test_bad_input_is_one_sentence_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], sentence: str
) -> None:
    write_run(tmp_path / "a.viz.bin")
    (tmp_path / "half.viz.bin").write_bytes((tmp_path / "a.viz.bin").read_bytes()[:2000])
    (tmp_path / "text.viz.bin").write_text("not a run at all\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "some.log").write_text("nothing of a simulator\n")

    assert main([word.format(dir=tmp_path) for word in argv]) in (1, 2)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") <= 1 + captured.err.count("indexing")
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert "example" in capsys.readouterr().out


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin", n_rounds=3000)
    command = f"{sys.executable} -m gavel_dash rounds {tmp_path / 'a.viz.bin'} | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("round_index,")
    assert done.stderr == ""
