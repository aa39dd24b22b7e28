"""What a column is, the columns that several tables have, and how a typed table is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Column:
    """One column of a table. `unit` is empty for names, counts and ids."""

    name: str
    dtype: str
    unit: str
    meaning: str
    label: str


def col(name: str, dtype: str, unit: str, label: str, meaning: str) -> Column:
    """A column, as tables list them."""
    return Column(name, dtype, unit, meaning, label)


CURVE_KEY = (
    col("figure", "str", "", "Figure", "figure of the paper the run belongs to"),
    col("policy", "str", "", "Policy", "scheduling policy; `_perf` is heterogeneity-aware (Gavel)"),
    col("setting", "str", "", "Setting", "single: every job asks for one GPU; multi: some ask for several"),
)
MORE_KEY = (
    col("cluster", "str", "", "Cluster", "GPUs of each type"),
    col(
        "placement",
        "str",
        "",
        "Placement",
        "how the GPUs of a job are chosen, where a source says it apart from the policy",
    ),
    col("trace", "str", "", "Trace", "where the jobs come from, where a source says it"),
)
RATE = col("arrival_rate_jph", "float", "jobs/h", "Rate (jph)", "arrival rate of jobs")
N_WINDOW = col("n_window", "int", "jobs", "Window jobs", "jobs in the measurement window")
N_COMPLETED = col("n_completed", "int", "jobs", "Completed", "window jobs that completed in the run")
OCCUPANCY = col("mean_occupancy", "float", "fraction", "Occupancy", "mean over rounds of GPUs in use / GPUs")


def names(columns: tuple[Column, ...]) -> list[str]:
    """Column names, in order."""
    return [column.name for column in columns]


#: Nullable where a value can be missing, so that an unknown count stays an integer column.
_PANDAS_DTYPES = {"int": "Int64", "float": "float64", "bool": "boolean", "str": "str"}


def build_frame(rows: Iterable[Mapping[str, Any]], columns: tuple[Column, ...]) -> pd.DataFrame:
    """A typed table of these columns, in order; keys of a row that are no column are left out."""
    frame = pd.DataFrame(list(rows), columns=names(columns))
    return frame.astype({column.name: _PANDAS_DTYPES[column.dtype] for column in columns})


def interval_names(name: str) -> tuple[str, str]:
    """Names of a value's interval: ``mean_jct_h`` has ``mean_jct_low_h`` and ``mean_jct_high_h``."""
    stem, unit = next(((name.removesuffix(end), end) for end in ("_h", "_jph") if name.endswith(end)), (name, ""))
    return f"{stem}_low{unit}", f"{stem}_high{unit}"
