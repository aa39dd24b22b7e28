"""What the fuzzer found, each as small as it gets: one error or finding, and everything else goes on."""

from __future__ import annotations

import io
import json
import lzma
import struct
from pathlib import Path
from typing import Any

import pytest
import zstandard

from gavel_dash.errors import LogParseError, SourceError, UsageError, VizFormatError
from gavel_dash.formats.completions import read_completions
from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.formats.results_csv import read_results_csv
from gavel_dash.formats.telemetry import read_telemetry
from gavel_dash.formats.timing import read_timing
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import LogSource
from gavel_dash.kernel import SWITCH
from gavel_dash.sweep import open_sweep
from gavel_dash.sweep.packed import MOST_SIDE_BYTES, plain_path, read_whole
from tests.fuzz import bases
from tests.plain_vizbin import Plain, Round, build
from tests.unit.ingest.log_text import ReplicationLog

TYPES = [("k80", 2)]


def small(n_rounds: int = 3, **config: Any) -> bytearray:
    jobs = [(1, 0, 1, 0, 2, 700.0)]
    rounds = [Round([1], [1, 0], number=i) for i in range(n_rounds)]
    return bytearray(build(TYPES, rounds, jobs, job_types=[], **config))


def codes(data: bytes) -> set[str]:
    return {finding.code for finding in VizFile(bytes(data), "run").findings}


class TestRunFiles:
    def test_a_queue_that_points_nowhere_is_the_damage_of_one_run(self, tmp_path: Path) -> None:
        data = small()
        struct.pack_into("<Q", data, Plain(bytes(data)).at["queue_index"], 2**62)
        (tmp_path / "bad.viz.bin").write_bytes(data)
        (tmp_path / "good.viz.bin").write_bytes(small())
        runs = open_sweep(tmp_path).runs().set_index("run")
        assert runs.loc["bad", "status"] == "damaged"
        assert "queue data of round record 0" in runs.loc["bad", "note"]
        assert runs.loc["good", "status"] != "damaged"

    def test_lists_that_overlap_do_not_multiply(self) -> None:
        n_rounds = 100
        rounds = [Round([0], [0, 0], queue=range(2, 40) if i == 0 else ()) for i in range(n_rounds)]
        data = bytearray(build(TYPES, rounds, job_types=[]))
        struct.pack_into(f"<{n_rounds}Q", data, Plain(bytes(data)).at["queue_index"], *[0] * n_rounds)
        with pytest.raises(VizFormatError, match="queue data in all lists together"):
            _ = VizFile(bytes(data), "run").findings

    @pytest.mark.parametrize(
        ("at", "value", "code"),
        [
            (4, float("nan"), "round-values-impossible"),
            (8, float("inf"), "round-values-impossible"),
            (20, -1.0, "round-values-impossible"),
            (4, 1e9, "time-goes-back"),
        ],
    )
    def test_numbers_that_cannot_be_are_a_finding(self, at: int, value: float, code: str) -> None:
        data = small()
        struct.pack_into("<f", data, Plain(bytes(data)).at["rounds"] + at, value)
        assert codes(data) == {code}

    def test_completed_jobs_that_become_fewer_are_a_finding(self) -> None:
        data = small()
        struct.pack_into("<I", data, Plain(bytes(data)).at["rounds"] + 16, 5)
        assert codes(data) == {"completed-count-falls"}

    @pytest.mark.parametrize("duration_s", [float("nan"), float("-inf"), -5.0])
    def test_a_job_whose_duration_is_none_is_not_completed(self, duration_s: float, tmp_path: Path) -> None:
        data = small(measurement_window={"start_job": 1, "end_job": 2})
        struct.pack_into("<f", data, Plain(bytes(data)).at["jobs"] + 16, duration_s)
        assert codes(data) == {"duration-impossible"}
        (tmp_path / "run.viz.bin").write_bytes(data)
        assert open_sweep(tmp_path).runs()["n_completed"].tolist() == [0]

    def test_job_records_that_contradict_are_findings(self) -> None:
        jobs = [(1, 0, 1, 5, 2, 700.0), (1, 0, 1, 0, 0, 0.0)]
        data = build(TYPES, [Round([1], [1, 0])], jobs, job_types=[])
        assert codes(data) == {"job-ids-repeated", "completed-before-arrival"}


class TestConfigs:
    @pytest.mark.parametrize(
        ("config", "found"),
        [
            (b'{"a": ' + b"[" * 100_000, "nested too deep"),
            (b"{" + b",".join(b'"%d":0' % i for i in range(1_000_000)) + b"}", "too many values"),
            (b'{"policy": "\\ud800"}', "surrogates"),
            (b'{"gpu_types": [{"name": "k80", "count": 1' + b"0" * 30 + b"}]}", "of type float"),
            (b"\xff\xfe", "invalid start byte"),
        ],
    )
    def test_that_no_reader_can_hold_are_one_error(self, config: bytes, found: str) -> None:
        data = small()
        struct.pack_into("<Q", data, 56, len(data))
        with pytest.raises(VizFormatError, match=found):
            VizFile(bytes(data) + config, "run")

    def test_far_from_the_next_section_are_one_error(self) -> None:
        data = small()
        struct.pack_into("<Q", data, 56, len(data))
        with pytest.raises(VizFormatError, match="at most 16777216 bytes of config JSON"):
            VizFile(bytes(data) + b"{}" + bytes(2**24), "run")


