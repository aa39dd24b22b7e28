"""Conversions that are killed: at moments all over their lives, and at each renaming of a set of files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.soak.kill import KillTest
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import LogSource
from tests.unit.ingest.log_text import ReplicationLog, short_log

NAMES = ("run.viz.bin", "run_completions.json", "run_telemetry.json")


def long_log(n_rounds: int) -> bytes:
    """Six jobs that hold all GPUs, and two that wait, in every round but the first."""
    log = ReplicationLog()
    for job in range(8):
        log.arrive(job)
    log.telemetry(0, 0, 8)
    for number in range(1, n_rounds):
        for job in range(6):
            log.schedule(job, ("k80", "p100", "v100")[job // 2], job)
        log.telemetry(number, 6, 2, k80=2, p100=2, v100=2)
    return log.data


def test_whatever_has_its_name_is_whole_and_the_next_run_completes_the_rest(tmp_path: Path) -> None:
    old, new = (dict.fromkeys((f"run{i}.log" for i in range(6)), long_log(n)) for n in (3000, 6000))
    test = KillTest(tmp_path, old, new)
    for i in range(10):
        # The first third of a life is the start of Python.
        test.kill((i + 5) / 15, replaces=i % 2 == 0, processes=1 + i // 2 % 2)
    assert test.outcome.failures == []
    assert test.outcome.kills
    assert test.outcome.parts_left or test.outcome.some_files  # they came while it was writing


def test_its_processes_end_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for i in range(6):
        (tmp_path / f"run{i}.log").write_bytes(long_log(3000))
    command = [sys.executable, "-m", "gavel_dash", "convert", tmp_path, "--out", out, "--jobs", "2"]
    # A pipe ends for its reader when all of them have ended, who hold its other end.
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        while not (out.is_dir() and os.listdir(out)):
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("they went on without it")


@pytest.mark.parametrize("renamed", [0, 1, 2, 3])
def test_killed_between_renamings_it_is_not_up_to_date_before_the_next_run(tmp_path: Path, renamed: int) -> None:
    log, out = tmp_path / "run.log", tmp_path / "out"
    log.write_bytes(short_log().data)
    source = LogSource(log, "run")
    convert_log(source, out)
    old = {name: (out / name).stat().st_ino for name in NAMES}
    _convert_and_die(log, out, renamed)
    new = [name for name in NAMES if (out / name).stat().st_ino != old[name]]
    assert len(new) == renamed
    assert (NAMES[0] in new) == (renamed == 3)  # the .viz.bin comes last
    assert len(os.listdir(out)) == 6 - renamed
    # Nothing of the log or the options has changed: only the files themselves can tell.
    assert convert_log(source, out).skipped == (renamed in (0, 3))
    assert sorted(os.listdir(out)) == sorted(NAMES)
    assert convert_log(source, out).skipped


def _convert_and_die(log: Path, out: Path, renamed: int) -> None:
    """Convert in another process, which is killed after so many renamings."""
    program = f"""
import os, signal
from pathlib import Path
from gavel_dash.ingest.convert import convert_log
from gavel_dash.ingest.sources import LogSource
rename, left = os.replace, {renamed}
def replace(*names):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*names)
    left -= 1
os.replace = replace
convert_log(LogSource(Path({str(log)!r}), "run"), Path({str(out)!r}), force=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
