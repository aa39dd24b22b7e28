"""The stretches of one job's life."""

from __future__ import annotations

from gavel_dash.schema.columns import col

JOB_STRETCHES = (
    col("start_round_index", "int", "", "From record", "position of the first record of the stretch, from 0"),
    col("stop_round_index", "int", "", "To record", "position of the first record after the stretch"),
    col("start_round", "int", "", "From round", "the simulator's number of the first round"),
    col("start_time_h", "float", "h", "From (h)", "simulated time at the start"),
    col("stop_time_h", "float", "h", "To (h)", "simulated time at the end"),
    col("duration_h", "float", "h", "Lasts (h)", "end minus start"),
    col("state", "str", "", "State", "waiting, running, preempted, or unknown where the file does not say"),
    col("event", "str", "", "Begins with", "arrived, started, preempted, resumed, migrated or migrated to other types"),
    col("gpu_types", "str", "", "GPU types", "types of the GPUs held"),
    col("n_gpus", "float", "GPUs", "GPUs", "GPUs held; a quarter of a GPU counts as 0.25"),
    col("gpus", "str", "", "GPU ids", "ids of the GPUs held, in worker order from 0"),
)