class TestPackedFiles:
    BOMB = zstandard.compress(bytes(2**20)) * 80

    @pytest.mark.parametrize(
        ("content", "found"),
        [(BOMB, "the magic"), (zstandard.compress(b"GPUVIZ01") + BOMB, "at most 67108864 bytes when unpacked")],
    )
    def test_a_bomb_is_refused(self, content: bytes, found: str, tmp_path: Path) -> None:
        path = tmp_path / "run.viz.bin.zst"
        path.write_bytes(content)
        with pytest.raises(VizFormatError, match=found):
            plain_path(path, lambda _message: None)

    @pytest.mark.parametrize(("suffix", "content"), [(".zst", BOMB), ("", bytes(MOST_SIDE_BYTES + 1))])
    def test_a_side_file_that_nobody_has_is_refused(self, suffix: str, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / f"run_completions.json{suffix}"
        path.write_bytes(content)
        with pytest.raises(SourceError, match="at most 33554432 bytes"):
            read_whole(path)

    @pytest.mark.parametrize(("at", "value", "found"), [(12, 2**32 - 1, "more than 1000000"), (16, 2**32 - 1, "jobs")])
    def test_a_packed_run_that_claims_to_be_huge_is_refused(self, at: int, value: int, found: str) -> None:
        parts = bytearray(lzma.decompress(bases.packed_run()[8:]))
        n_jobs, n_types, n_gpus = struct.unpack_from("<IBH", parts, 16)
        size, (jobs,) = (28 + 2 * n_types + 4 * n_gpus + 7) // 8 * 8, struct.unpack_from("<Q", parts, 24)
        struct.pack_into("<I", parts, at, value)
        n_rounds, n_jobs = struct.unpack_from("<II", parts, 12)
        rounds = jobs + 24 * n_jobs
        struct.pack_into("<3Q", parts, 32, rounds, rounds + size * n_rounds, rounds + size * n_rounds)
        with pytest.raises(VizFormatError, match=found):
            unpack_run(io.BytesIO(b"GPUPACK1" + lzma.compress(bytes(parts), preset=0)), io.BytesIO(), "run", 10**6)

    def test_a_packed_run_with_a_config_nested_too_deep_is_one_error(self) -> None:
        parts = bytearray(lzma.decompress(bases.packed_run()[8:]))
        (jobs,) = struct.unpack_from("<Q", parts, 24)
        deep = b'{"a":' * 4000
        for i in range(4):
            (offset,) = struct.unpack_from("<Q", parts, 24 + 8 * i)
            struct.pack_into("<Q", parts, 24 + 8 * i, offset - jobs + 256 + len(deep))
        forged = bytes(parts[:256]) + deep + bytes(parts[jobs:])
        with pytest.raises(VizFormatError, match="nested too deep"):
            unpack_run(io.BytesIO(b"GPUPACK1" + lzma.compress(forged, preset=0)), io.BytesIO(), "run")


class TestSideFiles:
    def test_telemetry_of_anything_but_numbers_is_no_exception(self, tmp_path: Path) -> None:
        row = {"round": "x", "k80_used": [], "k80_total": "4", "jobs_generated": {}, "utilization": None}
        (tmp_path / "run_telemetry.json").write_text(json.dumps(row) + "\n")
        sweep = open_sweep(tmp_path)
        assert sweep.runs()["rounds"].tolist() == [1]
        assert len(sweep["run"].rounds()) == 1

    def test_telemetry_of_numbers_beyond_64_bits_is_one_error(self, tmp_path: Path) -> None:
        row = {"round": 0, "k80_used": 1e300, "k80_total": 4, "jobs_generated": 1e300}
        (tmp_path / "run_telemetry.json").write_text(json.dumps(row) + "\n")
        sweep = open_sweep(tmp_path)
        with pytest.raises(UsageError, match=r"gpus_used must be in 0 \.\. 65535"):
            sweep["run"].rounds()

    def test_telemetry_of_more_gpus_than_any_file_holds_is_one_error(self, tmp_path: Path) -> None:
        row = {"round": 0, "k80_used": 0, "k80_total": 10**17}
        (tmp_path / "run_telemetry.json").write_text(json.dumps(row) + "\n")
        with pytest.raises(SourceError, match="at most 65535 GPUs"):
            open_sweep(tmp_path)["run"].rounds()

    @pytest.mark.parametrize(
        ("content", "found"),
        [(b"[" * 70_000 + b"\n", "more than 65536 bytes in a line"), (b'{"\\ud800_total": 4}\n', "surrogates")],
    )
    def test_telemetry_lines_that_are_none_are_one_error(self, content: bytes, found: str) -> None:
        with pytest.raises(SourceError, match=found):
            read_telemetry(io.BytesIO(content), "t")

    def test_completions_without_end_are_one_error(self) -> None:
        with pytest.raises(SourceError, match="too many values"):
            read_completions(io.BytesIO(b"[" + b"{}," * 400_000 + b"{}]"), "c")

    def test_tables_without_end_are_one_error(self) -> None:
        with pytest.raises(SourceError, match="a larger one"):
            read_results_csv(io.BytesIO(b"name\n" + b"a\n" * 40_000), "t")

    def test_numbers_beyond_64_bits_are_no_whole_numbers(self) -> None:
        with pytest.raises(SourceError, match="a whole number in 'seed'"):
            read_timing(io.BytesIO(b'{"experiment": {"seed": 1' + b"0" * 5000 + b"}}"), "t")

    def test_a_figure_of_many_digits_has_its_place_in_the_order(self, tmp_path: Path) -> None:
        (tmp_path / "run.viz.bin").write_bytes(small())
        (tmp_path / "timing.json").write_text(json.dumps({"experiment": {"figure": "fig" + "3" * 5000}}))
        assert open_sweep(tmp_path).names == ["run"]

    def test_a_run_of_which_nothing_can_be_read_is_damaged(self, tmp_path: Path) -> None:
        (tmp_path / "run_completions.json").write_text("{")
        assert open_sweep(tmp_path).runs()["status"].tolist() == ["damaged"]


class TestLogs:
    def convert(self, data: bytes, tmp_path: Path) -> None:
        path = tmp_path / "simulation.log"
        path.write_bytes(data)
        convert_log(LogSource(path, "run"), tmp_path / "out")

    def test_more_gpus_than_any_file_holds_are_one_error(self, tmp_path: Path) -> None:
        log = ReplicationLog({"k80": 10**15}).arrive(0).telemetry(0, 0, 1)
        with pytest.raises(UsageError, match="1000000000000000 GPUs of 1 types do not fit"):
            self.convert(log.data, tmp_path)

    @pytest.mark.parametrize("switch", ["on", "off"])
    def test_an_event_without_a_time_is_none_for_either_reader(
        self, switch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(SWITCH, switch)
        log = ReplicationLog().arrive(0).schedule(0, "k80", 0).telemetry(0, 1, 0, k80=1)
        log.lines.insert(2, ',EVENT {"evtot": "job_arrival"}')
        self.convert(log.data, tmp_path)
        assert VizFile((tmp_path / "out" / "run.viz.bin").read_bytes(), "run").n_jobs == 1

    def test_a_job_id_beyond_64_bits_is_one_error(self, tmp_path: Path) -> None:
        with pytest.raises(LogParseError, match=r"line 2.*job id 1000"):
            self.convert(ReplicationLog().arrive(10**30).telemetry(0, 0, 1).data, tmp_path)

    def test_a_job_type_that_is_no_text_is_one_error(self, tmp_path: Path) -> None:
        log = ReplicationLog().event("job_arrival", 0, job_type=7.5).telemetry(0, 0, 1)
        with pytest.raises(LogParseError, match=r"line 2.*7.5 where a text belongs"):
            self.convert(log.data, tmp_path)

    def test_more_active_jobs_than_64_bits_hold_are_a_disagreement(self, tmp_path: Path) -> None:
        log = bases.upstream_logs(False)[0].replace(b"active jobs: 2", b"active jobs: 1" + b"0" * 30, 1)
        self.convert(log, tmp_path)
        viz = VizFile((tmp_path / "out" / "run.viz.bin").read_bytes(), "run")
        assert viz.config["conversion"]["rounds_queue_disagrees"] > 0

    def test_an_event_nested_too_deep_is_one_error(self, tmp_path: Path) -> None:
        log = ReplicationLog().say('EVENT {"event": ' + "[" * 20_000).telemetry(0, 0, 0)
        with pytest.raises(LogParseError, match="nested too deep"):
            self.convert(log.data, tmp_path)

    @pytest.mark.parametrize(
        ("data", "found"),
        [
            (b"\n" * 2_000_000, "none of these in the first"),
            (zstandard.compress(bases.replication_logs(False)[0] + b"\n" * 6_000_000), "when unpacked"),
            (b"x" * 17_000_000, "bytes without a newline"),
        ],
    )
    def test_that_are_none_are_soon_one_error(self, data: bytes, found: str, tmp_path: Path) -> None:
        with pytest.raises(LogParseError, match=found):
            self.convert(data, tmp_path)
