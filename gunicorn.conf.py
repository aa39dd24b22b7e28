"""How gunicorn serves a team: read by itself where `gunicorn app:server` is started beside it.

The command line and GUNICORN_CMD_ARGS come before what is said here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from gavel_dash.settings import read_settings

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

bind = "127.0.0.1:8050"
workers, threads = 4, 8
#: Pages ask every few seconds whether they are up to date: over connections that stay open.
keepalive = 30


def on_starting(_server: Arbiter) -> None:
    """Index the sweep in one process before there are workers, which find it in the cache instead of each doing so.

    A sweep that cannot be opened is said there too; the workers then say it on every page.
    """
    sweep = read_settings([], os.environ).sweep
    subprocess.run([sys.executable, "-m", "gavel_dash", "runs", sweep], stdout=subprocess.DEVNULL, check=False)
