"""Which logs a directory holds, and what each run is called.

Two layouts, both by name: the replication's ``RUN/simulation.log`` with `timing.json` beside it, and upstream's
``CLUSTER/POLICY[/profiling_percentage=P][/num_reference_models=N]/seed=S/lambda=L.log`` (static traces:
``num_total_jobs=N.log``). Any other ``*.log`` counts as a loose log. Each may be compressed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gavel_dash.errors import GavelDashError, SourceError
from gavel_dash.formats.run_name import tidy_rate
from gavel_dash.formats.timing import Timing, read_timing
from gavel_dash.model import Cluster, Finding, GpuType, RunKey

_LOG_NAME = re.compile(r"^(?P<stem>.+)\.log(\.gz|\.zst)?$")
_OTHER_FILE = re.compile(r"\.(bin|json|csv|html|md|txt|py)(\.gz|\.zst|\.packed)?$")
_CLUSTER = re.compile(r"^[A-Za-z][\w-]*=\d+(\.[A-Za-z][\w-]*=\d+)*$")
_SETTING = re.compile(r"^(profiling_percentage|num_reference_models|seed|lambda|num_total_jobs)=([\d.]+?)$")
# CLUSTER/POLICY/profiling_percentage/num_reference_models/seed/log
_UPSTREAM_DEPTH = 6
_MAX_NAME = 180


@dataclass(frozen=True)
class LogSource:
    """One log to convert.

    Attributes
    ----------
    path : Path
    name : str
        Name of the run and of its files; unique among the logs found together.
    timing_path : Path or None
        The `timing.json` beside the log.
    key : RunKey
        What timing and path say; None where they do not.
    timing : Timing or None
    dialect : str or None
        "replication" or "upstream" where the layout tells; a hint, the text decides.
    findings : tuple of Finding
        Such as a name that two logs share.
    """

    path: Path
    name: str
    timing_path: Path | None = None
    key: RunKey = field(default_factory=RunKey)
    timing: Timing | None = None
    dialect: str | None = None
    findings: tuple[Finding, ...] = ()


def is_log_name(name: str) -> bool:
    """Whether a file of this name is taken for a simulator log."""
    return _LOG_NAME.match(name) is not None


def find_logs(sources: Iterable[Path], on_problem: Callable[[SourceError], None] | None = None) -> list[LogSource]:
    """The logs in files and directories (searched whole), sorted by name, each once.

    Parameters
    ----------
    sources : iterable of Path
        Logs, or directories of logs.
    on_problem : callable, optional
        Told of each directory below a source that cannot be listed; its logs are left out.

    Raises
    ------
    SourceError
        A source does not exist or cannot be listed.
    """
    report = on_problem or (lambda error: None)
    paths = {path for source in sources for path in _log_paths(Path(source), report)}
    found = sorted((_describe(path) for path in paths), key=lambda source: (source.name, str(source.path)))
    taken: set[str] = set()
    unique = []
    for source in found:
        name, n = source.name, 1
        while name in taken:
            n += 1
            name = f"{source.name}-{n}"
        taken.add(name)
        if n > 1:
            sentence = f"Another log has the name {source.name} too; this one became {name}."
            source = replace(source, name=name, findings=(*source.findings, Finding("name-clash", sentence, 1)))
        unique.append(source)
    return unique


def _log_paths(source: Path, report: Callable[[SourceError], None]) -> Iterator[Path]:
    if not source.exists():
        raise SourceError(source, "a log or a directory of logs", "nothing there")
    if not source.is_dir():
        # A log that is named outright may be called anything, unless it is plainly something else.
        if _LOG_NAME.match(source.name) or not _OTHER_FILE.search(source.name):
            yield source.resolve()
        return

    root = source.resolve()

    def on_error(error: OSError) -> None:
        problem = SourceError(error.filename or root, "a directory that can be listed", error.strerror or str(error))
        if problem.path == str(root):
            raise problem
        report(problem)

    for directory, subdirectories, names in os.walk(root, onerror=on_error):
        subdirectories[:] = sorted(name for name in subdirectories if not name.startswith("."))
        for name in sorted(names):
            if _LOG_NAME.match(name) and not name.startswith("."):
                yield Path(directory) / name


def _describe(path: Path) -> LogSource:
    match = _LOG_NAME.match(path.name)
    stem = match["stem"] if match else path.stem
    if _SETTING.match(stem) and not stem.startswith("seed"):
        return _describe_upstream(path, stem)
    timing_path = path.parent / "timing.json"
    is_run_directory = stem == "simulation"
    name = (path.parent.name if is_run_directory else stem) or stem
    dialect = "replication" if is_run_directory else None
    # In a directory of loose logs a timing.json would belong to none of them in particular.
    if not is_run_directory or not timing_path.is_file():
        return LogSource(path, safe_name(name), dialect=dialect)
    try:
        if timing_path.is_symlink():  # it may lead to anything on this machine
            raise SourceError(timing_path, "a file", "a link")
        with timing_path.open("rb") as file:
            timing = read_timing(file, str(timing_path))
    except (GavelDashError, OSError) as error:
        finding = Finding("timing-unreadable", f"timing.json was left aside: {error}", 1)
        return LogSource(path, safe_name(name), timing_path, dialect=dialect, findings=(finding,))
    return LogSource(path, safe_name(timing.name or name), timing_path, timing.key, timing, dialect)


def _describe_upstream(path: Path, stem: str) -> LogSource:
    """``lambda`` in the path is seconds between arrivals: the rate is 3600 / lambda."""
    parts = [*path.parts[-_UPSTREAM_DEPTH:-1], stem]
    settings = {match[1]: match[2] for part in parts if (match := _SETTING.match(part))}
    at = next((i for i, part in enumerate(parts) if _CLUSTER.match(part) and not _SETTING.match(part)), None)
    cluster = policy = None
    if at is not None:
        counts = dict(part.split("=") for part in parts[at].split("."))
        cluster = Cluster(tuple(GpuType(name, int(count)) for name, count in counts.items())).name
        if at + 1 < len(parts) and not _SETTING.match(parts[at + 1]):
            policy = parts[at + 1]
    seconds = float(settings.get("lambda", 0))
    rate = tidy_rate(3600 / seconds) if seconds > 0 else None
    seed = int(settings["seed"]) if settings.get("seed", "").isdigit() else None
    words = [
        policy,
        None if rate is None else f"{rate:g}jph",
        f"{settings['num_total_jobs']}jobs" if "num_total_jobs" in settings else None,
        cluster,
        f"profiling{settings['profiling_percentage']}" if "profiling_percentage" in settings else None,
        f"references{settings['num_reference_models']}" if "num_reference_models" in settings else None,
        None if seed is None else f"s{seed}",
    ]
    name = safe_name("_".join(word for word in words if word) or stem)
    key = RunKey(policy=policy, arrival_rate_jph=rate, seed=seed, cluster=cluster)
    return LogSource(path, name, key=key, dialect="upstream")


def safe_name(name: str) -> str:
    """A file name that stays in its directory, whatever a `timing.json` calls its run."""
    return re.sub(r"[^\w.+=-]+", "_", name).lstrip(".-")[:_MAX_NAME] or "run"
