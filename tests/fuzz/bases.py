"""Sound files that cases are made of: small runs of every generation, and logs of both dialects."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from gavel_dash.formats.packed_run import pack_run, unpack_run
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from tests import make, plain_vizbin
from tests.unit.ingest.log_text import ReplicationLog

REPOSITORY = Path(__file__).parents[2]
_BUNDLED = "fig10_max_min_fairness_perf_0.4jph_multi_s0.viz.bin.packed"
_PUBLISHED = (
    "fgd_fifo_random_placement",
    "sharing_test",
    "fgd_alibaba_gavel_random_60jph_s0",
    "generation_1a_test_data",
)
#: Cells of allocations that a slice of a real run holds at most.
_SLICE_CELLS = 8000
_LOG_LINES = 300


def real_files() -> Path | None:
    """The directory of real files, where GAVEL_DASH_DATA names one."""
    named = os.environ.get("GAVEL_DASH_DATA")
    return Path(named) if named and (Path(named) / "published").is_dir() else None


@cache
def vizbins(real: bool) -> tuple[bytes, ...]:
    """Runs as `.viz.bin`: one of this package's writer, one with shared GPUs, an old one, and slices of real ones."""
    made = (_fifo(), _shared(), _first_generation(), _bundled())
    return (*made, *map(_published, _PUBLISHED)) if real else made


@cache
def packed_run() -> bytes:
    """A run in its packed form."""
    return pack_run(_bundled(), "run")


def _fifo() -> bytes:
    run = make.simulate(n_jobs=12, n_rounds=36)
    config = {
        "policy": "fifo",
        "gpu_types": [{**gpu_type, "gpus_per_node": 2} for gpu_type in make.GPU_TYPES],
        "measurement_window": {"start_job": 2, "end_job": 8},
        "job_types": [{"id": i, "name": f"type {i}", "category": "other"} for i in range(2)],
        "experiment": {"figure": "fig9", "policy": "fifo", "setting": "multi", "arrival_rate_jph": 0.5, "seed": 0},
    }
    queue = np.array([job for queue in run["queues"] for job in queue], np.int64)
    lengths = np.array([len(queue) for queue in run["queues"]])
    return _written(config, run["jobs"], RoundBlock(run["heads"], run["used"], run["allocation"], lengths, queue))


def _written(config: dict[str, Any], jobs: np.ndarray, block: RoundBlock) -> bytes:
    file = io.BytesIO()
    write_vizbin(file, config, jobs, [block], len(block.heads))
    return file.getvalue()


def _shared() -> bytes:
    rounds = [
        plain_vizbin.Round([2, 1], [1, 1, 3, 0], queue=[5], sharing=[(2, (3, 3, 4, 0))], running=3) for _ in range(12)
    ]
    jobs = [(job, 0, 1 + (job == 1), 0, 0, 0.0) for job in range(1, 6)]
    return plain_vizbin.build([("k80", 2), ("v100", 2)], rounds, jobs, job_types=[])


def _first_generation() -> bytes:
    rounds = [plain_vizbin.Round([1, 2], [1, 0, 2, 2], queue=[3, 4][: i % 3]) for i in range(16)]
    order = ("queue", "rounds", "queue_index", "jobs", "config")
    jobs = [(job, 0, 1 + job % 2, 0, 0, 0.0) for job in range(5)]
    return plain_vizbin.build([("k80", 2), ("v100", 2)], rounds, jobs, order=order, short_jobs=True, policy="fifo")


def _bundled() -> bytes:
    out = io.BytesIO()
    with (REPOSITORY / "experiments" / _BUNDLED).open("rb") as file:
        unpack_run(file, out, _BUNDLED)
    viz = VizFile(out.getvalue(), _BUNDLED)
    start, stop = 2000, 2024
    heads = viz.round_heads[start:stop]
    jobs = viz.jobs[
        (viz.jobs["arrival_round"] <= heads["round"][-1])
        & ((viz.jobs["completion_round"] == 0) | (viz.jobs["completion_round"] >= heads["round"][0]))
    ]
    queues = [viz.queue(i) for i in range(start, stop)]
    block = RoundBlock(
        heads,
        viz.gpus_used[start:stop],
        viz.allocations(start, stop),
        np.array([len(queue) for queue in queues]),
        np.concatenate(queues),
    )
    return _written({key: value for key, value in viz.config.items() if key != "conversion"}, jobs, block)


