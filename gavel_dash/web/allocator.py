"""What a server that runs for weeks asks of the C library: give memory back.

By itself glibc keeps a pool of memory for each thread, and the more there was in use at once, the less of it does it
ever give back. A server's threads each sort millions of numbers once in a while; their pools would only grow.
"""

from __future__ import annotations

import ctypes

#: Numbers of glibc's `mallopt`, and what they are set to: at most so many pools, what is this large comes from the
#: system and goes back to it at once, and no more than this stays unused at the end of a pool.
_SETTINGS = {"arena_max": (-8, 2), "mmap_threshold": (-3, 1 << 20), "trim_threshold": (-1, 8 << 20)}


def give_memory_back() -> bool:
    """Set it for this process; False where the C library knows nothing of it (macOS, musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(number, value) for number, value in _SETTINGS.values())
