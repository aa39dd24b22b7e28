"""A sweep: all runs of a directory, by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.curves import curve_names, summarize_curves
from gavel_dash.analysis.measures import DEFAULT_MEASURE, measure_of
from gavel_dash.analysis.saturation import DEFAULT_K, summarize_saturation
from gavel_dash.analysis.stability import CONFIDENCE, judge
from gavel_dash.errors import SourceError, UsageError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.ingest.sources import LogSource
from gavel_dash.model import Finding
from gavel_dash.sweep.cache import Progress, key_of
from gavel_dash.sweep.catalogue import Catalogue, index_runs
from gavel_dash.sweep.discover import Found, discover
from gavel_dash.sweep.following import Following
from gavel_dash.sweep.index_run import IndexedRun
from gavel_dash.sweep.memory import Memory
from gavel_dash.sweep.open_runs import OpenRuns
from gavel_dash.sweep.run import Run
from gavel_dash.sweep.run_files import load_jct_s, open_viz
from gavel_dash.sweep.running import state_of
from gavel_dash.sweep.side_tables import read_manifests, read_tables
from gavel_dash.sweep.telemetry_run import load_wall_time_s, open_telemetry

#: Results that are kept of one state of a sweep, pages' included.
REMEMBERED = 64


def _silent(_message: str) -> None:
    """Progress for callers that want none."""


def open_sweep(path: str | Path, progress: Progress = _silent) -> Sweep:
    """Index a directory of runs, or one run's file.

    Parameters
    ----------
    path : str or Path
        A directory with runs in any of the known layouts; or a single `.viz.bin`, log or results table.
    progress : callable, optional
        Called with one line of text at a time during long work.

    Raises
    ------
    SourceError
        When `path` does not exist or cannot be listed. A damaged run is a row with its reason instead.
    """
    root = Path(path)
    return Sweep(root, _discover(root), progress)


def _discover(root: Path) -> Found:
    try:
        return discover(root)
    except PermissionError as error:
        raise SourceError(root, "a directory that can be read", error.strerror or str(error)) from error


def open_run(path: str | Path, progress: Progress = _silent) -> Run:
    """Open the one run in a `.viz.bin` file, packed or not; its completions are found beside it.

    Raises
    ------
    GavelDashError
        When the file is damaged or not a `.viz.bin`.
    """
    root = Path(path)
    if root.is_dir():
        raise UsageError(f"{root} is a directory: name one .viz.bin file in it")
    if not root.exists():
        raise SourceError(root, "a .viz.bin file", "nothing there")
    open_viz(root, progress)  # its error is more precise than that of a run without rounds
    sweep = open_sweep(root, progress)
    return sweep[sweep.names[0]]


class Sweep:
    """All runs found under a path, as they were then. Made by `open_sweep`; reads no rounds until a run is asked for.

    Attributes
    ----------
    problems : tuple of str
        What of the directory could not be read.
    version : str
        Names this state: another one where any file has changed.
    memory : Memory
        What was computed of this state; it goes with it.
    """

    def __init__(self, root: Path, found: Found, progress: Progress, before: Sweep | None = None) -> None:
        self.path = root
        self.name = root.resolve().name
        self._progress = progress
        self._found = state_of(found)
        self._logs = {name: files.logs[0] for name, files in found.runs.items() if files.logs}
        problems = list(found.problems)
        manifest = read_manifests(found.manifests, problems)
        tables = read_tables(found.tables, problems)
        for name in tables.rows:
            found.run(name)
        self.problems = tuple(problems)
        self.table_findings = tables.findings
        known = None if before is None else before._runs
        self._runs: Catalogue = index_runs(root, found, manifest, tables.rows, progress, known)
        self._states = {name: key_of(*self._runs.entries[name][1:]) for name in self._runs}
        self.version = key_of(self.problems, *self._states.items())
        self.memory = Memory(REMEMBERED)
        # Runs that have not changed stay open, with what has been computed of them.
        self._open: OpenRuns = OpenRuns() if before is None else before._open
        self._following: Following = Following(progress) if before is None else before._following

    def refreshed(self) -> Sweep:
        """The sweep as its files are now: this one where nothing has changed. Runs that are the same stay open.

        Raises
        ------
        SourceError
            When the directory is gone or cannot be listed any more.
        """
        found = _discover(self.path)
        return self if state_of(found) == self._found else Sweep(self.path, found, self._progress, self)

    @cached_property
    def results_version(self) -> str:
        """As `version`, of the runs that have been measured or could be: those that go on are left out."""
        return key_of(*(item for item in self._states.items() if not self.is_running(item[0])))

    @cached_property
    def names_version(self) -> str:
        """Names which runs can be opened: another one where there are others."""
        return key_of(*(name for name in self._runs if self.has_rounds(name)))

    @cached_property
    def n_running(self) -> int:
        """Number of runs whose log is still being written."""
        return sum(self.is_running(name) for name in self._runs)

    def is_running(self, name: str) -> bool:
        """Whether a run's log is still being written."""
        return bool(self._runs[name].row["status"] == schema.RUNNING)

    def progress_of_run(self, name: str) -> str:
        """How far a run is whose log is still being written, in words; empty where it is not."""
        return str(self._runs[name].row["note"]) if self.is_running(name) else ""

    @property
    def names(self) -> list[str]:
        """Names of all runs, sorted."""
        return list(self._runs)

    @property
    def empty_sentence(self) -> str:
        """What to say when there are no runs."""
        return (
            f"{self.path} holds no runs: expected .viz.bin files, simulator logs (simulation.log, lambda=L.log) or "
            "results*.csv in it or below it"
        )

    def _frame(self, confidence: float) -> pd.DataFrame:
        return self.memory.get(("runs", confidence), lambda: self._build_frame(confidence))

    def _build_frame(self, confidence: float) -> pd.DataFrame:
        rows = ({**indexed.row, **stability_columns(indexed, confidence)} for indexed in self._runs.values())
        frame = schema.build_frame(rows, schema.RUNS)
        return frame.assign(curve=curve_names(frame))

    def runs(self, confidence: float = CONFIDENCE) -> pd.DataFrame:
        """All runs, one row each: `schema.RUNS`, ordered by figure, policy, rate and seed.

        `confidence` is that of the verdicts and of their intervals.
        """
        return self._frame(confidence).copy()

    def curves(
        self,
        names: Iterable[str] | None = None,
        measure: str = DEFAULT_MEASURE,
        confidence: float = CONFIDENCE,
    ) -> pd.DataFrame:
        """A measure per curve and rate, `schema.curve_columns`, of all runs or of those named."""
        return summarize_curves(self._select(names, confidence), measure_of(measure), confidence)

    def saturation(
        self, k: float = DEFAULT_K, names: Iterable[str] | None = None, confidence: float = CONFIDENCE
    ) -> pd.DataFrame:
        """Saturation point per curve and method, `schema.SATURATION`, of all runs or of those named."""
        return summarize_saturation(self._select(names, confidence), k, confidence)

    def _select(self, names: Iterable[str] | None, confidence: float) -> pd.DataFrame:
        frame = self._frame(confidence)
        return frame if names is None else frame[frame["run"].isin(set(names))]

    def findings(self, name: str) -> tuple[Finding, ...]:
        """What was noticed in the files of a run."""
        return self._indexed(name).findings

    def identity(self, name: str) -> dict[str, str]:
        """Which source told each field of a run's identity."""
        return dict(self._indexed(name).identity)

    def state_of_run(self, name: str) -> str:
        """Names the state of a run's files: another one where any has changed. Empty where there is no such run."""
        return self._states.get(name, "")

    def has_rounds(self, name: str) -> bool:
        """Whether a run has rounds to look at.

        Those of a `.viz.bin`, of a telemetry file, which knows no allocations, or of a log: that is converted into
        the cache when the run is opened.
        """
        return self.is_converted(name) or self._log_of(name) is not None

    def _log_of(self, name: str) -> LogSource | None:
        """The log that stands in for a file of rounds."""
        status = self._indexed(name).row["status"]
        return self._logs.get(name) if status in (schema.RUNNING, schema.UNCONVERTED) else None

    def is_converted(self, name: str) -> bool:
        """Whether a run's rounds can be read as they are, without converting a log."""
        indexed = self._indexed(name)
        return indexed.viz is not None or (indexed.telemetry is not None and indexed.row["status"] != "damaged")

    def _indexed(self, name: str) -> IndexedRun:
        try:
            return self._runs[name]
        except KeyError:
            raise UsageError(f"no run is named {name!r} in {self.path}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._runs

    def __getitem__(self, name: str) -> Run:
        """The run of that name; raises `UsageError` where there is none."""
        indexed = self._indexed(name)
        return self._open.get(name, self.state_of_run(name), lambda: self._open_run(indexed))

    def in_version(self, name: str, content_id: str) -> Run | None:
        """The run as a page that was opened earlier has it; None where that is gone.

        Raises
        ------
        UsageError
            When there is no such run and none is open.
        """
        opened = next((run for run in self._open.of(name) if run.viz.content_id == content_id), None)
        if opened is not None:
            return opened
        run = self[name]
        return run if run.viz.content_id == content_id else None

    def _open_run(self, indexed: IndexedRun) -> Run:
        name, completions = indexed.row["run"], indexed.completions
        log = None if self.is_converted(name) else self._log_of(name)

        def open_indexed() -> VizFile:
            nonlocal completions
            if log is not None:
                viz, completions = self._following.convert(log)
                return open_viz(viz, self._progress)
            if indexed.viz is None and self.is_converted(name) and indexed.telemetry is not None:
                return open_telemetry(indexed.telemetry)
            if indexed.viz is None:
                raise SourceError(name, "a run with rounds", indexed.row["note"] or "no .viz.bin file")
            return open_viz(indexed.viz, self._progress)

        def load() -> dict[int, float]:
            return {} if completions is None else load_jct_s(completions)

        def load_wall_time() -> dict[int, float]:
            return {} if indexed.telemetry is None else load_wall_time_s(indexed.telemetry)

        return Run(name, indexed.key, indexed.window, open_indexed, load, load_wall_time)


def stability_columns(run: IndexedRun, confidence: float) -> dict[str, object]:
    """Verdict on a run with its evidence, as columns of `schema.RUNS`; empty where it has none."""
    evidence, rate = run.evidence, run.key.arrival_rate_jph
    if evidence is None:
        return {}
    slope_low, slope_high = evidence.slope.interval(confidence)
    columns: dict[str, object] = {
        "verdict": judge(evidence, rate, confidence),
        "n_batches": evidence.n_batches,
        "slope_jobs_per_h": evidence.slope.mean,
        "slope_low_jobs_per_h": slope_low,
        "slope_high_jobs_per_h": slope_high,
        "throughput_jph": evidence.throughput.mean,
    }
    if rate:
        low, high = evidence.throughput.interval(confidence)
        columns |= {
            "throughput_over_rate": evidence.throughput.mean / rate,
            "throughput_over_rate_low": low / rate,
            "throughput_over_rate_high": high / rate,
        }
    return columns
