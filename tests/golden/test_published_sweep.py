"""The directory of published files as one sweep: 504 table rows, five `.viz.bin`, side files and a log."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gavel_dash.sweep import Sweep, open_sweep


@pytest.fixture(scope="module")
def published(data_dir: Path) -> Sweep:
    return open_sweep(data_dir / "published")


def plateau_factors(sweep: Sweep) -> pd.DataFrame:
    table = sweep.saturation()
    return table[table["method"] == "plateau_factor"]


def test_504_rows_are_372_runs_joined_with_the_files(published: Sweep) -> None:
    runs = published.runs()
    assert published.problems == ()
    assert runs["run"].is_unique
    # Two runs have files of their own beside their table row; one (7.0 jph) is in no table.
    assert len(runs) == 372 + 1 + 5
    assert runs["run"].str.match(r"fig(9|10|11)_").sum() == 372 + 1


def test_low_rates_are_never_called_saturated(published: Sweep) -> None:
    saturation = plateau_factors(published).dropna(subset=["estimate_jph"])
    assert len(saturation) == 6
    assert (saturation["estimate_jph"] > 2.5).all()
    assert (saturation["plateau_jct_h"].between(10, 30)).all()


def test_single_gpu_curves_of_the_table_are_near_the_paper(published: Sweep) -> None:
    saturation = plateau_factors(published).set_index("curve")["estimate_jph"]
    assert saturation["fig9 max_min_fairness single"] == pytest.approx(4.96, abs=0.01)
    assert saturation["fig9 max_min_fairness_perf single"] == pytest.approx(5.80, abs=0.01)


def test_rates_have_no_float_dust_and_utilization_is_a_fraction(published: Sweep) -> None:
    runs = published.runs()
    table = runs[runs["run"].str.match(r"fig(9|10|11)_")]
    assert (table["arrival_rate_jph"] == table["arrival_rate_jph"].round(1)).all()
    assert not table["run"].str.contains("0000").any()
    assert table["effective_utilization"].dropna().between(0, 1).all()


def test_log_without_conversion_comes_with_its_command(published: Sweep) -> None:
    row = published.runs().set_index("run").loc["fig11_finish_time_fairness_perf_0.4jph_multi_s0"]
    assert row["status"] == "unconverted"
    assert "gavel-dash convert" in row["note"]


def test_telemetry_gives_rounds_and_occupancy_where_there_is_no_viz(published: Sweep) -> None:
    row = published.runs().set_index("run").loc["fig11_finish_time_fairness_2.4jph_multi_s2"]
    assert (row["rounds"], row["gpus"], row["jobs"]) == (8705, 108, 2197)
    assert row["mean_occupancy"] == pytest.approx(0.943068, abs=1e-6)
    assert "no .viz.bin" in row["note"] or row["status"] == "table"


@pytest.mark.parametrize(
    ("name", "gpus", "rounds", "jobs", "codes"),
    [
        ("fgd_fifo_random_placement", 108, 6618, 100, ["type-order-corrected", "queue-cleaned"]),
        ("sharing_test", 100, 6697, 100, ["type-order-undecided", "gpu-used-differs", "queue-cleaned"]),
        ("fgd_alibaba_gavel_random_60jph_s0", 6200, 133, 0, ["telemetry-only", "queue-differs"]),
        ("fgd_alibaba_mig_fgd_360jph_s0", 6200, 137, 0, ["telemetry-only"]),
        ("generation_1a_test_data", 12, 20, 8, ["job-records-16-byte"]),
    ],
)
def test_real_files_and_their_quirks(
    published: Sweep, name: str, gpus: int, rounds: int, jobs: int, codes: list[str]
) -> None:
    row = published.runs().set_index("run").loc[name]
    assert (row["gpus"], row["rounds"], row["jobs"]) == (gpus, rounds, jobs)
    assert set(codes) <= {finding.code for finding in published.findings(name)}
