"""Whether files are sound, read to the last byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.formats.completions import read_completions
from gavel_dash.formats.manifest import read_manifest
from gavel_dash.formats.results_csv import read_results_csv
from gavel_dash.formats.telemetry import read_telemetry
from gavel_dash.formats.timing import read_timing
from gavel_dash.kernel.mapped_files import unchanged_files
from gavel_dash.sweep.discover import Found, discover
from gavel_dash.sweep.packed import read_whole
from gavel_dash.sweep.run_files import open_viz


@dataclass(frozen=True)
class Checked:
    """One file: sound with a summary, or damaged with the error."""

    path: Path
    summary: str
    error: str | None = None

    @property
    def line(self) -> str:
        """One line for people."""
        return f"DAMAGED {self.error}" if self.error is not None else f"ok      {self.path}: {self.summary}"


def check_paths(paths: Iterable[str | Path]) -> Iterator[Checked]:
    """Check files, and every file of a known kind in directories.

    Logs are left out: the converter reads and checks them.
    """
    for given in map(Path, paths):
        if given.is_dir():
            try:
                found = discover(given)
            except GavelDashError as error:
                yield Checked(given, "", str(error))
                continue
            files = _files(found)
            if not files:
                yield Checked(given, "no file of a known kind in it")
            yield from map(_check_file, files)
            for problem in found.problems:
                yield Checked(given, "", problem)
        else:
            yield _check_file(given)


def _files(found: Found) -> list[Path]:
    files = [*found.tables, *found.manifests]
    for run in found.runs.values():
        files += [Path(file.path) for file in run.files]
        files += [run.timing] if run.timing else []
    return sorted(files)


def _check_file(path: Path) -> Checked:
    try:
        if not path.exists():
            raise SourceError(path, "a file", "nothing there")
        with unchanged_files():
            return Checked(path, _summarize(path))
    except GavelDashError as error:
        return Checked(path, "", str(error))
    except OSError as error:
        return Checked(path, "", f"{path}: cannot be read ({error.strerror})")


def _summarize(path: Path) -> str:
    name = path.name.removesuffix(".packed").removesuffix(".zst").removesuffix(".gz")
    if name.endswith("_completions.json"):
        return f"{len(read_completions(read_whole(path), str(path)))} completions"
    if name.endswith("_telemetry.json"):
        telemetry = read_telemetry(read_whole(path), str(path))
        return f"{len(telemetry.rows)} rounds of telemetry{_said(telemetry.findings)}"
    if name == "timing.json":
        return f"run {read_timing(read_whole(path), str(path)).name or 'without a name'}"
    if name == "manifest.json":
        return f"{len(read_manifest(read_whole(path), str(path)))} experiments"
    if name.endswith(".csv"):
        table = read_results_csv(read_whole(path), str(path))
        return f"{len(table.rows)} runs{_said(table.findings)}"
    viz = open_viz(path, lambda _message: None)
    for index in range(viz.n_rounds):
        viz.queue(index)
        viz.sharing(index)
    return f"{viz.n_rounds} rounds, {viz.n_jobs} jobs, {viz.n_gpus} GPUs{_said(viz.findings)}"


def _said(findings: Iterable[object]) -> str:
    codes = [getattr(finding, "code", "") for finding in findings]
    return f"; findings: {', '.join(codes)}" if codes else ""
