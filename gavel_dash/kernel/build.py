"""Compile the kernel, once per machine and version of its source, into the cache directory.

Works with the system's C compiler, or with the one in the `ziglang` package where there is none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gavel_dash.settings import cache_dir
from gavel_dash.whole_files import is_sealed, write_sealed

SOURCES = tuple(sorted(Path(__file__).parent.glob("*.c")))
# No -march: a cache can be shared by unequal machines, and memchr of the C library picks its own instructions.
# No contraction: a sum has the same bits as NumPy's.
_FLAGS = ("-O3", "-ffp-contract=off", "-shared", "-fPIC")
_TIMEOUT_S = 120


class NoKernelError(Exception):
    """The kernel cannot be had here; its text says why."""


def find_compiler() -> list[str] | None:
    """The command of a C compiler, or None."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def built_kernel() -> Path:
    """The compiled kernel, compiled now where it is not there yet.

    Raises
    ------
    NoKernelError
        There is no compiler, it fails, or the cache cannot be written.
    """
    texts = [source.read_bytes() for source in SOURCES]
    key = hashlib.blake2b(b"\0".join([*texts, " ".join((*_FLAGS, sys.platform, platform.machine())).encode()]))
    target = cache_dir() / "kernel" / f"{key.hexdigest()[:24]}.so"
    # Loading a damaged library can kill the process, so only what was left as it is is loaded.
    if not is_sealed(target):
        _compile(target)
    return target


def _compile(target: Path) -> None:
    compiler = find_compiler()
    if compiler is None:
        raise NoKernelError("no C compiler: install one, or the ziglang package")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)  # where this fails, compiling would be in vain
        with tempfile.TemporaryDirectory() as room:
            made = Path(room) / target.name
            command = [*compiler, *_FLAGS, "-o", str(made), *map(str, SOURCES), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
            if done.returncode or not made.exists():
                last = (done.stderr.strip().splitlines() or ["no output"])[-1]
                raise NoKernelError(f"{compiler[0]} failed: {last}")
            write_sealed(target, lambda file: file.write(made.read_bytes()))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoKernelError(f"{type(error).__name__}: {error}") from error
