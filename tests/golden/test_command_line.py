"""Real files through the command line, with the numbers known of them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from gavel_dash.__main__ import main


def out(capsys: pytest.CaptureFixture[str], *argv: object, code: int = 0) -> str:
    assert main([str(word) for word in argv]) == code
    return capsys.readouterr().out


def test_every_published_file_is_sound(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "check", data_dir / "published").splitlines()
    assert all(line.startswith("ok") for line in lines)
    assert len(lines) == 10  # five .viz.bin, telemetry, two completions, one table, one timing.json


def test_half_of_a_real_file_is_damaged(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (data_dir / "published" / "fgd_fifo_random_placement.viz.bin").read_bytes()
    (tmp_path / "half.viz.bin").write_bytes(whole[: len(whole) // 2])
    line = out(capsys, "check", tmp_path, code=1)
    assert line.startswith("DAMAGED")
    assert "half.viz.bin" in line


def test_corrected_type_order_reaches_the_round(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_dir / "published" / "fgd_fifo_random_placement.viz.bin"
    rounds = pd.read_csv(io.StringIO(out(capsys, "rounds", path, "--csv", "-")))
    assert len(rounds) == 6618
    for index in (100, 3000, 6600):
        document = json.loads(out(capsys, "round", path, index, "--json"))
        assert [gpu_type["name"] for gpu_type in document["gpu_types"]] == ["k80", "p100", "v100"]
        for gpu_type in document["gpu_types"]:
            first, count = gpu_type["first_gpu"], gpu_type["count"]
            busy = sum(job is not None for job in document["allocation"][first : first + count])
            assert busy == rounds[f"{gpu_type['name']}_used"][index]
        assert len(document["queue"]) == rounds["jobs_queued"][index]


def test_shared_gpus_are_in_the_round(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_dir / "published" / "sharing_test.viz.bin"
    shared = [json.loads(out(capsys, "round", path, index, "--json")).get("sharing", {}) for index in range(0, 400, 40)]
    assert any(shared)
    assert all(len(quarters) == 4 for entry in shared for quarters in entry.values())


def test_telemetry_only_file_says_that_it_has_no_allocation(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_dir / "published" / "fgd_alibaba_mig_fgd_360jph_s0.viz.bin"
    document = json.loads(out(capsys, "round", path, 60, "--json"))
    assert document["has_allocation"] is False
    assert "telemetry-only" in out(capsys, "info", path)


def test_older_job_records_have_no_completions(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_dir / "published" / "generation_1a_test_data.viz.bin"
    jobs = pd.read_csv(io.StringIO(out(capsys, "jobs", path, "--csv", "-")))
    assert len(jobs) == 8
    assert not jobs["completed"].any()
    assert jobs["jct_h"].isna().all()
