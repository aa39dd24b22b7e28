"""The fuzzer's long setting: `python -m benchmarks.soak.fuzz --cases 100000 [--seed N] [--first N] [--processes 2]`.

Damaged sweeps by the thousand, each opened, converted and looked at in a watched process; see `tests/fuzz/`. Where
GAVEL_DASH_DATA names the real files, slices of them are damaged as well. A failure is printed with its number, which
makes the same case again: `--first NUMBER --cases 1`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gavel_dash.progress import ProgressLine
from tests.fuzz.bases import real_files
from tests.fuzz.cases import FAMILIES
from tests.fuzz.runner import Outcome, run_cases


@dataclass
class FamilySummary:
    """How the cases of a family ended; `slowest` and `largest` are the cases that took most CPU and most memory."""

    results: int = 0
    errors: int = 0
    slowest: Outcome | None = None
    largest: Outcome | None = None
    failures: list[Outcome] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
        """Count one more case."""
        if outcome.failure is not None:
            self.failures.append(outcome)
        elif outcome.is_result:
            self.results += 1
        else:
            self.errors += 1
        if self.slowest is None or outcome.cpu_s > self.slowest.cpu_s:
            self.slowest = outcome
        if self.largest is None or outcome.memory_bytes > self.largest.memory_bytes:
            self.largest = outcome


def summarize(outcomes: Iterable[Outcome], n_cases: int) -> dict[str, FamilySummary]:
    """Take in every outcome as it comes, by family, and print failures; what there is so far where somebody ends it."""
    families = {family: FamilySummary() for family in FAMILIES}
    with suppress(KeyboardInterrupt), ProgressLine() as progress:
        for done, outcome in enumerate(outcomes, 1):
            families[outcome.family].take(outcome)
            if outcome.failure is not None:
                print(f"\ncase {outcome.number} ({outcome.family}):\n{outcome.failure}", flush=True)
            if done % 100 == 0:
                progress(f"{done:,} of {n_cases:,} cases, {_failed(families)} failures")
    return families


def _failed(families: dict[str, FamilySummary]) -> int:
    return sum(len(summary.failures) for summary in families.values())


def lines_of(families: dict[str, FamilySummary]) -> Iterable[str]:
    """The summary as text: a line per family."""
    yield f"{'family':26}{'cases':>8}{'results':>9}{'errors':>8}{'failures':>10}{'slowest s':>11}{'most MB':>9}"
    total = FamilySummary()
    for name, family in families.items():
        yield _line(name, family)
        total.results, total.errors = total.results + family.results, total.errors + family.errors
        total.failures += family.failures
        for outcome in (family.slowest, family.largest):
            if outcome is not None:
                total.slowest = max(total.slowest or outcome, outcome, key=lambda outcome: outcome.cpu_s)
                total.largest = max(total.largest or outcome, outcome, key=lambda outcome: outcome.memory_bytes)
    yield _line("all", total)


def _line(name: str, family: FamilySummary) -> str:
    n_cases = family.results + family.errors + len(family.failures)
    slowest_s = family.slowest.cpu_s if family.slowest else 0.0
    most_mb = family.largest.memory_bytes / 1e6 if family.largest else 0.0
    counts = f"{n_cases:>8,}{family.results:>9,}{family.errors:>8,}{len(family.failures):>10,}"
    return f"{name:26}{counts}{slowest_s:>11.2f}{most_mb:>9.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 1 where a case failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first case")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    args = parser.parse_args(arguments)
    began = time.perf_counter()
    numbers = range(args.first, args.first + args.cases)
    outcomes = run_cases(args.seed, numbers, args.processes, real=real_files() is not None)
    families = summarize(outcomes, args.cases)
    print("\n".join(lines_of(families)))
    real = "with" if real_files() is not None else "without"
    print(f"\nseed {args.seed}, {real} slices of real files, {time.perf_counter() - began:.0f} s")
    return 1 if _failed(families) else 0


if __name__ == "__main__":
    sys.exit(main())
