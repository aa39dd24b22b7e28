"""A directory becomes a sweep: joining, duplicates, identity, damage, cache."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard

import gavel_dash
from gavel_dash import schema
from gavel_dash.errors import SourceError, UsageError
from gavel_dash.sweep import open_run, open_sweep
from tests.make import write_completions, write_run

NAME = "fig10_max_min_fairness_perf_2.4jph_multi_s1"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAVEL_DASH_CACHE", str(tmp_path_factory.mktemp("cache")))


def row_of(path: Path, name: str = NAME) -> pd.Series:
    runs = open_sweep(path).runs().set_index("run")
    return runs.loc[name]


def test_runs_have_the_columns_of_the_schema(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin")
    assert open_sweep(tmp_path).runs().columns.tolist() == schema.names(schema.RUNS)


def test_identity_comes_from_the_name_where_nothing_better_tells(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin")
    sweep = open_sweep(tmp_path)
    row = sweep.runs().iloc[0]
    assert (row["figure"], row["setting"], row["arrival_rate_jph"], row["seed"]) == ("fig10", "multi", 2.4, 1)
    assert sweep.identity(NAME)["arrival_rate_jph"] == "name"
    assert sweep.identity(NAME)["policy"] == "config"


def test_config_is_believed_before_timing_and_name(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin", experiment={"policy": "las", "arrival_rate_jph": 1.5, "seed": 7})
    row = row_of(tmp_path)
    assert (row["policy"], row["arrival_rate_jph"], row["seed"], row["figure"]) == ("las", 1.5, 7, "fig10")


def test_manifest_is_believed_before_the_name(tmp_path: Path) -> None:
    write_run(tmp_path / "x.viz.bin")
    manifest = {"experiments": [{"file": "x.viz.bin", "filters": {"load": "3.5 jph", "seed": 4}}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    sweep = open_sweep(tmp_path)
    assert sweep.problems == ()
    assert sweep.runs().iloc[0]["seed"] == 4


def test_mean_jct_and_occupancy_are_those_of_the_simulation(tmp_path: Path) -> None:
    run = write_run(tmp_path / f"{NAME}.viz.bin")
    row = row_of(tmp_path)
    window = run["jobs"][2:8]
    assert row["status"] == "complete"
    assert row["mean_jct_h"] == pytest.approx(window["duration_s"].mean() / 3600, rel=1e-6)
    assert row["mean_occupancy"] == pytest.approx((run["allocation"] >= 0).mean())
    assert (row["n_window"], row["n_completed"]) == (6, 6)


def test_unfinished_window_jobs_make_a_lower_bound(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin", n_rounds=18)
    row = row_of(tmp_path)
    assert row["status"] == "censored"
    assert row["n_completed"] < row["n_window"] == 6
    assert row["mean_jct_is_lower_bound"]


def test_window_no_job_of_which_completed_has_no_mean(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin", window=(4000, 5000))
    row = row_of(tmp_path)
    assert row["status"] == "unmeasured"
    assert pd.isna(row["mean_jct_h"])
    assert row["n_window"] == 1000


def test_completions_file_is_preferred_to_the_float32_of_the_records(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin")
    rows = [{"job_id": i, "sim_time": 1.0, "duration": 7200.0} for i in range(2, 8)]
    (tmp_path / f"{NAME}_completions.json").write_text(json.dumps(rows))
    assert row_of(tmp_path)["mean_jct_h"] == 2.0
    assert (open_sweep(tmp_path)[NAME].jobs().set_index("job_id").loc[2:7, "jct_h"] == 2.0).all()


def test_damaged_completions_are_said_and_left_aside(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin")
    (tmp_path / f"{NAME}_completions.json").write_text('[{"job_id": 1, ')
    sweep = open_sweep(tmp_path)
    assert "completions-unreadable" in [finding.code for finding in sweep.findings(NAME)]
    assert sweep.runs().iloc[0]["status"] == "complete"


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_packed_run_equals_the_plain_one(tmp_path: Path, suffix: str) -> None:
    plain = tmp_path / "plain"
    packed = tmp_path / "packed"
    plain.mkdir()
    packed.mkdir()
    run = write_run(plain / f"{NAME}.viz.bin")
    raw = (plain / f"{NAME}.viz.bin").read_bytes()
    data = zstandard.compress(raw) if suffix == ".zst" else gzip.compress(raw)
    (packed / f"{NAME}.viz.bin{suffix}").write_bytes(data)
    messages: list[str] = []
    sweep = open_sweep(packed, progress=messages.append)
    assert any("unpacking" in message for message in messages)
    pd.testing.assert_frame_equal(sweep.runs(), open_sweep(plain).runs())
    np.testing.assert_array_equal(sweep[NAME].allocation(10), run["allocation"][10])


def test_truncated_packed_run_is_damaged(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin")
    packed = zstandard.compress((tmp_path / "a.viz.bin").read_bytes())
    (tmp_path / f"{NAME}.viz.bin.zst").write_bytes(packed[: len(packed) // 2])
    assert row_of(tmp_path)["status"] == "damaged"


def test_more_rounds_win_among_files_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    write_run(tmp_path / f"{NAME}.viz.bin", n_rounds=60)
    write_run(tmp_path / "old" / f"{NAME}.viz.bin", n_rounds=20)
    sweep = open_sweep(tmp_path)
    assert sweep.names == [NAME]
    assert sweep.runs().iloc[0]["rounds"] == 60
    assert "duplicate-run" in [finding.code for finding in sweep.findings(NAME)]


def test_damaged_file_is_a_row_with_its_reason(tmp_path: Path) -> None:
    write_run(tmp_path / "good.viz.bin")
    data = (tmp_path / "good.viz.bin").read_bytes()
    (tmp_path / "half.viz.bin").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.viz.bin").write_text("not a run")
    runs = open_sweep(tmp_path).runs().set_index("run")
    assert runs["status"].to_dict() == {"good": "complete", "half": "damaged", "text": "damaged"}
    assert "expected" in runs.loc["half", "note"]
    with pytest.raises(SourceError, match="half"):
        open_sweep(tmp_path)["half"].rounds()


def test_unconverted_log_comes_with_its_command(tmp_path: Path) -> None:
    directory = tmp_path / NAME
    directory.mkdir()
    log = directory / "simulation.log"
    log.write_text("scheduler:INFO [0] Running scheduler in simulation\n")
    os.utime(log, (0, 0))  # nobody writes to it any more
    row = row_of(tmp_path)
    assert row["status"] == "unconverted"
    assert "gavel-dash convert" in row["note"]
    assert str(directory / "simulation.log") in row["note"]


def test_results_table_gives_runs_without_files(tmp_path: Path) -> None:
    (tmp_path / "results_combined.csv").write_text(
        "name,policy,jobs_per_hr,runtime_sec,jct_sec,utilization,saturated\n"
        f"{NAME},max_min_fairness_perf,2.4000000000000004,17.0,inf,16.41,True\n"
        f"{NAME},max_min_fairness_perf,2.4000000000000004,99.0,72000.0,0.75,False\n"
    )
    row = row_of(tmp_path)
    assert (row["status"], row["mean_jct_h"], row["arrival_rate_jph"]) == ("table", 20.0, 2.4)


def test_second_opening_reads_only_what_changed(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin")
    write_run(tmp_path / "b.viz.bin")
    open_sweep(tmp_path)
    messages: list[str] = []
    first = open_sweep(tmp_path, progress=messages.append).runs()
    assert messages == []
    write_run(tmp_path / "b.viz.bin", n_rounds=18)
    os.utime(tmp_path / "b.viz.bin", ns=(1, 1))
    second = open_sweep(tmp_path, progress=messages.append).runs()
    assert len(messages) == 1
    assert first["rounds"].tolist() == [60, 60]
    assert second["rounds"].tolist() == [60, 18]


def test_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin")
    before = open_sweep(tmp_path).runs()
    for cache in Path(os.environ["GAVEL_DASH_CACHE"]).rglob("*.json"):
        cache.write_bytes(b'{"a": {"key": ')
    pd.testing.assert_frame_equal(open_sweep(tmp_path).runs(), before)


def test_missing_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing there"):
        open_sweep(tmp_path / "no")


def test_empty_directory_has_no_runs_and_says_what_was_expected(tmp_path: Path) -> None:
    sweep = open_sweep(tmp_path)
    assert sweep.names == []
    assert "expected .viz.bin files" in sweep.empty_sentence
    assert sweep.curves().empty
    assert sweep.saturation().empty


def test_unknown_run_and_round_are_usage_errors(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin")
    sweep = open_sweep(tmp_path)
    with pytest.raises(UsageError, match="no run is named"):
        sweep["../a"]
    with pytest.raises(UsageError, match="rounds 0 to 59"):
        sweep["a"].allocation(60)


def test_open_run_finds_the_completions_beside_it(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a.viz.bin")
    write_completions(tmp_path / "a_completions.json", run)
    opened = open_run(tmp_path / "a.viz.bin")
    assert opened.jobs()["jct_h"].tolist() == pytest.approx((run["jobs"]["duration_s"] / 3600).tolist())


def test_library_face(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a.viz.bin")
    opened = gavel_dash.open_sweep(tmp_path)["a"]
    assert len(opened.rounds()) == 60
    assert len(opened.jobs()) == 12
    for index in (0, 11, 30):
        np.testing.assert_array_equal(opened.allocation(index), run["allocation"][index])
        assert opened.queue(index).tolist() == run["queues"][index]
        assert opened.queue_table(index)["job_id"].tolist() == run["queues"][index]


def test_phases_follow_the_window(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a.viz.bin")
    opened = open_sweep(tmp_path)["a"]
    window = run["jobs"][2:8]
    assert opened.phases is not None
    assert opened.phases.measurement_start == window["arrival_round"].min() + 1
    assert opened.phases.measurement_end == window["completion_round"].max() + 1
    assert opened.phases.measurement_start <= opened.representative_round() < opened.phases.measurement_end


def test_results_table_gives_the_mean_a_run_cannot_give_itself(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}_completions.json").write_text('[{"job_id": 1, "sim_time": 5.0, "duration": 4.0}]')
    (tmp_path / "results.csv").write_text(f"name,policy,jobs_per_hr,jct_sec\n{NAME},las,2.4,36000.0\n")
    sweep = open_sweep(tmp_path)
    row = sweep.runs().iloc[0]
    assert (row["mean_jct_h"], row["status"]) == (10.0, "table")
    assert "results table" in row["note"]
    assert len(sweep.curves()) == 1


def test_table_rows_join_the_curve_of_the_only_known_cluster(tmp_path: Path) -> None:
    write_run(tmp_path / "fig10_las_2.0jph_multi_s0.viz.bin", experiment={"policy": "las"})
    (tmp_path / "results.csv").write_text("name,policy,jobs_per_hr,jct_sec\nfig10_las_3.0jph_multi_s0,las,3,36000\n")
    assert open_sweep(tmp_path).curves()["curve"].nunique() == 1


def test_unreadable_table_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin")
    (tmp_path / "results.csv").write_text("who,what\n1,2\n")
    sweep = open_sweep(tmp_path)
    assert sweep.names == ["a"]
    assert "results.csv" in sweep.problems[0]


def test_timing_without_its_log_still_tells_the_run(tmp_path: Path) -> None:
    write_run(tmp_path / "a.viz.bin")
    (tmp_path / "timing.json").write_text('{"experiment": {"jobs_per_hr": 1.25, "seed": 9}, "average_jct": Infinity}')
    sweep = open_sweep(tmp_path)
    assert sweep.runs().iloc[0]["arrival_rate_jph"] == 1.25
    assert sweep.identity("a")["seed"] == "timing.json"


def test_name_that_contradicts_the_config_is_a_finding(tmp_path: Path) -> None:
    write_run(tmp_path / f"{NAME}.viz.bin", experiment={"arrival_rate_jph": 0.2, "seed": 1})
    sweep = open_sweep(tmp_path)
    sentences = [f.sentence for f in sweep.findings(NAME) if f.code == "identity-differs"]
    assert any("name says arrival_rate_jph 2.4, the config 0.2" in sentence for sentence in sentences)
    assert not any("seed" in sentence for sentence in sentences)


def test_mean_of_a_simulator_that_left_early_is_a_lower_bound(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(
        f"name,policy,jobs_per_hr,jct_sec,saturated\n{NAME},las,2.4,36000,True\nfig10_las_1.0jph_multi_s0,las,1,36000,False\n"
    )
    runs = open_sweep(tmp_path).runs().set_index("run")
    assert runs["mean_jct_is_lower_bound"].to_dict() == {NAME: True, "fig10_las_1.0jph_multi_s0": False}
    assert "lower bound" in runs.loc[NAME, "note"]


def test_damage_is_among_the_findings(tmp_path: Path) -> None:
    (tmp_path / "fifo_0.4jph_6k80-6p100-6v100_s0.viz.bin").write_text("not a run")
    sweep = open_sweep(tmp_path)
    row = sweep.runs().iloc[0]
    assert (row["status"], row["policy"], row["cluster"], row["seed"]) == ("damaged", "fifo", "6k80-6p100-6v100", 0)
    assert [finding.code for finding in sweep.findings(row["run"])] == ["damaged"]