def _published(name: str) -> bytes:
    """The first rounds of a published file, written again without this package's writer."""
    directory = real_files()
    assert directory is not None
    plain = plain_vizbin.Plain((directory / "published" / f"{name}.viz.bin").read_bytes())
    viz = VizFile(plain.data, name)
    rounds = []
    for i in range(min(plain.n_rounds, max(2, _SLICE_CELLS // plain.n_gpus))):
        head, sharing = plain.head(i), sorted(plain.sharing(i).items())
        rounds.append(
            plain_vizbin.Round(
                plain.used(i), plain.allocation(i), plain.queue(i)[:40], head[3], head[4], head[0], sharing
            )
        )
    types = [(entry["name"], entry["count"]) for entry in plain.config["gpu_types"]]
    fields = ("job_id", "type_id", "scale_factor", "arrival_round", "completion_round", "duration_s")
    jobs = viz.jobs[list(fields)][:60].tolist()
    return plain_vizbin.build(types, rounds, jobs, short_jobs=viz.has_16_byte_jobs)


@cache
def replication_logs(real: bool) -> tuple[bytes, ...]:
    """Logs of dialect A."""
    return (
        _replication_log(with_pair=True),
        _replication_log(with_pair=False),
        *(_first_lines("replication") if real else ()),
    )


@cache
def upstream_logs(real: bool) -> tuple[bytes, ...]:
    """Logs of dialect B."""
    return (_upstream_log(), *(_first_lines("upstream") if real else ()))


def _first_lines(dialect: str) -> list[bytes]:
    directory = real_files()
    assert directory is not None
    paths = sorted((directory / "logs" / dialect).rglob("*.log.zst"))
    return [_head_of(path) for path in (paths[0], paths[-1])]


def _head_of(path: Path) -> bytes:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as text:
        lines = io.BufferedReader(text)  # type: ignore[type-var]
        return b"".join(line for line, _ in zip(lines, range(_LOG_LINES), strict=False))


def _replication_log(with_pair: bool) -> bytes:
    """A dozen rounds with arrivals, completions, an ALLOCATION line and the summary at the end.

    Rounds with a pair on the same GPUs are not laid out by the kernel.
    """
    log = ReplicationLog()
    for number in range(12):
        log.arrive(number, 1 + number % 2)
        jobs = [job for job in (number - 1, number) if job >= 0]
        if number == 5 and with_pair:  # counts as one job that runs
            log.schedule("(4, 5)", "v100", 4).telemetry(number, 1, 1, number - 1, v100=1)
        else:
            for job, worker_type, worker in zip(jobs, ("k80", "p100"), (0, 2), strict=False):
                log.schedule(job, worker_type, *range(worker, worker + 1 + job % 2))
            if number == 8:
                log.allocate({"8": [5]})
            log.telemetry(number, len(jobs), 0, max(0, number - 1), k80=1 + (number + 1) % 2, p100=1 + number % 2)
        if number:
            log.complete(number - 1, 700.5 + number)
    log.lines += ["Job completion times:", "Job 3: 703.5", "Job 4: 704.5", "Average job completion time: 704.0 seconds",
                  "Cluster utilization: 0.250"]  # fmt: skip
    return log.data


def _upstream_log() -> bytes:
    lines = [
        "scheduler:INFO [0] Running scheduler in simulation with the following args: policy=MaxMinFairness, seed=0, "
        "time_per_iteration=360"
    ]
    for number in range(12):
        at = f"[{number * 359.98}]"
        lines.append(f"scheduler:INFO {at} Number of completed jobs: {max(0, number - 2)}")
        lines.append(f"scheduler:INFO {at} [Job dispatched]\tJob ID: {number}")
        for job, (kind, worker) in zip(range(max(0, number - 1), number + 1), (("k80", 0), ("v100", 4)), strict=False):
            lines.append(
                f"scheduler:INFO {at} [Micro-task scheduled]\tJob ID: {job}\tWorker type: {kind}"
                f"\tWorker ID(s): {worker}\tPriority: 0.33\tDeficit: 0.00\tAllocation:  [ k80 0.33]"
            )
        for kind, free in (("k80", 1), ("p100", 2), ("v100", 1)):
            lines.append(f"scheduler:WARNING {at} {free} GPUs of type {kind} left unused. Number of active jobs: 2")
        if number:
            stamp = f"End timestamp: {number * 359.98 - 5}\tDuration: 700.25"
            lines.append(f"scheduler:INFO {at} [Job succeeded]\tJob ID: {number - 1}\tStart timestamp: 0.5\t{stamp}")
    lines += ["Job 3: 700.25", "Average job completion time: 700.25 seconds", "Cluster utilization: 0.212"]
    return "".join(line + "\n" for line in lines).encode()


def side_files() -> dict[str, bytes]:
    """A sound file of each kind that stands beside a run, by name; ``run`` is the name of the run."""
    return {
        "run_completions.json": _json_lines(
            [{"job_id": i, "sim_time": 3600.0 * i, "duration": 1800.5} for i in range(8)]
        ),
        "run_telemetry.json": b"".join(json.dumps(row).encode() + b"\n" for row in _telemetry_rows(12)),
        "timing.json": json.dumps(_TIMING).encode(),
        "manifest.json": json.dumps({"experiments": [{"file": "a/run.viz.bin", "filters": _FILTERS}]}).encode(),
        "results.csv": _RESULTS.encode(),
    }


def _json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return ("[" + ",\n ".join(json.dumps(row) for row in rows) + "]\n").encode()


def _telemetry_rows(n: int) -> list[dict[str, Any]]:
    return [
        {"round": i, "sim_time": 360.0 * i, "jobs_generated": i, "jobs_active": 2, "jobs_running": 2, "jobs_queued": 0,
         "jobs_completed_total": i, "utilization": 0.25, "avg_jct": 0, "k80_used": 1, "k80_total": 4, "v100_used": 2,
         "v100_total": 4, "windowed_completion_rate": None, "wall_time": 0.5 * i}
        for i in range(n)
    ]  # fmt: skip


_TIMING = {
    "experiment": {
        "name": "run", "figure": "fig9", "policy": "fifo", "jobs_per_hr": 0.5, "multi_gpu": True, "seed": 0,
        "window_start": 2, "window_end": 8, "cluster_spec": "4:0:4",
    },
    "average_jct": 1800.5, "utilization": 0.25, "saturated": False,
}  # fmt: skip
_FILTERS = {"figure": "9", "policy": "fifo", "load": "0.5jph", "seed": "s0", "placement": "random", "trace": "t"}
_RESULTS = """name,policy,jobs_per_hr,runtime_sec,jct_sec,utilization,saturated
run,fifo,0.5,12.5,1800.5,25.00,False
fig9_max_min_fairness_0.4jph_single_s0,max_min_fairness,0.4000000000000001,10,inf,0.251,True
fig9_max_min_fairness_0.4jph_single_s0,max_min_fairness,0.4,10,3600,0.251,True
fig9_max_min_fairness_0.8jph_single_s0,max_min_fairness,0.8,10,7200,0.99,True
"""
