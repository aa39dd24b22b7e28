"""What can be plotted of a run round by round: the columns of its rounds, those per GPU type, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_dash.schema.columns import Column, col
from gavel_dash.schema.rounds import ROUNDS

#: Beside `ROUNDS`. N and W are set on the page.
DERIVED = (
    col("wall_time_min", "float", "min", "Wall time (min)", "minutes the simulator had been running"),
    col("gpus_free", "int", "GPUs", "GPUs free", "GPUs of all types that are not in use"),
    col(
        "windowed_jct_h",
        "float",
        "h",
        "Windowed mean JCT (h)",
        "mean JCT of the last N jobs that completed, of as many as did before; empty before the first",
    ),
    col(
        "windowed_completion_rate_jph",
        "float",
        "jobs/h",
        "Windowed completion rate (jph)",
        "completions per hour in the last W hours; empty until W hours have passed",
    ),
    col("arrivals", "int", "jobs", "Arrivals", "jobs that arrived since the start: in the system or completed"),
    col(
        "windowed_arrival_rate_jph",
        "float",
        "jobs/h",
        "Windowed arrival rate (jph)",
        "arrivals per hour in the last W hours; empty until W hours have passed",
    ),
)


def type_columns(gpu_type: str) -> tuple[Column, Column, Column]:
    """GPUs of a type in use, free, and the share in use."""
    return (
        col(f"{gpu_type}_used", "int", "GPUs", f"{gpu_type} used", f"{gpu_type} GPUs in use"),
        col(f"{gpu_type}_free", "int", "GPUs", f"{gpu_type} free", f"{gpu_type} GPUs that are not in use"),
        col(f"{gpu_type}_share", "float", "fraction", f"{gpu_type} share in use", f"{gpu_type} GPUs in use / GPUs"),
    )


def telemetry_columns(gpu_types: Sequence[str]) -> dict[str, Column]:
    """Every field by name, in the order of menus. A type called like a part of another field does not replace it."""
    fields = {column.name: column for column in (*ROUNDS, *DERIVED) if column.dtype != "str"}
    for gpu_type in gpu_types:
        for column in type_columns(gpu_type):
            fields.setdefault(column.name, column)
    return fields
