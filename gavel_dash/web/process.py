"""What a server sets for its process: threads take turns soon, and memory goes back to the system."""

from __future__ import annotations

import ctypes
import sys

#: A thread that computes lets another go on after this long. A chunk of rounds takes some ten turns, one after each
#: time it waited for the network or a lock: at Python's 5 ms they would add up to more than what it does.
SWITCH_INTERVAL_S = 0.0005
#: Numbers of glibc's `mallopt`, and what they are set to: at most so many pools, what is this large comes from the
#: system and goes back to it at once, and no more than this stays unused at the end of a pool. By itself glibc keeps a
#: pool for each thread, and the more there was in use at once, the less of it does it ever give back.
_MALLOPT = {"arena_max": (-8, 2), "mmap_threshold": (-3, 1 << 20), "trim_threshold": (-1, 8 << 20)}


def prepare_process() -> None:
    """Set both for this process."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    give_memory_back()


def give_memory_back() -> bool:
    """Set how the C library keeps memory; False where it knows nothing of it (macOS, musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(number, value) for number, value in _MALLOPT.values())
