"""What the server asks of the C library."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from gavel_dash.web.process import give_memory_back

#: Fills and frees arrays of two megabytes, between which small ones stay; prints how much more the process then has.
CHURN = """
import sys
import numpy as np
from gavel_dash.web.process import give_memory_back
def anonymous_kb():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))
if sys.argv[1] == "set":
    give_memory_back()
np.ones(1_000_000)  # what is freed once is no longer asked of the system, where nobody says otherwise
before = anonymous_kb()
pairs = [(np.ones(262_144), np.ones(1000)) for _ in range(40)]
kept = [small for _, small in pairs]
del pairs
print(anonymous_kb() - before)
"""


def kept_kb(setting: str) -> int:
    done = subprocess.run([sys.executable, "-c", CHURN, setting], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_large_arrays_go_back_to_the_system() -> None:
    assert give_memory_back()
    assert kept_kb("unset") > 40_000
    assert kept_kb("set") < 10_000
