"""The cache directory: unpacked runs and the catalogue. Everything in it can be deleted or damaged at any time."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from gavel_dash.whole_files import is_sealed, write_sealed

Progress = Callable[[str], None]

#: Where files are kept that the cache cannot take: the system's temporary directory, or memory when disks are full.
_SPARE_PLACES = (None, "/dev/shm")
#: The directories that this process has made there.
_spare_rooms: dict[str | None, Path] = {}


def key_of(*parts: object) -> str:
    """Short name made of the parts, for a file in the cache."""
    # Names of files can hold bytes that are not UTF-8.
    text = "\0".join(map(str, parts)).encode(errors="surrogateescape")
    return hashlib.blake2b(text, digest_size=12).hexdigest()


def keep(target: Path, write: Callable[[BinaryIO], object], progress: Progress) -> Path:
    """Where the cached file `target` is; it is written now, unless it is there as it was left.

    Where the cache cannot be written, which is said once, the file is made elsewhere and lasts as long as this process.

    Raises
    ------
    OSError
        It can be written nowhere, or `write` cannot read what it is made from.
    """
    name = Path(target.parent.name, target.name)
    for path in (target, *(room / name for room in _spare_rooms.values())):
        if is_sealed(path):
            return path
    try:
        write_sealed(target, write)
        return target
    except OSError as error:
        for place in _SPARE_PLACES:
            with suppress(OSError):  # the first reason is the one to tell
                spare = _spare_room(place, f"{target.parent} cannot be written ({error.strerror})", progress) / name
                write_sealed(spare, write)
                return spare
        raise


def _spare_room(place: str | None, reason: str, progress: Progress) -> Path:
    room = _spare_rooms.get(place)
    if room is None:
        room = _spare_rooms[place] = Path(tempfile.mkdtemp(prefix="gavel-dash-", dir=place))
        atexit.register(shutil.rmtree, room, ignore_errors=True)
        progress(f"{reason}: what it would hold is in {room} until this process ends")
    return room
