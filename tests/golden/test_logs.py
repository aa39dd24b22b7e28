"""Real logs through the command line, compared with what others counted and with a slow second reading."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from gavel_dash.formats.packed_run import unpack_run
from gavel_dash.formats.vizbin import VizFile

pytestmark = pytest.mark.data

_SOURCES = ("logs/replication", "logs/verbatim", "logs/upstream", "published/results_full")
_CUT = "fig10_max_min_fairness_perf_3.2jph_multi_s0"
_PUBLISHED = "fig11_finish_time_fairness_perf_0.4jph_multi_s0"


@dataclass(frozen=True)
class Converted:
    """What the command wrote and printed."""

    directory: Path
    lines: dict[str, str]

    def viz(self, name: str) -> VizFile:
        return VizFile((self.directory / f"{name}.viz.bin").read_bytes(), name)

    def completions(self, name: str) -> dict[int, float]:
        rows = json.loads((self.directory / f"{name}_completions.json").read_bytes())
        return {row["job_id"]: row["duration"] for row in rows}


@pytest.fixture(scope="session")
def converted(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """Every real log, converted once by `python -m gavel_dash convert`."""
    out = tmp_path_factory.mktemp("converted")
    done = _convert(data_dir, out)
    assert (done.returncode, done.stderr) == (0, "")
    return Converted(out, dict(line.split(": ", 1) for line in done.stdout.splitlines()))


def _convert(data_dir: Path, out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    sources = [str(data_dir / source) for source in _SOURCES]
    command = [sys.executable, "-m", "gavel_dash", "convert", *sources, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


@pytest.fixture(scope="session")
def expected(data_dir: Path) -> dict[str, Any]:
    return json.loads((data_dir / "logs" / "expected.json").read_bytes())


def test_every_log_was_converted_and_agrees_with_itself(converted: Converted) -> None:
    assert len(converted.lines) == 46 + 1 + 20 + 1
    assert [name for name, line in converted.lines.items() if "every round agrees with the log" not in line] == []


def test_without_the_kernel_every_file_is_the_same_to_the_byte(
    converted: Converted, data_dir: Path, tmp_path: Path
) -> None:
    done = _convert(data_dir, tmp_path, GAVEL_DASH_KERNEL="off")
    assert (done.returncode, "without the compiled kernel" in done.stderr) == (0, True)
    names = sorted(path.name for path in converted.directory.iterdir())
    assert len(names) == 3 * 68
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [n for n in names if (tmp_path / n).read_bytes() != (converted.directory / n).read_bytes()] == []


def test_every_replication_run_equals_an_independent_reading(converted: Converted, expected: dict[str, Any]) -> None:
    assert len(expected) == 46
    for name, run in expected.items():
        viz, durations = converted.viz(name), converted.completions(name)
        assert viz.window is not None, name
        window = range(viz.window.start_job_id, viz.window.end_job_id)
        measured = [durations[job_id] for job_id in window if job_id in durations]
        assert [finding.code for finding in viz.findings] == (["cut-line"] if name == _CUT else []), name
        first = viz.cluster.first_gpus
        found = {
            "rounds": viz.n_rounds,
            "jobs": viz.n_jobs,
            "gpus": viz.n_gpus,
            "blocks": {t.name: [a, a + t.count - 1] for t, a in zip(viz.cluster.gpu_types, first, strict=True)},
            "completed": len(durations),
            "window_jobs": len(window),
            "window_completed": len(measured),
            "queue_sum": sum(len(viz.queue(i)) for i in range(viz.n_rounds)),
            "rounds_where_queue_disagrees_with_log": viz.config["conversion"]["rounds_queue_disagrees"],
            "rounds_where_use_disagrees_with_log": viz.config["conversion"]["rounds_use_disagrees"],
        }
        assert found == {key: run[key] for key in found}, name
        assert sum(measured) / len(measured) / 3600 == pytest.approx(run["mean_jct_h"], rel=1e-9), name
        occupancy = float((viz.allocations() >= 0).mean())
        assert occupancy == pytest.approx(run["mean_occupancy"], rel=1e-9), name


def test_the_bundled_sweep_is_what_the_converter_makes(converted: Converted, expected: dict[str, Any]) -> None:
    bundle = Path(__file__).parents[2] / "experiments"
    packed = sorted(path.name for path in bundle.iterdir() if path.suffix in (".packed", ".zst"))
    suffixes = ".viz.bin.packed", "_completions.json.zst"
    assert packed == sorted(f"{name}{suffix}" for name in expected for suffix in suffixes)
    for name in packed:
        made = (converted.directory / name.rpartition(".")[0]).read_bytes()
        if name.endswith(".zst"):
            unpacked = zstandard.ZstdDecompressor().decompress((bundle / name).read_bytes())
        else:
            out = io.BytesIO()
            unpack_run(io.BytesIO((bundle / name).read_bytes()), out, name)
            unpacked = out.getvalue()
        assert unpacked == made, name


def test_the_log_that_stops_in_a_line_says_so(converted: Converted) -> None:
    findings = converted.viz(_CUT).config["conversion"]["findings"]
    assert [finding[0] for finding in findings] == ["cut-line"]


def test_the_identity_of_a_run_comes_from_its_timing(converted: Converted) -> None:
    experiment = converted.viz("fig9_max_min_fairness_perf_6.8jph_single_s0").config["experiment"]
    assert experiment == {
        "name": "fig9_max_min_fairness_perf_6.8jph_single_s0",
        "figure": "fig9",
        "policy": "max_min_fairness_perf",
        "setting": "single",
        "arrival_rate_jph": 6.8,
        "seed": 0,
        "cluster": "36k80-36p100-36v100",
        "dialect": "replication",
    }


def test_the_published_run_keeps_its_numbers(converted: Converted) -> None:
    # One of the replication runs has the same name, so the second of the two was renamed, and says so.
    runs = [converted.viz(name) for name in (_PUBLISHED, f"{_PUBLISHED}-2")]
    (viz,) = [run for run in runs if str(run.window) == "4000:5000"]
    assert (viz.n_rounds, viz.n_jobs, int(viz.jobs["completed"].sum())) == (20_003, 885, 876)
    assert "name-clash" in converted.lines[f"{_PUBLISHED}-2"]


def read_log(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data).decode()
    return zstandard.ZstdDecompressor().stream_reader(data).read().decode()


def test_upstream_runs_equal_the_numbers_their_logs_print(converted: Converted, data_dir: Path) -> None:
    paths = sorted((data_dir / "logs" / "upstream").rglob("*.log.zst"))
    assert len(paths) == 20
    for path in paths:
        text, (cluster, policy, seed) = read_log(path), path.parts[-4:-1]
        counts = sorted(part.split("=")[::-1] for part in cluster.split("."))
        seconds = float(re.search(r"lambda=([\d.]+)\.log", path.name)[1])  # type: ignore[index]
        parts = "-".join(sorted(("".join(c) for c in counts), key=lambda word: word.lstrip("0123456789")))
        name = f"{policy}_{3600 / seconds:g}jph_{parts}_s{seed[-1]}"
        viz, durations = converted.viz(name), converted.completions(name)
        listed = {int(job): float(jct) for job, jct in re.findall(r"^Job (\d+): ([\d.]+)$", text, re.M)}
        assert viz.n_rounds == len(set(re.findall(r"\[([\d.]+)\] \[Micro-task scheduled\]", text))), name
        assert viz.n_jobs == text.count("[Job dispatched]"), name
        assert len(durations) == text.count("[Job succeeded]"), name
        assert viz.window is not None, name
        assert (viz.window.start_job_id, viz.window.end_job_id) == (min(listed), max(listed) + 1), name
        assert {job: durations[job] for job in listed} == pytest.approx(listed, abs=0.006), name
        mean = float(re.search(r"Average job completion time: ([\d.]+)", text)[1])  # type: ignore[index]
        assert np.mean([durations[job] for job in listed]) == pytest.approx(mean, abs=0.006), name
        assert (viz.policy, viz.config["experiment"]["arrival_rate_jph"]) == (policy, 3600 / seconds), name
        if "utilization-differs" not in converted.lines[name]:
            logged = float(re.search(r"Cluster utilization: ([\d.]+)", text)[1])  # type: ignore[index]
            assert viz.round_heads["effective_utilization"][-1] == pytest.approx(logged, abs=0.003), name
    differing = [name for name, line in converted.lines.items() if "utilization-differs" in line]
    assert len(differing) == 2, "only the two runs whose cluster ran empty for long"


def slow_rounds(text: str) -> Iterator[tuple[dict[int, set[int]], list[int]]]:
    """Every TELEMETRY round of a log: workers -> jobs, and the queue. Written plainly, unlike the converter."""
    in_system: dict[int, None] = {}
    holders: dict[int, set[int]] = {}
    for line in text.splitlines():
        if match := re.search(r"scheduled\]\tJob ID: (\d+)\tWorker type: \w+\tWorker ID\(s\): ([\d,]+)", line):
            for worker in match[2].split(","):
                holders.setdefault(int(worker), set()).add(int(match[1]))
        elif match := re.search(r'"job_arrival", "job_id": "(\d+)"', line):
            in_system[int(match[1])] = None
        elif match := re.search(r'"job_complete", "job_id": "(\d+)"', line):
            in_system.pop(int(match[1]))
        elif "TELEMETRY {" in line:
            running = set().union(*holders.values())
            yield holders, [job for job in in_system if job not in running]
            holders = {}


@pytest.mark.parametrize(
    "name",
    [
        "fig9_max_min_fairness_4.8jph_single_s0",
        "fig10_max_min_fairness_2.4jph_multi_s0",
        "fig11_finish_time_fairness_perf_2.4jph_multi_s0",
    ],
)
def test_random_rounds_equal_a_slow_reading(converted: Converted, data_dir: Path, name: str) -> None:
    viz = converted.viz(name)
    chosen = set(random.Random(name).sample(range(viz.n_rounds), 300))
    text = read_log(data_dir / "logs" / "replication" / name / "simulation.log.zst")
    seen = 0
    for i, (holders, queue) in enumerate(slow_rounds(text[: text.rindex("\n")])):
        if i not in chosen:
            continue
        seen += 1
        allocation = [-1] * viz.n_gpus
        for worker, jobs in holders.items():
            (allocation[worker],) = jobs
        assert viz.allocation(i).tolist() == allocation, i
        assert viz.queue(i).tolist() == queue, i
    assert seen == 300


def test_pairs_share_their_gpus(converted: Converted, data_dir: Path) -> None:
    path = data_dir / "logs/upstream/raw_logs/v100=8.p100=8.k80=8/gandiva/seed=0/lambda=9000.000000.log.zst"
    printed: dict[str, set[tuple[int, int, int]]] = {}
    for stamp, job, workers in re.findall(
        r"\[([\d.]+)\] \[Micro-task scheduled\]\tJob ID: (.+?)\tWorker type: \w+\tWorker ID\(s\): ([\d,]+)",
        read_log(path),
    ):
        pair = re.findall(r"\d+", job)
        shares = printed.setdefault(stamp, set())
        for a, b in combinations(pair, 2):
            shares |= {(int(worker), int(a), int(b)) for worker in workers.split(",")}
    viz = converted.viz("gandiva_0.4jph_8k80-8p100-8v100_s0")
    assert viz.version == 2
    found = [{(g, int(ids[0]), int(ids[2])) for g, ids in viz.sharing(i).items()} for i in range(viz.n_rounds)]
    assert found == list(printed.values())
    assert sum(map(len, found)) > 0
