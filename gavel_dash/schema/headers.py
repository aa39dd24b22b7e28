"""The table of `.viz.bin` files, by what stands in their header, config and last round."""

from __future__ import annotations

from gavel_dash.schema.columns import col

HEADERS = (
    col("run", "str", "", "Run", "name of the run; several files may have one name"),
    col("file", "str", "", "File", "path of the file"),
    col("policy", "str", "", "Policy", "scheduling policy, as the file's config calls it"),
    col("cluster", "str", "", "Cluster", "GPUs of each type"),
    col("gpus", "int", "GPUs", "GPUs", "number of GPUs"),
    col("rounds", "int", "rounds", "Rounds", "scheduling rounds recorded"),
    col("jobs", "int", "jobs", "Jobs", "jobs that arrived"),
    col("sim_time_h", "float", "h", "Simulated time (h)", "simulated time at the start of the last round"),
    col("effective_utilization", "float", "fraction", "Eff. utilization", "the scheduler's busy fraction at the end"),
    col("jobs_running", "int", "jobs", "Running", "jobs that hold GPUs in the last round"),
    col("jobs_queued", "int", "jobs", "Queued", "jobs in the system that hold none in the last round"),
    col("jobs_completed", "int", "jobs", "Completed", "jobs completed by the last round"),
    col("note", "str", "", "Note", "why a file cannot be read"),
)
