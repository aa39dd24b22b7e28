"""One run's row in the index, made from whatever files the run has."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gavel_dash.analysis.jct import SECONDS_PER_HOUR, summarize_window
from gavel_dash.analysis.phases import compute_phases
from gavel_dash.analysis.stability import Evidence, assess_run
from gavel_dash.analysis.survival import censored_quantiles
from gavel_dash.analysis.tables import time_of_rounds
from gavel_dash.errors import FileChangedError, GavelDashError, SourceError
from gavel_dash.formats.completions import read_completions
from gavel_dash.formats.run_name import parse_run_name
from gavel_dash.formats.timing import Timing, read_timing
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.log_progress import LogProgress
from gavel_dash.kernel.mapped_files import map_file, unchanged_files
from gavel_dash.model import Finding, JobWindow, RunKey
from gavel_dash.schema.runs import UNCONVERTED
from gavel_dash.sweep.cache import Progress
from gavel_dash.sweep.discover import COMPLETIONS, TELEMETRY, VIZ, RunFiles
from gavel_dash.sweep.identity import contradictions, key_from_config, key_from_path, resolve_key, resolve_window
from gavel_dash.sweep.packed import plain_path, read_whole
from gavel_dash.sweep.running import find_running, running_row
from gavel_dash.sweep.telemetry_run import summarize_telemetry


@dataclass(frozen=True)
class IndexedRun:
    """A run's row of `schema.RUNS`, where its identity came from, what was noticed, and which file holds its rounds.

    `evidence` is what a verdict on its stability rests on; the verdict depends on the confidence that is asked for.
    """

    row: dict[str, Any]
    key: RunKey
    window: JobWindow | None
    identity: dict[str, str]
    findings: tuple[Finding, ...]
    viz: Path | None = None
    completions: Path | None = None
    evidence: Evidence | None = None
    telemetry: Path | None = None


def open_viz(path: Path, progress: Progress) -> VizFile:
    """Open a `.viz.bin`, packed or not. Raises `GavelDashError` where it cannot be read."""
    try:
        return VizFile(map_file(plain_path(path, progress), path), str(path))
    except OSError as error:
        raise SourceError(path, "a readable file", error.strerror or str(error)) from error


def load_jct_s(path: Path) -> dict[int, float]:
    """JCT in seconds by job id from a completions file; of a job listed twice the last counts."""
    rows = read_completions(read_whole(path), str(path))
    return dict(zip(rows["job_id"].tolist(), rows["duration_s"].tolist(), strict=True))


def index_run(
    files: RunFiles, manifest: Mapping[str, RunKey], table_row: Mapping[str, Any] | None, root: Path, progress: Progress
) -> IndexedRun:
    """Index one run; a damaged file ends in a row that says so, never in an exception.

    Parameters
    ----------
    files : RunFiles
    manifest : mapping of file name to RunKey
    table_row : mapping or None
        The run's row of a results table, cleaned.
    root : Path
        The sweep; paths in sentences are relative to it.
    """
    try:
        with unchanged_files():
            return _index_run(files, manifest, table_row, root, progress, None)
    except FileChangedError as changed:
        return _index_run(files, manifest, table_row, root, progress, str(changed))


def _index_run(
    files: RunFiles,
    manifest: Mapping[str, RunKey],
    table_row: Mapping[str, Any] | None,
    root: Path,
    progress: Progress,
    damage: str | None,
) -> IndexedRun:
    """The same, without its `.viz.bin` where `damage` says what is wrong with it."""
    findings: list[Finding] = []
    timing = _read_timing(files, findings)
    running = _find_running(files, findings)
    viz_path, viz = None, None
    if running is None and damage is None:
        viz_path, viz, damage = _choose_viz(files, root, findings, progress)
    completions, jct_s = _read_completions(files, root, findings)
    telemetry = next(iter(files.paths(TELEMETRY)), None)
    if running is not None:  # what an earlier conversion left beside it is not what there is now
        completions, jct_s, telemetry = None, {}, None

    paths = files.paths(VIZ)
    key_sources: list[tuple[str, RunKey]] = []
    window_sources: list[tuple[str, JobWindow | None]] = []
    if viz is not None:
        key_sources.append(("config", key_from_config(viz.config)))
        window_sources.append(("config", viz.window))
    if timing is not None:
        key_sources.append(("timing.json", timing.key))
        window_sources.append(("timing.json", timing.window))
    for path in paths:
        if path.name in manifest:
            key_sources.append(("manifest.json", manifest[path.name]))
    for source in files.logs:
        key_sources.append(("path", source.key))
    key_sources += [("path", key_from_path(path.relative_to(root).parts)) for path in paths if path != root]
    key_sources.append(("name", parse_run_name(files.name)))
    if table_row is not None:
        key_sources.append(("results table", table_row["key"]))

    row: dict[str, Any] = {"run": files.name}
    if viz is not None:
        row |= _measure_viz(viz)
        key_sources.append(("jobs", _key_from_jobs(viz)))
        findings += viz.findings
    elif telemetry is not None:
        telemetry_row, telemetry_findings = summarize_telemetry(telemetry)
        row |= telemetry_row
        findings += telemetry_findings

    key, identity = resolve_key(key_sources)
    findings += contradictions(key_sources, key, identity)
    window, window_source = resolve_window(window_sources)
    if window_source:
        identity["window"] = window_source
    row |= {
        name: getattr(key, name)
        for name in ("figure", "policy", "setting", "arrival_rate_jph", "seed", "placement", "trace")
    }
    row["cluster"] = row.get("cluster") or key.cluster

    evidence = None
    if viz is not None:
        steadiness, evidence = _measure_steadiness(viz, window)
        row |= steadiness
    if viz is not None or jct_s or telemetry is not None:
        row |= _measure_window(viz, jct_s, window)
        row["status"], row["note"] = _status(row, window)
        if viz is None:
            row["note"] = "; ".join(filter(None, ["no .viz.bin: there are no allocations to show", row["note"]]))
    elif running is not None:
        row |= running_row(running, window)
    elif files.logs:
        command = f"gavel-dash convert {shlex.quote(str(files.logs[0].path))} --out {shlex.quote(str(root))}"
        row |= {"status": UNCONVERTED, "note": f"convert it: {command}"}
    if damage is not None:
        findings.append(Finding("damaged", "The file cannot be read; the note says where and why.", 1))
        row |= {"status": "damaged", "note": damage.replace(f"{root}/", "")}
    if running is None:
        _fill_mean_from_elsewhere(row, timing, table_row)
    if "status" not in row:
        row |= {"status": "damaged", "note": "none of its files can be read; the findings say why"}
    row["findings"] = len(findings)
    return IndexedRun(row, key, window, identity, tuple(findings), viz_path, completions, evidence, telemetry)


def _fill_mean_from_elsewhere(row: dict[str, Any], timing: Timing | None, table_row: Mapping[str, Any] | None) -> None:
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


def _find_running(files: RunFiles, findings: list[Finding]) -> LogProgress | None:
    """How far the log is that is being written; None where there is none."""
    try:
        found = find_running(files.all_files())
    except SourceError as error:
        findings.append(Finding("log-unreadable", str(error), 1))
        return None
    if found is not None and files.paths(VIZ):
        sentence = f"{files.paths(VIZ)[0].name} is of an earlier part of the log, which still grows: left aside"
        findings.append(Finding("older-conversion", sentence, 1))
    return found


def _read_timing(files: RunFiles, findings: list[Finding]) -> Timing | None:
    if files.timing is None:
        return None
    try:
        return read_timing(read_whole(files.timing), str(files.timing))
    except (GavelDashError, OSError) as error:
        findings.append(Finding("timing-unreadable", f"timing.json was left aside: {error}", 1))
        return None


def _choose_viz(
    files: RunFiles, root: Path, findings: list[Finding], progress: Progress
) -> tuple[Path | None, VizFile | None, str | None]:
    """The run's file among those of its name: readable before damaged, more rounds, newer, then first by path."""
    opened: list[tuple[Path, VizFile, int]] = []
    damage: str | None = None
    candidates = [file for file in files.files if file.kind == VIZ]
    for file in candidates:
        path = Path(file.path)
        try:
            viz = open_viz(path, progress)
            _ = viz.findings  # they need every list of the file: one that points nowhere is found here
            opened.append((path, viz, file.mtime_ns))
        except GavelDashError as error:
            damage = damage or str(error)
            if len(candidates) > 1:
                findings.append(Finding("damaged-duplicate", f"a second file of this name is damaged: {error}", 1))
    if not opened:
        return None, None, damage
    best_path, best, _ = max(opened, key=lambda item: (item[1].n_rounds, item[2]))
    for path, viz, _ in opened:
        if path != best_path:
            sentence = (
                f"{_shown(path, root)} ({viz.n_rounds} rounds) has the same name and was left aside for "
                f"{_shown(best_path, root)} ({best.n_rounds} rounds): more rounds win, then the newer file"
            )
            findings.append(Finding("duplicate-run", sentence, 1))
    return best_path, best, None


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path != root and path.is_relative_to(root) else path.name


