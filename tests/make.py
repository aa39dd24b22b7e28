"""Small runs for tests: a first-come first-served cluster simulated by hand, written by the real writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from gavel_dash.formats.vizbin_layout import ROUND_HEAD_DTYPE
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin

ROUND_S = 360.0
GPU_TYPES = [{"name": "k80", "count": 4}, {"name": "v100", "count": 4}]
JOB_DTYPE = np.dtype(
    [
        ("job_id", "i8"),
        ("type_id", "i8"),
        ("scale_factor", "i8"),
        ("arrival_round", "i8"),
        ("completion_round", "i8"),
        ("duration_s", "f8"),
    ]
)


def simulate(n_jobs: int = 12, every: int = 2, length: int = 5, n_rounds: int = 60) -> dict[str, Any]:
    """Jobs 0 .. n_jobs - 1 arrive one every `every` rounds, ask for 1, 2 or 3 GPUs and run `length` rounds."""
    jobs = np.zeros(n_jobs, JOB_DTYPE)
    jobs["job_id"] = np.arange(n_jobs)
    jobs["type_id"] = jobs["job_id"] % 2
    jobs["scale_factor"] = 1 + jobs["job_id"] % 3
    jobs["arrival_round"] = jobs["job_id"] * every
    heads = np.zeros(n_rounds, ROUND_HEAD_DTYPE)
    allocation = np.full((n_rounds, 8), -1, np.int64)
    queues: list[list[int]] = []
    running: dict[int, tuple[list[int], int]] = {}
    waiting: list[int] = []
    done = 0
    for r in range(n_rounds):
        for job in jobs[jobs["arrival_round"] == r]["job_id"].tolist():
            waiting.append(job)
        for job, (_gpus, end) in list(running.items()):
            if end == r:
                del running[job]
                done += 1
                jobs[job]["completion_round"] = r - 1
                jobs[job]["duration_s"] = (r - jobs[job]["arrival_round"]) * ROUND_S
        for job in list(waiting):
            busy = {gpu for gpus, _end in running.values() for gpu in gpus}
            free = [gpu for gpu in range(8) if gpu not in busy]
            if len(free) < jobs[job]["scale_factor"]:
                break
            running[job] = (free[: jobs[job]["scale_factor"]], r + length)
            waiting.remove(job)
        for job, (gpus, _end) in running.items():
            allocation[r, gpus] = job
        queues.append(list(waiting))
        heads[r] = (r, r * ROUND_S, 0.5, len(running), len(waiting), done, 0, 0)
    used = np.stack([(allocation[:, :4] >= 0).sum(axis=1), (allocation[:, 4:] >= 0).sum(axis=1)], axis=1)
    return {"jobs": jobs, "heads": heads, "allocation": allocation, "queues": queues, "used": used}


def write_run(
    path: Path, experiment: dict[str, Any] | None = None, window: tuple[int, int] = (2, 8), **how: int
) -> dict:
    """Write a simulated run to `path` and return what was simulated."""
    run = simulate(**how)
    config: dict[str, Any] = {
        "policy": "fifo",
        "gpu_types": GPU_TYPES,
        "measurement_window": {"start_job": window[0], "end_job": window[1]},
        "job_types": [
            {"id": 0, "name": "ResNet-18 (batch size 64)", "category": "resnet"},
            {"id": 1, "name": "LM (batch size 5)", "category": "language_model"},
        ],
    }
    if experiment is not None:
        config["experiment"] = experiment
    flat = np.array([job for queue in run["queues"] for job in queue], dtype=np.int64)
    lengths = np.array([len(queue) for queue in run["queues"]])
    block = RoundBlock(run["heads"], run["used"], run["allocation"], lengths, flat)
    with path.open("wb") as file:
        write_vizbin(file, config, run["jobs"], [block], len(run["heads"]))
    return run


def write_completions(path: Path, run: dict[str, Any]) -> None:
    """Write the completions file of a simulated run."""
    done = run["jobs"][run["jobs"]["duration_s"] > 0]
    rows = [{"job_id": int(j["job_id"]), "sim_time": 0.0, "duration": float(j["duration_s"])} for j in done]
    path.write_text(json.dumps(rows))
