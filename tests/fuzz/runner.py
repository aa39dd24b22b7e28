"""Runs cases in processes that are watched: a crash, a hang or too much memory is a failure with a number.

A case may take 2 s of CPU and twice its size and 50 MB of memory. Both are taken at their word only by the worker
itself; it is killed where it goes far beyond.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from gavel_dash.kernel import load_kernel
from tests.fuzz import bases
from tests.fuzz.cases import Case, make_case, sound_sweep
from tests.fuzz.exercise import exercise

MOST_CPU_S = 2.0
MEMORY_BASE_BYTES = 50 * 10**6
#: Where a case is given up: CPU seconds, and address space beyond what the worker began with.
_KILLED_AFTER_CPU_S = 10
_KILLED_AFTER_BYTES = 2 << 30
_KILLED_AFTER_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes
    ----------
    number : int
    family : str
    is_result : bool
        All of it ended in results; else in errors of this package.
    cpu_s : float
    memory_bytes : int
        The most that was held at any time, less what was held before.
    failure : str or None
        What was wrong.
    """

    number: int
    family: str
    is_result: bool
    cpu_s: float
    memory_bytes: int
    failure: str | None


def run_case(case: Case, directory: Path) -> Outcome:
    """Run one case in this process; `directory` is emptied before and after."""
    cache = directory / "cache"
    os.environ["GAVEL_DASH_CACHE"] = str(cache)
    sweep = directory / f"sweep{case.number}"
    sweep.mkdir(parents=True)
    failure, is_result = None, False
    before, began = _reset_peak(), time.process_time()
    try:
        is_result = exercise(case, sweep)
    except Exception:  # noqa: BLE001 - whatever it is, it is what the fuzzer is after
        failure = traceback.format_exc(limit=-4)
    cpu_s, memory = time.process_time() - began, max(0, _peak() - before)
    shutil.rmtree(sweep, ignore_errors=True)
    shutil.rmtree(cache, ignore_errors=True)
    allowed = MEMORY_BASE_BYTES + 2 * case.unpacked_bytes
    if failure is None and cpu_s > MOST_CPU_S:
        failure = f"{cpu_s:.1f} s of CPU, more than {MOST_CPU_S:.0f} s"
    if failure is None and memory > allowed:
        failure = f"{memory / 1e6:.0f} MB of memory, more than {allowed / 1e6:.0f} MB"
    return Outcome(case.number, case.family, is_result, cpu_s, memory, failure)


def _status(key: str) -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key))


def _reset_peak() -> int:
    """Forget the most memory ever held; returns what is held now, in bytes."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return _status("VmRSS:")


def _peak() -> int:
    return _status("VmHWM:")


def run_cases(seed: int, numbers: Sequence[int], processes: int, real: bool = False) -> Iterator[Outcome]:
    """Run cases in watched processes, in any order; one that dies is replaced, and its case is a failure."""
    load_kernel()  # compiled here, once
    bases.vizbins(real), bases.packed_run()
    workers = [_Worker(seed, numbers[i::processes], real) for i in range(min(processes, len(numbers)))]
    busy = {worker.receiver: worker for worker in workers}
    try:
        while busy:
            ready = wait(list(busy), timeout=1.0)
            for receiver in list(busy):
                worker = busy[receiver]
                outcome = worker.outcome() if receiver in ready else worker.overdue()
                if outcome is None:
                    continue
                yield outcome
                if worker.receiver is not receiver or not worker.numbers:
                    del busy[receiver]
                    if worker.numbers:
                        busy[worker.receiver] = worker
    finally:
        for worker in busy.values():
            worker.stop()


class _Worker:
    """A process with the numbers it still has to run."""

    def __init__(self, seed: int, numbers: Sequence[int], real: bool) -> None:
        self._seed, self.numbers, self._real = seed, list(numbers), real
        self._start()

    def _start(self) -> None:
        self._directory = tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        context = multiprocessing.get_context("fork")
        self.receiver, sender = context.Pipe(duplex=False)
        arguments = (self._seed, list(self.numbers), self._real, self._directory, sender)
        self._process = context.Process(target=_work, args=arguments, daemon=True)
        self._process.start()
        sender.close()
        self._since = time.monotonic()

    def outcome(self) -> Outcome:
        """The next case's end, sent by the process or by its death."""
        try:
            outcome: Outcome = self.receiver.recv()
        except EOFError:
            self._process.join()
            return self._lost(f"the process ended with {_word(self._process.exitcode)}")
        self._since = time.monotonic()
        self.numbers.pop(0)
        if not self.numbers:
            self.stop()
        return outcome

    def overdue(self) -> Outcome | None:
        """A failure where the process has not answered for long."""
        if time.monotonic() - self._since < _KILLED_AFTER_S:
            return None
        self._process.kill()
        return self._lost(f"no end within {_KILLED_AFTER_S:.0f} s")

    def _lost(self, failure: str) -> Outcome:
        number = self.numbers.pop(0)
        family = make_case(self._seed, number, self._real).family
        self.stop()
        if self.numbers:
            self._start()
        return Outcome(number, family, False, 0.0, 0, failure)

    def stop(self) -> None:
        """End the process and remove what it left."""
        self._process.join(timeout=1.0)
        self._process.kill()
        self._process.join()
        self.receiver.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def _word(exitcode: int | None) -> str:
    return signal.Signals(-exitcode).name if exitcode is not None and exitcode < 0 else f"exit code {exitcode}"


def _work(seed: int, numbers: Sequence[int], real: bool, directory: str, sender: Connection) -> None:
    most = _status("VmSize:") + _KILLED_AFTER_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore", RuntimeWarning)  # numbers that are none make such; that is what findings are for
    # What is imported and made on first use is no case's doing.
    if failure := run_case(Case(0, "none", sound_sweep(), 2**30), Path(directory)).failure:
        raise AssertionError(failure)
    for number in numbers:
        case = make_case(seed, number, real)
        signal.setitimer(signal.ITIMER_PROF, _KILLED_AFTER_CPU_S)
        sender.send(run_case(case, Path(directory)))
