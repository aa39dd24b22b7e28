"""The jobs of a run."""

from __future__ import annotations

from gavel_dash.schema.columns import col

_SEEN = "empty where the file does not say"

JOBS = (
    col("job_id", "int", "", "Job", "id of the job, in order of arrival"),
    col("job_type", "str", "", "Type", "model and batch size"),
    col("category", "str", "", "Category", "family of the model"),
    col("scale_factor", "int", "GPUs", "Scale factor", "GPUs the job asks for; empty where unknown"),
    col("arrival_round", "int", "", "Arrival round", "last round recorded before the job arrived"),
    col("arrival_time_h", "float", "h", "Arrival (h)", "simulated time of the arrival round"),
    col("first_start_round", "int", "", "First round", f"first round in which the job is on a GPU; {_SEEN}"),
    col("first_start_time_h", "float", "h", "First start (h)", f"simulated time of that round; {_SEEN}"),
    col("completion_round", "int", "", "Completion round", "last round recorded before the job completed"),
    col("completion_time_h", "float", "h", "Completion (h)", "simulated time at the end of the completion round"),
    col("jct_h", "float", "h", "JCT (h)", "completion minus arrival; empty while not completed"),
    col(
        "wait_to_start_h",
        "float",
        "h",
        "Wait to start (h)",
        "whole rounds in the system before the first on a GPU; 0 where it starts in the first round after its arrival; "
        f"{_SEEN}",
    ),
    col(
        "queueing_time_h",
        "float",
        "h",
        "Queueing (h)",
        f"all time without a GPU, in whole rounds; {_SEEN}",
    ),
    col("run_time_h", "float", "h", "Run time (h)", f"all time on GPUs, in whole rounds; {_SEEN}"),
    col("gpu_hours", "float", "GPU h", "GPU-hours", f"GPUs held times the time they were held; {_SEEN}"),
    col("preemptions", "int", "", "Preemptions", f"how often the job lost all its GPUs before it was done; {_SEEN}"),
    col("migrations", "int", "", "Migrations", f"how often it ran on other GPUs than when it last ran; {_SEEN}"),
    col("type_migrations", "int", "", "Type migrations", f"how often these were of other GPU types; {_SEEN}"),
    col("gpu_types", "str", "", "GPU types", f"types of the GPUs it ran on; {_SEEN}"),
    col("completed", "bool", "", "Completed", "whether the job completed in the run"),
    col("in_window", "bool", "", "In window", "whether the job is measured"),
    col("censored", "bool", "", "Censored", "true for a measured job that never completed: its times are lower bounds"),
)

_TOLD_BY_ROUNDS = (
    "first_start_round",
    "first_start_time_h",
    "completion_time_h",
    "wait_to_start_h",
    "queueing_time_h",
    "run_time_h",
    "gpu_hours",
    "preemptions",
    "migrations",
    "type_migrations",
    "gpu_types",
)
#: What is known of jobs without reading the rounds of the run.
OUTCOMES = tuple(column for column in JOBS if column.name not in _TOLD_BY_ROUNDS)
