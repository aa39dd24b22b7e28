"""Disks that are full or read-only, real ones: one sentence, and nothing left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.make import write_run
from tests.reliability.test_kills import NAMES, long_log
from tests.unit.ingest.log_text import short_log


def _in_own_mounts(script: str) -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script]


def _may_mount() -> bool:
    return (
        shutil.which("unshare") is not None
        and not subprocess.run(_in_own_mounts("mount -t tmpfs tmpfs /tmp"), capture_output=True, check=False).returncode
    )


pytestmark = pytest.mark.skipif(not _may_mount(), reason="no disks of our own can be mounted here")


def _on_disk(disk: Path, options: str, before: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command beside a small disk that is mounted at `disk`, then list that disk."""
    disk.mkdir()
    script = f"mount -t tmpfs -o {options} tmpfs '{disk}'; {before}\n{command} || echo ended with $?; ls -A '{disk}'"
    return subprocess.run(_in_own_mounts(script), capture_output=True, text=True, check=True)


def _convert(log: Path, out: Path) -> str:
    return f"'{sys.executable}' -m gavel_dash convert '{log}' --out '{out}'"


def test_a_full_disk_is_one_sentence_and_leaves_the_earlier_files(tmp_path: Path) -> None:
    small, large, disk = tmp_path / "small" / "run.log", tmp_path / "large" / "run.log", tmp_path / "disk"
    for log, data in ((small, short_log().data), (large, long_log(3000))):
        log.parent.mkdir()
        log.write_bytes(data)
    done = _on_disk(disk, "size=256k", _convert(small, disk), _convert(large, disk))
    assert done.stdout.splitlines()[1:] == ["ended with 1", *NAMES]
    assert done.stderr == (
        f"gavel-dash: {disk}/run.viz.bin: expected a place to write to, found No space left on device\n"
    )


def test_a_read_only_disk_is_one_sentence(tmp_path: Path) -> None:
    log, disk = tmp_path / "run.log", tmp_path / "disk"
    log.write_bytes(short_log().data)
    done = _on_disk(disk, "size=256k", f"mount -o remount,ro '{disk}'", _convert(log, disk))
    assert done.stdout.splitlines() == ["ended with 2"]
    assert done.stderr == f"gavel-dash: --out {disk}: cannot be written to\n"


@pytest.mark.parametrize("before", ["mount -o remount,ro '{}'", "head -c 1M /dev/zero > '{}/full' || :"])
def test_a_cache_on_such_a_disk_costs_no_run(tmp_path: Path, before: str) -> None:
    disk, run = tmp_path / "disk", tmp_path / "sweep" / "run.viz.bin"
    run.parent.mkdir()
    write_run(run)
    subprocess.run(["gzip", str(run)], check=True)
    list_runs = f"GAVEL_DASH_CACHE='{disk}/cache' '{sys.executable}' -m gavel_dash runs '{run.parent}'"
    done = _on_disk(disk, "size=64k", before.format(disk), list_runs)
    assert ",complete," in done.stdout
    assert "ended with" not in done.stdout
    assert done.stderr.count("cannot be written") == done.stderr.count("could not be cached") == 1