def _read_completions(files: RunFiles, root: Path, findings: list[Finding]) -> tuple[Path | None, dict[int, float]]:
    for path in files.paths(COMPLETIONS):
        try:
            return path, load_jct_s(path)
        except (GavelDashError, OSError) as error:
            sentence = f"{_shown(path, root)} was left aside, JCTs come from the job records: {error}"
            findings.append(Finding("completions-unreadable", sentence, 1))
    return None, {}


def _measure_viz(viz: VizFile) -> dict[str, Any]:
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


def _measure_steadiness(viz: VizFile, window: JobWindow | None) -> tuple[dict[str, Any], Evidence | None]:
    jobs, rounds = viz.jobs, viz.round_heads["round"]
    phases = compute_phases(
        window, jobs["job_id"], jobs["arrival_round"], jobs["completion_round"], jobs["completed"], rounds
    )
    steadiness = assess_run(viz.round_heads, jobs["arrival_round"], phases)
    if steadiness is None:
        return {}, None
    names = ("warm_up_h", "mser_cut_h", "mser_steady")
    return {name: getattr(steadiness, name) for name in names}, steadiness.evidence


def _key_from_jobs(viz: VizFile) -> RunKey:
    if not viz.n_jobs or not viz.jobs["scale_factor"].any():
        return RunKey()
    return RunKey(setting="multi" if int(viz.jobs["scale_factor"].max()) > 1 else "single")


#: Quantiles of JCT in a run's row.
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def _measure_window(viz: VizFile | None, jct_s: Mapping[int, float], window: JobWindow | None) -> dict[str, Any]:
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


def _status(row: Mapping[str, Any], window: JobWindow | None) -> tuple[str, str]:
    if window is None:
        return "unmeasured", "no measurement window is known: convert with --window START:END"
    if not row["n_completed"]:
        return "unmeasured", f"none of the {row['n_window']} window jobs completed"
    if row["mean_jct_is_lower_bound"]:
        missing = row["n_window"] - row["n_completed"]
        return "censored", f"{missing} of {row['n_window']} window jobs never completed: the mean JCT is a lower bound"
    return "complete", ""
