"""The index, cached: a run is read again only when one of its files has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from gavel_dash import schema
from gavel_dash.analysis.stability import Estimate, Evidence
from gavel_dash.errors import legible
from gavel_dash.model import Finding, JobWindow, RunKey, natural_order
from gavel_dash.schema.runs import RUNNING
from gavel_dash.settings import cache_dir
from gavel_dash.sweep.cache import Progress, key_of
from gavel_dash.sweep.discover import VIZ, Found, RunFiles
from gavel_dash.sweep.index_run import IndexedRun, index_run
from gavel_dash.sweep.running import is_recent
from gavel_dash.whole_files import is_sealed, write_sealed

#: Raise it when what is derived from a file changes, or how it is cached.
VERSION = 7


class Catalogue(Mapping[str, IndexedRun]):
    """The runs of a sweep by name, ordered by figure, policy, rate and seed.

    A cached run stays JSON text until it is asked for: thousands of parsed ones are slow to make, and slower to keep.

    Attributes
    ----------
    entries : dict
        Of each run its JSON text, then what it was made from: what others told of it, whether its log was written to a
        short while ago, and each `FoundFile`, joined.
    """

    def __init__(
        self,
        runs: Mapping[str, IndexedRun | str],
        entries: Mapping[str, list[Any]],
        read: Callable[[str], IndexedRun],
    ) -> None:
        self._runs, self.entries, self._read = dict(runs), entries, read

    def parsed(self, name: str) -> IndexedRun | str:
        """The run as it is kept: parsed where it has been asked for."""
        return self._runs[name]

    def __getitem__(self, name: str) -> IndexedRun:
        run = self._runs[name]
        if isinstance(run, str):
            run = self._runs[name] = _revive(run) or self._read(name)
        return run

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, name: object) -> bool:
        return name in self._runs


def catalogue_file(root: Path) -> Path:
    """Where the catalogue of a sweep is cached, whether it is there or not."""
    # What is cached names files as `root` does, so each spelling of it has a catalogue of its own.
    return cache_dir() / "catalogues" / f"{key_of(root.resolve(), root)}.json"


def index_runs(
    root: Path,
    found: Found,
    manifest: Mapping[str, RunKey],
    table_rows: Mapping[str, Mapping[str, Any]],
    progress: Progress,
    before: Catalogue | None = None,
) -> Catalogue:
    """Index every run, taking unchanged ones from `before`, or else from the cache.

    A cache that is missing, damaged or of another version costs time, never a result. One that cannot be
    written is said and done without.
    """

    def read(name: str) -> IndexedRun:
        return _legible(index_run(found.runs[name], manifest, table_rows.get(name), root, progress))

    cache = catalogue_file(root)
    known = _load(cache)
    entries: dict[str, list[Any]] = {}
    runs: dict[str, IndexedRun | str] = {}
    fresh: dict[str, IndexedRun] = {}
    for position, (name, files) in enumerate(found.runs.items(), 1):
        state = _state_of(files, _told(files, manifest, table_rows.get(name)))
        if before is not None and name in before and before.entries[name][1:] == state:
            entries[name], runs[name] = before.entries[name], before.parsed(name)
            continue
        entry = known.get(name)
        if entry is None or entry[1:] != state:
            if not fresh or position % 50 == 0:
                progress(f"indexing {len(found.runs)} runs: {position} ({name})")
            fresh[name] = read(name)
            entry = [_text_of(fresh[name]), *state]
        entries[name], runs[name] = entry, fresh.get(name, entry[0])
    if not fresh and known == entries:
        return Catalogue({name: runs[name] for name in known}, known, read)

    catalogue = Catalogue(runs, entries, read)
    names = sorted(runs, key=lambda name: _order(catalogue[name]))
    entries = {name: entries[name] for name in names}
    # A run that is being written is another one in a moment: not worth writing all of them each time.
    if before is None or any(run.row.get("status") != RUNNING for run in fresh.values()):
        document = {**_HEAD, "runs": entries}
        try:
            write_sealed(cache, lambda file: file.write(orjson.dumps(document)))
        except OSError as error:
            progress(f"the index could not be cached in {cache.parent}: {error.strerror}")
    return Catalogue({name: catalogue.parsed(name) for name in names}, entries, read)


#: A catalogue that begins otherwise is not read.
_HEAD = {"version": VERSION, "columns": schema.names(schema.RUNS)}


def _load(cache: Path) -> dict[str, list[Any]]:
    """The catalogue's entries by name of run, in its order; empty where it cannot be used."""
    if not is_sealed(cache):
        return {}
    try:
        document = orjson.loads(cache.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    if not isinstance(document, dict) or any(document.get(key) != value for key, value in _HEAD.items()):
        return {}
    runs = document.get("runs")
    if not isinstance(runs, dict) or not all(
        isinstance(e, list) and e and isinstance(e[0], str) for e in runs.values()
    ):
        return {}
    return runs


def _state_of(files: RunFiles, told: str) -> list[Any]:
    """What a run's row is made from, as it is now."""
    looked_at = files.all_files()
    state: list[Any] = [told, is_recent(looked_at)]
    for file in looked_at:
        state += (file.kind, legible(file.path), file.mtime_ns, file.size)
    return state


def _told(files: RunFiles, manifest: Mapping[str, RunKey], table_row: Mapping[str, Any] | None) -> str:
    """What manifests and tables say of a run, short; empty where they do not know it."""
    keys = [manifest.get(path.name) for path in files.paths(VIZ)] if manifest else []
    return key_of(keys, table_row) if any(keys) or table_row is not None else ""


def _text_of(run: IndexedRun) -> str:
    """A run as JSON; empty where JSON cannot hold it, such as a path that is not UTF-8: then it is read each time."""
    try:
        return orjson.dumps(run, default=str).decode()
    except orjson.JSONEncodeError:
        return ""


def _legible(run: IndexedRun) -> IndexedRun:
    """A run whose texts can be shown, whatever bytes the names of its files hold."""
    row, key = (_legible_values(values) for values in (run.row, vars(run.key)))
    findings = (Finding(f.code, legible(f.sentence), f.count) for f in run.findings)
    return replace(run, row=row, key=RunKey(**key), findings=tuple(findings))


def _legible_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: legible(value) if isinstance(value, str) else value for name, value in values.items()}


def _revive(text: str) -> IndexedRun | None:
    """An IndexedRun from its JSON; None where the JSON is not one of ours."""
    try:
        document = orjson.loads(text)
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
    except (KeyError, TypeError, orjson.JSONDecodeError):
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
