"""Files as memory maps while others write to them: none of it ends the process, and no answer is made of what is gone.

A map shows the file as it is, not as it was when opened. So whoever reads asks afterwards whether the files stayed as
they were: `unchanged_files` does that for all that was read inside it. A file that was replaced by another, or deleted,
is still there for those who had opened it; only one cut short or written to in its place has changed.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gavel_dash.errors import FileChangedError, VizFormatError
from gavel_dash.kernel import load_kernel
from gavel_dash.kernel.bindings import Kernel


class MappedFile:
    """An open file and its bytes. Both are given back when neither it nor a view of its bytes is left.

    Parameters
    ----------
    kernel : Kernel
    file : int
        A file descriptor, of which this is the owner from now on.
    shown_as : Path
        What error messages call the file.

    Raises
    ------
    OSError
        The file cannot be mapped.
    """

    def __init__(self, kernel: Kernel, file: int, shown_as: Path) -> None:
        weakref.finalize(self, os.close, file).atexit = False
        self.shown_as, self._kernel, self._file = shown_as, kernel, file
        self._opened_as = _size_and_time(file)
        address = ctypes.c_int64()
        slot = kernel.open_map(file, self._opened_as[0], ctypes.byref(address))
        if slot < 0:
            raise OSError(-slot, os.strerror(-slot))
        weakref.finalize(self, kernel.close_map, slot).atexit = False
        self._slot = slot
        self.__array_interface__ = {
            "data": (address.value, True),
            "shape": (self._opened_as[0],),
            "typestr": "|u1",
            "version": 3,
        }

    @property
    def has_changed(self) -> bool:
        """Whether the file is no longer as it was opened, or could not be read."""
        return bool(self._kernel.is_broken(self._slot)) or _size_and_time(self._file) != self._opened_as

    def check(self) -> None:
        """Raise `FileChangedError` where the file is no longer as it was opened."""
        if self.has_changed:
            before, now = self._opened_as[0], _size_and_time(self._file)[0]
            found = f"one of {now:,} bytes instead of {before:,}" if now != before else "one that was written to"
            raise FileChangedError(self.shown_as, "a file that stays as it was opened", found)


def _size_and_time(file: int) -> tuple[int, int]:
    stat = os.fstat(file)
    return stat.st_size, stat.st_mtime_ns


def map_file(path: Path, shown_as: Path) -> memoryview:
    """The bytes of a file, read-only: a memory map, noted as read by `unchanged_files`.

    Parameters
    ----------
    path, shown_as : Path
        The file, and what error messages call it.

    Raises
    ------
    VizFormatError
        The file is empty.
    FileChangedError
        The file was written to while it was read into memory.
    OSError
        The file cannot be opened or mapped.
    """
    kernel = load_kernel()
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise VizFormatError(shown_as, 0, "a header of 256 bytes", "an empty file")
        if kernel is None:
            return _read_into_memory(file, shown_as)
        mapped = MappedFile(kernel, os.dup(file.fileno()), shown_as)
    note_read((mapped,))
    return np.asarray(mapped).data


def _read_into_memory(file: BinaryIO, shown_as: Path) -> memoryview:
    """All bytes of a file, where no kernel stops SIGBUS. They take that much memory for as long as they are used."""
    before, data, after = _size_and_time(file.fileno()), file.read(), _size_and_time(file.fileno())
    if before != after or len(data) != after[0]:
        raise FileChangedError(shown_as, "a file that stays as it was opened", "one that was written to")
    return memoryview(data)


_files_read: ContextVar[set[MappedFile] | None] = ContextVar("files_read", default=None)


def note_read(files: Iterable[MappedFile]) -> None:
    """Say that files are read from here on; nothing outside of `unchanged_files`."""
    read = _files_read.get()
    if read is not None:
        read.update(files)


@contextmanager
def unchanged_files() -> Iterator[set[MappedFile]]:
    """Everything read inside must have stayed as it was opened; gives the files, which become more.

    Also a decorator. Inside another one it answers for its files alone: what leaves it must not be a view of them.
    Other threads need one of their own.

    Raises
    ------
    FileChangedError
        At the end, or instead of an error that came of reading what was no longer there.
    """
    files = set[MappedFile]()
    token = _files_read.set(files)
    try:
        yield files
    except Exception:
        _check(files)
        raise
    finally:
        _files_read.reset(token)
    _check(files)


def _check(files: Iterable[MappedFile]) -> None:
    for file in files:
        file.check()
