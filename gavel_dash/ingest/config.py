"""What the config JSON of a converted run says: cluster, job types, who the run is, and how the conversion went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gavel_dash.formats.run_name import parse_run_name
from gavel_dash.ingest.messages import Summary
from gavel_dash.ingest.run_builder import Job
from gavel_dash.ingest.sources import LogSource
from gavel_dash.model import Cluster, Finding, JobWindow, RunKey

# The start of a job type's name, in any case, and its category.
_CATEGORIES = {
    "resnet": "resnet",
    "transformer": "transformer",
    "lm": "language_model",
    "recommendation": "recommendation",
    "cyclegan": "cyclegan",
    "a3c": "a3c",
}


def job_category(type_name: str) -> str:
    """``"LM (batch size 5)"`` is a language_model; what no rule knows is "other"."""
    lowered = type_name.lower()
    return next((category for start, category in _CATEGORIES.items() if lowered.startswith(start)), "other")


def run_key(source: LogSource, summary: Summary, jobs: Sequence[Job], cluster: Cluster) -> RunKey:
    """Each field from the first that knows it: timing or path, the name, the log itself."""
    multi = any((job.scale_factor or 1) > 1 for job in jobs)
    seen = RunKey(
        policy=summary.policy, setting="multi" if multi else "single", seed=summary.seed, cluster=cluster.name
    )
    values: dict[str, Any] = {}
    # The cluster is what ran, in one spelling; a path or timing.json writes it in many.
    for key in (RunKey(cluster=cluster.name), source.key, parse_run_name(source.name), seen):
        values.update({name: value for name, value in asdict(key).items() if values.get(name) is None})
    return RunKey(**values)


def first_line_findings(key: RunKey, summary: Summary) -> list[Finding]:
    """Where the log's first line names another policy or seed than its place does: a moved or misnamed log."""
    findings = []
    # Sweeps call a packing policy by its plain name: gandiva is Gandiva_Packing.
    policy = summary.policy and summary.policy.removesuffix("_packing")
    if policy and key.policy and policy != key.policy.removesuffix("_packing"):
        sentence = f"The log's first line says policy {summary.policy}, its place {key.policy}: the latter is believed."
        findings.append(Finding("policy-differs", sentence, 1))
    if summary.seed is not None and summary.seed != key.seed:
        sentence = f"The log's first line says seed {summary.seed}, its place {key.seed}: the latter is believed."
        findings.append(Finding("seed-differs", sentence, 1))
    return findings


def build_config(
    key: RunKey, source: LogSource, dialect: str, cluster: Cluster, window: JobWindow | None, type_ids: dict[str, int]
) -> dict[str, Any]:
    """The config JSON without its ``conversion`` object; see the format's description for the keys."""
    gpu_types: list[dict[str, Any]] = [{"name": t.name, "count": t.count} for t in cluster.gpu_types]
    for entry, gpu_type in zip(gpu_types, cluster.gpu_types, strict=True):
        if gpu_type.gpus_per_node is not None:
            entry["gpus_per_node"] = gpu_type.gpus_per_node
    config: dict[str, Any] = {"policy": key.policy} if key.policy else {}
    config["gpu_types"] = gpu_types
    if window is not None:
        config["measurement_window"] = {"start_job": window.start_job_id, "end_job": window.end_job_id}
    config["job_types"] = [{"id": i, "name": name, "category": job_category(name)} for name, i in type_ids.items()]
    # Placement and trace are written where they are known only, as a log never tells them.
    known = {
        name: value for name, value in asdict(key).items() if value is not None or name not in ("placement", "trace")
    }
    config["experiment"] = {"name": source.name, **known, "dialect": dialect}
    return config
