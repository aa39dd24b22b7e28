"""Files that appear whole or not at all: written beside their place, locked meanwhile, renamed at the end.

A lock ends with its process, however that ends. So what a killed process left behind can be told from what another
one is writing just now, and is removed by the next that writes there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_SUFFIX = ".gavel-part"
#: The time of change of a sealed file. Whoever changes the file changes that; even seconds are kept by any file system.
_SEAL_NS = 2**30 * 10**9


@contextmanager
def replacing(*paths: Path, time_ns: int | None = None) -> Iterator[list[BinaryIO]]:
    """New files that take the places of `paths` together when all went well, and go away when not.

    Parameters
    ----------
    *paths : Path
        Files of one directory. The last is renamed last: it is new only where the others are.
    time_ns : int, optional
        Time of change that all of them get; that of the beginning unless given. So what was changed meanwhile is newer
        than what is made from it, and files of different times were not written together.

    Raises
    ------
    OSError
        They cannot be written; nothing has changed, unless it was the renaming that failed.
    """
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with ExitStack() as stack:
        files: list[BinaryIO] = []
        for path in paths:
            file = _create_beside(path)
            stack.callback(Path(file.name).unlink, missing_ok=True)
            files.append(stack.enter_context(file))
        began_ns = os.fstat(files[0].fileno()).st_mtime_ns
        yield files
        for file in files:
            file.flush()
            os.utime(file.fileno(), ns=(began_ns, began_ns if time_ns is None else time_ns))
            # A killed process loses nothing that was written, a power cut does: the new name could outlive its bytes,
            # and a run of the right size that is all zeros would be believed. It costs some milliseconds per file.
            os.fsync(file.fileno())
        with _renaming_in(paths[0].parent):
            for file, path in zip(files, paths, strict=True):
                os.replace(file.name, path)


def write_atomically(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create or replace `target` in one step; raises `OSError` where that cannot be done."""
    _write(target, write, None)


def write_sealed(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """As `write_atomically`, and so that `is_sealed` is true of it until somebody changes it."""
    _write(target, write, _SEAL_NS)


def _write(target: Path, write: Callable[[BinaryIO], object], time_ns: int | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target.parent)
    with replacing(target, time_ns=time_ns) as (file,):
        write(file)


def is_sealed(path: Path) -> bool:
    """Whether a file is as `write_sealed` left it: there, whole, and changed by nobody."""
    try:
        return path.stat().st_mtime_ns == _SEAL_NS and path.is_file()
    except OSError:
        return False


def remove_abandoned(directory: Path) -> None:
    """Remove what killed processes were writing in a directory; what others are writing now stays."""
    for part in directory.glob(f".*{_SUFFIX}"):
        try:
            with part.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
        except OSError:
            continue  # it is being written, has just been renamed, or is another user's


def _create_beside(path: Path) -> BinaryIO:
    """A new file in the directory of `path`, locked as long as it is open."""
    while True:
        file = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_SUFFIX}").open("x+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()  # `remove_abandoned` was faster and is just removing it
            continue
        except OSError:
            return file  # a file system without locks: nobody gets one, so nobody removes it either
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


@contextmanager
def _renaming_in(directory: Path) -> Iterator[None]:
    """Nobody else renames a set of files in that directory meanwhile: two sets would be mixed."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # NFS locks no directories; the times of a mixed set differ, so it is not taken for one
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
