"""Every benchmark, each row beside its reference: `make bench`, `gavel-dash bench`, `python -m benchmarks.run`.

Each area is a module with ``rows()``. What raises ends its area: it is shown as failed, the other areas go on, and the
exit code is 1. A goal that is not reached is marked and changes nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.figure import draw_rows
from benchmarks.measure import Row
from gavel_dash.cli.bench import add_options
from gavel_dash.errors import UsageError

AREAS = ("convert", "index", "rounds", "figures", "server", "bundle")
#: What stands between these lines of a Markdown file is what was measured last.
MARKS = ("<!-- measured by benchmarks/run.py -->", "<!-- end of what was measured -->")
_REPOSITORY = Path(__file__).parents[1]
_COLUMNS = ("work", "ours", "reference", "ratio", "goal", "reached", "reference is")
# The table is printed while rows come, so their widths are not known: longer words push what follows.
_WIDTHS = (64, 9, 9, 8, 9, 7, 0)


@dataclass(frozen=True)
class Failure:
    """An area that could not be measured to its end, and why."""

    area: str
    reason: str


Result: TypeAlias = Row | Failure


def measure(areas: Sequence[str]) -> Iterator[Result]:
    """The rows of each area, as they come; in place of those that an error prevents, one failure."""
    for area in areas:
        try:
            yield from import_module(f"benchmarks.{area}").rows()
        except Exception as error:  # noqa: BLE001 - whatever a benchmark raises must not cost the rows of the others
            traceback.print_exc()
            reason = " ".join(str(error).split())  # one line, as the tables need it
            yield Failure(area, f"{type(error).__name__}: {reason}")


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was before."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "load": round(os.getloadavg()[0], 2),
        "date": time.strftime("%Y-%m-%d"),
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def machine_line(seen: dict[str, Any]) -> str:
    """The machine as one line."""
    return "{cpu}, {cores} cores, {system}, Python {python}, NumPy {numpy}, load {load} at the start, {date}".format(
        **seen
    )


def shown_quantity(value: float, unit: str) -> str:
    """A value with its unit, three digits: 0.0123 s is "12.3 ms"."""
    if unit == "x":
        return three_digits(value)
    sizes = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")]
    if unit == "s":
        sizes = [(1, "s"), (1e-3, "ms"), (1e-6, "µs")]
    size, name = next(((size, name) for size, name in sizes if abs(value) >= size), sizes[-1])
    return f"{three_digits(value / size)} {name}"


def three_digits(value: float) -> str:
    """Three significant digits, without an exponent: 1234 stays "1234", 0.01234 is "0.0123"."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cells(row: Row) -> tuple[str, ...]:
    """A row as the texts of `_COLUMNS`."""
    return (
        f"{row.area}: {row.work}",
        shown_quantity(row.value, row.unit),
        shown_quantity(row.reference, row.unit),
        f"{three_digits(row.ratio)}x",
        f"{'≥' if row.at_least else '≤'} {three_digits(row.limit)}x",
        "yes" if row.reached else "NO",
        f"{row.against} ({row.note})" if row.note else row.against,
    )


def table_line(result: Result) -> str:
    """A result as a line of the printed table."""
    if isinstance(result, Failure):
        return f"{result.area}: failed: {result.reason}"
    return _aligned(cells(result))


def _aligned(texts: Sequence[str]) -> str:
    work, *numbers, against = texts
    middle = (text.rjust(width) for text, width in zip(numbers, _WIDTHS[1:], strict=False))
    return "  ".join([work.ljust(_WIDTHS[0]), *middle, against]).rstrip()


def markdown(seen: dict[str, Any], results: Iterable[Result]) -> str:
    """Machine and table as Markdown."""
    lines = [f"{machine_line(seen)}.", "", f"| {' | '.join(_COLUMNS)} |", "|---|---:|---:|---:|---:|---|---|"]
    for result in results:
        if isinstance(result, Failure):
            texts: tuple[str, ...] = (f"{result.area}: failed: {result.reason}", *[""] * (len(_COLUMNS) - 1))
        else:
            texts = cells(result)
        lines.append(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in texts)} |")
    return "\n".join(lines) + "\n"


def around_marks(path: Path) -> tuple[str, str]:
    """What a Markdown file says up to the first of the `MARKS` and from the second on; only them where there is none.

    Raises
    ------
    UsageError
        The file has not both marks.
    """
    start, end = MARKS
    before = path.read_text(encoding="utf-8") if path.exists() else f"{start}\n{end}\n"
    head, found_start, rest = before.partition(f"{start}\n")
    _, found_end, tail = rest.partition(end)
    if not (found_start and found_end):
        raise UsageError(f"{path}: no lines {start} and {end} to write between")
    return f"{head}{start}\n", f"{end}{tail}"


def as_json(seen: dict[str, Any], results: Iterable[Result]) -> str:
    """Machine, rows and failures as JSON."""
    rows = [result.as_json() for result in results if isinstance(result, Row)]
    failures = [asdict(result) for result in results if isinstance(result, Failure)]
    return json.dumps({"machine": seen, "rows": rows, "failures": failures}, indent=1, allow_nan=False) + "\n"


def run(args: argparse.Namespace) -> int:
    """Measure, print the table as its rows come, and write what was asked for.

    Raises
    ------
    UsageError
        An area is not known, or the Markdown file has no place for the table.
    """
    areas = args.areas.split(",") if args.areas else AREAS
    if unknown := [area for area in areas if area not in AREAS]:
        raise UsageError(f"no area {unknown[0]!r}; there are {', '.join(AREAS)}")
    head, tail = around_marks(args.markdown) if args.markdown else ("", "")  # before minutes of measuring
    # Some benchmarks start Python anew, wherever this one was started from.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_REPOSITORY), os.environ.get("PYTHONPATH")]))
    seen = machine()
    print(machine_line(seen), _aligned(_COLUMNS), sep="\n\n", flush=True)
    results = []
    for result in measure(areas):
        print(table_line(result), flush=True)
        results.append(result)
    measured = [result for result in results if isinstance(result, Row)]
    print(f"\n{sum(row.reached for row in measured)} of {len(measured)} goals reached")
    if args.json:
        args.json.write_text(as_json(seen, results), encoding="utf-8")
    if args.figure:
        args.figure.write_text(draw_rows(measured), encoding="utf-8")
    if args.markdown:
        args.markdown.write_text(f"{head}{markdown(seen, results)}{tail}", encoding="utf-8")
    return 1 if len(measured) < len(results) else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.splitlines()[0])
    add_options(parser)
    try:
        return run(parser.parse_args(arguments))
    except UsageError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
