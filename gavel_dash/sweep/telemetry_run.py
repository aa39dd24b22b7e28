"""What a telemetry file tells: of a run that has nothing else its curves, of any run how long the simulator took."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.formats.telemetry import read_telemetry
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.formats.vizbin_layout import JOB_1B_DTYPE, MAX_GPUS
from gavel_dash.formats.vizbin_write import RoundBlock, write_vizbin
from gavel_dash.model import Cluster, Finding, GpuType
from gavel_dash.sweep.packed import read_whole

_COMPLETED = "jobs_completed_total"
#: Of the allocations that there are none of, which a run has room for all the same.
_MOST_CELLS, _BLOCK_CELLS = 2**25, 2**20
_BEYOND_ANY_FIELD = 2**53 - 1
#: Key in the file by field of a round record.
_KEY_OF_FIELD = {
    "round": "round",
    "sim_time_s": "sim_time",
    "effective_utilization": "utilization",
    "jobs_running": "jobs_running",
    "jobs_queued": "jobs_queued",
    "jobs_completed": _COMPLETED,
    "avg_jct_s": "avg_jct",
    "completion_rate_jph": "windowed_completion_rate",
}


def summarize_telemetry(path: Path) -> tuple[dict[str, Any], list[Finding]]:
    """What a telemetry file tells of its run: the columns of `schema.RUNS` it can fill, and findings.

    A file that cannot be read is a finding; the run then has what its other files tell.
    """
    try:
        telemetry = read_telemetry(read_whole(path), str(path))
    except (GavelDashError, OSError) as error:
        return {}, [Finding("telemetry-unreadable", f"telemetry was left aside: {error}", 1)]
    rows = telemetry.rows
    if not rows:
        return {"rounds": 0}, list(telemetry.findings)
    last = rows[-1]
    totals = _gpus_of_types(last)
    gpus = sum(totals.values())
    used = np.array([sum(_number(row, f"{name}_used") for name in totals) for row in rows], dtype=np.float64)
    cluster = Cluster(tuple(GpuType(name, count) for name, count in sorted(totals.items())))
    return {
        "gpus": gpus or None,
        "cluster": cluster.name or None,
        "rounds": len(rows),
        "jobs": int(_number(last, "jobs_generated")) if "jobs_generated" in last else None,
        "mean_occupancy": float(used.mean()) / gpus if gpus else None,
        "effective_utilization": _number(last, "utilization") if "utilization" in last else None,
    }, list(telemetry.findings)


def load_wall_time_s(path: Path) -> dict[int, float]:
    """Seconds the simulator had been running, by round number; empty where the file does not say.

    Raises
    ------
    SourceError
        When the file cannot be read.
    """
    rows = read_telemetry(read_whole(path), str(path)).rows
    pairs = [(row.get("round"), row.get("wall_time")) for row in rows]
    return {number: float(time) for number, time in pairs if isinstance(number, int) and isinstance(time, int | float)}


def open_telemetry(path: Path) -> VizFile:
    """The rounds of a telemetry file as a run without jobs and allocations; 0 where the file has no number.

    Raises
    ------
    GavelDashError
        When the file cannot be read, has no rounds, or a number does not fit.
    """
    rows = read_telemetry(read_whole(path), str(path)).rows
    if not rows:
        raise SourceError(path, "a JSON object per line", "no line")
    totals = _gpus_of_types(rows[-1])
    names = sorted(totals)
    counts = [totals[name] for name in names]
    if min(counts, default=0) < 0 or sum(counts) > MAX_GPUS or len(rows) * sum(counts) > _MOST_CELLS:
        expected = f"at most {MAX_GPUS} GPUs, and {_MOST_CELLS} in all rounds together"
        raise SourceError(path, expected, f"{sum(counts)} GPUs in {len(rows)} rounds")
    # Wide enough for any number: the writer says which does not fit.
    heads = np.zeros(len(rows), [(field, "f8") for field in _KEY_OF_FIELD])
    for field, key in _KEY_OF_FIELD.items():
        heads[field] = [_number(row, key) for row in rows]
    gpus_used = np.array([[round(_number(row, f"{name}_used")) for name in names] for row in rows], np.int64)
    gpus_used = gpus_used.reshape(len(rows), len(names))
    size = max(1, _BLOCK_CELLS // max(1, sum(counts)))
    blocks = (
        RoundBlock(
            heads=heads[first : first + size],
            gpus_used=gpus_used[first : first + size],
            allocation=np.full((len(heads[first : first + size]), sum(counts)), -1, np.int64),
            queue_lengths=np.zeros(len(heads[first : first + size]), np.int64),
            queue_ids=np.zeros(0, np.int64),
        )
        for first in range(0, len(rows), size)
    )
    config = {"gpu_types": [{"name": n, "count": c} for n, c in zip(names, counts, strict=True)], "job_types": []}
    file = io.BytesIO()
    write_vizbin(file, config, np.zeros(0, JOB_1B_DTYPE), blocks, len(rows))
    return VizFile(file.getvalue(), str(path))


def _gpus_of_types(row: Mapping[str, Any]) -> dict[str, int]:
    names = (key.removesuffix("_total") for key in row if key.endswith("_total") and key != _COMPLETED)
    return {name: round(_number(row, f"{name}_total")) for name in names}


def _number(row: Mapping[str, Any], key: str) -> float:
    value = row.get(key)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return float(max(-_BEYOND_ANY_FIELD, min(value, _BEYOND_ANY_FIELD)))
