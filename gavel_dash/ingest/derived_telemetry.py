"""Telemetry of a log that has none: the same names as the replication's TELEMETRY, from the assembled rounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gavel_dash.formats.vizbin_write import RoundBlock
from gavel_dash.model import Cluster


def derive_telemetry(block: RoundBlock, cluster: Cluster, completed: np.ndarray) -> Iterator[dict[str, Any]]:
    """One record per round; the windowed completion rate is unknown.

    Parameters
    ----------
    block : RoundBlock
        Assembled rounds.
    cluster : Cluster
        Types in the order of `block.gpus_used`.
    completed : ndarray of float, shape (n_rounds of the block,)
        Completed jobs of the window.
    """
    for head, used, in_window in zip(block.heads, block.gpus_used.tolist(), completed.tolist(), strict=True):
        active = int(head["jobs_running"]) + int(head["jobs_queued"])
        record: dict[str, Any] = {
            "round": int(head["round"]),
            "sim_time": float(head["sim_time_s"]),
            "jobs_generated": active + int(head["jobs_completed"]),
            "jobs_active": active,
            "jobs_running": int(head["jobs_running"]),
            "jobs_completed_total": int(head["jobs_completed"]),
            "jobs_completed_window": int(in_window),
            "jobs_queued": int(head["jobs_queued"]),
            "utilization": float(head["effective_utilization"]),
            "avg_jct": float(head["avg_jct_s"]),
        }
        for gpu_type, count in zip(cluster.gpu_types, used, strict=True):
            record |= {f"{gpu_type.name}_used": count, f"{gpu_type.name}_total": gpu_type.count}
        yield {**record, "windowed_completion_rate": None}
