"""The rounds of a run, and who waits in one."""

from __future__ import annotations

from gavel_dash.schema.columns import col

ROUNDS = (
    col("round_index", "int", "", "Index", "position of the record in the file, from 0"),
    col("round", "int", "", "Round", "the simulator's round number"),
    col("sim_time_h", "float", "h", "Simulated time (h)", "simulated time at the start of the round"),
    col("phase", "str", "", "Phase", "warm-up, measurement or cool-down, from the run's own window; empty if unknown"),
    col("occupancy", "float", "fraction", "Occupancy", "GPUs in use now / GPUs"),
    col(
        "effective_utilization",
        "float",
        "fraction",
        "Eff. utilization",
        "the scheduler's busy fraction since the start",
    ),
    col("gpus_used", "int", "GPUs", "GPUs used", "GPUs in use in this round"),
    col("jobs_running", "int", "jobs", "Running", "jobs that hold GPUs"),
    col("jobs_queued", "int", "jobs", "Queued", "jobs in the system that hold none"),
    col("jobs_in_system", "int", "jobs", "In system", "running and queued jobs"),
    col("jobs_completed", "int", "jobs", "Completed", "jobs completed since the start"),
    col(
        "avg_jct_h",
        "float",
        "h",
        "Mean JCT so far (h)",
        "running mean over completed window jobs, by the simulator; empty before",
    ),
    col(
        "completion_rate_jph",
        "float",
        "jobs/h",
        "Completion rate (jph)",
        "the simulator's windowed rate; empty where unknown",
    ),
)

QUEUE = (
    col("job_id", "int", "", "Job", "id of the waiting job"),
    col("job_type", "str", "", "Type", "model and batch size"),
    col("category", "str", "", "Category", "family of the model"),
    col("scale_factor", "int", "GPUs", "Scale factor", "GPUs the job asks for"),
    col("time_in_system_h", "float", "h", "In system (h)", "simulated time since the job's arrival round"),
    col("arrival_round", "int", "", "Arrival round", "last round recorded before the job arrived"),
    col(
        "why",
        "str",
        "",
        "Why",
        "could start: free GPUs could hold it; scattered: enough are free, on no one node; no GPUs: too few are free",
    ),
)
