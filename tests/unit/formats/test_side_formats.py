"""The files beside a run: completions, telemetry, timing, results tables, manifests, run names."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from gavel_dash.errors import SourceError
from gavel_dash.formats.completions import COMPLETION_DTYPE, read_completions, write_completions
from gavel_dash.formats.manifest import read_manifest
from gavel_dash.formats.results_csv import ResultsTable, read_results_csv
from gavel_dash.formats.run_name import parse_run_name
from gavel_dash.formats.telemetry import read_telemetry, write_telemetry
from gavel_dash.formats.timing import Timing, read_timing
from gavel_dash.model import JobWindow, RunKey


def of(content: Any) -> io.BytesIO:
    return io.BytesIO(content if isinstance(content, bytes) else json.dumps(content).encode())


class TestRunName:
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            (
                "fig11_finish_time_fairness_perf_0.4jph_multi_s0",
                RunKey("fig11", "finish_time_fairness_perf", "multi", 0.4, 0),
            ),
            ("gavel_repl_fig9_max_min_fairness_0.4jph_single_s0", RunKey("fig9", "max_min_fairness", "single", 0.4, 0)),
            (
                "fig10_max_min_fairness_2.8000000000000003jph_multi_s12",
                RunKey("fig10", "max_min_fairness", "multi", 2.8, 12),
            ),
            ("det_fgd_110jph", RunKey(policy="det_fgd", arrival_rate_jph=110)),
            (
                "fgd_alibaba_gavel_random_60jph_s0",
                RunKey(policy="fgd_alibaba_gavel_random", arrival_rate_jph=60, seed=0),
            ),
            ("fig9_1.0jph", RunKey("fig9", arrival_rate_jph=1)),
            ("fig10_mmf_high", RunKey("fig10")),
            ("sharing_test", RunKey()),
            ("", RunKey()),
            ("x_0jph", RunKey(policy="x")),
            ("x_" + "9" * 400 + "jph", RunKey(policy="x")),
        ],
    )
    def test_names_in_the_wild(self, name: str, key: RunKey) -> None:
        assert parse_run_name(name) == key


class TestCompletions:
    def test_are_read_and_written_without_loss(self) -> None:
        rows = np.array([(0, 360.123456789, 0.1), (70_000, 1e7, 3.5)], COMPLETION_DTYPE)
        file = io.BytesIO()

        write_completions(file, rows)
        file.seek(0)

        assert read_completions(file, "c").tolist() == rows.tolist()

    def test_ids_may_be_text_and_times_missing(self) -> None:
        rows = read_completions(
            of([{"job_id": "47", "duration": 5}, {"job_id": 3.0, "duration": 6, "sim_time": 7}]), "c"
        )

        assert rows["job_id"].tolist() == [47, 3]
        assert rows["duration_s"].tolist() == [5, 6]
        assert np.isnan(rows["sim_time_s"][0])

    def test_none_is_a_list_too(self) -> None:
        assert read_completions(of(b"[]\n"), "c").shape == (0,)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "not JSON"),
            (b'[{"job_id": 1, "duration": 2}', "not JSON"),
            (b"\xff\xfe", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            ({"job_id": 1}, "dict"),
            ([3], "entry 0.*int"),
            ([{"job_id": 1, "duration": 2}, {"duration": 2}], "entry 1.*job_id"),
            ([{"job_id": "(3, 4)", "duration": 2}], "job_id"),
            ([{"job_id": True, "duration": 2}], "job_id"),
            ([{"job_id": -1, "duration": 2}], "job_id"),
            ([{"job_id": 2**63, "duration": 2}], "job_id"),
            (b'[{"job_id": NaN, "duration": 2}]', "job_id"),
            ([{"job_id": 1}], "duration"),
            ([{"job_id": 1, "duration": -2}], "duration"),
            (b'[{"job_id": 1, "duration": Infinity}]', "duration"),
            ([{"job_id": 1, "duration": 2, "sim_time": "x"}], "sim_time"),
        ],
    )
    def test_anything_else_is_an_error_that_names_the_file(self, content: Any, message: str) -> None:
        with pytest.raises(SourceError, match=rf"^some_completions\.json.*{message}"):
            read_completions(of(content), "some_completions.json")


class TestTelemetry:
    def test_is_read_line_by_line(self) -> None:
        rows = [{"round": 0, "v100_used": 3, "windowed_completion_rate": None}, {"round": 1}]
        file = io.BytesIO()

        write_telemetry(file, rows)
        file.seek(0)
        telemetry = read_telemetry(file, "t")

        assert telemetry.rows == rows
        assert telemetry.findings == ()

    def test_a_last_line_that_stops_in_the_middle_is_left_out_and_said(self) -> None:
        telemetry = read_telemetry(of(b'{"round": 0}\n\n{"round": 1}\n{"round": 2, "sim'), "t")

        assert [row["round"] for row in telemetry.rows] == [0, 1]
        assert [finding.code for finding in telemetry.findings] == ["telemetry-cut"]

    def test_a_whole_last_line_without_line_end_counts(self) -> None:
        telemetry = read_telemetry(of(b'{"round": 0}\r\n{"round": 1}'), "t")

        assert len(telemetry.rows) == 2
        assert telemetry.findings == ()

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b'{"round": 0}\n{"round"\n{"round": 2}\n', 2),
            (b'{"round": 0}\n{"round"\n', 2),
            (b"[]\n", 1),
            (b"GPUVIZ01", 1),
            (b'{"a": 1}\n\n\xff\n', 3),
        ],
    )
    def test_another_bad_line_is_an_error_with_its_number(self, content: bytes, line: int) -> None:
        with pytest.raises(SourceError, match=rf"^t line {line}: "):
            read_telemetry(of(content), "t")


class TestTiming:
    EXPERIMENT = {
        "figure": "fig11",
        "policy": "p_perf",
        "seed": 0,
        "lambda": 9000.0,
        "jobs_per_hr": 0.6000000000000001,
        "cluster_spec": "36:30:24",
        "window_start": 4000,
        "window_end": 5000,
        "multi_gpu": True,
        "name": "a run",
    }

    def test_is_read_with_bare_infinity(self) -> None:
        content = {"experiment": self.EXPERIMENT, "average_jct": float("inf"), "utilization": 0.25, "saturated": True}

        assert read_timing(of(content), "t") == Timing(
            name="a run",
            key=RunKey("fig11", "p_perf", "multi", 0.6, 0, "24k80-30p100-36v100"),
            window=JobWindow(4000, 5000),
            cluster_spec="36:30:24",
            mean_jct_s=None,
            effective_utilization=0.25,
            left_early=True,
        )

    def test_a_run_that_never_ended_has_no_results(self) -> None:
        timing = read_timing(of({"experiment": {"lambda": 1800.0, "multi_gpu": False}, "rounds": []}), "t")

        assert timing == Timing(None, RunKey(setting="single", arrival_rate_jph=2), None, None, None, None, None)

    def test_a_finite_mean_is_kept_in_seconds(self) -> None:
        assert read_timing(of({"experiment": {}, "average_jct": 86391.5}), "t").mean_jct_s == 86391.5

    @pytest.mark.parametrize(
        "content",
        [
            b"{",
            b"[]",
            b"{}",
            {"experiment": 3},
            {"experiment": {"seed": "0"}},
            {"experiment": {"policy": 1}},
            {"experiment": {"cluster_spec": "36:36"}},
            {"experiment": {"cluster_spec": "a:b:c"}},
            {"experiment": {}, "average_jct": "inf"},
        ],
    )
    def test_anything_else_is_an_error(self, content: Any) -> None:
        with pytest.raises(SourceError, match=r"^t: "):
            read_timing(of(content), "t")


HEADER = "name,policy,jobs_per_hr,runtime_sec,jct_sec,utilization,saturated\n"


def table(*lines: str) -> ResultsTable:
    return read_results_csv(of((HEADER + "\n".join(lines) + "\n").encode()), "r.csv")


def utilizations(*texts: str) -> list[float | None]:
    rows = table(*(f"run{i},p,1,1,1,{text},True" for i, text in enumerate(texts))).rows
    return [row["effective_utilization"] for row in rows]


class TestResultsCsv:
    def test_a_row_is_read(self) -> None:
        [row] = table("fig10_mmf_2.8000000000000003jph_multi_s1,mmf,2.8000000000000003,9.5,7200.0,96.9,True").rows

        assert row == {
            "name": "fig10_mmf_2.8000000000000003jph_multi_s1",
            "key": RunKey("fig10", "mmf", "multi", 2.8, 1),
            "mean_jct_h": 2.0,
            "reached_window": True,
            "left_early": True,
            "effective_utilization": 0.969,
        }

    def test_of_a_repeated_run_the_finite_jct_wins_then_the_later_row(self) -> None:
        result = table(
            "a,p,1,1,3600,50.0,False",
            "a,p,1,1,inf,50.0,True",
            "b,p,1,1,inf,50.0,True",
            "b,p,1,1,7200,50.0,False",
            "b,p,1,1,10800,50.0,False",
            "c,p,1,1,inf,50.0,True",
        )

        assert {row["name"]: row["mean_jct_h"] for row in result.rows} == {"a": 1, "b": 3, "c": None}
        assert {finding.code: finding.count for finding in result.findings} == {
            "results-repeated": 3,
            "results-without-jct": 1,
        }

    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            (["7.17", "0.0717"], [0.0717, 0.0717]),
            # neither above 1 nor with more decimals than a percentage has: as the rows around it
            (["5.5", "0.99", "0.8", "7.25"], [0.055, 0.0099, 0.008, 0.0725]),
            (["5.5", "0.9912", "0.99", "0.9876"], [0.055, 0.9912, 0.99, 0.9876]),
            (["0.9912", "5.5", "0.99"], [0.9912, 0.055, 0.0099]),
            # at the seam of two batches nothing tells
            (["5.5", "0.99", "0.9876"], [0.055, None, 0.9876]),
            # no percentage anywhere: the runs of a table are not all below 1 %
            (["0.8", "0.99", "1.0", "0"], [0.8, 0.99, 1.0, 0.0]),
            (["150", "-1", "nan", ""], [None, None, None, None]),
        ],
    )
    def test_the_unit_of_utilization(self, texts: list[str], expected: list[float | None]) -> None:
        assert utilizations(*texts) == pytest.approx(expected)

    def test_what_stays_unclear_is_said(self) -> None:
        result = table("a,p,1,1,1,5.5,True", "b,p,1,1,1,0.99,True", "c,p,1,1,1,0.9876,True")

        assert {finding.code: finding.count for finding in result.findings} == {
            "results-mixed-units": 1,
            "results-unclear-units": 1,
        }

    def test_only_the_name_is_needed(self) -> None:
        [row] = read_results_csv(of(b"\xef\xbb\xbfname\r\nfig9_x_2jph_single_s0\r\n"), "r.csv").rows

        assert row["key"] == RunKey("fig9", "x", "single", 2, 0)
        assert (row["mean_jct_h"], row["effective_utilization"], row["left_early"]) == (None, None, None)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "'name' column"),
            (b"policy,rate\n", "'name' column"),
            (b"name,jct_sec\na,x\n", "line 2 column jct_sec.*'x'"),
            (b"name,jct_sec\na\n", "line 2.*fewer"),
            (b"name,jct_sec\na,1,2\n", "line 2.*more"),
            (b"name\n\xff\n", "UTF-8"),
            (b'name\n"a\n', "CSV"),
            (b"name,x\n,1\n", "line 2.*a name"),
        ],
    )
    def test_a_broken_table_is_an_error(self, content: bytes, message: str) -> None:
        with pytest.raises(SourceError, match=rf"r\.csv.*{message}"):
            read_results_csv(of(content), "r.csv")


class TestManifest:
    def test_only_what_an_entry_says_is_taken(self) -> None:
        experiments = [
            {"file": "repl/gavel_repl_fig9_mmf_0.4jph_single_s0.viz.bin", "filters": {"load": "0.5jph", "seed": "s3"}},
            {
                "file": "fgd.viz.bin",
                "filters": {"scheduler": "gavel", "placement": "random", "load": "60jph", "figure": "7"},
            },
            {"file": "bare.viz.bin", "filters": {"trace": "philly", "placement": "random", "date": "2026-02-07"}},
            {"name": "plain", "algorithm": "fifo", "scheduler": "x", "load": 2, "seed": 1},
            {"filters": {"load": "1jph"}},
            "not an object",
        ]
        expected = {
            "gavel_repl_fig9_mmf_0.4jph_single_s0.viz.bin": RunKey(arrival_rate_jph=0.5, seed=3),
            "fgd.viz.bin": RunKey("fig7", "gavel", arrival_rate_jph=60, placement="random"),
            "bare.viz.bin": RunKey(placement="random", trace="philly"),
            "plain.viz.bin": RunKey(policy="fifo", arrival_rate_jph=2, seed=1),
        }

        assert read_manifest(of({"experiments": experiments}), "m") == expected
        assert read_manifest(of(experiments), "m") == expected

    def test_odd_values_are_passed_over(self) -> None:
        filters = {
            "load": "high",
            "seed": None,
            "policy": 3,
            "figure": [],
            "date": "2026",
            "placement": {},
            "trace": "",
        }

        assert read_manifest(of([{"file": "a.viz.bin", "filters": filters}]), "m") == {"a.viz.bin": RunKey()}

    @pytest.mark.parametrize("content", [b"", b"{", b"{}", b"3", b'{"experiments": {}}'])
    def test_no_list_is_an_error(self, content: bytes) -> None:
        with pytest.raises(SourceError, match=r"^m: "):
            read_manifest(of(content), "m")
