"""A directory becomes an index of runs. The only room that opens run files."""

from gavel_dash.sweep.live import LiveSweep
from gavel_dash.sweep.memory import RunMemory
from gavel_dash.sweep.run import Run
from gavel_dash.sweep.sweep import Sweep, open_run, open_sweep

__all__ = ["LiveSweep", "Run", "RunMemory", "Sweep", "open_run", "open_sweep"]
