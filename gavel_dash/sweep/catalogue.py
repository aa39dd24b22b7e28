"""The index, cached: a run is read again only when one of its files has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from gavel_dash import schema
from gavel_dash.analysis.stability import Estimate, Evidence
from gavel_dash.model import Finding, JobWindow, RunKey, natural_order
from gavel_dash.sweep.cache import Progress, cache_dir, key_of, write_atomically
from gavel_dash.sweep.discover import Found
from gavel_dash.sweep.index_run import IndexedRun, index_run

#: Part of every key: raise it when what is derived from a file changes.
VERSION = 5


def index_runs(
    root: Path,
    found: Found,
    manifest: Mapping[str, RunKey],
    table_rows: Mapping[str, Mapping[str, Any]],
    progress: Progress,
) -> dict[str, IndexedRun]:
    """Index every run, taking unchanged ones from the cache.

    A cache that is missing, damaged or of another version costs time, never a result. One that cannot be
    written is said and done without.
    """
    cache = cache_dir() / "catalogues" / f"{key_of(root.resolve())}.json"
    known = _load(cache)
    fresh: dict[str, dict[str, Any]] = {}
    indexed: dict[str, IndexedRun] = {}
    changed = 0
    for position, (name, files) in enumerate(found.runs.items(), 1):
        context = (VERSION, schema.names(schema.RUNS), [manifest.get(p.name) for p in files.viz], table_rows.get(name))
        key = key_of(*context, *_stats(files.paths()))
        entry = known.get(name)
        run = _revive(entry["run"]) if entry is not None and entry.get("key") == key else None
        if run is None:
            changed += 1
            if changed == 1 or position % 50 == 0:
                progress(f"indexing {len(found.runs)} runs: {position} ({name})")
            run = index_run(files, manifest, table_rows.get(name), root, progress)
        indexed[name] = run
        fresh[name] = {"key": key, "run": asdict(run)}
    if changed or set(known) != set(fresh):
        try:
            write_atomically(cache, lambda file: file.write(orjson.dumps(fresh, default=str)))
        except OSError as error:
            progress(f"the index could not be cached in {cache.parent}: {error.strerror}")
    return dict(sorted(indexed.items(), key=lambda item: _order(item[1])))


def _stats(paths: Iterable[Path]) -> Iterable[object]:
    for path in paths:
        try:
            stat = path.stat()
            yield str(path), stat.st_mtime_ns, stat.st_size
        except OSError as error:
            yield str(path), error.errno, -1


def _load(cache: Path) -> dict[str, dict[str, Any]]:
    try:
        document = orjson.loads(cache.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return document if isinstance(document, dict) else {}


def _revive(document: Mapping[str, Any]) -> IndexedRun | None:
    """An IndexedRun from its JSON; None where the JSON is not one of ours."""
    try:
        return IndexedRun(
            row=document["row"],
            key=RunKey(**document["key"]),
            window=JobWindow(**document["window"]) if document["window"] else None,
            identity=document["identity"],
            findings=tuple(Finding(**finding) for finding in document["findings"]),
            viz=Path(document["viz"]) if document["viz"] else None,
            completions=Path(document["completions"]) if document["completions"] else None,
            telemetry=Path(document["telemetry"]) if document["telemetry"] else None,
            evidence=_revive_evidence(document["evidence"]),
        )
    except (KeyError, TypeError):
        return None


def _revive_evidence(document: Mapping[str, Any] | None) -> Evidence | None:
    if document is None:
        return None
    estimates = {name: Estimate(**document[name]) for name in ("slope", "throughput")}
    return Evidence(**{**document, **estimates})


def _order(run: IndexedRun) -> tuple[object, ...]:
    key = run.key
    return (
        natural_order(key.figure or "~"),
        key.policy or "~",
        key.setting or "~",
        key.arrival_rate_jph if key.arrival_rate_jph is not None else float("inf"),
        key.seed if key.seed is not None else -1,
        run.row["run"],
    )
