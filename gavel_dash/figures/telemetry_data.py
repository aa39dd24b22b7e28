"""What the Telemetry page's figure is made of: lines, fields, runs, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gavel_dash.figures.telemetry_marks import RunMarks
from gavel_dash.schema import Column


@dataclass(frozen=True)
class Line:
    """One field of one run as it is drawn.

    Attributes
    ----------
    run, field : str
    index : ndarray of int, shape (n_points,)
        Record of each point.
    x, y : ndarray of float64, shape (n_points,)
        NaN is a gap.
    smoothed : bool
        Whether y is the moving mean.
    n_off_axis : int
        Records left out as they have no place on a logarithmic axis.
    n_rounds : int
        Records of the run.
    """

    run: str
    field: str
    index: np.ndarray
    x: np.ndarray
    y: np.ndarray
    smoothed: bool = False
    n_off_axis: int = 0
    n_rounds: int = 0


@dataclass(frozen=True)
class TelemetryData:
    """What is drawn, and what cannot be.

    Attributes
    ----------
    x : Column or None
        Field of the x axis; None where there is no run.
    fields : tuple of Column
        Fields of the charts, from the top.
    runs : tuple of str
        In the order of the selection; phases and cursor are those of the first.
    marks : dict of run to RunMarks
    lines : tuple of Line
        By field, then run; a raw line comes before its moving mean.
    problems : tuple of str
        Why runs cannot be read.
    missing : tuple of (field, run)
        Runs that have no such field.
    """

    x: Column | None
    fields: tuple[Column, ...]
    runs: tuple[str, ...]
    marks: dict[str, RunMarks]
    lines: tuple[Line, ...]
    problems: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Drawing:
    """How it is drawn: one small chart per run or all in one, axes, the part in view, "light" or "dark"."""

    multiples: bool = False
    log_x: bool = False
    log_y: bool = False
    view: tuple[float, float] | None = None
    theme: str = "light"
