"""The cache directory: unpacked runs and the catalogue. Everything in it can be deleted at any time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Progress = Callable[[str], None]


def key_of(*parts: object) -> str:
    """Short name made of the parts, for a file in the cache."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=12).hexdigest()


def write_atomically(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create or replace `target` in one step: written beside it, then renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
