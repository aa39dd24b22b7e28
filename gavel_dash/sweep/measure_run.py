"""What is measured of one run for its row in the index: its rounds, its steadiness, its window's JCT, its status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gavel_dash.analysis.jct import SECONDS_PER_HOUR, summarize_window
from gavel_dash.analysis.phases import compute_phases
from gavel_dash.analysis.stability import Evidence, assess_run
from gavel_dash.analysis.survival import censored_quantiles
from gavel_dash.analysis.tables import time_of_rounds
from gavel_dash.formats.timing import Timing
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.model import JobWindow

#: Quantiles of JCT in a run's row.
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def measure_viz(viz: VizFile) -> dict[str, Any]:
    n_rounds, gpus = viz.n_rounds, viz.cluster.gpus
    used = viz.gpus_used.sum(dtype=np.int64)
    return {
        "gpus": gpus,
        "cluster": viz.cluster.name,
        "rounds": n_rounds,
        "jobs": viz.n_jobs,
        "mean_occupancy": float(used) / (n_rounds * gpus) if n_rounds and gpus else None,
        "effective_utilization": float(viz.round_heads["effective_utilization"][-1]) if n_rounds else None,
        "mean_queue": float(viz.round_heads["jobs_queued"].mean()) if n_rounds else None,
    }


def measure_steadiness(viz: VizFile, window: JobWindow | None) -> tuple[dict[str, Any], Evidence | None]:
    jobs, rounds = viz.jobs, viz.round_heads["round"]
    phases = compute_phases(
        window, jobs["job_id"], jobs["arrival_round"], jobs["completion_round"], jobs["completed"], rounds
    )
    steadiness = assess_run(viz.round_heads, jobs["arrival_round"], phases)
    if steadiness is None:
        return {}, None
    names = ("warm_up_h", "mser_cut_h", "mser_steady")
    return {name: getattr(steadiness, name) for name in names}, steadiness.evidence


def measure_window(viz: VizFile | None, jct_s: Mapping[int, float], window: JobWindow | None) -> dict[str, Any]:
    if window is None:
        return {}
    exact = dict(jct_s)
    if viz is not None:
        done = viz.jobs[viz.jobs["completed"]]
        recorded = dict(zip(done["job_id"].tolist(), done["duration_s"].astype(float).tolist(), strict=True))
        exact = {**recorded, **exact}
    ids = np.fromiter(exact, dtype=np.int64, count=len(exact))
    durations_s = np.fromiter(exact.values(), dtype=np.float64, count=len(exact))
    summary = summarize_window(ids, durations_s, window)
    measured_s = durations_s[(ids >= window.start_job_id) & (ids < window.end_job_id)]
    return {
        "window": str(window),
        "n_window": summary.n_window,
        "n_completed": summary.n_completed,
        "unfinished_share": 1 - summary.n_completed / summary.n_window,
        "mean_jct_h": None if summary.mean_jct_s is None else summary.mean_jct_s / SECONDS_PER_HOUR,
        "mean_jct_is_lower_bound": summary.censored,
        **_measure_quantiles(viz, ids, measured_s, window),
    }


def _measure_quantiles(
    viz: VizFile | None, completed_ids: np.ndarray, measured_s: np.ndarray, window: JobWindow
) -> dict[str, Any]:
    """Kaplan-Meier quantiles of the window's JCT; none where it is not known how long unfinished jobs had waited."""
    unfinished_s = np.empty(0)
    if viz is not None and viz.n_rounds:
        ids = viz.jobs["job_id"].astype(np.int64)
        left = (ids >= window.start_job_id) & (ids < window.end_job_id) & ~np.isin(ids, completed_ids)
        time_s = viz.round_heads["sim_time_s"].astype(float)
        arrival_s = time_of_rounds(viz.jobs["arrival_round"][left], viz.round_heads["round"], time_s)
        unfinished_s = time_s[-1] - arrival_s
    if not len(measured_s) or (viz is None and len(measured_s) < window.n_jobs):
        return {}
    quantiles = censored_quantiles(measured_s, unfinished_s, list(QUANTILES.values()))
    values: dict[str, Any] = {}
    for stem, quantile in zip(QUANTILES, quantiles, strict=True):
        values[f"{stem}_jct_h"] = quantile.value / SECONDS_PER_HOUR
        values[f"{stem}_jct_is_lower_bound"] = quantile.is_lower_bound
    return values


def status_of(row: Mapping[str, Any], window: JobWindow | None) -> tuple[str, str]:
    if window is None:
        return "unmeasured", "no measurement window is known: convert with --window START:END"
    if not row["n_completed"]:
        return "unmeasured", f"none of the {row['n_window']} window jobs completed"
    if row["mean_jct_is_lower_bound"]:
        missing = row["n_window"] - row["n_completed"]
        return "censored", f"{missing} of {row['n_window']} window jobs never completed: the mean JCT is a lower bound"
    return "complete", ""


def fill_mean_from_elsewhere(row: dict[str, Any], timing: Timing | None, table_row: Mapping[str, Any] | None) -> None:
    """Where a run's own jobs give no mean JCT, its `timing.json` or a results table may; the note says which."""
    if row.get("mean_jct_h") is not None or (row.get("n_completed") == 0 and table_row is None):
        return
    told = [
        ("timing.json", timing.mean_jct_s / SECONDS_PER_HOUR, timing.left_early)
        if timing and timing.mean_jct_s is not None
        else None,
        ("the results table", table_row["mean_jct_h"], table_row["left_early"])
        if table_row and table_row["mean_jct_h"] is not None
        else None,
    ]
    source, mean_jct_h, left_early = next(filter(None, told), (None, None, None))
    notes = [row.get("note", "")]
    if source is not None:
        # A simulator that left before its window was done averaged over the jobs that made it. Nobody counted them.
        row |= {"mean_jct_h": mean_jct_h, "mean_jct_is_lower_bound": bool(left_early)}
        if row.get("status", "unmeasured") == "unmeasured":
            row["status"] = "table"
            notes = []
        notes.append(f"mean JCT from {source}")
        if left_early:
            notes.append("the simulator left before the window was done: a lower bound")
    elif table_row is not None:
        notes.append("never reached its measurement window")
        row.setdefault("status", "table")
    if row.get("effective_utilization") is None and table_row is not None:
        row["effective_utilization"] = table_row["effective_utilization"]
    row["note"] = "; ".join(filter(None, notes))
