"""What a telemetry file tells: of a run that has nothing else its curves, of any run how long the simulator took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gavel_dash.errors import GavelDashError
from gavel_dash.formats.telemetry import read_telemetry
from gavel_dash.model import Cluster, Finding, GpuType
from gavel_dash.sweep.packed import read_whole


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
    totals = {name.removesuffix("_total"): int(value) for name, value in last.items() if name.endswith("_total")}
    totals.pop("jobs_completed", None)
    gpus = sum(totals.values())
    used = np.array([sum(row.get(f"{name}_used", 0) for name in totals) for row in rows], dtype=np.float64)
    cluster = Cluster(tuple(GpuType(name, count) for name, count in sorted(totals.items())))
    return {
        "gpus": gpus or None,
        "cluster": cluster.name or None,
        "rounds": len(rows),
        "jobs": last.get("jobs_generated"),
        "mean_occupancy": float(used.mean()) / gpus if gpus else None,
        "effective_utilization": last.get("utilization"),
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
