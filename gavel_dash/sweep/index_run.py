"""One run's row in the index, made from whatever files the run has."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gavel_dash.analysis.stability import Evidence
from gavel_dash.errors import FileChangedError
from gavel_dash.formats.run_name import parse_run_name
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.kernel.mapped_files import unchanged_files
from gavel_dash.model import Finding, JobWindow, RunKey
from gavel_dash.schema.runs import UNCONVERTED
from gavel_dash.sweep.cache import Progress
from gavel_dash.sweep.discover import TELEMETRY, VIZ, RunFiles
from gavel_dash.sweep.identity import contradictions, key_from_config, key_from_path, resolve_key, resolve_window
from gavel_dash.sweep.measure_run import (
    fill_mean_from_elsewhere,
    measure_steadiness,
    measure_viz,
    measure_window,
    status_of,
)
from gavel_dash.sweep.run_files import choose_completions, choose_viz, find_running_log, find_timing
from gavel_dash.sweep.running import running_row
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
    timing = find_timing(files, findings)
    running = find_running_log(files, findings)
    viz_path, viz = None, None
    if running is None and damage is None:
        viz_path, viz, damage = choose_viz(files, root, findings, progress)
    completions, jct_s = choose_completions(files, root, findings)
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
        row |= measure_viz(viz)
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
        steadiness, evidence = measure_steadiness(viz, window)
        row |= steadiness
    if viz is not None or jct_s or telemetry is not None:
        row |= measure_window(viz, jct_s, window)
        row["status"], row["note"] = status_of(row, window)
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
        fill_mean_from_elsewhere(row, timing, table_row)
    if "status" not in row:
        row |= {"status": "damaged", "note": "none of its files can be read; the findings say why"}
    row["findings"] = len(findings)
    return IndexedRun(row, key, window, identity, tuple(findings), viz_path, completions, evidence, telemetry)


def _key_from_jobs(viz: VizFile) -> RunKey:
    if not viz.n_jobs or not viz.jobs["scale_factor"].any():
        return RunKey()
    return RunKey(setting="multi" if int(viz.jobs["scale_factor"].max()) > 1 else "single")
