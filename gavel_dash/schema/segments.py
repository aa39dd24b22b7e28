"""Who held which GPU from when to when."""

from __future__ import annotations

from gavel_dash.schema.columns import col

SEGMENTS = (
    col("gpu", "int", "", "GPU", "index of the GPU, from 0, in worker-id order"),
    col("gpu_type", "str", "", "GPU type", "type of the GPU"),
    col("quarter", "int", "", "Quarter", "which quarter of a shared GPU, from 0; empty where the file shares no GPUs"),
    col("job_id", "int", "", "Job", "id of the job that held it"),
    col("start_round", "int", "", "Start round", "round number of the first record of the stretch"),
    col(
        "stop_round", "int", "", "Stop round", "round number of the first record after it; empty at the end of the run"
    ),
    col("start_time_h", "float", "h", "Start (h)", "simulated time at the start of the stretch"),
    col("stop_time_h", "float", "h", "Stop (h)", "simulated time at its end"),
    col("rounds", "int", "rounds", "Rounds", "records in the stretch that are in the part asked for"),
)
