"""The published side files, against numbers counted in them by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gavel_dash.formats.completions import read_completions
from gavel_dash.formats.results_csv import read_results_csv
from gavel_dash.formats.telemetry import read_telemetry
from gavel_dash.formats.timing import read_timing

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def read(data_dir: Path) -> Callable:
    def read_published(reader: Callable, name: str) -> object:
        with (data_dir / "published" / name).open("rb") as file:
            return reader(file, name)

    return read_published


def test_the_results_table(read: Callable) -> None:
    table = read(read_results_csv, "results_combined.csv")
    rows = {row["name"]: row for row in table.rows}

    assert len(rows) == len(table.rows) == 372
    assert {finding.code: finding.count for finding in table.findings} == {
        "results-repeated": 132,
        "results-mixed-units": 294,
        "results-float-dust": 162,
    }
    assert all(row["reached_window"] for row in table.rows)
    assert rows["fig10_max_min_fairness_0.2jph_multi_s1"]["mean_jct_h"] == pytest.approx(57534.06 / 3600)
    assert rows["fig10_max_min_fairness_0.2jph_multi_s1"]["effective_utilization"] == 0.087
    assert rows["fig10_max_min_fairness_2.8000000000000003jph_multi_s0"]["effective_utilization"] == 0.969
    # The one value that could be either, 0.99, stands among fractions, at more than the saturating rate.
    assert rows["fig11_finish_time_fairness_perf_4.2jph_multi_s2"]["effective_utilization"] == 0.99
    assert all(0.05 < row["effective_utilization"] < 1 for row in table.rows)
    assert {row["key"].setting for row in table.rows} == {"single", "multi"}
    assert len({row["key"] for row in table.rows}) == 372


@pytest.mark.parametrize(
    ("name", "n", "mean_s"),
    [
        ("fig11_finish_time_fairness_2.4jph_multi_s2", 2094, 110227.63612),
        ("fig9_max_min_fairness_7.0jph_single_s0", 9768, 278680.09966),
    ],
)
def test_completions(read: Callable, name: str, n: int, mean_s: float) -> None:
    rows = read(read_completions, f"{name}_completions.json")

    assert len(rows) == len(set(rows["job_id"].tolist())) == n
    assert rows["duration_s"].mean() == pytest.approx(mean_s)
    assert (rows["sim_time_s"] > 0).all()


def test_telemetry(read: Callable) -> None:
    telemetry = read(read_telemetry, "fig11_finish_time_fairness_2.4jph_multi_s2_telemetry.json")

    assert [row["round"] for row in telemetry.rows] == list(range(8705))
    assert telemetry.rows[-1]["p100_used"] == 35
    assert telemetry.findings == ()


def test_timing(read: Callable) -> None:
    timing = read(read_timing, "results_full/fig11_finish_time_fairness_perf_0.4jph_multi_s0/timing.json")

    assert (timing.key.policy, timing.key.arrival_rate_jph) == ("finish_time_fairness_perf", 0.4)
    assert timing.key.cluster == "36k80-36p100-36v100"
    assert (timing.mean_jct_s, timing.left_early, str(timing.window)) == (None, True, "4000:5000")
