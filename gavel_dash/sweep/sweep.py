"""A sweep: all runs of a directory, by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from gavel_dash import schema
from gavel_dash.analysis.curves import curve_names, summarize_curves
from gavel_dash.analysis.measures import DEFAULT_MEASURE, measure_of
from gavel_dash.analysis.saturation import DEFAULT_K, summarize_saturation
from gavel_dash.analysis.stability import CONFIDENCE, judge
from gavel_dash.errors import SourceError, UsageError
from gavel_dash.formats.vizbin import VizFile
from gavel_dash.model import Finding
from gavel_dash.sweep.cache import Progress
from gavel_dash.sweep.catalogue import index_runs
from gavel_dash.sweep.discover import Found, discover
from gavel_dash.sweep.index_run import IndexedRun, load_jct_s, open_viz
from gavel_dash.sweep.run import Run
from gavel_dash.sweep.side_tables import read_manifests, read_tables
from gavel_dash.sweep.telemetry_run import load_wall_time_s, open_telemetry

OPEN_RUNS = 64
#: Levels of confidence whose table of runs is kept.
CONFIDENCES = 8


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
    try:
        found = discover(root)
    except PermissionError as error:
        raise SourceError(root, "a directory that can be read", error.strerror or str(error)) from error
    return Sweep(root, found, progress)


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
    """All runs found under a path. Made by `open_sweep`; reads no rounds until a run is asked for them."""

    def __init__(self, root: Path, found: Found, progress: Progress) -> None:
        self.path = root
        self.name = root.resolve().name
        self._progress = progress
        problems = list(found.problems)
        manifest = read_manifests(found.manifests, problems)
        tables = read_tables(found.tables, problems)
        for name in tables.rows:
            found.run(name)
        self.problems = tuple(problems)
        self.table_findings = tables.findings
        self._runs = index_runs(root, found, manifest, tables.rows, progress)
        self._frame = lru_cache(maxsize=CONFIDENCES)(self._build_frame)
        # Playing a run asks for it many times a second; a bounded number stays open (one memory map each).
        self._open = lru_cache(maxsize=OPEN_RUNS)(self._open_run)

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

    def has_rounds(self, name: str) -> bool:
        """Whether a run has rounds to look at: a `.viz.bin`, or a telemetry file, which knows no allocations."""
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
        return self._open(name)

    def _open_run(self, name: str) -> Run:
        indexed = self._indexed(name)

        def open_indexed() -> VizFile:
            if indexed.viz is None and self.has_rounds(name) and indexed.telemetry is not None:
                return open_telemetry(indexed.telemetry)
            if indexed.viz is None:
                raise SourceError(name, "a run with rounds", indexed.row["note"] or "no .viz.bin file")
            return open_viz(indexed.viz, self._progress)

        def load() -> dict[int, float]:
            return {} if indexed.completions is None else load_jct_s(indexed.completions)

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
