"""Every column of every table: name, dtype, unit and one-line meaning. The project's glossary.

Tables are built, shown and exported through these tuples, so a column is spelled in one place.
Times are hours here (seconds only inside the code), rates jobs per hour (jph), fractions 0..1.
"""

from __future__ import annotations

from gavel_dash.schema.columns import Column, build_frame, interval_names, names
from gavel_dash.schema.comparisons import PAIRS, PAPER_ERROR, PAPER_FIT, gain_columns, gain_names, is_saving
from gavel_dash.schema.curves import SATURATION, curve_columns
from gavel_dash.schema.jobs import JOBS, OUTCOMES
from gavel_dash.schema.rounds import QUEUE, ROUNDS
from gavel_dash.schema.runs import NOT_MEASURED, RUNNING, RUNS, STATUSES, UNCONVERTED

__all__ = [
    "JOBS",
    "NOT_MEASURED",
    "OUTCOMES",
    "PAIRS",
    "PAPER_ERROR",
    "PAPER_FIT",
    "QUEUE",
    "ROUNDS",
    "RUNNING",
    "RUNS",
    "SATURATION",
    "STATUSES",
    "UNCONVERTED",
    "Column",
    "build_frame",
    "curve_columns",
    "gain_columns",
    "gain_names",
    "interval_names",
    "is_saving",
    "names",
]
