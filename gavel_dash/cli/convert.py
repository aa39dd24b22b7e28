"""`gavel-dash convert`: simulator logs to `.viz.bin`, completions and telemetry files."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gavel_dash.cli.output import add_command
from gavel_dash.errors import GavelDashError, SourceError, UsageError
from gavel_dash.model import JobWindow

if TYPE_CHECKING:
    from gavel_dash.ingest.convert import Conversion


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = add_command(
        subparsers,
        "convert",
        "convert simulator logs (plain, .gz or .zst) to files that open at once",
        "gavel-dash convert results/ raw_logs/ --out sweep",
    )
    parser.add_argument("sources", nargs="+", metavar="SRC", type=Path, help="log, or directory to search for logs")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where the files go")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="processes (default: one per CPU)")
    parser.add_argument(
        "--window", metavar="A:B", type=_window, help="measured jobs, ids A to B - 1 (default: what the run says)"
    )
    parser.add_argument("--gpus-per-node", metavar="N", type=_positive, help="node size to note (default: unknown)")
    parser.add_argument("--force", action="store_true", help="convert also what is up to date")


def run(args: argparse.Namespace) -> int:
    """Convert every log; one line for each on standard output, failures on standard error."""
    # No matrix is multiplied here, and starting threads for that is half of what importing NumPy costs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from gavel_dash.ingest.convert_many import convert_many
    from gavel_dash.ingest.sources import LogSource, find_logs
    from gavel_dash.kernel import why_no_kernel

    problems: list[SourceError] = []
    sources = find_logs(args.sources, problems.append)
    for problem in problems:
        print(f"gavel-dash: {problem}", file=sys.stderr)
    if not sources:
        raise UsageError(f"no logs in {', '.join(map(str, args.sources))} (looked for *.log, *.log.gz, *.log.zst)")
    _make_writable(args.out)
    done, failed, text_bytes = 0, len(problems), 0
    started = time.monotonic()
    total = sum(source.path.stat().st_size for source in sources)
    if reason := why_no_kernel():
        print(f"gavel-dash: converting without the compiled kernel, slower but the same ({reason})", file=sys.stderr)
    with _Bar(total) as bar:

        def progress(source: LogSource, result: Conversion | GavelDashError) -> None:
            nonlocal done, failed, text_bytes
            done += 1
            if isinstance(result, GavelDashError):
                failed += 1
                bar.write(f"gavel-dash: {result}", sys.stderr)
            else:
                text_bytes += 0 if result.skipped else result.bytes_read
                bar.write(result_line(result), sys.stdout)
            seconds = max(time.monotonic() - started, 1e-3)
            speed = f"{text_bytes / 1e6 / seconds:.0f} MB/s of text"
            bar.update(source.path.stat().st_size, f"{done}/{len(sources)} logs, {speed}")

        convert_many(
            sources,
            args.out,
            processes=args.jobs,
            progress=progress,
            window=args.window,
            gpus_per_node=args.gpus_per_node,
            force=args.force,
        )
    return 1 if failed else 0


class _Bar:
    """A progress bar on a terminal; elsewhere nothing, and tqdm is not even imported: it costs a tenth of a log."""

    def __init__(self, total: int) -> None:
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread beside the processes that are forked
            self._bar = tqdm(total=total, unit="B", unit_scale=True, desc="0 logs")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def write(self, line: str, file: TextIO) -> None:
        """Print a line without tearing the bar."""
        if self._bar is None:
            print(line, file=file)
        else:
            self._bar.write(line, file=file)

    def update(self, n_bytes: int, description: str) -> None:
        """So many bytes of logs are done."""
        if self._bar is not None:
            self._bar.set_description(description)
            self._bar.update(n_bytes)


def _make_writable(directory: Path) -> None:
    """Say once that nothing can be written, rather than once per log."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {directory}: cannot be made ({error.strerror})") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"--out {directory}: cannot be written to")


def result_line(result: Conversion) -> str:
    """One conversion as one line: what it holds, and whether it agrees with its log."""
    words = [f"{result.rounds:,} rounds", f"{result.jobs:,} jobs", f"{result.completions:,} completions"]
    disagree = [
        f"{n:,} rounds disagree with the log on {what}"
        for n, what in ((result.rounds_queue_disagrees, "the queue"), (result.rounds_use_disagrees, "GPUs in use"))
        if n
    ]
    words += disagree or ["every round agrees with the log"]
    words += [f"{finding.code}: {finding.sentence}" for finding in result.findings]
    return f"{result.name}: {', '.join(words)}{' (up to date)' if result.skipped else ''}"


def _window(text: str) -> JobWindow:
    start, colon, end = text.partition(":")
    if not (
        colon and start.isascii() and start.isdigit() and end.isascii() and end.isdigit() and int(start) < int(end)
    ):
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B with A < B, such as 600:1000")
    return JobWindow(int(start), int(end))


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
