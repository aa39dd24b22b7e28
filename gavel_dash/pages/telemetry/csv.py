"""The page's charts as a table, for the CSV route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from gavel_dash.errors import UsageError
from gavel_dash.pages.selection import asked_runs
from gavel_dash.pages.telemetry.content import telemetry_table
from gavel_dash.pages.telemetry.state import controls_of, options_of, view_of
from gavel_dash.ui import query_value, query_values

if TYPE_CHECKING:
    from gavel_dash.sweep import Sweep

ALL_POINTS = "all"


def table(sweep: Sweep, query: Mapping[str, object]) -> pd.DataFrame:
    """Points that the page draws under the same query; with ``points=all`` those of every round.

    Raises
    ------
    UsageError
        A run that is not there or has no rounds, or a field that is not known.
    """
    selection = asked_runs(sweep, query)
    if selection.problems and (query_values(query, "run") or not selection.names):
        raise UsageError(" ".join(selection.problems))
    all_points = query_value(query, "points") == ALL_POINTS
    return telemetry_table(sweep, selection.names, options_of(controls_of(query)), view_of(query), all_points)
