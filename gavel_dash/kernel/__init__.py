"""What is compiled: inner loops of conversions and of what jobs held, and what keeps memory maps safe.

All works without, more slowly.
"""

from __future__ import annotations

import os
from functools import lru_cache

from gavel_dash.kernel.bindings import Kernel
from gavel_dash.kernel.build import NoKernelError, built_kernel

__all__ = ["Kernel", "NoKernelError", "kernel_state", "load_kernel", "why_no_kernel"]

#: Set to "off", all does without, and files are read into memory instead of mapped.
SWITCH = "GAVEL_DASH_KERNEL"


def load_kernel() -> Kernel | None:
    """The kernel, compiled on first use; None where `why_no_kernel` says why not."""
    return None if os.environ.get(SWITCH) == "off" else _load()[0]


def why_no_kernel() -> str:
    """Why `load_kernel` gives None; empty where it does not."""
    return f"{SWITCH} is off" if os.environ.get(SWITCH) == "off" else _load()[1]


def kernel_state() -> str:
    """One word or sentence for those who watch: "loaded", "not needed yet", or why there is none. Compiles nothing."""
    if os.environ.get(SWITCH) != "off" and not _load.cache_info().currsize:
        return "not needed yet"
    return why_no_kernel() or "loaded"


@lru_cache(maxsize=1)
def _load() -> tuple[Kernel | None, str]:
    try:
        return Kernel(str(built_kernel())), ""
    except (NoKernelError, OSError) as error:
        return None, str(error)
