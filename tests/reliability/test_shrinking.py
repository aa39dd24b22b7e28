"""Files cut short, rewritten, replaced or deleted while they are read: nobody dies, and nobody is told zeros."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gavel_dash.errors import FileChangedError
from gavel_dash.kernel import build
from gavel_dash.kernel.mapped_files import map_file, unchanged_files

needs_kernel = pytest.mark.skipif(build.find_compiler() is None, reason="no C compiler here")
PAGE = os.sysconf("SC_PAGE_SIZE")
N_BYTES = 6 * PAGE + 100

_BEGIN = f"""
import faulthandler, mmap, os, signal, sys, threading
from pathlib import Path
import numpy as np
from gavel_dash.errors import FileChangedError
from gavel_dash.kernel.mapped_files import map_file, unchanged_files

path, page, n_bytes = Path(sys.argv[1]), {PAGE}, {N_BYTES}

def opened():
    path.write_bytes(bytes([1]) * n_bytes)
    return np.frombuffer(map_file(path, path), np.uint8)

def read_cut(size):
    with unchanged_files():
        data = opened()
        assert data.sum() == n_bytes
        os.truncate(path, size)
        print(size, int(data[::-1].sum()), flush=True)

def is_refused(read, *given):
    try:
        read(*given)
    except FileChangedError:
        return True
"""


def run_child(tmp_path: Path, script: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-c", _BEGIN + script, str(tmp_path / "file")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **env}, check=False)


@needs_kernel
@pytest.mark.parametrize("faulthandler", ["none", "before", "between"])
def test_a_file_cut_short_reads_as_zeros_and_is_refused(tmp_path: Path, faulthandler: str) -> None:
    script = "first = opened()\nfaulthandler.enable()\n" if faulthandler == "between" else ""
    script += "assert all([is_refused(read_cut, size) for size in (0, 2 * page, 6 * page + 50, 6 * page, 1000)])"
    child = run_child(tmp_path, script, *(["-Xfaulthandler"] if faulthandler == "before" else []))
    assert (child.returncode, child.stderr) == (0, "")
    sizes = (0, 2 * PAGE, N_BYTES - 50, N_BYTES - 100, 1000)
    assert child.stdout.splitlines() == [f"{size} {size}" for size in sizes]


@needs_kernel
def test_threads_and_forks_live_on(tmp_path: Path) -> None:
    script = """
data = opened()
gate, cut, refused = threading.Barrier(5), threading.Event(), []
def read():
    with unchanged_files():
        mine = np.frombuffer(map_file(path, path), np.uint8)
        gate.wait()
        cut.wait()
        assert int(mine.sum()) == int(data.sum()) == page
threads = [threading.Thread(target=lambda: refused.append(is_refused(read))) for _ in range(4)]
for thread in threads: thread.start()
gate.wait()
os.truncate(path, page)
cut.set()
for thread in threads: thread.join()
assert refused == [True] * 4
data = opened()
child = os.fork()
os.truncate(path, page)
assert int(data.sum()) == page
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    child = run_child(tmp_path, script)
    assert (child.returncode, child.stderr) == (0, "")


_FOREIGN = """
foreign = path.with_name("foreign")
foreign.write_bytes(bytes(page))
with foreign.open("r+b") as file:
    mapped = mmap.mmap(file.fileno(), 0)
os.truncate(foreign, 0)
mapped[0]
"""


@needs_kernel
@pytest.mark.parametrize("cause", [_FOREIGN, "os.kill(os.getpid(), signal.SIGBUS)"])
@pytest.mark.parametrize("setup", ["", "faulthandler.enable()\n", "opened()\nfaulthandler.enable()\n"])
def test_any_other_bus_error_ends_the_process_as_ever(tmp_path: Path, cause: str, setup: str) -> None:
    child = run_child(tmp_path, f"{setup}data = opened()\nassert is_refused(read_cut, 0)\n{cause}\nprint('alive')")
    assert (child.returncode, child.stdout) == (-signal.SIGBUS, "0 0\n")
    assert ("Fatal Python error: Bus error" in child.stderr) == bool(setup)


@needs_kernel
def test_a_handler_of_python_is_still_called(tmp_path: Path) -> None:
    script = """
signal.signal(signal.SIGBUS, lambda number, frame: print("called", number))
data = opened()
os.kill(os.getpid(), signal.SIGBUS)
assert is_refused(read_cut, 0)
"""
    child = run_child(tmp_path, script)
    assert (child.returncode, child.stdout) == (0, f"called {int(signal.SIGBUS)}\n0 0\n"), child.stderr


def test_without_the_kernel_a_file_is_in_memory(tmp_path: Path) -> None:
    script = """
data = opened()
os.truncate(path, 0)
assert data.sum() == n_bytes
"""
    child = run_child(tmp_path, script, GAVEL_DASH_KERNEL="off")
    assert (child.returncode, child.stderr) == (0, "")


def _rewrite(path: Path) -> None:
    path.write_bytes(bytes([2]) * N_BYTES)


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"another file")
    other.replace(path)


@needs_kernel
@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (_rewrite, True),
        (lambda path: os.truncate(path, N_BYTES + 1), True),
        (lambda path: os.utime(path, ns=(0, 0)), True),
        (_replace, False),
        (Path.unlink, False),
        (lambda path: path.chmod(0o600), False),
    ],
    ids=["rewritten", "grown", "touched", "replaced", "deleted", "chmod"],
)
def test_only_what_happens_in_its_place_changes_a_file(
    tmp_path: Path, change: Callable[[Path], object], changed: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes([1]) * N_BYTES)
    with unchanged_files() as files:
        data = np.frombuffer(map_file(path, Path("shown")), np.uint8)
        [file] = files
    change(path)
    assert file.has_changed == changed
    if changed:
        with pytest.raises(FileChangedError, match=r"^shown: expected a file that stays as it was opened, found one "):
            file.check()
    else:
        assert data.sum() == N_BYTES


@needs_kernel
def test_a_file_that_came_back_is_refused_by_those_who_read_zeros(tmp_path: Path) -> None:
    script = """
def read():
    with unchanged_files():
        data = opened()
        stat = path.stat()
        os.truncate(path, 0)
        assert not data.any()
        path.write_bytes(bytes([1]) * n_bytes)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
assert is_refused(read)
"""
    child = run_child(tmp_path, script)
    assert (child.returncode, child.stderr) == (0, "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file to be cut short, of more pages than one."""
    path = tmp_path / "file"
    path.write_bytes(bytes([1]) * N_BYTES)
    return path


@needs_kernel
def test_an_inner_reader_answers_for_its_files(path: Path) -> None:
    @unchanged_files()
    def read_changed() -> None:
        map_file(path, path)
        os.utime(path, ns=(0, 0))

    @unchanged_files()
    def read_and_change() -> None:
        data = map_file(path, path)
        unchanged_files()(map_file)(path, path)
        os.utime(path, ns=(1, 1))
        assert data[0] == 1

    @unchanged_files()
    def stumble() -> None:
        map_file(path, path)
        os.utime(path, ns=(2, 2))
        raise IndexError("came of reading zeros")

    with unchanged_files():
        unchanged_files()(map_file)(path, path)
        with pytest.raises(FileChangedError):
            read_changed()  # and nothing is made of it
    for read in (read_and_change, stumble):
        with pytest.raises(FileChangedError):
            read()
