"""The jobs of a run."""

from __future__ import annotations

from gavel_dash.schema.columns import col

JOBS = (
    col("job_id", "int", "", "Job", "id of the job, in order of arrival"),
    col("job_type", "str", "", "Type", "model and batch size"),
    col("category", "str", "", "Category", "family of the model"),
    col("scale_factor", "int", "GPUs", "Scale factor", "GPUs the job asks for; empty where unknown"),
    col("arrival_round", "int", "", "Arrival round", "last round recorded before the job arrived"),
    col("arrival_time_h", "float", "h", "Arrival (h)", "simulated time of the arrival round"),
    col("completion_round", "int", "", "Completion round", "last round recorded before the job completed"),
    col("jct_h", "float", "h", "JCT (h)", "completion minus arrival; empty while not completed"),
    col("completed", "bool", "", "Completed", "whether the job completed in the run"),
    col("in_window", "bool", "", "In window", "whether the job is measured"),
)
