"""Columns of a packed run: numbers as byte planes, lowest first, of values or of their differences."""

from __future__ import annotations

from typing import IO

import numpy as np


def steps(values: np.ndarray, order: int) -> np.ndarray:
    """Differences of an unsigned array, wrapping around, `order` times; the first is from 0."""
    for _ in range(order):
        values = np.diff(values, prepend=values.dtype.type(0))
    return values


def sums(differences: np.ndarray, order: int) -> np.ndarray:
    """What `steps` was made of."""
    for _ in range(order):
        differences = np.cumsum(differences, dtype=differences.dtype)
    return differences


def column(values: np.ndarray) -> bytes:
    """The planes of an array: the first byte of every row, then the second, and so on."""
    values = np.ascontiguousarray(values)
    width = values.dtype.itemsize * int(np.prod(values.shape[1:]))
    return values.view(np.uint8).reshape(len(values), width).T.tobytes()


def take_column(packed: IO[bytes], n: int, dtype: np.dtype, shape: tuple[int, ...] = ()) -> np.ndarray:
    """What `column` was made of: `n` rows of `shape`. Raises EOFError where fewer bytes are left."""
    width = dtype.itemsize * int(np.prod(shape))
    planes = np.frombuffer(take(packed, n * width), np.uint8).reshape(width, n)
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype).reshape(n, *shape)


def take(packed: IO[bytes], n: int) -> bytes:
    """The next `n` bytes, or EOFError where fewer are left."""
    # In pieces: `read` makes room for all it is asked for, and a damaged count asks for anything.
    pieces, missing = [], n
    while missing > 0 and (piece := packed.read(min(missing, 2**20))):
        pieces.append(piece)
        missing -= len(piece)
    if missing:
        raise EOFError(f"its end {missing} bytes too early")
    return b"".join(pieces)
